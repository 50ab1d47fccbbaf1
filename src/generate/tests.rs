//! What the tests of this module's files share, and the entry point's own tests.

use chrono::{DateTime, Utc};

use super::*;
use crate::manifest::model::{Encoding, RandomBytes};

/// A project, an environment and a time.
pub(super) struct Scene {
    environment: EnvName,
    pub(super) now: DateTime<Utc>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self { environment: EnvName::new("dev").unwrap(), now: DateTime::from_timestamp(1_800_000_000, 0).unwrap() }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context { project: "sutra", environment: &self.environment, now: self.now }
    }
}

pub(super) fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

pub(super) fn text_of(material: &Material) -> &str {
    material.parts.primary().unwrap().expose_text().unwrap()
}

/// Whether every `.env` reader agrees on a value without quotes: `[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,=-]*`.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,-".contains(&byte);
    text.bytes().next().is_some_and(plain) && text.bytes().all(|byte| plain(byte) || byte == b'=')
}

#[test]
fn each_kind_that_needs_no_input_is_made() {
    let scene = Scene::new();
    let bytes = RandomBytes { bytes: 32, encoding: Encoding::Base64url };
    let kinds = [
        (Kind::ApiKey { prefix: "k_".into() }, 178),
        (Kind::EncryptionKey(bytes), 256),
        (Kind::Passphrase { words: 6, separator: "-".into() }, 77),
        (Kind::Random(bytes), 256),
        (Kind::Uuid, 122),
    ];
    for (kind, bits) in kinds {
        assert_eq!(kind.entropy(), Some(bits));
        let material = generate(&Declaration::bare("X", kind), &scene.context(), &Inputs::new()).unwrap();
        assert_eq!(material.bits, Some(bits));
        assert!(is_plain(text_of(&material)) && material.expires.is_none() && material.facts.is_empty());
    }
}

#[test]
fn by_default_every_text_is_one_that_each_reader_of_an_env_file_takes_as_it_is() {
    let scene = Scene::new();
    let text = ["api-key", "encryption-key", "passphrase", "password", "random", "uuid"]
        .map(|kind| format!("secrets.{kind}.kind = \"{kind}\"\n"))
        .concat();
    let manifest = crate::manifest::parse(&format!("project.name = \"p\"\n{text}"), "m").unwrap();
    for declaration in manifest.secrets.values() {
        for _ in 0..1_000 {
            let material = generate(declaration, &scene.context(), &Inputs::new()).unwrap();
            assert!(is_plain(text_of(&material)), "{}", declaration.name);
        }
    }
}

#[test]
fn what_nobody_generates_is_a_bug() {
    let scene = Scene::new();
    let error = generate(&Declaration::bare("X", Kind::External), &scene.context(), &Inputs::new()).unwrap_err();
    assert_eq!(error.code(), "bug");
}
