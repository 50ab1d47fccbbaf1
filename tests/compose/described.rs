//! Our model and the reference's JSON in one shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vault_kit::compose::model::{
    Build, Definition, HostPath, Limits, Mount, Network, Project, Service, Text, Variable, VolumeKind,
};

use crate::cases::ABOVE;

/// One line for each place where they differ.
pub(crate) fn differences(at: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            keys.sort();
            keys.dedup();
            let value = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or(json!("(not there)"));
            keys.into_iter()
                .flat_map(|key| differences(&format!("{at} {key}"), &value(ours, key), &value(theirs, key)))
                .collect()
        }
        _ if ours == theirs => Vec::new(),
        _ => vec![format!("{at}: ours {ours}, theirs {theirs}")],
    }
}

/// Ours without what no service uses: the reference leaves that out.
pub(crate) fn used(mut ours: Value, theirs: &Value) -> Value {
    let services = ours["services"].to_string();
    for section in ["secrets", "configs", "networks", "volumes"] {
        let map = ours[section].as_object_mut().unwrap();
        map.retain(|name, _| services.contains(&format!("\"{name}\"")) || theirs[section].get(name).is_some());
    }
    ours
}

/// The same without what says nothing.
fn object(fields: Vec<(&str, Value)>) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    fields.into_iter().filter(|(_, value)| !is_empty(value)).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn sorted(mut list: Vec<Value>) -> Value {
    list.sort_by_key(ToString::to_string);
    Value::Array(list)
}

fn text(text: Option<&Text>) -> Value {
    text.map_or(Value::Null, |text| json!(text.as_str()))
}

fn texts(texts: &[Text]) -> Value {
    texts.iter().map(|text| json!(text.as_str())).collect()
}

fn path(path: Option<&HostPath>) -> Value {
    path.map_or(Value::Null, |path| match path.path.as_str() {
        "" => json!(format!("{ABOVE}/project")),
        path if path.starts_with('/') => json!(path),
        path => match (path.strip_prefix("~/"), path.strip_prefix("../"), path) {
            (Some(path), ..) => json!(format!("/nonexistent/{path}")),
            (_, Some(path), _) => json!(format!("{ABOVE}/{path}")),
            (.., "..") => json!(ABOVE),
            _ => json!(format!("{ABOVE}/project/{path}")),
        },
    })
}

/// The words of a command: the reference splits a string as a shell does.
fn words(words: &[Text]) -> Value {
    match words {
        [one] => json!(one.as_str().split_whitespace().map(|it| it.replace('"', "")).collect::<Vec<_>>()),
        words => texts(words),
    }
}

fn variables(variables: &BTreeMap<String, Variable>) -> Value {
    variables.iter().map(|(name, it)| (name.clone(), text(it.value.as_ref()))).collect()
}

fn labels(labels: &BTreeMap<String, Text>) -> Value {
    labels.iter().map(|(name, it)| (name.clone(), json!(it.as_str()))).collect()
}

pub(crate) fn ours(project: &Project) -> Value {
    let services: Map<_, _> = project.services.iter().map(|(name, it)| (name.clone(), service(it))).collect();
    let definitions = |map: &BTreeMap<String, Definition>| -> Map<String, Value> {
        map.iter().map(|(name, it)| (name.clone(), definition(name, it))).collect()
    };
    let networks: Map<_, _> = project.networks.iter().map(|(name, it)| (name.clone(), network(name, it))).collect();
    let volumes = project.volumes.iter().map(|(name, it)| {
        let fields = vec![
            ("external", json!(it.external)),
            ("driver", text(it.driver.as_ref())),
            ("driver_opts", labels(&it.driver_opts)),
            ("name", named(name, it.external, it.name.as_ref())),
        ];
        (name.clone(), object(fields))
    });
    json!({
        "services": services,
        "secrets": definitions(&project.secrets),
        "configs": definitions(&project.configs),
        "networks": networks,
        "volumes": volumes.collect::<Map<_, _>>(),
    })
}

/// A name that does not follow from the key.
fn named(key: &str, external: bool, name: Option<&Text>) -> Value {
    name.map(Text::as_str).filter(|name| !(external && *name == key)).map_or(Value::Null, |name| json!(name))
}

fn definition(key: &str, it: &Definition) -> Value {
    object(vec![
        ("file", path(it.file.as_ref())),
        ("environment", text(it.environment.as_ref())),
        ("content", text(it.content.as_ref())),
        ("external", json!(it.external)),
        ("name", named(key, it.external, it.name.as_ref())),
    ])
}

fn network(key: &str, it: &Network) -> Value {
    object(vec![
        ("internal", json!(it.internal.as_ref().is_some_and(|it| it.on))),
        ("attachable", json!(it.attachable.as_ref().is_some_and(|it| it.on))),
        ("external", json!(it.external)),
        ("driver", text(it.driver.as_ref())),
        ("driver_opts", labels(&it.driver_opts)),
        ("subnets", texts(&it.subnets)),
        ("name", named(key, it.external, it.name.as_ref())),
    ])
}

fn mounts(mounts: &[Mount]) -> Value {
    let mount = |it: &Mount| {
        object(vec![
            ("source", json!(it.source)),
            ("target", json!(it.target)),
            ("uid", text(it.uid.as_ref())),
            ("gid", text(it.gid.as_ref())),
            ("mode", text(it.mode.as_ref())),
        ])
    };
    sorted(mounts.iter().map(mount).collect())
}

fn build(build: &Build) -> Value {
    let args = build.args.iter().filter(|(_, it)| it.value.is_some());
    object(vec![
        ("context", path(build.context.as_ref())),
        ("dockerfile", text(build.dockerfile.as_ref().map(|it| &it.text))),
        ("inline", text(build.dockerfile_inline.as_ref())),
        ("args", args.map(|(name, it)| (name.clone(), text(it.value.as_ref()))).collect()),
        ("secrets", mounts(&build.secrets)),
        ("target", text(build.target.as_ref())),
        ("labels", labels(&build.labels)),
    ])
}

fn limits(it: &Limits) -> Value {
    let [cpus, memory, pids] = [&it.cpus, &it.memory, &it.pids].map(|it| it.as_ref().map(Text::as_str));
    object(vec![("cpus", number(cpus)), ("memory", number(memory)), ("pids", number(pids))])
}

/// Bytes have units.
fn number(text: Option<&str>) -> Value {
    let Some(text) = text else { return Value::Null };
    let text = text.to_ascii_lowercase();
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'm') => (&text[..text.len() - 1], f64::from(1 << 20)),
        Some(b'g') => (&text[..text.len() - 1], f64::from(1 << 30)),
        _ => (&text[..], 1.0),
    };
    json!(digits.parse::<f64>().unwrap() * factor)
}

fn service(it: &Service) -> Value {
    let ports = it.ports.iter().map(|port| {
        object(vec![
            ("host_ip", json!(port.host_ip)),
            ("published", json!(port.published)),
            ("target", json!(port.target)),
            ("protocol", json!(port.protocol)),
        ])
    });
    let volumes = it.volumes.iter().map(|mount| {
        let kind = match mount.kind {
            VolumeKind::Bind => "bind",
            VolumeKind::Volume => "volume",
            VolumeKind::Tmpfs => "tmpfs",
            VolumeKind::Other => "other",
        };
        let source = mount.volume.as_ref().map_or_else(|| path(mount.host.as_ref()), |name| json!(name));
        object(vec![
            ("type", json!(kind)),
            ("source", source),
            ("target", json!(mount.target)),
            ("read_only", json!(mount.read_only)),
        ])
    });
    let test = it.healthcheck.as_ref().map_or(Value::Null, |health| match &health.test[..] {
        [one] if one.as_str() != "NONE" => json!(["CMD-SHELL", one.as_str()]),
        words => texts(words),
    });
    object(vec![
        ("image", text(it.image.as_ref())),
        ("build", it.build.as_ref().map_or(Value::Null, build)),
        ("command", words(&it.command)),
        ("entrypoint", words(&it.entrypoint)),
        ("environment", variables(&it.environment)),
        ("secrets", mounts(&it.secrets)),
        ("configs", mounts(&it.configs)),
        ("ports", sorted(ports.collect())),
        ("expose", texts(&it.expose)),
        ("volumes", sorted(volumes.collect())),
        ("networks", json!(it.networks.keys().collect::<Vec<_>>())),
        ("network_mode", text(it.network_mode.as_ref())),
        ("labels", labels(&it.labels)),
        ("user", text(it.user.as_ref())),
        ("group_add", texts(&it.group_add)),
        ("read_only", json!(it.read_only.as_ref().is_some_and(|it| it.on))),
        ("privileged", json!(it.privileged.as_ref().is_some_and(|it| it.on))),
        ("security_opt", texts(&it.security_opt)),
        ("cap_add", texts(&it.cap_add)),
        ("cap_drop", texts(&it.cap_drop)),
        ("tmpfs", texts(&it.tmpfs)),
        ("limits", limits(&it.limits)),
        ("test", test),
        ("profiles", texts(&it.profiles)),
        ("depends_on", json!(it.depends_on.keys().collect::<Vec<_>>())),
        ("pid", text(it.pid.as_ref())),
        ("ipc", text(it.ipc.as_ref())),
    ])
}

/// The reference doubles every dollar, so that its output is a Compose file again.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.replace("$$", "$")),
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        value => value.clone(),
    }
}

pub(crate) fn theirs(config: &Value) -> Value {
    let config = plain(config);
    let each = |section: &str, describe: &dyn Fn(&str, &Value) -> Value| -> Value {
        let entries = config[section].as_object().into_iter().flatten();
        entries.map(|(name, it)| (name.clone(), describe(name, it))).collect()
    };
    let project = config["name"].as_str().unwrap();
    let name = |key: &str, it: &Value| {
        let follows = if it["external"] == true { key.to_owned() } else { format!("{project}_{key}") };
        it["name"].as_str().filter(|name| *name != follows).map_or(Value::Null, |name| json!(name))
    };
    let definition = |key: &str, it: &Value| {
        let fields = ["file", "environment", "content", "external"].map(|field| (field, it[field].clone()));
        object(fields.into_iter().chain([("name", name(key, it))]).collect())
    };
    let network = |key: &str, it: &Value| {
        let fields = ["internal", "attachable", "external", "driver", "driver_opts"];
        let subnets = it["ipam"]["config"].as_array().into_iter().flatten().map(|it| it["subnet"].clone());
        let more = [("subnets", subnets.collect()), ("name", name(key, it))];
        object(fields.map(|field| (field, it[field].clone())).into_iter().chain(more).collect())
    };
    let volume = |key: &str, it: &Value| {
        let fields = ["external", "driver", "driver_opts"].map(|field| (field, it[field].clone()));
        object(fields.into_iter().chain([("name", name(key, it))]).collect())
    };
    json!({
        "services": each("services", &|_, it| their_service(it)),
        "secrets": each("secrets", &definition),
        "configs": each("configs", &definition),
        "networks": each("networks", &network),
        "volumes": each("volumes", &volume),
    })
}

fn their_service(it: &Value) -> Value {
    let keys = |value: &Value| json!(value.as_object().into_iter().flatten().map(|(key, _)| key).collect::<Vec<_>>());
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let only =
        |value: &Value, fields: &[&'static str]| object(fields.iter().map(|&it| (it, value[it].clone())).collect());
    let ports = list(&it["ports"]).iter().map(|it| only(it, &["host_ip", "published", "target", "protocol"])).collect();
    let volumes = list(&it["volumes"]).iter().map(|it| only(it, &["type", "source", "target", "read_only"])).collect();
    let limits = &it["deploy"]["resources"]["limits"];
    let limit = |new: &str, old: &str| {
        let value = if limits[new].is_null() { &it[old] } else { &limits[new] };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        number(Some(&text).filter(|_| !value.is_null()).map(String::as_str))
    };
    let build = &it["build"];
    let context = build["context"].as_str().filter(|it| it.starts_with('/'));
    let build = object(vec![
        ("context", json!(context)),
        ("dockerfile", if context.is_some() { build["dockerfile"].clone() } else { Value::Null }),
        ("inline", build["dockerfile_inline"].clone()),
        ("args", build["args"].clone()),
        ("secrets", their_mounts(&build["secrets"], "")),
        ("target", build["target"].clone()),
        ("labels", build["labels"].clone()),
    ]);
    let copied = [
        "image",
        "command",
        "entrypoint",
        "environment",
        "expose",
        "network_mode",
        "labels",
        "user",
        "group_add",
        "read_only",
        "privileged",
        "security_opt",
        "cap_add",
        "cap_drop",
        "tmpfs",
        "profiles",
        "pid",
        "ipc",
    ];
    let mut fields: Vec<(&str, Value)> = copied.into_iter().map(|field| (field, it[field].clone())).collect();
    fields.extend([
        ("build", if it["build"].is_null() { Value::Null } else { build }),
        ("secrets", their_mounts(&it["secrets"], "/run/secrets/")),
        ("configs", their_mounts(&it["configs"], "/")),
        ("ports", sorted(ports)),
        ("volumes", sorted(volumes)),
        ("networks", keys(&it["networks"])),
        (
            "limits",
            object(vec![
                ("cpus", limit("cpus", "cpus")),
                ("memory", limit("memory", "mem_limit")),
                ("pids", limit("pids", "pids_limit")),
            ]),
        ),
        ("test", it["healthcheck"]["test"].clone()),
        ("depends_on", keys(&it["depends_on"])),
    ]);
    object(fields)
}

fn their_mounts(mounts: &Value, directory: &str) -> Value {
    let mount = |it: &Value| {
        let target = it["target"].as_str().or(it["source"].as_str()).unwrap();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("{directory}{target}") };
        let fields = ["source", "uid", "gid", "mode"].map(|field| (field, it[field].clone()));
        object(fields.into_iter().chain([("target", json!(target))]).collect())
    };
    sorted(mounts.as_array().into_iter().flatten().map(mount).collect())
}
