//! `token inspect`: what a token says, whoever wrote it.

use serde_json::json;

use super::read_token;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::token::inspect::inspect;
use crate::token::reason::Reason;
use crate::ui::SCHEMA_VERSION;

pub fn run(context: &Context) -> Result<Exit> {
    let token = read_token(context)?;
    let found = token.expose_text().ok_or(Reason::Malformed).and_then(inspect);
    let (header, claims) = found.map_err(|reason| {
        Error::new(Kind::Findings, "not-a-token", format!("what is on stdin cannot be read: {reason}"))
            .hint("pass the whole token, without `Bearer` and without line breaks")
    })?;
    context.warn("SIGNATURE NOT CHECKED: anybody can have written this; `vault-kit token verify` checks it");
    context.ui.object(&json!({
        "schema_version": SCHEMA_VERSION, "verified": false, "header": header, "claims": claims,
    }))?;
    Ok(Exit::DONE)
}
