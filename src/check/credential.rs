//! Which names are those of credentials, and which texts could be one. For text that somebody wrote into a file that is shared, where
//! each error is read by a person: so both are told narrowly.

/// Last words of names of credentials.
const CREDENTIALS: [&str; 13] = [
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "PAT",
    "PWD",
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
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    if words.iter().any(|word| OPEN.contains(word)) {
        return false;
    }
    match words.as_slice() {
        // Nothing, the working directory, and where a shell was before.
        [] | ["PWD" | "OLDPWD"] => false,
        [.., before, "KEY" | "KEYS"] => !OPEN_KEYS.contains(before),
        [.., "SECRET", "KEY", "BASE"] => true,
        [.., last] => CREDENTIALS.contains(last),
    }
}

/// Whether a text could be the credential that its name promises, or has one in it whatever it is called.
pub fn is_literal(name: &str, text: &str) -> bool {
    has_credential(text) || is_credential(name) && could_be(text)
}

/// Whether a text is a URL with a password, or has a private key in it.
pub fn has_credential(text: &str) -> bool {
    let password = super::password_of_url(text.as_bytes());
    password.is_some_and(|password| !password.is_empty()) || text.contains("PRIVATE KEY-----")
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
        for name in [
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
        ] {
            assert!(!is_literal(name, text), "{name} {text}");
        }
    }
}
