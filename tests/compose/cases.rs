//! A case is a text with files, each behind a line `-- path --`; `files` lists those that Compose is given, where it does not find
//! them itself. What the reference makes of it is in the JSON file beside it: `null` where it refuses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use vault_kit::compose::NAMES;

use crate::support::{Run, python_judge, root, skip};

/// What stands for the directory above the project's in the JSON files.
pub(crate) const ABOVE: &str = "/above";

pub(crate) struct Case {
    pub name: String,
    /// The Compose files.
    pub compose: Vec<String>,
    /// Whether Compose has to be told.
    is_told: bool,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "txt")).collect();
        paths.sort();
        let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut cases: Vec<Self> =
            paths.iter().map(|path| Self::of(name(path), &std::fs::read_to_string(path).unwrap())).collect();
        cases.extend(examples());
        cases
    }

    pub(crate) fn of(name: String, text: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut path = "";
        for line in text.split_inclusive('\n') {
            match line.strip_prefix("-- ").and_then(|it| it.strip_suffix(" --\n")) {
                Some(header) => {
                    path = header;
                    files.insert(header.to_owned(), Vec::new());
                }
                None => files.get_mut(path).unwrap().extend_from_slice(line.as_bytes()),
            }
        }
        let told: Option<Vec<u8>> = files.remove("files");
        let is_told = told.is_some();
        let compose = match told {
            Some(list) => String::from_utf8(list).unwrap().lines().map(str::to_owned).collect(),
            None => vec![(*NAMES.iter().find(|name| files.contains_key(**name)).unwrap()).to_owned()],
        };
        Self { name, compose, is_told, files }
    }

    fn beside(&self) -> PathBuf {
        directory().join(format!("{}.json", self.name))
    }

    /// What the reference said; `None` where it refused.
    pub(crate) fn expected(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.beside()).unwrap_or_else(|_| "null".to_owned());
        Some(serde_json::from_str(&text).unwrap()).filter(|it: &Value| !it.is_null())
    }

    /// What Compose is told by `--env-file`: where none is beside the files, the one in the project's directory.
    pub(crate) fn env_files(&self) -> Option<Vec<String>> {
        let beside = self.compose[0].rsplit_once('/').map(|(directory, _)| format!("{directory}/.env"));
        let is_elsewhere = beside.is_some_and(|path| !self.files.contains_key(&path));
        (self.is_told && is_elsewhere && self.files.contains_key(".env")).then(|| vec![".env".to_owned()])
    }

    /// What the reference says; `None`, said aloud, without it.
    #[expect(clippy::disallowed_methods, reason = "tests write what Compose reads")]
    #[expect(clippy::option_option, reason = "no reference, and a refusal of the reference")]
    pub(crate) fn judged(&self) -> Option<Option<Value>> {
        let Some(mut command) = python_judge("compose_config.py") else {
            skip("compose-reference", "no .venv: run tests/setup; the committed answers were compared");
            return None;
        };
        let above = tempfile::tempdir().unwrap();
        let project = above.path().join("project");
        for (path, bytes) in &self.files {
            let path = project.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        command.arg(&project).args(["--profile", "*"]);
        if self.is_told {
            command.args(self.compose.iter().flat_map(|file| ["-f", file]));
            command.args(self.env_files().iter().flatten().flat_map(|file| ["--env-file", file]));
        }
        let run = Run::of(&mut command);
        if run.code == 77 {
            skip("compose-reference", "no Docker Compose v2: run tests/setup; the committed answers were compared");
            return None;
        }
        let text = run.stdout.replace(above.path().to_str().unwrap(), ABOVE);
        let config = if run.code == 0 { Some(serde_json::from_str(&text).unwrap()) } else { None };
        Some(config)
    }

    /// Writes down what the reference says.
    #[expect(clippy::disallowed_methods, reason = "the answers are files of the tests")]
    pub(crate) fn update(&self, config: Option<&Value>) {
        std::fs::write(self.beside(), format!("{}\n", serde_json::to_string_pretty(&config).unwrap())).unwrap();
    }
}

fn directory() -> PathBuf {
    root().join("tests/fixtures/compose")
}

#[expect(clippy::disallowed_methods, reason = "the environment tells whether the answers are made anew")]
pub(crate) fn updates() -> bool {
    std::env::var_os("UPDATE_COMPOSE").is_some()
}

/// The reference takes its time: of single fields it is asked only when told.
#[expect(clippy::disallowed_methods, reason = "the environment tells how long the tests may take")]
pub(crate) fn runs_all() -> bool {
    updates() || std::env::var_os("VAULT_KIT_COMPOSE_ALL").is_some()
}

/// The shipped systems, with something for every variable that they need.
fn examples() -> Vec<Case> {
    let case = |name: &str, compose: &[&str]| {
        let read = |path: &&str| {
            let bytes = std::fs::read(root().join("examples").join(name).join(path)).unwrap();
            ((*path).to_owned(), bytes)
        };
        let mut files: BTreeMap<String, Vec<u8>> = compose.iter().map(read).collect();
        let names = files.values().flat_map(|bytes| required(&String::from_utf8_lossy(bytes))).collect::<Vec<_>>();
        let lines: Vec<String> = names.iter().map(|name| format!("{name}=value-of-{name}\n")).collect();
        files.insert(".env".to_owned(), lines.concat().into_bytes());
        let compose = compose.iter().map(|&path| path.to_owned()).collect();
        Case { name: format!("example-{name}"), compose, is_told: true, files }
    };
    vec![
        case("sutra", &["docker-compose.yml"]),
        case("e2i", &["docker/docker-compose.secure.yml"]),
        case("docker-mcp", &["docker-compose.yml", "docker-compose.swarm.yml"]),
        case("omni2", &["docker-compose.yml"]),
        case("mcp-rag", &["docker-compose.yml"]),
    ]
}

/// The names in `${NAME:?…}`.
fn required(text: &str) -> Vec<String> {
    let name = |part: &str| Some(part.split_once(":?")?.0.to_owned());
    text.split("${").skip(1).filter_map(|part| name(part.split('}').next()?)).collect()
}
