//! What was read of the files that a deployment starts from. Texts of it may hold a secret that somebody wrote there, and never one
//! of the store: variables that carry those put nothing in.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Comparison;
use crate::compose::{self, Problem, Text};
use crate::image::{Dockerfile, Ignored};
use crate::kubernetes::Object;
use crate::name::SecretName;
use crate::nginx::Configuration;

/// The Compose files, what they name, and the gateway's configuration.
#[derive(Debug, Default)]
pub struct Deployed {
    /// The Compose files as one; `None` = the environment has none.
    pub compose: Option<compose::Project>,
    /// A file that Compose would find beside a manifest that names none.
    pub unnamed: Option<String>,
    /// The variables that had a value when they were read: no secret of ours ever has.
    pub known: BTreeSet<String>,
    /// The variables that stand with a default, and where; with the default, as [`compose::model::VariableUse`] has it.
    pub defaults: BTreeMap<(compose::Location, String), Option<Text>>,
    /// What is wrong with them, or was not read.
    pub problems: Vec<Problem>,
    /// The variables of the process environment that Compose takes before those that it is delivered, and how they compare.
    pub shell: BTreeMap<SecretName, Comparison>,
    /// Lines of env files in git, with the names of the credentials that stand there.
    pub committed: Vec<(compose::Location, String)>,
    /// The files of secrets that no output delivers, by path.
    pub files: BTreeMap<String, NamedFile>,
    /// How each service that is built here is built, by service.
    pub images: BTreeMap<String, Image>,
    /// What is kept back of the directories among `additional_contexts`, by [`compose::model::HostPath::path`].
    pub contexts: BTreeMap<String, Ignored>,
    /// The configuration files of nginx, by path.
    pub gateways: BTreeMap<String, Gateway<Configuration>>,
    /// The files of Traefik's dynamic configuration, by path.
    pub traefik: BTreeMap<String, Gateway<Vec<compose::flat::Entry>>>,
    /// The outputs that the manifest alone decides, as the repository has them, by path.
    pub documents: BTreeMap<String, Document>,
    /// The objects of Kubernetes that lie beside those outputs and in the directories above, by directory.
    pub objects: BTreeMap<String, Vec<Object>>,
}

/// An output that the manifest alone decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// There is none.
    Absent,
    /// Whether it says what the manifest says.
    Read(bool),
    /// It was not read, and why.
    Unseen(Unread),
}

/// A file that a Compose file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedFile {
    /// There is none.
    Absent,
    /// There is one.
    File {
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// Something else has its name.
    NotAFile,
    /// It was not looked at, and why.
    Unseen(String),
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// A sentence.
    pub why: String,
    /// What lets it be read.
    pub fix: String,
    /// Whether it is the file that is at fault: nobody can read it as it is. Others lie where we do not look.
    pub is_fault: bool,
}

impl Unread {
    /// What lies where nobody looks.
    pub fn elsewhere(why: impl Into<String>) -> Self {
        Self { why: why.into(), fix: "put the file itself below the project's directory".into(), is_fault: false }
    }
}

/// How an image is built.
#[derive(Debug)]
pub struct Image {
    /// The Dockerfile and its path, or the Compose file that holds it; `Err` = why it was not read.
    pub dockerfile: Result<(String, Dockerfile), Unread>,
    /// The text in the Compose file that it is, if that holds it.
    pub inline: Option<Text>,
    /// The stage that is built; absent = the last.
    pub target: Option<String>,
    /// The build context.
    pub context: Context,
    /// The directories among `additional_contexts`, by the name that `COPY --from` calls them.
    pub named: BTreeMap<String, Context>,
}

impl Image {
    /// The line of its file that a line of the Dockerfile stands on.
    pub fn line_of(&self, line: u32) -> u32 {
        self.inline.as_ref().map_or(line, |text| text.line_of(line))
    }

    /// Every context with its name; that of the build has none.
    pub fn contexts(&self) -> impl Iterator<Item = (Option<&str>, &Context)> {
        std::iter::once((None, &self.context)).chain(self.named.iter().map(|(name, it)| (Some(name.as_str()), it)))
    }

    /// Every context.
    pub fn contexts_mut(&mut self) -> impl Iterator<Item = &mut Context> {
        std::iter::once(&mut self.context).chain(self.named.values_mut())
    }

    /// The names of the further contexts.
    pub fn names(&self) -> BTreeSet<&str> {
        self.named.keys().map(String::as_str).collect()
    }
}

impl Context {
    /// Whether a file, by its path in it, reaches the builder.
    pub fn sends(&self, path: &str) -> bool {
        self.ignored.as_ref().is_ok_and(|it| !it.keeps_back(path))
    }
}

/// A directory that files are copied from.
#[derive(Debug)]
pub struct Context {
    /// The `.dockerignore` that holds for it, relative to the project, whether or not it is there.
    pub ignore_file: String,
    /// What it keeps back; `Err` = why it was not read.
    pub ignored: Result<Ignored, Unread>,
    /// Files that hold secrets and lie in it: the path in it, by path in the project.
    pub within: BTreeMap<String, String>,
    /// What lies where `COPY` takes it.
    pub known: Known,
}

/// Well-known files with secrets, whoever wrote them.
#[derive(Debug, Default)]
pub struct Known {
    /// Those that reach the builder, by path in the context, and whether a secret is in them.
    pub files: BTreeMap<String, bool>,
    /// All files that reach the builder and that an instruction may take: the path in the context, by path in the project.
    pub taken: BTreeMap<String, String>,
    /// Those that hold values of ours, whatever they are called, and of which secrets: by path in the context.
    pub ours: BTreeMap<String, BTreeSet<SecretName>>,
    /// Why not all of them were looked for.
    pub unseen: Option<String>,
    /// What an instruction names that is a symlink or behind one: the builder follows it.
    pub links: BTreeSet<String>,
}

/// A configuration file of a gateway.
#[derive(Debug, PartialEq, Eq)]
pub enum Gateway<C> {
    /// There is none.
    Absent,
    /// What it says.
    Read(C),
    /// It was not read, and why.
    Unseen(Unread),
}
