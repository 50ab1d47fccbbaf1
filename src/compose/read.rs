//! The tree to the model.

mod limits;
mod parts;

use std::collections::BTreeMap;

use super::environment;
use super::interpolate::{Lookup, Values};
use super::load::Loader;
use super::model::{Definition, Healthcheck, Location, Need, Network, Project, Service, Text, Volume};
use super::problem::{Problems, safe};
use super::tree::{Fields, Map, Node};
use crate::gather::Gather;

/// The project that a merged tree describes.
pub(super) fn project(model: &Map, values: &Values, loader: &mut Loader<'_>) -> Project {
    let root = Fields { map: model, path: String::new() };
    let mut project = Project { name: model.get("name").and_then(Node::as_text), ..Project::default() };
    for (name, at, fields) in section(&root, "services") {
        loader.notes.service = Some(name.clone());
        project.services.insert(name.clone(), service(at, &fields, values, loader));
    }
    loader.notes.service = None;
    for (section_name, definitions) in [("secrets", &mut project.secrets), ("configs", &mut project.configs)] {
        for (name, at, fields) in section(&root, section_name) {
            definitions.insert(name.clone(), definition(at, &fields, values, loader));
        }
    }
    let problems = &mut loader.notes.problems;
    for (name, at, fields) in section(&root, "networks") {
        project.networks.insert(name.clone(), network(at, &fields, problems));
    }
    for (name, at, fields) in section(&root, "volumes") {
        project.volumes.insert(name.clone(), volume(at, &fields, problems));
    }
    let implicit = project.services.values().find_map(|service| service.networks.get("default"));
    if let Some(at) = implicit {
        let nothing = Fields { map: &Map::new(), path: String::new() };
        project.networks.entry("default".to_owned()).or_insert_with(|| network(at, &nothing, problems));
    }
    project
}

static NOTHING: Map = Map::new();

/// The entries of a section; what is null has no fields.
fn section<'a>(root: &Fields<'a>, name: &str) -> Vec<(&'a String, &'a Location, Fields<'a>)> {
    let entries = root.get(name).and_then(Node::map).unwrap_or(&NOTHING);
    let fields = |node: &'a Node, key: &str| Fields {
        map: node.map().unwrap_or(&NOTHING),
        path: format!("{name}.{}", safe(key)),
    };
    entries.iter().map(|(key, node)| (key, &node.at, fields(node, key))).collect()
}

fn service(at: &Location, fields: &Fields<'_>, values: &Values, loader: &mut Loader<'_>) -> Service {
    let (environment, env_files) = environment::environment(fields, values, loader);
    let build = parts::build(fields, values, loader);
    let hooks = parts::hooks(fields, values, loader);
    let problems = &mut loader.notes.problems;
    fields.refuse_nulls(&["command", "entrypoint", "deploy", "develop"], problems);
    let network_mode = fields.string("network_mode", problems);
    let [pid, ipc] = ["pid", "ipc"].map(|key| fields.string(key, problems));
    let mut variables = BTreeMap::new();
    fields.map.values().for_each(|it| it.variables(&mut variables));
    let mut depends_on = names(fields, "depends_on");
    // Who shares a namespace with a service waits for it.
    for text in [&network_mode, &pid, &ipc].into_iter().flatten() {
        if let Some(other) = text.as_str().strip_prefix("service:") {
            depends_on.entry(other.to_owned()).or_insert_with(|| text.at.clone());
        }
    }
    let mut networks = names(fields, "networks");
    if networks.is_empty() && network_mode.is_none() {
        networks.insert("default".to_owned(), at.clone());
    }
    Service {
        at: at.clone(),
        image: fields.string("image", problems),
        build,
        command: fields.words("command", problems),
        entrypoint: fields.words("entrypoint", problems),
        variables,
        environment,
        env_files,
        secrets: parts::mounts(fields, "secrets", "/run/secrets/", problems),
        configs: parts::mounts(fields, "configs", "/", problems),
        ports: parts::ports(fields, problems),
        expose: fields.numbers("expose", problems),
        volumes: parts::volumes(fields, problems),
        volumes_from: fields.strings("volumes_from", problems),
        watches: parts::watches(fields, problems),
        networks,
        network_mode,
        labels: fields.texts("labels", problems),
        annotations: fields.texts("annotations", problems),
        provider: parts::provider(fields, problems),
        hooks,
        logging: fields.below("logging", problems).map(|it| it.texts("options", problems)).unwrap_or_default(),
        user: fields.string("user", problems),
        group_add: fields.numbers("group_add", problems),
        read_only: fields.flag("read_only", problems),
        privileged: fields.flag("privileged", problems),
        security_opt: fields.strings("security_opt", problems),
        cap_add: fields.strings("cap_add", problems),
        cap_drop: fields.strings("cap_drop", problems),
        tmpfs: fields.words("tmpfs", problems),
        limits: limits::limits(fields, problems),
        healthcheck: healthcheck(fields, problems),
        profiles: fields.strings("profiles", problems),
        depends_on,
        pid,
        ipc,
    }
}

/// The keys of a map and where they stand.
fn names(fields: &Fields<'_>, key: &str) -> BTreeMap<String, Location> {
    let entries = fields.get(key).and_then(Node::map).unwrap_or(&NOTHING);
    entries.iter().map(|(name, node)| (name.clone(), node.at.clone())).gather()
}

fn healthcheck(fields: &Fields<'_>, problems: &mut Problems) -> Option<Healthcheck> {
    let at = fields.get("healthcheck")?.at.clone();
    let fields = fields.below("healthcheck", problems)?;
    let test = fields.words("test", problems);
    let is_none = test.first().is_some_and(|word| word.as_str() == "NONE");
    let disabled = is_none || fields.flag("disable", problems).is_some_and(|flag| flag.on);
    Some(Healthcheck { at, test, disabled })
}

fn definition(at: &Location, fields: &Fields<'_>, values: &Values, loader: &mut Loader<'_>) -> Definition {
    let problems = &mut loader.notes.problems;
    fields.refuse_nulls(&[], problems);
    let definition = Definition {
        at: at.clone(),
        file: fields.get("file").and_then(Node::as_path),
        environment: fields.string("environment", problems),
        content: fields.string("content", problems),
        external: fields.flag("external", problems).is_some_and(|flag| flag.on),
        name: fields.string("name", problems),
    };
    if let Some(variable) = &definition.environment {
        let known = values.value(variable.as_str()).is_some();
        loader.notes.note(
            variable.as_str(),
            Need::Source,
            &variable.at,
            &format!("{}.environment", fields.path),
            known,
        );
    }
    definition
}

fn network(at: &Location, fields: &Fields<'_>, problems: &mut Problems) -> Network {
    fields.refuse_nulls(&[], problems);
    Network {
        at: at.clone(),
        internal: fields.flag("internal", problems),
        external: fields.flag("external", problems).is_some_and(|flag| flag.on),
        name: fields.string("name", problems),
        driver: fields.string("driver", problems),
        driver_opts: fields.texts("driver_opts", problems),
        subnets: subnets(fields, problems),
        attachable: fields.flag("attachable", problems),
    }
}

fn subnets(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Text> {
    let Some(ipam) = fields.below("ipam", problems) else { return Vec::new() };
    let entries = ipam.get("config").and_then(Node::list).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.map()?.get("subnet")?.as_text()).collect()
}

fn volume(at: &Location, fields: &Fields<'_>, problems: &mut Problems) -> Volume {
    fields.refuse_nulls(&[], problems);
    let driver_opts = fields.texts("driver_opts", problems);
    let is_bind =
        driver_opts.get("o").is_some_and(|it| it.as_str().split(',').any(|it| matches!(it, "bind" | "rbind")));
    let device = || fields.get("driver_opts")?.map()?.get("device")?.as_path();
    Volume {
        at: at.clone(),
        external: fields.flag("external", problems).is_some_and(|flag| flag.on),
        name: fields.string("name", problems),
        driver: fields.string("driver", problems),
        bind: if is_bind { device() } else { None },
        driver_opts,
    }
}
