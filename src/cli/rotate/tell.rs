//! `rotate tell`: the owner of a value is told the one that is in force.

use std::collections::BTreeSet;

use clap::Args;

use super::intended::Rehearsed;
use crate::cli::context::Context;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::rotate::declared::Declared;
use crate::rotate::intent;
use crate::rotate::tell::expect_told;
use crate::store::Store;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets
    #[arg(required = true)]
    names: Vec<String>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let rehearse = |world: &World<'_>, store: &mut Store, programs: &Declared<'_>, names: &BTreeSet<SecretName>| {
        world.refuse_in_flight(store, &names.iter().cloned().collect::<Vec<_>>())?;
        expect_told(store, programs, names)?;
        let intents = names.iter().map(|name| intent::tell(world.manifest, store, programs, name, world.now)).collect();
        Ok(Rehearsed { intents, stopped: Vec::new(), plan: Some(Plan::default()), lists: Vec::new(), is_begun: false })
    };
    let none = |_: &Store, _: &Declared<'_>, _: &BTreeSet<SecretName>| None;
    super::act(context, &arguments.names, arguments.dry_run, none, rehearse, |machine, names| machine.tell(&names))
}
