//! Which values an output delivers.

use std::collections::{BTreeMap, BTreeSet};

use crate::companions;
use crate::emit::{Value, Values};
use crate::manifest::Output;
use crate::name::SecretName;
use crate::revocation;
use crate::secret::Secret;
use crate::secret::parts::{Part, Parts};
use crate::store::Store;
use crate::world::World;

/// What is delivered of a CA beside what is in its current version, by the name of what is beneath it.
#[derive(Debug)]
pub(super) struct Bundles {
    /// Revocation lists of the whole path.
    lists: BTreeMap<SecretName, Secret>,
    /// The roots of before and the one that is published, where the root has an overlap.
    pub(super) roots: BTreeMap<SecretName, Secret>,
}

impl Bundles {
    /// Everything of an environment.
    pub(super) fn of(world: &World<'_>, store: &Store) -> Self {
        let declared = world.manifest.secrets_in(world.environment);
        let roots = declared.filter_map(|it| Some((it.name.clone(), other_roots(world, store, &it.name)?)));
        Self { lists: revocation::bundles(world.manifest, store), roots: roots.collect() }
    }
}

/// The roots that are trusted besides the current one above a secret; `None` for a root without an overlap.
fn other_roots(world: &World<'_>, store: &Store, name: &SecretName) -> Option<Secret> {
    let root = revocation::root(world.manifest, name).filter(|root| root.overlap.is_some())?;
    let companions = companions::companions(world.manifest, root, store, world.now);
    let certificates = companions.iter().filter_map(|it| it.version.parts.part(Part::Cert));
    Some(Secret::new(certificates.flat_map(Secret::expose).copied().collect()))
}

/// The values that an output delivers, and the names of those that it lacks.
pub(super) fn of_output<'a>(
    world: &'a World<'_>,
    store: &'a Store,
    settings: &'a BTreeMap<SecretName, Parts>,
    bundles: &'a Bundles,
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
                values.insert(
                    name,
                    Value {
                        kind: &declaration.kind,
                        parts,
                        lists: bundles.lists.get(name),
                        roots: bundles.roots.get(name),
                    },
                );
            }
            None if world.manifest.is_excused(declaration, &|name| store.current(name).is_some()) => {}
            None => {
                missing.insert(name.clone());
            }
        }
    }
    (values, missing)
}
