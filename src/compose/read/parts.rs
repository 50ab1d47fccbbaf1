//! The parts of a service that are entries of their own.

use std::collections::BTreeMap;

use crate::compose::environment;
use crate::compose::interpolate::Values;
use crate::compose::load::Loader;
use crate::compose::model::{Build, Hook, HostPath, Mount, Port, Text, VolumeKind, VolumeMount, Watch};
use crate::compose::paths;
use crate::compose::problem::Problems;
use crate::compose::tree::{Fields, Kind, Node, Value};
use crate::gather::Gather;

/// The entries of a list of maps.
fn entries<'a>(fields: &Fields<'a>, key: &str, problems: &mut Problems) -> Vec<(&'a Node, Fields<'a>)> {
    let path = format!("{}.{key}", fields.path);
    let mut entries = Vec::new();
    for node in fields.get(key).and_then(Node::list).unwrap_or_default() {
        match node.map() {
            Some(map) => entries.push((node, Fields { map, path: path.clone() })),
            None => problems.refused(&node.at, format!("`{path}` has an entry that is neither string nor mapping")),
        }
    }
    entries
}

/// The variables of all texts of an entry, sorted.
fn variables(fields: &Fields<'_>) -> Vec<String> {
    let scalars = fields.map.values().filter_map(Node::scalar);
    let mut names: Vec<String> = scalars.flat_map(|scalar| scalar.variables.iter().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// `secrets` and `configs`; a target without a slash is beneath `directory`.
pub(super) fn mounts(fields: &Fields<'_>, key: &str, directory: &str, problems: &mut Problems) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for (node, fields) in entries(fields, key, problems) {
        let Some(source) = fields.string("source", problems) else {
            problems.refused(&node.at, format!("`{}` has an entry without `source`", fields.path));
            continue;
        };
        let target = fields.string("target", problems);
        let target = target.as_ref().map_or(source.as_str(), Text::as_str);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("{directory}{target}") };
        let [uid, gid] = ["uid", "gid"].map(|key| fields.string(key, problems));
        let mode = mode(&fields);
        mounts.push(Mount { source: source.as_str().to_owned(), target, uid, gid, mode, at: node.at.clone() });
    }
    mounts
}

/// `0440` is a number to YAML, and is octal again here.
fn mode(fields: &Fields<'_>) -> Option<Text> {
    let node = fields.get("mode")?;
    let scalar = node.scalar()?;
    let number: Option<u32> = if scalar.kind == Kind::Integer { scalar.text.parse().ok() } else { None };
    let text = number.map_or_else(|| scalar.text.clone(), |number| format!("{number:04o}"));
    Some(Text::new(text, node.at.clone(), scalar.variables.clone()))
}

pub(super) fn ports(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Port> {
    let mut ports = Vec::new();
    for (node, fields) in entries(fields, "ports", problems) {
        let target = fields.scalar("target", problems).and_then(|target| target.as_str().parse().ok());
        let Some(target) = target else {
            problems.refused(&node.at, format!("`{}` has an entry without a valid `target`", fields.path));
            continue;
        };
        let mut text = |key| fields.scalar(key, problems).map(|it| it.as_str().to_owned()).filter(|it| !it.is_empty());
        let (host_ip, published) = (text("host_ip"), text("published"));
        let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
        if host_ip.as_ref().is_some_and(|it| it.parse::<std::net::IpAddr>().is_err()) {
            problems.refused(&node.at, format!("`{}` has a `host_ip` that is no address", fields.path));
        }
        let variables = variables(&fields);
        ports.push(Port { host_ip, published, target, protocol, at: node.at.clone(), variables });
    }
    ports
}

pub(super) fn volumes(fields: &Fields<'_>, problems: &mut Problems) -> Vec<VolumeMount> {
    let mut volumes = Vec::new();
    for (node, fields) in entries(fields, "volumes", problems) {
        let Some(target) = fields.string("target", problems) else { continue };
        let kind = match fields.string("type", problems).as_ref().map(Text::as_str) {
            Some("bind") => VolumeKind::Bind,
            Some("volume") => VolumeKind::Volume,
            Some("tmpfs") => VolumeKind::Tmpfs,
            Some("cluster" | "image" | "npipe") => VolumeKind::Other,
            _ => {
                problems.refused(&node.at, format!("`{}` has an entry without a valid `type`", fields.path));
                continue;
            }
        };
        let source = fields.get("source");
        let host = source.and_then(Node::as_path);
        if kind == VolumeKind::Bind && host.is_none() {
            problems.refused(&node.at, format!("`{}` has a bind without `source`", fields.path));
        }
        let volume = source.filter(|_| kind == VolumeKind::Volume).and_then(Node::as_str).map(str::to_owned);
        let target = if target.as_str().is_empty() { String::new() } else { paths::join("", target.as_str()) };
        let read_only = fields.flag("read_only", problems).is_some_and(|flag| flag.on);
        let (at, variables) = (node.at.clone(), variables(&fields));
        volumes.push(VolumeMount { kind, host, volume, target, read_only, at, variables });
    }
    volumes
}

/// What Compose runs in the container: `post_start`, `pre_stop`, and after a change of files.
pub(super) fn hooks(fields: &Fields<'_>, values: &Values, loader: &mut Loader<'_>) -> Vec<Hook> {
    let mut found: Vec<(&'static str, Fields<'_>)> = Vec::new();
    let problems = &mut loader.notes.problems;
    for key in ["post_start", "pre_stop"] {
        found.extend(entries(fields, key, problems).into_iter().map(|(_, it)| (key, it)));
    }
    if let Some(develop) = fields.below("develop", problems) {
        for (_, watch) in entries(&develop, "watch", problems) {
            found.extend(watch.below("exec", problems).map(|it| ("develop.watch", it)));
        }
    }
    let hook = |(key, fields): (&'static str, Fields<'_>)| {
        let own = fields.get("environment").and_then(Node::map);
        let path = format!("{}.environment", fields.path);
        let environment = own.map(|map| environment::variables(map, &path, values, loader)).unwrap_or_default();
        Hook { key, command: fields.words("command", &mut loader.notes.problems), environment }
    };
    found.into_iter().map(hook).collect()
}

/// `develop.watch`; an entry that is not whole is refused elsewhere.
pub(super) fn watches(fields: &Fields<'_>, problems: &mut Problems) -> Vec<Watch> {
    let Some(develop) = fields.below("develop", problems) else { return Vec::new() };
    let mut watches = Vec::new();
    for (node, watch) in entries(&develop, "watch", problems) {
        let Some(path) = watch.get("path").and_then(Node::as_path) else { continue };
        let syncs = watch.get("action").and_then(Node::as_str).is_some_and(|it| it.starts_with("sync"));
        let ignored = watch.get("ignore").and_then(Node::list).unwrap_or_default();
        let ignored = ignored.iter().filter_map(Node::as_text).collect();
        watches.push(Watch { path, syncs, ignored, at: node.at.clone() });
    }
    watches
}

/// `provider.options`: texts, or lists of them.
pub(super) fn provider(fields: &Fields<'_>, problems: &mut Problems) -> Vec<(String, Text)> {
    let options = fields.below("provider", problems).and_then(|it| it.below("options", problems));
    let mut texts = Vec::new();
    for (key, node) in options.iter().flat_map(|it| it.map) {
        let each = node.list().unwrap_or(std::slice::from_ref(node));
        texts.extend(each.iter().filter_map(|it| Some((key.clone(), it.as_text()?))));
    }
    texts
}

fn before_equals(node: &Node) -> Option<String> {
    node.as_str()?.split_once('=').map(|(name, _)| name.to_owned())
}

pub(super) fn build(fields: &Fields<'_>, values: &Values, loader: &mut Loader<'_>) -> Option<Build> {
    let at = fields.get("build")?.at.clone();
    let fields = fields.below("build", &mut loader.notes.problems)?;
    fields.refuse_nulls(&[], &mut loader.notes.problems);
    let args = fields.get("args").and_then(Node::map);
    let args = args.map(|map| environment::variables(map, &format!("{}.args", fields.path), values, loader));
    let problems = &mut loader.notes.problems;
    let dockerfile_inline = fields.string("dockerfile_inline", problems);
    let context = fields.get("context").and_then(Node::as_path);
    let named = fields.string("dockerfile", problems);
    let dockerfile = context.as_ref().filter(|_| dockerfile_inline.is_none()).map(|context| {
        let text = named.clone().unwrap_or_else(|| Text::new("Dockerfile", context.text.at.clone(), Vec::new()));
        HostPath { path: paths::join(&context.path, text.as_str()), text }
    });
    let contexts = match fields.get("additional_contexts").map(|it| &it.value) {
        Some(Value::Map(map)) => map.iter().filter_map(|(name, node)| Some((name.clone(), node.as_path()?))).gather(),
        // `NAME=path`.
        Some(Value::List(list)) => {
            list.iter().filter_map(|node| Some((before_equals(node)?, node.as_path()?))).gather()
        }
        _ => BTreeMap::new(),
    };
    Some(Build {
        at,
        context,
        contexts,
        dockerfile,
        dockerfile_inline,
        args: args.unwrap_or_default(),
        secrets: mounts(&fields, "secrets", "", problems),
        target: fields.string("target", problems),
        labels: fields.texts("labels", problems),
    })
}
