//! Rotations by an injected clock, minute after minute, with verifiers whose key set is as old as it may be.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::few::Few;
use crate::generate::keypair::{self, PrivateKey};
use crate::manifest;
use crate::manifest::model::KeyAlgorithm;
use crate::secret::parts::Part;
use crate::store::synced::Base;
use crate::store::tests::{now as start, store, version};
use crate::token::claims::Claims;
use crate::token::jwks;
use crate::token::reason::Reason;
use crate::token::sign::SigningKey;
use crate::token::trusted::Trusted;
use crate::token::verify::{Accepted, Verifier};

fn name() -> SecretName {
    SecretName::new("SIGNER").unwrap()
}

fn drawn(created: DateTime<Utc>) -> Version {
    let material = keypair::generate(KeyAlgorithm::Eddsa).unwrap();
    Version { kind: "keypair".into(), facts: material.facts, parts: material.parts, ..version(b"", created) }
}

/// A project of one published key, and everything that ever happened in it.
struct Scene {
    manifest: Manifest,
    store: Store,
    max_age: TimeDelta,
    ttl: TimeDelta,
    /// The key set as it was from each time on.
    published: BTreeMap<DateTime<Utc>, String>,
    tokens: Vec<(DateTime<Utc>, String)>,
}

impl Scene {
    fn new(max_age: i64, ttl: i64, overlap: i64) -> Self {
        let text = format!(
            "[project]\nname = \"p\"\n[secrets.SIGNER]\nkind = \"keypair\"\nalgorithm = \"eddsa\"\noverlap = \"{overlap}m\"\n\
             [outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nmax_age = \"{max_age}m\"\n"
        );
        let mut store = store("age1");
        store.promote(&name(), drawn(start()));
        let mut scene = Self {
            manifest: manifest::parse(&text, "vault-kit.toml").unwrap(),
            store,
            max_age: TimeDelta::minutes(max_age),
            ttl: TimeDelta::minutes(ttl),
            published: BTreeMap::new(),
            tokens: Vec::new(),
        };
        // Verifiers that know nothing fetch before they verify.
        scene.render(start() - scene.max_age);
        scene
    }

    fn companions(&self, now: DateTime<Utc>) -> Vec<Companion<'_>> {
        companions(&self.manifest, self.manifest.secret("SIGNER").unwrap(), &self.store, now)
    }

    fn render(&mut self, now: DateTime<Utc>) {
        let environment = self.store.environment.clone();
        let keys = Trusted::of_pairs(&self.manifest, &environment, &self.store, &[name()], now);
        self.published.insert(now, jwks::write(&keys));
    }

    /// What a writer does first of all.
    fn write(&mut self, now: DateTime<Utc>) {
        if self.companions(now).iter().any(|it| it.state == State::Next && it.until <= now) {
            self.store.activate(&name(), now);
            self.store.wipe_private(&name());
        }
        self.render(now);
    }

    fn mint(&mut self, now: DateTime<Utc>) {
        let active = self.store.current(&name()).unwrap();
        let key = SigningKey::pair(&PrivateKey::from_pem(active.parts.part(Part::Key).unwrap()).unwrap());
        let expires = now + self.ttl;
        let claims = Claims {
            issuer: "p".into(),
            audience: vec!["p".into()],
            subject: "svc:api".into(),
            role: None,
            scope: Vec::new(),
            id: "jti".into(),
            issued: now.timestamp(),
            not_before: now.timestamp(),
            expires: expires.timestamp(),
        };
        self.tokens.push((expires, key.sign(&claims).unwrap().expose_text().unwrap().to_owned()));
        let horizon = self.store.issued.horizons.entry(key.kid().to_owned()).or_insert(expires);
        *horizon = expires.max(*horizon);
    }

    /// The tokens of this instant, and those that live their last one, held against the set that was there at `fetched`.
    fn verify(&self, now: DateTime<Utc>, fetched: DateTime<Utc>) {
        let (_, set) = self.published.range(..=fetched).next_back().unwrap();
        let keys = jwks::parse(set.as_bytes(), "jwks.json").unwrap();
        let otherwise = Accepted { issuers: vec!["p".into()], audiences: vec!["p".into()] };
        let verifier = Verifier { otherwise, ..Verifier::new(&keys) };
        // Leeway is one step of this clock: at `expires` a token still verifies.
        for (_, token) in self.tokens.iter().filter(|(expires, _)| *expires == now || *expires - self.ttl == now) {
            let answer = verifier.verify(token, now);
            assert!(answer.is_ok(), "{now}, set of {fetched}: {answer:?}");
        }
    }
}

/// Rotates every `pause` minutes for as long as `minutes`, with `speed` tokens a minute, and a writer every `writer`
/// minutes besides.
fn rotate(scene: &mut Scene, minutes: i64, pause: i64, writer: i64, speed: usize) {
    for minute in 0..minutes {
        let now = start() + TimeDelta::minutes(minute);
        if minute % writer == 0 {
            scene.write(now);
        }
        if minute % pause == pause - 1 && scene.store.next_mut(&name()).is_none() {
            scene.store.publish(&name(), Version { stage: Stage::Next, ..drawn(now) });
            scene.render(now);
        }
        (0..speed).for_each(|_| scene.mint(now));
        scene.verify(now, now);
        scene.verify(now, now - scene.max_age);
    }
}

#[test]
fn thousands_of_tokens_across_two_rotations_meet_no_verifier_that_cannot_verify_them() {
    let mut scene = Scene::new(10, 15, 5);
    rotate(&mut scene, 60, 20, 1, 35);
    assert_eq!((scene.tokens.len(), scene.store.secrets[&name()].len()), (2100, 4));
    let environment = scene.store.environment.clone();
    let long_after = start() + TimeDelta::days(1);
    let trusted = Trusted::of_store(&scene.manifest, &environment, &scene.store, long_after);
    let verifier = Verifier { by_key: trusted.accepted, ..Verifier::new(&trusted.keys) };
    assert_eq!(verifier.verify(&scene.tokens[0].1, long_after).unwrap_err(), Reason::KeyRetired);
}

#[test]
fn each_day_in_the_life_of_a_key_comes_when_it_should() {
    let mut scene = Scene::new(60, 15, 120);
    let at = |minutes: i64| start() + TimeDelta::minutes(minutes);
    let states = |scene: &Scene, now| {
        let companions = scene.companions(now);
        scene.store.secrets[&name()].iter().map(|version| state(&companions, version)).collect::<Vec<_>>()
    };
    scene.store.publish(&name(), drawn(at(0)));
    assert_eq!(states(&scene, at(0)), [State::Active, State::Next]);
    scene.write(at(59));
    assert_eq!(states(&scene, at(59)), [State::Active, State::Next]);
    scene.write(at(60));
    assert_eq!(states(&scene, at(60)), [State::Retiring, State::Active]);
    // 120 of overlap, 1 of leeway, 60 of age.
    assert_eq!(states(&scene, at(60 + 180)), [State::Retiring, State::Active]);
    assert_eq!(states(&scene, at(60 + 181)), [State::Retired, State::Active]);
    // Something that was signed lives longer than the overlap.
    let kid = scene.store.secrets[&name()][0].facts["kid"].clone();
    scene.store.issued.horizons.insert(kid, at(1000));
    assert_eq!(states(&scene, at(1060)), [State::Retiring, State::Active]);
    assert_eq!(states(&scene, at(1061)), [State::Retired, State::Active]);
    scene.store.secrets.get_mut(&name()).unwrap()[0].life.revoked = Some(at(70));
    assert_eq!(states(&scene, at(70)), [State::Retired, State::Active]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn at_every_instant_every_live_token_verifies(
        max_age in 1..30_i64, ttl in 1..40_i64, overlap in 1..40_i64, pause in 1..40_i64, writer in 1..20_i64,
    ) {
        rotate(&mut Scene::new(max_age, ttl, overlap), 90, pause, writer, 1);
    }
}

/// A key that other hosts have by way of AWS, once it was exchanged.
fn shared(is_exchanged: bool) -> Scene {
    let mut scene = Scene::new(10, 15, 5);
    let text = "project.name = \"p\"\nenvironments.dev.aws = { spread = \"1h\" }\n\
                [secrets.SIGNER]\nkind = \"keypair\"\nalgorithm = \"eddsa\"\noverlap = \"5m\"\naws = \"signer\"\n\
                [outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nmax_age = \"10m\"\n";
    scene.manifest = manifest::parse(text, "vault-kit.toml").unwrap();
    scene.store.environment = scene.manifest.default_environment.clone();
    if is_exchanged {
        let base = Base { arn: "arn".into(), version: "v".into(), fields: Few::default(), attempt: None };
        scene.store.synced.bases.insert("/p/dev/signer".into(), base);
    }
    scene
}

#[test]
fn a_key_that_other_hosts_have_waits_until_they_publish_it_too_and_stays_for_what_they_signed() {
    for (is_exchanged, waits, stays) in [
        (false, TimeDelta::minutes(10), TimeDelta::minutes(16)),
        (true, TimeDelta::minutes(70), TimeDelta::days(365) + TimeDelta::minutes(71)),
    ] {
        let mut scene = shared(is_exchanged);
        scene.store.publish(&name(), drawn(start()));
        let next = scene.companions(start())[0];
        assert_eq!((next.state, next.until), (State::Next, start() + waits));
        // Here it is in the file since later: verifiers here wait as long as ever, and those elsewhere no longer for it.
        let held = start() + TimeDelta::minutes(30);
        assert_eq!(next.held_since(held).until, (start() + waits).max(held + TimeDelta::minutes(10)));
        scene.store.activate(&name(), start());
        let old = scene.companions(start())[0];
        assert_eq!((old.state, old.until), (State::Retiring, start() + stays));
    }
}
