//! Brings `check` the files that a deployment starts from: Compose files and what they name, Dockerfiles, the gateway's.

mod context;
mod documents;
mod gateway;
mod images;
mod leads;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::compose::{Disk, OUTSIDE, is_outside};
use super::file;
use super::{PRIVATE, Subject, Values, git};
use crate::check::delivered::Delivered;
use crate::check::deployed::{Deployed, NamedFile, Unread};
use crate::check::facts::{Comparison, FileFact, GitFact};
use crate::compose::model::Need;
use crate::compose::{self, Files, Location, Project, Request, Unreadable};
use crate::credential::{assigned, is_credential};
use crate::gather::Gather;
use crate::manifest::Format;
use crate::name::SecretName;
use crate::secret::Secret;

/// Looks at the Compose files of the environment and at all that they name, beneath the project alone.
///
/// `variables` is the process environment. Of what it holds, and of the dotenv files, no secret is put into the Compose files.
/// `identity` is the file of the identity.
pub fn look(
    subject: &Subject<'_>,
    values: &dyn Values,
    variables: &BTreeMap<String, Secret>,
    identity: Option<&Path>,
) -> Deployed {
    let mut deployed = Deployed::default();
    let Ok(disk) = Disk::open(subject.root) else { return deployed };
    let observer = Observer { subject, disk, identity, values };
    let files = subject.manifest.compose_in(subject.environment);
    if !files.is_empty() {
        let given = observer.given(values, variables);
        let directory = subject.root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let env_files = subject.manifest.compose_env_files_in(subject.environment);
        let mut resolved = compose::resolve(&Request { files, variables: &given, env_files, directory }, &observer);
        resolved.project.leads = observer.leads(&resolved.project);
        deployed.files = observer.named(&resolved.project);
        deployed.shell = observer.shell(&resolved.project, values, variables);
        deployed.committed = observer.committed(&resolved.project);
        deployed.images = observer.images(&resolved.project);
        deployed.contexts = observer.contexts(&resolved.project);
        deployed.problems = resolved.problems;
        deployed.known = resolved.project.uses.iter().filter(|it| it.known).map(|it| it.name.clone()).collect();
        let defaults = resolved.project.uses.iter().filter(|it| it.need == Need::Default);
        deployed.defaults = defaults.map(|it| ((it.at.clone(), it.name.clone()), it.default.clone())).gather();
        deployed.compose = Some(resolved.project);
    } else if !subject.manifest.says_compose() {
        deployed.unnamed = observer.unnamed();
    }
    for path in subject.manifest.deployment.iter().flat_map(|it| &it.nginx) {
        let gateway = observer.gateway(path, deployed.compose.as_ref());
        deployed.gateways.insert(path.clone(), gateway);
    }
    for path in subject.manifest.deployment.iter().flat_map(|it| &it.traefik) {
        deployed.traefik.insert(path.clone(), observer.traefik(path));
    }
    deployed.documents = observer.documents();
    deployed.objects = observer.objects();
    deployed
}

struct Observer<'a> {
    subject: &'a Subject<'a>,
    disk: Disk,
    identity: Option<&'a Path>,
    values: &'a dyn Values,
}

impl Files for Observer<'_> {
    /// The files of our own with variables are known already, and hold secrets.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        if self.dotenv_files().any(|it| it == path) {
            Ok(Some(Vec::new()))
        } else {
            self.content(path).map_err(|Unread { why, fix, .. }| Unreadable { why, fix })
        }
    }
}

impl Observer<'_> {
    /// The variables that the Compose files are read by: settings, what stands beside them in the dotenv files, and over those
    /// the process environment; but nothing that is a declared secret, or looks like one.
    fn given(&self, values: &dyn Values, variables: &BTreeMap<String, Secret>) -> BTreeMap<String, Secret> {
        let Subject { manifest, environment, .. } = self.subject;
        let is_open = |name: &str| match manifest.secret(name) {
            Some(declared) => !declared.is_stored(),
            None => !is_credential(name),
        };
        let mut given = BTreeMap::new();
        let beside = [compose::env_file_beside(manifest.compose_in(environment))];
        let env_files = manifest.compose_env_files_in(environment).unwrap_or(&beside);
        for path in self.dotenv_files().filter(|path| env_files.iter().any(|it| it == path)) {
            let bytes = self.disk.tree().read(path).unwrap_or_default();
            let lines = values.in_example(&bytes).into_iter().filter(|(name, _)| is_open(name.as_str()));
            given.extend(lines.map(|(name, value)| (name.to_string(), value)));
        }
        for name in Delivered::new(manifest, environment).variables {
            if let Some(setting) = manifest.secret(name.as_str()).and_then(|it| it.kind.setting(environment)) {
                given.insert(name, Secret::new(setting.as_bytes().to_vec()));
            }
        }
        let open = variables.iter().filter(|(name, _)| is_open(name));
        given.extend(open.map(|(name, value)| (name.clone(), Secret::new(value.expose().to_vec()))));
        // Who starts Compose stands beside its files, wherever who checks stands.
        if let Some(root) = self.subject.root.canonicalize().ok().and_then(|it| it.to_str().map(str::to_owned)) {
            given.insert("PWD".to_owned(), Secret::new(root.into_bytes()));
        }
        given
    }

    /// The variables of the process environment that Compose takes before what an env file delivers, compared with that.
    fn shell(
        &self,
        project: &Project,
        values: &dyn Values,
        variables: &BTreeMap<String, Secret>,
    ) -> BTreeMap<SecretName, Comparison> {
        let Subject { manifest, environment, .. } = self.subject;
        // What `run` hands on goes before the shell's.
        if manifest.compose_runs_in(environment) {
            return BTreeMap::new();
        }
        let mut delivered = Delivered::new(manifest, environment);
        delivered.read(manifest, environment, &project.variable_files);
        let used = project.uses.iter().filter(|it| delivered.variables.contains(&it.name));
        let set = used.filter_map(|it| Some((SecretName::new(&it.name).ok()?, variables.get(&it.name)?)));
        let observer = super::Observer { subject: self.subject, values };
        let set: BTreeMap<SecretName, &Secret> = set.gather();
        set.into_iter().map(|(name, value)| (name.clone(), observer.compare("", &name, value))).gather()
    }

    /// A Compose file in the project's directory: one that Compose finds by itself, else one that is called alike.
    fn unnamed(&self) -> Option<String> {
        let is_there = |name: &str| matches!(self.content(name), Ok(Some(_)));
        let alike = || {
            let names = self.disk.tree().names("").unwrap_or_default();
            names.into_iter().find(|name| compose::is_named_alike(name) && is_there(name))
        };
        compose::NAMES.into_iter().find(|name| is_there(name)).map(str::to_owned).or_else(alike)
    }

    fn dotenv_files(&self) -> impl Iterator<Item = &str> {
        let outputs = self.subject.manifest.outputs_in(self.subject.environment);
        outputs.filter(|it| matches!(it.format, Format::Dotenv { .. })).map(|it| it.path.as_str())
    }

    /// A file beneath the project; `None` = there is none, `Err` = why it was not read, as the end of a sentence.
    fn content(&self, path: &str) -> Result<Option<Vec<u8>>, Unread> {
        if path.is_empty() || is_outside(path) {
            return Err(Unread::elsewhere(OUTSIDE));
        }
        let content = self.subject.committed(&mut self.disk.tree(), path)?;
        Ok(content.map(|bytes| bytes.to_vec()))
    }

    fn text(&self, path: &str) -> Result<Option<String>, Unread> {
        let bytes = self.content(path).map_err(|it| Unread { why: format!("`{path}` {}", it.why), ..it })?;
        let not_text = |_| Unread {
            why: format!("`{path}` is not UTF-8"),
            fix: "save the file as UTF-8".to_owned(),
            is_fault: true,
        };
        bytes.map(String::from_utf8).transpose().map_err(not_text)
    }

    /// The files of secrets, unless an output writes them.
    fn named(&self, project: &Project) -> BTreeMap<String, NamedFile> {
        let delivered = Delivered::new(self.subject.manifest, self.subject.environment);
        let paths = project.secrets.values().filter_map(|it| Some(it.file.as_ref()?.path.as_str()));
        let others: BTreeSet<&str> = paths.filter(|path| delivered.output(path).is_none()).collect();
        others.into_iter().map(|path| (path.to_owned(), self.named_file(path))).gather()
    }

    fn named_file(&self, path: &str) -> NamedFile {
        if is_outside(path) {
            return NamedFile::Unseen(format!("`{path}` {OUTSIDE}"));
        }
        match self.disk.tree().stat(path) {
            Ok(stat) => NamedFile::File { mode: file::permissions(&stat), uid: stat.st_uid, gid: stat.st_gid },
            Err(FileFact::Absent) => NamedFile::Absent,
            Err(FileFact::Unreadable(why)) => NamedFile::Unseen(why),
            Err(FileFact::Symlink(link)) => NamedFile::Unseen(format!("`{link}` is a symlink, which is not followed")),
            Err(FileFact::NotAFile | FileFact::File(_)) => NamedFile::NotAFile,
        }
    }

    /// The lines of env files that git tracks and that hold credentials. What an output writes is judged as a whole.
    fn committed(&self, project: &Project) -> Vec<(Location, String)> {
        let env_files = project.services.values().flat_map(|it| &it.env_files).map(|it| &it.path.path);
        let is_read = |path: &&str| project.files.iter().any(|it| it == path);
        let files = env_files.chain(&project.variable_files).map(String::as_str).filter(is_read);
        let files: BTreeSet<&str> = files.filter(|path| !self.dotenv_files().any(|it| it == *path)).collect();
        if files.is_empty() {
            return Vec::new();
        }
        let GitFact::WorkTree { tracked, .. } = git::look(self.subject.root, &files, PRIVATE, self.subject.staged)
        else {
            return Vec::new();
        };
        let mut committed = Vec::new();
        for path in files.into_iter().filter(|path| tracked.contains(*path)) {
            let text = self.text(path).ok().flatten().unwrap_or_default();
            let file: Arc<str> = path.into();
            for (line, name) in (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, assigned(text)?))) {
                committed.push((Location { file: file.clone(), line }, name.to_owned()));
            }
        }
        committed
    }
}

/// A file of a directory; the project's root is empty.
fn beneath(directory: &str, file: &str) -> String {
    if directory.is_empty() { file.to_owned() } else { format!("{directory}/{file}") }
}

/// A path with its `.` and `..` resolved by their letters.
fn absolute(root: &Path, path: &str) -> PathBuf {
    let mut whole = root.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => whole = PathBuf::from("/"),
            Component::Normal(name) => whole.push(name),
        }
    }
    whole
}
