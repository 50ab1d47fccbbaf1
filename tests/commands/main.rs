//! What each command does, as its user sees it: exit code, streams, files.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests bring along files of their own, and fail where something is not as they made it"
)]

#[path = "../support/mod.rs"]
mod support;

mod apikeys;
mod changed_deployment;
mod changed_since;
mod check;
mod check_range;
mod ci;
mod documents;
mod explain;
mod foreign;
mod foretold;
mod generate;
mod get;
mod iam;
mod import;
mod init;
mod kubernetes;
mod left;
mod lines;
mod one_document;
mod others;
mod readme;
mod render;
mod report;
mod run;
mod set;
mod shop;
mod status;
mod terminal;
mod verdict;
