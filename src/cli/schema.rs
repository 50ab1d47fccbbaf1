//! `schema`: the JSON Schemas that are built in.

use clap::{Args, ValueEnum};

use super::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Of what: manifest, ledger or check-report
    #[arg(value_enum, hide_possible_values = true)]
    name: Name,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// The report of `check --json`
    CheckReport,
    /// The lines of the ledger
    Ledger,
    /// vault-kit.toml
    Manifest,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    context.ui.print(match arguments.name {
        Name::CheckReport => include_str!("../../schemas/check-report.schema.json"),
        Name::Ledger => include_str!("../../schemas/ledger.schema.json"),
        Name::Manifest => include_str!("../../schemas/manifest.schema.json"),
    })?;
    Ok(Exit::DONE)
}
