//! Which names are those of credentials, and which texts could be one. For text that somebody wrote into a file that is shared, where
//! each error is read by a person: so both are told narrowly.

mod arguments;
mod text;

pub use arguments::{Argument, typed};
pub use text::in_document;

/// Last words of names of credentials.
const CREDENTIALS: [&str; 16] = [
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "MASTERAUTH",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "PAT",
    "PGPASSWORD",
    "PWD",
    "REQUIREPASS",
    "SECRET",
    "SECRETS",
    "TOKEN",
];

/// What stands before `KEY` where it is none.
const OPEN_KEYS: [&str; 9] = ["APT", "CACHE", "FOREIGN", "GPG", "PARTITION", "PGP", "PRIMARY", "ROUTING", "SORT"];

/// Words by which a name says that everybody may read its value, such as what a browser gets.
const OPEN: [&str; 3] = ["ANON", "PUBLIC", "PUBLISHABLE"];

/// Values that switch something on or off.
const SWITCHES: [&str; 14] = [
    "auto", "disable", "disabled", "enable", "enabled", "false", "no", "none", "null", "off", "on", "optional", "true",
    "yes",
];

/// Fewer digits than this are a number.
const FEWEST_DIGITS: usize = 6;

/// Whether a name says that its value is a credential: `DB_PASSWORD`, `API_KEY`, `db.password`; not `TOKEN_TTL`, `PUBLIC_KEY`.
pub fn is_credential(name: &str) -> bool {
    let is_humped = name.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let name = if is_humped { unhumped(name) } else { name.to_ascii_uppercase() };
    let words: Vec<&str> = name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    if words.iter().any(|word| OPEN.contains(word)) {
        return false;
    }
    match words.as_slice() {
        // Nothing, the working directory, and where a shell was before.
        [] | ["PWD" | "OLDPWD"] => false,
        [.., before, "KEY" | "KEYS"] => !OPEN_KEYS.contains(before),
        [.., "SECRET", "KEY", "BASE"] | [.., "REDISCLI", "AUTH"] => true,
        [.., last] => CREDENTIALS.contains(last),
    }
}

/// `clientSecret` as `CLIENT_SECRET`.
fn unhumped(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && words.ends_with(|it: char| it.is_ascii_lowercase()) {
            words.push('_');
        }
        words.push(letter);
    }
    words.make_ascii_uppercase();
    words
}

/// Whether a name says that everybody may read its value.
fn is_open(name: &str) -> bool {
    name.split(['_', '-', '.']).any(|word| OPEN.iter().any(|it| it.eq_ignore_ascii_case(word)))
}

/// Whether a text could be the credential that its name promises, or has one in it whatever it is called.
pub fn is_literal(name: &str, text: &str) -> bool {
    // What a browser gets is in the form of a key, and none.
    let has = if is_open(name) { has_key(text) || text::has_password_in_address(text) } else { has_credential(text) };
    has || is_credential(name) && could_be(text)
}

/// Whether a text has a credential in it: an address with a password, a pair or JSON field that is called one, a private key, or what
/// its issuer gave a form, such as a token of GitHub.
pub fn has_credential(text: &str) -> bool {
    has_key(text) || text::has_password(text) || text::has_form(text)
}

/// Whether a text has a private key in it.
fn has_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

/// The name in a line of an env file that git keeps, if a credential stands behind it.
pub fn assigned(line: &str) -> Option<&str> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_put_in = value.starts_with('#') || value.contains('$');
    let is_literal = is_name && !is_put_in && is_literal(name, value.trim_matches(['"', '\'']));
    (is_literal && !["_FILE", "_PATH", "_DIR"].iter().any(|end| name.ends_with(end))).then_some(name)
}

/// Whether a text could be a credential: neither empty nor a switch, a small number, a path or an address.
pub fn could_be(text: &str) -> bool {
    let text = text.trim();
    let is_switch = SWITCHES.contains(&text.to_ascii_lowercase().as_str());
    let is_number = text.len() < FEWEST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start)) || text.contains("://");
    !text.is_empty() && !is_switch && !is_number && !is_place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_by_its_end() {
        for name in
            ["DB_PASSWORD", "API_KEY", "github-token", "com.example.db.password", "SECRET_KEY_BASE", "APP_SECRET"]
        {
            assert!(is_credential(name), "{name}");
        }
        assert!(["clientSecret", "apiKey", "REDISCLI_AUTH", "requirepass"].iter().all(|it| is_credential(it)));
        for name in [
            "publicKey",
            "tokenTtl",
            "PWD",
            "TOKEN_TTL",
            "PUBLIC_KEY",
            "STRIPE_PUBLISHABLE_KEY",
            "NEXT_PUBLIC_MAPS_KEY",
            "GPG_KEY",
            "PASSWORD_FILE",
            "COMPASS",
            "",
            "KEY",
            "_",
        ] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn a_text_is_a_credential_by_its_name_or_by_its_shape() {
        for (name, text) in [
            ("DB_PASSWORD", "changeme"),
            ("API_KEY", "123456"),
            ("DATABASE_URL", "postgres://app:hunter2@db/app"),
            ("TLS", "-----BEGIN PRIVATE KEY-----\nx"),
            ("SQLALCHEMY", "postgresql+asyncpg://app:hunter2@db/app"),
            ("BROKERS", "redis://a,redis://:hunter2@b"),
            ("DSN", "host=db user=app password=hunter2 dbname=app"),
            ("CONNECTION", "Server=db;User Id=sa;Password=hunter2;Encrypt=True"),
            ("MYSQL", "app:hunter2@tcp(db:3306)/app"),
            ("CONFIG", r#"{"db": {"user": "app", "password": "hunter2"}}"#),
            ("CONFIG", r#"[{"clientSecret": "hunter2"}]"#),
            ("HOOK", "https://example.com/hook?token=hunter2"),
            ("JAVA_OPTS", "-Xmx1g -Djavax.net.ssl.keyStorePassword=hunter2"),
            ("THING", "glpat-7Jt9QfYkP3mVbX2nRzLh"),
            ("THING", "AKIAIOSFODNN7QWERTYU"),
        ] {
            assert!(is_literal(name, text), "{name}");
        }
        for (name, text) in [
            ("DB_PASSWORD", ""),
            ("ALLOW_EMPTY_PASSWORD", "Yes"),
            ("MAX_PASS", "5"),
            ("TLS_KEY", "/run/secrets/key"),
            ("AUTH_SECRET", "https://auth.example.com"),
            ("DATABASE_URL", "postgres://app:@db/app"),
            ("MODE", "changeme"),
            ("SQLALCHEMY", "postgresql+asyncpg://app@db/app"),
            ("DSN", "host=db user=app password= dbname=app"),
            ("CONFIG", r#"{"password": "", "token": "$TOKEN", "secretName": "app"}"#),
            ("CONFIG", "{not: json, password: hunter2}"),
            ("NEXT_PUBLIC_MAPS", "AIzaSyA7Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT6"),
            ("IMAGE", "sha256:6f1ed002ab5595859014ebf0951522d96f1ed002ab5595859014ebf0951522d9"),
            ("JAVA_OPTS", "-Xmx1g -Dcom.sun.management.jmxremote.authenticate=false"),
            ("CSP", "default-src 'self'; img-src https://cdn.example.com"),
        ] {
            assert!(!is_literal(name, text), "{name} {text}");
        }
    }

    #[test]
    fn a_line_of_an_env_file_holds_a_credential_or_does_not() {
        for line in ["DB_PASSWORD=hunter2", "export API_KEY='hunter2'", " URL = postgres://a:b@c/d"] {
            assert!(assigned(line).is_some(), "{line}");
        }
        for line in
            ["", "# DB_PASSWORD=x", "DB_PASSWORD=", "DB_PASSWORD= # later", "DB_PASSWORD=${X}", "KEY_FILE=a", "A=b"]
        {
            assert_eq!(assigned(line), None, "{line}");
        }
    }
}
