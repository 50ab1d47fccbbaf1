//! `token list`: which tokens there are, and what a verifier would say of each. Never their texts.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::Result;
use crate::exit::Exit;
use crate::token::roster::{self, Known, State};
use crate::ui::SCHEMA_VERSION;

pub fn run(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    let mut tokens = roster::known(&session.manifest, &session.environment, &store, context.now);
    // What was replaced is of interest as long as somebody can use it.
    tokens.retain(|token| token.current || token.name.is_none() || token.is_at_large());
    if context.ui.json {
        context.ui.object(&json!({
            "schema_version": SCHEMA_VERSION, "environment": session.environment, "tokens": tokens,
        }))?;
    } else {
        let head = ["NAME", "STATE", "ROLE", "SUBJECT", "KEY", "ISSUED", "EXPIRES", "JTI"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(tokens.iter().map(row)).collect();
        context.ui.print(&table(&rows))?;
    }
    Ok(Exit::DONE)
}

fn row(token: &Known) -> [String; 8] {
    let name = match &token.name {
        Some(name) if token.current => name.to_string(),
        Some(name) => format!("{name} (replaced)"),
        None => "–".to_owned(),
    };
    let state = match token.state {
        State::Live => "live",
        State::Expired => "expired",
        State::Revoked => "revoked",
        State::Orphaned => "orphaned",
        State::Refused => "refused",
    };
    let minute = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M").to_string();
    let role = token.role.clone().unwrap_or_else(|| "–".to_owned());
    // The manifest may be a stranger's: what would steer a terminal is not passed on.
    let subject = token.subject.replace(char::is_control, "\u{fffd}");
    let (issued, expires) = (minute(token.issued), minute(token.expires));
    [name, state.to_owned(), role, subject, token.key.to_string(), issued, expires, token.jti.clone()]
}
