//! What cannot be rotated although somebody names it, and what to do instead.

use super::programs::Programs;
use super::select::{Ready, has_set, is_cut, ready};
use crate::error::{Error, Kind};
use crate::manifest::{Declaration, Manifest};
use crate::name::SecretName;
use crate::store::Store;

/// Why a named secret cannot be rotated.
pub(super) fn refuse(
    manifest: &Manifest,
    declaration: &Declaration,
    store: &Store,
    programs: &dyn Programs,
) -> Option<Error> {
    let name = &declaration.name;
    let error = match ready(manifest, &store.environment, declaration, has_set(programs, declaration)) {
        Ready::Supplied if !declaration.is_stored() => {
            Error::usage(format!("`{name}` is a setting")).hint("settings live in the manifest: edit its `value` there")
        }
        Ready::Supplied => supplied(declaration),
        Ready::Encrypts => {
            let message = format!("`{name}` is not rotated: what it encrypted could not be read with a new value");
            Error::new(Kind::Usage, "encryption-key", message)
                .hint("declare a hook for it whose `set` encrypts the data anew")
                .hint(format!("or, once nothing needs the old value, `vault-kit generate --replace {name} --yes`"))
        }
        Ready::Abrupt if store.is_current_leaked(name) => cut(name),
        Ready::Abrupt => abrupt(name),
        _ if is_cut(manifest, declaration, store) => cut(name),
        _ if store.value(declaration).is_none() => Error::usage(format!("`{name}` has no value yet"))
            .hint(format!("make one with `vault-kit generate {name}`")),
        _ => return None,
    };
    Some(error.hint("nothing was changed"))
}

/// Its successor would be trusted where it was made alone, and whoever asks another host would refuse what that signs.
fn abrupt(name: &SecretName) -> Error {
    let message = format!("`{name}` is not rotated: other hosts have it by way of AWS, and would trust others");
    Error::new(Kind::Usage, "rotation-published", message).hint(format!(
        "give it an `overlap`, such as `overlap = \"30d\"`: then every host has the next `{name}` in its bundles before that signs"
    ))
}

fn cut(name: &SecretName) -> Error {
    let message =
        format!("`{name}` leaked: it is not rotated, since verifiers would go on with it until they know another");
    Error::new(Kind::Usage, "rotation-published", message)
        .hint(format!("cut it off: `vault-kit generate --replace {name} --revoke`, then `vault-kit sync push {name}`"))
        .hint(format!("on the other hosts: `vault-kit sync pull --revoke {name}`"))
}

fn supplied(declaration: &Declaration) -> Error {
    let name = &declaration.name;
    let who = declaration.owner.as_deref().map_or_else(String::new, |owner| format!(": {owner} supplies it"));
    let error = Error::usage(format!("`{name}` is not made by vault-kit{who}"));
    let error = match &declaration.obtain {
        Some(obtain) => error.hint(format!("it comes from: {obtain}")),
        None => error,
    };
    error.hint(format!("once there is a new one, `vault-kit {}`", declaration.supply_words()))
}
