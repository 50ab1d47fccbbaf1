//! The store and its counterpart in AWS: what is where, who changed what since, and what follows.
//!
//! `place` says which remote secret holds what, `look` compares the two sides by the table of `judge`, `push` and `pull`
//! act on what was found, or `plan` writes it down. Whether the remote side still is as it was found is decided there, by compare-and-swap.

pub mod bundle;
pub mod content;
pub mod fit;
pub mod hindrance;
pub mod judge;
pub mod look;
pub mod place;
pub mod plan;
pub mod problem;
pub mod pull;
pub mod push;
pub mod seen;
