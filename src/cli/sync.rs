//! `sync`: the store and AWS Secrets Manager.

mod adopt;
mod apply;
mod elsewhere;
pub(super) mod exchange;
pub(super) mod order;
mod prune;
mod pull;
mod push;
pub(super) mod report;
pub(super) mod sight;
mod status;
pub(super) mod taking;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::context::{Context, parse_timeout};
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Be patient with an AWS that throttles or cannot be reached
    #[arg(long, value_name = "TIME", value_parser = parse_timeout, global = true)]
    wait: Option<Duration>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what changed here, there or on both sides; reads no value
    Status(status::Arguments),
    /// As status, but reads what changed there: conflicts and keys of bundles are told; exit 1 when anything differs
    Diff(status::Arguments),
    /// Send what changed here; what somebody else changed meanwhile is refused
    Push(push::Arguments),
    /// Take what changed there, and deliver it
    Pull(pull::Arguments),
    /// Do what a plan of push or pull says, unless anything of it changed meanwhile
    Apply(apply::Arguments),
    /// Say that secrets which are in AWS already are ours to write
    Adopt(adopt::Arguments),
    /// Schedule the deletion of what no declaration names any more
    Prune(prune::Arguments),
    /// Take a scheduled deletion back
    Restore(prune::RestoreArguments),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let wait = arguments.wait;
    match &arguments.verb {
        Verb::Status(arguments) => status::run(context, arguments, wait, false),
        Verb::Diff(arguments) => status::run(context, arguments, wait, true),
        Verb::Push(arguments) => push::run(context, arguments, wait),
        Verb::Pull(arguments) => pull::run(context, arguments, wait),
        Verb::Apply(arguments) => apply::run(context, arguments, wait),
        Verb::Adopt(arguments) => adopt::run(context, arguments, wait),
        Verb::Prune(arguments) => prune::run(context, arguments, wait),
        Verb::Restore(arguments) => prune::restore(context, arguments, wait),
    }
}
