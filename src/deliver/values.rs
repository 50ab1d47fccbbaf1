//! Which values an output delivers.

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::{Value, Values};
use crate::manifest::Output;
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Parts;
use crate::store::Store;
use crate::world::World;

/// The values that an output delivers, and the names of those that it lacks.
pub(super) fn of_output<'a>(
    world: &'a World<'_>,
    store: &'a Store,
    settings: &'a BTreeMap<SecretName, Parts>,
    lists: &'a BTreeMap<SecretName, Secret>,
    output: &'a Output,
) -> (Values<'a>, BTreeSet<SecretName>) {
    let mut values = Values::new();
    let mut missing = BTreeSet::new();
    for name in &output.secrets {
        let Some(declaration) = world.manifest.secret(name).filter(|it| it.is_in(world.environment)) else {
            continue;
        };
        match settings.get(name).or_else(|| store.value(declaration).map(|version| &version.parts)) {
            Some(parts) => {
                values.insert(name, Value { kind: &declaration.kind, parts, lists: lists.get(name) });
            }
            None if declaration.optional => {}
            None => {
                missing.insert(name.clone());
            }
        }
    }
    (values, missing)
}
