//! Each thing that a verifier must refuse, and what jsonwebtoken's defaults do with it.

use std::collections::HashSet;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{DecodingKey, Validation};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::generate::keypair::{Form, PrivateKey};
use crate::manifest::model::KeyAlgorithm;
use crate::token::algorithm::Algorithm;
use crate::token::key_set::{State, VerificationKey};
use crate::token::provider;
use crate::token::public_key::PublicKey;

const SHARED: &[u8; 64] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_800_000_000;

/// The claims of a good token.
pub(in crate::token) fn claims() -> Claims {
    Claims {
        issuer: "iss".into(),
        audience: vec!["grid".into(), "storage".into()],
        subject: "svc:api".into(),
        role: Some(Role::Service),
        scope: vec!["read".into(), "write".into()],
        id: "jti".into(),
        issued: NOW,
        not_before: NOW,
        expires: NOW + 3_600,
    }
}

pub(in crate::token) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

pub(in crate::token) fn payload() -> Value {
    serde_json::to_value(claims()).unwrap()
}

/// The good payload with one member changed, or taken out by `null`.
pub(in crate::token) fn with(name: &str, value: Value) -> Value {
    let mut payload = payload();
    let members = payload.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    payload
}

/// A text signed by the shared key, whatever it says.
fn signed(header: &str, payload: &str) -> String {
    let signed =
        format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(payload.as_bytes()));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SHARED);
    let signature = ring::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

const HEADER: &str = r#"{"alg":"HS256","kid":"hs","typ":"at+jwt"}"#;

pub(in crate::token) fn keys() -> KeySet {
    let mut keys = KeySet::default();
    keys.add(VerificationKey::shared("hs", Algorithm::Hs256, SHARED, State::Active).unwrap());
    keys
}

pub(in crate::token) fn verifier(keys: &KeySet) -> Verifier<'_> {
    let otherwise = Accepted { issuers: vec!["iss".into()], audiences: vec!["grid".into()] };
    Verifier { otherwise, ..Verifier::new(keys) }
}

fn verify(token: &str) -> Result<Claims, Reason> {
    verifier(&keys()).verify(token, now())
}

/// A token of the shared key with this payload.
pub(in crate::token) fn signed_payload(payload: &Value) -> String {
    signed(HEADER, &payload.to_string())
}

fn verify_payload(payload: &Value) -> Result<Claims, Reason> {
    verify(&signed_payload(payload))
}

/// What `jsonwebtoken` says with issuer and audience set and all else left as it comes.
fn lax(token: &str) -> bool {
    provider::install();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_issuer(&["iss"]);
    validation.set_audience(&["grid"]);
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_secret(SHARED), &validation).is_ok()
}

#[test]
fn a_good_token_gives_its_claims() {
    assert_eq!(verify_payload(&payload()), Ok(claims()));
    assert_eq!(verify_payload(&with("aud", json!("grid"))).unwrap().audience, ["grid"]);
    assert_eq!(verify_payload(&with("nbf", Value::Null)), Ok(claims()));
    let bare = verify_payload(&with("role", Value::Null)).unwrap();
    assert_eq!(bare.role, None);
    assert!(verify_payload(&with("scope", Value::Null)).unwrap().scope.is_empty());
    for kind in ["AT+JWT", "application/at+jwt"] {
        assert!(verify(&signed(&HEADER.replace("at+jwt", kind), &payload().to_string())).is_ok());
    }
}

#[test]
fn what_jsonwebtokens_defaults_let_through_is_refused_for_its_reason() {
    let far = json!(4_070_908_800_i64);
    let payloads = [
        (with("iss", Value::Null), Reason::ClaimMissing("iss")),
        (with("aud", Value::Null), Reason::AudMissing),
        (with("sub", Value::Null), Reason::ClaimMissing("sub")),
        (with("jti", Value::Null), Reason::ClaimMissing("jti")),
        (with("iat", Value::Null), Reason::ClaimMissing("iat")),
        (with("nbf", far.clone()), Reason::NotYetValid),
        (with("iat", far), Reason::IssuedInFuture),
        (with("nbf", json!("soon")), Reason::ClaimMalformed("nbf")),
        (with("iat", json!("long ago")), Reason::ClaimMalformed("iat")),
        (with("role", json!("root")), Reason::ClaimMalformed("role")),
    ];
    // The crate looks at the clock itself, so these do not end before the next century does.
    for (mut payload, reason) in payloads {
        payload["exp"] = json!(4_102_444_800_i64);
        let token = signed(HEADER, &payload.to_string());
        assert!(lax(&token), "{payload}");
        assert_eq!(verify(&token), Err(reason), "{payload}");
    }
    let payload = with("exp", json!(4_102_444_800_i64)).to_string();
    let headers = [
        (r#"{"alg":"HS256","kid":"hs","typ":"at+jwt","crit":["x"],"x":1}"#, Reason::CritUnsupported),
        (r#"{"alg":"HS256","kid":"hs","typ":"at+jwt","zip":"DEF"}"#, Reason::CritUnsupported),
        (r#"{"alg":"HS256","kid":"hs","typ":"at+jwt","jku":"https://evil.test/keys"}"#, Reason::CritUnsupported),
        (r#"{"alg":"HS256","kid":"hs","typ":"at+jwt","x5u":"https://evil.test/cert"}"#, Reason::CritUnsupported),
        (r#"{"alg":"HS256","kid":"hs","typ":"at+jwt","x5c":["AA"]}"#, Reason::CritUnsupported),
        (r#"{"alg":"HS256","kid":"hs","typ":"JWT"}"#, Reason::ClaimMalformed("typ")),
        (r#"{"alg":"HS256","kid":"hs"}"#, Reason::ClaimMissing("typ")),
        (r#"{"alg":"HS256","kid":"other","typ":"at+jwt"}"#, Reason::UnknownKid),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, Reason::UnknownKid),
    ];
    for (header, reason) in headers {
        let token = signed(header, &payload);
        assert!(lax(&token), "{header}");
        assert_eq!(verify(&token), Err(reason), "{header}");
    }
}

#[test]
fn an_unknown_critical_extension_is_refused_even_where_the_signature_is_wrong() {
    let token = signed(r#"{"alg":"HS256","kid":"hs","typ":"at+jwt","crit":[]}"#, "{}");
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{signed}.AA")), Err(Reason::CritUnsupported));
}

#[test]
fn a_shared_key_that_is_too_short_never_verifies_although_jsonwebtoken_would_take_an_empty_one() {
    provider::install();
    for key in [&b""[..], b"a"] {
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        assert!(jsonwebtoken::encode(&header, &payload(), &jsonwebtoken::EncodingKey::from_secret(key)).is_ok());
        assert!(VerificationKey::shared("hs", Algorithm::Hs256, key, State::Active).is_none());
    }
}

#[test]
fn times_hold_to_the_second_with_the_leeway() {
    let at = |offset: i64| {
        verifier(&keys()).verify(&signed(HEADER, &payload().to_string()), now() + TimeDelta::seconds(offset))
    };
    assert!(at(3_600 + 59).is_ok());
    assert_eq!(at(3_600 + 60), Err(Reason::Expired));
    assert!(at(-60).is_ok());
    assert_eq!(at(-61), Err(Reason::NotYetValid));
    let no_nbf = signed(HEADER, &with("nbf", Value::Null).to_string());
    assert_eq!(verifier(&keys()).verify(&no_nbf, now() - TimeDelta::seconds(61)), Err(Reason::IssuedInFuture));
    let keys = keys();
    let exact = Verifier { leeway: TimeDelta::zero(), ..verifier(&keys) };
    let token = signed(HEADER, &payload().to_string());
    assert!(exact.verify(&token, now() + TimeDelta::seconds(3_599)).is_ok());
    assert_eq!(exact.verify(&token, now() + TimeDelta::seconds(3_600)), Err(Reason::Expired));
}

#[test]
fn a_fraction_of_a_second_never_lengthens_a_token() {
    #[expect(clippy::cast_precision_loss, reason = "a date is far below 2^53")]
    let fraction = |seconds: i64| json!(seconds as f64 + 0.9);
    assert_eq!(verify_payload(&with("exp", fraction(NOW - 60))), Err(Reason::Expired));
    assert_eq!(verify_payload(&with("nbf", fraction(NOW + 60))), Err(Reason::NotYetValid));
    assert_eq!(verify_payload(&with("exp", fraction(NOW + 10))).unwrap().expires, NOW + 10);
}

#[test]
fn a_claim_of_another_type_is_malformed_and_named() {
    let cases = [
        ("exp", json!("1900000000")),
        ("exp", json!(true)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(u64::MAX)),
        ("exp", json!([NOW + 10])),
        ("iss", json!(1)),
        ("iss", json!("")),
        ("iss", json!(["iss"])),
        ("aud", json!(1)),
        ("aud", json!(["grid", 1])),
        ("aud", json!({"grid": 1})),
        ("sub", json!("")),
        ("sub", json!(42)),
        ("jti", json!(1)),
        ("role", json!(["admin"])),
        ("role", json!("Admin")),
        ("scope", json!(["read"])),
        ("scope", json!("")),
        ("scope", json!("read  write")),
        ("scope", json!("read\twrite")),
        ("scope", json!("read \"write\"")),
        ("scope", json!("läs")),
    ];
    for (name, value) in cases {
        assert_eq!(verify_payload(&with(name, value.clone())), Err(Reason::ClaimMalformed(name)), "{name} {value}");
    }
    assert_eq!(verify_payload(&with("exp", Value::Null)), Err(Reason::ClaimMissing("exp")));
    assert_eq!(verify_payload(&with("aud", json!([]))), Err(Reason::AudMissing));
    for payload in ["", "[]", "1", "{\"exp\":1,\"exp\":2}", "not json"] {
        assert_eq!(verify(&signed(HEADER, payload)), Err(Reason::Malformed), "{payload}");
    }
}

#[test]
fn issuer_and_audience_are_those_of_the_key() {
    assert_eq!(verify_payload(&with("iss", json!("iss2"))), Err(Reason::IssMismatch));
    assert_eq!(verify_payload(&with("aud", json!(["GRID", "storage"]))), Err(Reason::AudMismatch));
    let keys = keys();
    let own = Accepted { issuers: vec!["iss".into()], audiences: vec!["elsewhere".into()] };
    let by_key = Verifier { by_key: BTreeMap::from([("hs".to_owned(), own)]), ..verifier(&keys) };
    assert_eq!(by_key.verify(&signed(HEADER, &payload().to_string()), now()), Err(Reason::AudMismatch));
    let nothing = Verifier::new(&keys);
    assert_eq!(nothing.verify(&signed(HEADER, &payload().to_string()), now()), Err(Reason::IssMismatch));
}

#[test]
fn roles_scopes_and_revocations_are_looked_at_last() {
    let keys = keys();
    let token = signed(HEADER, &payload().to_string());
    let asking = |roles: &[Role], scopes: &[&str]| {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Verifier { roles: roles.to_vec(), scopes, ..verifier(&keys) }.verify(&token, now()).err()
    };
    assert_eq!(asking(&[Role::Admin, Role::Service], &["write", "read"]), None);
    assert_eq!(asking(&[Role::Admin], &[]), Some(Reason::RoleDenied));
    assert_eq!(asking(&[], &["read", "delete"]), Some(Reason::ScopeMissing));
    let without_role = signed(HEADER, &with("role", Value::Null).to_string());
    let admin = Verifier { roles: vec![Role::Admin], ..verifier(&keys) };
    assert_eq!(admin.verify(&without_role, now()), Err(Reason::RoleDenied));
    let mut revocations = Revocations::default();
    revocations.revoke_token("jti", NOW + 3_600);
    let revoking = Verifier { roles: vec![Role::Admin], revocations: Some(&revocations), ..verifier(&keys) };
    assert_eq!(revoking.verify(&token, now()), Err(Reason::Revoked));
}

#[test]
fn an_algorithm_is_never_taken_from_the_header() {
    let mut keys = keys();
    let private = PrivateKey::draw(KeyAlgorithm::Es256).unwrap();
    let public = PublicKey::on(KeyAlgorithm::Es256, private.public());
    keys.add(VerificationKey::public("es", Algorithm::Es256, public, State::Active).unwrap());
    let verify = |token: &str| verifier(&keys).verify(token, now());
    let sign = |header: &str| {
        let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let signed = format!("{}.{}", encode(header), encode(&payload().to_string()));
        let signature = private.sign(signed.as_bytes(), Form::Fixed).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    };
    let header = r#"{"alg":"ES256","kid":"es","typ":"at+jwt"}"#;
    assert_eq!(verify(&sign(header)), Ok(claims()));
    assert_eq!(verify(&sign(&header.replace("\"es\"", "\"hs\""))), Err(Reason::AlgKeyMismatch));
    // The attack of RFC 8725 §2.1: the public key as the shared one, in each form that somebody may have it in.
    for public in [private.public().to_vec(), private.spki(), private.spki()[26..].to_vec()] {
        let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let signed = format!("{}.{}", encode(&header.replace("ES256", "HS256")), encode(&payload().to_string()));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
        let forged = format!("{signed}.{}", BASE64URL_NOPAD.encode(ring::hmac::sign(&key, signed.as_bytes()).as_ref()));
        assert_eq!(verify(&forged), Err(Reason::AlgKeyMismatch));
    }
    for none in ["none", "None", "NONE"] {
        let token = sign(&header.replace("ES256", none));
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(verify(&token), Err(Reason::AlgNone));
        assert_eq!(verify(&format!("{signed}.")), Err(Reason::AlgNone));
    }
    // ASN.1 is the signature of X.509, not of a JWS (RFC 7518 §3.4); and 64 zeros are CVE-2022-21449.
    let token = sign(header);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let asn1 = private.sign(signed.as_bytes(), Form::Asn1).unwrap();
    for signature in [asn1, vec![0; 64], vec![], vec![0xff; 64]] {
        let forged = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
        assert_eq!(verify(&forged), Err(Reason::BadSignature));
    }
}

#[test]
fn each_reason_has_the_code_that_never_changes_and_a_sentence_of_its_own() {
    let reasons = [
        (Reason::Malformed, "malformed"),
        (Reason::AlgNone, "alg_none"),
        (Reason::AlgNotAllowed, "alg_not_allowed"),
        (Reason::AlgKeyMismatch, "alg_key_mismatch"),
        (Reason::UnknownKid, "unknown_kid"),
        (Reason::KeyRetired, "key_retired"),
        (Reason::KeyNotYetActive, "key_not_yet_active"),
        (Reason::CritUnsupported, "crit_unsupported"),
        (Reason::BadSignature, "bad_signature"),
        (Reason::Expired, "expired"),
        (Reason::NotYetValid, "not_yet_valid"),
        (Reason::IssuedInFuture, "issued_in_future"),
        (Reason::IssMismatch, "iss_mismatch"),
        (Reason::AudMissing, "aud_missing"),
        (Reason::AudMismatch, "aud_mismatch"),
        (Reason::ClaimMissing("exp"), "claim_missing:exp"),
        (Reason::ClaimMalformed("exp"), "claim_malformed:exp"),
        (Reason::RoleDenied, "role_denied"),
        (Reason::ScopeMissing, "scope_missing"),
        (Reason::Revoked, "revoked"),
    ];
    for (reason, code) in reasons {
        assert_eq!(reason.code(), code);
    }
    let sentences: HashSet<_> = reasons.iter().map(|(reason, _)| reason.to_string()).collect();
    assert_eq!(sentences.len(), 20);
}

proptest! {
    #[test]
    fn no_changed_byte_gets_through(at in any::<prop::sample::Index>(), bit in 0..7_u32) {
        let token = signed(HEADER, &payload().to_string());
        let mut bytes = token.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(verify(&changed).is_err());
        prop_assert!(verify(&token).is_ok());
    }

    #[test]
    fn any_text_is_refused_without_harm(text: String, header: String, payload: String) {
        prop_assert!(verify(&text).is_err());
        prop_assert!(verify(&signed(&header, &payload)).is_err());
    }

    #[test]
    fn any_signed_payload_is_refused_or_is_what_it_says(name in "exp|iat|nbf|iss|aud|sub|jti|role|scope", value in any::<i64>()) {
        if let Ok(claims) = verify_payload(&with(&name, json!(value))) {
            prop_assert!(claims.expires > NOW - 60 && claims.issued <= NOW + 60 && claims.not_before <= NOW + 60);
        }
    }
}
