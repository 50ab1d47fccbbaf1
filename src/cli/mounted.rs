//! Containers that still have what a file was before: told by whoever replaced it, and by `check`.

use super::context;
use super::exposed;
use super::session::Session;
use crate::check::NotChecked;
use crate::check::facts::StaleMount;
use crate::containers::{self, Seen};
use crate::deliver::{Delivered, Outcome};
use crate::manifest::model::Dialect;
use crate::manifest::{Format, Manifest};
use crate::name::EnvName;

/// Adds to a delivery's warnings who has to be restarted to see it, and what git would take of it.
pub fn noted(session: &Session<'_>, delivered: Delivered) -> Delivered {
    let mut delivered = exposed::noted(session, delivered);
    let is_new = |outcome: Outcome| matches!(outcome, Outcome::Created | Outcome::Replaced);
    let files: Vec<&str> =
        delivered.files.iter().filter(|file| is_new(file.outcome)).map(|file| file.path.as_str()).collect();
    let seen = containers::look(&context::docker(), session.root.path(), &files);
    let for_good = |file: &str| {
        let output = delivered.records.get(file).and_then(|record| session.manifest.outputs.get(&record.output));
        let output = output.filter(|output| !output.in_place && !output.atomic);
        output.map_or_else(String::new, |it| format!("; or for good: `in_place = true` in `[outputs.{}]`", it.name))
    };
    let warning = |it: &StaleMount| {
        let (restart, or) = (it.restart(), for_good(&it.file));
        format!("container `{}` still has `{}` as it was: `{restart}`{or}", it.container, it.file)
    };
    let warnings: Vec<String> = seen.stale.iter().map(warning).collect();
    delivered.warnings.extend(warnings);
    delivered
}

/// What `check` is told. What could not be looked at counts only where the manifest says that Docker reads the files.
pub fn seen(session: &Session<'_>, files: &[&str]) -> Seen {
    let mut seen = containers::look(&context::docker(), session.root.path(), files);
    if !is_for_docker(&session.manifest, &session.environment) {
        seen.unseen.retain(|it: &NotChecked| it.what.contains(" as container "));
    }
    seen
}

fn is_for_docker(manifest: &Manifest, environment: &EnvName) -> bool {
    manifest.outputs_in(environment).any(|output| {
        matches!(
            output.format,
            Format::DockerSecrets { .. } | Format::Dotenv { dialect: Dialect::Compose | Dialect::DockerRun }
        )
    })
}
