//! `rotate resume`: what was begun is carried on, whether or not its pause has ended.

use std::collections::BTreeSet;

use clap::Args;

use super::answer;
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::clock::SystemClock;
use crate::error::Result;
use crate::exit::Exit;
use crate::rotate::machine::Machine;
use crate::rotate::select::Order;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets; all that are being rotated when none is named
    names: Vec<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let names = arguments.names.iter().map(|name| super::known(&session, name)).collect::<Result<BTreeSet<_>>>()?;
    let _lock = session.lock()?;
    let identities = context.identities()?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    drop(session.open_store(&identities)?);
    let programs = super::programs(&session);
    let report = Machine::new(&world, &programs, &SystemClock).run(&Order::Resume(names), true)?;
    answer::tell(context, &session, report, &[], false)
}
