//! `sync apply`: does what a plan says, if that is still what there is to do.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::context::Context;
use super::super::session::Session;
use super::order::{self, Order};
use super::{pull, push};
use crate::error::Result;
use crate::exit::Exit;
use crate::sync::plan::Direction;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The plan, as `push` or `pull` wrote it with --plan-out
    plan: PathBuf,
    /// Tell whether the plan still holds, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments, wait: Option<Duration>) -> Result<Exit> {
    let plan = order::read(context, &arguments.plan)?;
    let session = Session::open(context)?;
    plan.expect_project(&session.manifest.project, &session.environment)?;
    let order = Order::by(&plan, arguments.dry_run);
    match plan.direction {
        Direction::Push => push::carry_out(&session, &order, wait),
        Direction::Pull => pull::carry_out(&session, &order, false, wait),
    }
}
