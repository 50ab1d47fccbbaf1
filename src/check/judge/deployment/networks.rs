//! Which networks there are, and who is on them.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::Bench;
use crate::check::finding::Code;
use crate::check::judge::fix::{in_table, key};
use crate::compose::model::Network;
use crate::compose::{Project, Service};
use crate::manifest::deployment::Deployment;

/// Docker's own option that lets containers of a bridge reach each other.
const ICC: &str = "com.docker.network.bridge.enable_icc";

impl Bench<'_> {
    pub(super) fn networks(&mut self, deployment: &Deployment, project: &Project) {
        for (name, network) in &project.networks {
            let is_named = deployment.internal.contains_key(name)
                || deployment.isolated.contains_key(name)
                || deployment.subnets.contains_key(name);
            if network.external && is_named {
                let why = "it is made elsewhere: ask `docker network inspect`";
                self.not_checked(format!("the network `{name}`"), why);
                continue;
            }
            self.network(deployment, name, network);
        }
        if !deployment.matrix.is_empty() {
            for (name, service) in &project.services {
                self.membership(deployment, name, service, project);
            }
        }
    }

    fn network(&mut self, deployment: &Deployment, name: &str, network: &Network) {
        if deployment.internal.contains_key(name) && !network.internal.as_ref().is_some_and(|it| it.on) {
            let at = network.internal.as_ref().map_or(&network.at, |it| &it.at);
            let message = format!("the network `{name}` is not internal: whoever is on it reaches the outside");
            self.of(Code::NetworkNotInternal, at, message, format!("networks: {{ {name}: {{ internal: true }} }}"));
        }
        let icc = network.driver_opts.get(ICC);
        if deployment.isolated.contains_key(name) && icc.is_none_or(|it| it.as_str() != "false") {
            let message = format!("containers on the network `{name}` can reach each other");
            self.of(
                Code::NetworkNotIsolated,
                icc.map_or(&network.at, |it| &it.at),
                message,
                format!("driver_opts: {{ {ICC}: \"false\" }}"),
            );
        }
        if let Some(rule) = deployment.subnets.get(name) {
            let has = |text: &str| text.parse::<IpNet>().is_ok_and(|it| it.trunc() == rule.value);
            if network.subnets.len() != 1 || !network.subnets.iter().all(|it| has(it.as_str())) {
                let at = network.subnets.first().map_or(&network.at, |it| &it.at);
                let message = format!("the network `{name}` does not lie in {}, as [deployment] says", rule.value);
                self.of(
                    Code::NetworkSubnet,
                    at,
                    message,
                    format!("ipam: {{ config: [{{ subnet: {} }}] }}", rule.value),
                );
            }
        }
    }

    /// A service is on the networks of its row, and on no other.
    fn membership(&mut self, deployment: &Deployment, name: &str, service: &Service, project: &Project) {
        let (service, at) = match shared(service, project) {
            Some((of, at)) => (of, at),
            None => (service, &service.at),
        };
        let Some(rule) = deployment.matrix.get(name) else {
            let message = format!("`{name}` is in no row of the matrix of [deployment]");
            let on = quoted(service.networks.keys());
            let line = in_table("deployment.matrix", format!("{} = [{on}]", key(name)));
            let fix = format!("if it is meant, {line}");
            return self.of(Code::NetworkMatrix, at, message, fix);
        };
        for (network, at) in service.networks.iter().filter(|(network, _)| !rule.value.contains(*network)) {
            let message = format!("`{name}` is on the network `{network}`, which its row of the matrix does not have");
            self.of(Code::NetworkMatrix, at, message, format!("take `{network}` out of the networks of `{name}`"));
        }
        let lacking: BTreeSet<&String> =
            rule.value.iter().filter(|network| !service.networks.contains_key(*network)).collect();
        if !lacking.is_empty() {
            let message =
                format!("`{name}` is not on {}, as its row of the matrix says", quoted(lacking.iter().copied()));
            self.of(Code::NetworkMatrix, at, message, format!("networks: [{}]", quoted(&rule.value)));
        }
    }
}

/// The service whose networks another one uses by `network_mode: service:…`, and where that stands.
fn shared<'p>(service: &'p Service, project: &'p Project) -> Option<(&'p Service, &'p crate::compose::Location)> {
    let mode = service.network_mode.as_ref()?;
    let of = mode.as_str().strip_prefix("service:")?;
    Some((project.services.get(of)?, &mode.at))
}

fn quoted<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    names.into_iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
