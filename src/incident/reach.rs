//! What a leak reaches, from manifest, store and ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::deliver;
use crate::manifest::{Declaration, Format, Manifest, Output};
use crate::name::{EnvName, SecretName};
use crate::plan;
use crate::store::incidents::{Affected, Copy, Delivery, RemoteCopy};
use crate::store::ledger::DeliveredFile;
use crate::store::{Store, Version};
use crate::sync::place;
use crate::token::issued::is_over;

/// How many of a secret's last changes are told.
const CHANGES: usize = 5;

/// What is known besides the manifest.
#[derive(Debug)]
pub struct Known<'a> {
    /// The store, as it is before anything is done.
    pub store: &'a Store,
    /// The delivered files, as the ledger has them.
    pub files: &'a BTreeMap<String, DeliveredFile>,
    /// The audit record.
    pub audit: &'a [u8],
    /// Other secrets with the same value, by those that leaked.
    pub copies: BTreeMap<SecretName, Vec<Copy>>,
    /// The services that read delivered files, by path.
    pub readers: BTreeMap<String, BTreeSet<String>>,
    /// The time.
    pub now: DateTime<Utc>,
}

/// The named secrets and what is made from them, in the manifest's order, and then what is declared no more; what has no value is not
/// reached.
pub fn affected(
    manifest: &Manifest,
    environment: &EnvName,
    known: &Known<'_>,
    names: &BTreeSet<SecretName>,
) -> Vec<Affected> {
    let all = plan::dependents(manifest, names);
    let declared = manifest.secrets_in(environment).filter(|it| all.contains(&it.name));
    let one = |it: &Declaration| {
        let references = || it.references().into_iter().find(|input| all.contains(*input)).cloned();
        let made_from = if names.contains(&it.name) { None } else { Some(references()?) };
        of(manifest, environment, known, &it.name, made_from)
    };
    let others = names.iter().filter(|name| !manifest.has_secret(name, environment));
    let others = others.filter_map(|name| of(manifest, environment, known, name, None));
    declared.filter_map(one).chain(others).collect()
}

fn of(
    manifest: &Manifest,
    environment: &EnvName,
    known: &Known<'_>,
    name: &SecretName,
    made_from: Option<SecretName>,
) -> Option<Affected> {
    let current = known.store.current(name)?;
    let versions = known.store.secrets.get(name)?.iter();
    Some(Affected {
        secret: name.clone(),
        kind: manifest.secret(name).map_or_else(|| current.kind.clone(), |it| it.kind.name().to_owned()),
        made_from,
        since: current.created,
        versions: versions.map(|version| version.id).collect(),
        forgotten: false,
        closed: false,
        successor: None,
        deliveries: deliveries(manifest, environment, known, name, current),
        remote: remote(manifest, environment, known.store, name),
        copies: known.copies.get(name).cloned().unwrap_or_default(),
        read: BTreeSet::new(),
        signed: signed(known, name),
        changes: changes(known.audit, environment, name),
    })
}

fn deliveries(
    manifest: &Manifest,
    environment: &EnvName,
    known: &Known<'_>,
    name: &SecretName,
    current: &Version,
) -> Vec<Delivery> {
    let previous = name.previous();
    let held = |file: &DeliveredFile| {
        file.holds.get(name).or_else(|| file.holds.get(previous.as_ref()?)).map(|version| *version != current.id)
    };
    let of_file = |file: &DeliveredFile| {
        let old = held(file)?;
        let output = manifest.outputs.get(&file.output);
        Some(Delivery {
            path: file.file.clone(),
            output: file.output.clone(),
            form: file.form.clone().unwrap_or_default(),
            mode: output.map(|output| mode(manifest, output, &file.file)).unwrap_or_default(),
            old,
            services: known.readers.get(&file.file).cloned().unwrap_or_default(),
        })
    };
    // What an operator makes of these is not known here: the files themselves hold no value.
    let operators = manifest
        .outputs_in(environment)
        .filter(|output| matches!(output.format, Format::ExternalSecret(_)) && output.secrets.contains(name));
    let of_operator = operators.map(|output| Delivery {
        path: output.path.clone(),
        output: output.name.clone(),
        form: output.form().into_owned(),
        mode: format!("{:04o}", output.mode),
        old: false,
        services: BTreeSet::new(),
    });
    known.files.values().filter_map(of_file).chain(of_operator).collect()
}

/// The mode of a file of an output: what is no secret, such as a certificate, has another one than the rest.
fn mode(manifest: &Manifest, output: &Output, path: &str) -> String {
    let pieces = |name: &SecretName| output.pem_files(name, &manifest.secret(name)?.kind);
    let mut pieces = output.secrets.iter().filter_map(pieces).flatten();
    let is_public = pieces.any(|(piece, file)| file == path && piece.is_public());
    format!("{:04o}", deliver::options(output, is_public).mode)
}

fn remote(manifest: &Manifest, environment: &EnvName, store: &Store, name: &SecretName) -> Option<RemoteCopy> {
    let aws = manifest.aws(environment)?;
    let place = place::places(manifest, environment, aws).into_iter().find(|place| place.holds(name))?;
    let synced = store.synced.bases.get(&place.name).map(|base| (base.arn.clone(), base.version.clone()));
    Some(RemoteCopy { name: place.name, synced })
}

/// Tokens and certificates that were signed for others: nobody here holds them, so that nobody can make them anew.
fn signed(known: &Known<'_>, name: &SecretName) -> Vec<String> {
    let (store, now) = (known.store, known.now);
    let versions = store.secrets.get(name).map_or(&[][..], Vec::as_slice);
    let tokens = store.issued.tokens.iter().filter(|(_, it)| it.signed_by == *name && !is_over(it.expires, now));
    let tokens = tokens.map(|(jti, it)| format!("token `{jti}` of `{}`, until {}", it.subject, second(it.expires)));
    let kid = |version: &Version| {
        version.facts.get("kid").cloned().unwrap_or_else(|| crate::token::sign::shared_kid(version.id))
    };
    let horizon = versions.iter().filter_map(|it| store.issued.horizons.get(&kid(it))).max().filter(|it| **it > now);
    let unrecorded = horizon.map(|until| format!("tokens that nobody recorded, until {}", second(*until)));
    let of_ours = |issuer| versions.iter().any(|version| version.id == issuer);
    let certificates = store.certificates.issued.iter().filter(|it| of_ours(it.issuer) && it.expires > now);
    let certificates = certificates
        .map(|it| format!("certificate {} of a request, for {}, until {}", it.serial, it.subject, second(it.expires)));
    tokens.chain(unrecorded).chain(certificates).collect()
}

/// As much of a line of the audit record as is told.
#[derive(Deserialize)]
struct Line {
    at: DateTime<Utc>,
    uid: u32,
    action: String,
    environment: EnvName,
    secrets: Vec<SecretName>,
    #[serde(default)]
    intent: bool,
}

/// The last changes of a secret. A line that cannot be read tells nothing, and keeps nobody from replacing a value.
fn changes(audit: &[u8], environment: &EnvName, name: &SecretName) -> Vec<String> {
    let lines = audit.rsplit(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    let ours = lines.filter(|line| !line.intent && line.environment == *environment && line.secrets.contains(name));
    let mut last: Vec<String> =
        ours.take(CHANGES).map(|line| format!("{}: `{}` by uid {}", second(line.at), line.action, line.uid)).collect();
    last.reverse();
    last
}

/// A time as people read it.
pub fn second(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
