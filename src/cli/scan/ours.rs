//! Which files hold values of ours, for `check`: what `scan` finds in them, and lets pass where it does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::session::Session;
use super::files::Files;
use super::known::Sources;
use super::{ignores, prefixes};
use crate::error::Result;
use crate::name::SecretName;
use crate::scan::files::{Item, Scope, display, scan};
use crate::scan::{Known, Rules, Search};

/// The secrets whose values are in each of these files, which are paths in the project; none where no value is known: `check` says by
/// itself what is missing. Fails where values should be known and are not.
pub fn ours(session: &Session<'_>, paths: &BTreeSet<&str>) -> Result<BTreeMap<String, BTreeSet<SecretName>>> {
    let project = Files { session, staged: None };
    let sources = match Sources::open(project) {
        Err(error) if error.code() == "values-unknown" => return Ok(BTreeMap::new()),
        sources => sources?,
    };
    let mut known = Known::default();
    sources.stores.iter().for_each(|opened| known.add(&opened.store));
    let mut ours: BTreeMap<String, BTreeSet<SecretName>> = BTreeMap::new();
    if known.is_empty() && sources.fingerprints == 0 {
        return Ok(ours);
    }
    let (matcher, ignores) = (known.matcher(), ignores(&project)?);
    let rules = Rules::new(&session.manifest.scan, &prefixes(session));
    let default = &session.manifest.default_environment;
    let search = Search { matcher: &matcher, tokens: &sources.tokens, rules: &rules, default };
    let root = session.root.path();
    let items = paths.iter().map(|path| Item::File(root.join(path))).collect();
    let mut found = scan(items, &Scope { root, left_out: &|_| false, depth: 1 }, &search);
    let today = session.context.now.date_naive();
    found.findings.iter_mut().for_each(|finding| ignores.judge(finding, today));
    let shown: BTreeMap<String, &str> = paths.iter().map(|path| (display(Path::new(path), root), *path)).collect();
    for finding in found.findings.into_iter().filter(|it| it.ignored.is_none()) {
        // What is in an archive stands behind a `!`, which a name may have too.
        let mut files = finding.file.match_indices('!').map(|(at, _)| &finding.file[..at]).chain([&finding.file[..]]);
        if let (Some(path), Some(secret)) = (files.find_map(|it| shown.get(it)), finding.secret) {
            ours.entry((*path).to_owned()).or_default().insert(secret);
        }
    }
    Ok(ours)
}
