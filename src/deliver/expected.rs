//! Which files an environment should have, from manifest and ledger alone: what `check` compares the disk with.

use std::collections::{BTreeMap, BTreeSet};

use super::PUBLIC_MODE;
use crate::check::facts::ExpectedFile;
use crate::emit;
use crate::manifest::model::{Certificate, PemFile};
use crate::manifest::{Declaration, Format, Kind, Manifest, Output};
use crate::name::{EnvName, SecretName, VersionId};
use crate::store::ledger::Ledger;

/// The files that the outputs of an environment should have.
///
/// A file of one secret that has no value is not expected: the secret itself is missing, unless it is optional.
pub fn files(manifest: &Manifest, environment: &EnvName, ledger: Option<&Ledger>) -> Vec<ExpectedFile> {
    let expectation = Expectation { manifest, environment, ledger };
    manifest.outputs_in(environment).flat_map(|output| expectation.of(output)).collect()
}

/// The directories in which outputs of any environment are written, relative to the project or absolute: where a killed
/// writer may have left a temp file.
pub fn directories(manifest: &Manifest) -> BTreeSet<String> {
    manifest.outputs.values().flat_map(of_output).collect()
}

fn of_output(output: &Output) -> Vec<String> {
    let parent = |path: &str| path.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
    let beneath = |file: &String| parent(&format!("{}/{file}", output.path));
    let mut directories = match &output.format {
        Format::Dotenv { .. } | Format::Json | Format::NotYet(_) => return vec![parent(&output.path)],
        Format::DockerSecrets { files } => files.values().map(beneath).collect::<Vec<_>>(),
        Format::Pem { files } if !files.is_empty() => files.values().map(beneath).collect(),
        Format::Pem { .. } => {
            let lower = output.secrets.iter().map(|name| name.as_str().to_ascii_lowercase());
            lower.map(|name| format!("{}/{name}", output.path)).collect()
        }
    };
    directories.push(output.path.clone());
    directories
}

struct Expectation<'a> {
    manifest: &'a Manifest,
    environment: &'a EnvName,
    ledger: Option<&'a Ledger>,
}

impl Expectation<'_> {
    fn of(&self, output: &Output) -> Vec<ExpectedFile> {
        let declarations = || self.declarations(output);
        match &output.format {
            Format::Dotenv { .. } | Format::Json => {
                let holds = declarations().filter_map(|it| self.version(&it.name)).collect();
                vec![file(output, output.path.clone(), holds, false)]
            }
            Format::DockerSecrets { files } => declarations()
                .filter_map(|it| Some((it, self.version(&it.name)?)))
                .map(|(it, version)| {
                    let lower = || it.name.as_str().to_ascii_lowercase();
                    let name = files.get(&it.name).cloned().unwrap_or_else(lower);
                    file(output, format!("{}/{name}", output.path), BTreeMap::from([version]), false)
                })
                .collect(),
            Format::Pem { files } => declarations()
                .filter_map(|it| Some((it, self.version(&it.name)?)))
                .flat_map(|(it, version)| self.pem(output, files, it, &version))
                .collect(),
            Format::NotYet(_) => Vec::new(),
        }
    }

    fn pem(
        &self,
        output: &Output,
        names: &BTreeMap<PemFile, String>,
        declaration: &Declaration,
        version: &(SecretName, VersionId),
    ) -> Vec<ExpectedFile> {
        emit::pem_files(output, names, &declaration.name, &declaration.kind)
            .into_iter()
            .filter(|(piece, _)| *piece != PemFile::Chain || self.has_chain(declaration))
            .map(|(piece, path)| file(output, path, BTreeMap::from([version.clone()]), piece != PemFile::Key))
            .collect()
    }

    /// Whether an intermediate stands between a certificate and its root.
    fn has_chain(&self, declaration: &Declaration) -> bool {
        let Kind::Certificate(Certificate { issuer: Some(issuer), .. }) = &declaration.kind else { return false };
        matches!(self.manifest.secret(issuer).map(|it| &it.kind), Some(Kind::Ca(ca)) if ca.issuer.is_some())
    }

    fn declarations<'s>(&'s self, output: &'s Output) -> impl Iterator<Item = &'s Declaration> {
        let declarations = output.secrets.iter().filter_map(|name| self.manifest.secret(name));
        declarations.filter(|it| it.is_in(self.environment))
    }

    fn version(&self, name: &SecretName) -> Option<(SecretName, VersionId)> {
        let entry = self.ledger?.secrets.get(name)?;
        Some((name.clone(), entry.version))
    }
}

fn file(output: &Output, path: String, holds: BTreeMap<SecretName, VersionId>, public: bool) -> ExpectedFile {
    ExpectedFile {
        path,
        output: output.name.clone(),
        holds,
        mode: if public { PUBLIC_MODE } else { output.mode },
        public,
        uid: output.uid,
        gid: output.gid,
        dotenv: matches!(output.format, Format::Dotenv { .. }),
    }
}
