//! Each secret by itself: its common fields, and its kind through [`super::recipes`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use toml::de::DeTable;

use super::{Place, Scope, environment_set, non_empty, recipes, remote, usernames, windows};
use crate::manifest::issue::Problems;
use crate::manifest::model::{Declaration, Kind, Pattern, Rotate, TokenAlgorithm};
use crate::manifest::period::Period;
use crate::manifest::raw::{RawKind, RawSecret, Texts};
use crate::manifest::read::{At, Field, Unread, each_in};
use crate::name::{EnvName, GroupName, SecretName};

/// A secret as declared, with what the references' check needs to know besides.
pub(super) struct Declared {
    pub(super) name: SecretName,
    /// Offset of the name.
    pub(super) at: usize,
    /// Absent if its kind could not be read, which has been reported; the name is declared all the same.
    pub(super) declaration: Option<Arc<Declaration>>,
    /// Offset of the field that refers to others.
    pub(super) reference_at: usize,
    /// What a token says about its algorithm.
    pub(super) algorithm: Field<TokenAlgorithm>,
    /// Which lists of permitted names a CA leaves out: DNS names, addresses.
    pub(super) open: (bool, bool),
    /// Offset of what says where it is in AWS.
    pub(super) remote_at: usize,
    /// The hooks that it names.
    pub(super) hooks: Field<Texts>,
    /// Offset of its `rotate`, where that asks for a rotation.
    pub(super) rotate_at: Option<usize>,
}

impl Declared {
    /// The declaration, to complete it: it is shared only when all are.
    pub(super) fn declaration_mut(&mut self) -> Option<&mut Declaration> {
        Arc::get_mut(self.declaration.as_mut()?)
    }
}

type ByName = BTreeMap<SecretName, Arc<Declaration>>;

/// The declared secrets in the order of the file, found by name.
pub(super) struct Secrets {
    pub(super) list: Vec<Declared>,
    index: HashMap<SecretName, usize>,
}

impl Secrets {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|declared| declared.name.as_str())
    }

    /// The declarations by name, and in an order that is told by their positions.
    pub(super) fn into_declarations(self, order: &[usize]) -> (ByName, Vec<Arc<Declaration>>) {
        let order = order.iter().filter_map(|&position| self.list[position].declaration.clone()).collect();
        (self.list.into_iter().filter_map(|it| Some((it.name, it.declaration?))).collect(), order)
    }
}

/// Reads all secrets.
pub(super) fn declare(
    raw: Field<Unread<RawSecret>>,
    root: &DeTable<'_>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Secrets {
    let len = raw.map_or(0, |raw| raw.value.len);
    let mut secrets = Secrets { list: Vec::with_capacity(len), index: HashMap::with_capacity(len) };
    each_in(root, "secrets", problems, |name, raw: At<RawSecret>, problems| {
        let Ok(parsed) = SecretName::new(name.value) else {
            super::bad_name(name.at, "secret", problems);
            return;
        };
        if parsed.as_str().starts_with("VAULT_KIT_") {
            let message =
                format!("`secrets.{parsed}` begins with `VAULT_KIT_`, which is for vault-kit's own variables");
            problems.add_with_hint(name.at, message, "give it another name");
        }
        secrets.index.insert(parsed.clone(), secrets.list.len());
        secrets.list.push(secret(At { at: name.at, value: parsed }, raw.value, scope, problems));
    });
    check_previous(&secrets, problems);
    secrets
}

/// During an overlap the previous value is delivered under a name that nothing else may have.
fn check_previous(secrets: &Secrets, problems: &mut Problems) {
    let declarations = secrets.list.iter().filter_map(|declared| declared.declaration.as_ref());
    for declaration in declarations.filter(|it| it.overlap.is_some() && it.kind.is_single()) {
        let previous = declaration.name.previous();
        let taken = previous.and_then(|previous| secrets.position(previous.as_str()));
        if let Some(taken) = taken.map(|position| &secrets.list[position]) {
            let name = &declaration.name;
            let message =
                format!("`secrets.{}` has the name of the previous value of `{name}` during its overlap", taken.name);
            problems.add_with_hint(taken.at, message, format!("rename it, or take `overlap` out of `secrets.{name}`"));
        }
    }
}

fn secret(name: At<SecretName>, raw: RawSecret, scope: &Scope<'_>, problems: &mut Problems) -> Declared {
    let At { at, value: name } = name;
    let place = Place { section: "secrets", name: name.as_str() };
    let mut fields = raw.common;
    let remote = remote::Place::take(&mut fields).read(&name, place, problems);
    let environments = environment_set(fields.environments, place, scope, problems);
    let pattern = fields.pattern.and_then(|pattern| self::pattern(&pattern, place, problems));
    let windows = windows::read(fields.window, place, scope.zones, problems);
    let owner = fields.owner.and_then(|owner| non_empty(Some(owner), &format!("{place}.owner"), problems));
    let group = fields.group.and_then(|group| self::group(group, problems));
    let (reference_at, algorithm) = raw.variant.as_ref().map_or((None, None), reference);
    let open = match &raw.variant {
        Some(RawKind::Ca(ca)) => (ca.permitted_dns.is_none(), ca.permitted_ip.is_none()),
        _ => (false, false),
    };
    let optional = matches!(&raw.variant, Some(RawKind::External(external)) if external.optional.as_ref().is_some_and(|flag| flag.value));
    let recipe =
        recipes::Recipe { name: &name, at, place, scope, environments: environments.as_ref(), sound: raw.sound };
    let kind = raw.variant.and_then(|kind| recipe.kind(kind, problems));
    if let (Some(kind), Some(pattern)) = (&kind, &pattern) {
        check_setting(kind, pattern, place, at, problems);
    }
    let usernames =
        fields.usernames.map_or_else(Vec::new, |names| usernames::read(names, kind.as_ref(), place, problems));
    warn_of_long_overlap((&fields.overlap, &fields.rotate), environments.as_ref(), place, scope, problems);
    let rotate_at = fields.rotate.as_ref().filter(|rotate| rotate.value != Rotate::Never).map(|rotate| rotate.at);
    let remote_at = remote.as_ref().map_or(at, |remote| remote.at);
    let declaration = kind.map(|kind| {
        Arc::new(Declaration {
            name: name.clone(),
            kind,
            rotate: fields.rotate.map(|rotate| rotate.value),
            overlap: fields.overlap.map(|overlap| overlap.value),
            windows,
            group,
            owner,
            pattern,
            obtain: fields.obtain.map(|obtain| obtain.value),
            description: fields.description.map(|description| description.value),
            environments,
            optional,
            hooks: Vec::new(),
            usernames,
            remote: remote.map(|remote| remote.value),
            line: problems.line(at),
        })
    });
    let (reference_at, hooks) = (reference_at.unwrap_or(at), fields.hooks);
    Declared { name, at, declaration, reference_at, algorithm, open, remote_at, hooks, rotate_at }
}

/// There is one former value at a time: the next rotation would end what was promised for longer.
fn warn_of_long_overlap(
    declared: (&Field<Period>, &Field<Rotate>),
    only_in: Option<&BTreeSet<EnvName>>,
    place: Place<'_>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) {
    let (Some(overlap), Some(rotate)) = declared else { return };
    let is_there = |name: &EnvName| only_in.is_none_or(|names| names.contains(name));
    let terms = scope.environments.iter().filter(|(name, _)| is_there(name)).filter_map(|(name, environment)| {
        let Rotate::Every(rotate) =
            environment.rotate.filter(|_| rotate.value != Rotate::Never).unwrap_or(rotate.value)
        else {
            return None;
        };
        let is_own = environment.rotate.is_none() && environment.overlap.is_none();
        Some((name, is_own, environment.overlap.unwrap_or(overlap.value), rotate))
    });
    let mut long = terms.filter(|(_, _, overlap, rotate)| overlap.delta() >= rotate.delta());
    let Some((name, is_own, lasts, rotate)) = long.next() else { return };
    let there = if is_own { String::new() } else { format!(" in environment `{name}`") };
    let message = format!("`{place}.overlap`, {lasts}{there}, is not shorter than its `rotate`, {rotate}");
    let hint = "each rotation ends the overlap of the one before it, and a scheduled one waits for that end where a hook has the step \
                `retire`: make `overlap` shorter, or `rotate` longer";
    problems.warn(overlap.at, message, hint);
}

/// Where a kind refers to others, and what it says about a token's algorithm.
fn reference(kind: &RawKind) -> (Option<usize>, Field<TokenAlgorithm>) {
    match kind {
        RawKind::Ca(ca) => (ca.issuer.as_ref().map(|field| field.at), None),
        RawKind::Certificate(certificate) => (certificate.issuer.as_ref().map(|field| field.at), None),
        RawKind::Template(template) => (template.template.as_ref().map(|field| field.at), None),
        RawKind::Token(token) => (token.signed_by.as_ref().map(|field| field.at), token.algorithm.clone()),
        _ => (None, None),
    }
}

fn group(group: At<String>, problems: &mut Problems) -> Option<GroupName> {
    let name = GroupName::new(group.value).ok();
    if name.is_none() {
        super::bad_name(group.at, "group", problems);
    }
    name
}

/// The compiler's own message quotes the pattern, so it is not shown.
fn pattern(pattern: &At<String>, place: Place<'_>, problems: &mut Problems) -> Option<Pattern> {
    let regex = regex_lite::Regex::new(&pattern.value);
    if regex.is_err() {
        let message = format!("`{place}.pattern` is not a regular expression");
        problems.add_with_hint(pattern.at, message, "such as `'^sk-'`; single quotes keep backslashes as they are");
    }
    regex.ok().map(Pattern)
}

/// The values of a setting stand right here, so they are held against the pattern at once.
fn check_setting(kind: &Kind, pattern: &Pattern, place: Place<'_>, at: usize, problems: &mut Problems) {
    if let Kind::Setting { value, values } = kind
        && !value.iter().chain(values.values()).all(|value| pattern.0.is_match(value))
    {
        problems.add(at, format!("a value of `{place}` does not match its `pattern`"));
    }
}
