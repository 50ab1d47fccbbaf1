//! Compose files, read as Docker Compose reads them: what each service gets, from which line of which file.
//!
//! Bytes in, model out: files are brought by whoever asks, and nothing is opened here. What `.env` holds comes in by interpolation,
//! so texts of the model may be secret: [`Text`] shows itself to nobody who does not ask.

mod canonical;
mod consistency;
mod env_file;
mod environment;
pub mod flat;
mod interpolate;
mod keys;
mod load;
mod merge;
pub mod model;
pub mod needs;
mod paths;
mod problem;
mod read;
mod readers;
mod remote;
mod scope;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

use std::collections::BTreeMap;

pub use model::{Location, Project, Service, Text};
pub use problem::{Problem, ProblemKind};

use interpolate::Values;
use load::{Loader, Set};
use scope::Notes;

use crate::gather::Gather;
use crate::secret::Secret;

/// The most bytes of one file that are read.
pub const LARGEST: usize = 1 << 20;

/// The names that Compose looks for when it is given none, in its order.
pub const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Whether a file is called like one of [`NAMES`], with a word that tells it from others, such as `docker-compose.prod.yml`; one that
/// only shows what another looks like is not.
pub fn is_named_alike(name: &str) -> bool {
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    let rest = stem.map(|stem| stem.strip_prefix("docker-").unwrap_or(stem)).and_then(|it| it.strip_prefix("compose"));
    let shows = |word: &str| ["dist", "example", "sample", "template"].contains(&word);
    rest.is_some_and(|it| it.starts_with(['.', '-', '_']) && !it.split(['.', '-', '_']).any(shows))
}

/// What Compose puts over one of [`NAMES`] by itself.
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// As the end of a sentence that begins with its path: "is a directory".
    pub why: String,
    /// What lets it be read.
    pub fix: String,
}

/// Brings files.
pub trait Files {
    /// The content of a regular file by its path relative to the project's root, which may begin with `../`, or absolute; `None` when
    /// there is none. Whoever brings it opens no other thing than a regular file, and refuses one of more than [`LARGEST`] bytes.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Unreadable>;
}

/// Files in memory.
impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        Ok(self.get(path).cloned())
    }
}

/// What is to be read.
#[derive(Debug)]
pub struct Request<'a> {
    /// The Compose files, relative to the project's root, in the order in which each is put over those before it. One that has one of
    /// Compose's own names brings its override file along, as it does when Compose is called without `--file`.
    pub files: &'a [String],
    /// Variables of the host, which win over those of env files.
    pub variables: &'a BTreeMap<String, Secret>,
    /// What Compose is given by `--env-file`, each over those before it; `None` = it finds [`env_file_beside`] the files.
    pub env_files: Option<&'a [String]>,
    /// The name of the directory in which Compose is run, which names a project that has no other name.
    pub directory: &'a str,
}

/// What the files amount to, and what is wrong with them.
#[derive(Debug)]
pub struct Resolved {
    /// As far as it could be read: with problems, something may be missing or empty.
    pub project: Project,
    /// By place.
    pub problems: Vec<Problem>,
}

/// Reads Compose files and all that they refer to.
///
/// Variables come from `request.variables`, then from `request.env_files`.
pub fn resolve(request: &Request<'_>, files: &dyn Files) -> Resolved {
    let mut loader = Loader::new(files);
    let nowhere = |path: &str| Location { file: path.into(), line: 1 };
    let mut paths: Vec<(String, Location)> = Vec::new();
    for file in request.files {
        let path = paths::join("", file);
        paths.push((path.clone(), nowhere(&path)));
    }
    let directory = paths.first().map(|(path, _)| paths::parent(path).to_owned()).unwrap_or_default();
    if let [(path, _)] = &paths[..]
        && NAMES.iter().any(|name| paths::join(&directory, name) == *path)
        && let Some(path) = override_beside(&directory, &mut loader)
    {
        paths.push((path.clone(), nowhere(&path)));
    }
    let mut values = variables(request, &mut loader);
    if !values.contains_key(PROJECT_NAME) {
        let name = project_name(&paths, &values, &mut loader).unwrap_or_else(|| normalised(request.directory));
        values.insert(PROJECT_NAME.to_owned(), name);
    }
    let scope = loader.new_scope();
    let model = loader.model(&paths, &Set { directory, values: &values, scope, trail: Vec::new() });
    let mut project = read::project(&model, &values, &mut loader);
    let Loader { notes: Notes { mut problems, uses, addresses, .. }, read, env_files, .. } = loader;
    if model.is_empty() && problems.is_empty() {
        problems.refused(&paths.first().map_or_else(|| nowhere(""), |(_, at)| at.clone()), "the file holds nothing");
    }
    consistency::check(&project, &mut problems);
    project.uses = uses;
    project.addresses = addresses;
    project.files = read.into_iter().collect();
    project.variable_files = env_files;
    Resolved { project, problems: problems.sorted() }
}

/// What Compose calls the name of the project in interpolation.
const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";

fn override_beside(directory: &str, loader: &mut Loader<'_>) -> Option<String> {
    let paths = OVERRIDES.iter().map(|name| paths::join(directory, name));
    // One that is there and cannot be read is met again, and told, when it is read.
    paths.into_iter().find(|path| !matches!(loader.files.read(path), Ok(None)))
}

/// The env file that Compose finds by itself, when it is given these files.
pub fn env_file_beside(files: &[String]) -> String {
    let first = files.first().map(|file| paths::join("", file)).unwrap_or_default();
    paths::join(paths::parent(&first), ".env")
}

/// Those that were given, over those of env files.
fn variables(request: &Request<'_>, loader: &mut Loader<'_>) -> Values {
    let given = request.variables.iter();
    let mut values: Values =
        given.filter_map(|(name, value)| Some((name.clone(), value.expose_text()?.to_owned()))).gather();
    let beside = [env_file_beside(request.files)];
    let mut own = Values::new();
    for path in request.env_files.unwrap_or(&beside) {
        let at = Location { file: path.as_str().into(), line: 1 };
        loader.env_files.insert(path.clone());
        match loader.content(path, &at) {
            Some(Some(bytes)) => loader.env_file(&bytes, path, &values, &mut own),
            Some(None) if request.env_files.is_some() => {
                let message = "it does not exist, and Compose is given it by `--env-file`";
                loader.notes.problems.add(ProblemKind::Missing, &at, message);
            }
            _ => {}
        }
    }
    own.append(&mut values);
    own
}

/// The `name` of the files, the last one of several.
fn project_name(paths: &[(String, Location)], values: &Values, loader: &mut Loader<'_>) -> Option<String> {
    let mut named = None;
    for (path, at) in paths {
        for document in loader.read_ahead(path, at) {
            if let Some(mut node) = document.map().and_then(|map| map.get("name")).cloned() {
                scope::put_in(&mut node, values, &mut String::new(), &mut Notes::default());
                named = node.as_str().map(normalised).filter(|name| !name.is_empty()).or(named);
            }
        }
    }
    named
}

/// A name as Docker takes it.
fn normalised(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String =
        lower.chars().filter(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '_' | '-')).collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}
