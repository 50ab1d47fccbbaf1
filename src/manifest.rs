//! What is declared: the manifest, from text to a typed model, all problems at once.
//!
//! Nothing here touches the disk, the network, the clock or a random source.

mod absent;
pub mod allowance;
pub mod changes;
mod comments;
pub mod deployment;
pub mod entropy;
mod files;
pub mod hook;
mod issue;
mod keys;
pub mod leaks;
pub mod model;
mod order;
pub mod period;
mod raw;
mod read;
pub mod scaffold;
#[cfg(test)]
mod schema_tests;
mod suggest;
pub mod template;
#[cfg(test)]
mod tests;
mod validate;
pub mod window;

pub use allowance::Allowance;
pub use comments::Comments;
pub use deployment::Deployment;
pub use hook::Hook;
pub use issue::{Issue, Issues};
pub use model::{Declaration, Environment, Format, Kind, Manifest, Output};
pub use suggest::nearest as suggest;
pub use validate::hosts::{dns_name, is_certifiable_uri};

use issue::Problems;
use toml::de::DeTable;

use crate::error::Error;
use crate::zone::{NoZones, Zones};

/// The JSON Schema (draft 2020-12) of a manifest.
pub const SCHEMA: &str = include_str!("../schemas/manifest.schema.json");

/// The project that a text declares, whatever else is wrong with it.
pub fn project_of(text: &str) -> Option<String> {
    let table = text.parse::<toml::Table>().ok()?;
    Some(table.get("project")?.get("name")?.as_str()?.to_owned())
}

/// Parses a manifest and checks everything that can be known from it alone. `file` is its path as the user knows it.
///
/// Reports every problem at once. Only a text that is not TOML is reported by itself: what
/// could be recovered from it would tell of problems that are not there.
///
/// Windows go by the clocks of `zones`, whose rules stay in the [`Manifest`].
pub fn parse_in(text: &str, file: &str, zones: &dyn Zones) -> Result<Manifest, Issues> {
    let mut problems = Problems::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors, problems, file));
    }
    let raw = read::read_table(table.get_ref(), &read::Path::ROOT, &mut problems);
    let manifest = validate::manifest(raw, table.into_inner(), file, zones, &mut problems);
    problems.finish(file).map(|warnings| Manifest { warnings, comments: Comments::of(text), ..manifest })
}

/// As [`parse_in`], for a text whose windows are all in `UTC` or at an offset.
pub fn parse(text: &str, file: &str) -> Result<Manifest, Issues> {
    parse_in(text, file, &NoZones)
}

/// The TOML parser's own messages hold none of the text. One a line: recovery may stumble twice over one mistake.
fn syntax(text: &str, errors: &[toml::de::Error], mut problems: Problems, file: &str) -> Issues {
    let mut last = 0;
    let mut places: Vec<_> =
        errors.iter().map(|error| (error.span().map_or(text.len(), |span| span.start), error.message())).collect();
    places.sort_by_key(|&(at, _)| at);
    for (at, message) in places {
        if problems.line(at) != last {
            last = problems.line(at);
            problems.add_with_hint(
                at,
                format!("not TOML: {message}"),
                "text stands in quotes, and no name stands twice",
            );
        }
    }
    problems.into_issues(file)
}

/// The refusal of a format that parses but is delivered by a later release.
pub fn not_yet(format: &str) -> Error {
    let message = format!("outputs of format `{format}` are not yet available");
    Error::new(crate::exit::Kind::Manifest, "not-yet-available", message)
        .hint("use `dotenv`, `docker-secrets`, `pem` or `json`, or take the output out of the manifest")
}
