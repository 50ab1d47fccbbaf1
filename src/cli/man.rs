//! `man`: manual pages made from the command line's own help.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::private_file::{Root, WriteOptions};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Write vault-kit.1 and a page a command into this directory instead of the first one to stdout
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let mut command = super::command_line(|_| true);
    command.build();
    let Some(directory) = &arguments.directory else {
        context.ui.data(&page(command)?)?;
        return Ok(Exit::DONE);
    };
    let root = Root::create(&context.resolve(directory), 0o755)?;
    let mut pages = vec![command.clone()];
    pages.extend(command.get_subcommands().filter(|it| it.get_name() != "help").cloned());
    for command in pages {
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        root.write(&format!("{name}.1"), &page(command)?, &WriteOptions::PUBLIC)?;
    }
    Ok(Exit::DONE)
}

fn page(command: clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(|error| Error::io("write the manual page", error))?;
    Ok(page)
}
