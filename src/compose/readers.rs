//! Which services read a file of the host.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Definition, HostPath, Location, Mount, Project, Service, Text, VolumeMount};

impl Project {
    /// The services, sorted, that have a file of this path: as an `env_file`, a secret, a config, by a mount of it or of a directory
    /// that it is in, or by the mounts of another service.
    pub fn readers(&self, path: &str) -> impl Iterator<Item = &str> {
        self.services.iter().filter(move |(_, it)| self.reads(it, path).is_some()).map(|(name, _)| name.as_str())
    }

    /// Where a service says that it has a file of this path.
    pub fn reads<'p>(&'p self, service: &'p Service, path: &str) -> Option<&'p Location> {
        let env_file = service.env_files.iter().find(|it| self.is(&it.path, path)).map(|it| &it.path.text.at);
        env_file.or_else(|| self.mounts(service, path)).or_else(|| self.inherits(service, path))
    }

    /// Whether what reads a file of this path puts nothing into its values: there are env files of it, and all are of `format: raw`.
    pub fn reads_literally(&self, path: &str) -> bool {
        let mut files =
            self.services.values().flat_map(|it| &it.env_files).filter(|it| self.is(&it.path, path)).peekable();
        files.peek().is_some() && files.all(|it| it.raw) && !self.variable_files.contains(path)
    }

    /// Where a service says that its image is built with a secret that is a file of this path.
    pub fn is_built_with<'p>(&'p self, service: &'p Service, path: &str) -> Option<&'p Location> {
        self.named(&service.build.as_ref()?.secrets, &self.secrets, path)
    }

    /// The way to a file from a path of the host that it lies below, or is, which leaves nothing.
    pub fn below<'f>(&self, host: &HostPath, path: &'f str) -> Option<&'f str> {
        // What leads into the project has nothing that lies elsewhere.
        let led = || self.leads.get(&host.path).filter(|_| !path.starts_with('/')).and_then(|it| rest(it, path));
        rest(&host.path, path).or_else(led)
    }

    fn is(&self, host: &HostPath, path: &str) -> bool {
        host.path == path || self.leads.get(&host.path).is_some_and(|it| it == path)
    }

    fn named<'p>(
        &'p self,
        mounts: &'p [Mount],
        defined: &BTreeMap<String, Definition>,
        path: &str,
    ) -> Option<&'p Location> {
        let file = |mount: &Mount| defined.get(&mount.source).and_then(|it| it.file.as_ref());
        mounts.iter().find(|it| file(it).is_some_and(|it| self.is(it, path))).map(|it| &it.at)
    }

    fn mounts<'p>(&'p self, service: &'p Service, path: &str) -> Option<&'p Location> {
        let bind = |mount: &'p VolumeMount| {
            let volume = || self.volumes.get(mount.volume.as_ref()?)?.bind.as_ref();
            mount.host.as_ref().or_else(volume)
        };
        let of_volumes = || service.volumes.iter().find(|it| bind(it).is_some_and(|it| self.below(it, path).is_some()));
        self.named(&service.secrets, &self.secrets, path)
            .or_else(|| self.named(&service.configs, &self.configs, path))
            .or_else(|| of_volumes().map(|it| &it.at))
    }

    /// Where it says that it has the mounts of another service, which has them, or has them from a third.
    fn inherits<'p>(&'p self, service: &'p Service, path: &str) -> Option<&'p Location> {
        let gives = |name: &'p str| {
            let mut seen = BTreeSet::new();
            let mut waiting = vec![name];
            while let Some(name) = waiting.pop() {
                let Some(service) = self.services.get(name).filter(|_| seen.insert(name)) else { continue };
                if self.mounts(service, path).is_some() {
                    return true;
                }
                waiting.extend(service.volumes_from.iter().filter_map(giver));
            }
            false
        };
        service.volumes_from.iter().find(|it| giver(it).is_some_and(gives)).map(|it| &it.at)
    }
}

/// The service in an entry of `volumes_from`, which can be a container of others.
fn giver(text: &Text) -> Option<&str> {
    text.as_str().split(':').next().filter(|name| *name != "container")
}

/// The way to a path from another one, which it lies below, or is; everything lies below the empty one.
fn rest<'f>(above: &str, path: &'f str) -> Option<&'f str> {
    let rest = path.strip_prefix(above)?;
    if above.is_empty() || rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}
