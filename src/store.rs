//! The sealed store: versions of every value and their stages, and the ledger derived from it.

pub mod ledger;
