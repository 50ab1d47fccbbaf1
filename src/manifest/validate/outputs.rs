//! The outputs: what each delivers, with which modes, and that no two write one file.

mod carry;
mod collide;
mod files;
mod kubernetes;
mod layout;

use std::collections::{BTreeMap, BTreeSet};

use super::secrets::Secrets;
use super::{Place, Scope, environment_set, overlap, paths, within};
use crate::gather::Gather;
use crate::manifest::issue::Problems;
use crate::manifest::model::{Declaration, Dialect, Format, Output};
use crate::manifest::period::Period;
use crate::manifest::raw::{Mode, RawFormat, RawOutput, Texts};
use crate::manifest::read::{At, Field, Map, Variants as _};
use crate::name::{OutputName, SecretName};

/// Mode of files unless declared.
const FILE_MODE: u32 = 0o600;

/// Mode of what is for everybody to read, unless declared.
const PUBLIC_MODE: u32 = 0o644;

/// How long verifiers keep a key set unless declared.
const MAX_AGE: Period = Period::hours(1);

/// What an output may refer to.
struct Context<'a> {
    secrets: &'a Secrets,
    scope: &'a Scope<'a>,
    /// The manifest's own file name.
    manifest: &'a str,
}

/// An output and the offset that problems with its files are reported at.
struct Declared {
    output: Output,
    at: usize,
}

/// A list of fingerprints tells of one environment: rendered for another, it tells of the first no more.
fn lists_of_one(outputs: &[Declared], scope: &Scope<'_>, problems: &mut Problems) {
    for Declared { output, at } in outputs.iter().filter(|it| it.output.format == Format::Fingerprints) {
        let count = output.environments.as_ref().map_or(scope.environments.len(), BTreeSet::len);
        if count > 1 {
            let message = format!(
                "`outputs.{}` is one list for {count} environments, and has the fingerprints of one alone",
                output.name
            );
            let hint =
                "give each environment an output of its own, with `environments = [\"NAME\"]` and a `path` of its own";
            problems.warn(*at, message, hint);
        }
    }
}

/// Reads all outputs.
pub(super) fn declare(
    raw: Field<Map<RawOutput>>,
    secrets: &Secrets,
    scope: &Scope<'_>,
    file: &str,
    problems: &mut Problems,
) -> BTreeMap<OutputName, Output> {
    let manifest = file.rsplit('/').next().unwrap_or(file);
    let context = Context { secrets, scope, manifest };
    let mut outputs = Vec::new();
    for (name, raw) in raw.map(|map| map.value.0).unwrap_or_default() {
        match OutputName::new(name.value) {
            Ok(parsed) => outputs.extend(output(&At { at: name.at, value: parsed }, raw.value, &context, problems)),
            Err(_) => super::bad_name(name.at, "output", problems),
        }
    }
    collide::check(&outputs, secrets, problems);
    lists_of_one(&outputs, scope, problems);
    outputs.into_iter().map(|declared| (declared.output.name.clone(), declared.output)).gather()
}

/// Without a format, whose absence has been reported, only names can be judged.
fn output(name: &At<OutputName>, raw: RawOutput, context: &Context<'_>, problems: &mut Problems) -> Option<Declared> {
    let place = Place { section: "outputs", name: name.value.as_str() };
    let fields = raw.common;
    let environments = environment_set(fields.environments, place, context.scope, problems);
    let Some(raw_format) = raw.variant else {
        for name in fields.secrets.iter().flat_map(|names| &names.value).filter(|name| name.value != "*") {
            known(name, place, context, problems);
        }
        return None;
    };
    let format_name = raw_format.name();
    let (format, path, files, pem) = format(raw_format, place, problems);
    let at = path.as_ref().map_or(name.at, |path| path.at);
    let mode = if format.is_public_document() { PUBLIC_MODE } else { FILE_MODE };
    let mut output = Output {
        name: name.value.clone(),
        path: self::path(path, place, context, problems),
        secrets: Vec::new(),
        mode,
        directory_mode: None,
        uid: id(fields.uid, "uid", place, problems),
        gid: id(fields.gid, "gid", place, problems),
        in_place: fields.in_place.is_some_and(|flag| flag.value),
        atomic: pem.atomic.as_ref().is_some_and(|flag| flag.value),
        environments,
        line: problems.line(name.at),
        format,
    };
    output.secrets = secrets(fields.secrets, &output, format_name, context, problems);
    layout::set(&mut output, &pem, files.as_ref(), place, context.secrets, problems);
    files::set(&mut output, files, place, context, problems);
    kubernetes::check(&output, name.at, place, context, problems);
    set_modes(&mut output, fields.mode.as_ref(), fields.directory_mode.as_ref(), context, problems);
    Some(Declared { output, at })
}

/// The format, its path and its files.
fn format(
    raw: RawFormat,
    place: Place<'_>,
    problems: &mut Problems,
) -> (Format, Field<String>, Field<Map<String>>, layout::Choice) {
    let name = raw.name();
    let none = layout::Choice::default();
    match raw {
        RawFormat::DockerSecrets(raw) => (Format::DockerSecrets { files: BTreeMap::new() }, raw.path, raw.files, none),
        RawFormat::Dotenv(raw) => {
            let dialect = raw.dialect.map_or(Dialect::Portable, |dialect| dialect.value);
            (Format::Dotenv { dialect }, raw.path, None, none)
        }
        RawFormat::Json(raw) => (Format::Json, raw.path, None, none),
        RawFormat::Pem(raw) => {
            let choice = layout::Choice { layout: raw.layout, atomic: raw.atomic };
            (Format::Pem { files: BTreeMap::new() }, raw.path, raw.files, choice)
        }
        RawFormat::Jwks(raw) => {
            (Format::Jwks { max_age: raw.max_age.map_or(MAX_AGE, |age| age.value) }, raw.path, None, none)
        }
        RawFormat::Revocations(raw) => (Format::Revocations, raw.path, None, none),
        RawFormat::Fingerprints(raw) => (Format::Fingerprints, raw.path, None, none),
        RawFormat::ApiKeys(raw) => (Format::ApiKeys, raw.path, None, none),
        RawFormat::KubernetesSecret(mut raw) => {
            let (path, keys) = (raw.path.take(), raw.keys.take());
            (Format::KubernetesSecret(Box::new(kubernetes::secret(raw, place, problems))), path, keys, none)
        }
        RawFormat::ExternalSecret(mut raw) => {
            let (path, keys) = (raw.path.take(), raw.keys.take());
            (Format::ExternalSecret(Box::new(kubernetes::external(raw, place, problems))), path, keys, none)
        }
        RawFormat::ComposeOverride(raw) | RawFormat::DockerSwarm(raw) | RawFormat::SystemdCredentials(raw) => {
            (Format::NotYet(name), raw.path, None, none)
        }
    }
}

/// An owner or group: the largest number stands for none (chown(2)).
fn id(field: Field<u32>, key: &str, place: Place<'_>, problems: &mut Problems) -> Option<u32> {
    let declared = field?;
    Some(within(Some(declared), 0, 0..=u32::MAX - 1, &format!("{place}.{key}"), problems))
}

/// Whether one is needed has been judged with the other fields of the format.
fn path(field: Field<String>, place: Place<'_>, context: &Context<'_>, problems: &mut Problems) -> String {
    let Some(path) = field else { return String::new() };
    match paths::output_path(&path.value) {
        Ok(normal) if normal == context.manifest => {
            problems.add(path.at, format!("`{place}.path` is the manifest itself"));
            normal
        }
        Ok(normal) => normal,
        Err(wrong) => {
            let hint = "write a path below the manifest's directory, such as `.env` or `.secrets`";
            problems.add_with_hint(path.at, format!("`{place}.path` {wrong}"), hint);
            String::new()
        }
    }
}

/// The secrets that it delivers, in the order of the manifest.
fn secrets(
    field: Field<Texts>,
    output: &Output,
    format_name: &str,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Vec<SecretName> {
    let list = &context.secrets.list;
    let positions = match field {
        Some(names) if !names.value.iter().any(|name| name.value == "*") => {
            listed(&names.value, output, format_name, context, problems)
        }
        field => {
            check_star(field.as_ref(), output, problems);
            let carried = |declaration: &Declaration| {
                carry::by_star(&output.format, declaration)
                    && overlap(declaration.environments.as_ref(), output.environments.as_ref())
            };
            (0..list.len()).filter(|&position| list[position].declaration.as_deref().is_some_and(carried)).collect()
        }
    };
    positions.into_iter().map(|position| list[position].name.clone()).collect()
}

/// Where a secret that an output names is declared; reports it when it is not.
fn known(name: &At<String>, place: Place<'_>, context: &Context<'_>, problems: &mut Problems) -> Option<usize> {
    let position = context.secrets.position(&name.value);
    if position.is_none() {
        let message = format!("`{place}.secrets` names a secret that is not declared");
        problems.add_with_guess(name.at, message, &name.value, context.secrets.names(), || None);
    }
    position
}

fn check_star(field: Option<&At<Texts>>, output: &Output, problems: &mut Problems) {
    if let Some(names) = field.filter(|names| names.value.len() > 1) {
        let message = format!("`outputs.{}.secrets` has names beside `*`", output.name);
        problems.add_with_hint(names.at, message, "write `[\"*\"]` alone, or names alone");
    }
}

fn listed(
    names: &Texts,
    output: &Output,
    format_name: &str,
    context: &Context<'_>,
    problems: &mut Problems,
) -> BTreeSet<usize> {
    let place = format!("outputs.{}.secrets", output.name);
    let mut positions = BTreeSet::new();
    for name in names {
        let Some(position) = known(name, Place { section: "outputs", name: output.name.as_str() }, context, problems)
        else {
            continue;
        };
        let declared = &context.secrets.list[position];
        if !positions.insert(position) {
            problems.add(name.at, format!("`{place}` names `{}` twice", declared.name));
            continue;
        }
        let Some(declaration) = &declared.declaration else { continue };
        if let Err((why, instead)) = carry::explicitly(&output.format, declaration) {
            let message = format!("`{place}`: `{format_name}` cannot carry `{}`, which {why}", declared.name);
            problems.add_with_hint(name.at, message, instead);
        } else if !overlap(declaration.environments.as_ref(), output.environments.as_ref()) {
            let message = format!("`{place}`: `{}` exists in none of the output's environments", declared.name);
            problems.add_with_hint(name.at, message, "take it out, or change the `environments` of one of them");
        }
    }
    positions
}

fn set_modes(
    output: &mut Output,
    mode: Option<&At<Mode>>,
    directory_mode: Option<&At<Mode>>,
    context: &Context<'_>,
    problems: &mut Problems,
) {
    let name = &output.name;
    if let Some(&At { at, value: Mode(bits) }) = mode {
        output.mode = bits;
        if bits & 0o022 != 0 {
            let message = format!("`outputs.{name}.mode` lets others than the owner write");
            problems.add_with_hint(at, message, "write `\"0600\"`, or `\"0640\"` for a group that reads");
        } else if bits & 0o004 != 0 && !carry::is_public(output, context.secrets) {
            let message = format!("`outputs.{name}.mode` lets every user of the host read secrets");
            problems.add_with_hint(at, message, "write `\"0600\"`, or `\"0640\"` and a `gid` for a group that reads");
        }
    }
    if let Some(&At { at, value: Mode(bits) }) = directory_mode {
        output.directory_mode = Some(bits);
        if bits & 0o022 != 0 {
            let message = format!("`outputs.{}.directory_mode` lets others than the owner replace files", output.name);
            problems.add_with_hint(at, message, "write `\"0700\"`, or `\"0750\"` for a group that reads");
        } else if bits & 0o700 != 0o700 {
            let message = format!("`outputs.{}.directory_mode` locks out the owner", output.name);
            problems.add_with_hint(at, message, "write `\"0700\"`");
        }
    }
}
