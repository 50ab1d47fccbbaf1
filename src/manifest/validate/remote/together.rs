//! The places of all secrets together, and against the environments: no two for one.

use std::collections::HashMap;

use super::{LONGEST, arn_suffix};
use crate::manifest::issue::Problems;
use crate::manifest::model::{Aws, Declaration, Kind, RemotePlace};
use crate::manifest::validate::secrets::{Declared, Secrets};
use crate::manifest::validate::{Scope, overlap};
use crate::name::EnvName;
use crate::token::algorithm::Algorithm;

/// Checks all places.
pub(in crate::manifest::validate) fn check(secrets: &Secrets, scope: &Scope<'_>, problems: &mut Problems) {
    let placed: Vec<Placed<'_>> = secrets.list.iter().filter_map(Placed::of).collect();
    for one in &placed {
        check_kind(one, problems);
        check_length(one, scope, problems);
    }
    check_environments(&placed, scope, problems);
    check_names(&placed, problems);
    check_signers(secrets, &placed, problems);
    check_keys(&placed, problems);
}

/// A secret that is in AWS.
struct Placed<'a> {
    declaration: &'a Declaration,
    place: &'a RemotePlace,
    /// Offset of what says so.
    at: usize,
    /// The name without case: who looks for it may take two for one.
    folded: String,
}

impl<'a> Placed<'a> {
    fn of(declared: &'a Declared) -> Option<Self> {
        let declaration = declared.declaration.as_deref()?;
        let place = declaration.remote.as_ref()?;
        Some(Self { declaration, place, at: declared.remote_at, folded: place.path().to_ascii_lowercase() })
    }

    fn meets(&self, other: &Self) -> bool {
        overlap(self.declaration.environments.as_ref(), other.declaration.environments.as_ref())
    }

    fn field(&self) -> String {
        let field = if matches!(self.place, RemotePlace::Key { .. }) { "bundle" } else { "aws" };
        format!("secrets.{}.{field}", self.declaration.name)
    }
}

fn check_kind(one: &Placed<'_>, problems: &mut Problems) {
    let Declaration { name, kind, .. } = one.declaration;
    if kind.has_parts() && matches!(one.place, RemotePlace::Key { .. }) {
        let message =
            format!("`secrets.{name}.bundle`: a `{}` has several parts, and a key has one value", kind.name());
        let hint = "write `aws = \"…\"` instead: there it is a JSON object of its parts";
        problems.add_with_hint(one.at, message, hint);
    } else if !one.declaration.usernames.is_empty() && matches!(one.place, RemotePlace::Key { .. }) {
        let message =
            format!("`secrets.{name}.bundle`: a key has one value, and no place for the user that it belongs to");
        problems.add_with_hint(
            one.at,
            message,
            "write `aws = \"…\"` instead: there it is a JSON object of `username` and `password`",
        );
    }
}

/// A version in AWS is one of a bundle as a whole: since when a key has its value, and so its `kid`, is not told there.
fn check_signers(secrets: &Secrets, placed: &[Placed<'_>], problems: &mut Problems) {
    let is_signer = |one: &Placed<'_>| {
        let mut declared = secrets.list.iter().filter_map(|it| it.declaration.as_deref());
        declared.any(|it| match &it.kind {
            Kind::Token(token) => {
                token.signed_by == one.declaration.name
                    && Algorithm::from(token.algorithm).shortest_shared_key().is_some()
            }
            _ => false,
        })
    };
    let in_bundles = placed.iter().filter(|one| matches!(one.place, RemotePlace::Key { .. }));
    for one in in_bundles.filter(|one| is_signer(one)) {
        let message = format!("`{}`: its tokens have another `kid` on each host that shares the bundle", one.field());
        problems.warn(one.at, message, "write `aws = \"…\"` instead: the id of a secret of its own is one everywhere");
    }
}

fn check_length(one: &Placed<'_>, scope: &Scope<'_>, problems: &mut Problems) {
    let path = one.place.path();
    let length = |(name, aws): (&EnvName, &Aws)| aws.prefix_of(scope.project, name).len() + path.len();
    if path.len() < LONGEST && environments_of(one, scope).map(length).any(|length| length > LONGEST) {
        let message = format!("`{}` is, with the environment's prefix, longer than {LONGEST}", one.field());
        problems.add_with_hint(one.at, message, "shorten one of them");
    }
}

/// The environments in which it is in AWS.
fn environments_of<'s>(one: &'s Placed<'_>, scope: &'s Scope<'_>) -> impl Iterator<Item = (&'s EnvName, &'s Aws)> {
    let in_aws = scope.environments.iter().filter_map(|(name, environment)| Some((name, environment.aws.as_ref()?)));
    in_aws.filter(|(name, _)| one.declaration.is_in(name))
}

/// One word an environment, at the first secret that it concerns.
fn check_environments(placed: &[Placed<'_>], scope: &Scope<'_>, problems: &mut Problems) {
    let Some(first) = placed.first() else { return };
    if !scope.environments.values().any(|environment| environment.aws.is_some()) {
        let message = format!("`{}` has no effect: no environment has `aws`", first.field());
        problems.warn(first.at, message, "add `aws = { account = \"…\", region = \"…\" }` to an environment");
    }
    for (name, environment) in scope.environments {
        let Some(aws) = &environment.aws else { continue };
        let Some(one) = placed.iter().find(|it| it.declaration.is_in(name)) else { continue };
        if aws.region.is_none() {
            let message = format!("`environments.{name}.aws.region` is absent, and `{}` is in AWS there", one.field());
            problems.warn(one.at, message, "add it; without it `AWS_REGION` or the profile decides");
        }
        let prefix = aws.prefix_of(scope.project, name);
        let later = environments_of(one, scope).filter(|(other, _)| *other > name);
        for (other, there) in later.filter(|(_, there)| may_be_one_place(aws, there)) {
            let other_prefix = there.prefix_of(scope.project, other);
            if prefix.starts_with(&other_prefix) || other_prefix.starts_with(&prefix) {
                let message = format!("environments `{name}` and `{other}` share a prefix in AWS");
                problems.warn(one.at, message, "give each its own `prefix`, or an account of its own");
            }
        }
    }
}

/// Whether two environments can be in one account and region.
fn may_be_one_place(one: &Aws, other: &Aws) -> bool {
    let may_be = |one: &Option<String>, other: &Option<String>| one.is_none() || other.is_none() || one == other;
    may_be(&one.account, &other.account) && may_be(&one.region, &other.region)
}

/// The secrets by their names without case.
struct Names<'p> {
    /// Those of their own.
    own: HashMap<&'p str, Vec<&'p Placed<'p>>>,
    /// The first key of each bundle: its spelling is one for all environments.
    bundles: HashMap<&'p str, &'p Placed<'p>>,
}

/// No two secrets have one name, or names that differ by case alone, and none has that of a bundle.
fn check_names(placed: &[Placed<'_>], problems: &mut Problems) {
    let mut names = Names { own: HashMap::new(), bundles: HashMap::new() };
    for one in placed {
        match one.place {
            RemotePlace::Secret { .. } => names.own.entry(&one.folded).or_default().push(one),
            RemotePlace::Key { .. } => drop(names.bundles.entry(&one.folded).or_insert(one)),
        }
    }
    for one in placed {
        match one.place {
            RemotePlace::Secret { path } => names.check_own(one, path, problems),
            RemotePlace::Key { .. } => names.check_bundle(one, problems),
        }
    }
}

impl<'p> Names<'p> {
    /// Those of a name that share an environment with one.
    fn meeting(&self, one: &Placed<'_>, folded: &str) -> impl Iterator<Item = &'p Placed<'p>> {
        let all = self.own.get(folded).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(|other| other.meets(one))
    }

    fn check_own(&self, one: &Placed<'_>, path: &str, problems: &mut Problems) {
        if let Some(other) = self.meeting(one, &one.folded).next().filter(|other| other.at < one.at) {
            report_same(one, other, problems);
        }
        let Some(suffix) = arn_suffix(path) else { return };
        let stem = &path[..path.len() - suffix.len() - 1];
        if let Some(other) = self.meeting(one, &stem.to_ascii_lowercase()).find(|other| other.place.path() == stem) {
            let other = &other.declaration.name;
            let message = format!("`{}` is the name of `{other}`, `-` and six characters, like its ARN", one.field());
            problems.add_with_hint(one.at, message, "rename one of them: a partial ARN would mean both");
        }
    }

    fn check_bundle(&self, one: &Placed<'_>, problems: &mut Problems) {
        if let Some(other) = self.meeting(one, &one.folded).next() {
            let other = &other.declaration.name;
            let message = format!("`{}` is the name of `{other}`, which is a secret of its own", one.field());
            problems.add_with_hint(one.at, message, "give the bundle a name of its own");
        }
        let first = self.bundles.get(one.folded.as_str());
        if let Some(first) = first.filter(|first| first.place.path() != one.place.path()) {
            report_same(one, first, problems);
        }
    }
}

fn report_same(one: &Placed<'_>, other: &Placed<'_>, problems: &mut Problems) {
    let name = &other.declaration.name;
    let (message, hint) = if one.place.path() == other.place.path() {
        (
            format!("`{}` is the name of `{name}` too", one.field()),
            "give each a name of its own, or make both keys of a `bundle`",
        )
    } else {
        (
            format!("`{}` differs from the name of `{name}` only in the case of its letters", one.field()),
            "write both alike, or rename one",
        )
    };
    problems.add_with_hint(one.at, message, hint);
}

/// No two secrets are one key of one bundle.
fn check_keys(placed: &[Placed<'_>], problems: &mut Problems) {
    let mut keys: HashMap<(&str, &str), Vec<&Placed<'_>>> = HashMap::new();
    for one in placed {
        let RemotePlace::Key { bundle, key } = one.place else { continue };
        let same = keys.entry((bundle, key)).or_default();
        if let Some(other) = same.iter().find(|it| it.meets(one)) {
            let name = &one.declaration.name;
            let message = format!("`secrets.{name}` has the key of `{}` in their bundle", other.declaration.name);
            problems.add_with_hint(one.at, message, "give one of them another `bundle_key`");
        }
        same.push(one);
    }
}
