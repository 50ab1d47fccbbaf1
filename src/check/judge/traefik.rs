//! Traefik: the versions of TLS that it allows, and who is asked before a request goes to a service that trusts its headers.

use std::collections::BTreeSet;

use super::Bench;
use super::fix::{in_table, key};
use crate::check::finding::{Code, Finding};
use crate::compose::flat::Entry;
use crate::compose::{Location, Project};
use crate::manifest::deployment::{Deployment, TlsVersion};
use crate::manifest::suggest;
use crate::project::MANIFEST;
use crate::traefik::{Configuration, Router};

/// The versions from the oldest on.
const VERSIONS: [&str; 4] = ["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"];

impl<'a> Bench<'a> {
    /// Holds files and labels to `[deployment]`.
    pub(super) fn traefik(&mut self) {
        let (manifest, facts) = (self.manifest, self.facts);
        let Some(deployment) = &manifest.deployment else { return };
        let mut entries: Vec<&Entry> = Vec::new();
        let mut is_whole = true;
        for file in &deployment.traefik {
            match self.opened(("traefik", &deployment.traefik), file, facts.deployed.traefik.get(file)) {
                Some(read) => entries.extend(read),
                None => is_whole = false,
            }
        }
        let project = facts.deployed.compose.as_ref();
        let configuration = Configuration::new(entries, project);
        self.options(&configuration, deployment.tls_min, is_whole);
        for (service, rule) in project.into_iter().flat_map(|_| &deployment.forward_auth) {
            self.routes(service, &rule.value, &configuration, deployment);
        }
    }

    /// Every set of options has a version that is new enough, and there is a set for whoever asks for none.
    fn options(&mut self, configuration: &Configuration, least: TlsVersion, is_whole: bool) {
        let allowed = match least {
            TlsVersion::Tls12 => &VERSIONS[2..],
            TlsVersion::Tls13 => &VERSIONS[3..],
        };
        let fix = format!("minVersion: {}", allowed[0]);
        for (name, options) in &configuration.options {
            let version = options.least.as_deref().unwrap_or_default();
            if allowed.contains(&version) {
                continue;
            }
            // Only what is a version is shown: whatever else stands there, Traefik refuses.
            let message = match VERSIONS.into_iter().find(|it| *it == version) {
                Some(version) => format!("`tls.options.{name}` allows {version}; the least is TLS {least}"),
                None => format!("`tls.options.{name}` leaves the versions of TLS to Traefik; the least is TLS {least}"),
            };
            self.of_traefik(Code::WeakTls, &options.at, message, &fix);
        }
        if let Some(at) =
            configuration.tls.as_ref().filter(|_| is_whole && !configuration.options.contains_key("default"))
        {
            let message =
                format!("leaves the versions of TLS to Traefik, whose releases differ; the least is TLS {least}");
            self.of_traefik(Code::WeakTls, at, message, format!("tls: {{ options: {{ default: {{ {fix} }} }} }}"));
        }
    }

    /// Every route to a service asks who comes, and lets no client say so; those that are open to everybody take the headers away.
    fn routes(&mut self, service: &str, headers: &BTreeSet<String>, all: &Configuration, deployment: &'a Deployment) {
        let open = deployment.open_routes.get(service);
        let is_open = |name: &str| open.is_some_and(|it| it.value.contains(name));
        let routers: Vec<(&str, &Router)> = all
            .routers
            .iter()
            .filter(|(_, it)| all.leads_to(it, service))
            .map(|(name, it)| (name.name.as_str(), it))
            .collect();
        if routers.is_empty() {
            let what = format!("the routes of Traefik to `{service}`");
            return self.not_checked(what, "neither its labels nor a file in `deployment.traefik` has one");
        }
        for name in open.into_iter().flat_map(|it| &it.value).filter(|it| routers.iter().all(|(name, _)| name != it)) {
            let guess = suggest(name, routers.iter().map(|(name, _)| *name));
            let fix = guess.map_or_else(
                || format!("take \"{name}\" out of deployment.open_routes"),
                |it| format!("did you mean `{it}`?"),
            );
            let message =
                format!("`deployment.open_routes` names the route `{name}`, and none to `{service}` is called so");
            let line = open.map_or(1, |it| u32::try_from(it.line).unwrap_or(u32::MAX));
            self.verdict
                .findings
                .push(Finding::new(Code::DeploymentUnknown, message, fix).of_file(MANIFEST).at_line(line));
        }
        for &(name, router) in &routers {
            if is_open(name) {
                self.open_route(service, (name, router), headers, all);
                let passed_by = routers.iter().find(|(it, other)| !is_open(it) && router.goes_before(other));
                if let Some((other, _)) = passed_by {
                    let message =
                        format!("the route `{name}`, which is open to everybody, takes requests that `{other}` is for");
                    let fix = format!("give `{other}` the higher priority: traefik.http.routers.{other}.priority");
                    self.of_traefik(Code::RouteUnprotected, &router.at, message, fix);
                }
            } else {
                self.protected_route(service, (name, router), headers, all);
            }
        }
    }

    fn protected_route(
        &mut self,
        service: &str,
        (name, router): (&str, &Router),
        headers: &BTreeSet<String>,
        all: &Configuration,
    ) {
        let passed = all.passed(router);
        if passed.asks.is_empty() {
            if passed.unknown || self.has_middlewares_of_entry_points() {
                let what = format!("who is asked before the route `{name}` leads to `{service}`");
                return self.not_checked(
                    what,
                    "it passes a middleware that neither labels nor files in `deployment.traefik` tell of",
                );
            }
            let message = format!("the route `{name}` leads to `{service}` without asking who comes");
            let row = format!("{} = [\"{name}\"]", key(service));
            let fix = format!(
                "traefik.http.routers.{name}.middlewares, with the middleware that asks; or, if everybody may come, {}",
                in_table("deployment.open_routes", row)
            );
            return self.of_traefik(Code::RouteUnprotected, &router.at, message, fix);
        }
        let sets =
            |header: &&String| passed.asks.iter().any(|it| it.has_pattern || it.sets.contains(&header.to_lowercase()));
        let lacking: Vec<&String> = headers.iter().filter(|it| !sets(it)).collect();
        if let ([ask, ..], false) = (&passed.asks[..], lacking.is_empty()) {
            let message = format!(
                "the answer of the ForwardAuth does not put {} in the place of the client's, which `{service}` trusts",
                listed(&lacking)
            );
            let all: Vec<&str> = headers.iter().map(String::as_str).collect();
            self.of_traefik(Code::HeaderForgeable, &ask.at, message, format!("authResponseHeaders={}", all.join(",")));
        }
    }

    /// A route that asks nobody hands no header on by which the service knows who comes.
    fn open_route(
        &mut self,
        service: &str,
        (name, router): (&str, &Router),
        headers: &BTreeSet<String>,
        all: &Configuration,
    ) {
        let passed = all.passed(router);
        let is_safe = |header: &&String| {
            let header = header.to_lowercase();
            passed.emptied.contains(header.as_str())
                || passed.asks.iter().any(|it| it.has_pattern || it.sets.contains(&header))
        };
        let lacking: Vec<&String> = headers.iter().filter(|it| !is_safe(it)).collect();
        let Some(first) = lacking.first() else { return };
        if passed.unknown || self.has_middlewares_of_entry_points() {
            let what = format!("the headers that the route `{name}` hands on to `{service}`");
            return self.not_checked(
                what,
                "it passes a middleware that neither labels nor files in `deployment.traefik` tell of",
            );
        }
        let message =
            format!("the open route `{name}` hands {} on to `{service}` as the client sends it", listed(&lacking));
        let fix =
            format!("a middleware that takes it away: headers.customrequestheaders.{first}= (nothing behind the `=`)");
        self.of_traefik(Code::HeaderForgeable, &router.at, message, fix);
    }

    /// Whether Traefik is told, by its command line, of middlewares that each route of an entry point passes.
    fn has_middlewares_of_entry_points(&self) -> bool {
        let services = self.facts.deployed.compose.iter().flat_map(|it: &Project| it.services.values());
        let mut words = services.flat_map(|it| it.command.iter().chain(&it.entrypoint));
        words.any(|it| {
            let text = it.as_str().to_ascii_lowercase();
            text.contains("--entrypoints.") && text.contains(".http.middlewares")
        })
    }

    fn of_traefik(&mut self, code: Code, at: &Location, message: impl Into<String>, fix: impl Into<String>) {
        self.verdict.findings.push(Finding::new(code, message, fix).of_file(&at.file).at_line(at.line));
    }
}

fn listed(headers: &[&String]) -> String {
    headers.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}
