//! What is kept of a value that is gone – purged, or given up after others were told it – so that a search still finds it: its public fingerprint, where nobody can guess a
//! value from one, and by what texts to compare are found.

use serde::{Deserialize, Serialize};

use super::{Version, derive};
use crate::secret::alphabet::Alphabet;
use crate::secret::parts::Part;

/// So many such versions of a secret keep theirs, the newest ones: a secret that rotates each hour must not make the store and the
/// committed list grow for ever.
pub(super) const MOST: usize = 100;

/// The public side of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its public fingerprint.
    pub fingerprint: String,
    /// Its length in bytes.
    pub length: usize,
    /// The characters that it consists of; of one without, no search could tell where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<Alphabet>,
}

impl Kept {
    /// Of a version, whether its value is there or purged; `None` where a value might be guessed from it.
    pub fn of(project: &str, version: &Version) -> Option<Self> {
        let Some(value) = version.parts.part(Part::Value) else { return version.public.clone() };
        let fingerprint = derive::fingerprint(project, version)?;
        Some(Self { fingerprint, length: value.len(), alphabet: Alphabet::of(value.expose()) })
    }
}

/// Takes it from all but the newest of a secret's versions whose values are gone.
pub(super) fn bound(versions: &mut [Version]) {
    versions.iter_mut().rev().filter(|it| it.public.is_some()).skip(MOST).for_each(|it| it.public = None);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{now, store, version};
    use super::super::{Life, Origin, Store};
    use super::*;
    use crate::name::SecretName;
    use crate::secret::parts::Parts;
    use crate::secret::{Secret, digest, random};

    fn name() -> SecretName {
        SecretName::new("A").unwrap()
    }

    /// What the purged versions keep, oldest first.
    fn kept(store: &Store) -> Vec<Option<Kept>> {
        store.secrets[&name()].iter().map(|it| it.public.clone()).collect()
    }

    #[test]
    fn what_is_purged_keeps_its_public_fingerprint_and_nothing_that_leads_to_a_weak_value() {
        let mut store = store("age1");
        let first = version(b"drawn-and-purged", now());
        let set = Version { origin: Origin::Set, ..version(b"somebody's own words", now()) };
        let weak = Version { bits: Some(127), ..version(b"a weak one that was drawn", now()) };
        let blanks = version(b"six words that nobody finds again", now());
        for old in [first, set, weak, blanks, version(b"current", now())] {
            store.promote(&name(), old);
        }
        store.purge(1, &BTreeSet::new());
        let fingerprint = digest::public_fingerprint("p", &Secret::copy_of(b"drawn-and-purged"));
        let expected = Kept { fingerprint, length: 16, alphabet: Some(Alphabet::Base64Url) };
        assert_eq!(kept(&store), [Some(expected.clone()), None, None, None, None]);
        // It is what the store, read again, and a ban of it know too.
        let after = super::super::format::read(&super::super::format::write(&store).unwrap()).unwrap();
        assert_eq!(kept(&after)[0], Some(expected.clone()));
        store.ban(&name(), now(), None);
        assert!(store.banned.iter().any(|(_, ban)| ban.public.as_ref() == Some(&expected.fingerprint)));
    }

    #[test]
    fn what_others_were_told_and_was_given_up_is_known_by_its_fingerprint_until_it_comes_all_the_same() {
        let mut store = store("age1");
        store.promote(&name(), version(b"current", now()));
        let (id, told) = (random::version_id().unwrap(), Life { told: Some(now()), ..Life::default() });
        let candidate = |life| Version { id, life, ..version(b"drawn-and-given-up", now()) };
        store.stage(&name(), candidate(told));
        store.give_up_candidate(&name(), now());
        let fingerprint = digest::public_fingerprint("p", &Secret::copy_of(b"drawn-and-given-up"));
        let given_up = store.version(&name(), id).unwrap();
        assert_eq!(
            (given_up.public.as_ref().unwrap().fingerprint.as_str(), given_up.parts.primary()),
            (&*fingerprint, None)
        );
        assert_eq!((store.versions(&name()).count(), store.to_retire(&name()).count()), (1, 0), "nobody accepts it");
        assert_eq!(store.ban(&name(), now(), None).len(), 2);
        store.refuse_banned(&name(), &Secret::copy_of(b"drawn-and-given-up")).unwrap_err();
        // By its id, and by its value under another one.
        let other = Version { id: random::version_id().unwrap(), ..candidate(Life::default()) };
        for comes in [candidate(Life::default()), other] {
            store.stage(&name(), candidate(told));
            store.give_up_candidate(&name(), now());
            let it = comes.id;
            store.promote(&name(), comes);
            assert_eq!(store.current(&name()).unwrap().id, it);
            let all = store.secrets.get_mut(&name()).unwrap();
            assert!(!all.iter().any(Version::was_given_up));
            all.pop();
        }
    }

    #[test]
    fn what_is_given_up_with_the_value_of_another_version_is_known_by_that() {
        let mut store = store("age1");
        store.promote(&name(), version(b"earlier", now()));
        store.promote(&name(), version(b"current", now()));
        store.stage(&name(), version(b"earlier", now()));
        store.give_up_candidate(&name(), now());
        assert_eq!(store.secrets[&name()].len(), 2);
    }

    #[test]
    fn of_a_key_that_is_given_up_nothing_is_left() {
        let mut store = store("age1");
        let key =
            || Version { parts: Parts::default().with(Part::Key, Secret::copy_of(b"pem")), ..version(b"", now()) };
        store.stage(&name(), key());
        store.give_up_candidate(&name(), now());
        assert_eq!(store.secrets[&name()].len(), 0);
        let it = key();
        let id = it.id;
        store.stage(&name(), it);
        store.leave_candidate(&name(), now());
        store.note_retired(&name(), id, now());
        assert_eq!(store.secrets[&name()].len(), 0);
    }

    #[test]
    fn only_the_newest_purged_versions_keep_it() {
        let mut store = store("age1");
        for number in 0..MOST + 3 {
            store.promote(&name(), version(format!("{number:020}").as_bytes(), now()));
        }
        for _ in 0..2 {
            store.purge(2, &BTreeSet::new());
        }
        // Two are kept whole, and one of the purged is one too many.
        let has: Vec<bool> = kept(&store).iter().map(Option::is_some).collect();
        assert_eq!(has, [&[false][..], &[true; MOST], &[false; 2]].concat());
    }
}
