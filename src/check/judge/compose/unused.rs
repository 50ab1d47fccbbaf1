//! What is delivered, and read by no service.

use std::collections::BTreeSet;

use super::Bench;
use crate::check::delivered::{Delivered, DeliveredFile};
use crate::check::finding::{Code, Finding};
use crate::check::judge::fix::in_table;
use crate::compose::Project;
use crate::compose::model::{HostPath, VolumeKind};
use crate::manifest::Format;
use crate::name::SecretName;
use crate::project::MANIFEST;

impl<'a> Bench<'a> {
    /// Every declared secret and setting is read by a service, or said to be read elsewhere.
    pub(super) fn unused(&mut self, project: &Project, delivered: &Delivered<'a>) {
        let used = self.used(project, delivered);
        let (manifest, environment) = (self.manifest, self.environment);
        for declaration in manifest.secrets_in(environment).filter(|it| !used.contains(&it.name)) {
            let name = &declaration.name;
            let message = format!("`{name}` is read by no service of the Compose files");
            let fix = format!(
                "take it out of vault-kit.toml; or, if a person or another host reads it, {}",
                in_table("deployment", format!("outside = [\"{name}\"]"))
            );
            let line = u32::try_from(declaration.line).unwrap_or(u32::MAX);
            let finding = Finding::new(Code::Unused, message, fix).about(name).of_file(MANIFEST).at_line(line);
            self.verdict.findings.push(finding);
        }
    }

    fn used(&self, project: &Project, delivered: &Delivered<'a>) -> BTreeSet<&'a SecretName> {
        let manifest = self.manifest;
        let variables: BTreeSet<&str> = project.uses.iter().map(|it| it.name.as_str()).collect();
        let puts_in = |name: &SecretName| {
            variables.contains(name.as_str()) || name.previous().is_some_and(|it| variables.contains(it.as_str()))
        };
        // A variable that is put in is used, also where nobody delivers it: that is another finding.
        let by_name = manifest.secrets_in(self.environment).map(|it| &it.name).filter(|name| puts_in(name));
        let mut used: BTreeSet<&SecretName> = by_name.collect();
        let read = read_by(project);
        for (path, file) in &delivered.files {
            if is_read_elsewhere(file) || read.iter().any(|it| project.below(it, path).is_some()) {
                used.extend(&file.names);
            }
        }
        let outside = manifest.deployment.iter().flat_map(|it| &it.outside);
        used.extend(outside.chain(manifest.hooks.values().flat_map(|it| &it.secrets)));
        let is_in_aws = manifest.aws(self.environment).is_some();
        // What is in AWS is read there, and what an owner is told of is read by that owner.
        let elsewhere =
            manifest.secrets_in(self.environment).filter(|it| is_in_aws && it.remote.is_some() || !it.hooks.is_empty());
        used.extend(elsewhere.map(|it| &it.name));
        // Each secret stands after everything that it refers to.
        for declaration in manifest.order.iter().rev() {
            if used.contains(&declaration.name) {
                used.extend(
                    declaration.references().into_iter().filter_map(|name| manifest.secret(name)).map(|it| &it.name),
                );
            }
        }
        used
    }
}

/// Kubernetes reads it.
fn is_read_elsewhere(file: &DeliveredFile<'_>) -> bool {
    matches!(file.output.format, Format::ExternalSecret(_) | Format::KubernetesSecret(_))
}

/// The paths that Compose or a container of the project reads: files, and directories with all that is in them.
fn read_by(project: &Project) -> Vec<&HostPath> {
    let definitions = project.secrets.values().chain(project.configs.values()).filter_map(|it| it.file.as_ref());
    let services = project.services.values().flat_map(|service| {
        let binds = service.volumes.iter().filter(|it| it.kind == VolumeKind::Bind);
        service.env_files.iter().map(|it| &it.path).chain(binds.filter_map(|it| it.host.as_ref()))
    });
    let volumes = project.volumes.values().filter_map(|it| it.bind.as_ref());
    definitions.chain(services).chain(volumes).collect()
}
