//! What a value tells by its shape: which are plainly no credentials whatever they are called, and which look like one.

/// Values that switch something on or off, or say what becomes of a header in a log.
const SWITCHES: [&str; 17] = [
    "auto", "disable", "disabled", "drop", "enable", "enabled", "false", "keep", "no", "none", "null", "off", "on",
    "optional", "redact", "true", "yes",
];

/// Headers of HTTP that do not begin with `X-`.
const HEADERS: [&str; 5] = ["authorization", "cookie", "proxy-authorization", "set-cookie", "www-authenticate"];

/// Ways to prove who one is, which stand before the proof.
const SCHEMES: [&str; 4] = ["basic", "bearer", "digest", "token"];

/// What a value begins with that says where something lies.
const PLACES: [&str; 7] = ["/", "./", "../", "~/", "arn:", "vault:", "sha256:"];

/// Ends of what is a file beneath the working directory.
const FILES: [&str; 11] = [".cer", ".conf", ".crt", ".jks", ".json", ".key", ".p12", ".pem", ".txt", ".yaml", ".yml"];

/// Fewer digits than this are a number.
const FEWEST_DIGITS: usize = 6;

/// As many digits, under the name of a credential, are one.
const FEWEST_OF_PIN: usize = 4;

/// The shortest proof that stands behind a scheme.
const SHORTEST_PROOF: usize = 8;

/// Whether a text could be a credential: neither empty nor a switch, a small number, a path, a file, an address, or a header's name.
pub fn could_be(text: &str) -> bool {
    let text = text.trim();
    let is_switch = SWITCHES.contains(&text.to_ascii_lowercase().as_str());
    let is_number = text.len() < FEWEST_DIGITS && is_digits(text);
    let is_place = PLACES.iter().any(|start| text.starts_with(start)) || text.contains("://");
    let is_file = FILES.iter().any(|end| text.ends_with(end)) && !text.contains(char::is_whitespace);
    let is_path = text.contains('/') && !text.contains([':', '.']) && is_path_of_words(text);
    let is_named = is_place || is_file || is_path || is_header(text);
    !text.is_empty() && !is_switch && !is_number && !is_named && !super::open::is_publishable(text)
}

/// `sid`, `connect.sid`, `PHPSESSID`, `_app_session`: the name of a cookie.
pub(super) fn is_cookie(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.bytes().all(|it| it.is_ascii_lowercase() || matches!(it, b'_' | b'-' | b'.'))
        && ["cookie", "sess", "sid"].iter().any(|it| lower.contains(it))
}

pub(super) fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The fingerprint of an `OpenPGP` key (RFC 4880, 12.2) as people copy it: 40 digits in capitals.
pub(super) fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F'))
}

/// Digits that nobody would take for a number of something.
pub(super) fn is_pin(text: &str) -> bool {
    text.len() >= FEWEST_OF_PIN && is_digits(text)
}

/// `X-Api-Key`, `Authorization`: it says where a credential will stand.
fn is_header(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_words =
        |rest: &str| rest.split('-').all(|word| !word.is_empty() && word.bytes().all(|it| it.is_ascii_alphabetic()));
    HEADERS.contains(&lower.as_str()) || lower.strip_prefix("x-").is_some_and(is_words)
}

/// `app:sessions`, `config/app`, `cache.v2:`, `user:{id}`: plain words with something between that leads from one to the next.
pub(super) fn is_path_of_words(text: &str) -> bool {
    const BETWEEN: [char; 3] = [':', '/', '.'];
    let is_word = |word: &str| {
        let letters = word.trim_end_matches(|it: char| it.is_ascii_digit());
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-' | b'*' | b'{' | b'}');
        word.len() - letters.len() <= FEWEST_OF_PIN && letters.bytes().all(is_plain) && letters.len() <= 24
    };
    text.starts_with(|it: char| it.is_ascii_lowercase()) && text.contains(BETWEEN) && text.split(BETWEEN).all(is_word)
}

/// `bob:secret`, `neo4j/secret`, `Basic …`.
pub(super) fn is_login(text: &str) -> bool {
    let is_user = |user: &str| {
        !user.is_empty() && user.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b'@'))
    };
    let is_password = |text: &str| super::text::is_typed(text);
    let pair = text.split_once(':').or_else(|| text.split_once('/').filter(|(user, _)| *user == "neo4j"));
    pair.is_some_and(|(user, password)| {
        is_user(user) && !PLACES.iter().any(|it| text.starts_with(it)) && is_password(password)
    }) || is_proof(text)
}

/// `Bearer …` and the like.
pub(super) fn is_proof(text: &str) -> bool {
    let of_scheme = text.split_once(' ').filter(|(scheme, _)| SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()));
    of_scheme.is_some_and(|(_, proof)| proof.len() >= SHORTEST_PROOF && super::text::is_typed(proof))
}

/// `Bearer …` and the like where no name says that a header stands there: what is behind the scheme must look like a proof, and like no
/// word of a sentence.
pub(super) fn is_bare_proof(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let Some((scheme, proof)) = text.split_once(' ').filter(|_| is_proof(text)) else { return false };
    let has = |is: fn(&u8) -> bool| proof.bytes().any(|byte| is(&byte));
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    // What stands behind `Basic` is base64, and no other word.
    let is_one = is_mixed && (!scheme.eq_ignore_ascii_case("basic") || proof.len().is_multiple_of(4));
    is_one && proof.trim_end_matches('=').bytes().all(is_letter)
}

/// Whether a text looks as if a machine, or somebody who was asked for a strong password, had made it.
pub(super) fn looks_made(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.bytes().any(|byte| is(&byte));
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_strong = text.len() >= SHORTEST_PROOF && is_mixed && text.contains(['!', '@', '#', '^', '&', '+', '=', '?']);
    !text.contains(char::is_whitespace) && !text.contains(['{', '<', '$']) && (is_strong || looks_random(text))
}

/// Whether a stretch of letters and digits is too mixed or too long for a word.
pub fn looks_random(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| {
        let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
        let digits = has(u8::is_ascii_digit);
        let letters = has(u8::is_ascii_alphabetic);
        let cases = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        word.len() >= 32 || word.len() >= 16 && digits && letters || word.len() >= 12 && digits && cases
    })
}
