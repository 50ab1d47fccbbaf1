//! What is left for a person once everything was done here, with commands to paste.

use std::collections::BTreeSet;

use crate::manifest::hook::Step;
use crate::manifest::{Declaration, Kind, Manifest};
use crate::name::{EnvName, SecretName};
use crate::shell;
use crate::store::incidents::{Affected, Incident, Place, RemoteCopy};
use crate::store::{Store, Version};

/// What is left, in the order in which it should be done: values first, then who reads them, then traces.
pub fn of(manifest: &Manifest, environment: &EnvName, affected: &[Affected], places: &BTreeSet<Place>) -> Vec<String> {
    let words = Words { manifest, environment };
    let declared = || affected.iter().filter_map(|it| Some((it, manifest.secret(&it.secret)?)));
    let supplied = declared().filter(|(it, _)| it.made_from.is_none());
    let mut lines: Vec<String> = supplied.flat_map(|(it, declaration)| words.value(it, declaration)).collect();
    lines.extend(affected.iter().flat_map(Words::copies));
    lines.extend(affected.iter().filter_map(|it| Some(words.remote(it, it.remote.as_ref()?))));
    lines.extend(Words::readers(affected));
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

/// The same incident with the values that took the place of what leaked since, and without the rotations that did so.
pub fn since(manifest: &Manifest, store: &Store, incident: &Incident) -> Incident {
    let mut incident = incident.clone();
    let words = Words { manifest, environment: &store.environment };
    for it in incident.affected.iter_mut().filter(|it| it.successor.is_none()) {
        let current = store.current(&it.secret).filter(|current| !it.versions.contains(&current.id));
        let Some(current) = current.filter(|_| !is_accepted(manifest, store, &it.secret)) else { continue };
        it.successor = Some(current.id);
        let done = words.rotate(&it.secret);
        incident.remains.retain(|line| *line != done);
    }
    incident
}

/// Whether the owner of a secret may still accept what leaked, as a hook has yet to tell it otherwise.
pub fn is_accepted(manifest: &Manifest, store: &Store, name: &SecretName) -> bool {
    let is_owned = manifest.secret(name).is_some_and(|it| has_owner(manifest, it));
    let is_leaked = |it: &Version| it.life.told.is_some() && store.is_leaked(it);
    is_owned && (store.is_untold(name) || store.to_retire(name).any(is_leaked))
}

struct Words<'a> {
    manifest: &'a Manifest,
    environment: &'a EnvName,
}

impl Words<'_> {
    fn command(&self, words: &str) -> String {
        if *self.environment == self.manifest.default_environment {
            return format!("`vault-kit {words}`");
        }
        format!("`vault-kit -e {} {words}`", self.environment)
    }

    fn rotate(&self, name: &SecretName) -> String {
        let rotate = self.command(&format!("rotate {name}"));
        format!("{rotate} now: the leaked value of `{name}` is still in force until its hooks told the owner")
    }

    /// What a person has to do about a value that leaked.
    fn value(&self, it: &Affected, declaration: &Declaration) -> Vec<String> {
        let name = &it.secret;
        let supply = self.command(&declaration.supply_words());
        match &declaration.kind {
            _ if has_owner(self.manifest, declaration) => {
                vec![self.rotate(name)]
            }
            Kind::External => {
                let owner = declaration.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"));
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

    fn copies(it: &Affected) -> Vec<String> {
        let line = |copy: &crate::store::incidents::Copy| {
            let (environment, secret) = (&copy.environment, &copy.secret);
            format!("environment `{environment}` has the same value: `vault-kit -e {environment} incident {secret}`")
        };
        it.copies.iter().map(line).collect()
    }

    fn remote(&self, it: &Affected, remote: &RemoteCopy) -> String {
        let (name, push) = (&remote.name, self.command(&format!("sync push {}", it.secret)));
        let pull = self.command(&format!("sync pull --revoke {}", it.secret));
        let Some((arn, version)) = &remote.synced else {
            return format!(
                "`{name}` in AWS may have the value that leaked: compare with {push}; then, on every other host, {pull}"
            );
        };
        let drop = format!(
            "aws secretsmanager update-secret-version-stage --secret-id {arn} --version-stage AWSPREVIOUS --remove-from-version-id {version}"
        );
        format!(
            "`{name}` in AWS has the value that leaked: {push}; on every other host {pull}, or it is accepted there on; then it is AWSPREVIOUS there, until `{drop}`; by its id it can be read until AWS deletes it"
        )
    }

    /// Who reads the files has what was in them.
    fn readers(affected: &[Affected]) -> Vec<String> {
        let deliveries = affected.iter().flat_map(|it| &it.deliveries);
        let files: BTreeSet<(&str, &str)> = deliveries.map(|it| (it.path.as_str(), it.form.as_str())).collect();
        let line = |(path, form): (&str, &str)| {
            if form.starts_with("kubernetes-secret") {
                format!("apply and restart its pods: `kubectl apply -f {}`", shell::path(path))
            } else if form.starts_with("external-secret") {
                format!("restart the pods that read what the operator makes of `{path}`, once AWS has the new value")
            } else {
                format!("restart who reads `{path}`")
            }
        };
        files.into_iter().map(line).collect()
    }
}
