//! `rotate resume`: what was begun is carried on, whether or not its pause has ended.

use clap::Args;

use crate::cli::context::Context;
use crate::error::Result;
use crate::exit::Exit;
use crate::rotate::select::Order;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets; all that are being rotated when none is named
    names: Vec<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    super::act(context, &arguments.names, |machine, names| machine.run(&Order::Resume(names), true))
}
