//! The files that services are given: env files, secrets, and what their `…_FILE` variables name.

use super::{Bench, names};
use crate::check::delivered::{Delivered, is_below};
use crate::check::deployed::NamedFile;
use crate::check::finding::Code;
use crate::compose::model::{Mount, VolumeKind, VolumeMount};
use crate::compose::{Project, Service, Text};
use crate::credential::is_credential;
use crate::name::SecretName;
use crate::shell;

/// Where containers see the secrets that they are given.
const MOUNTED: &str = "/run/secrets";

impl Bench<'_> {
    pub(super) fn files_of_services(&mut self, project: &Project, delivered: &Delivered<'_>) {
        self.env_files(project, delivered);
        self.secret_files(project, delivered);
        self.external_secrets(project);
        for (name, service) in &project.services {
            self.file_variables(name, service, delivered);
        }
    }

    fn env_files(&mut self, project: &Project, delivered: &Delivered<'_>) {
        for (name, service) in &project.services {
            for file in service.env_files.iter().filter(|it| it.required && !it.found) {
                if delivered.output(&file.path.path).is_none() {
                    let message =
                        format!("`{name}`: its env file `{}` is not there, and no output writes it", file.path.path);
                    let fix = format!("let a dotenv output of vault-kit.toml write it: path = \"{}\"", file.path.path);
                    self.at(Code::EnvFileMissing, &file.path.text.at, message, fix);
                }
            }
        }
    }

    fn secret_files(&mut self, project: &Project, delivered: &Delivered<'_>) {
        let facts = self.facts;
        for (name, definition) in &project.secrets {
            let Some(file) = definition.file.as_ref().filter(|it| delivered.output(&it.path).is_none()) else {
                continue;
            };
            let mounts = |services: &&Service| services.secrets.iter().any(|it| it.source == *name);
            let users = project.services.iter().filter(|(_, it)| mounts(it)).map(|(name, _)| name.as_str());
            let users: Vec<&str> = users.collect();
            let is_not = match facts.deployed.files.get(&file.path) {
                Some(NamedFile::File { .. }) | None => continue,
                Some(NamedFile::Absent) => "is not there, and no output writes it",
                Some(NamedFile::NotAFile) => "is not a file: Docker makes a directory of what it does not find",
                Some(NamedFile::Unseen(why)) => {
                    self.not_checked(format!("the file of the secret `{name}`"), why);
                    continue;
                }
            };
            let who = if users.is_empty() { "nobody".to_owned() } else { names(users) };
            let message = format!("{who}: the file `{}` of the secret `{name}` {is_not}", file.path);
            let fix = format!("let a docker-secrets output of vault-kit.toml write \"{}\"", file.path);
            self.at(Code::SecretFileMissing, &file.text.at, message, fix);
        }
    }

    /// A secret of Docker Swarm is put there by a hook of the manifest.
    fn external_secrets(&mut self, project: &Project) {
        for (name, definition) in project.secrets.iter().filter(|(_, it)| it.external) {
            let lacks = |(service, it): &(&String, &Service)| {
                it.secrets.iter().any(|it| it.source == *name && self.of_swarm(service, it).is_none())
            };
            let users = project.services.iter().filter(lacks).map(|(name, _)| name.as_str());
            let users: Vec<&str> = users.collect();
            if users.is_empty() {
                continue;
            }
            let real = definition.name.as_ref().map_or(name.as_str(), Text::as_str);
            let message =
                format!("{}: the secret `{name}` is external, and no hook here puts it into Swarm", names(users));
            let fix = format!(
                "docker secret create {} -    # the value on its input, before the stack is deployed",
                shell::word(real)
            );
            self.at(Code::SecretExternal, &definition.at, message, fix);
        }
    }

    /// The secret that a hook hands to a service of Swarm as what the service mounts.
    pub(in crate::check::judge) fn of_swarm(&self, service: &str, mount: &Mount) -> Option<&SecretName> {
        let file = mount.target.strip_prefix(MOUNTED)?.strip_prefix('/')?;
        self.manifest.swarm_secret(self.environment, service, file)
    }

    /// A variable that names a file names one that the container has.
    fn file_variables(&mut self, name: &str, service: &Service, delivered: &Delivered<'_>) {
        for (variable, it) in &service.environment {
            let Some(subject) = variable.strip_suffix("_FILE") else { continue };
            let Some(value) = &it.value else { continue };
            if let Some(is_not) = dangling(subject, value, service, delivered) {
                let mounted: Vec<&str> = service.secrets.iter().map(|it| it.target.as_str()).collect();
                let fix = match value.as_str().strip_prefix("/run/secrets/") {
                    _ if !mounted.is_empty() => format!("let it name one of its secrets: {}", names(mounted)),
                    Some(secret) if value.is_literal() && is_plain(secret) => {
                        format!("let `{name}` mount it: secrets: [\"{secret}\"], which top-level `secrets` declares")
                    }
                    _ => format!("let `{name}` mount a secret, and name /run/secrets/NAME: secrets: [\"NAME\"]"),
                };
                self.at(
                    Code::FileVariableDangling,
                    &it.at,
                    format!("`{name}`: `{variable}` names a file that {is_not}"),
                    fix,
                );
            }
        }
    }
}

/// Whether a text is a name, and no value that stands where one belongs.
fn is_plain(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|it| it.is_ascii_lowercase() || matches!(it, b'_' | b'-' | b'.'))
}

/// What is wrong with the file that a variable names. What may be in the image is not known, and so not wrong.
fn dangling(subject: &str, value: &Text, service: &Service, delivered: &Delivered<'_>) -> Option<&'static str> {
    let path = value.as_str();
    if service.secrets.iter().chain(&service.configs).any(|it| it.target == path) {
        return None;
    }
    let bind = |it: &&VolumeMount| it.kind == VolumeKind::Bind && is_below(path, it.target.trim_end_matches('/'));
    if let Some((bind, host)) = service.volumes.iter().filter(bind).find_map(|it| Some((it, it.host.as_ref()?))) {
        let rest = path[bind.target.trim_end_matches('/').len()..].trim_start_matches('/');
        let file = if host.path.is_empty() { rest.to_owned() } else { format!("{}/{rest}", host.path) };
        let file = file.trim_end_matches('/');
        let is_ours = delivered.owns_directory(&host.path);
        return (is_ours && delivered.output(file).is_none() && is_credential(subject))
            .then_some("no output writes into the directory that is mounted there");
    }
    let is_volume = service.volumes.iter().any(|it| is_below(path, it.target.trim_end_matches('/')));
    (!is_volume && is_below(path, MOUNTED)).then_some("the service does not mount")
}
