//! What a newer state of a store knows and an older one that goes on in its place must not forget: what leaked, what was revoked, and what
//! owners were told.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::certificates::{Certificates, Lists};
use super::incidents::{Deed, Incident, Incidents};
use super::issued::Issued;
use super::rotations::{Operation, Step};
use super::{Stage, Store, Version};
use crate::name::{SecretName, VersionId};

impl Store {
    /// Takes from a newer state of this store what happened, whatever store goes on. Tells which secrets have a value in force again
    /// that leaked.
    pub(super) fn remember(&mut self, newer: Store, owned: &[SecretName], now: DateTime<Utc>) -> Vec<SecretName> {
        self.keep_bans(&newer.banned);
        for (name, versions) in newer.secrets {
            let operation = newer.rotations.open(&name).filter(|_| owned.contains(&name));
            self.keep_told(&name, versions, operation);
        }
        self.keep_incidents(newer.incidents, now);
        self.keep_revoked(newer.issued, newer.certificates);
        let leaked = self.incidents.values().flat_map(Incident::leaked).filter(|name| self.is_current_leaked(name));
        leaked.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Keeps the values that the owner of a secret may accept, so that whoever retires has it refuse them: of a candidate too, which it
    /// may have been told.
    fn keep_told(&mut self, name: &SecretName, versions: Vec<Version>, operation: Option<&Operation>) {
        let told_at = |it: &Version| match it.stage {
            Stage::Candidate => operation.filter(|it| it.step != Step::Staged).map(|it| it.started),
            _ => it.life.told.filter(|_| it.life.retired.is_none()),
        };
        for mut version in versions {
            let Some(told) = told_at(&version).filter(|_| version.parts.iter().next().is_some()) else { continue };
            let ours = self.secrets.entry(name.clone()).or_default();
            if let Some(known) = ours.iter_mut().find(|it| it.id == version.id) {
                known.life.told = Some(told);
            } else {
                version.stage = Stage::Aborted;
                version.life.told = Some(told);
                ours.push(version);
            }
        }
    }

    /// Keeps the records of leaks; what took the place of something there may be gone with the store that had it.
    fn keep_incidents(&mut self, newer: Incidents, now: DateTime<Utc>) {
        for (id, mut incident) in newer {
            let mut gone = Vec::new();
            for it in &mut incident.affected {
                let is_there = |id: VersionId| self.versions(&it.secret).any(|version| version.id == id);
                if it.successor.is_some_and(|id| !is_there(id)) {
                    it.successor = None;
                    it.read.clear();
                    gone.push(format!("`{}`", it.secret));
                }
            }
            if !gone.is_empty() {
                let what = format!("an older store was accepted: what took the place of {} is gone", gone.join(", "));
                incident.done.push(Deed { at: now, uid: rustix::process::getuid().as_raw(), what });
            }
            self.incidents.insert(id, incident);
        }
    }

    /// Keeps what was revoked: whoever holds it has it still. A list without it is made anew, with a number that was not before.
    fn keep_revoked(&mut self, issued: Issued, certificates: Certificates) {
        self.issued.revoked_tokens.extend(issued.revoked_tokens);
        for (subject, before) in issued.revoked_subjects {
            let known = self.issued.revoked_subjects.entry(subject).or_insert(before);
            *known = before.max(*known);
        }
        for (id, key) in issued.api_keys {
            if let Some(ours) = self.issued.api_keys.get_mut(&id) {
                ours.revoked = ours.revoked.or(key.revoked);
            }
        }
        for it in certificates.revoked {
            if !self.certificates.is_revoked(it.issuer, &it.serial) {
                self.certificates.revoked.push(it);
            }
        }
        let lists = certificates.lists.into_iter();
        self.certificates.lists.extend(lists.map(|(name, it)| (name, Lists { versions: BTreeSet::new(), ..it })));
    }
}

#[cfg(test)]
mod tests {
    use super::super::issued::IssuedApiKey;
    use super::super::tests::{now, store};

    #[test]
    fn what_was_revoked_since_stays_revoked() {
        let (mut older, mut newer) = (store("age1"), store("age1"));
        let key = IssuedApiKey {
            name: "ci".into(),
            role: None,
            sha256: String::new(),
            last_four: String::new(),
            created: now(),
            expires: None,
            revoked: None,
            successor: None,
        };
        older.issued.api_keys.insert("known".into(), key.clone());
        for id in ["known", "unknown"] {
            newer.issued.api_keys.insert(id.into(), IssuedApiKey { revoked: Some(now()), ..key.clone() });
        }
        let earlier = now() - chrono::TimeDelta::days(1);
        older.issued.revoked_subjects.extend([("a".into(), now()), ("b".into(), earlier)]);
        newer.issued.revoked_subjects.extend([("a".into(), earlier), ("b".into(), now())]);
        newer.issued.revoked_tokens.insert("jti".into(), now());
        older.remember(newer, &[], now());
        let issued = &older.issued;
        assert_eq!((issued.api_keys.len(), issued.api_keys["known"].revoked), (1, Some(now())));
        assert_eq!((issued.revoked_subjects["a"], issued.revoked_subjects["b"]), (now(), now()));
        assert!(issued.revoked_tokens.contains_key("jti"));
    }
}
