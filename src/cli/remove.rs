//! `remove`: forget a secret with all its versions.

use clap::Args;

use super::context::Context;
use super::paste::Paste;
use super::session::Session;
use super::summary::{Deed, Summary};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::rotate::forget;
use crate::shell;
use crate::ui::counted;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret, declared or not
    name: String,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let name = SecretName::new(arguments.name.as_str()).map_err(|why| Error::usage(why.to_string()))?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let Some(versions) = opened.store.secrets.get(&name).map(Vec::len) else {
        return Err(Error::usage(format!("the store has no `{name}`")).hint("`vault-kit status` lists what it has"));
    };
    world.refuse_in_flight(&opened.store, std::slice::from_ref(&name))?;
    forget::expect_refused(&session.manifest, &opened.store, &name)?;
    let accepted = forget::accepted(&opened.store, &name);
    let left = left_behind(&session, &name);
    opened.store.remove(&name);
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        let owner = if accepted > 0 { ", while its owner goes on accepting its value" } else { "" };
        let question = format!("forget `{name}` with {} for good{owner}", counted(versions, "version"));
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
        world.settle(&mut opened, "remove", std::slice::from_ref(&name))?
    };
    let plan = Plan::default();
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run);
    summary.with(Some(Deed::Remove(&name))).tell(context)?;
    if accepted > 0 {
        let values = counted(accepted, "value");
        context.ui.warn(&format!(
            "the owner of `{name}` goes on accepting {values} that hooks told it: have it refused there, by hand"
        ));
    }
    let paste = Paste::new(context);
    for path in left.iter().filter(|path| !delivered.files.iter().any(|file| file.path == **path)) {
        let remains = session.root.remains(path).unwrap_or_default();
        let words: Vec<String> = remains.iter().map(|path| shell::path(path)).collect();
        let fix = paste.fix(&format!("rm {}", words.join(" ")), session.root.path());
        context.ui.warn(&format!("`{path}` still holds the value: `{fix}`"));
    }
    Ok(Exit::DONE)
}

/// The files that the secret was delivered in.
fn left_behind(session: &Session<'_>, name: &SecretName) -> Vec<String> {
    let files = session.files().ledger().ok().flatten().map(|ledger| ledger.files).unwrap_or_default();
    let held = files.into_values().filter(|file| file.holds.contains_key(name)).map(|file| file.file);
    let is_there = |path: &String| session.root.remains(path).is_ok_and(|remains| !remains.is_empty());
    held.filter(is_there).collect()
}
