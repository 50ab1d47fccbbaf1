//! `rotate resume`: what was begun is carried on, whether or not its pause has ended.

use std::collections::BTreeSet;

use clap::Args;

use super::intended::Rehearsed;
use super::run::{preview, take_stopped};
use crate::cli::context::Context;
use crate::clock::SystemClock;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::SecretName;
use crate::rotate::abort::is_promised;
use crate::rotate::declared::Declared;
use crate::rotate::intent;
use crate::rotate::machine::Machine;
use crate::rotate::select::Order;
use crate::store::Store;
use crate::store::rotations::Step;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets; all that are being rotated when none is named
    names: Vec<String>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let rehearse = |world: &World<'_>, store: &mut Store, programs: &Declared<'_>, names: &BTreeSet<SecretName>| {
        let order = Order::Resume(names.clone());
        let machine = Machine::new(world, programs, &SystemClock);
        let mut selection = machine.select(world, store, &order, true)?;
        let is_promised = |name: &SecretName| is_promised(world, store, name).unwrap_or_default();
        let intents = intent::resume(world.manifest, store, programs, &selection.going, world.now, &is_promised);
        let stopped = take_stopped(world, store, programs, &mut selection);
        let plan = Some(preview(world, store, &order, &selection));
        let is_given_up = |name: &&SecretName| store.rotations.open(name).is_some_and(|it| it.step == Step::Aborting);
        let given_up = selection.going.iter().filter(is_given_up).cloned().collect();
        for name in
            selection.going.iter().filter(|name| intent::is_taken_back(store, name)).cloned().collect::<Vec<_>>()
        {
            store.withdraw(&name, world.now);
        }
        intent::give_up(store, programs, &given_up, (false, world.now))?;
        Ok(Rehearsed { intents, stopped, plan, lists: Vec::new(), is_begun: true })
    };
    let resume = |machine: &Machine<'_>, names| machine.run(&Order::Resume(names), true);
    super::act(context, &arguments.names, arguments.dry_run, |_, _, _| None, rehearse, resume)
}
