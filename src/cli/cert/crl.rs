//! `cert crl`: new revocation lists, into the store, the outputs and a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;

use super::authority;
use super::destination::{Destination, Writes};
use crate::cli::context::Context;
use crate::cli::get;
use crate::cli::session::Session;
use crate::cli::summary::Summary;
use crate::deliver::Delivered;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Kind;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::revocation;
use crate::secret::Secret;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The CA, and with it its root; every CA when none is named
    name: Option<String>,
    /// Write the lists to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let named = arguments.name.as_deref().map(|name| authority(&session, name)).transpose()?;
    let destination = Destination::find(context, arguments.out.as_deref(), Writes::Lists)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let all = || session.manifest.secrets_in(&session.environment).filter(|it| matches!(it.kind, Kind::Ca(_)));
    let authorities: BTreeSet<SecretName> =
        named.map_or_else(|| all().map(|it| it.name.clone()).collect(), |name| BTreeSet::from([name]));
    let absent = authorities.iter().filter(|name| opened.store.current(name).is_none());
    if let Some(error) = Error::all(absent.map(|name| get::missing(&session, name.as_str()))) {
        return Err(error);
    }
    let made = world.make_lists(&mut opened.store, &authorities)?;
    if arguments.dry_run {
        let mut delivered = world.rehearse(&mut opened.store)?;
        delivered.files.extend(destination.rehearse(None)?);
        let (lists, plan) = (made.into_iter().chain(delivered.lists).collect(), Plan::default());
        let delivered = Delivered { lists, ..delivered };
        Summary::new(&session.environment, &session.manifest, &plan, &delivered, true).tell(context)?;
        return Ok(Exit::DONE);
    }
    let delivered = world.settle_news(&mut opened, "cert-crl", &[], true)?;
    let bundles = revocation::bundles(&session.manifest, &opened.store);
    let lists = lists(&authorities, &bundles);
    destination.hand_over(&lists)?;
    Ok(delivered.exit())
}

/// Each list once, though several CAs have one root.
fn lists(authorities: &BTreeSet<SecretName>, bundles: &BTreeMap<SecretName, Secret>) -> Vec<u8> {
    const END: &str = "-----END X509 CRL-----\n";
    let mut seen = BTreeSet::new();
    let texts = authorities.iter().filter_map(|name| bundles.get(name)?.expose_text());
    let blocks = texts.flat_map(|text| text.split_inclusive(END));
    blocks.filter(|block| seen.insert(*block)).collect::<String>().into_bytes()
}
