//! Which values an output cannot carry, before they take the place of those that it does.

use std::collections::BTreeSet;

use super::values::{self, Bundles};
use crate::emit::{self, Values};
use crate::error::Error;
use crate::manifest::Format;
use crate::name::SecretName;
use crate::store::Store;
use crate::world::{self, World};

/// Those of the named secrets whose current value some output cannot carry, each with what the output says.
pub fn undeliverable(world: &World<'_>, store: &Store, names: &[SecretName]) -> Vec<(SecretName, Error)> {
    let names: BTreeSet<&SecretName> = names.iter().collect();
    let settings = world::settings(world.environment, world.manifest.secrets_in(world.environment));
    let bundles = Bundles::of(world, store);
    let mut refused = Vec::new();
    for output in world.manifest.outputs_in(world.environment) {
        let is_concerned = output.secrets.iter().any(|name| names.contains(name));
        if !is_concerned || matches!(output.format, Format::NotYet(_)) {
            continue;
        }
        // What else is in a file is not at issue.
        let refusal = |values: &Values<'_>| emit::emit(output, values, &|_| Ok(None), false).err();
        let (mut values, _) = values::of_output(world, store, &settings, &bundles, output);
        values.retain(|name, _| names.contains(name));
        if refusal(&values).is_some() {
            let alone = |(name, value)| Some((name, refusal(&Values::from([(name, value)]))?));
            refused.extend(values.into_iter().filter_map(alone).map(|(name, error)| (name.clone(), error)));
        }
    }
    refused
}
