//! `rotate abort`: a rotation that is not promoted is given up.

use std::collections::BTreeSet;

use clap::Args;

use super::intended::Rehearsed;
use crate::cli::context::Context;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::rotate::abort::{expect_hooks, expect_open, is_promised, may_know_more, untold};
use crate::rotate::declared::Declared;
use crate::rotate::intent::{self, Deed, Intent};
use crate::rotate::machine::Machine;
use crate::rotate::withdraw::are_published;
use crate::store::Store;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets
    #[arg(required = true)]
    names: Vec<String>,
    /// Call no hook: whether the owner accepts the value in force is for you to see to
    #[arg(long)]
    without_hooks: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let leaves_owners = arguments.without_hooks;
    let rehearse = |world: &World<'_>, store: &mut Store, programs: &Declared<'_>, names: &BTreeSet<SecretName>| {
        if are_published(store, names) {
            for name in names {
                store.withdraw(name, world.now);
            }
            let withdraw =
                |name: &SecretName| Intent { secret: name.clone(), deeds: vec![Deed::Withdraw], keeps: false };
            let intents = names.iter().map(withdraw).collect();
            return Ok(Rehearsed {
                intents,
                stopped: Vec::new(),
                plan: Some(Plan::default()),
                lists: Vec::new(),
                is_begun: false,
            });
        }
        expect_open(store, names)?;
        if !leaves_owners {
            expect_hooks(world, store, programs, names)?;
        }
        let intent = |name| Ok(intent::abort(store, programs, name, (leaves_owners, is_promised(world, store, name)?)));
        let intents = names.iter().map(intent).collect::<Result<_>>()?;
        intent::give_up(store, programs, names, (leaves_owners, world.now))?;
        let lists = world.foresee_lists(store)?;
        Ok(Rehearsed { intents, stopped: Vec::new(), plan: None, lists, is_begun: false })
    };
    let risk = |store: &Store, programs: &Declared<'_>, names: &BTreeSet<SecretName>| {
        let mut untold = untold(store, programs, names);
        if leaves_owners {
            untold.extend(may_know_more(store, programs, names));
        }
        let unknown = format!(
            "give up what may be all that the owner of {} accepts: no hook tells it the current value",
            list(&untold)
        );
        let leaked: Vec<&SecretName> = names.iter().filter(|name| store.is_current_leaked(name)).collect();
        let leaks = format!("leave {} with the value that leaked, which its owner is to accept again", list(&leaked));
        let risks = [(untold, unknown), (leaked, leaks)];
        let risks: Vec<String> = risks.into_iter().filter(|(names, _)| !names.is_empty()).map(|it| it.1).collect();
        (!risks.is_empty()).then(|| risks.join(", and "))
    };
    let abort = |machine: &Machine<'_>, names| machine.abort(&names, leaves_owners);
    super::act(context, &arguments.names, arguments.dry_run, risk, rehearse, abort)
}

fn list(names: &[&SecretName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
