//! `store recover`: the store and its second copy made to agree.

use clap::{Args, Subcommand};

use super::context::Context;
use super::paste::Paste;
use super::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::store::files::Recovery;

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
    },
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let Verb::Recover { accept_older } = arguments.verb;
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let _lock = session.lock()?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.preflight()?;
    let recovery = files.recover(&identities, accept_older, context.now)?;
    let reason = files.drop_damaged_ledger()?;
    if let Some(reason) = reason {
        context.ui.say(&format!("made `{}` anew: {reason}", files.ledger_path()));
    }
    let path = files.store_path();
    context.ui.say(&match recovery {
        Recovery::Nothing if reason.is_some() => format!("`{path}` and its second copy agree"),
        Recovery::Nothing => format!("`{path}` and its second copy agree: nothing to do"),
        Recovery::CopyRefreshed => format!("the second copy follows `{path}` now"),
        Recovery::StoreRestored => format!("brought `{path}` back from its second copy"),
    });
    let mut opened = session.open_store_for_writing(&identities)?;
    world.record(&mut opened, "recover", &[])?;
    if recovery != Recovery::Nothing {
        let next = "write the files anew with `vault-kit render`, then see `vault-kit check`";
        context.ui.say(&Paste::new(context).words(next));
    }
    Ok(Exit::DONE)
}
