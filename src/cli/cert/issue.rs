//! `cert issue`: declared certificates that are missing, or the signature that somebody asks for by a CSR.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::destination::{Destination, Writes};
use super::{authority, certificate};
use crate::cli::context::Context;
use crate::cli::get;
use crate::cli::input::read_for_change;
use crate::cli::session::Session;
use crate::cli::summary::{Summary, tell_files};
use crate::deliver::FileReport;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::generate::certificate::request::{Names, Signed, Terms, sign};
use crate::generate::{self, Input, Inputs};
use crate::manifest::model::{Certificate, Usage};
use crate::manifest::period::Period;
use crate::manifest::{self, Kind};
use crate::name::{EnvName, SecretName};
use crate::plan::{self, Scope};
use crate::store::certificates::Issued;
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The certificates; all that are missing when none is named
    #[arg(conflicts_with = "csr")]
    names: Vec<String>,
    /// Sign the certificate signing request in this file (`-`: stdin) and print the chain
    #[arg(long, value_name = "FILE", requires = "issuer")]
    csr: Option<PathBuf>,
    /// The CA that signs it
    #[arg(long, value_name = "CA", requires = "csr")]
    issuer: Option<String>,
    /// A DNS name, instead of the names that the request asks for
    #[arg(long, value_name = "NAME", requires = "csr")]
    dns: Vec<String>,
    /// An address, instead of the names that the request asks for
    #[arg(long, value_name = "ADDRESS", requires = "csr")]
    ip: Vec<IpAddr>,
    /// Its life, at most 825d
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = parse_ttl, requires = "csr")]
    ttl: Period,
    /// For a client, not for a server
    #[arg(long, requires = "csr")]
    client: bool,
    /// Write the chain to this file instead of stdout
    #[arg(long, value_name = "FILE", requires = "csr")]
    out: Option<PathBuf>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    match (&arguments.csr, &arguments.issuer) {
        (Some(csr), Some(issuer)) => sign_request(&session, csr, issuer, arguments),
        _ => issue_declared(&session, arguments),
    }
}

fn parse_ttl(text: &str) -> Result<Period, String> {
    let ttl = Period::parse(text).ok_or("a length of time is wanted, such as `30d`")?;
    if ttl > Certificate::LONGEST { Err("verifiers refuse more than `825d`".to_owned()) } else { Ok(ttl) }
}

fn issue_declared(session: &Session<'_>, arguments: &Arguments) -> Result<Exit> {
    let context = session.context;
    let is_leaf = |it: &&manifest::Declaration| matches!(it.kind, Kind::Certificate(_));
    let names: BTreeSet<SecretName> = if arguments.names.is_empty() {
        session.manifest.secrets_in(&session.environment).filter(is_leaf).map(|it| it.name.clone()).collect()
    } else {
        arguments.names.iter().map(|name| certificate(session, name)).collect::<Result<_>>()?
    };
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let observed = world.observe(&opened.store);
    let plan = plan::plan(&session.manifest, &session.environment, &observed, &Scope::Missing(names));
    let changed = world.make(&mut opened.store, &plan)?;
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        world.settle(&mut opened, "cert-issue", &changed)?
    };
    Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run).tell(context)?;
    Ok(if arguments.dry_run { Exit::DONE } else { delivered.exit() })
}

fn sign_request(session: &Session<'_>, csr: &std::path::Path, issuer: &str, arguments: &Arguments) -> Result<Exit> {
    let context = session.context;
    let issuer = authority(session, issuer)?;
    let shown = csr.display().to_string();
    let csr = read_for_change(context, csr)?;
    let destination = Destination::find(context, arguments.out.as_deref(), Writes::Certificates)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let version = opened.store.current(&issuer).ok_or_else(|| get::missing(session, issuer.as_str()))?;
    let inputs = Inputs::from([(&issuer, Input::new(Some(version.id), &version.parts))]);
    let names = Names { dns: names(&arguments.dns)?, ip: arguments.ip.clone(), uri: Vec::new() };
    let usage = if arguments.client { Usage::Client } else { Usage::Server };
    let terms = Terms { issuer: &issuer, usage, names, ttl: arguments.ttl };
    let making =
        generate::Context { project: &session.manifest.project, environment: &session.environment, now: context.now };
    let signed = sign(&csr, &terms, &making, &inputs).map_err(|error| match error.code() {
        code if code.starts_with("csr-") => error.in_file(&shown),
        _ => error,
    })?;
    if signed.shortened {
        let day = signed.not_after.format("%Y-%m-%d");
        context.ui.warn(&format!("the certificate ends on {day} with `{issuer}`, before the life that was asked for"));
    }
    if arguments.dry_run {
        let files = destination.rehearse(None)?;
        return tell_signature(session, &issuer, &signed, files.as_slice());
    }
    let record = Issued {
        issuer: version.id,
        serial: signed.serial.clone(),
        subject: signed.subject,
        expires: signed.not_after,
    };
    opened.store.certificates.record_issued(record, context.now);
    world.reseal(&mut opened, "cert-issue")?;
    context.ui.say(&format!("signed by `{issuer}`, serial {}", signed.serial));
    destination.hand_over(signed.fullchain.expose())?;
    Ok(Exit::DONE)
}

/// What would be signed; the serial is drawn anew when it is.
#[derive(Debug, Serialize)]
struct Signature<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    issuer: &'a SecretName,
    subject: &'a str,
    expires: DateTime<Utc>,
    files: &'a [FileReport],
}

fn tell_signature(session: &Session<'_>, issuer: &SecretName, signed: &Signed, files: &[FileReport]) -> Result<Exit> {
    let (ui, environment) = (session.context.ui, &session.environment);
    let (subject, expires) = (signed.subject.as_str(), signed.not_after);
    if ui.json {
        let schema_version = SCHEMA_VERSION;
        ui.object(&Signature { schema_version, dry_run: true, environment, issuer, subject, expires, files })?;
    } else {
        let day = expires.format("%Y-%m-%d %H:%M");
        ui.say(&format!("would sign `{subject}` by `{issuer}`, until {day} UTC"));
        tell_files(ui, files, true);
    }
    Ok(Exit::DONE)
}

fn names(texts: &[String]) -> Result<Vec<String>> {
    let name = |(at, text): (usize, &String)| {
        manifest::dns_name(text).map_err(|(wrong, hint)| Error::usage(format!("`--dns` {} {wrong}", at + 1)).hint(hint))
    };
    texts.iter().enumerate().map(name).collect()
}
