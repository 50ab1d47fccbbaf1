//! What is left for a person once everything was done here, with commands to paste.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::hook::Step;
use crate::manifest::{Declaration, Kind, Manifest};
use crate::name::{EnvName, SecretName};
use crate::rotate::select::{self, Ready};
use crate::shell;
use crate::store::Store;
use crate::store::incidents::{Affected, Copy, Delivery, Place, RemoteCopy};
use crate::sync::place;

/// What is left, in the order in which it should be done: values first, then who reads them, then traces.
pub fn of(manifest: &Manifest, environment: &EnvName, affected: &[Affected], places: &BTreeSet<Place>) -> Vec<String> {
    let words = Words { manifest, environment };
    let declared = affected.iter().filter_map(|it| Some((it, manifest.secret(&it.secret)?)));
    let supplied = declared.filter(|(it, declaration)| it.made_from.is_none() && declaration.is_in(environment));
    let mut lines: Vec<String> = supplied.flat_map(|(it, declaration)| words.value(it, declaration)).collect();
    let others = affected.iter().filter(|it| !manifest.has_secret(&it.secret, environment));
    lines.extend(others.map(|it| words.undeclared(&it.secret)));
    lines.extend(affected.iter().flat_map(|it| &it.copies).map(|copy| words.copy(copy)));
    lines.extend(affected.iter().filter_map(|it| Some(words.remote(it, it.remote.as_ref()?))));
    lines.extend(words.readers(affected));
    if !places.is_empty() {
        let paths: BTreeSet<&str> = places.iter().map(|place| place.path.as_str()).collect();
        let paths: Vec<String> = paths.into_iter().map(|path| format!("`{path}`")).collect();
        lines.push(format!("take the values out of {}; who copied them has them still", paths.join(", ")));
    }
    lines
}

/// Whether a hook makes somebody else accept a new value, which only a rotation calls.
pub fn has_owner(manifest: &Manifest, declaration: &Declaration) -> bool {
    declaration.is_generated() && manifest.hooks_for(declaration, Step::Set).next().is_some()
}

/// Whether all hosts that have a secret by way of AWS have to come to one new value. What never was exchanged is replaced here
/// alone, and nobody need reach AWS for that; nor is a key waited for that verifiers are to know first.
fn is_joint(manifest: &Manifest, environment: &EnvName, declaration: &Declaration, is_synced: bool) -> bool {
    is_synced
        && select::is_shared(manifest, environment, declaration)
        && select::ready(manifest, environment, declaration, false) == Ready::Yes
        && !select::is_ahead(manifest, environment, declaration)
}

/// Whether a new value of a secret is the work of a rotation: somebody else has to accept it first, or hosts to agree on it.
pub fn is_rotated(manifest: &Manifest, store: &Store, declaration: &Declaration) -> bool {
    let environment = &store.environment;
    let is_synced = || {
        let places = manifest.aws(environment).map(|aws| place::places(manifest, environment, aws)).unwrap_or_default();
        let mut places = places.into_iter().filter(|place| place.holds(&declaration.name));
        places.any(|place| store.synced.bases.contains_key(&place.name))
    };
    has_owner(manifest, declaration) || is_joint(manifest, environment, declaration, is_synced())
}

/// The sentences, of which some are told otherwise as an incident goes on.
pub(super) struct Words<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) environment: &'a EnvName,
}

impl Words<'_> {
    fn command(&self, words: &str) -> String {
        if *self.environment == self.manifest.default_environment {
            return format!("`vault-kit {words}`");
        }
        format!("`vault-kit -e {} {words}`", self.environment)
    }

    pub(super) fn rotate(&self, name: &SecretName) -> String {
        let rotate = self.command(&format!("rotate {name}"));
        format!("{rotate} now: the leaked value of `{name}` is still in force until its hooks told the owner")
    }

    pub(super) fn agree(&self, name: &SecretName) -> String {
        let rotate = self.command(&format!("rotate {name}"));
        format!("{rotate} now: the leaked value of `{name}` is still in force, here and on every other host")
    }

    pub(super) fn resume(&self, name: &SecretName) -> String {
        let resume = self.command(&format!("rotate resume {name}"));
        format!(
            "{resume} goes on with the rotation of `{name}`: until it has ended, the leaked value may still be accepted"
        )
    }

    pub(super) fn by_hand(name: &SecretName) -> String {
        format!(
            "no hook of `{name}` has the step `retire`: unless `set` put the new value in the place of the leaked one, have its owner refuse that"
        )
    }

    /// What a person has to do about a value that nothing takes the place of.
    fn undeclared(&self, name: &SecretName) -> String {
        let remove = self.command(&format!("remove {name}"));
        format!("`{name}` is not declared any more: have who accepted it refuse it, and forget it with {remove}")
    }

    pub(super) fn left(&self, name: &SecretName, id: &str) -> String {
        let close = self.command(&format!("incident close {id}"));
        format!(
            "the owner of `{name}` may still accept the leaked value, and no hook is declared that could have it refused: see to it \
             by hand, then {close}"
        )
    }

    pub(super) fn is_joint(&self, it: &Affected) -> bool {
        let is_synced = it.remote.as_ref().is_some_and(|remote| remote.synced.is_some());
        let declaration = self.manifest.secret(&it.secret);
        declaration.is_some_and(|it| is_joint(self.manifest, self.environment, it, is_synced))
    }

    /// What a person has to do about a value that leaked.
    pub(super) fn value(&self, it: &Affected, declaration: &Declaration) -> Vec<String> {
        let name = &it.secret;
        let supply = self.command(&declaration.supply_words());
        match &declaration.kind {
            _ if has_owner(self.manifest, declaration) => {
                vec![self.rotate(name)]
            }
            _ if self.is_joint(it) => vec![self.agree(name)],
            Kind::External => {
                let owner = owner(declaration);
                let obtain = declaration.obtain.as_ref().map_or_else(String::new, |place| format!(", from: {place}"));
                vec![format!(
                    "have `{name}` revoked by who issued it{owner}, and supply a new one with {supply}{obtain}"
                )]
            }
            Kind::ImportedCertificate(_) => {
                vec![format!(
                    "have the certificate of `{name}` revoked by its CA for keyCompromise, and take a new one in with {supply}"
                )]
            }
            Kind::EncryptionKey(_) => {
                vec![format!(
                    "encrypt anew what was encrypted with the old `{name}`: the store keeps that one for good"
                )]
            }
            Kind::Ca(ca) if ca.issuer.is_none() => {
                vec![format!(
                    "whoever trusts the old root of `{name}` outside of the files here has to stop trusting it"
                )]
            }
            Kind::Password(_) | Kind::Passphrase { .. } | Kind::Random(_) | Kind::ApiKey { .. } | Kind::Uuid
                if it.signed.is_empty() =>
            {
                vec![format!("where something else checks `{name}`, such as a database, change it there too")]
            }
            _ => Vec::new(),
        }
    }

    /// What is left of that once a person supplied another one.
    pub(super) fn supplied(declaration: &Declaration) -> Option<String> {
        let name = &declaration.name;
        match declaration.kind {
            Kind::External => {
                Some(format!("have the leaked value of `{name}` revoked by who issued it{}", owner(declaration)))
            }
            Kind::ImportedCertificate(_) => {
                Some(format!("have the leaked certificate of `{name}` revoked by its CA for keyCompromise"))
            }
            _ => None,
        }
    }

    /// What a person has to do about a secret with the same value.
    pub(super) fn copy(&self, copy: &Copy) -> String {
        let Copy { environment, secret } = copy;
        if environment == self.environment {
            return format!("`{secret}` has the same value: {}", self.command(&format!("incident {secret}")));
        }
        format!("environment `{environment}` has the same value: `vault-kit -e {environment} incident {secret}`")
    }

    pub(super) fn remote(&self, it: &Affected, remote: &RemoteCopy) -> String {
        let (name, push) = (&remote.name, self.command(&format!("sync push {}", it.secret)));
        let pull = self.pull(it);
        let Some((arn, version)) = &remote.synced else {
            return format!(
                "`{name}` in AWS may have the value that leaked: compare with {push}; then, on every other host, {pull}"
            );
        };
        let how = if self.is_joint(it) { "its rotation brings the new one there".to_owned() } else { push };
        format!(
            "`{name}` in AWS has the value that leaked: {how}; on every other host {pull}, or it is accepted there on; then it is AWSPREVIOUS there, until `{}`; by its id it can be read until AWS deletes it",
            drop_previous(arn, version)
        )
    }

    /// What is left of that once AWS has the new value.
    pub(super) fn sent(&self, it: &Affected, remote: &RemoteCopy) -> String {
        let (name, pull) = (&remote.name, self.pull(it));
        let text =
            format!("`{name}` in AWS has a new value: on every other host {pull}, or what leaked is accepted there on");
        let Some((arn, version)) = &remote.synced else { return text };
        format!(
            "{text}; that is AWSPREVIOUS in AWS, until `{}`; by its id it can be read until AWS deletes it",
            drop_previous(arn, version)
        )
    }

    fn pull(&self, it: &Affected) -> String {
        self.command(&format!("sync pull --revoke {}", it.secret))
    }

    /// Who reads the files has what was in them.
    fn readers(&self, affected: &[Affected]) -> Vec<String> {
        let files: BTreeMap<&str, &Delivery> =
            affected.iter().flat_map(|it| &it.deliveries).map(|it| (it.path.as_str(), it)).collect();
        files.into_values().map(|it| self.reader(it)).collect()
    }

    /// What of that hooks did: they had each value read that took the place of one which a file had.
    pub(super) fn read(&self, affected: &[Affected]) -> Vec<String> {
        let is_read = |it: &Affected, file: &Delivery| {
            let mut hooks = self.manifest.reloads(&file.output).peekable();
            hooks.peek().is_some() && hooks.all(|hook| it.read.contains(hook.name.as_str()))
        };
        let is_for_pods =
            |it: &Delivery| it.form.starts_with("kubernetes-secret") || it.form.starts_with("external-secret");
        let deliveries = || affected.iter().flat_map(|it| it.deliveries.iter().map(move |file| (it, file)));
        let is_left = |path: &str| deliveries().any(|(it, file)| file.path == path && !is_read(it, file));
        let read = deliveries().filter(|(_, file)| !is_left(&file.path) && !is_for_pods(file));
        read.map(|(_, file)| self.reader(file)).collect()
    }

    fn reader(&self, it: &Delivery) -> String {
        let path = &it.path;
        if it.form.starts_with("kubernetes-secret") {
            format!("apply and restart its pods: `kubectl apply -f {}`", shell::path(path))
        } else if it.form.starts_with("external-secret") {
            format!("restart the pods that read what the operator makes of `{path}`, once AWS has the new value")
        } else {
            format!("restart who reads `{path}`{}{}", self.services(it), self.reloads(it))
        }
    }

    /// The services that read a file, and how they come to read it again.
    fn services(&self, it: &Delivery) -> String {
        if it.services.is_empty() {
            return String::new();
        }
        let names: Vec<String> = it.services.iter().map(|name| format!("`{name}`")).collect();
        let files = self.manifest.compose_in(self.environment).iter().map(|file| format!("-f {} ", shell::path(file)));
        let words: Vec<String> = it.services.iter().map(|name| shell::word(name)).collect();
        let (files, words) = (files.collect::<String>(), words.join(" "));
        format!(", services {}: `docker compose {files}up -d --force-recreate {words}`", names.join(", "))
    }

    /// The hooks that are asked to have it read, which may know of some readers only.
    fn reloads(&self, it: &Delivery) -> String {
        let hooks: Vec<String> =
            self.manifest.reloads(&it.output).map(|hook| format!("hook `{}`", hook.name)).collect();
        if hooks.is_empty() { String::new() } else { format!(", unless {} did", hooks.join(", ")) }
    }
}

/// Who answers for it, in parentheses.
fn owner(declaration: &Declaration) -> String {
    declaration.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"))
}

fn drop_previous(arn: &str, version: &str) -> String {
    format!(
        "aws secretsmanager update-secret-version-stage --secret-id {arn} --version-stage AWSPREVIOUS --remove-from-version-id {version}"
    )
}
