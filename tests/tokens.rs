//! Tokens as PyJWT sees them, with the keys that we delivered.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use support::{Project, Run, Shared, python_judge, skip};

/// Algorithm of the token; kind and fields of its key; the file that a verifier gets.
const ALGORITHMS: [(&str, &str, &str); 6] = [
    ("HS256", "kind = \"random\"", "keys/hs256_key"),
    ("HS384", "kind = \"random\"\nbytes = 48", "keys/hs384_key"),
    ("HS512", "kind = \"random\"\nbytes = 64\nencoding = \"hex\"", "keys/hs512_key"),
    ("ES256", "kind = \"keypair\"\nalgorithm = \"es256\"", "pairs/es256_key/public.pem"),
    ("ES384", "kind = \"keypair\"\nalgorithm = \"es384\"", "pairs/es384_key/public.pem"),
    ("EdDSA", "kind = \"keypair\"\nalgorithm = \"eddsa\"", "pairs/eddsa_key/public.pem"),
];

const ISSUER: &str = "https://auth.judged.test";

/// For each algorithm a key, another key of the same kind, and a token.
fn manifest() -> String {
    let mut text = format!("[project]\nname = \"judged\"\nissuer = \"{ISSUER}\"\n");
    for (algorithm, key, _) in ALGORITHMS {
        let name = algorithm.to_uppercase();
        let asked = if algorithm.starts_with("HS") { format!("algorithm = \"{algorithm}\"") } else { String::new() };
        write!(
            text,
            r#"
            [secrets.{name}_KEY]
            {key}
            [secrets.OTHER_{name}_KEY]
            {key}
            [secrets.{name}_TOKEN]
            kind = "token"
            signed_by = "{name}_KEY"
            {asked}
            role = "service"
            subject = "svc:api"
            audience = ["grid", "storage"]
            scope = ["read", "write"]
            ttl = "365d"
            "#
        )
        .unwrap();
    }
    text + r#"
        [secrets.ADMIN]
        kind = "token"
        signed_by = "HS256_KEY"
        role = "admin"
        [secrets.BARE]
        kind = "token"
        signed_by = "ES256_KEY"
        subject = "user:42"
        issuer = "elsewhere"
        [outputs.keys]
        format = "docker-secrets"
        path = "keys"
        secrets = ["HS256_KEY", "HS384_KEY", "HS512_KEY", "OTHER_HS256_KEY", "OTHER_HS384_KEY", "OTHER_HS512_KEY"]
        [outputs.pairs]
        format = "pem"
        path = "pairs"
        secrets = ["ES256_KEY", "ES384_KEY", "EDDSA_KEY", "OTHER_ES256_KEY", "OTHER_ES384_KEY", "OTHER_EDDSA_KEY"]
        [outputs.tokens]
        format = "docker-secrets"
        path = "tokens"
        secrets = ["HS256_TOKEN", "HS384_TOKEN", "HS512_TOKEN", "ES256_TOKEN", "ES384_TOKEN", "EDDSA_TOKEN", "ADMIN", "BARE"]
        "#
}

/// One project that the tests only read.
fn project() -> Arc<Project> {
    static PROJECT: Shared<Project> = Shared::new();
    PROJECT.get(|| Project::initialised(&manifest()))
}

/// What a verifier is given.
struct Question {
    token: String,
    key: String,
    algorithm: &'static str,
    audience: &'static str,
    issuer: &'static str,
}

/// The right question for an algorithm's token.
fn question(project: &Project, algorithm: &'static str) -> Question {
    let (_, _, key) = ALGORITHMS.into_iter().find(|(it, ..)| *it == algorithm).unwrap();
    let token = project.read(&format!("tokens/{}_token", algorithm.to_lowercase()));
    Question { token, key: project.read(key), algorithm, audience: "grid", issuer: ISSUER }
}

/// PyJWT's answer; `None` where it is not to be had.
fn ask(question: &Question) -> Option<Value> {
    let Question { token, key, algorithm, audience, issuer } = question;
    let asked = json!({"token": token, "key": key, "algorithm": algorithm, "audience": audience, "issuer": issuer});
    let run = Run::with_stdin(&mut python_judge("verify_jwt.py")?, asked.to_string().as_bytes());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    assert_eq!(run.code, i32::from(answer["ok"] != true), "{}", run.stderr);
    Some(answer)
}

fn no_judge() {
    skip("tokens-pyjwt", "no .venv: run tests/setup");
}

/// What `status` tells of a secret.
fn status(project: &Project, name: &str) -> Value {
    let status: Value = serde_json::from_str(&project.run(["status", "--json"]).assert_code(0).stdout).unwrap();
    status["secrets"].as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap().clone()
}

/// A time that `status` tells, as a token tells it.
fn seconds(time: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap().timestamp()
}

/// Takes the `jti` out of the claims, having looked at it: 128 bits in base32.
fn take_jti(claims: &mut Value) -> String {
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap().as_str().unwrap().to_owned();
    assert!(jti.len() == 26 && jti.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{jti}");
    jti
}

#[test]
fn pyjwt_accepts_a_token_of_every_algorithm_with_exactly_its_header_and_claims() {
    let project = project();
    let mut ids = Vec::new();
    for (algorithm, ..) in ALGORITHMS {
        let Some(mut answer) = ask(&question(&project, algorithm)) else { return no_judge() };
        assert_eq!(answer["ok"], true, "{algorithm}: {answer}");
        let key = status(&project, &format!("{}_KEY", algorithm.to_uppercase()));
        // The `kid` of a shared key comes from its version: a thumbprint would publish a hash of the key.
        let version: String = key["version"].as_str().unwrap().replace('-', "").chars().take(12).collect();
        let kid =
            if algorithm.starts_with("HS") { json!(format!("hs-{version}")) } else { answer["thumbprint"].clone() };
        assert!(kid.is_string());
        assert_eq!(answer["header"], json!({"alg": algorithm, "kid": kid, "typ": "at+jwt"}), "{algorithm}");

        let made = seconds(&status(&project, &format!("{}_TOKEN", algorithm.to_uppercase()))["created"]);
        ids.push(take_jti(&mut answer["claims"]));
        let expected = json!({
            "iss": ISSUER, "aud": ["grid", "storage"], "sub": "svc:api", "role": "service", "scope": "read write",
            "iat": made, "nbf": made, "exp": made + 365 * 86_400,
        });
        assert_eq!(answer["claims"], expected, "{algorithm}");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), ALGORITHMS.len());
}

#[test]
fn what_a_token_does_not_declare_is_the_documented_default() {
    let project = project();
    let day = 86_400;
    let cases = [
        ("ADMIN", "HS256", ISSUER, json!({"sub": "admin:admin", "role": "admin"}), 90 * day),
        ("BARE", "ES256", "elsewhere", json!({"sub": "user:42"}), 3_600),
    ];
    for (name, algorithm, issuer, mut expected, ttl) in cases {
        let token = project.read(&format!("tokens/{}", name.to_lowercase()));
        let asked = Question { token, audience: "judged", issuer, ..question(&project, algorithm) };
        let Some(mut answer) = ask(&asked) else { return no_judge() };
        assert_eq!(answer["ok"], true, "{name}: {answer}");
        take_jti(&mut answer["claims"]);
        let made = seconds(&status(&project, name)["created"]);
        let common = json!({"iss": issuer, "aud": ["judged"], "iat": made, "nbf": made, "exp": made + ttl});
        expected.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
        assert_eq!(answer["claims"], expected, "{name}");
        assert_eq!(seconds(&status(&project, name)["expires"]), made + ttl, "{name}");
    }
}

#[test]
fn pyjwt_refuses_another_key_audience_issuer_or_algorithm_and_a_changed_token() {
    let project = project();
    for (algorithm, _, key) in ALGORITHMS {
        let right = || question(&project, algorithm);
        let other_key = key.replace("keys/", "keys/other_").replace("pairs/", "pairs/other_");
        let other_algorithm = if algorithm == "HS256" { "HS512" } else { "HS256" };
        let other_algorithm = if algorithm.starts_with("HS") { other_algorithm } else { "ES512" };
        let token = right().token;
        let (header, rest) = token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let other_claims = question(&project, if algorithm == "ES256" { "ES384" } else { "ES256" }).token;
        let other_claims = other_claims.split('.').nth(1).unwrap();
        assert_ne!(claims, other_claims);
        let cases = [
            (Question { key: project.read(&other_key), ..right() }, "InvalidSignatureError"),
            (Question { audience: "elsewhere", ..right() }, "InvalidAudienceError"),
            (Question { issuer: "elsewhere", ..right() }, "InvalidIssuerError"),
            (Question { algorithm: other_algorithm, ..right() }, "InvalidAlgorithmError"),
            (Question { token: format!("{header}.{other_claims}.{signature}"), ..right() }, "InvalidSignatureError"),
            (Question { token: format!("{header}.{claims}."), ..right() }, "InvalidSignatureError"),
        ];
        for (asked, error) in cases {
            let Some(answer) = ask(&asked) else { return no_judge() };
            assert_eq!(answer, json!({"ok": false, "error": error}), "{algorithm}");
        }
    }
}

#[test]
fn a_new_key_brings_a_new_token_in_the_same_change_and_the_old_one_dies_with_its_key() {
    let project = Project::initialised(&manifest());
    for (algorithm, ..) in ALGORITHMS {
        let before = question(&project, algorithm);
        let others = ["admin", "bare"].map(|name| project.read(&format!("tokens/{name}")));
        let name = format!("{}_KEY", algorithm.to_uppercase());
        let generation = |project: &Project| {
            project.read(".vault-kit/dev.ledger.jsonl").lines().next().map(|header| {
                let header: Value = serde_json::from_str(header).unwrap();
                header["generation"].as_u64().unwrap()
            })
        };
        let changes = generation(&project).unwrap();
        project.run(["generate", "--replace", &name, "--yes"]).assert_code(0);
        assert_eq!(generation(&project), Some(changes + 1), "{algorithm}: one change of the store");
        let after = question(&project, algorithm);
        assert!(before.key != after.key && before.token != after.token, "{algorithm}");
        // All that a key signed follows it, and nothing else.
        let renewed = ["admin", "bare"].map(|name| project.read(&format!("tokens/{name}")));
        let is_renewed = [others[0] != renewed[0], others[1] != renewed[1]];
        assert_eq!(is_renewed, [algorithm == "HS256", algorithm == "ES256"], "{algorithm}");
        if algorithm == "HS256" {
            let [token, _] = renewed;
            let asked = Question { token, audience: "judged", ..question(&project, algorithm) };
            let Some(answer) = ask(&asked) else { return no_judge() };
            assert_eq!((&answer["ok"], &answer["claims"]["role"]), (&json!(true), &json!("admin")), "{answer}");
        }
        let Some(answer) = ask(&after) else { return no_judge() };
        assert_eq!(answer["ok"], true, "{algorithm}: {answer}");
        let dead = ask(&Question { token: before.token, ..after }).unwrap();
        assert_eq!(dead["error"], "InvalidSignatureError", "{algorithm}: {dead}");
    }
}

#[test]
fn the_private_half_that_we_deliver_belongs_to_the_public_half() {
    let Some(openssl) = support::program("openssl") else { return skip("tokens-openssl", "no openssl") };
    let project = project();
    for name in ["es256_key", "es384_key", "eddsa_key"] {
        let path = |file: &str| project.path(&format!("pairs/{name}/{file}.pem"));
        let mut check = std::process::Command::new(&openssl);
        let checked = Run::of(check.args(["pkey", "-noout", "-check", "-in"]).arg(path("key")));
        assert!(checked.both().contains("Key is valid"), "{name}: {checked:?}");
        let mut public = std::process::Command::new(&openssl);
        let public = Run::of(public.args(["pkey", "-pubout", "-in"]).arg(path("key"))).assert_code(0);
        assert_eq!(public.stdout, project.read(&format!("pairs/{name}/public.pem")), "{name}");
    }
}
