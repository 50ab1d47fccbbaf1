//! `cert`: certificates from the CA to their end, one thin file a verb.

mod ca;
mod crl;
pub(super) mod destination;
mod import;
mod inspect;
mod issue;
mod lint;
mod needs_renewal;
mod renew;
mod revoke;
mod verify;

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::Context;
use super::input::{read_for_change, read_named};
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::manifest::Kind as SecretKind;
use crate::name::SecretName;
use crate::ui::{SCHEMA_VERSION, Ui};
use crate::x509::certificate::Certificate;
use crate::x509::chain;
use crate::x509::finding::{Finding, Severity};
use crate::x509::names::Host;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Take in a certificate and key that somebody else issued, or name everything that stands against it
    Import(import::Arguments),
    /// Show what a certificate says; nothing is verified
    Inspect(inspect::Arguments),
    /// Say whether a verifier would accept a certificate, with a stable reason when not
    Verify(verify::Arguments),
    /// Compare a certificate with our profile
    Lint(lint::Arguments),
    /// Say whether certificates should be renewed now: exit 0 no, 1 yes
    NeedsRenewal(needs_renewal::Arguments),
    /// Make the CAs that are missing, and print their certificates
    Ca(ca::Arguments),
    /// Make certificates that are missing, or sign a request with --csr
    Issue(issue::Arguments),
    /// Renew what is due, after two thirds of its life: a new key, a new serial
    Renew(renew::Arguments),
    /// Revoke a certificate; a declared one is made anew at once
    Revoke(revoke::Arguments),
    /// Make new revocation lists, and print them
    Crl(crl::Arguments),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        Verb::Ca(arguments) => ca::run(context, arguments),
        Verb::Issue(arguments) => issue::run(context, arguments),
        Verb::Renew(arguments) => renew::run(context, arguments),
        Verb::Revoke(arguments) => revoke::run(context, arguments),
        Verb::Crl(arguments) => crl::run(context, arguments),
        Verb::Import(arguments) => import::run(context, arguments),
        Verb::Inspect(arguments) => inspect::run(context, arguments),
        Verb::Verify(arguments) => verify::run(context, arguments),
        Verb::Lint(arguments) => lint::run(context, arguments),
        Verb::NeedsRenewal(arguments) => needs_renewal::run(context, arguments),
    }
}

/// What a judging verb answers.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    file: String,
    ok: bool,
    findings: &'a [Finding],
}

/// Tells a judgement, and exits with 1 when one of the findings is an error.
fn answer(context: &Context, file: &Path, findings: &[Finding], good: &str) -> Result<Exit> {
    let ok = !findings.iter().any(Finding::is_error);
    let file = file.display().to_string();
    if context.ui.json {
        context.ui.object(&Answer { schema_version: SCHEMA_VERSION, file, ok, findings })?;
    } else {
        tell(context.ui, findings)?;
        if ok {
            context.ui.say(&format!("{file}: {good}"));
        }
    }
    Ok(if ok { Exit::DONE } else { Exit::from(Kind::Findings) })
}

/// Findings on stdout, a line each, with what to do about it beneath.
fn tell(ui: Ui, findings: &[Finding]) -> Result<()> {
    let width = findings.iter().map(|finding| finding.code.len()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{severity:<7}  {:<width$}  {}", finding.code, finding.message);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "{:<7}  {:<width$}  fix: {fix}", "", "");
        }
    }
    ui.print(&text)
}

/// The certificates in a file that the user named, `-` being stdin.
fn read(context: &Context, path: &Path) -> Result<Vec<Certificate>> {
    let bytes = read_named(context, path)?;
    chain::read(bytes.expose()).map_err(|why| unreadable(path, &why))
}

pub(super) use renew::root_questions;

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(Kind::Findings, "certificate-unreadable", format!("`{}` {why}", path.display()))
        .hint(format!("look at it with `openssl x509 -noout -text -in {}`", path.display()))
}

/// A host of the command line.
fn parse_host(text: &str) -> Result<Host, &'static str> {
    Host::parse(text).ok_or("write a DNS name (A-labels, no wildcard) or an address")
}

/// A declared CA or certificate by its name.
fn certificate(session: &Session<'_>, name: &str) -> Result<SecretName> {
    let name = session.secret(name)?;
    let declaration = &session.manifest.secrets[&name];
    match &declaration.kind {
        SecretKind::Ca(_) | SecretKind::Certificate(_) => Ok(name),
        SecretKind::ImportedCertificate(_) => {
            Err(Error::usage(format!("`{name}` is imported: somebody else issues, renews and revokes it"))
                .hint(format!("take a new one in with `{}`", session.command(&declaration.supply_words()))))
        }
        other => Err(Error::usage(format!("`{name}` is of kind `{}`, not a certificate", other.name()))),
    }
}

/// A declared CA by its name.
fn authority(session: &Session<'_>, name: &str) -> Result<SecretName> {
    let name = certificate(session, name)?;
    match &session.manifest.secrets[&name].kind {
        SecretKind::Ca(_) => Ok(name),
        _ => Err(Error::usage(format!("`{name}` is a certificate, not a CA"))),
    }
}
