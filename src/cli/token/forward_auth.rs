//! `token forward-auth labels`: what makes Traefik ask us.

use clap::Subcommand;

use crate::cli::context::Context;
use crate::error::Result;
use crate::exit::Exit;
use crate::token::traefik;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print labels for Traefik's container: a middleware that strips our headers, then asks
    Labels {
        /// Where the authentication service listens, such as http://auth:9000/verify
        #[arg(long, value_name = "URL", value_parser = parse_address)]
        address: String,
        /// The middleware's name, for a router's `middlewares`
        #[arg(long, value_name = "NAME", default_value = "auth", value_parser = parse_name)]
        name: String,
    },
}

pub fn run(context: &Context, verb: &Verb) -> Result<Exit> {
    let Verb::Labels { address, name } = verb;
    context.ui.print(&traefik::labels(name, address))?;
    context.ui.say("use Traefik 3.7.13 or newer: older ones pass other spellings of these headers on");
    Ok(Exit::DONE)
}

fn parse_name(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("a name is made of letters, digits and hyphens")
}

fn parse_address(text: &str) -> Result<String, &'static str> {
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    if is_url && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("an address begins with http:// or https:// and has no spaces")
}
