//! Environment variables → verdicts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Verdict, assess_by_text};
use crate::gather::Gather;
use crate::manifest::{Declaration, Format, Kind, Manifest, Output};
use crate::name::{EnvName, SecretName};
use crate::secret::Secret;

/// What a variable that is set is worth.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Its value judged.
    pub verdict: Verdict,
    /// What stands around the value as in a file, where a program gets it as a part of the value.
    pub around: Option<&'static str>,
}

/// The declarations that the dotenv outputs of an environment carry in variables, by name.
pub fn carried<'a>(manifest: &'a Manifest, environment: &'a EnvName) -> Vec<&'a Declaration> {
    carried_by(manifest, environment, manifest.outputs_in(environment))
}

/// The declarations that those of some outputs which are dotenv files carry in variables, by name.
pub fn carried_by<'a>(
    manifest: &'a Manifest,
    environment: &EnvName,
    outputs: impl IntoIterator<Item = &'a Output>,
) -> Vec<&'a Declaration> {
    let outputs = outputs.into_iter().filter(|output| matches!(output.format, Format::Dotenv { .. }));
    let names: BTreeSet<&SecretName> = outputs.flat_map(|output| &output.secrets).collect();
    let declarations = names.into_iter().filter_map(|name| manifest.secret(name));
    declarations.filter(|declaration| declaration.is_in(environment) && is_carried(declaration)).collect()
}

/// The declarations that `run` hands to its command.
pub fn carried_by_run<'a>(manifest: &'a Manifest, environment: &'a EnvName) -> Vec<&'a Declaration> {
    manifest.secrets_in(environment).filter(|declaration| is_carried(declaration)).collect()
}

fn is_carried(declaration: &Declaration) -> bool {
    declaration.name.is_variable()
        && !matches!(declaration.kind, Kind::Ca(_) | Kind::Certificate(_) | Kind::ImportedCertificate(_))
}

/// Judges the variables that are set; an empty one counts as not set.
///
/// Here nobody knows who made a value, so that its strength is estimated for every kind that is drawn at random.
pub fn inspect(
    manifest: &Manifest,
    environment: &EnvName,
    variables: &BTreeMap<String, Secret>,
) -> BTreeMap<SecretName, Seen> {
    let set = carried(manifest, environment).into_iter().filter_map(|declaration| {
        let value = variables.get(declaration.name.as_str()).filter(|value| !value.is_empty())?.expose();
        let seen = Seen { verdict: assess_by_text(declaration, value), around: around(value) };
        Some((declaration.name.clone(), seen))
    });
    set.gather()
}

fn around(value: &[u8]) -> Option<&'static str> {
    let is_quote = |it: &&u8| matches!(it, b'"' | b'\'');
    let is_quoted = value.len() > 1 && value.first().filter(is_quote).is_some_and(|quote| value.last() == Some(quote));
    match () {
        () if is_quoted => Some("quotes"),
        // Of a key the last line has its end.
        () if value.trim_ascii().len() < value.len() && !value.ends_with(b"-----\n") => Some("blanks or line breaks"),
        () => None,
    }
}
