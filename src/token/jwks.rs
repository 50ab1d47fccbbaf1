//! JSON Web Key Sets (RFC 7517 §5): a strict reader for those of others, and the writer of ours.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::algorithm::Algorithm;
use super::json;
use super::key_set::{KeySet, State, VerificationKey};
use super::public_key::{PublicKey, Unfit};
use crate::error::{Error, Kind, Result};

/// Members that only private and shared keys have (RFC 7518 §6). A file that verifiers read has none of them.
const PRIVATE: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Reads a set of public keys from the file `place`; all of its keys are taken for active.
///
/// Keys of other uses, types, curves and algorithms are passed over (RFC 7517 §5). Fails with `jwks-invalid` when a key
/// is private, shared, weak or without `kid`, when two have one `kid`, or when none is left.
pub fn parse(bytes: &[u8], place: &str) -> Result<KeySet> {
    let wrong = |what: &str| invalid(place, what);
    let object = json::object(bytes).ok_or_else(|| wrong("is not one JSON object without repeated names"))?;
    let Some(Value::Array(keys)) = object.get("keys") else { return Err(wrong("has no array `keys`")) };
    let (mut set, mut kids) = (KeySet::default(), BTreeSet::new());
    for (index, jwk) in keys.iter().enumerate() {
        let key = jwk.as_object().ok_or(Unfit::Wrong("is not an object")).and_then(read);
        match key {
            Ok(key) if !kids.insert(key.kid().to_owned()) => {
                return Err(wrong(&format!("has two keys with the `kid` of key {}", index + 1)));
            }
            Ok(key) => set.add(key),
            Err(Unfit::Foreign) => {}
            Err(Unfit::Wrong(what)) => {
                return Err(wrong(&format!("is not fit to verify with: key {} {what}", index + 1)));
            }
        }
    }
    if kids.is_empty() {
        return Err(wrong("has no key that verifies signatures"));
    }
    Ok(set)
}

/// Writes the public keys of a set that are in service or will be, with a newline at the end.
///
/// A shared key is not a [`PublicKey`], so none can get here.
pub fn write(set: &KeySet) -> String {
    let published = set.keys().filter(|key| key.state() != State::Retired);
    let keys: Vec<Value> =
        published.filter_map(|key| key.public_key().map(|public| entry(key.kid(), key.algorithm(), public))).collect();
    format!("{:#}\n", json!({ "keys": keys }))
}

fn entry(kid: &str, algorithm: Algorithm, key: &PublicKey) -> Value {
    let mut jwk = key.to_jwk();
    jwk["alg"] = algorithm.name().into();
    jwk["kid"] = kid.into();
    jwk["use"] = "sig".into();
    jwk
}

fn read(jwk: &Map<String, Value>) -> Result<VerificationKey, Unfit> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") == Some("oct") || PRIVATE.iter().any(|&name| jwk.contains_key(name)) {
        return Err(Unfit::Wrong("is private or shared"));
    }
    let signs = jwk.get("use").is_none_or(|_| text("use") == Some("sig"));
    let verifies = jwk.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|operations| operations.iter().any(|it| it == "verify"))
    });
    if !signs || !verifies {
        return Err(Unfit::Foreign);
    }
    let key = PublicKey::from_jwk(jwk)?;
    let algorithm = match (jwk.get("alg"), key.only_algorithm()) {
        (None, Some(only)) => only,
        (None, None) => return Err(Unfit::Wrong("is an RSA key without `alg`")),
        (Some(_), _) => text("alg").and_then(Algorithm::named).ok_or(Unfit::Foreign)?,
    };
    let kid = text("kid").filter(|kid| !kid.is_empty()).ok_or(Unfit::Wrong("has no `kid`"))?;
    VerificationKey::public(kid, algorithm, key, State::Active)
        .ok_or(Unfit::Wrong("has an `alg` of another curve or type"))
}

fn invalid(place: &str, what: &str) -> Error {
    Error::new(Kind::Manifest, "jwks-invalid", format!("`{place}` {what}"))
        .hint("`vault-kit token jwks` prints the public keys of a project in this form")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::keypair::PrivateKey;
    use crate::manifest::model::KeyAlgorithm;

    fn drawn(curve: KeyAlgorithm) -> PublicKey {
        PublicKey::on(curve, PrivateKey::draw(curve).unwrap().public())
    }

    fn set() -> KeySet {
        let mut set = KeySet::default();
        let states = [State::Next, State::Active, State::Retiring];
        for (curve, state) in [KeyAlgorithm::Es256, KeyAlgorithm::Es384, KeyAlgorithm::Eddsa].into_iter().zip(states) {
            let key = drawn(curve);
            set.add(VerificationKey::public(&key.thumbprint(), curve.into(), key, state).unwrap());
        }
        set
    }

    fn problem(jwks: &Value) -> String {
        parse(jwks.to_string().as_bytes(), "keys.json").unwrap_err().to_string()
    }

    #[test]
    fn a_set_reads_back_as_it_was_written() {
        let set = set();
        let read = parse(write(&set).as_bytes(), "keys.json").unwrap();
        let facts = |set: &KeySet| -> Vec<_> {
            set.keys().map(|key| (key.kid().to_owned(), key.algorithm(), key.public_key().cloned())).collect()
        };
        assert_eq!(facts(&read), facts(&set));
        assert!(set.keys().all(|key| key.kid() == key.public_key().unwrap().thumbprint()));
    }

    #[test]
    fn shared_and_retired_keys_are_never_written() {
        let mut set = KeySet::default();
        set.add(
            VerificationKey::shared("hs", Algorithm::Hs256, b"a-key-that-nobody-must-ever-see!", State::Active)
                .unwrap(),
        );
        let key = drawn(KeyAlgorithm::Es256);
        set.add(VerificationKey::public("old", Algorithm::Es256, key, State::Retired).unwrap());
        assert_eq!(write(&set), "{\n  \"keys\": []\n}\n");
    }

    #[test]
    fn a_set_with_a_private_shared_or_doubtful_key_is_refused_whole() {
        let good = entry("a", Algorithm::Es256, &drawn(KeyAlgorithm::Es256));
        let with = |name: &str, value: Value| {
            let mut jwk = good.clone();
            jwk[name] = value;
            problem(&json!({ "keys": [good, jwk] }))
        };
        for name in PRIVATE {
            assert_eq!(with(name, "AA".into()), "`keys.json` is not fit to verify with: key 2 is private or shared");
        }
        assert!(with("kty", "oct".into()).ends_with("key 2 is private or shared"));
        assert!(with("kid", "a".into()).ends_with("has two keys with the `kid` of key 2"));
        assert!(with("kid", Value::Null).ends_with("key 2 has no `kid`"));
        assert!(with("alg", "ES384".into()).ends_with("key 2 has an `alg` of another curve or type"));
        assert!(with("alg", "HS256".into()).ends_with("key 2 has an `alg` of another curve or type"));
        assert!(with("x", "AA".into()).ends_with("key 2 is not as long as its curve"));
        let rsa =
            json!({"kty": "RSA", "kid": "r", "n": data_encoding::BASE64URL_NOPAD.encode(&[0xff; 256]), "e": "AQAB"});
        assert!(problem(&json!({ "keys": [rsa] })).ends_with("key 1 is an RSA key without `alg`"));
    }

    #[test]
    fn keys_that_do_something_else_are_passed_over() {
        let good = entry("a", Algorithm::Es256, &drawn(KeyAlgorithm::Es256));
        let changed = |name: &str, value: Value| {
            let mut jwk = good.clone();
            jwk["kid"] = "b".into();
            jwk[name] = value;
            jwk
        };
        let foreign = [
            changed("use", "enc".into()),
            changed("use", Value::Null),
            changed("key_ops", json!(["sign"])),
            changed("alg", "ECDH-ES".into()),
            changed("alg", json!(1)),
            changed("crv", "P-521".into()),
            changed("kty", "AKP".into()),
        ];
        for jwk in foreign {
            let set = parse(json!({ "keys": [good, jwk] }).to_string().as_bytes(), "k").unwrap();
            assert_eq!(set.keys().count(), 1, "{jwk}");
            assert!(problem(&json!({ "keys": [jwk] })).ends_with("has no key that verifies signatures"));
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#]
        {
            assert_eq!(parse(text.as_bytes(), "k").unwrap_err().code(), "jwks-invalid", "{text}");
        }
    }

    proptest! {
        #[test]
        fn damage_is_refused_or_leaves_keys_that_fit(at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = write(&set()).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(set) = parse(&bytes, "k") {
                prop_assert!(set.keys().all(|key| key.public_key().is_some_and(|public| public.serves(key.algorithm()))));
            }
        }
    }
}
