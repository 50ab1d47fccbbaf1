//! `cert verify`: whether a verifier would accept a certificate.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Context, Error, Exit, Host, Kind, Result, answer, parse_host, read, read_named};
use crate::x509::verify::{Purpose, Question, revocation_lists, verify};

#[derive(Debug, Args)]
pub struct Arguments {
    // Not `file`: that is the id of the global `--file`, and clap takes the two for one.
    /// A PEM file as a server sends it: the certificate, then its intermediates
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// The certificates that the verifier trusts, PEM
    #[arg(long, value_name = "BUNDLE")]
    ca: PathBuf,
    /// A host that it must be valid for; may be repeated
    #[arg(long, value_name = "NAME", value_parser = parse_host)]
    host: Vec<Host>,
    /// An address that it must be valid for; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<IpAddr>,
    /// What it is used for: server (default) or client
    #[arg(
        long,
        value_enum,
        value_name = "PURPOSE",
        default_value = "server",
        hide_default_value = true,
        hide_possible_values = true
    )]
    purpose: Wanted,
    /// Revocation lists of every CA of the path, PEM or DER; may be repeated
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// A TLS client
    Client,
    /// A TLS server
    Server,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let presented = read(context, &arguments.source)?;
    let trusted = read(context, &arguments.ca)?;
    let mut lists = Vec::new();
    for path in &arguments.crl {
        let bytes = read_named(context, path)?;
        let found = revocation_lists(bytes.expose()).map_err(|why| {
            Error::new(Kind::Findings, "crl-unreadable", format!("`{}` {why}", path.display()))
                .hint(format!("look at it with `openssl crl -noout -text -in {}`", path.display()))
        })?;
        lists.extend(found);
    }
    let addresses = arguments.ip.iter().filter_map(|address| Host::parse(&address.to_string()));
    let hosts: Vec<Host> = arguments.host.iter().cloned().chain(addresses).collect();
    let findings = verify(&Question {
        presented: &presented,
        trusted: &trusted,
        hosts: &hosts,
        purpose: match arguments.purpose {
            Wanted::Client => Purpose::Client,
            Wanted::Server => Purpose::Server,
        },
        revocation: (!arguments.crl.is_empty()).then_some(lists.as_slice()),
        now: context.now,
    });
    answer(context, &arguments.source, &findings, "valid")
}
