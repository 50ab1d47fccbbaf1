//! The programs that a rotation calls, as the manifest declares them.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Declaration, Format, Kind, Manifest};
use super::period::Period;
use crate::name::{EnvName, HookName, OutputName, SecretName};

/// What a hook's program is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Make the owner of the credential accept the new value; the old one stays valid where it can.
    Set,
    /// Log in with the new value, as a consumer would.
    Test,
    /// Make the owner refuse the old value.
    Retire,
    /// Let programs read files that changed.
    Reload,
    /// Tell a person what failed.
    Notify,
}

impl Step {
    /// All steps, in the order of a rotation.
    pub const ALL: [Self; 5] = [Self::Set, Self::Test, Self::Retire, Self::Reload, Self::Notify];

    /// The word for it in the manifest, and the first argument of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Test => "test",
            Self::Retire => "retire",
            Self::Reload => "reload",
            Self::Notify => "notify",
        }
    }

    /// Whether its program is handed values.
    pub fn takes_values(self) -> bool {
        matches!(self, Self::Set | Self::Test | Self::Retire)
    }
}

/// A program that is called for some steps of a rotation. Takes effect only after `vault-kit trust`.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its name.
    pub name: HookName,
    /// Relative to the manifest's directory, without `..`, or absolute.
    pub program: String,
    /// What it is called for: at least one.
    pub steps: BTreeSet<Step>,
    /// Handed to the program as they are; not secret.
    pub options: BTreeMap<String, String>,
    /// Secrets whose current values the program gets besides.
    pub secrets: BTreeSet<SecretName>,
    /// Names of variables that the program inherits.
    pub environment: BTreeSet<String>,
    /// How long a call may take.
    pub timeout: Period,
    /// The outputs after whose change `reload` is called; `None` = any.
    pub outputs: Option<BTreeSet<OutputName>>,
    /// Line in the manifest, from 1.
    pub line: usize,
}

impl Manifest {
    /// The hooks that a step of a secret's rotation calls, in their order. Those of `reload` and `notify` are not a secret's.
    pub fn hooks_for<'a>(&'a self, declaration: &'a Declaration, step: Step) -> impl Iterator<Item = &'a Hook> {
        let listed = declaration.hooks.iter().filter_map(|name| self.hooks.get(name));
        listed.filter(move |hook| step.takes_values() && hook.steps.contains(&step))
    }

    /// The hooks that let programs read an output which changed, by name. The list of fingerprints changes with what is only begun, and
    /// no program reads it that does not say so.
    pub fn reloads<'a>(&'a self, output: &'a OutputName) -> impl Iterator<Item = &'a Hook> {
        let is_list = self.outputs.get(output).is_some_and(|it| it.format == Format::Fingerprints);
        let concerns = move |hook: &Hook| hook.outputs.as_ref().map_or(!is_list, |outputs| outputs.contains(output));
        self.hooks.values().filter(move |hook| hook.steps.contains(&Step::Reload) && concerns(hook))
    }

    /// The hooks that tell a person of a failure, by name.
    pub fn notifiers(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.values().filter(|hook| hook.steps.contains(&Step::Notify))
    }

    /// The secrets whose rotation calls a hook, by name.
    pub fn secrets_of<'a>(&'a self, hook: &'a Hook) -> impl Iterator<Item = &'a SecretName> {
        self.secrets.values().filter(|it| it.hooks.contains(&hook.name)).map(|it| &it.name)
    }

    /// The secret of an environment that a hook puts into Docker Swarm and hands to a service as a file of that name, as the shipped
    /// `docker-swarm` does. A stack's name stands before that of the service.
    pub fn swarm_secret(&self, environment: &EnvName, service: &str, file: &str) -> Option<&SecretName> {
        let is_service =
            |it: &str| it.strip_suffix(service).is_some_and(|stack| stack.is_empty() || stack.ends_with('_'));
        let serves = |hook: &&Hook| {
            let services = hook.options.get("services").map_or("", String::as_str);
            hook.steps.contains(&Step::Set) && services.split_whitespace().any(is_service)
        };
        let is_file = |hook: &Hook, name: &SecretName| match hook.options.get("target") {
            Some(target) => target == file,
            None => name.as_str().to_lowercase() == file,
        };
        let here = |name: &&SecretName| self.has_secret(name, environment);
        self.hooks
            .values()
            .filter(serves)
            .find_map(|it| self.secrets_of(it).filter(here).find(|name| is_file(it, name)))
    }

    /// Whether a value may be replaced without losing what it protects: an `encryption-key` only where a hook encrypts
    /// the data anew.
    pub fn can_rotate(&self, declaration: &Declaration) -> bool {
        !declaration.encrypts() || self.hooks_for(declaration, Step::Set).next().is_some()
    }

    /// The hooks that can be called in an environment: of its secrets, and those that are nobody's; by name.
    pub fn hooks_in<'a>(&'a self, environment: &'a EnvName) -> impl Iterator<Item = &'a Hook> {
        let is_called = |hook: &Hook| {
            let (mut secrets, mut own) = (self.secrets_of(hook).peekable(), hook.steps.iter());
            own.any(|step| !step.takes_values())
                || secrets.peek().is_none()
                || secrets.any(|name| self.has_secret(name, environment))
        };
        self.hooks.values().filter(move |hook| is_called(hook))
    }
}

impl Declaration {
    /// The user that a version's value belongs to, by the version's facts: a version that was made before `usernames`
    /// was declared belongs to the first.
    pub fn username<'a>(&'a self, facts: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let first = self.usernames.first()?;
        Some(facts.get(USERNAME).unwrap_or(first))
    }

    /// Whether it is a JSON object in AWS: of the pieces of a key pair or certificate, or of a value and the user that it belongs to.
    pub fn is_object(&self) -> bool {
        self.kind.has_parts() || !self.usernames.is_empty()
    }

    /// Whether the key or root that signs next goes to AWS beside it. An issuing CA is trusted through its root, and has none.
    pub fn sends_next(&self) -> bool {
        let has_next = match &self.kind {
            Kind::Keypair { .. } => true,
            Kind::Ca(ca) => ca.issuer.is_none(),
            _ => false,
        };
        has_next && self.remote.is_some()
    }

    /// The user of the next version, by the facts of the one that it replaces: the one after that one's, or the first.
    pub fn next_username(&self, replaced: Option<&BTreeMap<String, String>>) -> Option<&str> {
        let before = replaced.and_then(|facts| self.username(facts));
        let at = before.and_then(|before| self.usernames.iter().position(|name| name == before));
        let next = at.map_or(0, |at| (at + 1) % self.usernames.len());
        self.usernames.get(next).map(String::as_str)
    }
}

/// The fact of a version that says whose value it is, and its name in AWS, which is that of the database secrets that AWS makes.
pub const USERNAME: &str = "username";

/// What the value is called there, beside the user's name.
pub const PASSWORD: &str = "password";
