//! `apikey`: keys that are issued to others, of which only the hash is kept.

mod list;
mod new;
mod revoke;
mod verify;

use clap::{Args, Subcommand};

pub(super) use new::default_prefix;

use super::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Issue a key and show it, once; an older one of the same name ends after the grace period
    New(new::Arguments),
    /// Judge the key on stdin; exit 1 with the reason when it is refused
    Verify(verify::Arguments),
    /// Take a key back at once
    Revoke(revoke::Arguments),
    /// List the keys that were issued
    List,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        Verb::New(arguments) => new::run(context, arguments),
        Verb::Verify(arguments) => verify::run(context, arguments),
        Verb::Revoke(arguments) => revoke::run(context, arguments),
        Verb::List => list::run(context),
    }
}

/// Reads a name or a role: a word that a shell, a log line and a table take as it is.
fn parse_word(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:@-".contains(&byte);
    let first = text.bytes().next();
    let is_word = first.is_some_and(|byte| byte.is_ascii_alphanumeric()) && text.bytes().all(is_plain);
    if is_word && text.len() <= 64 {
        return Ok(text.to_owned());
    }
    Err("it begins with a letter or digit, holds only A–Z a–z 0–9 `_` `.` `:` `@` `-`, and is at most 64 long")
}
