//! `token`: minting, revoking and verifying tokens, looking into them, and publishing the keys that they are verified with.

mod forward_auth;
mod inspect;
mod jwks;
mod list;
mod mint;
mod revoke;
mod verify;

use clap::{Args, Subcommand};

use super::context::Context;
use super::input::read_secret;
use super::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::token::trusted::Trusted;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Sign a token for somebody and write it to stdout
    Mint(mint::Arguments),
    /// Revoke tokens before they end
    Revoke(revoke::Arguments),
    /// List the declared tokens, and those that were minted with --revocable
    List,
    /// Verify the token on stdin and print its claims; exit 1 with the reason when it is refused
    Verify(verify::Arguments),
    /// Show what the token on stdin says, without verifying anything
    Inspect,
    /// Print the public keys as a JSON Web Key Set; shared keys are never in it
    Jwks,
    /// For proxies that ask `token verify --forward-auth` about each request
    #[command(subcommand)]
    ForwardAuth(forward_auth::Verb),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        Verb::Mint(arguments) => mint::run(context, arguments),
        Verb::Revoke(arguments) => revoke::run(context, arguments),
        Verb::List => list::run(context),
        Verb::Verify(arguments) => verify::run(context, arguments),
        Verb::Inspect => inspect::run(context),
        Verb::Jwks => jwks::run(context),
        Verb::ForwardAuth(verb) => forward_auth::run(context, verb),
    }
}

/// The keys of the project's store.
fn trusted(session: &Session<'_>) -> Result<Trusted> {
    let identities = session.context.identities()?;
    let store = session.open_store(&identities)?;
    Ok(Trusted::of_store(&session.manifest, &session.environment, &store, session.context.now))
}

/// The token on stdin, without the newline that `echo` adds; asked for on a terminal.
fn read_token(context: &Context) -> Result<Secret> {
    read_secret(context, "a token", "token: ", "vault-kit token verify")
}
