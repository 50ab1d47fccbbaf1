//! The search for leaks: known values in every dress, and texts that look like somebody's credentials.
//!
//! `matcher` knows the values; `stream` brings it bytes piece by piece, whatever they come from: `files`, `archive`, `git`.
//! What is found is a [`Finding`], which never has a value in it.

mod archive;
mod behind;
pub mod files;
pub mod finding;
pub mod fingerprints;
pub mod git;
mod grams;
pub mod ignore;
pub mod image;
mod known;
mod matcher;
pub mod message;
mod names;
mod needle;
mod popularity;
mod rules;
mod spelled;
mod stream;
mod tar;
mod tokens;
mod view;
mod zip;

pub use finding::{Code, Finding, Report, Severity, Within};
pub use known::Known;
pub use matcher::{Encoding, Matcher};
pub use needle::{Owner, State};
pub use rules::{Rules, is_issued, stops_commits};
pub(crate) use spelled::escape;
pub use stream::{Found, Place, Search, Worker};
pub use tokens::Tokens;
