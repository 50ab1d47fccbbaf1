//! What the manifest promises of its deployment: who publishes which ports, who is on which network, what every container has.

mod holders;
mod networks;
mod ports;

use super::Bench;
use crate::check::finding::{Code, Finding};
use crate::compose::{Location, Project, Service, Text};
use crate::manifest::deployment::{Deployment, Rule, Rules};
use crate::manifest::suggest;
use crate::project::MANIFEST;

impl<'a> Bench<'a> {
    /// Holds the Compose files of the environment to `[deployment]`.
    pub(super) fn deployment(&mut self) {
        let (manifest, facts) = (self.manifest, self.facts);
        let (Some(deployment), Some(project)) = (&manifest.deployment, &facts.deployed.compose) else { return };
        if self.compose_is_whole() && self.is_all_of_compose() {
            self.known_names(deployment, project);
        }
        self.networks(deployment, project);
        self.holders(deployment, project);
        for (name, service) in &project.services {
            self.ports(deployment, project, name, service);
            self.container(deployment, name, service);
        }
    }

    /// Whether no environment has other Compose files than this one: their services may be what a rule is about.
    fn is_all_of_compose(&self) -> bool {
        let own = self.manifest.compose_in(self.environment);
        let mut files = self.manifest.environments.keys().map(|environment| self.manifest.compose_in(environment));
        files.all(|files| files.is_empty() || files == own)
    }

    /// A rule about something that is not there judges nothing.
    fn known_names(&mut self, deployment: &'a Deployment, project: &Project) {
        let services: Vec<&str> = project.services.keys().map(String::as_str).collect();
        let networks: Vec<&str> = project.networks.keys().map(String::as_str).collect();
        self.known("public", &deployment.public, "service", &services);
        self.known("localhost", &deployment.localhost, "service", &services);
        self.known("read_only", &deployment.read_only, "service", &services);
        self.known("matrix", &deployment.matrix, "service", &services);
        self.known("forward_auth", &deployment.forward_auth, "service", &services);
        self.known("internal", &deployment.internal, "network", &networks);
        for rule in deployment.holders.values() {
            let row = rule.value.iter().map(|name| (name.clone(), Rule { value: (), line: rule.line }));
            self.known("holders", &row.collect(), "service", &services);
        }
        self.known("isolated", &deployment.isolated, "network", &networks);
        self.known("subnets", &deployment.subnets, "network", &networks);
    }

    fn known<T>(&mut self, field: &str, rules: &Rules<T>, what: &str, known: &[&str]) {
        for (name, rule) in rules.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let guess = suggest(name, known.iter().copied());
            let fix = guess.map_or_else(
                || format!("take `{name}` out of {field} in [deployment]"),
                |it| format!("did you mean `{it}`?"),
            );
            let message = format!("`deployment.{field}` names the {what} `{name}`, which no Compose file has");
            let line = u32::try_from(rule.line).unwrap_or(u32::MAX);
            self.verdict
                .findings
                .push(Finding::new(Code::DeploymentUnknown, message, fix).of_file(MANIFEST).at_line(line));
        }
    }

    /// What every container has, or must not have.
    fn container(&mut self, deployment: &Deployment, name: &str, service: &Service) {
        let at = &service.at;
        let said = service.security_opt.iter().rev().find_map(|it| gains_none(it.as_str()));
        if deployment.no_new_privileges && said != Some(true) {
            let fix = "security_opt: [\"no-new-privileges:true\"]";
            self.of(Code::NewPrivileges, at, format!("`{name}` can gain privileges by a setuid program"), fix);
        }
        if deployment.read_only.contains_key(name) && !service.read_only.as_ref().is_some_and(|it| it.on) {
            let at = service.read_only.as_ref().map_or(at, |it| &it.at);
            let fix = "read_only: true, with `tmpfs` or a volume where it writes";
            self.of(Code::NotReadOnly, at, format!("`{name}` can write to its root file system"), fix);
        }
        let limits = [(&service.limits.cpus, "processors"), (&service.limits.memory, "memory")];
        // To Docker nothing is no limit.
        let is_nothing = |limit: &Text| !limit.as_str().bytes().any(|it| matches!(it, b'1'..=b'9'));
        let is_unlimited = |limit: &Option<Text>| limit.as_ref().is_none_or(is_nothing);
        let unlimited: Vec<&str> =
            limits.into_iter().filter(|(limit, _)| is_unlimited(limit)).map(|(_, what)| what).collect();
        if deployment.limits && !unlimited.is_empty() {
            let fix = "deploy: { resources: { limits: { cpus: \"1\", memory: 1G } } }";
            self.of(Code::NoLimits, at, format!("`{name}` has no limit of {}", unlimited.join(" and ")), fix);
        }
        if let Some(privileged) = service.privileged.as_ref().filter(|it| it.on) {
            let message = format!("`{name}` is privileged: it can do on the host whatever root can");
            self.of(
                Code::Privileged,
                &privileged.at,
                message,
                "take `privileged` out, and add what it needs by `cap_add`",
            );
        }
        for (namespace, text) in [("network_mode", &service.network_mode), ("pid", &service.pid), ("ipc", &service.ipc)]
        {
            if let Some(text) = text.as_ref().filter(|it| it.as_str() == "host") {
                let message =
                    format!("`{name}` shares the host's `{namespace}`: no network or container keeps it apart");
                self.of(Code::HostNamespace, &text.at, message, format!("take `{namespace}: host` out"));
            }
        }
    }

    /// About a line of a Compose file.
    fn of(&mut self, code: Code, at: &Location, message: impl Into<String>, fix: impl Into<String>) {
        self.verdict.findings.push(Finding::new(code, message, fix).of_file(&at.file).at_line(at.line));
    }
}

/// What an option says of new privileges, as Docker's engine reads it; the last one that says it counts. A word that is no truth
/// value to it lets no container start.
fn gains_none(option: &str) -> Option<bool> {
    if option == "no-new-privileges" {
        return Some(true);
    }
    let (name, value) = option.split_once('=').or_else(|| option.split_once(':'))?;
    (name == "no-new-privileges").then_some(matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

#[cfg(test)]
mod tests {
    use super::gains_none;

    #[test]
    fn an_option_is_read_as_the_engine_reads_it() {
        for text in ["", ":1", "=1", ":t", ":T", ":true", "=true", ":TRUE", ":True"] {
            assert_eq!(gains_none(&format!("no-new-privileges{text}")), Some(true), "{text}");
        }
        for text in [":0", "=false", ":False", ":yes", ":tRUE", ": true", "=:true", ":"] {
            assert_eq!(gains_none(&format!("no-new-privileges{text}")), Some(false), "{text}");
        }
        for other in ["", "seccomp=unconfined", "label:disable", "No-New-Privileges:true", "no-new-privileges2=1"] {
            assert_eq!(gains_none(other), None, "{other}");
        }
    }
}
