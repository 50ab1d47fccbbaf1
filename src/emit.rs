//! Values → the bytes of the files that deliver them, one module per format. Opens no file.

pub mod class;
mod docker_secrets;
mod dotenv;
pub mod dotenv_block;
pub mod dotenv_lines;
pub mod dotenv_read;
pub mod dotenv_refused;
pub mod external_secret;
mod json;
pub mod json_read;
mod kubernetes_secret;
mod pem;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::{Error, Kind, Result};
use crate::manifest::{self, Format, Output};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Parts;

/// What a secret is and what it consists of; a setting is [`Parts::value`].
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// How the manifest declares it.
    pub kind: &'a manifest::Kind,
    /// Its pieces.
    pub parts: &'a Parts,
    /// The revocation lists of the CAs above it.
    pub lists: Option<&'a Secret>,
    /// Of what is beneath a root that overlaps: the roots of before, none at most times.
    pub roots: Option<&'a Secret>,
}

/// The values by name.
pub type Values<'a> = BTreeMap<&'a SecretName, Value<'a>>;

/// A file of an output, ready to be written.
#[derive(Debug)]
pub struct EmittedFile {
    /// The output's path, or a file beneath it.
    pub path: String,
    /// The whole content.
    pub bytes: Secret,
    /// Whether nothing in it is secret: a certificate or a public key.
    pub public: bool,
    /// The secrets in it.
    pub holds: Vec<SecretName>,
    /// Whether only a block in it is ours.
    pub shared: bool,
    /// Whether more than the versions in it says what it should hold, such as a list: its digest is remembered.
    pub digested: bool,
}

/// What an output consists of.
#[derive(Debug, Default)]
pub struct Emission {
    /// Its files.
    pub files: Vec<EmittedFile>,
    /// What some readers will get wrong.
    pub warnings: Vec<Warning>,
}

/// A value that some readers of an output get wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Whose value.
    pub secret: SecretName,
    /// What is in it and which readers get it wrong; never the value.
    pub message: String,
}

impl Warning {
    fn new(secret: &SecretName, message: impl fmt::Display) -> Self {
        Self { secret: secret.clone(), message: message.to_string() }
    }
}

/// Renders an output. Secrets of the output that `values` does not hold are left out.
///
/// `existing` gives the present content of a file, which a dotenv output shares with others; `adopt` takes over
/// the assignments that stand outside our block.
pub fn emit(
    output: &Output,
    values: &Values<'_>,
    existing: &dyn Fn(&str) -> Result<Option<Secret>>,
    adopt: bool,
) -> Result<Emission> {
    let emission = match &output.format {
        Format::DockerSecrets { .. } => {
            Emission { files: docker_secrets::emit(output, values)?, ..Emission::default() }
        }
        Format::Dotenv { dialect } => {
            let present = existing(&output.path)?;
            let (bytes, warnings) = dotenv::emit(output, *dialect, values, present.as_ref(), adopt)?;
            Emission { files: vec![EmittedFile { shared: true, ..whole(output, values, bytes) }], warnings }
        }
        Format::Json => {
            Emission { files: vec![whole(output, values, json::render(output, values)?)], ..Emission::default() }
        }
        Format::KubernetesSecret(object) => {
            let bytes = kubernetes_secret::render(output, object, values)?;
            Emission { files: vec![whole(output, values, bytes)], ..Emission::default() }
        }
        // What they say is the state of store or manifest, and no value of a secret: `deliver::document` writes them.
        Format::ApiKeys
        | Format::ExternalSecret(_)
        | Format::Fingerprints
        | Format::Jwks { .. }
        | Format::Revocations => Emission::default(),
        Format::Pem { .. } => Emission { files: pem::emit(output, values)?, ..Emission::default() },
        Format::NotYet(format) => return Err(manifest::not_yet(format)),
    };
    no_path_twice(output, &emission.files)?;
    Ok(emission)
}

/// The lines of a dotenv file that stand outside our block and give one of our names another value than ours.
pub fn foreign_assignments(output: &Output, values: &Values<'_>, existing: &Secret) -> Result<Vec<dotenv_read::Entry>> {
    match output.format {
        Format::Dotenv { dialect } => {
            dotenv_block::differing(&output.path, dialect, &primaries(output, values)?, existing)
        }
        _ => Ok(Vec::new()),
    }
}

/// The secrets of an output that have a value, in the manifest's order.
fn delivered<'a>(output: &'a Output, values: &'a Values<'a>) -> impl Iterator<Item = (&'a SecretName, Value<'a>)> {
    output.secrets.iter().filter_map(|name| values.get(name).map(|&value| (name, value)))
}

/// As [`delivered`], with the one value that a consumer gets who takes one.
fn primaries<'a>(output: &'a Output, values: &'a Values<'a>) -> Result<Vec<(&'a SecretName, &'a Secret)>> {
    let primary = |(name, value): (&'a SecretName, Value<'a>)| {
        let problem =
            || cannot_carry(output, name, "it has no single value").hint("deliver it with `format = \"pem\"`");
        value.parts.primary().map(|value| (name, value)).ok_or_else(problem)
    };
    delivered(output, values).map(primary).collect()
}

/// The file of an output that is a single one.
fn whole(output: &Output, values: &Values<'_>, bytes: Secret) -> EmittedFile {
    let holds = delivered(output, values).map(|(name, _)| name.clone()).collect();
    EmittedFile { path: output.path.clone(), bytes, public: false, holds, shared: false, digested: false }
}

fn cannot_carry(output: &Output, name: &SecretName, why: &str) -> Error {
    Error::new(Kind::Manifest, "not-portable", format!("output `{}` cannot carry `{name}`: {why}", output.name))
}

fn no_path_twice(output: &Output, files: &[EmittedFile]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match files.iter().find(|file| !seen.insert(file.path.as_str())) {
        None => Ok(()),
        Some(file) => {
            let message = format!("output `{}` would write `{}` twice", output.name, file.path);
            Err(Error::new(Kind::Manifest, "duplicate-path", message).hint("name the files apart in `files = { … }`"))
        }
    }
}

#[cfg(test)]
mod tests;
