//! `rotate abort`: a rotation that is not promoted is given up.

use std::collections::BTreeSet;

use clap::Args;

use crate::cli::context::Context;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::SecretName;
use crate::rotate::abort::{expect_open, untold};
use crate::rotate::declared::Declared;
use crate::rotate::intent;
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
    let rehearse = |_: &World<'_>, store: &Store, programs: &Declared<'_>, names: &BTreeSet<SecretName>| {
        expect_open(store, names)?;
        Ok(names.iter().map(|name| intent::abort(programs, name)).collect())
    };
    let risk = |store: &Store, programs: &Declared<'_>, names: &BTreeSet<SecretName>| {
        let untold: Vec<String> = untold(store, programs, names).iter().map(|name| format!("`{name}`")).collect();
        let names = untold.join(", ");
        (!untold.is_empty()).then(|| {
            format!("give up what may be all that the owner of {names} accepts: no hook tells it the current value")
        })
    };
    super::act(context, &arguments.names, arguments.dry_run, risk, rehearse, |machine, names| machine.abort(&names))
}
