//! `cert lint`: a certificate against our profile.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Context, Exit, Result, answer, read};
use crate::x509::finding::Finding;
use crate::x509::lint::{Profile, lint};

#[derive(Debug, Args)]
pub struct Arguments {
    // Not `file`: that is the id of the global `--file`, and clap takes the two for one.
    /// A PEM file: the certificate, then those that it is beneath, whose name constraints are looked at too
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// What it is meant to be; default: what it looks like
    #[arg(long, value_enum, value_name = "PROFILE", hide_possible_values = true)]
    profile: Option<Wanted>,
    /// Allow 825 days instead of 200, for clients under your control
    #[arg(long)]
    allow_long: bool,
    /// Also fail for warnings
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// A CA
    Ca,
    /// A TLS client
    Client,
    /// A TLS server
    Server,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let certificates = read(context, &arguments.source)?;
    // `read` gives at least one.
    let (first, above) = (&certificates[0], &certificates[1..]);
    let profile = match arguments.profile {
        None => Profile::of(first),
        Some(Wanted::Ca) => Profile::Authority,
        Some(Wanted::Client) => Profile::Client,
        Some(Wanted::Server) => Profile::Server,
    };
    let mut findings = lint(first, above, profile, arguments.allow_long);
    if arguments.strict {
        findings = findings.into_iter().map(Finding::grave).collect();
    }
    answer(context, &arguments.source, &findings, "nothing to object to")
}
