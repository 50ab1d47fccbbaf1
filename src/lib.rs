//! vault-kit makes, delivers, checks and rotates the secrets of a deployment.

pub mod api_key;
pub mod apply;
pub mod audit;
pub mod check;
#[expect(clippy::doc_markdown, reason = "the documentation of an argument is its help text")]
mod cli;
pub mod clock;
pub mod companions;
pub mod compose;
pub mod containers;
pub mod credential;
pub mod deliver;
pub mod emit;
pub mod error;
pub mod exit;
pub mod few;
mod gather;
pub mod generate;
mod git_hooks;
mod hardening;
pub mod hook;
pub mod iam;
pub mod ignore_lines;
pub mod image;
pub mod incident;
pub mod kubernetes;
pub mod manifest;
pub mod metrics;
pub mod name;
pub mod nginx;
pub mod observe;
pub mod plan;
mod preset;
pub mod private_file;
pub mod project;
pub mod remote;
pub mod report;
pub mod revocation;
pub mod rotate;
pub mod scan;
pub mod schedule;
pub mod secret;
pub mod shell;
pub mod store;
pub mod sync;
pub mod token;
pub mod traefik;
pub mod trust;
mod ui;
pub mod words;
pub mod work_tree;
pub mod world;
pub mod x509;
pub mod zone;

use std::ffi::OsString;

use exit::{Exit, Kind};

/// Everything that is freed is wiped first, also what other crates held: their copies of a value are out of our reach.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Runs one command line and tells how it ended.
///
/// A panic is a bug, and told as one without its message, which may quote what was being worked on; it ends the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    hardening::apply();
    hardening::end_on_panic(|| {
        ui::Ui::default().error(&error::Error::bug("something that cannot happen happened"));
        Exit::from(Kind::Bug)
    });
    cli::run(arguments)
}
