//! What a new root CA means for who trusts it and for who serves beneath it.

use std::collections::BTreeSet;

use super::{NOWHERE, requests, second};
use crate::cli::session::Session;
use crate::companions;
use crate::manifest::model::PemFile;
use crate::manifest::{Declaration, Kind};
use crate::plan::{Plan, dependents};
use crate::store::Store;

/// Until when the bundles have to be read.
pub(super) fn publication(session: &Session<'_>, plan: &Plan, root: &Declaration) -> Option<String> {
    let from = plan.publishing.iter().find(|it| it.secret == root.name).filter(|_| companions::is_root(root))?.from;
    let (name, bundles) = (&root.name, bundles(session, root));
    Some(format!(
        "who trusts `{name}` reads its bundle again before {}, when the next one signs: {bundles}",
        second(from)
    ))
}

/// Until when servers may go on with what the old root signed. It stays for what it signed for requests as long as that lasts.
pub(super) fn activation(session: &Session<'_>, store: &Store, root: &Declaration) -> Option<String> {
    let environment = session.manifest.environments.get(&session.environment);
    let until = session.context.now + root.overlap_in(environment)?.delta();
    let (name, served) = (&root.name, served(session, store, root)?);
    Some(format!(
        "what the old `{name}` signed is trusted until {}; restart by then who serves: {served}",
        second(until)
    ))
}

/// The order of a change that cannot be made without a gap.
pub(super) fn hard_cut(session: &Session<'_>, store: &Store, root: &Declaration) -> Vec<String> {
    let (name, bundles) = (&root.name, bundles(session, root));
    let mut lines = vec![
        format!(
            "a hard cut: from now on who trusts only one of the old and the new `{name}` refuses what the other signed;"
        ),
        "restart in this order, and expect refusals in between:".to_owned(),
        format!("  1. who trusts `{name}`: {bundles}"),
    ];
    lines.extend(served(session, store, root).map(|served| format!("  2. who serves: {served}")));
    lines.extend(requests::broken(session, store, root, |_| true));
    if root.overlap.is_none() {
        lines.push(format!("without a gap: `overlap = \"30d\"` on `{name}` publishes the next root before it signs"));
    }
    lines
}

/// Who goes by a CA: of a root who trusts it, of another one who serves what it signed; `None` for all else.
pub(super) fn readers(session: &Session<'_>, store: &Store, authority: &Declaration) -> Option<String> {
    match &authority.kind {
        Kind::Ca(ca) if ca.issuer.is_none() => Some(bundles(session, authority)),
        Kind::Ca(_) => Some(served(session, store, authority).unwrap_or_else(|| NOWHERE.to_owned())),
        _ => None,
    }
}

fn bundles(session: &Session<'_>, root: &Declaration) -> String {
    let files = companions::bundles(&session.manifest, &session.environment, &root.name);
    listed(files.map(|(output, _, path)| format!("`{path}` (output {})", output.name)))
        .unwrap_or_else(|| format!("no output delivers it, but `vault-kit cert ca {}` prints it", root.name))
}

/// The certificates beneath a root, by their files.
fn served(session: &Session<'_>, store: &Store, root: &Declaration) -> Option<String> {
    let made = dependents(&session.manifest, &BTreeSet::from([root.name.clone()]));
    let outputs = session.manifest.outputs_in(&session.environment);
    let each = outputs.flat_map(|output| output.secrets.iter().map(move |name| (output, name)));
    let leaves = each.filter(|(_, name)| **name != root.name && made.contains(*name) && store.current(name).is_some());
    listed(leaves.filter_map(|(output, name)| {
        let files = output.pem_files(name, &session.manifest.secret(name)?.kind).unwrap_or_default();
        let served = [PemFile::Fullchain, PemFile::Combined, PemFile::Cert];
        let path = served.into_iter().find_map(|wanted| files.iter().find(|(piece, _)| *piece == wanted));
        let path = path.map_or(&output.path, |(_, path)| path);
        Some(format!("`{path}` (output {})", output.name))
    }))
}

fn listed(places: impl Iterator<Item = String>) -> Option<String> {
    let places: Vec<String> = places.collect();
    (!places.is_empty()).then(|| places.join(", "))
}
