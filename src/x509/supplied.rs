//! Certificates that a person supplied as plain values, beside their keys.

use super::chain;
use super::key::{PrivateKey, Refusal};
use super::pem;
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

/// What is wrong with PEM whose blocks are whole, in words without the text: a certificate or a key that nobody can read, or that
/// belongs to another one.
pub(super) fn flaw(value: &[u8]) -> Option<String> {
    let blocks = pem::blocks(value).ok()?;
    let labels: Vec<&str> = blocks.iter().map(|it| it.label).filter(|it| it.ends_with("CERTIFICATE")).collect();
    let certificates = match chain::read(value) {
        _ if labels.is_empty() => Vec::new(),
        Ok(certificates) => certificates,
        // OpenSSL's own form, which nobody reads here.
        Err(_) if labels.contains(&"TRUSTED CERTIFICATE") => return None,
        Err(damage) => return Some(damage),
    };
    let fits = |key: &PrivateKey| certificates.iter().map(|it| key.paired_with(&it.key).err()).collect::<Vec<_>>();
    let refusals = match PrivateKey::read(value) {
        Err(Refusal::Malformed) => vec![Some(Refusal::Malformed)],
        Err(_) => return None,
        Ok(key) => fits(&key),
    };
    if refusals.contains(&Some(Refusal::Malformed)) {
        return Some("has a private key that is damaged".to_owned());
    }
    let is_others = !refusals.is_empty() && refusals.iter().all(|it| *it == Some(Refusal::Mismatch));
    is_others.then(|| "has a private key that belongs to none of its certificates".to_owned())
}
