//! Which remote secret holds what: from the manifest alone.

use std::collections::BTreeMap;

use crate::manifest::model::{Aws, RemotePlace};
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, SecretName};
use crate::remote::Listed;

/// A remote secret and what of ours is in it.
#[derive(Debug)]
pub struct Place<'a> {
    /// Its full name.
    pub name: String,
    /// What is in it.
    pub shape: Shape<'a>,
    /// Where in AWS it is.
    pub aws: &'a Aws,
}

/// What a remote secret holds.
#[derive(Debug)]
pub enum Shape<'a> {
    /// One secret of ours.
    Whole(&'a Declaration),
    /// A JSON object, of which these keys are ours.
    Bundle(BTreeMap<&'a str, &'a Declaration>),
}

impl<'a> Place<'a> {
    /// Our secrets in it, by key; the key of a whole one is empty.
    pub fn fields(&self) -> Vec<(&'a str, &'a Declaration)> {
        match &self.shape {
            Shape::Whole(declaration) => vec![("", *declaration)],
            Shape::Bundle(keys) => keys.iter().map(|(key, declaration)| (*key, *declaration)).collect(),
        }
    }

    /// Whether it is one JSON object with keys of ours.
    pub fn is_bundle(&self) -> bool {
        matches!(self.shape, Shape::Bundle(_))
    }

    /// Whether an ARN is of the declared account and region, as far as they are declared.
    pub fn is_home_of(&self, arn: &str) -> bool {
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next(), parts.next());
        let is_as = |declared: &Option<String>, part| declared.as_deref().is_none_or(|it| Some(it) == part);
        is_as(&self.aws.region, region) && is_as(&self.aws.account, account)
    }

    /// What is told people of it when it is made.
    pub fn description(&self) -> Option<&'a str> {
        match &self.shape {
            Shape::Whole(declaration) => declaration.description.as_deref(),
            Shape::Bundle(_) => None,
        }
    }

    /// Whether a secret of ours is in it.
    pub fn holds(&self, name: &SecretName) -> bool {
        self.fields().iter().any(|(_, declaration)| declaration.name == *name)
    }
}

/// The remote secrets of an environment, in the order of their names.
pub fn places<'a>(manifest: &'a Manifest, environment: &'a EnvName, aws: &'a Aws) -> Vec<Place<'a>> {
    let prefix = aws.prefix_of(&manifest.project, environment);
    let mut shapes: BTreeMap<&str, Shape<'a>> = BTreeMap::new();
    for declaration in manifest.secrets_in(environment) {
        match &declaration.remote {
            None => {}
            Some(RemotePlace::Secret { path }) => {
                shapes.insert(path, Shape::Whole(declaration));
            }
            Some(RemotePlace::Key { bundle, key }) => {
                let shape = shapes.entry(bundle).or_insert_with(|| Shape::Bundle(BTreeMap::new()));
                if let Shape::Bundle(keys) = shape {
                    keys.insert(key, declaration);
                }
            }
        }
    }
    let place = |(path, shape): (&str, Shape<'a>)| Place { name: format!("{prefix}{path}"), shape, aws };
    shapes.into_iter().map(place).collect()
}

/// The tag that says whose a remote secret is.
pub const OWNER_TAG: &str = "vault-kit:managed";

/// The tag that counts the rotations that were aborted.
pub const ATTEMPT_TAG: &str = "vault-kit:attempt";

/// The count of aborted rotations; a secret without one had none.
pub fn attempt(listed: &Listed) -> &str {
    listed.tags.get(ATTEMPT_TAG).map_or("0", String::as_str)
}

/// The value of [`OWNER_TAG`] for an environment.
pub fn owner(project: &str, environment: &EnvName) -> String {
    format!("{project}/{environment}")
}
