//! `explain`: what a code of `check` means, what it risks, and what cures it. Needs no project.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::table::table;
use crate::check::Place;
use crate::check::explain::{self, Explanation};
use crate::error::{Error, Result, codes};
use crate::exit::Exit;
use crate::manifest::suggest;
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The code of a finding, such as mode-too-open; without it all are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let chosen = match &arguments.code {
        Some(code) => match (explain::of_text(code), codes::exits(code)) {
            (Some(it), _) => std::slice::from_ref(it),
            (None, Some(exits)) => return error_code(context, code, &exits),
            (None, None) => return Err(unknown(code, None)),
        },
        None => explain::all(),
    };
    if context.ui.json {
        let codes: Vec<_> = chosen.iter().map(object).collect();
        context.ui.object(&json!({ "schema_version": SCHEMA_VERSION, "codes": codes }))?;
    } else if arguments.code.is_some() {
        context.ui.print(&chosen.iter().map(text).collect::<String>())?;
    } else {
        let row = |it: &Explanation| [it.code.to_owned(), it.severity().text().to_owned(), it.summary().to_owned()];
        let rows: Vec<_> =
            std::iter::once(["CODE", "SEVERITY", "WHAT"].map(str::to_owned)).chain(chosen.iter().map(row)).collect();
        context.ui.print(&table(&rows))?;
    }
    Ok(Exit::DONE)
}

/// What there is to say of the code of an error: the rest is in its message and hints.
fn error_code(context: &Context, code: &str, exits: &[u8]) -> Result<Exit> {
    if context.ui.json {
        let error = json!({ "code": code, "exits": exits });
        context.ui.object(&json!({ "schema_version": SCHEMA_VERSION, "codes": [], "errors": [error] }))?;
        return Ok(Exit::DONE);
    }
    let exits: Vec<String> = exits.iter().map(u8::to_string).collect();
    let exits = if exits.is_empty() { String::new() } else { format!(" (exit {})", exits.join(" or ")) };
    let rows = [
        format!("{code}{exits}: the code of an error, with which a command ends. `check` does not tell it.\n"),
        "  cause  is what the error's line says, with the name, file or line that it is about\n".to_owned(),
        "  cure   is in the lines `hint:` below it, or in `fix` with --json: mostly a command to paste\n".to_owned(),
    ];
    context.ui.print(&rows.concat())?;
    Ok(Exit::DONE)
}

/// The refusal of a code that nothing has, with the one that was probably meant.
pub(super) fn unknown(code: &str, flag: Option<&str>) -> Error {
    let findings = explain::all().iter().filter(|it| flag.is_none() || !it.places.is_empty()).map(|it| it.code);
    let errors = codes::all().filter(|_| flag.is_none());
    let place = flag.map_or_else(String::new, |flag| format!("`{flag}`: "));
    let error = Error::usage(format!("{place}there is no such code"));
    match suggest(code, findings.chain(errors)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`vault-kit explain` lists them"),
    }
}

fn text(it: &Explanation) -> String {
    let mut text = format!("{} ({}): {}\n", it.code, it.severity().text(), it.summary());
    for (label, words) in [("cause", it.cause), ("risk", it.risk), ("cure", it.cure)] {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {label:<6} {words}");
    }
    let _ = writeln!(text, "  found  {}", found_by(it.places));
    text
}

/// The commands that find it.
fn found_by(places: &[Place]) -> String {
    if places.is_empty() {
        return "by `vault-kit scan`".to_owned();
    }
    let places: Vec<String> = places.iter().map(|place| format!("`--at {}`", place.text())).collect();
    format!("by `vault-kit check` with {}", places.join(" or "))
}

fn object(it: &Explanation) -> serde_json::Value {
    json!({
        "code": it.code,
        "severity": it.severity(),
        "summary": it.summary(),
        "cause": it.cause,
        "risk": it.risk,
        "cure": it.cure,
        "places": it.places,
    })
}
