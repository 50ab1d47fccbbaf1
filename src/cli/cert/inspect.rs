//! `cert inspect`: what certificates say.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Context, Exit, Result, read};
use crate::ui::SCHEMA_VERSION;
use crate::x509::describe::{Description, describe};

#[derive(Debug, Args)]
pub struct Arguments {
    // Not `file`: that is the id of the global `--file`, and clap takes the two for one.
    /// A PEM file, `-` for stdin; private keys in it are passed over
    #[arg(value_name = "FILE")]
    source: PathBuf,
}

#[derive(Debug, Serialize)]
struct Answer {
    schema_version: u32,
    /// Always false: whoever reads this must not take it for an answer of `verify`.
    verified: bool,
    certificates: Vec<Description>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let certificates = read(context, &arguments.source)?;
    let certificates: Vec<_> = certificates.iter().map(|it| describe(it, context.now)).collect();
    if context.ui.json {
        context.ui.object(&Answer { schema_version: SCHEMA_VERSION, verified: false, certificates })?;
        return Ok(Exit::DONE);
    }
    let texts: Vec<_> = certificates.iter().map(Description::to_text).collect();
    context.ui.print(&texts.join("\n"))?;
    context.say("nothing was verified: `vault-kit cert verify` does");
    Ok(Exit::DONE)
}
