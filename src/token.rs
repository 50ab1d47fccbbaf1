//! Tokens: claims made into a compact JWS. Pure: no disk, and now is a parameter.

pub mod algorithm;
pub mod claims;
mod provider;
pub(crate) mod sign;
