//! The Compose files, and what `[deployment]` demands of them. Whether the services and networks that it names exist, `check`
//! tells: only it reads the files.

use std::collections::{BTreeMap, BTreeSet};

use super::secrets::Secrets;
use super::{Place, paths};
use crate::manifest::deployment::{ComposeVariables, Deployment, Ports, Rule, Rules};
use crate::manifest::issue::Problems;
use crate::manifest::raw::{RawDeployment, Texts};
use crate::manifest::read::{At, Field, Map};
use crate::name::SecretName;

/// Makes the model of `[deployment]`.
pub(super) fn declare(
    raw: Field<RawDeployment>,
    secrets: &Secrets,
    has_compose: bool,
    problems: &mut Problems,
) -> Option<Deployment> {
    let At { at, value: raw } = raw?;
    let needs_compose = raw.needs_compose();
    if needs_compose && !has_compose {
        let hint = "add `compose = [\"docker-compose.yml\"]` to `[project]`";
        problems.add_with_hint(at, "`deployment` is about Compose files, and `project.compose` names none", hint);
    }
    if let Some(tls_min) = raw.tls_min.as_ref().filter(|_| raw.nginx.is_none() && raw.traefik.is_none()) {
        let hint =
            "add `nginx = [\"nginx/nginx.conf\"]` or `traefik = [\"traefik/tls.yml\"]`: the files that it is asked of";
        let message = "`deployment.tls_min` without `deployment.nginx` or `deployment.traefik` judges nothing";
        problems.add_with_hint(tls_min.at, message, hint);
    }
    refuse_open(&raw, problems);
    let names_ports = raw.public.is_some() || raw.localhost.is_some();
    let fields = [("public", raw.public.as_ref()), ("localhost", raw.localhost.as_ref())];
    let tables = fields.into_iter().filter(|(_, field)| has_header(*field, problems));
    let port_tables = tables.map(|(name, _)| name).collect();
    let public = ports(raw.public, "public", problems);
    let localhost = ports(raw.localhost, "localhost", problems);
    refuse_both(&public, &localhost, at, problems);
    Some(Deployment {
        public,
        localhost,
        names_ports,
        port_tables,
        internal: names(raw.internal, "internal", problems),
        isolated: names(raw.isolated, "isolated", problems),
        subnets: rules(raw.subnets, "subnets", problems, |it, place, problems| subnet(&it, place, problems)),
        matrix: rules(raw.matrix, "matrix", problems, |it, place, problems| {
            Some(set(it.value, "network", place, problems))
        }),
        holders: holders(raw.holders, secrets, problems),
        no_new_privileges: raw.no_new_privileges.is_some_and(|it| it.value),
        read_only: names(raw.read_only, "read_only", problems),
        limits: raw.limits.is_some_and(|it| it.value),
        tls_min: raw.tls_min.map(|it| it.value).unwrap_or_default(),
        nginx: files(raw.nginx, "deployment.nginx", problems),
        traefik: files(raw.traefik, "deployment.traefik", problems),
        forward_auth: rules(raw.forward_auth, "forward_auth", problems, |it, place, problems| {
            Some(set(it.value, "header", place, problems))
        }),
        open_routes: rules(raw.open_routes, "open_routes", problems, |it, place, problems| {
            Some(set(it.value, "route", place, problems))
        }),
        outside: outside(raw.outside, secrets, problems),
    })
}

impl RawDeployment {
    /// Whether something in it can only be asked of a Compose file.
    fn needs_compose(&self) -> bool {
        let maps = self.public.is_some() || self.localhost.is_some() || self.subnets.is_some() || self.matrix.is_some();
        let maps = maps || self.holders.is_some() || self.forward_auth.is_some();
        let lists = self.internal.is_some() || self.isolated.is_some() || self.read_only.is_some();
        maps || lists || self.no_new_privileges.is_some() || self.limits.is_some() || self.outside.is_some()
    }
}

/// Where Compose gets its variables from. An env file may be an output on an absolute path.
pub(super) fn variables(
    (env_files, name): (Field<Texts>, &str),
    run: Field<bool>,
    problems: &mut Problems,
) -> ComposeVariables {
    let env_files = env_files.map(|it| listed(Some(it), name, paths::output_path, problems));
    ComposeVariables { env_files, run: run.map(|it| it.value) }
}

/// Paths of files that are read, relative to the manifest's directory.
pub(super) fn files(field: Field<Texts>, name: &str, problems: &mut Problems) -> Vec<String> {
    listed(field, name, paths::project_file, problems)
}

fn listed(
    field: Field<Texts>,
    name: &str,
    path: fn(&str) -> Result<String, &'static str>,
    problems: &mut Problems,
) -> Vec<String> {
    let mut files = Vec::new();
    for text in field.map(|list| list.value).unwrap_or_default() {
        match path(&text.value) {
            Ok(path) if files.contains(&path) => problems.add(text.at, format!("`{name}` names a file twice")),
            Ok(path) => files.push(path),
            Err(wrong) => {
                let hint = "write the path of a file below the manifest's directory, with `/` and without `..`";
                problems.add_with_hint(text.at, format!("`{name}` names a path that {wrong}"), hint);
            }
        }
    }
    files
}

/// Rules by service or network, each made of what stands behind its name; `None` = it was reported.
fn rules<R, T>(
    field: Field<Map<R>>,
    name: &'static str,
    problems: &mut Problems,
    mut read: impl FnMut(At<R>, Place<'_>, &mut Problems) -> Option<T>,
) -> Rules<T> {
    let place = Place { section: "deployment", name };
    let mut rules = Rules::new();
    for (key, raw) in field.map(|map| map.value.0).unwrap_or_default() {
        let line = problems.line(key.at);
        if check_name(&key, place, problems)
            && let Some(value) = read(raw, place, problems)
        {
            rules.insert(key.value, Rule { value, line });
        }
    }
    rules
}

/// A list of services or networks.
fn names(field: Field<Texts>, name: &'static str, problems: &mut Problems) -> Rules<()> {
    let place = Place { section: "deployment", name };
    let mut rules = Rules::new();
    for text in field.map(|list| list.value).unwrap_or_default() {
        let line = problems.line(text.at);
        if check_name(&text, place, problems) && rules.insert(text.value, Rule { value: (), line }).is_some() {
            problems.add(text.at, format!("`{place}` names something twice"));
        }
    }
    rules
}

/// What Compose takes as the name of a service or network.
fn check_name(text: &At<String>, place: Place<'_>, problems: &mut Problems) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let is_name = !text.value.is_empty() && text.value.len() <= 128 && text.value.bytes().all(plain);
    if !is_name {
        let hint = "it holds only A–Z a–z 0–9 `_` `.` `-`, as the Compose file has it";
        problems.add_with_hint(text.at, format!("`{place}` holds something that is not a name"), hint);
    }
    is_name
}

fn ports(field: Field<Map<Texts>>, name: &'static str, problems: &mut Problems) -> Rules<Vec<Ports>> {
    rules(field, name, problems, |texts, place, problems| {
        let mut ports: Vec<Ports> = Vec::new();
        for text in texts.value {
            match Ports::parse(&text.value) {
                Some(port) if ports.iter().any(|it| it.meet(&port)) => {
                    problems.add(text.at, format!("`{place}` names a port twice"));
                }
                Some(port) => ports.push(port),
                None => {
                    let hint = "write the host's port: `\"443\"`, `\"53/udp\"` or `\"8000-8010\"`";
                    problems.add_with_hint(text.at, format!("`{place}` holds something that is not a port"), hint);
                }
            }
        }
        Some(ports)
    })
}

/// Whether the rows of a table stand on lines of their own.
fn has_header<T>(field: Option<&At<Map<T>>>, problems: &Problems) -> bool {
    let line = |offset| problems.line(offset);
    field.is_some_and(|it| it.value.0.first().is_some_and(|(key, _)| line(key.at) != line(it.at)))
}

/// A port cannot be open to everybody and to this host alone.
fn refuse_both(public: &Rules<Vec<Ports>>, localhost: &Rules<Vec<Ports>>, at: usize, problems: &mut Problems) {
    for (service, rule) in localhost {
        let open = public.get(service).map(|it| it.value.as_slice()).unwrap_or_default();
        for port in rule.value.iter().filter(|port| open.iter().any(|it| it.meet(port))) {
            let message =
                format!("`deployment.public` and `deployment.localhost` both have port {port} of `{service}`");
            problems.add(at, message);
        }
    }
}

/// A route is open only of a service whose others ask.
fn refuse_open(raw: &RawDeployment, problems: &mut Problems) {
    let asks = raw.forward_auth.as_ref().map(|it| it.value.0.as_slice()).unwrap_or_default();
    for (service, _) in raw.open_routes.iter().flat_map(|it| &it.value.0) {
        if asks.iter().all(|(it, _)| it.value != service.value) {
            let message = "`deployment.open_routes` names a service that `deployment.forward_auth` does not";
            let hint = "name it there too, with the headers that it believes, or take it out: its routes are open to everybody";
            problems.add_with_hint(service.at, message, hint);
        }
    }
}

/// The names of a row.
fn set(texts: Texts, what: &str, place: Place<'_>, problems: &mut Problems) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in texts {
        if check_name(&text, place, problems) && !names.insert(text.value) {
            problems.add(text.at, format!("`{place}` names a {what} twice"));
        }
    }
    names
}

/// Services by the secret that they get. A setting is no secret: everybody may have it.
fn holders(
    field: Field<Map<Texts>>,
    secrets: &Secrets,
    problems: &mut Problems,
) -> BTreeMap<SecretName, Rule<BTreeSet<String>>> {
    let place = Place { section: "deployment", name: "holders" };
    let mut rules = BTreeMap::new();
    for (key, raw) in field.map(|map| map.value.0).unwrap_or_default() {
        let Some(position) = secrets.position(&key.value) else {
            let message = "`deployment.holders` names a secret that is not declared";
            problems.add_with_guess(key.at, message, &key.value, secrets.names(), || None);
            continue;
        };
        let secret = &secrets.list[position];
        if secret.declaration.as_ref().is_some_and(|it| !it.is_stored()) {
            problems.add(key.at, "`deployment.holders` names a setting, which everybody may have");
        }
        let value = set(raw.value, "service", place, problems);
        rules.insert(secret.name.clone(), Rule { value, line: problems.line(key.at) });
    }
    rules
}

fn subnet(text: &At<String>, place: Place<'_>, problems: &mut Problems) -> Option<ipnet::IpNet> {
    let subnet = text.value.parse::<ipnet::IpNet>().ok().filter(|it| it.network() == it.addr());
    if subnet.is_none() {
        let message = format!("`{place}` holds something that is not a subnet");
        problems.add_with_hint(text.at, message, "write its first address and the length, such as `\"172.20.0.0/24\"`");
    }
    subnet
}

fn outside(field: Field<Texts>, secrets: &Secrets, problems: &mut Problems) -> BTreeSet<SecretName> {
    let mut names = BTreeSet::new();
    for text in field.map(|list| list.value).unwrap_or_default() {
        let Some(position) = secrets.position(&text.value) else {
            let message = "`deployment.outside` names a secret that is not declared";
            problems.add_with_guess(text.at, message, &text.value, secrets.names(), || None);
            continue;
        };
        if !names.insert(secrets.list[position].name.clone()) {
            problems.add(text.at, "`deployment.outside` names a secret twice");
        }
    }
    names
}
