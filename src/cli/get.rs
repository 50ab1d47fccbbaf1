//! `get`: a value's exact bytes on stdout.

use clap::Args;

use super::context::Context;
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Part;
use crate::store::Store;
use crate::ui;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret
    name: String,
    /// A piece of a certificate or key pair: ca, cert, chain, key or public
    #[arg(long, value_name = "PIECE")]
    part: Option<String>,
    /// Show it on a terminal
    #[arg(long)]
    show: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let name = session.secret(&arguments.name)?;
    let part = arguments.part.as_deref().map(parse_part).transpose()?;
    let is_terminal = ui::stdout_is_terminal();
    if is_terminal && !arguments.show {
        return Err(Error::usage(format!("refusing to show `{name}` on a terminal"))
            .hint(format!("pipe it: `vault-kit get {name} | …`; or show it with `--show`")));
    }
    if let Some(text) = session.manifest.secrets[&name].kind.setting(&session.environment) {
        context.ui.value(&Secret::copy_of(text.as_bytes()))?;
        return end(context, is_terminal);
    }
    let identities = context.identities()?;
    let store = session.open_store(&identities)?;
    let version = store.value(&session.manifest.secrets[&name]).ok_or_else(|| absent(&session, &store, &name))?;
    let piece = part.map_or_else(|| version.parts.primary(), |part| version.parts.part(part));
    let piece = piece.ok_or_else(|| Error::usage(format!("`{name}` has no such piece")))?;
    context.ui.value(piece)?;
    end(context, is_terminal)
}

fn end(context: &Context, is_terminal: bool) -> Result<Exit> {
    if is_terminal {
        context.ui.print("\n")?;
    }
    Ok(Exit::DONE)
}

fn parse_part(text: &str) -> Result<Part> {
    Part::named(text)
        .ok_or_else(|| Error::usage("there is no such piece").hint("pieces: ca, cert, chain, key, public, value"))
}

/// As [`missing`], where the store tells what comes first: what is made of a value that nobody supplied cannot be made.
pub fn absent(session: &Session<'_>, store: &Store, name: &SecretName) -> Error {
    let has = |name: &SecretName| store.current(name).is_some();
    let first = session.manifest.secret(name).and_then(|it| session.manifest.supplied_before(it, &has));
    let Some(first) = first else { return missing(session, name.as_str()) };
    let (command, first) = (session.command(&first.supply_words()), &first.name);
    Error::new(Kind::Findings, "missing", format!("`{name}` has no value in environment `{}`", session.environment))
        .hint(format!("it is made of `{first}`: supply that with `{command}`"))
}

/// The error for a declared secret that has no value.
pub fn missing(session: &Session<'_>, name: &str) -> Error {
    let words = match session.manifest.secret(name) {
        Some(declaration) if declaration.is_generated() => format!("generate {name}"),
        Some(declaration) => declaration.supply_words(),
        None => format!("set {name}"),
    };
    Error::new(Kind::Findings, "missing", format!("`{name}` has no value in environment `{}`", session.environment))
        .hint(format!("supply it with `{}`", session.command(&words)))
}
