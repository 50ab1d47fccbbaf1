//! What stands where a step of a build asks for a credential that it does not use, as in `SECRET_KEY_BASE=dummy rails assets:precompile`.

use super::looks_random;

/// Words that say so.
const DUMMIES: [&str; 5] = ["dummy", "fake", "ignored", "notused", "unused"];

/// Whether a value says by itself that it is none.
pub fn is_dummy(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let mut words = value.split(|it: char| !it.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    value.is_empty()
        || value.eq_ignore_ascii_case("none")
        || !looks_random(value) && words.any(|word| DUMMIES.contains(&word.as_str()))
}

/// A command line without what it assigns to a variable that is no credential: `NAME=` and `NAME=dummy`.
pub fn without_dummies(line: &str) -> String {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let assigns = |word: &str| {
        let pair = word.split_once('=');
        pair.is_some_and(|(name, value)| !name.is_empty() && name.bytes().all(is_letter) && is_dummy(value))
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
        ] {
            assert_eq!(is_dummy(value), expected, "{value}");
        }
        assert_eq!(without_dummies("A= B=dummy make C=x && export D=fake; go"), "  make C=x && export ; go");
        assert_eq!(without_dummies("app --token= hunter2"), "app --token= hunter2");
    }
}
