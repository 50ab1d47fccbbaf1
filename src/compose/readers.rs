//! Which services read a file of the host.

use super::model::{Definition, HostPath, Mount, Project, Service};

impl Project {
    /// The services, sorted, that have a file of this path: as an `env_file`, a secret, a config, or by a bind mount of it or of
    /// a directory that it is in.
    pub fn readers(&self, path: &str) -> impl Iterator<Item = &str> {
        let is_reader = move |service: &Service| {
            let is_it = |it: &HostPath| it.path == path;
            let has = |mounts: &[Mount], defined: &std::collections::BTreeMap<String, Definition>| {
                let files = mounts.iter().filter_map(|mount| defined.get(&mount.source)?.file.as_ref());
                files.into_iter().any(is_it)
            };
            let holds = |host: &HostPath| {
                let rest = path.strip_prefix(host.path.as_str());
                host.path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            service.env_files.iter().any(|it| is_it(&it.path))
                || has(&service.secrets, &self.secrets)
                || has(&service.configs, &self.configs)
                || service.volumes.iter().filter_map(|it| it.host.as_ref()).any(holds)
        };
        self.services.iter().filter(move |(_, service)| is_reader(service)).map(|(name, _)| name.as_str())
    }
}
