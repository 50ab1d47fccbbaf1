//! `token verify`, `inspect` and `jwks`, side by side with PyJWT, joserfc, jwcrypto and jose.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use vault_kit::name::SecretName;
use vault_kit::secret::parts::Part;
use vault_kit::token::algorithm::Algorithm;
use vault_kit::token::key_set::{KeySet, State, VerificationKey};
use vault_kit::token::verify::{Accepted, Verifier};

use support::{Project, Run, Shared, program, python_judge, root, skip};

const ISSUER: &str = "https://auth.judged.test";
const AUDIENCE: &str = "grid";

/// Algorithm of the token; kind and fields of its key.
const ALGORITHMS: [(&str, &str); 7] = [
    ("HS256", "kind = \"random\""),
    ("HS384", "kind = \"random\"\nbytes = 48"),
    ("HS512", "kind = \"random\"\nbytes = 64"),
    ("ES256", "kind = \"keypair\"\nalgorithm = \"es256\""),
    ("ES384", "kind = \"keypair\"\nalgorithm = \"es384\""),
    ("EdDSA", "kind = \"keypair\"\nalgorithm = \"eddsa\""),
    ("PS256", "kind = \"external\""),
];

/// The other algorithms of RSA: a key has only one.
const RSA: [&str; 5] = ["PS384", "PS512", "RS256", "RS384", "RS512"];

/// A key and a token for each algorithm.
fn manifest(algorithms: &[(&str, &str)]) -> String {
    let mut text = format!("[project]\nname = \"judged\"\nissuer = \"{ISSUER}\"\n");
    for (algorithm, key) in algorithms {
        let name = algorithm.to_uppercase();
        write!(
            text,
            "[secrets.{name}_KEY]\n{key}\n[secrets.{name}_TOKEN]\nkind = \"token\"\nsigned_by = \"{name}_KEY\"\n\
             algorithm = \"{algorithm}\"\nrole = \"service\"\nsubject = \"svc:api\"\n\
             audience = [\"{AUDIENCE}\", \"storage\"]\nscope = [\"read\", \"write\"]\n"
        )
        .unwrap();
    }
    text
}

fn project_of(algorithms: &[(&str, &str)]) -> Project {
    let project = Project::initialised(&manifest(algorithms));
    let pem = root().join("tests/fixtures/rsa.pem");
    for (algorithm, _) in algorithms.iter().filter(|(_, key)| key.contains("external")) {
        let arguments = ["set", &format!("{algorithm}_KEY"), "--from-file", pem.to_str().unwrap()];
        project.run(arguments).assert_code(0);
    }
    project
}

fn project() -> Arc<Project> {
    static PROJECT: Shared<Project> = Shared::new();
    PROJECT.get(|| project_of(&ALGORITHMS))
}

fn token(project: &Project, algorithm: &str) -> String {
    String::from_utf8(project.get(&format!("{}_TOKEN", algorithm.to_uppercase()))).unwrap()
}

fn verify(project: &Project, token: &str, flags: &[&str]) -> Run {
    project.run_with_stdin([&["token", "verify", "--json"], flags].concat(), token.as_bytes())
}

/// Our answer: `None` for a good token, else the reason.
fn reason(project: &Project, token: &str, flags: &[&str]) -> Option<String> {
    let run = verify(project, token, flags);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    assert_eq!(run.code, i32::from(answer["valid"] != true), "{run:?}");
    assert!(answer["valid"] == true || answer.get("claims").is_none(), "{run:?}");
    answer["reason"].as_str().map(str::to_owned)
}

fn jwks(project: &Project) -> Value {
    serde_json::from_str(&project.run(["token", "jwks"]).assert_code(0).stdout).unwrap()
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    decoded(token.split('.').next().unwrap())
}

/// Our set, and what nobody publishes: the shared keys, for the judges' eyes only.
fn jwks_with_shared_keys(project: &Project, algorithms: &[(&str, &str)]) -> Value {
    let mut set = jwks(project);
    for (algorithm, _) in algorithms.iter().filter(|(algorithm, _)| algorithm.starts_with("HS")) {
        let kid = header(&token(project, algorithm))["kid"].clone();
        let key = BASE64URL_NOPAD.encode(&project.get(&format!("{algorithm}_KEY")));
        set["keys"].as_array_mut().unwrap().push(json!({"kty": "oct", "kid": kid, "alg": algorithm, "k": key}));
    }
    set
}

/// The judges that are to be had, with their names.
fn judges() -> Vec<(&'static str, Command)> {
    let mut found = Vec::new();
    match python_judge("jws_judges.py") {
        Some(command) => found.push(("python", command)),
        None => skip("token-judges-python", "no .venv: run tests/setup"),
    }
    match program("node").filter(|_| root().join("tests/judges/node_modules/jose").exists()) {
        Some(node) => {
            let mut command = Command::new(node);
            command.arg(root().join("tests/judges/jws_jose.mjs"));
            found.push(("node", command));
        }
        None => skip("token-judges-jose", "no node with the package jose: run tests/setup"),
    }
    found
}

/// Verdicts by token and library (null = accepted), and thumbprints.
fn ask(jwks: &Value, tokens: &BTreeMap<String, String>) -> (BTreeMap<String, BTreeMap<String, Value>>, Vec<Value>) {
    let asked = json!({"jwks": jwks, "issuer": ISSUER, "audience": AUDIENCE, "tokens": tokens}).to_string();
    let (mut verdicts, mut thumbprints): (BTreeMap<String, BTreeMap<String, Value>>, _) = (BTreeMap::new(), Vec::new());
    for (_, mut judge) in judges() {
        let run = Run::with_stdin(&mut judge, asked.as_bytes()).assert_code(0);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        for (name, by_library) in answer["verdicts"].as_object().unwrap() {
            let libraries = by_library.as_object().unwrap().clone();
            verdicts.entry(name.clone()).or_default().extend(libraries);
        }
        for library in answer["missing"].as_array().into_iter().flatten() {
            skip(&format!("token-judges-{}", library.as_str().unwrap()), "not in .venv: run tests/setup");
        }
        thumbprints.extend(answer.get("thumbprints").filter(|it| it.is_object()).cloned());
    }
    (verdicts, thumbprints)
}

/// Every judge accepts the token of every algorithm of a project, and finds its key by the thumbprint.
fn assert_accepted(project: &Project, algorithms: &[(&str, &str)]) {
    let tokens: BTreeMap<String, String> =
        algorithms.iter().map(|(algorithm, _)| ((*algorithm).to_owned(), token(project, algorithm))).collect();
    for (algorithm, token) in &tokens {
        assert_eq!(reason(project, token, &[]), None, "{algorithm}");
        assert_eq!(header(token)["alg"], **algorithm);
    }
    let (verdicts, thumbprints) = ask(&jwks_with_shared_keys(project, algorithms), &tokens);
    for (algorithm, by_library) in &verdicts {
        for (library, verdict) in by_library {
            assert_eq!(*verdict, Value::Null, "{library} refuses {algorithm}");
        }
    }
    for thumbprints in thumbprints {
        let kids = thumbprints.as_object().unwrap();
        assert_eq!(kids.len(), algorithms.iter().filter(|(algorithm, _)| !algorithm.starts_with("HS")).count());
        assert!(kids.iter().all(|(kid, thumbprint)| thumbprint == kid), "{kids:?}");
    }
}

#[test]
fn every_algorithm_is_verified_by_all_judges_through_our_key_set_and_by_us() {
    assert_accepted(&project(), &ALGORITHMS);
    for algorithm in RSA {
        let algorithms = [(algorithm, "kind = \"external\"")];
        assert_accepted(&project_of(&algorithms), &algorithms);
    }
}

/// A text signed with the project's own HS256 key, whatever it says.
struct Forge {
    key: hmac::Key,
    header: Value,
    claims: Value,
}

impl Forge {
    fn new(project: &Project) -> Self {
        let token = token(project, "HS256");
        let mut parts = token.split('.').map(str::to_owned);
        let (header, claims) = (decoded(&parts.next().unwrap()), decoded(&parts.next().unwrap()));
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &project.get("HS256_KEY")), header, claims }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        self.sealed(&signed)
    }

    /// Signs a text that need not be base64url.
    fn sealed(&self, signed: &str) -> String {
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    fn header(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[name] = value;
        self.sign(&header.to_string(), &self.claims.to_string())
    }

    fn claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.sign(&self.header.to_string(), &claims.to_string())
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        self.sign(&self.header.to_string(), &claims.to_string())
    }
}

/// Tokens that must not pass, by what is wrong with them, with our reason.
fn negatives(project: &Project) -> Vec<(String, String, &'static str)> {
    let forge = Forge::new(project);
    let good = token(project, "HS256");
    let (header, claims) = (forge.header.to_string(), forge.claims.to_string());
    let [head, body, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let es256 = token(project, "ES256");
    let (es256_signed, es256_signature) = es256.rsplit_once('.').unwrap();
    let iat = forge.claims["iat"].as_i64().unwrap();
    let kid_of = |algorithm: &str| self::header(&token(project, algorithm))["kid"].clone();
    let none = |alg: &str| {
        let mut header = forge.header.clone();
        header["alg"] = alg.into();
        let [header, claims] =
            [header, forge.claims.clone()].map(|it| BASE64URL_NOPAD.encode(it.to_string().as_bytes()));
        format!("{header}.{claims}.")
    };
    let public = jwks(project)["keys"].as_array().unwrap().iter().find(|key| key["alg"] == "ES256").unwrap().clone();
    let confused = {
        let x = BASE64URL_NOPAD.decode(public["x"].as_str().unwrap().as_bytes()).unwrap();
        let y = BASE64URL_NOPAD.decode(public["y"].as_str().unwrap().as_bytes()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[&[4][..], &x, &y].concat());
        let header = json!({"alg": "HS256", "kid": public["kid"], "typ": "at+jwt"}).to_string();
        Forge { key, header: Value::Null, claims: Value::Null }.sign(&header, &claims)
    };
    let mut damaged = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    damaged[0] ^= 1;
    let cases = [
        ("empty", String::new(), "malformed"),
        ("two parts", format!("{head}.{body}"), "malformed"),
        ("four parts", format!("{good}.AA"), "malformed"),
        ("no signature", format!("{head}.{body}."), "bad_signature"),
        ("damaged signature", format!("{head}.{body}.{}", BASE64URL_NOPAD.encode(&damaged)), "bad_signature"),
        ("cut signature", format!("{head}.{body}.{}", BASE64URL_NOPAD.encode(&damaged[..16])), "bad_signature"),
        ("padded signature", format!("{good}="), "malformed"),
        ("space in the payload", forge.sealed(&format!("{head}.{}", body.replacen('e', "e ", 1))), "malformed"),
        ("mark in the payload", forge.sealed(&format!("{head}.{body}?")), "malformed"),
        (
            "payload of another token",
            format!("{head}.{}.{signature}", es256.split('.').nth(1).unwrap()),
            "bad_signature",
        ),
        ("signature of another token", format!("{es256_signed}.{signature}"), "bad_signature"),
        ("zero signature", format!("{es256_signed}.{}", BASE64URL_NOPAD.encode(&[0; 64])), "bad_signature"),
        (
            "shared key's payload under a key pair's signature",
            format!("{head}.{body}.{es256_signature}"),
            "bad_signature",
        ),
        ("alg none", none("none"), "alg_none"),
        ("alg None", none("None"), "alg_none"),
        ("alg NONE", none("NONE"), "alg_none"),
        ("alg unknown", forge.header("alg", "HS257".into()), "alg_not_allowed"),
        ("alg of another length", forge.header("alg", "HS512".into()), "alg_key_mismatch"),
        ("public key as shared key", confused, "alg_key_mismatch"),
        ("kid of another key", forge.header("kid", kid_of("HS384")), "alg_key_mismatch"),
        ("kid unknown", forge.header("kid", "nobody".into()), "unknown_kid"),
        ("kid a path", forge.header("kid", "../../dev/null".into()), "unknown_kid"),
        ("kid a number", forge.header("kid", 1.into()), "malformed"),
        ("crit", forge.header("crit", json!(["exp"])), "crit_unsupported"),
        ("crit empty", forge.header("crit", json!([])), "crit_unsupported"),
        (
            "b64 false",
            {
                let header =
                    json!({"alg": "HS256", "kid": forge.header["kid"], "typ": "at+jwt", "b64": false, "crit": ["b64"]});
                forge.sign(&header.to_string(), &claims)
            },
            "crit_unsupported",
        ),
        ("typ JWT", forge.header("typ", "JWT".into()), "claim_malformed:typ"),
        ("header not JSON", forge.sign("{", &claims), "malformed"),
        ("header an array", forge.sign("[]", &claims), "malformed"),
        ("payload not JSON", forge.sign(&header, "claims"), "malformed"),
        ("payload an array", forge.sign(&header, "[]"), "malformed"),
        ("exp twice", forge.sign(&header, &claims.replacen('{', "{\"exp\":4102444800,", 1)), "malformed"),
        ("expired", forge.claim("exp", json!(iat - 61)), "expired"),
        ("exp a text", forge.claim("exp", "4102444800".into()), "claim_malformed:exp"),
        ("exp true", forge.claim("exp", true.into()), "claim_malformed:exp"),
        ("no exp", forge.without("exp"), "claim_missing:exp"),
        ("nbf in the future", forge.claim("nbf", json!(iat + 3_600)), "not_yet_valid"),
        ("nbf a text", forge.claim("nbf", "soon".into()), "claim_malformed:nbf"),
        ("iat in the future", forge.claim("iat", json!(iat + 3_600)), "issued_in_future"),
        ("iat a text", forge.claim("iat", "now".into()), "claim_malformed:iat"),
        ("no iat", forge.without("iat"), "claim_missing:iat"),
        ("iss of another", forge.claim("iss", "https://evil.test".into()), "iss_mismatch"),
        ("iss with a slash", forge.claim("iss", format!("{ISSUER}/").into()), "iss_mismatch"),
        ("iss an array", forge.claim("iss", json!([ISSUER])), "claim_malformed:iss"),
        ("no iss", forge.without("iss"), "claim_missing:iss"),
        ("aud of another", forge.claim("aud", json!(["elsewhere"])), "aud_mismatch"),
        ("aud a part", forge.claim("aud", "gri".into()), "aud_mismatch"),
        ("aud empty", forge.claim("aud", json!([])), "aud_missing"),
        ("aud an object", forge.claim("aud", json!({AUDIENCE: 1})), "claim_malformed:aud"),
        ("aud with a number", forge.claim("aud", json!([AUDIENCE, 1])), "claim_malformed:aud"),
        ("no aud", forge.without("aud"), "aud_missing"),
        ("sub a number", forge.claim("sub", 42.into()), "claim_malformed:sub"),
        ("no sub", forge.without("sub"), "claim_missing:sub"),
        ("jti a number", forge.claim("jti", 42.into()), "claim_malformed:jti"),
        ("no jti", forge.without("jti"), "claim_missing:jti"),
    ];
    cases.into_iter().map(|(name, token, reason)| (name.to_owned(), token, reason)).collect()
}

#[test]
fn what_any_judge_refuses_we_refuse_for_a_stable_reason() {
    let project = project();
    let cases = negatives(&project);
    for (name, token, expected) in &cases {
        assert_eq!(reason(&project, token, &["--audience", AUDIENCE]).as_deref(), Some(*expected), "{name}");
    }
    let tokens = cases.iter().map(|(name, token, _)| (name.clone(), token.clone())).collect();
    let (verdicts, _) = ask(&jwks_with_shared_keys(&project, &ALGORITHMS), &tokens);
    for library in ["pyjwt", "joserfc", "jwcrypto", "jose"] {
        let refused: Vec<_> =
            verdicts.iter().filter(|(_, by)| by.get(library).is_some_and(|it| !it.is_null())).collect();
        // Most of them are refused by each: a judge that accepted them all would judge something else.
        let judged = verdicts.values().any(|by| by.contains_key(library));
        assert!(!judged || refused.len() * 2 > cases.len(), "{library} refuses {} of {}", refused.len(), cases.len());
    }
}

/// One thing done to the text of a good token's header or claims.
#[derive(Clone, Debug)]
enum Oddity {
    /// A member becomes this, or is gone.
    Header(&'static str, Option<Value>),
    Claim(&'static str, Option<Value>),
    /// What no [`Value`] can say stands before the closing brace.
    HeaderText(String),
    ClaimText(String),
}

/// Members that specifications know, and some that none does; each with whatever JSON can say.
fn oddities(iat: i64) -> Vec<Oddity> {
    let header = [
        "alg", "kid", "typ", "cty", "x5t", "x5t#S256", "crit", "b64", "enc", "zip", "jku", "jwk", "x5u", "x5c", "epk",
        "apu", "p2c", "nonce", "url", "iss", "exp", "foo", "",
    ];
    let claims =
        ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "role", "scope", "azp", "client_id", "auth_time", "cnf", ""];
    // Nothing is within leeway of now: judges look at their clocks later than we do.
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e10),
        json!(1e18),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(iat + 3_600),
        json!(iat - 3_600),
        json!((iat + 9_000).to_string()),
        json!(""),
        json!("x"),
        json!(" grid"),
        json!("grid\u{0}"),
        json!("read  write"),
        json!("😀"),
        json!("HS256"),
        json!("at+jwt"),
        json!("AT+JWT"),
        json!("at+jwt "),
        json!([]),
        json!([""]),
        json!([null]),
        json!([["grid"]]),
        json!(["grid", "grid"]),
        json!({}),
        json!({"grid": 1}),
    ];
    let values = || values.iter().cloned().map(Some).chain([None]);
    let texts = [
        r#""x":NaN"#,
        r#""x":Infinity"#,
        r#""x":1e400"#,
        r#""x":"\ud800""#,
        r#""x":1,"x":2"#,
        r#""x":{"a":1,"a":2}"#,
        r#""x":01"#,
        r#""x":'y'"#,
        r#""x":1,"#,
        r#""exp":4102444800"#,
        r#""e\u0078p":1"#,
        r#""kid":"x""#,
        r#""aud":"x""#,
        "\"x\":\"\t\"",
        "/**/",
        "}{",
    ];
    let deep = format!(r#""x":{}{}"#, "[".repeat(2_000), "]".repeat(2_000));
    let long = format!(r#""x":{}"#, "9".repeat(5_000));
    let texts = || texts.map(str::to_owned).into_iter().chain([deep.clone(), long.clone()]);
    let members = header.into_iter().flat_map(|name| values().map(move |value| Oddity::Header(name, value)));
    let members =
        members.chain(claims.into_iter().flat_map(|name| values().map(move |value| Oddity::Claim(name, value))));
    members.chain(texts().map(Oddity::HeaderText)).chain(texts().map(Oddity::ClaimText)).collect()
}

impl Forge {
    /// Signs the good token with some things about it done wrong, or oddly.
    fn odd(&self, oddities: &[&Oddity]) -> String {
        let (mut header, mut claims) = (self.header.clone(), self.claims.clone());
        let set = |part: &mut Value, name: &str, value: &Option<Value>| match value {
            Some(value) => part[name] = value.clone(),
            None => drop(part.as_object_mut().unwrap().remove(name)),
        };
        let (mut in_header, mut in_claims) = (String::new(), String::new());
        for oddity in oddities {
            match oddity {
                Oddity::Header(name, value) => set(&mut header, name, value),
                Oddity::Claim(name, value) => set(&mut claims, name, value),
                Oddity::HeaderText(text) => write!(in_header, ",{text}").unwrap(),
                Oddity::ClaimText(text) => write!(in_claims, ",{text}").unwrap(),
            }
        }
        let with = |part: Value, text: &str| format!("{}{text}}}", part.to_string().strip_suffix('}').unwrap());
        self.sign(&with(header, &in_header), &with(claims, &in_claims))
    }
}

/// Each oddity by itself, and pairs of them by a fixed seed: as many as `VAULT_KIT_ODD_TOKENS` says.
#[test]
#[expect(clippy::disallowed_methods, reason = "the judges go by the system's clock")]
fn no_judge_refuses_a_token_that_we_accept_however_odd_it_is() {
    let project = project();
    let forge = Forge::new(&project);
    let kid = forge.header["kid"].as_str().unwrap();
    let oddities = oddities(forge.claims["iat"].as_i64().unwrap());
    let mut tokens: BTreeMap<String, String> =
        oddities.iter().map(|odd| (format!("{odd:.200?}"), forge.odd(&[odd]))).collect();
    let pairs = support::variable("VAULT_KIT_ODD_TOKENS").map_or(300, |count| count.parse().unwrap());
    let (mut runner, any) = (TestRunner::deterministic(), prop::sample::select(oddities));
    for _ in 0..pairs {
        let pair = [(); 2].map(|()| any.new_tree(&mut runner).unwrap().current());
        tokens.insert(format!("{pair:.200?}"), forge.odd(&pair.each_ref()));
    }

    let key = project.get("HS256_KEY");
    let mut keys = KeySet::default();
    keys.add(VerificationKey::shared(kid, Algorithm::Hs256, &key, State::Active).unwrap());
    let otherwise = Accepted { issuers: vec![ISSUER.to_owned()], audiences: vec![AUDIENCE.to_owned()] };
    let verifier = Verifier { otherwise, ..Verifier::new(&keys) };
    let now = Utc::now();
    let accepted: BTreeSet<&str> =
        tokens.iter().filter(|(_, token)| verifier.verify(token, now).is_ok()).map(|(name, _)| &**name).collect();
    assert!(accepted.len() > 50 && accepted.len() * 2 < tokens.len(), "{} of {}", accepted.len(), tokens.len());

    let set = json!({"keys": [{"kty": "oct", "kid": kid, "alg": "HS256", "k": BASE64URL_NOPAD.encode(&key)}]});
    let (verdicts, _) = ask(&set, &tokens);
    let too_lax: Vec<_> = accepted.iter().filter_map(|&name| verdicts.get_key_value(name)).collect();
    let too_lax: Vec<_> = too_lax.into_iter().filter(|(_, by)| by.values().any(|verdict| !verdict.is_null())).collect();
    assert!(too_lax.is_empty(), "{} of {}: {too_lax:#?}", too_lax.len(), tokens.len());
}

#[test]
fn the_same_token_is_good_when_nothing_about_it_was_changed() {
    let project = project();
    let forge = Forge::new(&project);
    let same = forge.sign(&forge.header.to_string(), &forge.claims.to_string());
    assert_eq!(reason(&project, &same, &["--audience", AUDIENCE]), None);
    let (verdicts, _) =
        ask(&jwks_with_shared_keys(&project, &ALGORITHMS), &BTreeMap::from([("same".to_owned(), same)]));
    assert!(verdicts.into_values().flatten().all(|(_, verdict)| verdict.is_null()));
}

#[test]
fn claims_are_printed_of_a_verified_token_alone() {
    let project = project();
    let good = token(&project, "ES256");
    let run = project.run_with_stdin(["token", "verify"], format!("{good}\n").as_bytes()).assert_code(0);
    let claims: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["scope"], &claims["role"]),
        (&json!("svc:api"), &json!("read write"), &json!("service"))
    );
    assert_eq!(run.stderr, "");
    let run = project.run_with_stdin(["token", "verify", "--audience", "elsewhere"], good.as_bytes()).assert_code(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.starts_with("vault-kit: error: the token is refused: aud_mismatch: "), "{}", run.stderr);
    assert!(!run.stderr.contains("svc:api"));
}

#[test]
fn roles_and_scopes_can_be_asked_for() {
    let project = project();
    let good = token(&project, "HS256");
    let reason = |flags: &[&str]| reason(&project, &good, flags);
    assert_eq!(reason(&["--require-role", "admin", "--require-role", "service"]), None);
    assert_eq!(reason(&["--require-role", "admin"]).as_deref(), Some("role_denied"));
    assert_eq!(reason(&["--require-scope", "read", "--require-scope", "write"]), None);
    assert_eq!(reason(&["--require-scope", "delete"]).as_deref(), Some("scope_missing"));
    project.run(["token", "verify", "--require-role", "root"]).assert_code(2);
}

#[test]
fn a_key_set_and_a_list_of_revoked_tokens_are_enough_where_there_is_no_project() {
    let project = project();
    let elsewhere = Project::empty();
    elsewhere.write("keys.json", project.run(["token", "jwks"]).assert_code(0).stdout);
    let good = token(&project, "EdDSA");
    let claims = decoded(good.split('.').nth(1).unwrap());
    let from_file = ["--jwks", "keys.json", "--issuer", ISSUER, "--audience", AUDIENCE];
    assert_eq!(reason(&elsewhere, &good, &from_file), None);
    assert!(!elsewhere.identity().exists());
    // A shared key is in no file, and so its tokens are not for those who have only that.
    assert_eq!(reason(&elsewhere, &token(&project, "HS256"), &from_file).as_deref(), Some("alg_not_allowed"));
    verify(&elsewhere, &good, &["--jwks", "keys.json"]).assert_code(2);
    verify(&elsewhere, &good, &["--jwks", "-", "--issuer", ISSUER, "--audience", AUDIENCE]).assert_code(2);
    verify(&project, &good, &["--revoked", "-"]).assert_code(2);

    let list = |tokens: Value, subjects: Value| {
        let list = json!({"vault_kit_revocations": 1, "tokens": tokens, "subjects": subjects});
        elsewhere.write("revoked.json", list.to_string());
        reason(&elsewhere, &good, &[&from_file[..], &["--revoked", "revoked.json"]].concat())
    };
    assert_eq!(list(json!([]), json!([{"sub": "svc:api", "issued_before": claims["iat"]}])), None);
    let next = claims["iat"].as_i64().unwrap() + 1;
    assert_eq!(list(json!([]), json!([{"sub": "svc:api", "issued_before": next}])).as_deref(), Some("revoked"));
    assert_eq!(list(json!([{"jti": claims["jti"], "exp": claims["exp"]}]), json!([])).as_deref(), Some("revoked"));
}

#[test]
fn only_public_keys_are_published() {
    let project = project();
    let set = jwks(&project);
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    for key in keys {
        let names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match key["kty"].as_str().unwrap() {
            "RSA" => &["alg", "e", "kid", "kty", "n", "use"],
            "OKP" => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "crv", "kid", "kty", "use", "x", "y"],
        };
        assert_eq!(names, expected);
    }
}

#[test]
fn a_token_of_a_replaced_key_is_told_from_a_foreign_one() {
    let project = Project::initialised(
        "[project]\nname = \"p\"\n[secrets.KEY]\nkind = \"random\"\n[secrets.PAIR]\nkind = \"keypair\"\n\
         [secrets.A]\nkind = \"token\"\nsigned_by = \"KEY\"\n[secrets.B]\nkind = \"token\"\nsigned_by = \"PAIR\"\n",
    );
    for (key, name) in [("KEY", "A"), ("PAIR", "B")] {
        let old = String::from_utf8(project.get(name)).unwrap();
        assert_eq!(reason(&project, &old, &[]), None);
        for _ in 0..6 {
            project.run(["generate", "--replace", key, "--yes"]).assert_code(0);
            assert_eq!(reason(&project, &old, &[]).as_deref(), Some("key_retired"));
        }
        let new = String::from_utf8(project.get(name)).unwrap();
        assert_eq!(reason(&project, &new, &[]), None);
    }
}

#[test]
fn a_token_of_a_key_that_is_published_and_does_not_sign_yet_is_refused_for_that() {
    let project = Project::initialised(
        "[project]\nname = \"p\"\n[secrets.PAIR]\nkind = \"keypair\"\n[secrets.A]\nkind = \"token\"\nsigned_by = \"PAIR\"\n\
         [outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\n",
    );
    let good = String::from_utf8(project.get("A")).unwrap();
    project.run(["generate", "--replace", "PAIR"]).assert_code(0);
    let store = project.store();
    let next = store.secrets[&SecretName::new("PAIR").unwrap()].last().unwrap();
    let pem = next.parts.part(Part::Key).unwrap().expose_text().unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let (der, random) = (BASE64.decode(base64.as_bytes()).unwrap(), SystemRandom::new());
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).unwrap();
    let signed = |kid: &str| {
        let header = json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}).to_string();
        let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), good.split('.').nth(1).unwrap());
        let signature = key.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    };
    assert_eq!(reason(&project, &good, &[]), None);
    assert_eq!(reason(&project, &signed(&next.facts["kid"]), &[]).as_deref(), Some("key_not_yet_active"));
    let current = header(&good)["kid"].as_str().unwrap().to_owned();
    assert_eq!(reason(&project, &signed(&current), &[]).as_deref(), Some("bad_signature"));
}

#[test]
fn a_key_signs_for_the_audiences_of_its_own_tokens_only() {
    let project = Project::initialised(
        "[project]\nname = \"p\"\n[secrets.GRID_KEY]\nkind = \"random\"\n[secrets.BANK_KEY]\nkind = \"random\"\n\
         [secrets.GRID]\nkind = \"token\"\nsigned_by = \"GRID_KEY\"\naudience = [\"grid\"]\n\
         [secrets.BANK]\nkind = \"token\"\nsigned_by = \"BANK_KEY\"\naudience = [\"bank\"]\n",
    );
    let token = String::from_utf8(project.get("GRID")).unwrap();
    let (header, claims) = (header(&token), decoded(token.split('.').nth(1).unwrap()));
    let forge = Forge { key: hmac::Key::new(hmac::HMAC_SHA256, &project.get("GRID_KEY")), header, claims };
    assert_eq!(reason(&project, &token, &[]), None);
    assert_eq!(reason(&project, &forge.claim("aud", json!(["bank"])), &[]).as_deref(), Some("aud_mismatch"));
}

#[test]
fn inspection_says_loudly_that_nothing_was_checked() {
    let elsewhere = Project::empty();
    let header = BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
    let claims = BASE64URL_NOPAD.encode("{\"sub\":\"\u{9b}31m\u{202e}root\\u001b\"}".as_bytes());
    let run =
        elsewhere.run_with_stdin(["-q", "token", "inspect"], format!("{header}.{claims}.").as_bytes()).assert_code(0);
    assert!(run.stderr.contains("SIGNATURE NOT CHECKED"), "{}", run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&answer["verified"], &answer["header"]["alg"]), (&json!(false), &json!("none")));
    assert!(run.stdout.chars().all(|it| it == '\n' || !it.is_control() && it != '\u{202e}'), "{:?}", run.stdout);
}

#[test]
fn a_proxy_is_answered_from_the_headers_of_a_request() {
    let project = project();
    let ask = |request: String, flags: &[&str]| {
        project.run_with_stdin([&["token", "verify", "--forward-auth"], flags].concat(), request.as_bytes())
    };
    let bearer = format!("Host: x\nX-User-Role: admin\nauthorization: Bearer {}\n", token(&project, "ES256"));
    let run = ask(bearer.clone(), &[]).assert_code(0);
    assert_eq!(run.stdout, "Status: 200 OK\nX-User-Id: svc:api\nX-User-Role: service\nX-User-Scope: read write\n\n");
    let run = ask(bearer.clone(), &["--require-role", "admin"]).assert_code(1);
    assert!(
        run.stdout
            .starts_with("Status: 403 Forbidden\nX-User-Id:\nX-User-Role:\nX-User-Scope:\nWWW-Authenticate: Bearer ")
    );
    let run = ask("Host: x\n".into(), &[]).assert_code(1);
    assert!(run.stdout.starts_with("Status: 401 Unauthorized\nX-User-Id:\n"), "{run:?}");
    let run = ask(format!("x_user_role: admin\n{bearer}"), &["--json"]).assert_code(1);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!(401), &json!("invalid_request")));
    assert_eq!(answer["headers"]["X-User-Role"], "");
}

#[test]
fn traefiks_labels_strip_before_they_ask() {
    let project = Project::empty();
    let labels = |arguments: &[&str]| project.run([&["token", "forward-auth", "labels"], arguments].concat());
    let text = labels(&["--address", "http://auth:9000/verify", "--name", "omni"]).assert_code(0).stdout;
    let strip = text.find("omni-strip.headers.customrequestheaders.X-User-Role=\n").unwrap();
    assert!(strip < text.find("omni-ask.forwardauth.address=http://auth:9000/verify\n").unwrap());
    assert!(text.ends_with("traefik.http.middlewares.omni.chain.middlewares=omni-strip,omni-ask\n"));
    labels(&["--address", "auth:9000"]).assert_code(2);
    labels(&["--address", "http://a b"]).assert_code(2);
    labels(&["--address", "http://a", "--name", "a.b"]).assert_code(2);
    labels(&[]).assert_code(2);
}

/// What the judges say of each token by the key set that a project delivers: whether it is accepted.
fn by_delivered_set(project: &Project, tokens: &BTreeMap<String, String>) -> BTreeMap<String, bool> {
    let set: Value = serde_json::from_str(&project.read("jwks.json")).unwrap();
    let (verdicts, _) = ask(&set, tokens);
    let agreed = |(name, by_library): (String, BTreeMap<String, Value>)| {
        let accepted = by_library.values().filter(|verdict| verdict.is_null()).count();
        assert!(accepted == 0 || accepted == by_library.len(), "{name}: {by_library:?}");
        (name, accepted > 0)
    };
    verdicts.into_iter().map(agreed).collect()
}

/// Moves everything that happened to the key `SIGNER` and its file into the past, and writes what is due by then.
fn pass(project: &Project, time: TimeDelta) {
    let name = SecretName::new("SIGNER").unwrap();
    project.edit_store(|store| {
        for version in store.secrets.get_mut(&name).unwrap() {
            version.life.published = version.life.published.map(|at| at - time);
            version.life.replaced = version.life.replaced.map(|at| at - time);
        }
    });
    // What was written within a second counts from its end on.
    project.age("jwks.json", (time + TimeDelta::seconds(1)).to_std().unwrap());
    project.run(["render"]).assert_code(0);
}

#[test]
fn the_judges_verify_through_the_delivered_key_set_before_during_and_after_a_rotation() {
    let project = Project::initialised(&format!(
        r#"
        [project]
        name = "judged"
        issuer = "{ISSUER}"
        [secrets.SIGNER]
        kind = "keypair"
        overlap = "30m"
        [secrets.SERVICE]
        kind = "token"
        signed_by = "SIGNER"
        audience = ["{AUDIENCE}"]
        [outputs.keys]
        format = "jwks"
        path = "jwks.json"
        "#
    ));
    let service = |project: &Project| String::from_utf8(project.get("SERVICE")).unwrap();
    let pass = |hours: i64| pass(&project, TimeDelta::hours(hours));
    let mut tokens = BTreeMap::from([("first".to_owned(), service(&project))]);
    let all_good = |tokens: &BTreeMap<String, String>| by_delivered_set(&project, tokens).values().all(|good| *good);
    assert!(all_good(&tokens), "before");
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    assert_eq!(service(&project), tokens["first"]);
    assert!(all_good(&tokens), "published");
    pass(1);
    tokens.insert("second".to_owned(), service(&project));
    assert_ne!(tokens["first"], tokens["second"]);
    assert!(all_good(&tokens), "active");
    pass(2);
    let after = by_delivered_set(&project, &tokens);
    assert!(after.is_empty() || (!after["first"] && after["second"]), "{after:?}");
    assert_eq!(reason(&project, &tokens["first"], &[]).as_deref(), Some("key_retired"));
    assert_eq!(reason(&project, &tokens["second"], &[]), None);
}

/// As many tokens before, between and after publication and activation as `VAULT_KIT_MINTED` says.
#[test]
fn no_judge_with_a_key_set_as_old_as_it_may_be_refuses_a_token_that_was_minted_across_a_rotation() {
    let project = Project::initialised(&format!(
        "[project]\nname = \"judged\"\nissuer = \"{ISSUER}\"\n[secrets.SIGNER]\nkind = \"keypair\"\noverlap = \"30m\"\n\
         [outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nmax_age = \"10m\"\n"
    ));
    let count = support::variable("VAULT_KIT_MINTED").map_or(8, |count| count.parse().unwrap());
    let words = ["token", "mint", "--role", "reader", "--subject", "user:42", "--audience", AUDIENCE];
    let minted = |when: &str| -> BTreeMap<String, String> {
        let mint = || project.run(words).assert_code(0).stdout.trim().to_owned();
        (0..count).map(|number| (format!("{when} {number}"), mint())).collect()
    };
    let set = || -> Value { serde_json::from_str(&project.read("jwks.json")).unwrap() };
    // Each library by itself: all tokens, or none.
    let refused = |set: &Value, tokens: &BTreeMap<String, String>| -> BTreeSet<(String, String)> {
        let (verdicts, _) = ask(set, tokens);
        let by_library = verdicts.into_iter().flat_map(|(name, by)| by.into_iter().map(move |it| (name.clone(), it)));
        by_library.filter(|(_, (_, verdict))| !verdict.is_null()).map(|(name, (library, _))| (name, library)).collect()
    };
    let first = set();
    let mut tokens = minted("before");
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    tokens.extend(minted("published"));
    let second = set();
    assert_eq!((refused(&first, &tokens), refused(&second, &tokens)), (BTreeSet::new(), BTreeSet::new()));

    pass(&project, TimeDelta::minutes(10));
    let activated = minted("activated");
    let kid = |token: &str| header(token)["kid"].clone();
    assert!(activated.values().all(|token| kid(token) != kid(&tokens["before 0"])));
    // Whoever holds the first set is past its age, and would be right to ask for another.
    let strangers = refused(&first, &activated).len();
    assert_eq!(strangers % activated.len(), 0, "{strangers}");
    assert!(strangers > 0 || ask(&first, &activated).0.is_empty());
    tokens.extend(activated);
    assert_eq!((refused(&second, &tokens), refused(&set(), &tokens)), (BTreeSet::new(), BTreeSet::new()));
}
