//! `rotate hook`: a program that vault-kit ships, to be put into the project, read and trusted.

use clap::Args;

use crate::cli::context::Context;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::hook::{SHIPPED, shipped};
use crate::manifest;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which: compose, docker-swarm, haproxy, http-probe, nginx, postgres or redis
    name: String,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let text = shipped(&arguments.name).ok_or_else(|| unknown(&arguments.name))?;
    context.ui.print(text)?;
    Ok(Exit::DONE)
}

fn unknown(name: &str) -> Error {
    let names = || SHIPPED.iter().map(|(name, _)| *name);
    let error = Error::usage(format!("vault-kit ships no hook `{}`", name.escape_default()));
    match manifest::suggest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
    }
}
