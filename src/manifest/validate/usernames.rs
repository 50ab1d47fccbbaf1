//! Users that the versions of a secret belong to in turn, and the templates that ask for one.

use super::Place;
use super::secrets::Declared;
use crate::manifest::issue::Problems;
use crate::manifest::model::Kind;
use crate::manifest::raw::Texts;
use crate::manifest::read::At;
use crate::manifest::template::{Filter, Piece};

/// The longest name, in bytes.
const LONGEST: usize = 128;

/// Reads the users of a secret; none where its kind has none.
pub(super) fn read(names: At<Texts>, kind: Option<&Kind>, place: Place<'_>, problems: &mut Problems) -> Vec<String> {
    if let Some(kind) =
        kind.filter(|kind| !matches!(kind, Kind::Passphrase { .. } | Kind::Password(_) | Kind::Random(_)))
    {
        let message = format!("`{place}.usernames` cannot be of kind `{}`", kind.name());
        problems.add_with_hint(names.at, message, "users alternate with a `passphrase`, `password` or `random`");
    } else if names.value.len() < 2 {
        let message = format!("`{place}.usernames` has fewer than two");
        problems.add_with_hint(names.at, message, "the old user serves while the new one takes over: name both");
    }
    let mut read: Vec<String> = Vec::with_capacity(names.value.len());
    for name in names.value {
        if name.value.is_empty() || name.value.len() > LONGEST || name.value.chars().any(char::is_control) {
            problems
                .add(name.at, format!("`{place}.usernames` holds a name that is empty, too long, or not printable"));
        } else if read.contains(&name.value) {
            problems.add(name.at, format!("`{place}.usernames` names a user twice"));
        } else {
            read.push(name.value);
        }
    }
    read
}

/// Reports a template that asks for the user of a secret that has none, or makes a user of what is not the value.
pub(super) fn check_template(declared: &Declared, target: &Declared, problems: &mut Problems) {
    let (Some(one), Some(other)) = (&declared.declaration, &target.declaration) else { return };
    let Kind::Template(template) = &one.kind else { return };
    let filters = template.pieces.iter().filter_map(|piece| match piece {
        Piece::Reference { name, filters } if *name == target.name => Some(filters),
        _ => None,
    });
    for filters in filters {
        let place = filters.iter().position(|filter| *filter == Filter::Username);
        if place.is_some() && other.usernames.is_empty() {
            let message = format!(
                "`secrets.{}.template` asks for the user of `{}`, which has no `usernames`",
                one.name, other.name
            );
            let hint = format!("add `usernames = [\"app_a\", \"app_b\"]` to `secrets.{}`", other.name);
            problems.add_with_hint(declared.reference_at, message, hint);
        } else if place.is_some_and(|place| place > 0) {
            let message = format!("`secrets.{}.template` has a filter before `username`", one.name);
            problems.add_with_hint(declared.reference_at, message, "write `username` first: it replaces the value");
        }
    }
}
