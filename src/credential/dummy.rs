//! What stands where a step of a build asks for a credential that it does not use, as in `SECRET_KEY_BASE=dummy rails assets:precompile`.

use super::looks_random;
use crate::check::placeholder::is_written_for_a_value;

/// Words that say so.
const DUMMIES: [&str; 12] = [
    "buildonly",
    "buildtime",
    "dummy",
    "fake",
    "ignored",
    "notasecret",
    "notneeded",
    "notused",
    "placeholder",
    "throwaway",
    "unneeded",
    "unused",
];

/// Words that say so where only a build sees them.
const OF_BUILDS: [&str; 10] =
    ["assets", "build", "builder", "ci", "collectstatic", "compile", "dev", "precompile", "temp", "tmp"];

/// What stands beside those.
const BESIDE: [&str; 14] = [
    "during", "for", "in", "key", "not", "only", "password", "phase", "secret", "stage", "step", "time", "token",
    "value",
];

/// Whether a value says by itself that it is none.
pub fn is_dummy(value: &str) -> bool {
    let value = unquoted(value);
    let words = || value.split(|it: char| !it.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    // `not-used` is one word too.
    let mut words = words().chain([words().collect()]);
    value.is_empty()
        || value.eq_ignore_ascii_case("none")
        || is_of_nobody(value)
        || !looks_random(value) && words.any(|word| DUMMIES.contains(&word.as_str()))
}

/// Whether a value that only a build sees is none: what the program would begin with stays no secret when it is a placeholder.
pub fn is_stopgap(value: &str) -> bool {
    let value = unquoted(value);
    is_dummy(value) || is_written_for_a_value(value.as_bytes()) || is_of_build(value) || is_blank_key(value)
}

/// `tmp`, `build`, `build-secret-key`.
fn is_of_build(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let words = || lower.split(|it: char| !it.is_ascii_alphanumeric());
    words().any(|word| OF_BUILDS.contains(&word)) && words().all(|it| OF_BUILDS.contains(&it) || BESIDE.contains(&it))
}

/// `base64:AAAA…=`, a key of nothing but zeros.
fn is_blank_key(value: &str) -> bool {
    let key = value.strip_prefix("base64:").map(|key| key.trim_end_matches('='));
    key.is_some_and(|key| key.bytes().all(|it| it == b'A'))
}

/// `postgres://u:p@localhost/db`: nobody has such a password, and in a container nobody listens there.
fn is_of_nobody(value: &str) -> bool {
    const LONGEST: usize = 2;
    let authority = value.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    let Some((login, host)) = authority.and_then(|it| it.rsplit_once('@')) else { return false };
    let host = host.split(':').next().unwrap_or(host);
    ["localhost", "127.0.0.1"].contains(&host)
        && login.split_once(':').is_some_and(|(_, password)| password.len() <= LONGEST)
        && !value.contains('?')
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

/// The command line of a build without what it assigns to a variable that is no credential: `NAME=` and `NAME=dummy`.
pub fn without_dummies(line: &str) -> String {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let assigns = |word: &str| {
        let pair = word.split_once('=');
        pair.is_some_and(|(name, value)| !name.is_empty() && name.bytes().all(is_letter) && is_stopgap(value))
    };
    let kept = |word| {
        let own = str::trim_end_matches(word, |it: char| it.is_whitespace() || matches!(it, ';' | '&'));
        if assigns(own) { &word[own.len()..] } else { word }
    };
    line.split_inclusive(char::is_whitespace).map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_does_not_use_is_no_credential() {
        for (value, expected) in [
            ("", true),
            ("\"\"", true),
            ("dummy", true),
            ("dummy-secret", true),
            ("'FAKE_KEY'", true),
            ("not.dummy.7Jt9QfYkP3mVbX2nRzLh", false),
            ("changeme", false),
            ("None", true),
            ("none-of-your-business", false),
            ("dummies", false),
            ("hunter2", false),
            ("placeholder", true),
            ("build-time-placeholder", true),
            ("not-used", true),
            ("not-a-secret", true),
            ("notasecret", true),
            ("used-not", false),
            ("not-needed", true),
            ("build-only", true),
            ("buildtime", true),
            ("throwaway", true),
            ("postgres://u:p@localhost/db", true),
            ("postgres://u:p@localhost:5432/db?password=hunter2", false),
            ("postgres://u:p@db/db", false),
            ("tmp", false),
            ("build", false),
        ] {
            assert_eq!(is_dummy(value), expected, "{value}");
        }
        for (value, expected) in [
            ("dummy", true),
            ("changeme", true),
            ("example", true),
            ("test", true),
            ("x", true),
            ("insecure", true),
            ("'ChangeMe123'", true),
            ("postgres://user:pass@localhost/db", true),
            ("postgres://user:hunter2@localhost/db", false),
            ("hunter2", false),
            ("7Jt9QfYkP3mVbX2n", false),
            ("build", true),
            ("'dev-only'", true),
            ("temp", true),
            ("tmp", true),
            ("collectstatic", true),
            ("build-secret-key", true),
            ("build-hunter2", false),
            ("base64:AAAA=", true),
            ("base64:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true),
            ("base64:7Jt9QfYkP3mVbX2n7Jt9QfYkP3mVbX2n7Jt9QfYkP3m=", false),
        ] {
            assert_eq!(is_stopgap(value), expected, "{value}");
        }
        assert_eq!(without_dummies("A= B=dummy make C=cat && export D=fake; go"), "  make C=cat && export ; go");
        assert_eq!(without_dummies("app --token= hunter2"), "app --token= hunter2");
    }
}
