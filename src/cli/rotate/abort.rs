//! `rotate abort`: a rotation that is not promoted is given up.

use std::collections::BTreeSet;

use clap::Args;

use super::answer;
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::clock::SystemClock;
use crate::error::Result;
use crate::exit::Exit;
use crate::rotate::machine::Machine;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets
    #[arg(required = true)]
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
    let report = Machine::new(&world, &programs, &SystemClock).abort(&names)?;
    answer::tell(context, &session, report, &[], false)
}
