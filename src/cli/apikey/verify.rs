//! `apikey verify`: good or not, and why not.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::parse_word;
use crate::api_key::document::Document;
use crate::api_key::verify::{Candidate, Presented, Reason, candidates};
use crate::cli::context::Context;
use crate::cli::input::{read_named, read_secret};
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::secret::Secret;
use crate::ui::{SCHEMA_VERSION, Ui};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Judge by this file of an `api-keys` output: no project, store or identity is needed
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Its role must be this one, or one of several
    #[arg(long = "require-role", value_name = "ROLE", value_parser = parse_word)]
    roles: Vec<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let key = read_secret(context, "a key", "key: ", "vault-kit apikey verify")?;
    // What was mistyped is told before anything is opened.
    let presented = match Presented::read(&key) {
        Ok(presented) => presented,
        Err(reason) => return refuse(context, reason),
    };
    if let Some(path) = &arguments.keys {
        let text: Secret = read_named(context, path)?;
        let document = Document::parse(text.expose(), &path.display().to_string())?;
        return tell(context, presented.verify(document.candidates(), &arguments.roles, context.now));
    }
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    tell(context, presented.verify(candidates(&store.issued.api_keys), &arguments.roles, context.now))
}

fn tell(context: &Context, verdict: Result<Candidate<'_>, Reason>) -> Result<Exit> {
    let key = match verdict {
        Ok(key) => key,
        Err(reason) => return refuse(context, reason),
    };
    if context.ui.json {
        context.ui.object(&json!({ "schema_version": SCHEMA_VERSION, "valid": true, "key": key }))?;
    } else {
        context.ui.object(&key)?;
    }
    Ok(Exit::DONE)
}

fn refuse(context: &Context, reason: Reason) -> Result<Exit> {
    let message = format!("the key is refused: {}: {reason}", reason.code());
    let error = Error::new(Kind::Findings, "api-key-refused", message);
    let error = match reason.hint() {
        Some(hint) => Paste::new(context).error(error.hint(hint)),
        None => error,
    };
    Ui { json: false, ..context.ui }.error(&error);
    if context.ui.json {
        let errors = json!([{ "code": error.code(), "message": error.to_string(), "fix": error.hints() }]);
        context.ui.object(&json!({
            "schema_version": SCHEMA_VERSION, "valid": false, "reason": reason.code(), "errors": errors,
        }))?;
    }
    Ok(Kind::Findings.into())
}
