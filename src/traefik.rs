//! Traefik's dynamic configuration, of files and of the labels of containers, as far as it says who is asked about a request before it
//! goes where, and which TLS is spoken. Names and keys are compared without regard to case, as Traefik does.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::flat::Entry;
use crate::compose::{Location, Project, Service, Text};

/// Who told Traefik of something: each provider has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Labels of containers.
    Docker,
    /// A file.
    File,
    /// Traefik itself, or one that is not read here.
    Other,
}

/// The name of a router, a middleware or a service, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Without its provider.
    pub name: String,
    /// Who told of it.
    pub provider: Provider,
}

/// What decides where a request goes.
#[derive(Debug)]
pub struct Router {
    /// Where its rule stands, or else what is told of it first.
    pub at: Location,
    /// The Compose service whose label it is.
    owner: Option<String>,
    service: Option<Name>,
    middlewares: Vec<Name>,
    /// What it takes; of TCP it is not asked.
    rule: Option<String>,
    priority: Option<u64>,
}

/// What a request passes.
#[derive(Debug, Default)]
struct Middleware {
    chain: Vec<Name>,
    asks: Option<ForwardAuth>,
    /// The headers of the client that it takes away, in lower case.
    emptied: BTreeSet<String>,
}

/// A middleware that asks another service about a request.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    /// Where its list of headers stands, or else what is told of it first.
    pub at: Location,
    /// The headers that its answer puts in the place of the client's, in lower case.
    pub sets: BTreeSet<String>,
    /// Whether a pattern adds to those.
    pub has_pattern: bool,
}

/// What a request passes on its way to a service.
#[derive(Debug, Default)]
pub struct Passed<'c> {
    /// Who is asked about it.
    pub asks: Vec<&'c ForwardAuth>,
    /// The headers that are taken away, in lower case.
    pub emptied: BTreeSet<&'c str>,
    /// Whether it also passes something that nobody here knows.
    pub unknown: bool,
}

/// A set of options of TLS.
#[derive(Debug)]
pub struct TlsOptions {
    /// Where its least version stands, or else what is told of it first.
    pub at: Location,
    /// The least version, in Traefik's words.
    pub least: Option<String>,
}

/// All that was told.
#[derive(Debug, Default)]
pub struct Configuration {
    /// By name.
    pub routers: BTreeMap<Name, Router>,
    middlewares: BTreeMap<Name, Middleware>,
    /// The Compose services behind each service.
    services: BTreeMap<Name, BTreeSet<String>>,
    /// The sets of options of TLS in files.
    pub options: BTreeMap<String, TlsOptions>,
    /// Where a file first speaks of TLS.
    pub tls: Option<Location>,
}

impl Configuration {
    /// What files say, and the labels of all services.
    pub fn new<'e>(files: impl IntoIterator<Item = &'e Entry>, project: Option<&Project>) -> Self {
        let mut all = Self::default();
        for Entry { keys, text } in files {
            all.take(keys, text, Provider::File, None);
        }
        let is_left_out =
            |service: &Service| service.labels.get("traefik.enable").is_some_and(|it| it.as_str() == "false");
        let services = project.into_iter().flat_map(|it| &it.services);
        for (owner, service) in services.filter(|(_, it)| !is_left_out(it)) {
            for (label, text) in &service.labels {
                let keys: Vec<String> = label.split('.').map(str::to_owned).collect();
                if let Some(keys) = keys.strip_prefix(&["traefik".to_owned()][..]) {
                    all.take(keys, text, Provider::Docker, Some(owner));
                }
            }
        }
        all
    }

    fn take(&mut self, keys: &[String], text: &Text, provider: Provider, owner: Option<&str>) {
        let lower: Vec<String> = keys.iter().map(|it| it.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let named = |name: &str| Name { name: name.to_owned(), provider };
        match lower[..] {
            ["http" | "tcp", "routers", name, ref field @ ..] => {
                let router = self.routers.entry(named(name)).or_insert_with(|| Router::new(text, owner));
                router.take(field, text, provider);
            }
            ["http", "middlewares", name, ref field @ ..] => {
                self.middlewares.entry(named(name)).or_default().take(field, text, provider);
            }
            ["http" | "tcp", "services", name, ref field @ ..] => {
                let address =
                    field.last().filter(|it| ["url", "address"].contains(it)).and_then(|_| host(text.as_str()));
                let behind = owner.filter(|_| provider == Provider::Docker).or(address);
                self.services.entry(named(name)).or_default().extend(behind.map(str::to_owned));
            }
            ["tls", ref rest @ ..] => {
                self.tls.get_or_insert_with(|| text.at.clone());
                let ["options", name, ref field @ ..] = rest[..] else { return };
                let new = || TlsOptions { at: text.at.clone(), least: None };
                let options = self.options.entry(name.to_owned()).or_insert_with(new);
                if field == ["minversion"] {
                    *options = TlsOptions { at: text.at.clone(), least: Some(text.as_str().to_owned()) };
                }
            }
            _ => {}
        }
    }

    /// Whether a router leads to a Compose service.
    pub fn leads_to(&self, router: &Router, service: &str) -> bool {
        let Some(name) = &router.service else { return router.owner.as_deref() == Some(service) };
        // Without a name of its own, a container's is made of that of its service and of the project.
        let is_made = || name.name.strip_prefix(service).is_some_and(|rest| rest.starts_with('-'));
        match self.services.get(name) {
            Some(behind) => behind.contains(service),
            None => name.provider == Provider::Docker && is_made(),
        }
    }

    /// What a request passes that a router takes.
    pub fn passed(&self, router: &Router) -> Passed<'_> {
        let mut passed = Passed::default();
        let mut seen = BTreeSet::new();
        let mut left: Vec<&Name> = router.middlewares.iter().collect();
        while let Some(name) = left.pop() {
            let Some((name, middleware)) = self.middlewares.get_key_value(name) else {
                passed.unknown = true;
                continue;
            };
            if seen.insert(name) {
                passed.asks.extend(&middleware.asks);
                passed.emptied.extend(middleware.emptied.iter().map(String::as_str));
                left.extend(&middleware.chain);
            }
        }
        passed
    }
}

impl Router {
    fn new(text: &Text, owner: Option<&str>) -> Self {
        let (at, owner) = (text.at.clone(), owner.map(str::to_owned));
        Self { at, owner, service: None, middlewares: Vec::new(), rule: None, priority: None }
    }

    fn take(&mut self, field: &[&str], text: &Text, provider: Provider) {
        match field {
            ["rule"] => (self.at, self.rule) = (text.at.clone(), Some(text.as_str().to_owned())),
            ["service"] => self.service = references(text, provider).pop(),
            ["middlewares"] => self.middlewares = references(text, provider),
            ["priority"] => self.priority = text.as_str().trim().parse().ok(),
            _ => {}
        }
    }

    /// Whether it takes requests that another one would take, and comes first. What is told of more than the path is not compared.
    pub fn goes_before(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.paths(), other.paths()) else { return false };
        let takes = |(is_whole, path): &(bool, &str)| {
            own.iter().any(|(only, own)| if *only { *is_whole && own == path } else { path.starts_with(own) })
        };
        // Traefik does not say who is first of two that weigh the same.
        self.weight() >= other.weight() && others.iter().any(takes)
    }

    /// The longest rule comes first, where no priority says otherwise; 0 says nothing.
    fn weight(&self) -> u64 {
        let length = self.rule.as_ref().map_or(0, |it| it.len() as u64);
        self.priority.filter(|it| *it > 0).unwrap_or(length)
    }

    /// The paths of a rule that is about nothing else, and whether each is the whole one.
    fn paths(&self) -> Option<Vec<(bool, &str)>> {
        self.rule.as_ref()?.split("||").map(|it| path(it.trim())).collect()
    }
}

impl Middleware {
    fn take(&mut self, field: &[&str], text: &Text, provider: Provider) {
        match field {
            ["chain", "middlewares"] => self.chain = references(text, provider),
            ["headers", "customrequestheaders", header] if text.as_str().is_empty() => {
                self.emptied.insert((*header).to_owned());
            }
            ["forwardauth", rest @ ..] => {
                let new = || ForwardAuth { at: text.at.clone(), sets: BTreeSet::new(), has_pattern: false };
                let asks = self.asks.get_or_insert_with(new);
                match rest {
                    ["authresponseheaders"] => {
                        asks.at = text.at.clone();
                        asks.sets = words(text).map(str::to_lowercase).collect();
                    }
                    ["authresponseheadersregex"] => asks.has_pattern = !text.as_str().is_empty(),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn words(text: &Text) -> impl Iterator<Item = &str> {
    text.as_str().split(',').map(str::trim).filter(|it| !it.is_empty())
}

/// Names; one without a provider is of who told it.
fn references(text: &Text, provider: Provider) -> Vec<Name> {
    let reference = |it: &str| match it.rsplit_once('@') {
        None => Name { name: it.to_lowercase(), provider },
        Some((name, of)) => {
            let provider = match of.to_ascii_lowercase().as_str() {
                "docker" | "swarm" => Provider::Docker,
                "file" => Provider::File,
                _ => Provider::Other,
            };
            Name { name: name.to_lowercase(), provider }
        }
    };
    words(text).map(reference).collect()
}

/// The one path of a condition, and whether it is the whole one.
fn path(condition: &str) -> Option<(bool, &str)> {
    let (is_whole, rest) = match condition.strip_prefix("PathPrefix(") {
        Some(rest) => (false, rest),
        None => (true, condition.strip_prefix("Path(")?),
    };
    let path = rest.strip_prefix('`')?.strip_suffix("`)")?;
    (!path.contains(['`', '{'])).then_some((is_whole, path))
}

/// The host of a server's address.
fn host(address: &str) -> Option<&str> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', ':']).next().filter(|it| !it.is_empty())
}
