//! Values that stand for a value: `changeme`, `your-api-key-here`, `<token>`, `xxxx`, vendors' defaults.
//!
//! Every rule takes the whole value, never a piece of it: taken apart into words, a placeholder consists of *nothing
//! but* words of `VOCABULARY` and short numbers. A random value would have to be spelled from them from end to end: for
//! 16 characters of base64 the chance is below 10⁻¹⁴, for four EFF words below 10⁻¹⁰. The rules for brackets, trailing
//! `EXAMPLE` and masks hold for fewer than one in 10⁸ random values of 16 characters or more.

mod vocabulary;

use super::{authority_of_url, password_of_url};
use vocabulary::{DEFAULTS, VOCABULARY};

/// A word with more digits than this is not spelled but, say, half of a UUID.
const MOST_DIGITS: usize = 8;

/// Longer values are not typed as placeholders.
const LONGEST: usize = 160;

/// Whether a value stands for one that somebody still has to supply. Of a URL with a password, the password is judged.
pub fn is_placeholder(value: &[u8]) -> bool {
    is_default(judged(value)) || is_written_for_a_value(value)
}

/// As [`is_placeholder`], without what people take for a password, such as `hunter2`.
pub fn is_written_for_a_value(value: &[u8]) -> bool {
    let value = judged(value);
    value.is_empty()
        || value.len() <= LONGEST
            && (is_bracketed(value)
                || is_mask(value)
                || value.ends_with(b"EXAMPLE")
                || value.ends_with(b"EXAMPLEKEY")
                || is_spelled(value)
                || asks_for_a_value(value))
}

/// Whether nothing can be running with a value: it is empty, or says that something is to be put there. With `changeme` and
/// `postgres` something may.
pub fn serves_nobody(value: &[u8]) -> bool {
    let value = judged(value);
    value.is_empty() || value.len() <= LONGEST && (is_bracketed(value) || asks_for_a_value(value))
}

fn judged(value: &[u8]) -> &[u8] {
    let lone_user = || lone_user_of_url(value).filter(|user| is_bracketed(user) || asks_for_a_value(user));
    password_of_url(value).or_else(lone_user).unwrap_or(value).trim_ascii()
}

/// `https://your-project.supabase.co`: the host of everybody who reads it.
fn is_your_host(value: &[u8]) -> bool {
    let host = authority_of_url(value).map_or(&[][..], |(_, host)| host);
    let label = host.split(|byte| b".:".contains(byte)).next().unwrap_or_default();
    label.to_ascii_lowercase().starts_with(b"your-") && is_plain(label)
}

/// The user of a URL that has no password, which is the credential of Sentry's: `https://KEY@host/1`.
fn lone_user_of_url(value: &[u8]) -> Option<&[u8]> {
    let (_, authority) = authority_of_url(value)?;
    let user = &authority[..memchr::memchr(b'@', authority)?];
    (!user.is_empty() && !user.contains(&b':')).then_some(user)
}

/// Whether a word is so common that guessers try it first.
pub(super) fn is_common_word(word: &[u8]) -> bool {
    VOCABULARY.binary_search_by(|entry| entry.as_bytes().cmp(word)).is_ok()
}

fn is_default(value: &[u8]) -> bool {
    const LONGEST: usize = 15;
    value.len() <= LONGEST && DEFAULTS.iter().any(|default| default.as_bytes().eq_ignore_ascii_case(value))
}

/// `<your token>`, `[TOKEN]`, `{{ token }}`, `%TOKEN%`, `__TOKEN__`, `${TOKEN}`, `$(command)`: brackets around plain words.
fn is_bracketed(value: &[u8]) -> bool {
    const BRACKETS: [(&[u8], &[u8]); 7] =
        [(b"<", b">"), (b"[", b"]"), (b"{{", b"}}"), (b"%", b"%"), (b"__", b"__"), (b"${", b"}"), (b"$(", b")")];
    let opens = matches!(value[0], b'<' | b'[' | b'{' | b'%' | b'_' | b'$');
    opens
        && BRACKETS.into_iter().any(|(open, close)| {
            value.len() > open.len() + close.len()
                && value.starts_with(open)
                && value.ends_with(close)
                && is_plain(&value[open.len()..value.len() - close.len()])
        })
}

/// Words of one case each (a capital may lead), with digits only at the end of one: prose or a name, not random text.
fn is_plain(text: &[u8]) -> bool {
    let mut words = text.split(|byte| b" _-.:/,'".contains(byte)).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some()
        && words.all(|word| {
            let letters = &word[..word.iter().position(u8::is_ascii_digit).unwrap_or(word.len())];
            let rest = &letters[usize::from(!letters.is_empty())..];
            word[letters.len()..].iter().all(u8::is_ascii_digit)
                && (rest.iter().all(u8::is_ascii_lowercase) || letters.iter().all(u8::is_ascii_uppercase))
        })
}

/// `xxxx`, `****`, `sk-xxxx`, `sk-...`, `AKIAXXXXXXXX`: nothing but filler after a short prefix.
fn is_mask(value: &[u8]) -> bool {
    let Some(&filler) = value.last().filter(|byte| b"xX*.?#-_0".contains(byte)) else { return false };
    let prefix = value.iter().rposition(|&byte| byte != filler && byte != b'-').map_or(0, |last| last + 1);
    let mask = value.len() - prefix;
    match prefix {
        0 => mask >= 3 || filler != b'0' && filler != b'-',
        1..=12 => matches!(filler, b'x' | b'X' | b'*' | b'.') && mask >= 3 && (mask >= prefix || value.len() <= 12),
        _ => false,
    }
}

/// Whether the value, taken apart into words and numbers, holds at least one word and only words of the vocabulary.
fn is_spelled(value: &[u8]) -> bool {
    let (mut words, mut digits) = (0, 0);
    for part in parts(value) {
        if part[0].is_ascii_digit() {
            digits += part.len();
        } else if is_compound(part) {
            words += 1;
        } else {
            return false;
        }
    }
    words > 0 && digits <= MOST_DIGITS
}

/// `your-openai-api-key`, `insert token here`: it asks for a value, and says for which in plain words.
fn asks_for_a_value(value: &[u8]) -> bool {
    const ASKS: [&str; 8] = ["add", "enter", "insert", "paste", "put", "replace", "type", "your"];
    const WHAT: [&str; 9] = ["credential", "here", "id", "key", "password", "secret", "token", "url", "value"];
    let is_one_of = |word: Option<&[u8]>, list: &[&str]| {
        word.is_some_and(|word| list.iter().any(|entry| entry.as_bytes().eq_ignore_ascii_case(word)))
    };
    let mut words = parts(value);
    let first = words.next();
    // Behind `sk-` may stand whose key it is.
    let asks =
        is_one_of(first, &ASKS) || value.starts_with(b"sk-") && words.take(2).any(|it| is_one_of(Some(it), &ASKS));
    let last = parts(value).last();
    let asks = asks && is_one_of(last, &WHAT) && is_plain(value);
    is_your_host(value) || asks && (is_one_of(first, &["your"]) || parts(value).count() <= 6)
}

/// The words and numbers of a value: `changeMe-123` is `change`, `Me`, `123`.
fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())?;
        rest = &rest[start..];
        let digits = rest[0].is_ascii_digit();
        let mut end = 1;
        while end < rest.len() && belongs(rest, end, digits) {
            end += 1;
        }
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

/// Whether the byte at `end` goes on with the word or number before it; a capital after a small letter does not.
fn belongs(text: &[u8], end: usize, digits: bool) -> bool {
    let (before, byte) = (text[end - 1], text[end]);
    if digits {
        byte.is_ascii_digit()
    } else {
        (byte.is_ascii_alphabetic() || !byte.is_ascii()) && !(before.is_ascii_lowercase() && byte.is_ascii_uppercase())
    }
}

/// Whether the letters are one word of the vocabulary, or several without anything between.
fn is_compound(letters: &[u8]) -> bool {
    const LONGEST_WORD: usize = 13;
    // reachable[i]: the first i letters can be spelled.
    let mut reachable = [false; LONGEST + 1];
    reachable[0] = true;
    let mut farthest = 0;
    let mut lower = [0; LONGEST];
    for end in 1..=letters.len() {
        lower[end - 1] = letters[end - 1].to_ascii_lowercase();
        if end - farthest > LONGEST_WORD {
            return false;
        }
        let shortest_start = end.saturating_sub(LONGEST_WORD);
        if (shortest_start..end).any(|start| reachable[start] && is_common_word(&lower[start..end])) {
            reachable[end] = true;
            farthest = end;
        }
    }
    reachable[letters.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_sorted() {
        assert!(VOCABULARY.is_sorted());
    }

    #[test]
    fn what_people_leave_in_example_files_is_a_placeholder() {
        for text in [
            "",
            "  ",
            "changeme",
            "CHANGE_ME",
            "change-me-please",
            "change_this_in_production",
            "ChangeMe123!",
            "changeit",
            "your-api-key-here",
            "your_secret_key",
            "YOUR_TOKEN",
            "your-256-bit-secret",
            "your-openai-api-key",
            "<your token>",
            "<TOKEN>",
            "<paste-key-here>",
            "[token]",
            "{{ token }}",
            "%TOKEN%",
            "__TOKEN__",
            "${API_KEY}",
            "xxx",
            "xxxxxxxxxxxxxxxx",
            "***",
            "********",
            "...",
            "???",
            "0000",
            "TODO",
            "FIXME",
            "tbd",
            "replace_me",
            "replace-with-your-key",
            "example",
            "example-key",
            "dummy",
            "dummy_token",
            "placeholder",
            "test",
            "test123",
            "password",
            "Password1",
            "secret",
            "supersecretpassword",
            "mysecretkey",
            "admin",
            "admin123",
            "root",
            "postgres",
            "minioadmin",
            "guest",
            "letmein",
            "P@ssw0rd",
            "hunter2",
            "none",
            "null",
            "sk-...",
            "sk-xxxx",
            "sk-xxxxxxxxxxxxxxxx",
            "sk-XXXXXXXX",
            "ghp_xxxxxxxxxxxxxxxxxxxx",
            "AKIAXXXXXXXXXXXXXXXX",
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "insert your token here",
            "insert-slack-token-here",
            "sk-your-openai-key",
            "sk-ant-your-api-key-here",
            "https://your-project.supabase.co",
            "https://your-key@sentry.io/your-project",
            "https://<key>@o1.ingest.sentry.io/1",
            "super-secret-jwt-token-with-at-least-32-characters-long",
            "postgres://postgres:postgres@db:5432/app",
            "postgresql://app:changeme@localhost/app",
            "12345678",
            "dev-secret",
            "secret_key_base",
            "not-set",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn with_a_word_that_is_no_question_something_may_be_running() {
        for text in ["", "<token>", "your-api-key-here", "${TOKEN}", "postgres://app:<password>@db/app"] {
            assert!(serves_nobody(text.as_bytes()), "{text:?}");
        }
        for text in ["changeme", "postgres", "hunter2", "0000", "postgres://app:postgres@db/app"] {
            assert!(!serves_nobody(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn real_values_are_none() {
        for text in [
            "correct horse battery staple",
            "sk-proj-4fTq9sXaZ81LmN0pQvRw",
            "https://yourcompany.okta.com",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "AKIAJ2ZQ5RLM7HXW4T3A",
            "change-mechanic",
            "d41d8cd98f00b204e9800998ecf8427e",
            "tr0ub4dor&3",
            "9f86d081884c7d65",
            "https://hooks.example.com/services/T0/B1/xyzxyzxyz",
            "postgres://app:Wm3uX9qLz7@db:5432/test",
            "pässwörd",
            "user-private-random-4fTq9sXaZ8",
            "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n",
            "1234567",
        ] {
            assert!(!is_placeholder(text.as_bytes()), "{text:?}");
        }
    }
}
