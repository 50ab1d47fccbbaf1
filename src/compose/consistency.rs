//! What Compose refuses although each part alone is right.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Definition, Project, Service, VolumeKind};
use super::problem::{Problems, shown};

/// Judges a project as Compose does before it starts anything.
pub(super) fn check(project: &Project, problems: &mut Problems) {
    // What is extended or included from elsewhere may bring what is missing here.
    let is_partial = problems.is_partial();
    for (name, service) in &project.services {
        let mut checked = Checked { project, service, name: &shown(name), problems };
        if !is_partial {
            checked.image();
            checked.references();
        }
        checked.modes();
        checked.targets();
    }
    for (section, definitions) in [("secret", &project.secrets), ("config", &project.configs)] {
        for (name, definition) in definitions {
            sources(&format!("{section} {}", shown(name)), definition, problems);
        }
    }
    cycles(project, problems);
}

/// Exactly one thing says what a secret or config holds.
fn sources(what: &str, definition: &Definition, problems: &mut Problems) {
    let Definition { file, environment, content, external, .. } = definition;
    let count = [file.is_some(), environment.is_some(), content.is_some()].into_iter().filter(|it| *it).count();
    if count > 1 {
        let message = format!("{what} has more than one of `file`, `environment` and `content`");
        problems.refused_with_hint(&definition.at, message, "leave one of them");
    } else if count == 0 && !external {
        let message = format!("{what} has neither `file` nor `environment` nor `external`");
        problems.refused_with_hint(&definition.at, message, "file: \"./…\"");
    }
}

struct Checked<'a> {
    project: &'a Project,
    service: &'a Service,
    name: &'a str,
    problems: &'a mut Problems,
}

impl Checked<'_> {
    fn image(&mut self) {
        let Service { image, build, .. } = self.service;
        if build.is_none() && image.as_ref().is_none_or(|image| image.as_str().is_empty()) {
            let message = format!("service {} has neither `image` nor `build`", self.name);
            self.problems.refused_with_hint(&self.service.at, message, "image: \"…\"");
        }
    }

    fn modes(&mut self) {
        let Service { network_mode, networks, .. } = self.service;
        if let Some(mode) = network_mode.as_ref().filter(|_| !networks.is_empty()) {
            let message = format!("service {} has both `network_mode` and `networks`", self.name);
            self.problems.refused_with_hint(&mode.at, message, "take one of the two out");
        }
        let words = self.service.healthcheck.as_ref().map_or(&[][..], |it| &it.test[..]);
        if let [first, _, ..] = words
            && !matches!(first.as_str(), "CMD" | "CMD-SHELL" | "NONE")
        {
            let message = format!(
                "service {}: the list of `healthcheck.test` begins with none of `CMD`, `CMD-SHELL`, `NONE`",
                self.name
            );
            self.problems.refused(&first.at, message);
        }
    }

    fn references(&mut self) {
        let Project { services, secrets, configs, networks, volumes, .. } = self.project;
        let service = self.service;
        let mut unknown = |what: &str, name: &str, at| {
            let message = format!("service {} refers to the {what} {}, which nobody declares", self.name, shown(name));
            self.problems.refused(at, message);
        };
        for (name, at) in service.networks.iter().filter(|(name, _)| !networks.contains_key(*name)) {
            unknown("network", name, at);
        }
        for (name, at) in service.depends_on.iter().filter(|(name, _)| !services.contains_key(*name)) {
            unknown("service", name, at);
        }
        let build = service.build.iter().flat_map(|build| &build.secrets);
        for mount in service.secrets.iter().chain(build).filter(|it| !secrets.contains_key(&it.source)) {
            unknown("secret", &mount.source, &mount.at);
        }
        for mount in service.configs.iter().filter(|it| !configs.contains_key(&it.source)) {
            unknown("config", &mount.source, &mount.at);
        }
        for mount in service.volumes.iter().filter(|it| it.kind == VolumeKind::Volume) {
            if let Some(name) = mount.volume.as_ref().filter(|name| !volumes.contains_key(*name)) {
                unknown("volume", name, &mount.at);
            }
        }
    }

    /// Nothing is mounted over something else.
    fn targets(&mut self) {
        let tmpfs = self.service.tmpfs.iter().map(|it| (it.as_str().split(':').next().unwrap_or_default(), &it.at));
        let volumes = self.service.volumes.iter().map(|it| (it.target.as_str(), &it.at));
        let mut seen = BTreeSet::new();
        for (target, at) in tmpfs.chain(volumes) {
            if !seen.insert(target) {
                let message = format!("service {} mounts twice in the same place of the container", self.name);
                self.problems.refused(at, message);
            }
        }
    }
}

/// Services that wait for each other never start.
fn cycles(project: &Project, problems: &mut Problems) {
    // Takes away who waits for nobody who is left, until nobody is.
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, service) in &project.services {
        let others = service.depends_on.keys().filter(|name| project.services.contains_key(*name));
        waiting.insert(name, others.map(String::as_str).collect());
    }
    let mut free: Vec<&str> = waiting.iter().filter(|(_, others)| others.is_empty()).map(|(name, _)| *name).collect();
    let mut waited_for: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, others) in &waiting {
        for other in others {
            waited_for.entry(other).or_default().push(name);
        }
    }
    while let Some(name) = free.pop() {
        waiting.remove(name);
        for waiter in waited_for.remove(name).unwrap_or_default() {
            if let Some(others) = waiting.get_mut(waiter) {
                others.remove(name);
                if others.is_empty() {
                    free.push(waiter);
                }
            }
        }
    }
    if let Some(service) = waiting.keys().find_map(|name| project.services.get(*name)) {
        let names: Vec<String> = waiting.keys().take(5).map(|name| shown(name)).collect();
        problems.refused(&service.at, format!("services wait for each other by `depends_on`: {}", names.join(", ")));
    }
}
