//! What the outputs of an environment deliver, by manifest alone: also where nothing was written yet.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::{carried_by, carried_by_run};
use crate::compose::env_file_beside;
use crate::manifest::model::PemFile;
use crate::manifest::{Declaration, Format, Manifest, Output};
use crate::name::{EnvName, SecretName};

/// Variables and files.
#[derive(Debug)]
pub struct Delivered<'a> {
    /// What Compose gets, previous values among them: from the dotenv outputs that it reads, and from `run` where the manifest says
    /// that it starts Compose.
    pub variables: BTreeSet<String>,
    /// What other dotenv outputs set, and where they write it.
    pub elsewhere: BTreeMap<String, &'a str>,
    /// What the outputs write, by path.
    pub files: BTreeMap<String, DeliveredFile<'a>>,
}

/// A file that an output writes.
#[derive(Debug)]
pub struct DeliveredFile<'a> {
    /// Its output.
    pub output: &'a Output,
    /// The secrets and settings in it.
    pub names: Vec<&'a SecretName>,
    /// Whether it must be kept from others.
    pub is_secret: bool,
}

impl<'a> Delivered<'a> {
    /// What the manifest says of an environment.
    pub fn new(manifest: &'a Manifest, environment: &'a EnvName) -> Self {
        let mut delivered = Self { variables: BTreeSet::new(), elsewhere: BTreeMap::new(), files: BTreeMap::new() };
        for output in manifest.outputs_in(environment) {
            delivered.take(manifest, environment, output);
        }
        if manifest.compose_runs_in(environment) {
            delivered.variables = names(carried_by_run(manifest, environment)).collect();
        }
        let beside = [env_file_beside(manifest.compose_in(environment))];
        let env_files = manifest.compose_env_files_in(environment).unwrap_or(&beside);
        for output in dotenv_outputs(manifest, environment) {
            let carried = names(carried_by(manifest, environment, [output]));
            delivered.elsewhere.extend(carried.map(|name| (name, output.path.as_str())));
        }
        delivered.read(manifest, environment, env_files);
        delivered
    }

    /// Says that Compose reads these files too.
    pub fn read<'p>(
        &mut self,
        manifest: &'a Manifest,
        environment: &'a EnvName,
        env_files: impl IntoIterator<Item = &'p String>,
    ) {
        let env_files: BTreeSet<&str> = env_files.into_iter().map(String::as_str).collect();
        let outputs = dotenv_outputs(manifest, environment).filter(|it| env_files.contains(it.path.as_str()));
        self.variables.extend(names(carried_by(manifest, environment, outputs)));
    }

    /// The output that writes a file.
    pub fn output(&self, path: &str) -> Option<&'a Output> {
        self.files.get(path).map(|file| file.output)
    }

    /// Whether an output writes something below a directory.
    pub fn owns_directory(&self, path: &str) -> bool {
        self.below(path).next().is_some()
    }

    /// What is written to a path or below it; all of it for the project's root, which is empty.
    pub fn below<'p>(&'p self, path: &str) -> impl Iterator<Item = (&'p str, &'p DeliveredFile<'a>)> + use<'p, 'a> {
        let directory = if path.is_empty() { String::new() } else { format!("{path}/") };
        let inner = self.files.range(directory.clone()..).take_while(move |(file, _)| file.starts_with(&directory));
        self.files.get_key_value(path).into_iter().chain(inner).map(|(path, file)| (path.as_str(), file))
    }

    fn take(&mut self, manifest: &'a Manifest, environment: &EnvName, output: &'a Output) {
        let secrets = output.secrets.iter().filter_map(|name| manifest.secret(name));
        for secret in secrets.filter(|it| it.is_in(environment)) {
            let pieces =
                output.pem_files(&secret.name, &secret.kind).filter(|_| matches!(output.format, Format::Pem { .. }));
            let whole = || vec![(PemFile::Combined, output.file_of(&secret.name))];
            for (piece, path) in pieces.unwrap_or_else(whole) {
                let is_secret =
                    matches!(piece, PemFile::Key | PemFile::Combined) && !output.format.is_public_document();
                let file = self.files.entry(path).or_insert(DeliveredFile { output, names: Vec::new(), is_secret });
                file.names.push(&secret.name);
            }
        }
        let is_one_file = !matches!(output.format, Format::DockerSecrets { .. } | Format::Pem { .. });
        if is_one_file {
            let is_secret = !output.format.is_public_document();
            let file = DeliveredFile { output, names: Vec::new(), is_secret };
            self.files.entry(output.path.clone()).or_insert(file);
        }
    }
}

fn dotenv_outputs<'a>(manifest: &'a Manifest, environment: &'a EnvName) -> impl Iterator<Item = &'a Output> {
    manifest.outputs_in(environment).filter(|output| matches!(output.format, Format::Dotenv { .. }))
}

/// The variables that declarations come in, each with that of its previous value.
fn names<'a>(declarations: Vec<&'a Declaration>) -> impl Iterator<Item = String> + use<'a> {
    let both = |it: &'a Declaration| [Some(it.name.clone()), it.overlap.and_then(|_| it.name.previous())];
    declarations.into_iter().flat_map(both).flatten().map(|name| name.to_string())
}

/// Whether a path is another one, or lies below it; everything lies below the project's root, which is empty.
pub fn is_below(path: &str, above: &str) -> bool {
    above.is_empty() || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
