//! What can be told about a value that arrived by hand, without trusting it: no signature is checked here.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::issuer::{certificates, parse, validity};
use super::keypair::{PrivateKey, jws_name};
use crate::secret::Secret;

/// What a value says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// When it stops being valid: the end of a certificate, the `exp` of a JWT.
    pub expires: Option<DateTime<Utc>>,
    /// Value-free facts for the ledger: `serial`, `not_before`, `kid`, `algorithm`.
    pub facts: BTreeMap<String, String>,
}

/// Looks for a PEM certificate (the first that is not a CA, else the first), a PEM private key, or a JWT.
pub fn inspect(value: &Secret) -> Facts {
    let mut found = Facts::default();
    certificate(value, &mut found);
    if let Some(key) = PrivateKey::from_pem(value) {
        found.tell("algorithm", jws_name(key.algorithm()).to_owned());
        found.tell("kid", key.thumbprint());
    }
    if found == Facts::default() {
        token(value, &mut found);
    }
    found
}

impl Facts {
    fn tell(&mut self, key: &str, fact: String) {
        self.facts.insert(key.to_owned(), fact);
    }

    /// Repeats a text of the value only if it looks like an identifier.
    fn tell_name(&mut self, key: &str, fact: Option<&Value>) {
        let is_name = |text: &&str| text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(text) = fact.and_then(Value::as_str).filter(is_name) {
            self.tell(key, text.to_owned());
        }
    }
}

fn certificate(value: &Secret, found: &mut Facts) {
    let ders = certificates(value);
    let parsed: Vec<_> = ders.iter().filter_map(|der| parse(der)).collect();
    let Some(leaf) = parsed.iter().find(|x509| !x509.is_ca()).or(parsed.first()) else { return };
    let Some((not_before, not_after)) = validity(leaf) else { return };
    found.expires = Some(not_after);
    found.tell("not_before", not_before.to_rfc3339_opts(SecondsFormat::Secs, true));
    found.tell("serial", HEXLOWER.encode(leaf.raw_serial()));
}

fn token(value: &Secret, found: &mut Facts) {
    let Some(text) = value.expose_text() else { return };
    let mut parts = text.trim_end().split('.');
    let (Some(header), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let (Some(header), Some(claims)) = (object(header), object(claims)) else { return };
    if !header.contains_key("alg") {
        return;
    }
    found.tell_name("algorithm", header.get("alg"));
    found.tell_name("kid", header.get("kid"));
    found.expires = claims.get("exp").and_then(seconds).and_then(|exp| DateTime::from_timestamp(exp, 0));
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let json = Zeroizing::new(BASE64URL_NOPAD.decode(part.as_bytes()).ok()?);
    serde_json::from_slice(&json).ok()
}

/// A `NumericDate` (RFC 7519 §2) may have a fraction, which is cut.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and chrono refuses what is out of its range")]
fn seconds(date: &Value) -> Option<i64> {
    date.as_i64().or_else(|| date.as_f64().map(|date| date.floor() as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::keypair;
    use crate::manifest::model::KeyAlgorithm;
    use crate::secret::parts::Part;

    fn jwt(header: &str, claims: &str) -> Secret {
        let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
        Secret::from_text(format!("{header}.{claims}.c2ln"))
    }

    #[test]
    fn a_jwt_tells_its_end_and_key_but_not_its_subject() {
        let found = inspect(&jwt(r#"{"alg":"RS256","kid":"k1"}"#, r#"{"exp":1800000000,"sub":"a@b.c"}"#));
        assert_eq!(found.expires, DateTime::from_timestamp(1_800_000_000, 0));
        let facts: Vec<_> = found.facts.iter().map(|(key, fact)| (key.as_str(), fact.as_str())).collect();
        assert_eq!(facts, [("algorithm", "RS256"), ("kid", "k1")]);
    }

    #[test]
    fn an_end_with_a_fraction_counts_and_one_that_is_no_number_does_not() {
        let end = |exp: &str| inspect(&jwt(r#"{"alg":"HS256"}"#, &format!(r#"{{"exp":{exp}}}"#))).expires;
        assert_eq!(end("1800000000.9"), DateTime::from_timestamp(1_800_000_000, 0));
        assert_eq!((end(r#""1800000000""#), end("1e300"), end("null")), (None, None, None));
    }

    #[test]
    fn a_kid_that_is_no_identifier_is_not_repeated() {
        let found = inspect(&jwt(r#"{"alg":"HS256","kid":"a\u001b[31m"}"#, "{}"));
        assert!(!found.facts.contains_key("kid"));
    }

    #[test]
    fn a_private_key_tells_its_curve_and_thumbprint() {
        let pair = keypair::generate(KeyAlgorithm::Es384).unwrap();
        assert_eq!(inspect(pair.parts.part(Part::Key).unwrap()).facts, pair.facts);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_is_told_about_other_values(value: Vec<u8>) {
            prop_assert_eq!(inspect(&Secret::new(value)), Facts::default());
        }

        #[test]
        fn damaged_certificates_and_tokens_do_no_harm(cut in 0..200_usize, flip in 0..200_usize) {
            let text = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQA==\n-----END CERTIFICATE-----\neyJhbGciOiJIUzI1NiJ9.e30.AA";
            let mut bytes = text.as_bytes()[..cut.min(text.len())].to_vec();
            if let Some(byte) = bytes.get_mut(flip) {
                *byte ^= 1;
            }
            prop_assert_eq!(inspect(&Secret::new(bytes)).expires, None);
        }
    }
}
