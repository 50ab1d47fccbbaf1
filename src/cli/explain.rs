//! `explain`: what a code of `check` means, what it risks, and what cures it. Needs no project.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::table::table;
use crate::check::Place;
use crate::check::explain::{self, Explanation};
use crate::error::{Error, Result};
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
        Some(code) => std::slice::from_ref(explain::of_text(code).ok_or_else(|| unknown(code, None))?),
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

/// The refusal of a code that nothing has, with the one that was probably meant.
pub(super) fn unknown(code: &str, flag: Option<&str>) -> Error {
    let codes = explain::all().iter().filter(|it| flag.is_none() || !it.places.is_empty()).map(|it| it.code);
    let place = flag.map_or_else(String::new, |flag| format!("`{flag}`: "));
    let error = Error::usage(format!("{place}there is no such code"));
    match suggest(code, codes) {
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
