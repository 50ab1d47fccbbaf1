//! The hooks: their programs and steps, and that what they name exists and serves.

use std::collections::{BTreeMap, BTreeSet};

use super::secrets::Secrets;
use super::{Place, paths};
use crate::gather::Gather;
use crate::manifest::hook::{Hook, Step};
use crate::manifest::issue::Problems;
use crate::manifest::model::{Kind, Output};
use crate::manifest::period::Period;
use crate::manifest::raw::{RawHook, Texts};
use crate::manifest::read::{At, Field, Map, list};
use crate::name::{HookName, OutputName, SecretName};

/// How long a call may take unless declared.
const TIMEOUT: Period = Period::minutes(1);

/// The longest time that a call may take.
const LONGEST: Period = Period::days(1);

/// The longest name of an option, in bytes.
const LONGEST_OPTION: usize = 64;

/// What a hook may refer to.
struct Context<'a> {
    secrets: &'a Secrets,
    outputs: &'a BTreeMap<OutputName, Output>,
}

/// A hook and the offset of its name.
struct Declared {
    hook: Hook,
    at: usize,
}

/// Reads all hooks, and gives each secret its own.
pub(super) fn declare(
    raw: Field<Map<RawHook>>,
    secrets: &mut Secrets,
    outputs: &BTreeMap<OutputName, Output>,
    problems: &mut Problems,
) -> BTreeMap<HookName, Hook> {
    let context = Context { secrets, outputs };
    let mut hooks = BTreeMap::new();
    for (name, raw) in raw.map(|map| map.value.0).unwrap_or_default() {
        match HookName::new(name.value) {
            Ok(parsed) => {
                let hook = hook(&At { at: name.at, value: parsed.clone() }, raw.value, &context, problems);
                hooks.insert(parsed, Declared { hook, at: name.at });
            }
            Err(_) => super::bad_name(name.at, "hook", problems),
        }
    }
    let mut used = BTreeSet::new();
    for position in 0..secrets.list.len() {
        let listed = listed(secrets, position, &hooks, problems);
        used.extend(listed.iter().cloned());
        if let Some(declaration) = secrets.list[position].declaration_mut() {
            declaration.hooks = listed;
        }
        check_encryption_key(secrets, position, &hooks, problems);
    }
    warn_unused(&hooks, &used, problems);
    hooks.into_iter().map(|(name, declared)| (name, declared.hook)).gather()
}

fn hook(name: &At<HookName>, raw: RawHook, context: &Context<'_>, problems: &mut Problems) -> Hook {
    let place = Place { section: "hooks", name: name.value.as_str() };
    let steps = steps(raw.steps, place, problems);
    Hook {
        name: name.value.clone(),
        program: raw.program.map(|program| self::program(&program, place, problems)).unwrap_or_default(),
        options: options(raw.options, place, problems),
        secrets: secrets(raw.secrets, &steps, place, context, problems),
        environment: environment(raw.environment, place, problems),
        timeout: timeout(raw.timeout, place, problems),
        outputs: raw.outputs.map(|names| outputs(names, &steps, place, context, problems)),
        line: problems.line(name.at),
        steps,
    }
}

fn program(program: &At<String>, place: Place<'_>, problems: &mut Problems) -> String {
    paths::output_path(&program.value).unwrap_or_else(|wrong| {
        let hint = "write the path of an executable file below the manifest's directory, such as `hooks/postgres`";
        problems.add_with_hint(program.at, format!("`{place}.program` {wrong}"), hint);
        String::new()
    })
}

fn steps(field: Field<Vec<At<Step>>>, place: Place<'_>, problems: &mut Problems) -> BTreeSet<Step> {
    let Some(field) = field else { return BTreeSet::new() };
    if field.value.is_empty() {
        let message = format!("`{place}.steps` is empty");
        problems.add_with_hint(field.at, message, format!("the steps are {}", list(&Step::ALL.map(Step::name))));
    }
    let mut steps = BTreeSet::new();
    for step in field.value {
        if !steps.insert(step.value) {
            problems.add(step.at, format!("`{place}.steps` names `{}` twice", step.value.name()));
        }
    }
    steps
}

fn options(field: Field<Map<String>>, place: Place<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    for (name, value) in field.map(|map| map.value.0).unwrap_or_default() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if !(1..=LONGEST_OPTION).contains(&name.value.len()) || !name.value.bytes().all(plain) {
            let message = format!("`{place}.options` has a name that is not one");
            problems.add_with_hint(name.at, message, "it holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 64 long");
        }
        if value.value.contains('\0') {
            problems.add(value.at, format!("`{place}.options` holds a NUL character"));
        }
        options.insert(name.value, value.value);
    }
    options
}

fn secrets(
    field: Field<Texts>,
    steps: &BTreeSet<Step>,
    place: Place<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> BTreeSet<SecretName> {
    let Some(field) = field else { return BTreeSet::new() };
    if !steps.is_empty() && !steps.iter().any(|step| step.takes_values()) {
        let message = format!("`{place}.secrets` is for `set`, `test` and `retire`: no other step gets values");
        problems.add_with_hint(field.at, message, "take it out, or add the step to `steps`");
    }
    let mut names = BTreeSet::new();
    for name in field.value {
        let Some(position) = context.secrets.position(&name.value) else {
            let message = format!("`{place}.secrets` names a secret that is not declared");
            problems.add_with_guess(name.at, message, &name.value, context.secrets.names(), || None);
            continue;
        };
        let declared = &context.secrets.list[position];
        if declared.declaration.as_ref().is_some_and(|it| !it.is_stored()) {
            let message = format!("`{place}.secrets` names `{}`, which is a setting", declared.name);
            problems.add_with_hint(name.at, message, "put its value into `options`");
        } else if !names.insert(declared.name.clone()) {
            problems.add(name.at, format!("`{place}.secrets` names `{}` twice", declared.name));
        }
    }
    names
}

fn environment(field: Field<Texts>, place: Place<'_>, problems: &mut Problems) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for name in field.map(|list| list.value).unwrap_or_default() {
        let is_variable = name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.value.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !is_variable {
            let message = format!("`{place}.environment` holds something that is not the name of a variable");
            problems.add_with_hint(name.at, message, "write the name alone, such as `DOCKER_HOST`");
        } else if name.value.starts_with("VAULT_KIT_") {
            let message =
                format!("`{place}.environment` names a variable of vault-kit's own, which no program inherits");
            problems.add_with_hint(name.at, message, "take it out: a hook needs no identity");
        } else if name.value == "PATH" {
            let message = format!("`{place}.environment` names `PATH`, which is fixed for hooks");
            problems.add_with_hint(name.at, message, "let the program call others by their full path");
        } else {
            names.insert(name.value);
        }
    }
    names
}

fn timeout(field: Field<Period>, place: Place<'_>, problems: &mut Problems) -> Period {
    let Some(timeout) = field else { return TIMEOUT };
    if timeout.value > LONGEST {
        problems.add(timeout.at, format!("`{place}.timeout` must be at most `{LONGEST}`"));
    }
    timeout.value.min(LONGEST)
}

fn outputs(
    field: At<Texts>,
    steps: &BTreeSet<Step>,
    place: Place<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> BTreeSet<OutputName> {
    if field.value.is_empty() {
        let message = format!("`{place}.outputs` is empty");
        problems.add_with_hint(field.at, message, "leave it out to mean any output");
    }
    if !steps.is_empty() && !steps.contains(&Step::Reload) {
        let message = format!("`{place}.outputs` is for the step `reload`, which `steps` does not have");
        problems.add_with_hint(field.at, message, "take it out, or add `reload` to `steps`");
    }
    let mut names = BTreeSet::new();
    for name in field.value {
        if let Some((known, _)) = context.outputs.get_key_value(name.value.as_str()) {
            names.insert(known.clone());
            continue;
        }
        let message = format!("`{place}.outputs` names an output that is not declared");
        let known = context.outputs.keys().map(OutputName::as_str);
        problems.add_with_guess(name.at, message, &name.value, known, || None);
    }
    names
}

/// The hooks that a secret names, in its order.
fn listed(
    secrets: &mut Secrets,
    position: usize,
    hooks: &BTreeMap<HookName, Declared>,
    problems: &mut Problems,
) -> Vec<HookName> {
    let declared = &mut secrets.list[position];
    let Some(field) = declared.hooks.take() else { return Vec::new() };
    let place = Place { section: "secrets", name: declared.name.as_str() };
    if let Some(kind) = declared.declaration.as_ref().map(|it| &it.kind).filter(|kind| !can_have_hooks(kind)) {
        let message = format!("`{place}.hooks` cannot be of kind `{}`, which no rotation makes anew", kind.name());
        problems.add_with_hint(field.at, message, "give the hook to a secret that it is made of, if any");
    }
    let mut names = Vec::with_capacity(field.value.len());
    for name in field.value {
        let Some((known, hook)) = hooks.get_key_value(name.value.as_str()) else {
            let message = format!("`{place}.hooks` names a hook that is not declared");
            let known = hooks.keys().map(HookName::as_str);
            problems.add_with_guess(name.at, message, &name.value, known, || {
                Some("declare it as a table of its own beneath `hooks`".to_owned())
            });
            continue;
        };
        let steps = &hook.hook.steps;
        if names.contains(known) {
            problems.add(name.at, format!("`{place}.hooks` names `{known}` twice"));
        } else if !steps.is_empty() && !steps.iter().any(|step| step.takes_values()) {
            let message = format!("`{place}.hooks` names `{known}`, which has no step of a secret's own");
            let hint = "take it out: `reload` is called after outputs changed, and `notify` after any failure";
            problems.add_with_hint(name.at, message, hint);
        } else {
            names.push(known.clone());
        }
    }
    names
}

/// Whether a value of the kind is made anew by a rotation, rather than supplied or derived.
fn can_have_hooks(kind: &Kind) -> bool {
    !matches!(kind, Kind::External | Kind::ImportedCertificate(_) | Kind::Setting { .. } | Kind::Template(_))
}

/// What a key encrypted is lost with it, unless something encrypts it anew.
fn check_encryption_key(
    secrets: &Secrets,
    position: usize,
    hooks: &BTreeMap<HookName, Declared>,
    problems: &mut Problems,
) {
    let declared = &secrets.list[position];
    let (Some(declaration), Some(at)) = (&declared.declaration, declared.rotate_at) else { return };
    let sets = |name: &HookName| hooks.get(name).is_some_and(|it| it.hook.steps.contains(&Step::Set));
    if declaration.encrypts() && !declaration.hooks.iter().any(sets) {
        let message = format!("`secrets.{}.rotate` would lose what the key encrypted", declared.name);
        problems.add_with_hint(
            at,
            message,
            "declare a hook with the step `set` that encrypts it anew, or write `\"never\"`",
        );
    }
}

fn warn_unused(hooks: &BTreeMap<HookName, Declared>, used: &BTreeSet<HookName>, problems: &mut Problems) {
    for (name, declared) in hooks {
        let steps = &declared.hook.steps;
        if !used.contains(name) && !steps.is_empty() && steps.iter().all(|step| step.takes_values()) {
            let message = format!("no secret names the hook `{name}`");
            problems.warn(declared.at, message, format!("add `hooks = [\"{name}\"]` to the secret that it is for"));
        }
    }
}
