//! Nothing that we make is weak or a placeholder to our own judge, wherever it looks: drawn by `generate`, by manifests as
//! people write them.
//!
//! A hundred thousand values, divided among the kinds and their recipes. `VAULT_KIT_DRAWS=100000` draws as many of each kind,
//! which takes minutes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::check::facts::{Facts, Place, StoreFact};
use crate::check::{Code, environment, judge};
use crate::generate::{Context, Inputs, generate};
use crate::manifest::{self, Manifest};
use crate::secret::Secret;
use crate::store::derive;
use crate::store::tests::{now, store, version};
use crate::store::{Origin, Version};

/// How many secrets a manifest declares: a value of each is drawn at a time.
const BATCH: usize = 250;

/// `BATCH` secrets of one recipe, all of them in a `.env`.
fn manifest(recipe: &str) -> Manifest {
    let mut text = String::from("project.name = \"p\"\noutputs.env = { format = \"dotenv\", path = \".env\" }\n");
    for number in 0..BATCH {
        writeln!(text, "[secrets.N{number}]\n{recipe}").unwrap();
    }
    manifest::parse(&text, "vault-kit.toml").unwrap_or_else(|issues| panic!("{recipe}: {issues:?}"))
}

/// What is wrong with a batch of freshly drawn values, in each of the places: where they are sealed, and as variables.
fn faults(manifest: &Manifest, places: &[Place]) -> Vec<String> {
    let environment = &manifest.default_environment;
    let mut store = store("age1");
    let mut variables = BTreeMap::new();
    for declaration in manifest.secrets.values() {
        let context = Context { project: "p", environment, now: now() };
        let material = generate(declaration, &context, &Inputs::new()).unwrap();
        let value = material.parts.primary().unwrap().expose();
        variables.insert(declaration.name.as_str().to_owned(), Secret::copy_of(value));
        if places.contains(&Place::Host) {
            let kind = declaration.kind.name().into();
            store.promote(&declaration.name, Version { kind, bits: material.bits, ..version(value, now()) });
        }
    }
    let digest = "d".to_owned();
    let ledger = derive::ledger(&store, digest.clone(), manifest, BTreeMap::new(), now());
    let facts = Facts {
        store: StoreFact::Present(digest),
        variables: Some(environment::inspect(manifest, environment, &variables)),
        ..Facts::default()
    };
    let report = judge(manifest, environment, Some(&ledger), &facts, places, now());
    assert_eq!(report.looked_at.variables, BATCH);
    let of_value = |code: Code| matches!(code, Code::Weak | Code::Placeholder);
    let findings = report.findings.into_iter().filter(|finding| of_value(finding.code));
    // The values of a test are nobody's secrets, and the one that fails is wanted.
    let value = |name: &str| String::from_utf8_lossy(variables[name].expose()).into_owned();
    findings.map(|it| format!("{:?} {} {}", it.place, it.message, value(it.secret.unwrap().as_str()))).collect()
}

/// How many tests share the draws.
const TESTS: usize = 7;

#[expect(clippy::disallowed_methods, reason = "how much is drawn is up to who runs the test")]
fn assert_none_is_found(recipes: &[&str]) {
    let draws = std::env::var("VAULT_KIT_DRAWS").map_or(100_000 / TESTS, |text| text.parse().unwrap());
    for recipe in recipes {
        let manifest = manifest(recipe);
        // In the store a value counts for what its recipe drew, whatever its text is: a few of them show it.
        assert_eq!(faults(&manifest, &[Place::Env, Place::Host]), Vec::<String>::new(), "{recipe}");
        for _ in 1..draws.div_ceil(recipes.len() * BATCH) {
            assert_eq!(faults(&manifest, &[Place::Env]), Vec::<String>::new(), "{recipe}");
        }
    }
}

#[test]
fn no_random_text_is_called_weak() {
    assert_none_is_found(&[
        "kind = \"random\"",
        "kind = \"random\"\nencoding = \"base64\"",
        "kind = \"random\"\nencoding = \"hex\"",
        "kind = \"random\"\nbytes = 16",
        "kind = \"random\"\nbytes = 16\nencoding = \"base64\"",
        "kind = \"random\"\nbytes = 16\nencoding = \"hex\"",
    ]);
}

#[test]
fn no_encryption_key_is_called_weak() {
    assert_none_is_found(&["kind = \"encryption-key\"", "kind = \"encryption-key\"\nbytes = 16\nencoding = \"hex\""]);
}

#[test]
fn no_uuid_is_called_weak() {
    assert_none_is_found(&["kind = \"uuid\""]);
}

#[test]
fn no_api_key_is_called_weak() {
    assert_none_is_found(&[
        "kind = \"api-key\"",
        "kind = \"api-key\"\nprefix = \"\"",
        "kind = \"api-key\"\nprefix = \"sk_\"",
    ]);
}

#[test]
fn no_password_is_called_weak() {
    assert_none_is_found(&[
        "kind = \"password\"",
        "kind = \"password\"\nlength = 11",
        "kind = \"password\"\nlength = 12\nclasses = []",
        "kind = \"password\"\nlength = 20\nalphabet = \"0123456789\"",
        "kind = \"password\"\nlength = 16\nalphabet = \"0123456789abcdef\"",
        "kind = \"password\"\nlength = 14\nalphabet = \"abcdefghijklmnopqrstuvwxyz\"",
        "kind = \"password\"\nlength = 16\nalphabet = \"aZ0-_.!xyzwvut#<>[]{}$%\"",
    ]);
}

#[test]
fn no_password_is_called_weak_for_being_as_short_as_its_recipe_wants_it() {
    assert_none_is_found(&[
        "kind = \"password\"\nlength = 8",
        "kind = \"password\"\nlength = 10",
        "kind = \"password\"\nlength = 16\nalphabet = \"0123456789\"",
    ]);
}

#[test]
fn no_passphrase_is_called_weak() {
    assert_none_is_found(&[
        "kind = \"passphrase\"",
        "kind = \"passphrase\"\nwords = 6",
        "kind = \"passphrase\"\nwords = 6\nseparator = \"\"",
        "kind = \"passphrase\"\nwords = 6\nseparator = \"aardvark \"",
    ]);
}

/// What a person made in the form of a recipe, and would have needed luck to draw.
#[test]
fn what_only_looks_like_the_recipe_is_judged_by_its_text() {
    for (recipe, value) in [
        ("kind = \"password\"\nlength = 20\nalphabet = \"0123456789\"", "12345678901234567890"),
        ("kind = \"password\"\nlength = 20\nalphabet = \"0123456789\"", "11112222333344445555"),
        ("kind = \"password\"\nlength = 8\nalphabet = \"0123456789\"", "12345678"),
        ("kind = \"password\"\nlength = 8\nclasses = []", "changeme"),
        ("kind = \"password\"\nlength = 12", "AbacusAcorn1"),
        ("kind = \"password\"\nlength = 10", "Xxxxxxxxx1"),
        ("kind = \"passphrase\"\nwords = 6", "yahoo-yahoo-yahoo-yahoo-yahoo-yahoo"),
        ("kind = \"passphrase\"\nwords = 6", "abacus-abdomen"),
        ("kind = \"passphrase\"\nwords = 6", "correct horse battery staple"),
        ("kind = \"random\"\nbytes = 16\nencoding = \"hex\"", "deadbeefdeadbeefdeadbeefdeadbeef"),
    ] {
        let manifest = manifest(recipe);
        let environment = &manifest.default_environment;
        let variables = BTreeMap::from([("N0".to_owned(), Secret::copy_of(value.as_bytes()))]);
        let inspected = environment::inspect(&manifest, environment, &variables);
        let facts = Facts { variables: Some(inspected), ..Facts::default() };
        let report = judge(&manifest, environment, None, &facts, &[Place::Env], now());
        let codes: Vec<Code> = report.findings.iter().map(|it| it.code).collect();
        assert!(codes.contains(&Code::Weak) || codes.contains(&Code::Placeholder), "{value} by {recipe}");

        // Supplied by hand into the store it is no better.
        let mut store = store("age1");
        let name = &manifest.secrets.keys().find(|name| name.as_str() == "N0").unwrap();
        let kind = manifest.secrets[*name].kind.name().into();
        let supplied = Version { kind, bits: None, origin: Origin::Set, ..version(value.as_bytes(), now()) };
        store.promote(name, supplied);
        let ledger = derive::ledger(&store, "d".into(), &manifest, BTreeMap::new(), now());
        let facts = Facts { store: StoreFact::Present("d".into()), ..Facts::default() };
        let report = judge(&manifest, environment, Some(&ledger), &facts, &[Place::Host], now());
        let is_told = |it: &crate::check::Finding| matches!(it.code, Code::Weak | Code::Placeholder);
        assert!(report.findings.iter().any(is_told), "{value} by {recipe}");
    }
}

#[test]
fn a_phrase_is_read_whatever_its_separators_are() {
    let read = |count, separator: &str, phrase: &str| {
        let words = split(count, separator.as_bytes(), phrase.as_bytes());
        words.map(|words| words.into_iter().map(|it| String::from_utf8(it.to_vec()).unwrap()).collect::<Vec<_>>())
    };
    let known = |words: &[&str]| Some(words.iter().rev().map(|&word| word.to_owned()).collect::<Vec<_>>());
    assert_eq!(read(2, "-", "drop-down-yo-yo"), known(&["drop-down", "yo-yo"]));
    assert_eq!(read(2, "", "abacusyo-yo"), known(&["abacus", "yo-yo"]));
    assert_eq!(read(3, "abacus", "abacusabacusabacusabacusabacus"), known(&["abacus"; 3]));
    assert_eq!(read(3, "-", "abacus-abdomen"), None);
    assert_eq!(read(2, "-", "abacus-abdomem"), None);
    assert_eq!(read(2, "-", &"abacus-".repeat(9_000)), None);
}
