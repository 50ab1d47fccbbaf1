//! Which services read a file of the host.

use std::collections::BTreeMap;

use super::model::{Definition, HostPath, Location, Mount, Project, Service};

impl Project {
    /// The services, sorted, that have a file of this path: as an `env_file`, a secret, a config, or by a bind mount of it or of
    /// a directory that it is in.
    pub fn readers(&self, path: &str) -> impl Iterator<Item = &str> {
        self.services.iter().filter(move |(_, it)| self.reads(it, path).is_some()).map(|(name, _)| name.as_str())
    }

    /// Where a service says that it has a file of this path.
    pub fn reads<'p>(&'p self, service: &'p Service, path: &str) -> Option<&'p Location> {
        let is_it = |it: &HostPath| it.path == path;
        let mount = |mounts: &'p [Mount], defined: &BTreeMap<String, Definition>| {
            let has = |mount: &Mount| defined.get(&mount.source).and_then(|it| it.file.as_ref()).is_some_and(is_it);
            mounts.iter().find(|it| has(it)).map(|it| &it.at)
        };
        let holds = |host: &HostPath| {
            let rest = path.strip_prefix(host.path.as_str());
            host.path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let env_file = service.env_files.iter().find(|it| is_it(&it.path)).map(|it| &it.path.text.at);
        env_file
            .or_else(|| mount(&service.secrets, &self.secrets))
            .or_else(|| mount(&service.configs, &self.configs))
            .or_else(|| service.volumes.iter().find(|it| it.host.as_ref().is_some_and(holds)).map(|it| &it.at))
    }
}
