//! Stores of two hosts, before and after a rotation of a secret of its own and of a bundle.

use std::collections::{BTreeMap, BTreeSet};

use vault_kit::manifest::Manifest;
use vault_kit::name::{EnvName, SecretName, VersionId};
use vault_kit::remote::Remote as _;
use vault_kit::rotate::claim::{self, Promoted};
use vault_kit::rotate::remote::{self, Found, Intake, Taking, Target};
use vault_kit::secret::Secret;
use vault_kit::secret::parts::{Part, Parts};
use vault_kit::store::synced::Base;
use vault_kit::store::{Life, Origin, Recipients, Stage, Store, Version};
use vault_kit::sync::content;
use vault_kit::sync::look::{self, State};
use vault_kit::sync::place::{Place, places};
use vault_kit::sync::seen::Seen;

use crate::aws::Fake;
use crate::rig::{Host, OWNER};
use crate::within;

const MANIFEST: &str = r#"
project.name = "shop"
environments.prod.aws = { account = "123456789012", region = "eu-west-1", prefix = "/shop/prod/" }
secrets.PASSWORD = { kind = "password", aws = "password" }
secrets.SESSION = { kind = "password", bundle = "app" }
secrets.SIGNING = { kind = "password", bundle = "app", bundle_key = "signing" }
secrets.LOCAL = { kind = "password", aws = "local" }
"#;

const PREFIX: &str = "/shop/prod/";

fn environment() -> EnvName {
    EnvName::new("prod").unwrap()
}

fn manifest() -> Manifest {
    vault_kit::manifest::parse(MANIFEST, "m").unwrap()
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

/// What both sides have at first, but for `LOCAL`, which was never sent.
fn fake() -> Fake {
    let fake = Fake::start();
    fake.put("/shop/prod/password", "old-password");
    fake.put("/shop/prod/app", r#"{"theirs":1,"SESSION":"old-session","signing":"old-signing"}"#);
    for path in ["password", "app"] {
        fake.tag(&format!("{PREFIX}{path}"), "vault-kit:managed", "shop/prod");
    }
    fake
}

fn version(id: VersionId, parts: Parts) -> Version {
    Version {
        id,
        kind: "password".into(),
        stage: Stage::Current,
        origin: Origin::Generated,
        created: chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        expires: None,
        life: Life::default(),
        bits: None,
        recipe: None,
        inputs: BTreeMap::new(),
        facts: BTreeMap::new(),
        fingerprint: None,
        public: None,
        parts,
    }
}

/// A store that agrees with the double.
fn store(fake: &Fake) -> Store {
    let recipients = Recipients { declared: false, keys: BTreeMap::new() };
    let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let mut store = Store::new("shop", &environment(), recipients, now).unwrap();
    let values = [("PASSWORD", "password"), ("SESSION", "session"), ("SIGNING", "signing"), ("LOCAL", "local")];
    for (secret, value) in values {
        let value = Secret::from_text(format!("old-{value}"));
        store.promote(&name(secret), version(VersionId::derived(secret), Parts::value(value)));
    }
    for (path, keys) in
        [("password", &[("", "old-password")][..]), ("app", &[("SESSION", "old-session"), ("signing", "old-signing")])]
    {
        let full = format!("{PREFIX}{path}");
        let print = |value: &str| content::fingerprints(&store).of(&Secret::copy_of(value.as_bytes()));
        let fields = keys.iter().map(|(key, value)| ((*key).to_owned(), print(value))).collect();
        let version = fake.holder(&full, "AWSCURRENT").unwrap();
        store.synced.bases.insert(full.clone(), Base { arn: fake.arn(&full), version, fields, attempt: None });
    }
    store
}

fn find<'p>(host: &Host, places: &'p [Place<'p>], due: &[&str], store: &Store) -> Found<'p> {
    let due = due.iter().map(|it| name(it)).collect();
    remote::find(&host.aws, places, PREFIX, &due, store).unwrap()
}

fn take(host: &Host, target: &Target<'_>, new: &[(&str, &str)]) -> Taking {
    let values: Vec<(&str, Secret)> =
        new.iter().map(|(key, value)| (*key, Secret::copy_of(value.as_bytes()))).collect();
    remote::take(&host.aws, target, OWNER, &values.iter().map(|(key, value)| (*key, value)).collect()).unwrap()
}

/// What promotion does to a store. Answers with the values in words.
fn promote(store: &mut Store, target: &Target<'_>, intake: Intake) -> String {
    let mut rotated = BTreeSet::new();
    let mut told = Vec::new();
    for taken in intake.values {
        let value = taken.parts.part(Part::Value).unwrap().expose_text().unwrap().to_owned();
        told.push(format!("{}={value}", taken.secret));
        let id = taken.version.unwrap_or_else(|| VersionId::derived(&value));
        store.promote(&taken.secret, version(id, taken.parts));
        rotated.insert(taken.secret);
    }
    remote::agree(store, target.place, intake.seen, &intake.id, &rotated);
    told.join(" ")
}

/// What `sync status` finds.
fn states(host: &Host, places: &[Place<'_>], store: &Store) -> Vec<State> {
    let seen = Seen { listed: host.aws.list(PREFIX).unwrap().into(), ..Seen::default() };
    let is_unread =
        |place: &Place<'_>| seen.listed.get(&place.name).is_some_and(|it| look::is_unread(place, store, it));
    assert!(!places.iter().any(is_unread), "nothing has to be read to know it");
    look::look(places, store, &seen).iter().map(|item| item.state).collect()
}

#[test]
fn both_hosts_come_to_the_same_values_and_know_it() {
    within("hosts::both_hosts_come_to_the_same_values_and_know_it", || {
        let fake = fake();
        let manifest = manifest();
        let environment = environment();
        let places = places(&manifest, &environment, manifest.aws(&environment).unwrap());
        let (first, second) = (Host::of(&fake), Host::of(&fake));
        let (mut here, mut there) = (store(&fake), store(&fake));
        fake.forget();
        let found = find(&first, &places, &["PASSWORD", "SESSION", "LOCAL"], &here);
        assert_eq!(fake.all_calls(), 2, "one listing and one batch: {:?}", fake.log());
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(found.absent.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["/shop/prod/local"]);
        let [bundle, whole] = &found.targets[..] else { panic!("{:?}", found.targets) };
        let theirs = find(&second, &places, &["SIGNING", "PASSWORD"], &there);

        // The first claims, and the second goes on with its values, also of a key that it did not know to be due.
        let Taking::Go(intake) = take(&first, bundle, &[("SESSION", "new-session")]) else { panic!() };
        let Taking::Go(adopted) = take(&second, &theirs.targets[0], &[("signing", "new-signing")]) else { panic!() };
        assert_eq!(adopted.id, intake.id);
        assert_eq!(claim::promote(&first.aws, &bundle.seen, &intake.id).unwrap(), Promoted::Now);
        assert_eq!(promote(&mut here, bundle, intake), "SESSION=new-session");
        assert_eq!(claim::promote(&second.aws, &theirs.targets[0].seen, &adopted.id).unwrap(), Promoted::Already);
        assert_eq!(promote(&mut there, &theirs.targets[0], adopted), "SESSION=new-session");
        assert_eq!(fake.value("/shop/prod/app"), br#"{"theirs":1,"SESSION":"new-session","signing":"old-signing"}"#);

        // The second comes when the first is done.
        let Taking::Go(intake) = take(&first, whole, &[("", "new-password")]) else { panic!() };
        claim::promote(&first.aws, &whole.seen, &intake.id).unwrap();
        let id = VersionId::parse(&intake.id).unwrap();
        assert_eq!(promote(&mut here, whole, intake), "PASSWORD=new-password");
        let Taking::Already(intake) = take(&second, &theirs.targets[1], &[("", "late-password")]) else { panic!() };
        assert_eq!(promote(&mut there, &theirs.targets[1], intake), "PASSWORD=new-password");
        for (host, store) in [(&first, &here), (&second, &there)] {
            assert_eq!(states(host, &places, store), [State::Same, State::Create, State::Same]);
            assert_eq!(store.current(&name("PASSWORD")).unwrap().id, id, "the same version everywhere");
        }
        // What is due once more begins from there.
        assert_eq!(find(&second, &places, &["SIGNING"], &there).targets.len(), 1);
    });
}

#[test]
fn what_changed_there_is_taken_before_it_is_rotated() {
    within("hosts::what_changed_there_is_taken_before_it_is_rotated", || {
        let fake = fake();
        let manifest = manifest();
        let environment = environment();
        let places = places(&manifest, &environment, manifest.aws(&environment).unwrap());
        let (host, store) = (Host::of(&fake), store(&fake));
        let codes = |due: &[&str]| -> Vec<String> {
            let found = find(&host, &places, due, &store);
            assert!(found.targets.is_empty(), "{:?}", found.targets);
            let words =
                found.changed.iter().map(|(_, words)| words).chain(found.problems.iter().map(|(_, words)| words));
            words.map(|it| format!("{} {}", it.code(), it.kind().code())).collect()
        };
        fake.put("/shop/prod/password", "by-hand");
        assert_eq!(codes(&["PASSWORD"]), ["remote-changed 7"]);
        // The listing does not know yet what the batch reads.
        fake.list_lag(2);
        fake.put("/shop/prod/app", "{}");
        assert_eq!(codes(&["SESSION"]), ["remote-changed 7"]);
        fake.heal();
        fake.delete("/shop/prod/app");
        assert_eq!(codes(&["SIGNING"]), ["remote-changed 7"]);
        fake.rotation_enabled("/shop/prod/password");
        assert_eq!(codes(&["PASSWORD"]), ["remote-rotated 7"]);
        fake.forget();
        assert!(find(&host, &places, &[], &store).problems.is_empty());
        assert_eq!(fake.all_calls(), 0, "nothing due, nothing asked");
    });
}

#[test]
fn whoever_may_not_list_describes_what_is_due() {
    within("hosts::whoever_may_not_list_describes_what_is_due", || {
        let fake = fake().deny("ListSecrets");
        let manifest = manifest();
        let environment = environment();
        let places = places(&manifest, &environment, manifest.aws(&environment).unwrap());
        let found = find(&Host::of(&fake), &places, &["PASSWORD", "LOCAL"], &store(&fake));
        assert_eq!((found.targets.len(), found.absent.len(), found.problems.len()), (1, 1, 0));
    });
}

#[test]
fn a_rotation_that_began_in_an_earlier_run_is_taken_up_from_what_was_seen_then() {
    within("hosts::a_rotation_that_began_in_an_earlier_run_is_taken_up_from_what_was_seen_then", || {
        let fake = fake();
        let manifest = manifest();
        let environment = environment();
        let places = places(&manifest, &environment, manifest.aws(&environment).unwrap());
        let (host, store) = (Host::of(&fake), store(&fake));
        let found = find(&host, &places, &["SESSION"], &store);
        let Taking::Go(begun) = take(&host, &found.targets[0], &[("SESSION", "new-session")]) else { panic!() };
        let again = || remote::resumed(&host.aws, found.targets[0].place, found.targets[0].seen.clone()).unwrap();
        let Taking::Go(taken_up) = take(&host, &again(), &[("SESSION", "forgotten")]) else { panic!() };
        assert_eq!(taken_up.id, begun.id);
        // It died after it had promoted there, and before it wrote that down.
        claim::promote(&host.aws, &found.targets[0].seen, &begun.id).unwrap();
        let Taking::Already(intake) = take(&host, &again(), &[("SESSION", "forgotten")]) else { panic!() };
        let mut store = store;
        assert_eq!(promote(&mut store, &again(), intake), "SESSION=new-session");
        assert_eq!(states(&host, &places, &store)[0], State::Same);
    });
}
