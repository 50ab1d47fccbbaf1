//! What keeps a remote secret from being written to, whatever is in it.

use serde::Serialize;

use super::place::OWNER_TAG;
use crate::remote::Listed;

/// Why a remote secret must not be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hindrance {
    /// Nothing says that it is ours.
    Foreign,
    /// AWS rotates it.
    Rotated,
    /// An AWS service or partner answers for it.
    Managed,
    /// It is the replica of a secret in another region.
    Replica,
}

/// Why whoever writes to the secrets of `owner` must not write to this one, as the listing tells.
pub fn hindrance(listed: &Listed, owner: &str) -> Option<Hindrance> {
    let is_foreign = listed.tags.get(OWNER_TAG).is_none_or(|it| it != owner);
    bound(listed).or(is_foreign.then_some(Hindrance::Foreign))
}

/// Why nobody but AWS, or nobody here, may write to it.
pub fn bound(listed: &Listed) -> Option<Hindrance> {
    let primary = listed.primary_region.as_deref();
    let region = listed.arn.split(':').nth(3);
    if listed.managed_by.is_some() {
        Some(Hindrance::Managed)
    } else if listed.is_rotated {
        Some(Hindrance::Rotated)
    } else if region.zip(primary).is_some_and(|(region, primary)| region != primary) {
        Some(Hindrance::Replica)
    } else {
        None
    }
}
