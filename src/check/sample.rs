//! A small project for the tests of judge and observer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::facts::{Content, ExpectedFile, Facts, FileFact, FileState, StoreFact};
use crate::manifest::model::{Dialect, Role, Token, TokenAlgorithm};
use crate::manifest::period::Period;
use crate::manifest::{Comments, Declaration, Environment, Format, Kind, Manifest, Output};
use crate::name::{EnvName, OutputName, SecretName, VersionId};
use crate::store::ledger::{DeliveredFile, Entry, Header, Ledger, SCHEMA_VERSION};

pub(crate) fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

pub(crate) fn env(text: &str) -> EnvName {
    EnvName::new(text).unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

fn declaration(text: &str, kind: Kind) -> (SecretName, Arc<Declaration>) {
    (name(text), Arc::new(Declaration::bare(text, kind)))
}

fn token() -> Kind {
    Kind::Token(Token {
        signed_by: name("KEY"),
        algorithm: TokenAlgorithm::Hs256,
        role: Some(Role::Service),
        subject: "svc:api".into(),
        audience: vec!["p".into()],
        scope: Vec::new(),
        issuer: "p".into(),
        ttl: Period::days(90),
    })
}

/// `KEY` signs `TOKEN`, a person supplies `API_KEY`, `CORS_ORIGINS` is a setting; all of them in `.env`.
pub(crate) fn manifest() -> Manifest {
    let cors = Kind::Setting {
        value: Some("http://localhost:3000".into()),
        values: BTreeMap::from([(env("prod"), "*".to_owned())]),
    };
    let key = Kind::Uuid;
    let secrets = BTreeMap::from([
        declaration("API_KEY", Kind::External),
        declaration("CORS_ORIGINS", cors),
        declaration("KEY", key),
        declaration("TOKEN", token()),
    ]);
    let output = Output {
        name: OutputName::new("env").unwrap(),
        format: Format::Dotenv { dialect: Dialect::Portable },
        path: ".env".into(),
        secrets: secrets.keys().cloned().collect(),
        mode: 0o600,
        directory_mode: None,
        uid: None,
        gid: None,
        in_place: false,
        atomic: false,
        environments: None,
        line: 1,
    };
    Manifest {
        file: "vault-kit.toml".into(),
        warnings: Vec::new(),
        comments: Comments::default(),
        project: "p".into(),
        issuer: "p".into(),
        default_environment: env("dev"),
        keep: 5,
        compose: None,
        compose_variables: crate::manifest::deployment::ComposeVariables::default(),
        environments: BTreeMap::from([(env("dev"), Environment::default()), (env("prod"), Environment::default())]),
        order: secrets.values().cloned().collect(),
        secrets,
        outputs: BTreeMap::from([(output.name.clone(), output)]),
        scan: crate::manifest::leaks::Rules::default(),
        hooks: BTreeMap::new(),
        deployment: None,
        allowances: Vec::new(),
    }
}

/// Changes a declaration in both places where the manifest has it.
pub(crate) fn redeclare(manifest: &mut Manifest, text: &str, change: impl FnOnce(&mut Declaration)) {
    drop(manifest.secrets.remove(text));
    let declaration = manifest.order.iter_mut().find(|it| it.name.as_str() == text).unwrap();
    change(Arc::get_mut(declaration).unwrap());
    manifest.secrets.insert(name(text), Arc::clone(declaration));
}

fn version(text: &str) -> VersionId {
    VersionId::from_random([text.as_bytes()[0]; 16])
}

fn entry(text: &str) -> (SecretName, Entry) {
    let entry = Entry {
        name: name(text),
        kind: if text == "TOKEN" { "token" } else { "random" }.into(),
        version: version(text),
        stage: "current".into(),
        created: now() - days(10),
        due: Some(now() + days(80)),
        expires: (text == "TOKEN").then(|| now() + days(80)),
        bits: Some(256),
        placeholder: false,
        mismatch: false,
        wildcard: false,
        banned: false,
        pattern: None,
        recipe: Some("r1".into()),
        fingerprint: Some(format!("fp-{text}")),
        inputs: BTreeMap::new(),
        beside: Vec::new(),
        remote: None,
        rotation: None,
        tells_leaked: false,
        candidate_kind: None,
        untold: false,
        kept: false,
        refused: None,
        rotated: None,
        facts: BTreeMap::new(),
    };
    (name(text), entry)
}

fn holds() -> BTreeMap<SecretName, VersionId> {
    ["API_KEY", "KEY", "TOKEN"].into_iter().map(|text| (name(text), version(text))).collect()
}

pub(crate) fn ledger() -> Ledger {
    let file = DeliveredFile {
        file: ".env".into(),
        output: OutputName::new("env").unwrap(),
        form: Some("dotenv, portable".into()),
        holds: holds(),
        digest: None,
        size: 10,
        mtime: 20,
        inode: 30,
    };
    Ledger {
        header: Header {
            vault_kit_ledger: SCHEMA_VERSION,
            project: "p".into(),
            environment: env("dev"),
            store_id: version("s"),
            generation: 1,
            store_digest: "digest".into(),
            updated: now(),
            recipients: BTreeMap::new(),
            recipients_declared: false,
            aws: None,
            contacted: None,
            due: None,
            manifest: None,
            is_default: true,
            missed: None,
            behind: false,
            reloads: BTreeMap::new(),
            unread: BTreeMap::new(),
            banned: BTreeSet::new(),
            leaks: BTreeMap::new(),
            leaked_into: BTreeSet::new(),
        },
        secrets: ["API_KEY", "KEY", "TOKEN"].into_iter().map(entry).collect(),
        files: BTreeMap::from([(".env".into(), file)]),
    }
}

pub(crate) fn expected() -> ExpectedFile {
    ExpectedFile {
        path: ".env".into(),
        output: OutputName::new("env").unwrap(),
        holds: holds(),
        mode: 0o600,
        public: false,
        uid: None,
        gid: None,
        dotenv: true,
    }
}

pub(crate) fn state() -> FileState {
    FileState {
        mode: 0o600,
        uid: 1000,
        gid: 1000,
        size: 10,
        mtime: 20,
        inode: 30,
        links: 1,
        content: Content::AsWritten,
    }
}

/// Facts in which nothing is wrong.
pub(crate) fn facts() -> Facts {
    Facts {
        store: StoreFact::Present("digest".into()),
        recipes: ["API_KEY", "KEY", "TOKEN"].into_iter().map(|text| (name(text), "r1".to_owned())).collect(),
        expected: vec![expected()],
        files: BTreeMap::from([(".env".into(), FileFact::File(state()))]),
        owners: BTreeSet::from([1000]),
        ..Facts::default()
    }
}
