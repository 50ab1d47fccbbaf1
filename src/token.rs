//! Tokens: claims made into a compact JWS, and the strict way back. Pure: no disk, and now is a parameter.
//!
//! [`verify::Verifier`] is the front door. It takes the algorithm from the key that a token names, never from the token,
//! and tells nothing of a token whose signature it has not checked.

pub mod algorithm;
pub mod claims;
pub mod compact;
pub mod forward_auth;
pub mod header;
pub mod inspect;
pub mod issued;
pub(crate) mod json;
pub mod jwks;
pub mod key_set;
pub mod lifetime;
mod provider;
pub mod public_key;
pub mod reason;
pub mod revocation;
pub mod roster;
pub(crate) mod rsa;
pub(crate) mod sign;
mod signature;
pub mod signer;
pub mod traefik;
pub mod trusted;
pub mod verify;
