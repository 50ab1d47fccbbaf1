//! How much of ring's own speed is left of an ES256 signature when a whole token is verified around it.
//!
//! `cargo bench --bench verify`. Prints a ratio, and fails where it is too small; both take turns in one process, so that the machine's mood cancels out.

#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::DateTime;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use vault_kit::token::jwks;
use vault_kit::token::verify::{Accepted, Verifier};

/// What is asked for: the bench fails beneath it.
const TARGET: f64 = 0.8;

const ROUNDS: usize = 21;
const VERIFICATIONS: u32 = 500;

fn base64url(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}

fn main() -> ExitCode {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("ring makes a key");
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("its own key");
    let point = pair.public_key().as_ref();
    let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
    let keys =
        format!(r#"{{"keys": [{{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k", "x": "{x}", "y": "{y}"}}]}}"#);
    let keys = jwks::parse(keys.as_bytes(), "keys").expect("a key set");
    let header = base64url(br#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#);
    let claims = br#"{"iss":"i","aud":["a"],"sub":"user:42","role":"reader","jti":"j","iat":1800000000,"nbf":1800000000,"exp":1800003600}"#;
    let signed = format!("{header}.{}", base64url(claims));
    let signature = pair.sign(&random, signed.as_bytes()).expect("ring signs");
    let token = format!("{signed}.{}", base64url(signature.as_ref()));
    let mut verifier = Verifier::new(&keys);
    verifier.otherwise = Accepted { issuers: vec!["i".into()], audiences: vec!["a".into()] };
    let now = DateTime::from_timestamp(1_800_000_001, 0).expect("a time");
    let bare = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);

    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let ours = timed(|| assert!(verifier.verify(&token, now).is_ok(), "the token is good"));
            let theirs = timed(|| bare.verify(signed.as_bytes(), signature.as_ref()).expect("the signature is good"));
            theirs.as_secs_f64() / ours.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!("token verify, ES256: {median:.2} of ring's own speed (median of {ROUNDS}; target: at least {TARGET})");
    if median < TARGET { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn timed(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..VERIFICATIONS {
        work();
    }
    start.elapsed()
}
