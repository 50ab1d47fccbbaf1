//! First manifests: a starter for an empty directory, or one proposed from the names of an `.env.example` and of Compose files.
//!
//! Text in, text out. An example value is copied only where nothing in its name or shape says that it may be a secret.

mod compose;
mod propose;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use compose::{Asked, Notes};
use propose::{Proposal, Proposer};

use crate::compose::needs::Needs;
use crate::name::SecretName;

/// How examples are called: as the file that they are of, and this.
pub const EXAMPLES: [&str; 4] = [".example", ".sample", ".template", ".dist"];

/// A small commented manifest for an empty directory.
pub fn starter(project: &str) -> String {
    format!("{HEAD}\n[project]\nname = {}\n{STARTER}{FINGERPRINTS}", quoted(&project_name(project)))
}

const HEAD: &str = "\
# What this deployment keeps secret: how each value is made, where it is delivered, how often it rotates.
# This file holds no secret and belongs in git. All fields: `vault-kit schema manifest`.
";

const STARTER: &str = r#"
# One value that all services share to sign and verify sessions and tokens.
[secrets.AUTH_SECRET]
kind = "random"            # 32 random bytes, written as base64url
rotate = "90d"
overlap = "24h"            # the previous value stays deliverable this long

# A JWT for administrators, signed with the secret above and made anew whenever that rotates.
[secrets.ADMIN_TOKEN]
kind = "token"
signed_by = "AUTH_SECRET"
role = "admin"
ttl = "90d"

# A certificate authority for development, and what it vouches for.
[secrets.DEV_CA]
kind = "ca"

[secrets.LOCALHOST_TLS]
kind = "certificate"
issuer = "DEV_CA"
dns = ["localhost"]
ip = ["127.0.0.1", "::1"]
ttl = "90d"

# `NAME=value` lines for Docker Compose and for shells.
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["AUTH_SECRET"]

# One file a secret, for `secrets:` in a Compose file.
[outputs.docker]
format = "docker-secrets"
path = ".secrets"
secrets = ["AUTH_SECRET", "ADMIN_TOKEN"]

# Certificate and key as nginx and other servers read them; clients trust `ca.pem`.
[outputs.tls]
format = "pem"
path = "tls"
secrets = ["LOCALHOST_TLS"]
files = { ca = "ca.pem", fullchain = "cert.pem", key = "key.pem" }
"#;

/// Without it a clone knows no value, and the git hooks let it commit nothing.
const FINGERPRINTS: &str = r#"
# Hashes of the values that are made here; none leads to its value. Commit this file: by it `scan` and the git
# hooks find a leak in every clone and in CI.
[outputs.fingerprints-dev]
format = "fingerprints"
environments = ["dev"]
path = "fingerprints/dev.json"
"#;

/// A manifest that proposes a kind for each name of an example file, from its name and example value.
pub fn from_example(project: &str, entries: &[(String, String)]) -> String {
    from_sources(project, entries, None, &BTreeMap::new())
}

/// As [`from_example`], of what Compose files need too: their paths, and that. Values of the `.env` that is there are compared,
/// and nothing is copied but what stands around a password in an address, and everyday words of what the example shows to be a
/// setting.
pub fn from_sources(
    project: &str,
    entries: &[(String, String)],
    compose: Option<(&[String], &Needs)>,
    beside: &BTreeMap<&str, &str>,
) -> String {
    let (mut entries, left_out) = usable(entries);
    let asked = compose.map(|(files, needs)| Asked::new(files, needs, &mut entries)).unwrap_or_default();
    let running = compose.into_iter().flat_map(|(_, needs)| compose::running(needs));
    let running = running.chain(beside.iter().map(|(name, value)| (*name, *value))).collect();
    let proposer = Proposer::new(&entries, running);
    let mut text = format!("{HEAD}\n[project]\nname = {}\n", quoted(&project_name(project)));
    // Writing to a String cannot fail.
    if let Some((files, _)) = compose {
        let files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
        let _ = writeln!(text, "compose = [{}]", files.join(", "));
    }
    for (name, value) in &entries {
        push_secret(&mut text, name, &proposer.propose(name, value), &asked.notes_of(name));
    }
    if left_out > 0 {
        let _ = write!(
            text,
            "\n# Names of the example that are left out, since they stand there twice or are not names: {left_out}.\n"
        );
    }
    asked.push_left_out(&mut text);
    asked.push_outputs(&mut text, &entries);
    text + FINGERPRINTS
}

/// The entries with a valid name, each name once, and how many others there are.
fn usable(entries: &[(String, String)]) -> (Vec<(SecretName, &str)>, usize) {
    let mut seen = BTreeSet::new();
    let parsed =
        entries.iter().filter_map(|(name, value)| Some((SecretName::new(name.as_str()).ok()?, value.as_str())));
    let usable: Vec<_> = parsed.filter(|(name, _)| seen.insert(name.clone())).collect();
    let left_out = entries.len() - usable.len();
    (usable, left_out)
}

fn push_secret(text: &mut String, name: &SecretName, proposal: &Proposal, notes: &Notes) {
    let (why, fields) = describe(name, proposal);
    let _ = write!(text, "\n# {why}\n");
    for line in &notes.lines {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(text, "[secrets.{}]", key(name));
    for (field, value) in fields {
        let _ = writeln!(text, "{field} = {}", quoted(&value));
    }
    if notes.is_optional && matches!(proposal, Proposal::External(_)) {
        text.push_str("optional = true\n");
    }
}

/// A name as the key of a table.
fn key(name: &SecretName) -> String {
    if name.as_str().contains('.') { quoted(name.as_str()) } else { name.to_string() }
}

/// The comment and the fields of a proposal.
fn describe(name: &SecretName, proposal: &Proposal) -> (String, BTreeMap<&'static str, String>) {
    let kind = |kind: &str| BTreeMap::from([("kind", kind.to_owned())]);
    match proposal {
        Proposal::EncryptionKey => (
            "Made by vault-kit. What it encrypts must be encrypted again before it changes.".into(),
            kind("encryption-key"),
        ),
        Proposal::External(obtain) => {
            let mut fields = kind("external");
            fields.extend(obtain.map(|vendor| ("obtain", format!("the console of {vendor}"))));
            (format!("a person must supply this: vault-kit set {name}"), fields)
        }
        Proposal::Passphrase => ("Made by vault-kit: words that a person can type.".into(), kind("passphrase")),
        Proposal::Password => {
            ("Made by vault-kit: only this deployment's own services need to know it.".into(), kind("password"))
        }
        Proposal::Random => ("Made by vault-kit: random bytes that sign or salt.".into(), kind("random")),
        Proposal::Setting { value, runs } => {
            let mut fields = kind("setting");
            fields.insert("value", value.clone());
            let whose = if *runs { "the value that runs" } else { "the example's value" };
            (format!("Not secret: it lives here, with {whose}."), fields)
        }
        Proposal::Template { template, of } => {
            let mut fields = kind("template");
            fields.insert("template", template.clone());
            (format!("Follows `{of}`: made anew when that changes."), fields)
        }
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// The nearest name that a project can have; a directory's name may be anything.
fn project_name(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    let letters = text.chars().map(|letter| if plain(letter) { letter } else { '-' });
    let name: String = letters.skip_while(|letter| !letter.is_ascii_alphanumeric()).take(64).collect();
    if name.is_empty() { "project".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::{Kind, Manifest, parse};

    fn example(entries: &[(&str, &str)]) -> (String, Manifest) {
        let entries: Vec<_> = entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let text = from_example("my app", &entries);
        let manifest = parse(&text, "m").unwrap();
        (text, manifest)
    }

    fn kind_of(name: &str, value: &str) -> String {
        let (text, manifest) = example(&[("POSTGRES_PASSWORD", "x"), (name, value)]);
        let kind = manifest.secrets[name].kind.name().to_owned();
        assert_eq!(kind == "setting", text.contains(&quoted(value)) && value != "x", "{name}");
        kind
    }

    #[test]
    fn the_starter_parses_and_fits_a_screen() {
        let text = starter("my project");
        let manifest = parse(&text, "m").unwrap();
        assert_eq!((manifest.project.as_str(), manifest.secrets.len(), manifest.outputs.len()), ("my-project", 4, 4));
        assert!(text.lines().count() <= 64 && text.lines().all(|line| line.chars().count() <= 110));
    }

    #[test]
    fn a_kind_is_proposed_from_name_and_example() {
        for (name, value, kind) in [
            ("JWT_SECRET", "changeme", "random"),
            ("SESSION_KEY", "", "random"),
            ("SIGNING_KEY", "abc", "random"),
            ("PASSWORD_SALT", "abc", "random"),
            ("REDIS_PASSWORD", "changeme", "password"),
            ("DB_PASSWD", "", "password"),
            ("BACKUP_PASSPHRASE", "", "passphrase"),
            ("ENCRYPTION_KEY", "0123", "encryption-key"),
            ("OPENAI_API_KEY", "sk-...", "external"),
            ("ANTHROPIC_API_KEY", "your-api-key-here", "external"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "external"),
            ("AWS_SECRET_ACCESS_KEY", "", "external"),
            ("S3_SECRET_ACCESS_KEY", "", "external"),
            ("S3_SECRET_KEY", "", "external"),
            ("R2_SECRET_ACCESS_KEY", "changeme", "external"),
            ("STORAGE_SECRET_ACCESS_KEY", "", "external"),
            ("SPACES_SECRET", "", "external"),
            ("RECAPTCHA_SECRET", "", "external"),
            ("HCAPTCHA_SECRET_KEY", "", "external"),
            ("TURNSTILE_SECRET_KEY", "", "external"),
            ("CLOUDINARY_API_SECRET", "", "external"),
            ("TWITTER_CONSUMER_SECRET", "", "external"),
            ("SECRET_KEY", "", "random"),
            ("SECRET_KEY2", "", "random"),
            ("SESSION_SECRET", "", "random"),
            ("APP_SECRET", "", "random"),
            ("MINIO_ROOT_PASSWORD", "", "password"),
            ("STRIPE_WEBHOOK_SECRET", "whsec", "external"),
            ("SENTRY_DSN", "https://abc@sentry.io/1", "external"),
            ("SUPABASE_SERVICE_KEY", "eyJ", "external"),
            ("SMTP_PASSWORD", "", "external"),
            ("TLS_PRIVATE_KEY", "", "external"),
            ("SERVICE_TOKEN", "abc", "external"),
            ("GOOGLE_CLIENT_SECRET", "", "external"),
            ("SUPABASE_URL", "https://abc.supabase.co", "setting"),
            ("AWS_REGION", "us-east-1", "setting"),
            ("PORT", "8080", "setting"),
            ("LOG_LEVEL", "info", "setting"),
            ("DEBUG", "false", "setting"),
            ("POSTGRES_USER", "app", "setting"),
            ("CORS_ORIGINS", "http://localhost:3000,https://app.example.com", "setting"),
            ("JWT_ALGORITHM", "HS256", "setting"),
            ("TOKEN_TTL", "3600", "setting"),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/postgres_password", "setting"),
            ("MAX_TOKENS", "4096", "setting"),
            ("DATABASE_URL", "postgres://app:changeme@db:5432/app", "template"),
            ("DATABASE_URL", "postgres://app:${POSTGRES_PASSWORD}@db:5432/app", "template"),
            ("DATABASE_URL", "sqlite:///data/app.db", "setting"),
            ("MONGO_URL", "mongodb://app:changeme@db/app", "external"),
            ("DATABASE_URL", "postgres://app:x@db/app?sslpassword=hunter2", "external"),
            ("HOOK", "https://hooks.example.com/services/T0000AAAA/abcdef0123456789", "external"),
            ("SOMETHING", "a1B2c3D4e5F6g7H8", "external"),
            ("DOMAIN", "your-domain.example", "external"),
            ("EMPTY", "", "external"),
            ("CACHE_KEY_PREFIX", "app:", "setting"),
            ("PRIMARY_KEY", "id", "setting"),
            ("REDIS_KEY", "app:sessions", "setting"),
            ("AUTH_URL", "https://auth.example.com", "setting"),
            ("AUTH", "oidc", "setting"),
            ("AUTH", "bob:secret", "external"),
            ("KEY", "9fK2mQ7xLp4Vz8Nd", "external"),
        ] {
            assert_eq!(kind_of(name, value), kind, "{name}={value}");
        }
    }

    #[test]
    fn a_connection_url_follows_its_password() {
        let (text, manifest) =
            example(&[("DATABASE_URL", "postgres://app:hunter2@db:5432/app"), ("POSTGRES_PASSWORD", "hunter2")]);
        assert!(text.contains(r#"template = "postgres://app:${POSTGRES_PASSWORD | urlencode}@db:5432/app""#), "{text}");
        assert!(!text.contains("hunter2"));
        assert_eq!(manifest.outputs["env"].secrets.len(), 2);
    }

    #[test]
    fn another_name_of_a_credential_has_its_value() {
        let (text, manifest) = example(&[
            ("REPLICA_PASSWORD", "${POSTGRES_PASSWORD}"),
            ("POSTGRES_PASSWORD", "${ROOT_PASSWORD}"),
            ("ROOT_PASSWORD", "x"),
            ("DATABASE_URL", "postgres://app:${REPLICA_PASSWORD}@db:5432/app"),
            ("A_SECRET", "${B_SECRET}"),
            ("B_SECRET", "${A_SECRET}"),
            ("C_SECRET", "${C_SECRET}"),
            ("D_SECRET", "${ELSEWHERE}"),
        ]);
        assert_eq!(text.matches(r#"template = "${ROOT_PASSWORD}""#).count(), 2, "{text}");
        assert!(text.contains(r#"template = "postgres://app:${REPLICA_PASSWORD | urlencode}@"#), "{text}");
        for name in ["ROOT_PASSWORD", "A_SECRET", "B_SECRET", "C_SECRET", "D_SECRET"] {
            assert!(!matches!(manifest.secrets[name].kind, Kind::Template(_)), "{name}");
        }
    }

    #[test]
    fn a_setting_has_the_value_that_runs_if_everybody_may_read_it() {
        for (shown, runs, expected) in [
            ("8080", "9090", Some("9090")),
            ("info", "debug", Some("debug")),
            ("INFO", "DEBUG", Some("DEBUG")),
            ("us-east-1", "eu-central-1", Some("eu-central-1")),
            (
                "http://localhost:3000",
                "https://shop.acme.io:8443,https://www2.acme.io",
                Some("https://shop.acme.io:8443,https://www2.acme.io"),
            ),
            ("UTC", "Europe/Berlin", Some("Europe/Berlin")),
            ("10.0.0.1", "192.168.1.20", Some("192.168.1.20")),
            ("true", "", Some("true")),
            ("same", "same", Some("same")),
            // What is none of these comes into the store, where nobody reads it.
            ("trial", "ABCD-1234-EFGH-5678", None),
            ("trial", "kJhGfDsApOiU", None),
            ("trial", "hunter2008", None),
            ("0000", "471100", None),
            ("http://localhost", "http://me:hunter@localhost", None),
            ("http://localhost", "http://localhost?token=abc", None),
        ] {
            let entries = [("NAME".to_owned(), shown.to_owned())];
            let text = from_sources("p", &entries, None, &BTreeMap::from([("NAME", runs)]));
            let manifest = parse(&text, "m").unwrap();
            let value = match &manifest.secrets["NAME"].kind {
                Kind::Setting { value, .. } => value.as_deref(),
                _ => None,
            };
            assert_eq!(value, expected, "{shown} {runs}");
            assert_eq!(text.contains("the value that runs"), expected.is_some_and(|it| it != shown), "{text}");
            assert!(expected.is_some() || !text.contains(runs), "{text}");
        }
    }

    #[test]
    fn names_that_cannot_be_used_are_counted_and_not_copied() {
        let (text, manifest) = example(&[("A", "1"), ("A", "2"), ("b c\n[x]", "1")]);
        assert_eq!(manifest.secrets.len(), 1);
        assert!(text.contains("not names: 2.") && !text.contains("[x]"));
        assert!(matches!(&manifest.secrets["A"].kind, Kind::Setting { value: Some(value), .. } if value == "1"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn whatever_the_example_says_the_manifest_parses(
            project in any::<String>(),
            entries in prop::collection::vec(
                (
                    "[A-Z]{0,4}_?(SECRET|PASSWORD|KEY|TOKEN|URL|PORT|NAME|REDIS_PASSWORD|a\\.b|-x|\\PC)?",
                    "\\PC{0,20}|\\$\\{[A-Z]{0,2}_(SECRET|PASSWORD|KEY|URL)\\}|(redis|postgres)://[a-z]{0,3}:[a-z${}%|\"']{0,12}@[a-z:0-9]{0,8}/[a-z?=&$\\{]{0,6}",
                ),
                0..8,
            )
        ) {
            let text = from_example(&project, &entries);
            prop_assert!(parse(&text, "m").is_ok(), "{text}");
            prop_assert!(parse(&starter(&project), "m").is_ok());
        }

        #[test]
        fn the_value_of_a_secret_is_never_copied(
            prefix in "[A-Z]{0,6}_?",
            word in prop::sample::select(vec!["SECRET", "PASSWORD", "API_KEY", "TOKEN", "DSN", "PRIVATE_KEY", "CREDENTIALS", "WEBHOOK_URL"]),
            frame in prop::sample::select(vec!["@", "https://@", "redis://:@@host/0", "postgres://u:@@db/x", "a @ b"]),
        ) {
            let entries = [(format!("{prefix}{word}"), frame.replacen('@', "hunter2canary", 1)), ("REDIS_PASSWORD".into(), "hunter2canary".into())];
            prop_assert!(!from_example("p", &entries).contains("hunter2canary"));
        }
    }
}
