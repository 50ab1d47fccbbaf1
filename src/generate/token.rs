//! Declared tokens: claims from the manifest, signed with the key that it names.

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;

use super::keypair::PrivateKey;
use super::{Context, Input, Inputs, Material, facts, input, missing, piece};
use crate::error::{Error, Kind, Result};
use crate::manifest::model::Token;
use crate::name::SecretName;
use crate::secret::parts::{Part, Parts};
use crate::secret::{Secret, random};
use crate::token::algorithm::Algorithm;
use crate::token::claims::{Claims, role_name};
use crate::token::sign::SigningKey;

/// A signed token, and what is known of it without its text.
#[derive(Debug)]
pub struct Minted {
    /// The token.
    pub text: Secret,
    /// What it says.
    pub claims: Claims,
    /// The `kid` of the key that signed it.
    pub kid: String,
    /// The algorithm that signed it.
    pub algorithm: Algorithm,
}

/// Makes the value of a declared token; fails as [`mint`].
pub(super) fn generate(
    name: &SecretName,
    token: &Token,
    context: &Context<'_>,
    inputs: &Inputs<'_>,
) -> Result<Material> {
    let minted = mint(name, token, context.now, input(inputs, &token.signed_by, name)?)?;
    let Minted { text, claims, kid, algorithm } = minted;
    let expires = DateTime::from_timestamp(claims.expires, 0);
    let mut facts =
        facts([("algorithm", algorithm.name().to_owned()), ("jti", claims.id), ("subject", claims.subject)]);
    facts.extend(token.role.map(|role| ("role".to_owned(), role_name(role).to_owned())));
    facts.insert("kid".to_owned(), kid);
    Ok(Material { parts: Parts::value(text), bits: None, expires, facts })
}

/// Signs a token that is valid from `now` on, for its `ttl`. `asker` is whom an error blames beside the key.
///
/// A key pair signs with the algorithm that it has, also where the manifest asks for another one by now: its successor
/// will have that. Fails with `signing-key-too-short` or `signing-key-unreadable` when the key cannot serve.
pub fn mint(asker: &SecretName, token: &Token, now: DateTime<Utc>, key: Input<'_>) -> Result<Minted> {
    let signing = signing_key(asker, token, key)?;
    let issued = now.timestamp();
    let claims = Claims {
        issuer: token.issuer.clone(),
        audience: token.audience.clone(),
        subject: token.subject.clone(),
        role: token.role,
        scope: token.scope.clone(),
        id: BASE32_NOPAD.encode(&random::array::<16>()?).to_ascii_lowercase(),
        issued,
        not_before: issued,
        expires: issued + token.ttl.seconds(),
    };
    let text = signing.sign(&claims)?;
    Ok(Minted { text, claims, kid: signing.kid().to_owned(), algorithm: signing.algorithm() })
}

fn signing_key(asker: &SecretName, token: &Token, input: Input<'_>) -> Result<SigningKey> {
    let algorithm = Algorithm::from(token.algorithm);
    match algorithm.shortest_shared_key() {
        Some(shortest) => shared_key(asker, token, (algorithm, shortest), input),
        None if algorithm.is_rsa() => rsa_key(asker, token, algorithm, input),
        None => private_key(asker, token, input),
    }
}

fn shared_key(
    asker: &SecretName,
    token: &Token,
    (algorithm, shortest): (Algorithm, usize),
    input: Input<'_>,
) -> Result<SigningKey> {
    let name = &token.signed_by;
    let value = piece(input, Part::Value, name, asker)?;
    let Some(version) = input.version else {
        return Err(Error::new(
            Kind::Manifest,
            "setting-signs",
            format!("`{asker}` is signed by `{name}`, which is not a secret"),
        ));
    };
    SigningKey::shared(value, version, algorithm).ok_or_else(|| {
        let message = format!("`{name}` is shorter than the {shortest} bytes that {algorithm} needs (RFC 7518 §3.2)");
        Error::new(Kind::Findings, "signing-key-too-short", message).hint(if input.is_supplied {
            format!("supply one of at least {shortest} bytes with `vault-kit set {name}`")
        } else {
            format!(
                "give `{name}` at least {shortest} bytes in the manifest, then run `vault-kit generate --replace {name}`"
            )
        })
    })
}

fn rsa_key(asker: &SecretName, token: &Token, algorithm: Algorithm, input: Input<'_>) -> Result<SigningKey> {
    let name = &token.signed_by;
    let pem = input.parts.primary().ok_or_else(|| missing(name, "has no value", asker))?;
    SigningKey::rsa(pem, algorithm).ok_or_else(|| {
        let message =
            format!("`{name}` is not an RSA private key of 2048 to 4096 bits that `{asker}` can be signed with");
        Error::new(Kind::Findings, "signing-key-unreadable", message)
            .hint("make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`")
    })
}

fn private_key(asker: &SecretName, token: &Token, input: Input<'_>) -> Result<SigningKey> {
    let name = &token.signed_by;
    let pem = input.parts.primary().ok_or_else(|| missing(name, "has no value", asker))?;
    let key = PrivateKey::from_pem(pem).ok_or_else(|| {
        let message = format!("`{name}` is not a PKCS#8 private key that `{asker}` can be signed with");
        Error::new(Kind::Findings, "signing-key-unreadable", message)
            .hint("convert it with `openssl pkcs8 -topk8 -nocrypt -in key.pem`")
    })?;
    Ok(SigningKey::pair(&key))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use ring::{hmac, signature};
    use serde_json::{Value, json};

    use super::*;
    use crate::generate::tests::{Scene, is_plain, name, text_of};
    use crate::generate::{self, keypair};
    use crate::manifest::model::{KeyAlgorithm, Role, TokenAlgorithm};
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

    fn made(token: &Token, parts: &Parts, version: Option<VersionId>) -> Result<Material> {
        let scene = Scene::new();
        let inputs = Inputs::from([(&token.signed_by, Input::new(version, parts))]);
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
        let material = made(&declared(TokenAlgorithm::Hs256), &key, version()).unwrap();
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
        let material = made(&token, &Parts::value(Secret::copy_of(&[b'k'; 32])), version()).unwrap();
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
                made(&declared(algorithm), &Parts::value(Secret::copy_of(text.as_bytes())), version()).unwrap();
            let (.., signed, signature) = taken_apart(text_of(&material));
            let key = hmac::Key::new(hash, text.as_bytes());
            assert!(hmac::verify(&key, signed.as_bytes(), &signature).is_ok());

            let short = Parts::value(Secret::copy_of(&text.as_bytes()[1..]));
            let error = made(&declared(algorithm), &short, version()).unwrap_err();
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
            let material = made(&declared(algorithm), &pair.parts, version()).unwrap();
            let (header, _, signed, signature) = taken_apart(text_of(&material));
            let expected = json!({"alg": Algorithm::from(algorithm).name(), "kid": pair.facts["kid"], "typ": "at+jwt"});
            assert_eq!(header, expected);
            let public = PrivateKey::from_pem(pair.parts.part(Part::Key).unwrap()).unwrap().public().to_vec();
            let public = signature::UnparsedPublicKey::new(verification, public);
            assert!(public.verify(signed.as_bytes(), &signature).is_ok());
        }
    }

    #[test]
    fn a_key_pair_signs_with_its_own_algorithm_whatever_is_declared_by_now() {
        let pair = keypair::generate(KeyAlgorithm::Es384).unwrap();
        let material = made(&declared(TokenAlgorithm::Eddsa), &pair.parts, version()).unwrap();
        assert_eq!(
            (&taken_apart(text_of(&material)).0["alg"], &*material.facts["algorithm"]),
            (&json!("ES384"), "ES384")
        );
    }

    #[test]
    fn two_tokens_never_share_their_jti() {
        let key = Parts::value(Secret::copy_of(&[b'k'; 32]));
        let jti = || made(&declared(TokenAlgorithm::Hs256), &key, version()).unwrap().facts["jti"].clone();
        assert_ne!(jti(), jti());
    }

    #[test]
    fn keys_that_cannot_serve_are_refused_by_name() {
        let token = declared(TokenAlgorithm::Es256);
        let code = |parts: &Parts| made(&token, parts, version()).unwrap_err().code();
        assert_eq!(code(&Parts::value(Secret::copy_of(b"hunter2"))), "signing-key-unreadable");
        assert_eq!(code(&Parts::default()), "missing");
        let setting = Parts::value(Secret::copy_of(&[b'k'; 32]));
        assert_eq!(made(&declared(TokenAlgorithm::Hs256), &setting, None).unwrap_err().code(), "setting-signs");
        let nothing = generate(&name("T"), &token, &Scene::new().context(), &Inputs::new());
        assert_eq!(nothing.unwrap_err().code(), "missing");
    }

    #[test]
    fn inspection_tells_the_end_of_a_token() {
        let key = Parts::value(Secret::copy_of(&[b'k'; 32]));
        let material = made(&declared(TokenAlgorithm::Hs256), &key, version()).unwrap();
        let found = generate::inspect(material.parts.primary().unwrap());
        assert_eq!(found.expires, material.expires);
        assert_eq!(found.facts["kid"], "hs-0123abcd4567");
        assert_eq!(found.facts["algorithm"], "HS256");
    }
}
