//! `store recover`: the store and its second copy made to agree.

use clap::{Args, Subcommand};

use super::context::Context;
use super::paste::Paste;
use super::session::Session;
use crate::audit;
use crate::error::Result;
use crate::exit::Exit;
use crate::store::Store;
use crate::store::files::StoreFiles;
use crate::store::recover::{Manner, Recovery};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring a lost, damaged or older store back from its second copy; what is replaced is kept aside
    Recover {
        /// Keep the project's store although the second copy is newer
        #[arg(long)]
        accept_older: bool,
        /// Tell what would be done, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let Verb::Recover { accept_older, dry_run } = arguments.verb;
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.preflight()?;
    let announce = |store: &Store, change| audit::announce(&session.root, store, vec![change]);
    let recovery = files.recover(&identities, Manner { accept_older, dry_run }, context.now, &announce)?;
    let flaw = files.ledger_flaw()?;
    tell(context, &files, recovery, flaw, dry_run);
    if dry_run {
        return Ok(Exit::DONE);
    }
    if flaw.is_some() {
        files.drop_ledger()?;
    }
    let mut opened = session.open_store_for_writing(&identities)?;
    world.record(&mut opened, "recover", &[])?;
    if recovery != Recovery::Nothing {
        let next = "write the files anew with `vault-kit render`, then see `vault-kit check`";
        context.ui.say(&Paste::new(context).words(next));
    }
    Ok(Exit::DONE)
}

fn tell(context: &Context, files: &StoreFiles<'_>, recovery: Recovery, flaw: Option<&str>, dry_run: bool) {
    let verb = |done: &'static str, planned: &'static str| if dry_run { planned } else { done };
    if let Some(flaw) = flaw {
        let makes = verb("made", "would make");
        context.ui.say(&format!("{makes} `{}` anew: it {} {flaw}", files.ledger_path(), verb("was", "is")));
    }
    let path = files.store_path();
    context.ui.say(&match recovery {
        Recovery::Nothing if flaw.is_some() => format!("`{path}` and its second copy agree"),
        Recovery::Nothing => format!("`{path}` and its second copy agree: nothing to do"),
        Recovery::CopyRefreshed if dry_run => format!("would make the second copy follow `{path}`"),
        Recovery::CopyRefreshed => format!("the second copy follows `{path}` now"),
        Recovery::StoreRestored => format!("{} `{path}` back from its second copy", verb("brought", "would bring")),
    });
}
