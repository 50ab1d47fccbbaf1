//! `completions`: for a shell, on stdout.

use clap::Args;

use super::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command_line(|_| true), "vault-kit", &mut script);
    context.ui.data(&script)?;
    Ok(Exit::DONE)
}
