//! Signed JWTs: the header and claims of RFC 9068 with a role, and nothing about a person.

use chrono::TimeDelta;
use data_encoding::BASE32_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::keypair::PrivateKey;
use super::{Context, Input, Inputs, Material, facts, input, missing, piece, token_provider};
use crate::error::{Error, Kind, Result};
use crate::manifest::model::{KeyAlgorithm, Role, Token, TokenAlgorithm};
use crate::name::SecretName;
use crate::secret::parts::{Part, Parts};
use crate::secret::{Secret, random};

/// RFC 9068 §2.1: no other kind of JWT can be taken for one of these (RFC 8725 §3.11).
const TYPE: &str = "at+jwt";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a [String],
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    jti: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// A key to sign with, and the `kid` that verifiers know it by.
struct SigningKey {
    key: EncodingKey,
    kid: String,
}

/// Signs a token that is valid from now on, for its `ttl`.
///
/// Fails with `signing-key-too-short`, `signing-key-unreadable` or `signing-key-mismatch` when the key cannot serve.
pub(super) fn generate(
    name: &SecretName,
    token: &Token,
    context: &Context<'_>,
    inputs: &Inputs<'_>,
) -> Result<Material> {
    let signing = signing_key(name, token, input(inputs, &token.signed_by, name)?)?;
    let jti = BASE32_NOPAD.encode(&random::array::<16>()?).to_ascii_lowercase();
    let iat = context.now.timestamp();
    let expires = context.now + token.ttl.delta() - TimeDelta::nanoseconds(context.now.timestamp_subsec_nanos().into());
    let claims = Claims {
        iss: &token.issuer,
        aud: &token.audience,
        sub: &token.subject,
        role: token.role.map(role_name),
        scope: (!token.scope.is_empty()).then(|| token.scope.join(" ")),
        jti: &jti,
        iat,
        nbf: iat,
        exp: expires.timestamp(),
    };
    let text = sign(&claims, token.algorithm, &signing)?;
    let mut facts = facts([
        ("algorithm", jws_name(token.algorithm).to_owned()),
        ("jti", jti.clone()),
        ("subject", token.subject.clone()),
    ]);
    facts.extend(token.role.map(|role| ("role".to_owned(), role_name(role).to_owned())));
    facts.insert("kid".to_owned(), signing.kid);
    Ok(Material { parts: Parts::value(text), bits: None, expires: Some(expires), facts })
}

fn sign(claims: &Claims<'_>, algorithm: TokenAlgorithm, signing: &SigningKey) -> Result<Secret> {
    token_provider::install();
    let mut header = Header::new(jws(algorithm));
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(signing.kid.clone());
    let text = jsonwebtoken::encode(&header, claims, &signing.key).map_err(|_| Error::bug("cannot sign a token"))?;
    Ok(Secret::from_text(text))
}

fn signing_key(asker: &SecretName, token: &Token, input: Input<'_>) -> Result<SigningKey> {
    match curve(token.algorithm) {
        None => shared_key(asker, token, input),
        Some(curve) => private_key(asker, token, curve, input),
    }
}

/// The key of an HMAC token is the delivered text itself, as verifiers read it from their environment; its `kid` comes
/// from the version id, since a thumbprint would publish a hash of the key (RFC 7638 §7).
fn shared_key(asker: &SecretName, token: &Token, input: Input<'_>) -> Result<SigningKey> {
    let name = &token.signed_by;
    let value = piece(input, Part::Value, name, asker)?;
    let Some(version) = input.version else {
        return Err(Error::new(
            Kind::Manifest,
            "setting-signs",
            format!("`{asker}` is signed by `{name}`, which is not a secret"),
        ));
    };
    let shortest = shortest_key(token.algorithm);
    if value.len() < shortest {
        let algorithm = jws_name(token.algorithm);
        let message = format!("`{name}` is shorter than the {shortest} bytes that {algorithm} needs (RFC 7518 §3.2)");
        return Err(Error::new(Kind::Findings, "signing-key-too-short", message).hint(format!(
            "give `{name}` at least {shortest} bytes in the manifest, then run `vault-kit generate --replace {name}`"
        )));
    }
    let hex: String = version.to_string().chars().filter(|&character| character != '-').take(12).collect();
    Ok(SigningKey { key: EncodingKey::from_secret(value.expose()), kid: format!("hs-{hex}") })
}

fn private_key(asker: &SecretName, token: &Token, curve: KeyAlgorithm, input: Input<'_>) -> Result<SigningKey> {
    let name = &token.signed_by;
    let pem = input.parts.primary().ok_or_else(|| missing(name, "has no value", asker))?;
    let key = PrivateKey::from_pem(pem).ok_or_else(|| {
        let message = format!("`{name}` is not a PKCS#8 private key that `{asker}` can be signed with");
        Error::new(Kind::Findings, "signing-key-unreadable", message)
            .hint("convert it with `openssl pkcs8 -topk8 -nocrypt -in key.pem`")
    })?;
    if key.algorithm() != curve {
        let message = format!("`{asker}` asks for {}, but `{name}` is on another curve", jws_name(token.algorithm));
        return Err(Error::new(Kind::Manifest, "signing-key-mismatch", message)
            .hint(format!("take `algorithm` out of `{asker}`: it then follows the key")));
    }
    let der = key.pkcs8().expose();
    let encoding =
        if curve == KeyAlgorithm::Eddsa { EncodingKey::from_ed_der(der) } else { EncodingKey::from_ec_der(der) };
    Ok(SigningKey { key: encoding, kid: key.thumbprint() })
}

fn jws(algorithm: TokenAlgorithm) -> Algorithm {
    match algorithm {
        TokenAlgorithm::Eddsa => Algorithm::EdDSA,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::Es384 => Algorithm::ES384,
        TokenAlgorithm::Hs256 => Algorithm::HS256,
        TokenAlgorithm::Hs384 => Algorithm::HS384,
        TokenAlgorithm::Hs512 => Algorithm::HS512,
    }
}

/// The name of RFC 7518 §3.1 and RFC 8037 §3.1.
pub(super) fn jws_name(algorithm: TokenAlgorithm) -> &'static str {
    match algorithm {
        TokenAlgorithm::Eddsa => "EdDSA",
        TokenAlgorithm::Es256 => "ES256",
        TokenAlgorithm::Es384 => "ES384",
        TokenAlgorithm::Hs256 => "HS256",
        TokenAlgorithm::Hs384 => "HS384",
        TokenAlgorithm::Hs512 => "HS512",
    }
}

/// The `role` claim.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Reader => "reader",
        Role::Service => "service",
        Role::Writer => "writer",
    }
}

/// As many bytes as the hash has (RFC 7518 §3.2); 0 where the key is not shared.
fn shortest_key(algorithm: TokenAlgorithm) -> usize {
    match algorithm {
        TokenAlgorithm::Hs256 => 32,
        TokenAlgorithm::Hs384 => 48,
        TokenAlgorithm::Hs512 => 64,
        TokenAlgorithm::Eddsa | TokenAlgorithm::Es256 | TokenAlgorithm::Es384 => 0,
    }
}

fn curve(algorithm: TokenAlgorithm) -> Option<KeyAlgorithm> {
    match algorithm {
        TokenAlgorithm::Eddsa => Some(KeyAlgorithm::Eddsa),
        TokenAlgorithm::Es256 => Some(KeyAlgorithm::Es256),
        TokenAlgorithm::Es384 => Some(KeyAlgorithm::Es384),
        TokenAlgorithm::Hs256 | TokenAlgorithm::Hs384 | TokenAlgorithm::Hs512 => None,
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use ring::{hmac, signature};
    use serde_json::{Value, json};

    use super::*;
    use crate::generate::tests::{Scene, is_plain, name, text_of};
    use crate::generate::{self, keypair};
    use crate::manifest::period::Period;
    use crate::name::VersionId;

    fn declared(algorithm: TokenAlgorithm) -> Token {
        Token {
            signed_by: name("KEY"),
            algorithm,
            role: Some(Role::Service),
            subject: "svc:api".into(),
            audience: vec!["sutra".into()],
            scope: vec!["read".into(), "write".into()],
            issuer: "sutra".into(),
            ttl: Period::days(365),
        }
    }

    fn mint(token: &Token, parts: &Parts, version: Option<VersionId>) -> Result<Material> {
        let scene = Scene::new();
        let inputs = Inputs::from([(&token.signed_by, Input { version, parts })]);
        generate(&name("SERVICE_TOKEN"), token, &scene.context(), &inputs)
    }

    fn version() -> Option<VersionId> {
        VersionId::parse("0123abcd-4567-4aaa-8aaa-aaaaaaaaaaaa")
    }

    /// Header and claims, read without the crate that wrote them; what was signed; the signature.
    fn taken_apart(text: &str) -> (Value, Value, &str, Vec<u8>) {
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let json = |part: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap();
        (json(header), json(claims), signed, BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap())
    }

    #[test]
    fn header_and_claims_are_exactly_the_profile() {
        let key = Parts::value(Secret::copy_of(&[b'k'; 32]));
        let material = mint(&declared(TokenAlgorithm::Hs256), &key, version()).unwrap();
        let (header, claims, ..) = taken_apart(text_of(&material));
        assert_eq!(header, json!({"alg": "HS256", "kid": "hs-0123abcd4567", "typ": "at+jwt"}));
        let now = Scene::new().context().now.timestamp();
        let jti = &material.facts["jti"];
        let expected = json!({
            "iss": "sutra", "aud": ["sutra"], "sub": "svc:api", "role": "service", "scope": "read write",
            "jti": jti, "iat": now, "nbf": now, "exp": now + 365 * 86_400,
        });
        assert_eq!(claims, expected);
        assert!(jti.len() == 26 && jti.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')));
        assert_eq!(material.expires.unwrap().timestamp(), now + 365 * 86_400);
        assert_eq!((material.facts["kid"].as_str(), material.facts["role"].as_str()), ("hs-0123abcd4567", "service"));
        assert_eq!((material.facts["subject"].as_str(), material.facts["algorithm"].as_str()), ("svc:api", "HS256"));
        assert!(is_plain(text_of(&material)));
    }

    #[test]
    fn role_and_scope_are_absent_unless_declared() {
        let token = Token { role: None, scope: vec![], ..declared(TokenAlgorithm::Hs256) };
        let material = mint(&token, &Parts::value(Secret::copy_of(&[b'k'; 32])), version()).unwrap();
        let (_, claims, ..) = taken_apart(text_of(&material));
        assert!(claims.get("role").is_none() && claims.get("scope").is_none() && !material.facts.contains_key("role"));
    }

    #[test]
    fn an_hmac_token_is_signed_with_the_delivered_text() {
        let cases = [
            (TokenAlgorithm::Hs256, hmac::HMAC_SHA256, 32),
            (TokenAlgorithm::Hs384, hmac::HMAC_SHA384, 48),
            (TokenAlgorithm::Hs512, hmac::HMAC_SHA512, 64),
        ];
        for (algorithm, hash, shortest) in cases {
            let text = "a".repeat(shortest);
            let material =
                mint(&declared(algorithm), &Parts::value(Secret::copy_of(text.as_bytes())), version()).unwrap();
            let (.., signed, signature) = taken_apart(text_of(&material));
            let key = hmac::Key::new(hash, text.as_bytes());
            assert!(hmac::verify(&key, signed.as_bytes(), &signature).is_ok());

            let short = Parts::value(Secret::copy_of(&text.as_bytes()[1..]));
            let error = mint(&declared(algorithm), &short, version()).unwrap_err();
            assert_eq!(error.code(), "signing-key-too-short");
            assert!(error.to_string().starts_with("`KEY` is shorter than"));
        }
    }

    #[test]
    fn a_token_of_a_key_pair_carries_its_thumbprint_and_verifies_with_the_public_key() {
        let cases: [(TokenAlgorithm, KeyAlgorithm, &'static dyn signature::VerificationAlgorithm); 3] = [
            (TokenAlgorithm::Es256, KeyAlgorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED),
            (TokenAlgorithm::Es384, KeyAlgorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED),
            (TokenAlgorithm::Eddsa, KeyAlgorithm::Eddsa, &signature::ED25519),
        ];
        for (algorithm, curve, verification) in cases {
            let pair = keypair::generate(curve).unwrap();
            let material = mint(&declared(algorithm), &pair.parts, version()).unwrap();
            let (header, _, signed, signature) = taken_apart(text_of(&material));
            let expected = json!({"alg": jws_name(algorithm), "kid": pair.facts["kid"], "typ": "at+jwt"});
            assert_eq!(header, expected);
            let public = PrivateKey::from_pem(pair.parts.part(Part::Key).unwrap()).unwrap().public().to_vec();
            let public = signature::UnparsedPublicKey::new(verification, public);
            assert!(public.verify(signed.as_bytes(), &signature).is_ok());
        }
    }

    #[test]
    fn two_tokens_never_share_their_jti() {
        let key = Parts::value(Secret::copy_of(&[b'k'; 32]));
        let jti = || mint(&declared(TokenAlgorithm::Hs256), &key, version()).unwrap().facts["jti"].clone();
        assert_ne!(jti(), jti());
    }

    #[test]
    fn keys_that_cannot_serve_are_refused_by_name() {
        let token = declared(TokenAlgorithm::Es256);
        let code = |parts: &Parts| mint(&token, parts, version()).unwrap_err().code();
        assert_eq!(code(&Parts::value(Secret::copy_of(b"hunter2"))), "signing-key-unreadable");
        assert_eq!(code(&keypair::generate(KeyAlgorithm::Es384).unwrap().parts), "signing-key-mismatch");
        assert_eq!(code(&Parts::default()), "missing");
        let setting = Parts::value(Secret::copy_of(&[b'k'; 32]));
        assert_eq!(mint(&declared(TokenAlgorithm::Hs256), &setting, None).unwrap_err().code(), "setting-signs");
        let nothing = generate(&name("T"), &token, &Scene::new().context(), &Inputs::new());
        assert_eq!(nothing.unwrap_err().code(), "missing");
    }

    #[test]
    fn inspection_tells_the_end_of_a_token() {
        let key = Parts::value(Secret::copy_of(&[b'k'; 32]));
        let material = mint(&declared(TokenAlgorithm::Hs256), &key, version()).unwrap();
        let found = generate::inspect(material.parts.primary().unwrap());
        assert_eq!(found.expires, material.expires);
        assert_eq!(found.facts["kid"], "hs-0123abcd4567");
        assert_eq!(found.facts["algorithm"], "HS256");
    }
}
