//! Which files hold values of ours, for `check`: what `scan` finds in them, and lets pass where it does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::session::Session;
use super::files::Files;
use super::known::Sources;
use super::{ignored, prefixes};
use crate::error::Result;
use crate::observe::Ours;
use crate::scan::files::{Item, Scope, display, scan};
use crate::scan::{Code, Known, Rules, Search};

/// The secrets whose values are in each of these files, which are paths in the project. Fails where values should be known and are
/// not.
pub fn ours(session: &Session<'_>, paths: &BTreeSet<&str>) -> Result<Ours> {
    let project = Files { session, staged: None };
    let sources = Sources::open(project)?;
    let mut known = Known::default();
    sources.stores.iter().for_each(|opened| known.add(&opened.store));
    let mut ours = Ours::default();
    if known.is_empty() && sources.fingerprints == 0 {
        return Ok(ours);
    }
    let (matcher, ignores) = (known.matcher(), ignored::lines(&project)?);
    let rules = Rules::new(&session.manifest.scan, &prefixes(session));
    let default = &session.manifest.default_environment;
    let search = Search { matcher: &matcher, tokens: &sources.tokens, rules: &rules, default };
    let root = session.root.path();
    let items = paths.iter().map(|path| Item::File(root.join(path))).collect();
    let mut found = scan(items, &Scope { root, left_out: &|_| false, depth: 1 }, &search);
    let today = session.context.now.date_naive();
    found.findings.iter_mut().for_each(|finding| ignores.judge(finding, today));
    let shown: BTreeMap<String, &str> = paths.iter().map(|path| (display(Path::new(path), root), *path)).collect();
    // What is in an archive stands behind a `!`, which a name may have too.
    let file = |place: &str| {
        let mut files = place.match_indices('!').map(|(at, _)| &place[..at]).chain([place]);
        files.find_map(|it| shown.get(it)).map(|path| (*path).to_owned())
    };
    for unseen in found.not_checked {
        ours.unread.extend(file(&unseen.what).map(|path| (path, unseen.why)));
    }
    for finding in found.findings.into_iter().filter(|it| it.ignored.is_none()) {
        match (file(&finding.file), finding.secret) {
            (Some(path), Some(secret)) => drop(ours.found.entry(path).or_default().insert(secret)),
            (Some(path), None) if finding.code == Code::Unsearched => drop(ours.unread.insert(path, finding.message)),
            _ => {}
        }
    }
    Ok(ours)
}
