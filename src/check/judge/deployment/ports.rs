//! Which ports of the host a service publishes, and to whom.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Bench;
use crate::check::finding::Code;
use crate::check::judge::fix::{in_table, key};
use crate::compose::model::Port;
use crate::compose::{Project, Service};
use crate::manifest::deployment::{Deployment, Ports, Rules};

impl Bench<'_> {
    /// Only what is declared is published, and to this host alone where that is declared.
    pub(super) fn ports(&mut self, deployment: &Deployment, project: &Project, name: &str, service: &Service) {
        if !deployment.names_ports {
            return;
        }
        for port in &service.ports {
            let published = published(port);
            if published.is_some_and(|it| covers(&deployment.public, name, it)) {
                continue;
            }
            let shown = port.published.as_deref().unwrap_or("that Docker chooses");
            let protocol = if port.protocol == "tcp" { String::new() } else { format!("/{}", port.protocol) };
            if !published.is_some_and(|it| covers(&deployment.localhost, name, it)) {
                let message = format!("`{name}` publishes the host's port {shown}, which [deployment] does not name");
                let or = match published {
                    Some(published) => row(deployment, project, name, service, published),
                    // No rule can name it.
                    None => {
                        format!("choose a port of the host: ports: [\"127.0.0.1:{0}:{0}{protocol}\"]", port.target)
                    }
                };
                let fix = format!("take it out of `ports` (services reach each other without), or {or}");
                self.of(Code::PortPublished, &port.at, message, fix);
            } else if !is_loopback(port) {
                let message = format!("`{name}` publishes the host's port {shown} beyond the loopback address");
                self.of(
                    Code::PortNotLoopback,
                    &port.at,
                    message,
                    format!("ports: [\"127.0.0.1:{shown}:{}{protocol}\"]", port.target),
                );
            }
        }
    }
}

/// What a port is to a rule; `None` where Docker chooses it.
fn published(port: &Port) -> Option<Ports> {
    port.published.as_deref().and_then(|text| Ports::parse(&format!("{text}/{}", port.protocol)))
}

fn covers(rules: &Rules<Vec<Ports>>, service: &str, port: Ports) -> bool {
    rules.get(service).is_some_and(|rule| rule.value.iter().any(|it| it.cover(&port)))
}

/// Whether a service publishes a port, or a part of a range, to others than this host.
fn is_open(service: &Service, port: Ports) -> bool {
    service.ports.iter().any(|it| !is_loopback(it) && published(it).is_some_and(|it| it.meet(&port)))
}

/// The line that declares a port, as it has to be once it is pasted over what stands there: with what is declared already, and
/// with the other ports that nobody declared.
fn row(deployment: &Deployment, project: &Project, name: &str, service: &Service, port: Ports) -> String {
    let (table, rules) =
        if is_open(service, port) { ("public", &deployment.public) } else { ("localhost", &deployment.localhost) };
    let mut rows: BTreeMap<&str, Vec<Ports>> =
        rules.iter().map(|(name, rule)| (name.as_str(), rule.value.clone())).collect();
    for (name, service) in &project.services {
        let ports = service.ports.iter().filter_map(published);
        let is_declared = |it: Ports| covers(&deployment.public, name, it) || covers(&deployment.localhost, name, it);
        for port in ports.filter(|it| !is_declared(*it) && is_open(service, *it) == (table == "public")) {
            add(rows.entry(name).or_default(), port);
        }
    }
    let list = |ports: &[Ports]| ports.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ");
    if deployment.port_tables.contains(table) {
        let ports = rows.get(name).map(|ports| list(ports)).unwrap_or_default();
        return in_table(&format!("deployment.{table}"), format!("{} = [{ports}]", key(name)));
    }
    let rows: Vec<String> = rows.iter().map(|(name, ports)| format!("{} = [{}]", key(name), list(ports))).collect();
    in_table("deployment", format!("{table} = {{ {} }}", rows.join(", ")))
}

/// Adds a port to those of a row, which must have none in common.
fn add(row: &mut Vec<Ports>, port: Ports) {
    let mut whole = port;
    while let Some(at) = row.iter().position(|it| it.meet(&whole)) {
        let met = row.remove(at);
        whole = Ports { first: whole.first.min(met.first), last: whole.last.max(met.last), ..whole };
    }
    row.push(whole);
}

fn is_loopback(port: &Port) -> bool {
    let address = port.host_ip.as_deref().map(|text| text.trim_matches(['[', ']']));
    address.is_some_and(|text| text.parse().is_ok_and(|address: IpAddr| address.is_loopback()))
}
