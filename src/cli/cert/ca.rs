//! `cert ca`: the CAs that are declared, and what others need in order to trust them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::authority;
use super::destination::{Destination, Writes};
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::summary::Summary;
use crate::companions;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Kind;
use crate::name::SecretName;
use crate::plan::{self, Scope};
use crate::revocation::issuer;
use crate::secret::Secret;
use crate::secret::parts::Part;
use crate::store::Store;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The CA; every root when none is named
    name: Option<String>,
    /// Print the issuing CA too, in front of its root
    #[arg(long)]
    bundle: bool,
    /// Write the certificates to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let named = arguments.name.as_deref().map(|name| authority(&session, name)).transpose()?;
    let wanted = wanted(&session, named.as_ref())?;
    let destination = Destination::find(context, arguments.out.as_deref(), Writes::Certificates)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let scope = Scope::Missing(wanted.clone());
    let plan = plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &scope);
    let made = world.make(&mut opened.store, &plan)?;
    let shown = shown(&session, named.as_ref(), &wanted, arguments.bundle);
    let text = certificates(&session, &opened.store, &shown)?;
    if arguments.dry_run {
        let mut delivered = world.rehearse(&mut opened.store)?;
        delivered.files.extend(destination.rehearse(Some(&text))?);
        Summary::new(&session.environment, &session.manifest, &plan, &delivered, true).tell(context)?;
        return Ok(Exit::DONE);
    }
    if !made.is_empty() {
        world.settle(&mut opened, "cert-ca", &made)?;
        for name in &made {
            context.ui.say(&format!("made `{name}`"));
        }
    }
    destination.hand_over(&text)?;
    Ok(Exit::DONE)
}

/// The CA with what signs it, or all of the environment.
fn wanted(session: &Session<'_>, named: Option<&SecretName>) -> Result<BTreeSet<SecretName>> {
    let all = session.manifest.secrets_in(&session.environment).filter(|it| matches!(it.kind, Kind::Ca(_)));
    let wanted: BTreeSet<SecretName> = match named {
        Some(name) => [name].into_iter().chain(issuer(&session.manifest, name)).cloned().collect(),
        None => all.map(|it| it.name.clone()).collect(),
    };
    if wanted.is_empty() {
        return Err(Error::usage(format!("no CA is declared in environment `{}`", session.environment))
            .hint("declare one: `[secrets.ROOT]` and beneath it `kind = \"ca\"`"));
    }
    Ok(wanted)
}

/// What is printed: issuing CAs before roots.
fn shown(
    session: &Session<'_>,
    named: Option<&SecretName>,
    wanted: &BTreeSet<SecretName>,
    bundle: bool,
) -> Vec<SecretName> {
    let is_shown = |name: &&SecretName| {
        bundle || named.map_or_else(|| issuer(&session.manifest, name).is_none(), |named| named == *name)
    };
    let order = session.manifest.order.iter().rev().map(|it| &it.name).filter(|name| wanted.contains(*name));
    order.filter(is_shown).cloned().collect()
}

/// Of each CA its certificate, and those of before that overlap with it.
fn certificates(session: &Session<'_>, store: &Store, names: &[SecretName]) -> Result<Vec<u8>> {
    let (manifest, now) = (&session.manifest, session.context.now);
    let mut text = Vec::new();
    for name in names {
        let cert = store.current(name).and_then(|version| version.parts.part(Part::Cert));
        let cert = cert.ok_or_else(|| Error::bug(format!("`{name}` was made and is not there")))?;
        text.extend_from_slice(cert.expose());
        let companions = companions::companions(manifest, &manifest.secrets[name], store, now);
        let old = companions.iter().filter_map(|it| it.version.parts.part(Part::Cert));
        text.extend(old.flat_map(Secret::expose));
    }
    Ok(text)
}
