//! Secrets that stand where others read them: in the Compose file itself, in labels, arguments and images.

use std::collections::BTreeMap;

use super::{Bench, names};
use crate::check::finding::Code;
use crate::check::judge::secrets::is_production;
use crate::check::origins::{allows_all, names_origins};
use crate::compose::model::{Build, Origin, Variable};
use crate::compose::{Location, Project, Service, Text};
use crate::credential::{
    Argument, could_be, has_credential, holds, in_document, is_credential, is_literal, is_rest_of, is_stopgap, typed,
};
use crate::name::SecretName;
use crate::shell;

impl Bench<'_> {
    pub(super) fn exposed(&mut self, project: &Project) {
        self.written_out(project);
        self.written_elsewhere(project);
        self.committed();
        for (name, service) in &project.services {
            self.origins(name, service);
            for (label, text) in &service.labels {
                self.label(name, "label", label, text);
            }
            for (annotation, text) in &service.annotations {
                self.label(name, "annotation", annotation, text);
            }
            self.arguments(name, service);
            if let Some(build) = &service.build {
                self.build(name, build);
            }
        }
    }

    /// Values that stand in the Compose file, rather than coming in by a variable that we deliver; what several services have by an
    /// anchor or an extension is told once.
    fn written_out(&mut self, project: &Project) {
        let mut found: BTreeMap<(&Location, &str), (&Text, Vec<&str>)> = BTreeMap::new();
        for (service, variable, it) in written(project) {
            if let Some(value) = it.value.as_ref().filter(|value| self.is_written_out(variable, value)) {
                found.entry((&it.at, variable)).or_insert((value, Vec::new())).1.push(service);
            }
        }
        for ((at, variable), (value, services)) in found {
            let message = format!("{}: the value of `{variable}` stands in the Compose file", names(services));
            let source = self.brought_by(variable, value);
            let line = if value.is_pair {
                format!("- {variable}=${{{source}:?}}")
            } else {
                format!("{variable}: \"${{{source}:?}}\"")
            };
            let declare = if self.stored(source).is_some() { "" } else { ", and declare it in vault-kit.toml" };
            let fix = format!("write {line}{declare}; replace the value, which may be in the history");
            let secret = self.declared(source);
            self.at(Code::SecretInEnvironment, at, message, fix).secret = secret;
        }
    }

    /// The variable that is to bring a value: the one that stands there and has all of it as its default, or one of its own name.
    fn brought_by<'t>(&self, variable: &'t str, value: &'t Text) -> &'t str {
        let [only] = &value.variables[..] else { return variable };
        let default = self.default_in(value, only);
        if default.is_some_and(|it| it.as_str() == value.as_str()) { only } else { variable }
    }

    fn origins(&mut self, name: &str, service: &Service) {
        if !is_production(self.environment) {
            return;
        }
        for (variable, it) in service.environment.iter().filter(|(_, it)| it.origin == Origin::Environment) {
            if names_origins(variable) && it.value.as_ref().is_some_and(|value| allows_all(value.as_str())) {
                let message = format!("`{name}`: `{variable}` allows every origin");
                self.at(Code::WildcardOrigin, &it.at, message, format!("{variable}: \"https://…\""));
            }
        }
    }

    /// Whether a credential stands there as it is, or as the default of a variable.
    fn is_written_out(&self, name: &str, value: &Text) -> bool {
        if names_file(name) {
            return false;
        }
        if value.variables.iter().any(|it| self.is_credential_by_default(value, it)) {
            return true;
        }
        if value.variables.iter().all(|it| self.is_default_in(value, it)) {
            return is_literal(name, value.as_str()) || self.stored(name).is_some() && !value.as_str().is_empty();
        }
        // Beside what a variable brings, the rest of a text is a prefix or an address, unless it is one by its shape.
        let Some(written) = value.as_written() else { return false };
        let brings_none = |it: &String| self.is_known(it) || self.is_default_in(value, it);
        has_credential(written)
            || in_document(written).is_some()
            || value.variables.iter().all(brings_none) && is_rest_of(name, written)
    }

    /// Whether a variable that is put into a text has its default there.
    fn is_default_in(&self, text: &Text, variable: &str) -> bool {
        self.facts.deployed.defaults.contains_key(&(text.at.clone(), variable.to_owned()))
    }

    /// The default that a variable has in a text.
    fn default_in(&self, text: &Text, variable: &str) -> Option<&Text> {
        self.facts.deployed.defaults.get(&(text.at.clone(), variable.to_owned()))?.as_ref()
    }

    /// Whether a credential is the default of a variable that is put into a text: the variable's name tells as much as that of the
    /// entry.
    fn is_credential_by_default(&self, text: &Text, variable: &str) -> bool {
        let is_one = |default: &Text| match self.manifest.secret(variable) {
            Some(declared) => declared.is_stored() && could_be(default.as_str()),
            None => holds(variable, default.as_str()) && !names_file(variable),
        };
        self.default_in(text, variable).is_some_and(is_one)
    }

    /// Whether a variable had a value when the Compose files were read.
    pub(super) fn is_known(&self, variable: &str) -> bool {
        self.facts.deployed.known.contains(variable)
    }

    /// Whether a variable carries a secret: one that is declared, or by its name.
    fn is_secret(&self, variable: &str) -> bool {
        self.stored(variable).is_some() || self.manifest.secret(variable).is_none() && is_credential(variable)
    }

    /// The first variable in a text that carries a secret.
    fn secret_in<'t>(&self, text: &'t Text) -> Option<&'t str> {
        text.variables.iter().map(String::as_str).find(|it| self.is_secret(it))
    }

    fn declared(&self, name: &str) -> Option<SecretName> {
        self.manifest.secret(name).map(|it| it.name.clone())
    }

    fn label(&mut self, name: &str, what: &str, label: &str, text: &Text) {
        // Traefik's way to let users in: a name and the hash of a password.
        let lists_users = label.to_ascii_lowercase().ends_with(".basicauth.users") && text.as_str().contains(':');
        let put_in = self.secret_in(text);
        if put_in.is_some() || lists_users || is_literal(label, text.as_str()) {
            let message =
                format!("`{name}`: the {what} `{label}` carries a secret, which everybody reads who may ask Docker");
            let secret = put_in.and_then(|it| self.declared(it));
            let fix = "hand it over as a file: the service's `secrets`";
            self.at(Code::SecretInLabel, &text.at, message, fix).secret = secret;
        }
    }

    /// What is neither a variable nor a label: configs that are written out, options of drivers.
    fn written_elsewhere(&mut self, project: &Project) {
        let mut found: Vec<(Location, String)> = Vec::new();
        for (name, definition) in &project.configs {
            let content = definition.content.as_ref();
            if let Some((text, line)) = content.and_then(|text| Some((text, in_document(text.as_written()?)?))) {
                let line = text.line_of(u32::try_from(line + 1).unwrap_or(1));
                found.push((Location { line, ..text.at.clone() }, format!("the config `{name}`")));
            }
        }
        let services = project.services.iter().map(|(name, it)| (format!("the logging of `{name}`"), &it.logging));
        let networks = project.networks.iter().map(|(name, it)| (format!("the network `{name}`"), &it.driver_opts));
        let volumes = project.volumes.iter().map(|(name, it)| (format!("the volume `{name}`"), &it.driver_opts));
        for (of, options) in services.chain(networks).chain(volumes) {
            let written = options.iter().filter(|(option, text)| self.is_written_out(option, text));
            found.extend(written.map(|(option, text)| (text.at.clone(), format!("{of}: `{option}`"))));
        }
        let provider = |(name, it): (&String, &'_ Service)| {
            let written = it.provider.iter().filter(|(option, text)| self.is_written_out(option, text));
            let told = written.map(|(option, text)| (text.at.clone(), format!("the provider of `{name}`: `{option}`")));
            told.collect::<Vec<_>>()
        };
        found.extend(project.services.iter().flat_map(provider));
        let addresses = project.addresses.iter().filter(|it| self.is_written_out("", &it.text));
        found.extend(addresses.map(|it| (it.text.at.clone(), format!("the address of `{}`", it.key))));
        for (at, of) in found {
            let message = format!("{of} has a credential in it, which stands in the Compose file");
            let fix = "put it in by a variable that a dotenv output delivers, or hand it over as a secret's file; replace the value, which may be in the history";
            self.at(Code::SecretInEnvironment, &at, message, fix);
        }
    }

    /// Env files that are in git, with the credentials in them.
    fn committed(&mut self) {
        let mut files: BTreeMap<&str, (&Location, Vec<&str>)> = BTreeMap::new();
        for (at, name) in &self.facts.deployed.committed {
            files.entry(&at.file).or_insert((at, Vec::new())).1.push(name);
        }
        for (file, (at, variables)) in files {
            let message = format!(
                "is tracked by git, with what {} says: its values are in the history, replace them",
                names(variables)
            );
            self.at(Code::TrackedByGit, at, message, format!("git rm --cached -- {}", shell::path(file)));
        }
    }

    /// Everybody on the host reads the arguments of a process, and Docker keeps those of a container and its health check.
    fn arguments(&mut self, name: &str, service: &Service) {
        let test = service.healthcheck.as_ref().map_or(&[][..], |it| &it.test);
        let own = [("command", &service.command[..]), ("entrypoint", &service.entrypoint), ("health check", test)];
        let hooks = service.hooks.iter().map(|it| (it.key, &it.command[..]));
        let lines: Vec<(&str, &[Text])> = own.into_iter().chain(hooks).collect();
        for (what, words) in lines.iter().copied() {
            let arguments = words.iter().map(|text| Argument { text: text.as_str(), is_whole: text.is_literal() });
            let arguments: Vec<Argument<'_>> = arguments.collect();
            if let Some(text) = typed(&arguments).map(|at| &words[at]).filter(|text| self.secret_in(text).is_none()) {
                let message = format!(
                    "`{name}`: a credential is typed into its {what}, and stands in the Compose file; who may see its processes reads it too"
                );
                let fix = "hand it over as a file, or declare it and let a shell put in $$NAME from `environment`; replace the value, which may be in the history";
                self.at(Code::SecretInEnvironment, &text.at, message, fix);
            }
        }
        let words = lines.iter().flat_map(|(_, words)| *words);
        let found: Vec<(&Text, &str)> = words.filter_map(|text| Some((text, self.secret_in(text)?))).collect();
        for (text, variable) in found {
            let message =
                format!("`{name}`: `{variable}` is put into an argument, which everybody on the host can read");
            let fix = format!("write $${variable} and run it by a shell, or hand it over as a file");
            let secret = self.declared(variable);
            self.at(Code::SecretInArguments, &text.at, message, fix).secret = secret;
        }
    }

    fn build(&mut self, name: &str, build: &Build) {
        for (argument, it) in &build.args {
            if self.hands_over(argument, it) {
                let message = format!("`{name}`: the build argument `{argument}` stays in the image's history");
                let fix = format!(
                    "use a build secret: build.secrets, and RUN --mount=type=secret,id={}",
                    argument.to_ascii_lowercase()
                );
                let secret = self.declared(argument);
                self.at(Code::SecretInBuildArgs, &it.at, message, fix).secret = secret;
            }
        }
        for (label, text) in &build.labels {
            self.label(name, "label", label, text);
        }
    }

    fn hands_over(&self, argument: &str, it: &Variable) -> bool {
        let by_name = self.is_secret(argument) && !names_file(argument);
        match &it.value {
            Some(text) if text.variables.is_empty() => {
                is_literal(argument, text.as_str()) && !is_stopgap(text.as_str())
            }
            Some(text) => self.secret_in(text).is_some() || by_name || self.is_written_out(argument, text),
            None => by_name,
        }
    }
}

/// What stands under `environment`, that of hooks too: service, name and value.
fn written(project: &Project) -> impl Iterator<Item = (&str, &str, &Variable)> {
    project.services.iter().flat_map(|(service, it)| {
        let all = it.environment.iter().chain(it.hooks.iter().flat_map(|hook| &hook.environment));
        all.filter(|(_, it)| it.origin == Origin::Environment)
            .map(move |(name, it)| (service.as_str(), name.as_str(), it))
    })
}

/// Whether a variable names a file with the secret, rather than holding it.
fn names_file(name: &str) -> bool {
    ["_FILE", "_PATH", "_DIR"].iter().any(|end| name.ends_with(end))
}
