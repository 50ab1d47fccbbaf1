//! Which ports of the host a service publishes, and to whom.

use std::net::IpAddr;

use super::Bench;
use crate::check::finding::Code;
use crate::check::judge::fix::{in_table, key};
use crate::compose::Service;
use crate::compose::model::Port;
use crate::manifest::deployment::{Deployment, Ports, Rules};

impl Bench<'_> {
    /// Only what is declared is published, and to this host alone where that is declared.
    pub(super) fn ports(&mut self, deployment: &Deployment, name: &str, service: &Service) {
        if !deployment.names_ports {
            return;
        }
        for port in &service.ports {
            let published =
                port.published.as_deref().and_then(|text| Ports::parse(&format!("{text}/{}", port.protocol)));
            let is_in = |rules: &Rules<Vec<Ports>>| {
                let declared = rules.get(name).map(|rule| rule.value.as_slice()).unwrap_or_default();
                published.is_some_and(|port| declared.iter().any(|it| it.cover(&port)))
            };
            if is_in(&deployment.public) {
                continue;
            }
            let shown = port.published.as_deref().unwrap_or("that Docker chooses");
            let protocol = if port.protocol == "tcp" { String::new() } else { format!("/{}", port.protocol) };
            if !is_in(&deployment.localhost) {
                let message = format!("`{name}` publishes the host's port {shown}, which [deployment] does not name");
                let or = match published {
                    Some(published) => {
                        in_table("deployment", format!("public = {{ {} = [\"{published}\"] }}", key(name)))
                    }
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

fn is_loopback(port: &Port) -> bool {
    let address = port.host_ip.as_deref().map(|text| text.trim_matches(['[', ']']));
    address.is_some_and(|text| text.parse().is_ok_and(|address: IpAddr| address.is_loopback()))
}
