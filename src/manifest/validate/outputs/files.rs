//! The names of an output's files, or of its keys in Kubernetes, where the manifest gives some.

use std::collections::{BTreeMap, HashSet};

use super::{Context, carry, kubernetes};
use crate::manifest::issue::Problems;
use crate::manifest::model::{Format, Output, PemFile};
use crate::manifest::read::{At, Field, Map};
use crate::manifest::validate::{Place, paths};
use crate::name::SecretName;

/// Resolves `files`, which only two formats have, and `keys`.
pub(super) fn set(
    output: &mut Output,
    raw: Field<Map<String>>,
    place: Place<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) {
    let Some(raw) = raw else { return };
    let delivered: HashSet<&SecretName> = output.secrets.iter().collect();
    match &mut output.format {
        Format::DockerSecrets { files } => {
            for (name, file) in by_secret(raw.value, "files", &delivered, place, problems) {
                files.insert(name, file_name(&file, place, problems));
            }
        }
        Format::KubernetesSecret(object) => {
            let keys = by_secret(raw.value, "keys", &delivered, place, problems);
            object.keys = kubernetes::keys(keys, place, problems);
        }
        Format::ExternalSecret(it) => {
            let keys = by_secret(raw.value, "keys", &delivered, place, problems);
            it.object.keys = kubernetes::keys(keys, place, problems);
        }
        Format::Pem { files } => {
            if let [only] = output.secrets.as_slice() {
                *files = pem_files(raw.value, only, place, context, problems);
            } else {
                let message = format!("`{place}.files` needs exactly one secret in `secrets`");
                problems.add_with_hint(raw.at, message, "write one output for each certificate");
            }
        }
        _ => {}
    }
}

/// What is named by secret, for secrets that the output delivers.
fn by_secret(
    raw: Map<String>,
    field: &str,
    delivered: &HashSet<&SecretName>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Vec<(SecretName, At<String>)> {
    let mut found = Vec::new();
    for (key, text) in raw.0 {
        let name = SecretName::new(key.value.as_str()).ok();
        if let Some(name) = name.filter(|name| delivered.contains(name)) {
            found.push((name, text));
        } else {
            let names = delivered.iter().map(|name| name.as_str());
            let message = format!("`{place}.{field}` names a secret that is not in the output");
            problems.add_with_guess(key.at, message, &key.value, names, || None);
        }
    }
    found
}

fn pem_files(
    raw: Map<String>,
    secret: &SecretName,
    place: Place<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> BTreeMap<PemFile, String> {
    let declared = context.secrets.position(secret.as_str()).map(|position| &context.secrets.list[position]);
    let kind = declared.and_then(|declared| declared.declaration.as_ref()).map(|declaration| &declaration.kind);
    let pieces = kind.map_or(&[][..], carry::pieces);
    let names: Vec<&str> = pieces.iter().map(|&(name, _)| name).collect();
    let mut files = BTreeMap::new();
    for (key, file) in raw.0 {
        if let Some(&(_, piece)) = pieces.iter().find(|(name, _)| *name == key.value) {
            files.insert(piece, file_name(&file, place, problems));
        } else {
            let otherwise = || Some(format!("`{secret}` has {}", crate::manifest::read::list(&names)));
            let message = format!("`{place}.files` names a piece that `{secret}` does not have");
            problems.add_with_guess(key.at, message, &key.value, names.iter().copied(), otherwise);
        }
    }
    files
}

fn file_name(file: &At<String>, place: Place<'_>, problems: &mut Problems) -> String {
    paths::file_name(&file.value).unwrap_or_else(|wrong| {
        let hint = "write a path below the output's `path`, such as `tokens/service.txt`";
        problems.add_with_hint(file.at, format!("a file name in `{place}.files` {wrong}"), hint);
        String::new()
    })
}
