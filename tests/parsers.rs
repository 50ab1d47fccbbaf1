//! Every parser of foreign text, fed with anything: it never panics, and its error repeats nothing of what it read.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

use std::sync::LazyLock;

use chrono::DateTime;
use proptest::collection::vec;
use proptest::prelude::*;
use vault_kit::api_key;
use vault_kit::emit::{dotenv_read, json_read};
use vault_kit::error::Error;
use vault_kit::generate;
use vault_kit::manifest;
use vault_kit::manifest::model::Dialect;
use vault_kit::manifest::period::Period;
use vault_kit::manifest::template::Template;
use vault_kit::name::{EnvName, SecretName};
use vault_kit::observe::git_index;
use vault_kit::secret::Secret;
use vault_kit::secret::parts::Parts;
use vault_kit::store::identity::{Identities, new_identity_file};
use vault_kit::store::ledger::Ledger;
use vault_kit::store::{Life, Origin, Recipients, Stage, Store, Version, derive, seal};
use vault_kit::token::revocation::Revocations;
use vault_kit::token::verify::Verifier;
use vault_kit::token::{forward_auth, inspect, jwks};

/// Stands in inputs where a value stands; no word of ours contains it.
const CANARY: &str = "Zq7Xv9Kw3Jp5";

/// What happens to an input.
#[derive(Clone, Debug)]
enum Change {
    Cut(prop::sample::Index),
    Drop(prop::sample::Index, usize),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let tokens = prop::sample::select(vec![
        &b"\""[..],
        b"'",
        b"\\",
        b"\n",
        b"\r",
        b"\0",
        b"=",
        b"[",
        b"]",
        b"{",
        b"}",
        b"${",
        b"|",
        b"#",
        b".",
        b",",
        b"-",
        b"\xff",
        b"\xef\xbb\xbf",
        b"1e400",
        b"999999999999999999999",
        b"null",
        b"\"\"\"",
        b"-----",
        CANARY.as_bytes(),
    ]);
    prop_oneof![
        at().prop_map(Change::Cut),
        (at(), 1..40_usize).prop_map(|(at, length)| Change::Drop(at, length)),
        (at(), 1..=255_u8).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (at(), tokens).prop_map(|(at, token)| Change::Insert(at, token.to_vec())),
        (at(), 1..40_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

fn changed(original: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for change in changes.iter().filter(|_| !original.is_empty()) {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Drop(at, length) => {
                let start = at.index(bytes.len());
                bytes.drain(start..bytes.len().min(start + length));
            }
            Change::Flip(at, mask) => {
                let index = at.index(bytes.len());
                bytes[index] ^= mask;
            }
            Change::Insert(at, token) => {
                let index = at.index(bytes.len());
                bytes.splice(index..index, token.iter().copied());
            }
            Change::Repeat(at, length) => {
                let start = at.index(bytes.len());
                let piece = bytes[start..bytes.len().min(start + length)].to_vec();
                bytes.splice(start..start, piece);
            }
        }
    }
    bytes
}

/// A known-good input with a few changes, or anything at all.
fn mutated(original: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => vec(change(), 0..6).prop_map(move |changes| changed(&original, &changes)),
        1 => vec(any::<u8>(), 0..200),
    ]
}

/// The canary is told nowhere: neither in the message, nor in its hints, nor by `Debug`.
#[track_caller]
fn assert_silent(error: &Error) {
    for error in std::iter::once(error).chain(error.others()) {
        let text = format!("{error} {error:?} {:?}", error.hints());
        assert!(!text.contains(CANARY), "{text}");
        // Nor a part of it that is too long to be chance.
        assert!(!text.contains(&CANARY[..8]) && !text.contains(&CANARY[4..]), "{text}");
    }
}

const MANIFEST: &str = r#"
[project]
name = "p"
default_environment = "dev"

[environments.dev]
recipients = { me = "Zq7Xv9Kw3Jp5" }

[secrets.A]
kind = "random"
bytes = 32
rotate = "90d"

[secrets.B]
kind = "external"
pattern = "^Zq7Xv9Kw3Jp5"
value = "Zq7Xv9Kw3Jp5"

[secrets.C]
kind = "template"
template = "Zq7Xv9Kw3Jp5 ${A | urlencode} ${B}"

[secrets.D]
kind = "setting"
value = "Zq7Xv9Kw3Jp5"
values = { dev = "Zq7Xv9Kw3Jp5" }

[outputs.env]
format = "dotenv"
dialect = "Zq7Xv9Kw3Jp5"
path = ".env"
secrets = ["A", "B"]
mode = "0600"
"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_manifest(bytes in mutated(MANIFEST.as_bytes().to_vec())) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(issues) = manifest::parse(&text, "vault-kit.toml") {
            // Names are repeated, so that a person finds them: a change may have made a name of the canary.
            let name = |line: &str| line.split('=').next().unwrap_or("").contains(CANARY) || line.contains('[');
            let is_a_name = text.lines().any(|line| name(line) && line.contains(CANARY));
            let told = format!("{} {issues:?} {}", issues.summary(), issues.lines().collect::<String>());
            prop_assert!(is_a_name || !told.contains(CANARY), "{}", told);
        }
    }

    #[test]
    fn a_dotenv_file(bytes in mutated(
        format!("# c\nexport A='{CANARY}'\nB=\"{CANARY}\\n$X\"\nC={CANARY} # x\nD='{CANARY}\n{CANARY}'\nE=\n").into_bytes(),
    )) {
        for dialect in [Dialect::Portable, Dialect::DockerRun] {
            if let Err(error) = dotenv_read::read_as(dialect, &bytes) {
                // The name of an assignment is repeated.
                let text = String::from_utf8_lossy(&bytes);
                let is_a_name = text.lines().any(|line| line.split_once('=').is_some_and(|(name, _)| name.contains(CANARY)));
                if !is_a_name {
                    assert_silent(&error);
                }
            }
        }
    }

    #[test]
    fn a_json_file(bytes in mutated(
        serde_json::json!({ "A": CANARY, "B": 1.5, "C": true, "D": format!("\u{e9}\n{CANARY}") }).to_string().into_bytes(),
    )) {
        if let Err(error) = json_read::read(&bytes) {
            let is_a_name = String::from_utf8_lossy(&bytes).split(CANARY).skip(1).any(|rest| rest.contains("\":"));
            if !is_a_name {
                assert_silent(&error);
            }
        }
    }

    #[test]
    fn a_ledger(bytes in mutated(ledger())) {
        if let Err(error) = Ledger::parse(&bytes, "dev.ledger.jsonl") {
            assert_silent(&error);
        }
    }

    #[test]
    fn an_identity_file(bytes in mutated(identity())) {
        match Identities::parse(&Secret::copy_of(&bytes), "identity.txt") {
            Err(error) => {
                assert_silent(&error);
                prop_assert!(!error.to_string().contains("AGE-SECRET-KEY-1"));
            }
            Ok(identities) => {
                let told = format!("{identities:?}");
                prop_assert!(!told.contains("AGE-SECRET-KEY"));
            }
        }
    }

    #[test]
    fn a_period(text in prop_oneof!["\\PC{0,12}", "[0-9]{0,22}[smhdwy]"]) {
        if let Some(period) = Period::parse(&text) {
            prop_assert!(period.seconds() > 0);
        }
    }

    #[test]
    fn a_template(text in prop_oneof!["\\PC{0,40}", "([a-z:/@]|\\$|\\{|\\}|\\||[A-Z_]|\\$\\{[A-Z]+( \\| (urlencode|json))?\\}){0,30}"]) {
        // Whatever is understood refers to names that are names.
        if let Ok(template) = Template::parse(&text) {
            prop_assert!(template.references().all(|name| text.contains(name.as_str())));
        }
    }

    #[test]
    fn a_key_set(bytes in mutated(key_set().into_bytes())) {
        match jwks::parse(&bytes, "keys.json") {
            Err(error) => assert_silent(&error),
            // Whatever is left verifies its own algorithm, and can be published.
            Ok(set) => prop_assert!(set.keys().all(|key| key.public_key().is_some_and(|it| it.serves(key.algorithm())))),
        }
    }

    #[test]
    fn a_list_of_revoked_tokens(bytes in mutated(
        format!(r#"{{"vault_kit_revocations":1,"tokens":[{{"jti":"{CANARY}","exp":1}}],"subjects":[{{"sub":"{CANARY}","issued_before":1}}]}}"#)
            .into_bytes(),
    )) {
        if let Err(error) = Revocations::parse(&bytes, "revoked.json") {
            assert_silent(&error);
        }
    }

    #[test]
    fn a_list_of_api_keys(bytes in mutated(
        format!(r#"{{"vault_kit_api_keys":1,"keys":[{{"id":"{CANARY}","name":"{CANARY}","sha256":"{}","created":1}}]}}"#, "0".repeat(64))
            .into_bytes(),
    )) {
        if let Err(error) = api_key::document::Document::parse(&bytes, "keys.json") {
            assert_silent(&error);
        }
    }

    #[test]
    fn an_api_key(bytes in mutated(vault_kit::generate::api_key::draw("k_").unwrap().expose().to_vec())) {
        // The checksum misses one change in 2^32, and a change may change nothing.
        let _ = api_key::verify::Presented::read(&Secret::new(bytes));
    }

    #[test]
    fn a_token_and_a_request_that_brings_it((token, request) in (
        mutated(VALUES[3].clone().into_bytes()),
        mutated(format!("Host: x\nAuthorization: Bearer {}\nX-User-Role: {CANARY}\n", VALUES[3]).into_bytes()),
    )) {
        let keys = jwks::parse(key_set().as_bytes(), "keys.json").unwrap();
        let (verifier, now) = (Verifier::new(&keys), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        if let Ok(token) = std::str::from_utf8(&token) {
            prop_assert!(verifier.verify(token, now).is_err());
            let _ = inspect::inspect(token);
        }
        let answer = forward_auth::answer(&request, &verifier, now);
        prop_assert_eq!(answer.status, 401);
        prop_assert!(!answer.to_text().contains(CANARY));
    }

    #[test]
    fn the_index_of_git((bytes, id_length) in (mutated(git_index_bytes()), prop::sample::select(vec![20_usize, 32]))) {
        let mut total = 0;
        let _ = git_index::visit(&bytes, id_length, |path| total += path.len());
        // A compressed path of version 4 repeats what came before, and nothing more.
        prop_assert!(total <= bytes.len() * bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sealed_store((index, changes) in (0..2_usize, vec(change(), 1..4))) {
        let original = &SEALED.stores[index];
        let bytes = changed(original, &changes);
        match seal::open(&bytes, &SEALED.identities, "dev.age") {
            Err(error) => assert_silent(&error),
            Ok(store) => {
                // An armored file may differ in white space; what it holds may not.
                prop_assert!(bytes == *original || index == 1);
                prop_assert_eq!(store.secrets.len(), 1);
            }
        }
    }

    #[test]
    fn a_value_that_looks_like_a_key_a_certificate_or_a_token(
        (index, changes) in (0..5_usize, vec(change(), 0..4)),
    ) {
        let bytes = changed(VALUES[index].as_bytes(), &changes);
        let facts = generate::inspect(&Secret::new(bytes));
        // Facts are kept in the ledger: nothing of a private key may be among them.
        let told = format!("{facts:?}");
        prop_assert!(!told.contains(&KEY_BODY[24..44]) && !told.contains(CANARY), "{}", told);
    }
}

struct Sealed {
    /// Plain and armored.
    stores: [Vec<u8>; 2],
    identities: Identities,
    identity: Vec<u8>,
    ledger: Vec<u8>,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let (identity, recipient) = new_identity_file(now);
    let keys = [("me".to_owned(), recipient)].into_iter().collect();
    let environment = EnvName::new("dev").unwrap();
    let mut store = Store::new("p", &environment, Recipients { declared: false, keys }, now).unwrap();
    let version = Version {
        kind: "random".into(),
        id: vault_kit::secret::random::version_id().unwrap(),
        stage: Stage::Current,
        origin: Origin::Set,
        created: now,
        expires: None,
        life: Life::default(),
        bits: None,
        recipe: None,
        inputs: std::collections::BTreeMap::new(),
        facts: std::collections::BTreeMap::new(),
        fingerprint: None,
        public: None,
        parts: Parts::value(Secret::from_text(CANARY.to_owned())),
    };
    store.promote(&SecretName::new("A").unwrap(), version);
    let plain = seal::seal(&store, "dev.age").unwrap();
    let body = data_encoding::BASE64.encode(&plain);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let armored =
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n", lines.join("\n"));
    let manifest =
        manifest::parse("[project]\nname = \"p\"\n[secrets.A]\nkind = \"external\"\n", "vault-kit.toml").unwrap();
    let ledger = derive::ledger(&store, "00".repeat(32), &manifest, std::collections::BTreeMap::new(), now);
    let mut ledger = ledger.to_bytes().unwrap();
    ledger.extend(format!("{{\"{CANARY}\":\"{CANARY}\"}}\n").into_bytes());
    Sealed {
        stores: [plain, armored.into_bytes()],
        identities: Identities::parse(&identity, "identity").unwrap(),
        identity: identity.expose().to_vec(),
        ledger,
    }
});

fn identity() -> Vec<u8> {
    [SEALED.identity.clone(), format!("# {CANARY}\nAGE-SECRET-KEY-1{CANARY}\n").into_bytes()].concat()
}

fn ledger() -> Vec<u8> {
    SEALED.ledger.clone()
}

/// A set with a key of each type; RFC 8037 appendix A.2 has the first one.
fn key_set() -> String {
    let n = data_encoding::BASE64URL_NOPAD.encode(&[0xff; 256]);
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{CANARY}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},{{"kty":"RSA","kid":"r","alg":"PS256","use":"sig","n":"{n}","e":"AQAB"}}]}}"#
    )
}

/// The body of the PKCS#8 key below, made for this test by `openssl genpkey -algorithm ed25519`.
const KEY_BODY: &str = "MC4CAQAwBQYDK2VwBCIEICMfX+pK2ZjhVW2c1vqiHCnz2uE6ZheN82sNBGh/KaR3";

static VALUES: LazyLock<[String; 5]> = LazyLock::new(|| {
    let encode = |text: String| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let certificate = include_str!("fixtures/certificate.pem");
    [
        format!("-----BEGIN PRIVATE KEY-----\n{KEY_BODY}\n-----END PRIVATE KEY-----\n"),
        certificate.to_owned(),
        format!("{certificate}{certificate}"),
        format!(
            "{}.{}.c2lnbmF0dXJl",
            encode("{\"alg\":\"HS256\"}".into()),
            encode("{\"exp\":1800000000,\"sub\":\"x\"}".into())
        ),
        format!("{}.{}.{CANARY}", encode("{\"alg\":1}".into()), encode("{\"exp\":1e400,\"iss\":[1]}".into())),
    ]
});

/// Two entries of version 2, as git writes them.
fn git_index_bytes() -> Vec<u8> {
    let mut bytes = b"DIRC\0\0\0\x02\0\0\0\x02".to_vec();
    for path in [&b".env"[..], b"src/main.rs"] {
        let start = bytes.len();
        bytes.extend([0; 40]);
        bytes.extend([7; 20]);
        bytes.extend(u16::try_from(path.len()).unwrap().to_be_bytes());
        bytes.extend(path);
        let padding = 8 - (bytes.len() - start) % 8;
        bytes.extend(vec![0; padding]);
    }
    bytes.extend([9; 20]);
    bytes
}

#[test]
fn what_is_changed_above_is_good_before() {
    assert_eq!(jwks::parse(key_set().as_bytes(), "keys.json").unwrap().keys().count(), 2);
    for sealed in &SEALED.stores {
        assert_eq!(seal::open(sealed, &SEALED.identities, "dev.age").unwrap().secrets.len(), 1);
    }
    let facts: Vec<_> = VALUES[..4].iter().map(|value| generate::inspect(&Secret::from_text(value.clone()))).collect();
    assert!(facts.iter().all(|facts| !facts.facts.is_empty() || facts.expires.is_some()), "{facts:?}");
    let mut paths = Vec::new();
    git_index::visit(&git_index_bytes(), 20, |path| paths.push(path.to_vec())).unwrap();
    assert_eq!(paths, [&b".env"[..], b"src/main.rs"]);
    let last_line_off = SEALED.ledger.iter().rposition(|&byte| byte == b'{').unwrap();
    Ledger::parse(&SEALED.ledger[..last_line_off], "ledger").unwrap();
}
