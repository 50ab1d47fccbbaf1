//! What a person made of a dotenv file that vault-kit writes into.

use std::collections::BTreeMap;

use crate::name::SecretName;

/// What a person made of a dotenv file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handwritten {
    /// It assigns these names of ours outside our block.
    Outside(BTreeMap<SecretName, Written>),
    /// The marker lines of our block are damaged; it assigns these names of ours.
    Undelimited(BTreeMap<SecretName, Written>),
    /// Its names cannot be told: why, with the line.
    Illegible(String),
}

/// What a person wrote for a secret, as `import` finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Compose puts something else in the place of a `$`: taken once what runs stands between single quotes, on this line.
    Expands(usize),
    /// It stands for a value that somebody still has to supply: refused, and missed by nobody.
    Placeholder,
    /// It does not match its pattern: refused.
    Refused,
    /// Taken.
    Value,
}
