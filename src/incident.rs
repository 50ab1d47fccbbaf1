//! What follows from a leak: what it reaches, what is revoked with it, what is left to do, and the timeline that tells it.
//!
//! Pure: stores and ledgers come in, records and words go out. No file is opened, and no value is shown.

pub mod covered;
pub mod progress;
pub mod reach;
pub mod remains;
pub mod revoke;
pub mod scan;
pub mod standing;
pub mod timeline;
pub mod traces;
