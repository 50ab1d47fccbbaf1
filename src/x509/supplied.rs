//! Certificates that a person supplied as plain values, beside their keys.

use super::chain;
use super::key::PrivateKey;
use crate::secret::Secret;

/// The fact of a version that is one, in the ledger.
pub const SELF_SIGNED: &str = "self_signed";

/// Whether a value has a certificate that signed itself, and one of the values has its key: then somebody shows it to clients,
/// and is not only told whom to trust.
pub fn is_self_signed<'a>(value: &Secret, values: impl Iterator<Item = &'a Secret> + Clone) -> bool {
    // Most values are no PEM, and this is asked of each.
    let is_pem = |value: &Secret| value.expose_text().is_some_and(|text| text.contains("-----BEGIN "));
    if !is_pem(value) {
        return false;
    }
    let certificates = chain::read(value.expose()).unwrap_or_default();
    let mut own = certificates.iter().filter(|it| it.is_self_issued()).peekable();
    if own.peek().is_none() {
        return false;
    }
    let keys: Vec<_> = values.filter(|it| is_pem(it)).filter_map(|it| PrivateKey::read(it.expose()).ok()).collect();
    own.any(|it| keys.iter().any(|key| key.paired_with(&it.key).is_ok()))
}
