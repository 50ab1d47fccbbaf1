//! What a deployment promises of its Compose files and its gateway; `check` holds them to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ipnet::IpNet;

use crate::name::{EnvName, SecretName};

use super::Manifest;

/// The table `[deployment]`. What it leaves out is not judged.
#[derive(Debug, Default)]
pub struct Deployment {
    /// Which ports which services publish on every address, by service.
    pub public: Rules<Vec<Ports>>,
    /// Which ports which services publish on the loopback address alone, by service.
    pub localhost: Rules<Vec<Ports>>,
    /// Whether `public` or `localhost` was declared, so that every other port is one too many.
    pub names_ports: bool,
    /// Those of `public` and `localhost` that have a line for each service below a header, rather than all in one line.
    pub port_tables: BTreeSet<&'static str>,
    /// Networks with `internal: true`.
    pub internal: Rules<()>,
    /// Networks whose containers cannot reach each other.
    pub isolated: Rules<()>,
    /// The subnet of a network.
    pub subnets: Rules<IpNet>,
    /// The networks of a service: these and no others. Empty = nobody is held to any.
    pub matrix: Rules<BTreeSet<String>>,
    /// The services that get a secret: these and no others. Who is in no row may go to any.
    pub holders: BTreeMap<SecretName, Rule<BTreeSet<String>>>,
    /// Whether every container has `no-new-privileges`.
    pub no_new_privileges: bool,
    /// Services whose root file system is read-only.
    pub read_only: Rules<()>,
    /// Whether every container has limits of processors and memory.
    pub limits: bool,
    /// The oldest version of TLS that the files in `nginx` and `traefik` may allow.
    pub tls_min: TlsVersion,
    /// Configuration files of nginx, relative to the manifest's directory.
    pub nginx: Vec<String>,
    /// Files of Traefik's dynamic configuration, relative to the manifest's directory.
    pub traefik: Vec<String>,
    /// Services that trust what Traefik lets through, with the headers by which they know who comes.
    pub forward_auth: Rules<BTreeSet<String>>,
    /// Of those services, the routers that let everybody through.
    pub open_routes: Rules<BTreeSet<String>>,
    /// Secrets and settings that no service reads: a person or another host does.
    pub outside: BTreeSet<SecretName>,
}

/// What is demanded of services or networks, by their name.
pub type Rules<T> = BTreeMap<String, Rule<T>>;

/// What is demanded of one service or network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<T> {
    /// What it must be.
    pub value: T,
    /// Line in the manifest, from 1.
    pub line: usize,
}

/// A port of the host, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    /// The first, from 1.
    pub first: u16,
    /// The last.
    pub last: u16,
    /// Whether it is UDP rather than TCP.
    pub udp: bool,
}

impl Ports {
    /// `80`, `80/tcp`, `53/udp`, `8000-8010`.
    pub fn parse(text: &str) -> Option<Self> {
        let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let number = |text: &str| {
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|&port: &u16| is_plain && port > 0)
        };
        let (first, last) = (number(first)?, number(last)?);
        let udp = match protocol {
            "tcp" => false,
            "udp" => true,
            _ => return None,
        };
        (first <= last).then_some(Self { first, last, udp })
    }

    /// Whether all of another range lie in this one.
    pub fn cover(&self, other: &Self) -> bool {
        self.udp == other.udp && self.first <= other.first && other.last <= self.last
    }

    /// Whether the two have a port in common.
    pub fn meet(&self, other: &Self) -> bool {
        self.udp == other.udp && self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        if self.udp { f.write_str("/udp") } else { Ok(()) }
    }
}

/// A version of TLS that is not broken (RFC 8996 deprecates the older ones).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

/// Where Docker Compose gets its variables from, as far as it is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposeVariables {
    /// The files that it is given by `--env-file`, in that order.
    pub env_files: Option<Vec<String>>,
    /// Whether it is started by `vault-kit run`.
    pub run: Option<bool>,
}

impl Manifest {
    /// The files that `docker compose --env-file` is given in an environment; `None` = it finds the `.env` beside the first
    /// Compose file.
    pub fn compose_env_files_in(&self, environment: &EnvName) -> Option<&[String]> {
        let own = self.environments.get(environment).and_then(|it| it.compose_variables.env_files.as_deref());
        own.or(self.compose_variables.env_files.as_deref())
    }

    /// Whether Compose is started by `vault-kit run` in an environment.
    pub fn compose_runs_in(&self, environment: &EnvName) -> bool {
        let own = self.environments.get(environment).and_then(|it| it.compose_variables.run);
        own.or(self.compose_variables.run).unwrap_or_default()
    }

    /// Whether anything is said of Compose files, also that there are none: `compose = []`.
    pub fn says_compose(&self) -> bool {
        self.compose.is_some() || self.environments.values().any(|it| it.compose.is_some())
    }

    /// The Compose files that start an environment, in the order of `docker compose -f`; none = it has no Compose.
    pub fn compose_in(&self, environment: &EnvName) -> &[String] {
        let own = self.environments.get(environment).and_then(|it| it.compose.as_deref());
        own.or(self.compose.as_deref()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_or_a_range_of_either_protocol() {
        for (text, shown) in [("80", "80"), ("443/tcp", "443"), ("53/udp", "53/udp"), ("8000-8010", "8000-8010")] {
            assert_eq!(Ports::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "0", "65536", "+80", "80-", "90-80", "80/sctp", "80/", "127.0.0.1:80", " 80"] {
            assert_eq!(Ports::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_range_covers_what_lies_in_it() {
        let ports = |text| Ports::parse(text).unwrap();
        assert!(ports("80-90").cover(&ports("85")) && !ports("80-90").cover(&ports("85-91")));
        assert!(!ports("80").cover(&ports("80/udp")));
        assert!(ports("80-90").meet(&ports("90-99")) && !ports("80-90").meet(&ports("91")));
    }
}
