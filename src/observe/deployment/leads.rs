//! Where the paths of Compose files lead, by which a secret of ours can be reached although they do not show it: absolute ones, those
//! that go up and down again, and symlinks. Nothing is opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Observer, absolute, beneath};
use crate::compose::Project;
use crate::compose::model::{Build, HostPath};
use crate::gather::Gather;
use crate::image::Ignored;

impl Observer<'_> {
    /// As [`Project::leads`] has it.
    pub(super) fn leads(&self, project: &Project) -> BTreeMap<String, String> {
        let Ok(root) = self.subject.root.canonicalize() else { return BTreeMap::new() };
        let led = |host: &HostPath| {
            let real = real(&root, &host.path)?;
            // A directory that the project is in has all of it.
            let inner = real.strip_prefix(&root).or_else(|_| root.strip_prefix(&real).map(|_| Path::new(""))).ok()?;
            let inner = inner.to_str().filter(|it| *it != host.path)?;
            Some((host.path.clone(), inner.to_owned()))
        };
        paths(project).filter_map(led).gather()
    }

    /// What is kept back of the directories among `additional_contexts`, by path.
    pub(super) fn contexts(&self, project: &Project) -> BTreeMap<String, Ignored> {
        let Ok(root) = self.subject.root.canonicalize() else { return BTreeMap::new() };
        let ignored = |host: &HostPath| {
            let inner = real(&root, &host.path)?.strip_prefix(&root).ok()?.to_str()?.to_owned();
            Some((host.path.clone(), self.ignored(&beneath(&inner, ".dockerignore")).ok()?))
        };
        builds(project).flat_map(|it| it.contexts.values()).filter_map(ignored).gather()
    }
}

fn builds(project: &Project) -> impl Iterator<Item = &Build> {
    project.services.values().filter_map(|it| it.build.as_ref())
}

/// The paths by which a container or a builder gets files.
fn paths(project: &Project) -> impl Iterator<Item = &HostPath> {
    let definitions = project.secrets.values().chain(project.configs.values()).filter_map(|it| it.file.as_ref());
    let volumes = project.volumes.values().filter_map(|it| it.bind.as_ref());
    let services = project.services.values().flat_map(|it| {
        let mounts = it.volumes.iter().filter_map(|it| it.host.as_ref());
        let watches = it.watches.iter().map(|it| &it.path);
        it.env_files.iter().map(|it| &it.path).chain(mounts).chain(watches)
    });
    definitions.chain(volumes).chain(services).chain(builds(project).flat_map(|it| it.contexts.values()))
}

/// Where a path leads, as far as it is there. Whose home `~` is depends on who starts Compose.
fn real(root: &Path, path: &str) -> Option<PathBuf> {
    if path.starts_with('~') {
        return None;
    }
    let whole = with_links(absolute(root, path));
    let found = |above: &Path| {
        let rest = whole.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    };
    whole.ancestors().find_map(found)
}

/// A path with the symlinks followed that lead to what is not there yet, such as an output before its first writing.
fn with_links(path: PathBuf) -> PathBuf {
    // Who goes in circles leads nowhere.
    const MOST: usize = 8;
    let mut path = path;
    for _ in 0..MOST {
        let dangling = |above: &Path| {
            let link = above.read_link().ok().filter(|_| above.canonicalize().is_err())?;
            let led = absolute(above.parent()?, link.to_str()?);
            Some(led.join(path.strip_prefix(above).ok()?))
        };
        let Some(led) = path.ancestors().find_map(dangling) else { break };
        path = led;
    }
    path
}
