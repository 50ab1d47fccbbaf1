//! Who reads delivered files, as the declared Compose files say it.

use std::collections::{BTreeMap, BTreeSet};

use super::check::values::FromDisk;
use super::context::process_environment;
use super::session::Session;
use crate::check::facts::{Handwritten, Written};
use crate::compose::Project;
use crate::deliver::expected;
use crate::error::Result;
use crate::observe::{self, Subject};

/// The services that have each of these files, by its path; what nobody has is not in it.
pub fn of(session: &Session<'_>, paths: &BTreeSet<&str>) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let compose = if paths.is_empty() { None } else { compose(session)? };
    let services = |path: &str| -> BTreeSet<String> {
        compose.iter().flat_map(|project| project.readers(path)).map(str::to_owned).collect()
    };
    let all = paths.iter().map(|path| ((*path).to_owned(), services(path)));
    Ok(all.filter(|(_, services)| !services.is_empty()).collect())
}

/// Whether the Compose files say that nothing is put into the values of a file.
pub fn read_literally(session: &Session<'_>, path: &str) -> Result<bool> {
    Ok(compose(session)?.is_some_and(|project| project.reads_literally(path)))
}

/// Takes a `$` for itself in files of which the Compose files say that.
pub fn take_literally(session: &Session<'_>, handwritten: &mut BTreeMap<String, Handwritten>) -> Result<()> {
    for (path, state) in handwritten {
        let (Handwritten::Outside(names) | Handwritten::Undelimited(names)) = state else { continue };
        let mut expanding = names.values_mut().filter(|it| matches!(it, Written::Expands(_))).peekable();
        if expanding.peek().is_some() && read_literally(session, path)? {
            expanding.for_each(|it| *it = Written::Value);
        }
    }
    Ok(())
}

/// The Compose files that the manifest names, as far as they can be read.
fn compose(session: &Session<'_>) -> Result<Option<Project>> {
    if session.manifest.compose_in(&session.environment).is_empty() {
        return Ok(None);
    }
    let expected = expected::files(&session.manifest, &session.environment, None, session.context.now);
    let trusted = session.is_trusted()?;
    let subject = Subject {
        root: session.root.path(),
        manifest: &session.manifest,
        environment: &session.environment,
        ledger: None,
        store_digest: None,
        expected: &expected,
        trusted,
        staged: None,
    };
    let values = FromDisk::new(session, None, trusted);
    let variables = process_environment().into_iter().collect();
    Ok(observe::deployment::look(&subject, &values, &variables, None).compose)
}
