//! Which files an environment should have, from manifest and ledger alone: what `check` compares the disk with.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use chrono::{DateTime, Utc};

use super::mode;
use crate::check::facts::ExpectedFile;
use crate::gather::Gather;
use crate::manifest::model::{Certificate, PemFile};
use crate::manifest::{Declaration, Format, Kind, Manifest, Output};
use crate::name::{EnvName, SecretName, VersionId};
use crate::store::ledger::{Beside, BesideState, Entry, Ledger};

/// The files that the outputs of an environment should have.
///
/// A file of one secret that has no value is not expected: the secret itself is missing, unless it is optional.
pub fn files(
    manifest: &Manifest,
    environment: &EnvName,
    ledger: Option<&Ledger>,
    now: DateTime<Utc>,
) -> Vec<ExpectedFile> {
    let expectation = Expectation { manifest, environment, ledger, now };
    manifest.outputs_in(environment).flat_map(|output| expectation.of(output)).collect()
}

/// The directories in which outputs of any environment are written, relative to the project or absolute: where a killed
/// writer may have left a temp file.
pub fn directories(manifest: &Manifest) -> BTreeSet<String> {
    manifest.outputs.values().flat_map(|output| of_output(manifest, output)).collect()
}

/// The directories that files of an output are in.
pub(super) fn of_output(manifest: &Manifest, output: &Output) -> BTreeSet<String> {
    let parent = |path: &str| path.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
    if !matches!(output.format, Format::DockerSecrets { .. } | Format::Pem { .. }) {
        return BTreeSet::from([parent(&output.path)]);
    }
    let declared = output.secrets.iter().filter_map(|name| manifest.secrets.get(name));
    let files = declared.flat_map(|it| output.files_of(&it.name, &it.kind));
    files.map(|file| parent(&file)).chain([output.path.clone()]).collect()
}

struct Expectation<'a> {
    manifest: &'a Manifest,
    environment: &'a EnvName,
    ledger: Option<&'a Ledger>,
    now: DateTime<Utc>,
}

impl Expectation<'_> {
    fn of(&self, output: &Output) -> Vec<ExpectedFile> {
        let held = || self.held(output);
        match &output.format {
            Format::Dotenv { .. } | Format::Json | Format::KubernetesSecret(_) => {
                let holds = held().map(current).chain(held().filter_map(|it| self.previous(it))).gather();
                vec![file(output, output.path.clone(), holds, false)]
            }
            Format::DockerSecrets { .. } => {
                let files = held().flat_map(|it| {
                    let name = &it.0.name;
                    let previous = self.previous(it).map(|held| (output.previous_file_of(name), held));
                    iter::once((output.file_of(name), current(it))).chain(previous)
                });
                files.map(|(path, held)| file(output, path, BTreeMap::from([held]), false)).collect()
            }
            Format::Pem { .. } => held().flat_map(|it| self.pem(output, it.0, &current(it))).collect(),
            Format::ApiKeys | Format::Fingerprints | Format::Jwks { .. } | Format::Revocations => {
                let holds = held().map(current).gather();
                vec![file(output, output.path.clone(), holds, output.format.is_public_document())]
            }
            Format::ExternalSecret(_) => vec![file(output, output.path.clone(), BTreeMap::new(), true)],
            Format::NotYet(_) => Vec::new(),
        }
    }

    fn pem(&self, output: &Output, declaration: &Declaration, version: &(SecretName, VersionId)) -> Vec<ExpectedFile> {
        output
            .pem_files(&declaration.name, &declaration.kind)
            .unwrap_or_default()
            .into_iter()
            .filter(|(piece, _)| match piece {
                PemFile::Chain => self.has_chain(declaration),
                PemFile::Ca => output.names_pieces() || self.has_root(declaration),
                _ => true,
            })
            .map(|(piece, path)| file(output, path, BTreeMap::from([version.clone()]), piece.is_public()))
            .collect()
    }

    /// Whether an intermediate stands between a certificate and its root.
    fn has_chain(&self, declaration: &Declaration) -> bool {
        if matches!(declaration.kind, Kind::ImportedCertificate(_)) {
            return self.fact(declaration, "intermediates").is_some_and(|count| count != "0");
        }
        let Kind::Certificate(Certificate { issuer: Some(issuer), .. }) = &declaration.kind else { return false };
        matches!(self.manifest.secret(issuer).map(|it| &it.kind), Some(Kind::Ca(ca)) if ca.issuer.is_some())
    }

    /// Whether the root is there: an imported certificate may come without.
    fn has_root(&self, declaration: &Declaration) -> bool {
        !matches!(declaration.kind, Kind::ImportedCertificate(_))
            || self.fact(declaration, "root").is_some_and(|root| root == "yes")
    }

    fn fact(&self, declaration: &Declaration, key: &str) -> Option<&str> {
        self.ledger?.secrets.get(&declaration.name)?.facts.get(key).map(String::as_str)
    }

    /// The secrets of an output that have a value, each with its line of the ledger.
    fn held<'s>(&'s self, output: &'s Output) -> impl Iterator<Item = Held<'s>> {
        let declarations = output.secrets.iter().filter_map(|name| self.manifest.secret(name));
        let declarations = declarations.filter(|it| it.is_in(self.environment));
        declarations.filter_map(|it| Some((it, self.ledger?.secrets.get(&it.name)?)))
    }

    /// The version that is delivered beside the current one, and the name that it has there.
    fn previous(&self, (declaration, entry): Held<'_>) -> Option<(SecretName, VersionId)> {
        let retiring = |it: &&Beside| it.state == BesideState::Retiring && self.now < it.until;
        let beside = entry.beside.iter().find(retiring).filter(|_| declaration.kind.is_single())?;
        Some((declaration.name.previous()?, beside.version))
    }
}

type Held<'a> = (&'a Declaration, &'a Entry);

fn current((declaration, entry): Held<'_>) -> (SecretName, VersionId) {
    (declaration.name.clone(), entry.version)
}

fn file(output: &Output, path: String, holds: BTreeMap<SecretName, VersionId>, public: bool) -> ExpectedFile {
    ExpectedFile {
        path,
        output: output.name.clone(),
        holds,
        mode: mode(output, public),
        public,
        uid: output.uid,
        gid: output.gid,
        dotenv: matches!(output.format, Format::Dotenv { .. }),
    }
}
