//! `rotate abort`: a rotation that is not promoted is given up.

use clap::Args;

use crate::cli::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets
    #[arg(required = true)]
    names: Vec<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    super::act(context, &arguments.names, |machine, names| machine.abort(&names))
}
