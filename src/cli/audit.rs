//! `audit`: the record of who did what, shown and verified.

mod show;
mod verify;

use clap::{Args, Subcommand};

use super::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what was done, without proof that the record is whole
    Show(show::Show),
    /// Prove with the sealed store that no line was changed, taken away, added or moved
    Verify(verify::Verify),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        Verb::Show(show) => show::run(context, show),
        Verb::Verify(verify) => verify::run(context, verify),
    }
}
