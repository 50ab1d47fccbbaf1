//! Recipes → material. Writes nothing and remembers nothing.

pub mod api_key;
pub mod certificate;
mod inspect;
mod issuer;
pub(crate) mod keypair;
mod passphrase;
mod password;
pub(crate) mod pem;
mod random;
mod recipe;
mod template;
mod token;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use self::inspect::{Facts, inspect};
pub use self::recipe::{drawing_digest, recipe_digest};
pub use self::token::{Minted, mint as mint_token};
use crate::error::{Error, Kind as Failure, Result};
use crate::gather::Gather;
use crate::manifest::model::{Declaration, Kind};
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::Secret;
use crate::secret::parts::{Part, Parts};

/// What a recipe may know besides its own parameters.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The environment that the value is for.
    pub environment: &'a EnvName,
    /// The time of the change.
    pub now: DateTime<Utc>,
}

/// A secret (or setting) that a recipe refers to.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its current version; `None` for a setting.
    pub version: Option<VersionId>,
    /// Its pieces.
    pub parts: &'a Parts,
    /// The user that it belongs to, of secrets that have `usernames`.
    pub username: Option<&'a str>,
    /// Whether a person supplied it, so that nobody here makes another one.
    pub is_supplied: bool,
}

impl<'a> Input<'a> {
    /// An input that is nobody's, and that was made here.
    pub fn new(version: Option<VersionId>, parts: &'a Parts) -> Self {
        Self { version, parts, username: None, is_supplied: false }
    }
}

/// The inputs by name.
pub type Inputs<'a> = BTreeMap<&'a SecretName, Input<'a>>;

/// What a recipe made.
#[derive(Debug)]
pub struct Material {
    /// The pieces.
    pub parts: Parts,
    /// Strength, in bits of entropy, of a value that was drawn; `None` for derived ones.
    pub bits: Option<u32>,
    /// When it stops being valid.
    pub expires: Option<DateTime<Utc>>,
    /// Value-free facts for the ledger: `kid`, `serial`, `role`, `subject`, …
    pub facts: BTreeMap<String, String>,
}

/// Makes what a declaration describes: draws it, or derives it from its inputs.
///
/// Fails with `missing` when an input or one of its pieces is not there, and with the codes of the kind's own
/// module when the inputs cannot serve. Never called for `external` and `setting`, which nobody generates.
pub fn generate(declaration: &Declaration, context: &Context<'_>, inputs: &Inputs<'_>) -> Result<Material> {
    let name = &declaration.name;
    match &declaration.kind {
        Kind::ApiKey { prefix } => api_key::generate(prefix),
        Kind::Ca(ca) => certificate::authority(name, ca, context, inputs),
        Kind::Certificate(leaf) => certificate::leaf(name, leaf, context, inputs),
        Kind::EncryptionKey(bytes) | Kind::Random(bytes) => random::generate(*bytes),
        Kind::Keypair { algorithm } => keypair::generate(*algorithm),
        Kind::Passphrase { words, separator } => passphrase::generate(*words, separator),
        Kind::Password(password) => password::generate(password),
        Kind::Template(template) => template::generate(name, template, inputs),
        Kind::Token(token) => token::generate(name, token, context, inputs),
        Kind::Uuid => random::uuid(),
        Kind::External | Kind::ImportedCertificate(_) | Kind::Setting { .. } => {
            Err(Error::bug(format!("`{name}` is of a kind that is never generated")))
        }
    }
}

impl Material {
    /// A single value that was drawn with so many bits of entropy.
    fn drawn(value: Secret, bits: u32) -> Self {
        Self { parts: Parts::value(value), bits: Some(bits), expires: None, facts: BTreeMap::new() }
    }
}

/// The input of that name, which `asker` refers to.
fn input<'a>(inputs: &Inputs<'a>, name: &SecretName, asker: &SecretName) -> Result<Input<'a>> {
    inputs.get(name).copied().ok_or_else(|| missing(name, "has no value", asker))
}

/// A piece of an input, which `asker` needs.
fn piece<'a>(input: Input<'a>, part: Part, name: &SecretName, asker: &SecretName) -> Result<&'a Secret> {
    let absent = || missing(name, &format!("has no piece named `{}`", part.name()), asker);
    input.parts.part(part).ok_or_else(absent)
}

fn missing(name: &SecretName, what: &str, asker: &SecretName) -> Error {
    Error::new(Failure::Findings, "missing", format!("`{name}` {what}, and `{asker}` is made from it"))
        .hint(format!("run `vault-kit generate {name}`, or `vault-kit set {name}` if a person supplies it"))
}

/// The facts for the ledger, from pairs.
fn facts<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).gather()
}

#[cfg(test)]
mod tests;
