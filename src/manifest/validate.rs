//! From raw tables to the typed model: defaults filled in, names resolved, every problem collected.

mod allowances;
mod authority;
mod aws;
mod deployment;
mod hooks;
pub mod hosts;
mod outputs;
mod paths;
mod punycode;
mod recipes;
mod references;
mod remote;
mod secrets;
mod usernames;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml::de::DeTable;

use super::issue::Problems;
use super::leaks::Rules;
use super::model::{Environment, Manifest};
use super::raw::{RawEnvironment, RawManifest, RawProject, Texts};
use super::read::{At, Field, Map};
use crate::name::EnvName;
use crate::zone::Zones;

/// How many versions keep their value unless declared.
const KEEP: u32 = 5;

/// The table that a problem is in; shown before the field's name.
#[derive(Clone, Copy)]
struct Place<'a> {
    section: &'static str,
    name: &'a str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section, self.name)
    }
}

/// What the declarations of secrets and outputs may refer to.
struct Scope<'a> {
    project: &'a str,
    issuer: &'a str,
    environments: &'a BTreeMap<EnvName, Environment>,
    zones: &'a dyn Zones,
}

/// Makes the model of what was read, and of the secrets in `root`. It is complete only if no problem was added.
pub(super) fn manifest(
    raw: RawManifest,
    root: DeTable<'_>,
    file: &str,
    zones: &dyn Zones,
    problems: &mut Problems,
) -> Manifest {
    let mut project = raw.project.map(|project| project.value).unwrap_or_default();
    let declared = environments(raw.environments, zones, problems);
    let default_environment = default_environment(project.default_environment.as_ref(), &declared, problems);
    let mut environments: BTreeMap<_, _> = declared.into_iter().collect();
    environments.entry(default_environment.clone()).or_default();
    let compose = project.compose.take().map(|list| deployment::files(Some(list), "project.compose", problems));
    let env_files = (project.compose_env_files.take(), "project.compose_env_files");
    let compose_variables = deployment::variables(env_files, project.compose_run.take(), problems);
    let (name, issuer, keep) = project_fields(project, problems);

    let scope = Scope { project: &name, issuer: &issuer, environments: &environments, zones };
    let mut secrets = secrets::declare(raw.secrets, &root, &scope, problems);
    // The largest thing in memory, and of no use any more.
    drop(root);
    let order = references::resolve(&mut secrets, &scope, problems);
    remote::check(&secrets, &scope, problems);
    let outputs = outputs::declare(raw.outputs, &secrets, &scope, file, problems);
    let hooks = hooks::declare(raw.hooks, &mut secrets, &outputs, problems);
    let has_compose =
        compose.as_ref().is_some_and(|it| !it.is_empty()) || environments.values().any(|it| it.compose.is_some());
    let deployment = deployment::declare(raw.deployment, &secrets, has_compose, problems);
    let allowances = allowances::declare(raw.check, &scope, problems);
    let scan = Rules::read(raw.scan, problems);
    let (secrets, order) = secrets.into_declarations(&order);
    let warnings = Vec::new();
    Manifest {
        file: file.to_owned(),
        project: name,
        issuer,
        default_environment,
        keep,
        compose,
        compose_variables,
        environments,
        secrets,
        outputs,
        hooks,
        deployment,
        allowances,
        scan,
        order,
        warnings,
        comments: super::Comments::default(),
    }
}

fn project_fields(project: RawProject, problems: &mut Problems) -> (String, String, usize) {
    let name = project.name.map(|name| project_name(name, problems)).unwrap_or_default();
    let issuer = non_empty(project.issuer, "project.issuer", problems).unwrap_or_else(|| name.clone());
    let keep = within(project.keep, KEEP, 1..=100, "project.keep", problems);
    // At most 100, so it fits.
    (name, issuer, usize::try_from(keep).unwrap_or(1))
}

fn project_name(name: At<String>, problems: &mut Problems) -> String {
    let text = &name.value;
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if !plain || text.len() > 64 || !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        let hint = "it begins with a letter or digit, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 64 long";
        problems.add_with_hint(name.at, "`project.name` is not a name", hint);
    }
    name.value
}

/// The declared environments in the order of the file.
fn environments(
    raw: Field<Map<RawEnvironment>>,
    zones: &dyn Zones,
    problems: &mut Problems,
) -> Vec<(EnvName, Environment)> {
    let entries = raw.map(|map| map.value.0).unwrap_or_default();
    let read = entries.into_iter().filter_map(|(name, raw)| {
        let Ok(parsed) = EnvName::new(name.value) else {
            bad_name(name.at, "environment", problems);
            return None;
        };
        let environment = environment(&parsed, raw.value, zones, problems);
        Some((parsed, environment))
    });
    read.collect()
}

fn bad_name(at: usize, what: &str, problems: &mut Problems) {
    problems.add_with_hint(at, format!("the {what}'s name is not valid"), crate::name::InvalidName.to_string());
}

fn environment(name: &EnvName, raw: RawEnvironment, zones: &dyn Zones, problems: &mut Problems) -> Environment {
    let place = Place { section: "environments", name: name.as_str() };
    let entries = raw.recipients.map(|map| map.value.0).unwrap_or_default();
    let mut recipients = BTreeMap::new();
    for (person, recipient) in entries {
        check_recipient(&recipient, place, problems);
        recipients.insert(person.value, recipient.value);
    }
    let aws = raw.aws.map(|raw| aws::read(raw, place, problems));
    let windows = windows::read(raw.window, place, zones, problems);
    let overlap = raw.overlap.map(|overlap| overlap.value);
    let compose = raw.compose.map(|list| deployment::files(Some(list), &format!("{place}.compose"), problems));
    let env_files = format!("{place}.compose_env_files");
    let compose_variables = deployment::variables((raw.compose_env_files, &env_files), raw.compose_run, problems);
    let rotate = raw.rotate.map(|rotate| rotate.value);
    Environment { rotate, overlap, windows, compose, compose_variables, recipients, aws }
}

/// Bech32's data characters (BIP 173); the checksum is judged by age when the store is sealed.
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn check_recipient(recipient: &At<String>, place: Place<'_>, problems: &mut Problems) {
    let text = recipient.value.as_str();
    if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        let message = format!("`{place}.recipients` holds an identity, which is private, where a recipient belongs");
        let hint = "put there what `age-keygen -y IDENTITY_FILE` prints, and replace that identity: it was in a file that is committed";
        problems.add_with_hint(recipient.at, message, hint);
        return;
    }
    let data = text.strip_prefix("age1").unwrap_or_default();
    if data.is_empty() || !data.chars().all(|letter| BECH32.contains(letter)) {
        let message = format!("`{place}.recipients` holds something that is not an age recipient");
        problems.add_with_hint(
            recipient.at,
            message,
            "a recipient begins with `age1`; `age-keygen -y IDENTITY_FILE` prints it",
        );
    }
}

/// The declared default, else `dev`, else the first of the file.
fn default_environment(
    raw: Option<&At<String>>,
    declared: &[(EnvName, Environment)],
    problems: &mut Problems,
) -> EnvName {
    let names = || declared.iter().map(|(name, _)| name);
    let Some(raw) = raw else {
        let dev = || EnvName::new("dev").expect("`dev` is a name");
        return if names().any(|name| name.as_str() == "dev") {
            dev()
        } else {
            names().next().cloned().unwrap_or_else(dev)
        };
    };
    let name = EnvName::new(raw.value.as_str());
    match name {
        Ok(name) if declared.is_empty() || names().any(|declared| *declared == name) => name,
        _ => {
            unknown_environment(raw, "project.default_environment", names().map(EnvName::as_str), problems);
            EnvName::new("dev").expect("`dev` is a name")
        }
    }
}

fn unknown_environment<'a>(
    name: &At<String>,
    field: &str,
    declared: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems,
) {
    let names: Vec<&str> = declared.clone().collect();
    let otherwise = || Some(format!("the environments are {}", super::read::list(&names)));
    problems.add_with_guess(
        name.at,
        format!("`{field}` names an environment that is not declared"),
        &name.value,
        declared,
        otherwise,
    );
}

/// The environments of a secret or output; `None` = all.
fn environment_set(
    field: Field<Texts>,
    place: Place<'_>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Option<BTreeSet<EnvName>> {
    let list = field?;
    if list.value.is_empty() {
        let message = format!("`{place}.environments` is empty");
        problems.add_with_hint(list.at, message, "leave it out to mean all environments");
    }
    let mut set = BTreeSet::new();
    for name in list.value {
        match scope.environments.get_key_value(name.value.as_str()) {
            Some((known, _)) => drop(set.insert(known.clone())),
            None => unknown_environment(
                &name,
                &format!("{place}.environments"),
                scope.environments.keys().map(EnvName::as_str),
                problems,
            ),
        }
    }
    Some(set)
}

/// Whether everything in `inner` is in `outer`; `None` = all environments.
fn covers(outer: Option<&BTreeSet<EnvName>>, inner: Option<&BTreeSet<EnvName>>, scope: &Scope<'_>) -> bool {
    match (outer, inner) {
        (None, _) => true,
        (Some(outer), None) => scope.environments.keys().all(|name| outer.contains(name)),
        (Some(outer), Some(inner)) => inner.is_subset(outer),
    }
}

/// Whether two share an environment; `None` = all environments.
fn overlap(one: Option<&BTreeSet<EnvName>>, other: Option<&BTreeSet<EnvName>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => !one.is_disjoint(other),
        (Some(some), None) | (None, Some(some)) => !some.is_empty(),
        (None, None) => true,
    }
}

/// A text that must say something.
fn non_empty(field: Field<String>, name: &str, problems: &mut Problems) -> Option<String> {
    let text = field?;
    if text.value.trim().is_empty() || text.value.chars().any(char::is_control) {
        problems.add(text.at, format!("`{name}` is empty or holds a control character"));
    }
    Some(text.value)
}

/// A number in a range.
fn within(
    field: Field<u32>,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
    name: &str,
    problems: &mut Problems,
) -> u32 {
    let Some(number) = field else { return default };
    if !range.contains(&number.value) {
        problems.add(number.at, format!("`{name}` must be from {} to {}", range.start(), range.end()));
    }
    // Within its limits from here on, so that whoever calculates with it cannot overflow.
    number.value.clamp(*range.start(), *range.end())
}
