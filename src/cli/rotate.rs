//! `rotate`: new values in steps that survive a crash, one thin file a verb.

mod abort;
mod answer;
mod due;
mod hook;
mod plan;
mod resume;
mod rollback;
mod run;
mod status;

use clap::{Args, Subcommand};

use super::context::Context;
use super::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::SecretName;
use crate::rotate::declared::Declared;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what will be rotated, when, why, and what follows from it
    Plan(plan::Arguments),
    /// List the rotations that are on their way, and the command that carries each on
    Status(status::Arguments),
    /// Carry on what was begun, with the same values
    Resume(resume::Arguments),
    /// Give up a rotation that is not promoted
    Abort(abort::Arguments),
    /// Put an earlier value in force again, as a new version
    Rollback(rollback::Arguments),
    /// Print a hook's program that vault-kit ships, to be read, put into the project and trusted
    Hook(hook::Arguments),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        None => run::run(context, &arguments.run),
        Some(Verb::Plan(arguments)) => plan::run(context, arguments),
        Some(Verb::Status(arguments)) => status::run(context, arguments),
        Some(Verb::Resume(arguments)) => resume::run(context, arguments),
        Some(Verb::Abort(arguments)) => abort::run(context, arguments),
        Some(Verb::Rollback(arguments)) => rollback::run(context, arguments),
        Some(Verb::Hook(arguments)) => hook::run(context, arguments),
    }
}

/// The programs that the manifest's hooks are.
fn programs<'s>(session: &'s Session<'_>) -> Declared<'s> {
    Declared {
        manifest: &session.manifest,
        environment: &session.environment,
        directory: session.root.path(),
        find: Box::new(|hook| session.program(hook)),
    }
}

/// A name of the command line that may be of a secret which is not declared any more.
fn known(session: &Session<'_>, name: &str) -> Result<SecretName> {
    match (SecretName::new(name), session.files().ledger()?) {
        (Ok(name), Some(ledger)) if ledger.secrets.contains_key(&name) => Ok(name),
        _ => session.secret(name),
    }
}
