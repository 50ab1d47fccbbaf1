//! `iam`: what AWS must allow.

use clap::{Args, Subcommand, ValueEnum};

use super::context::Context;
use super::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::iam::{self, Policy};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the IAM policy with the least that a role needs in this environment
    Policy(PolicyArguments),
}

#[derive(Debug, Args)]
struct PolicyArguments {
    /// For whom
    #[arg(long, value_enum)]
    role: Role,
    /// Also allow what asks for many secrets at once, on `*`: ListSecrets and BatchGetSecretValue
    #[arg(long)]
    batches: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Reads values: services, `sync pull`
    Reader,
    /// Changes them: `sync push`, rotation
    Rotator,
    /// Compares versions and sees no value
    CiCheck,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let Verb::Policy(PolicyArguments { role, batches }) = &arguments.verb;
    let session = Session::open(context)?;
    let role = match role {
        Role::Reader => iam::Role::Reader,
        Role::Rotator => iam::Role::Rotator,
        Role::CiCheck => iam::Role::CiCheck,
    };
    let policy = Policy::of(&session.manifest, &session.environment, role, *batches)?;
    let size = policy.size();
    if size > iam::LONGEST {
        context.ui.warn(&format!(
            "the policy has {size} characters, and a managed policy takes {}: split it, or keep more secrets in a `bundle`",
            iam::LONGEST
        ));
    }
    context.ui.object(&policy)?;
    Ok(Exit::DONE)
}
