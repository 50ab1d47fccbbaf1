//! `incident`: a value leaked. Replaces it now, bans it for ever, and writes down what was done and what is left.

mod case;
mod close;
mod copies;
mod declare;
mod list;
mod named;
mod rotation;
mod tell;
pub(super) mod timelines;
pub(super) mod traces;
mod unended;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    leak: Leak,
}

#[derive(Debug, Args)]
pub struct Leak {
    /// The secrets whose values leaked
    names: Vec<String>,
    /// A leak search's report (JSON, `-`: stdin) that names secrets and where they were found
    #[arg(long, value_name = "FILE")]
    from_scan: Option<PathBuf>,
    /// What happened, in words; never a value
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What took the place of a value that leaked within the last day leaked too
    #[arg(long)]
    again: bool,
    /// Tell what is reached and what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the incidents of this environment
    List,
    /// Print an incident's timeline
    Show {
        /// Its id, or how it begins
        id: String,
    },
    /// Say that nobody accepts any more what leaked, where no hook could see to that
    Close(close::Close),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        None => declare::run(context, &arguments.leak),
        Some(Verb::List) => list::run(context),
        Some(Verb::Show { id }) => list::show(context, id),
        Some(Verb::Close(arguments)) => close::run(context, arguments),
    }
}
