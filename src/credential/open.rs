//! What everybody may read, such as what a browser gets: by its name, or by the form that its issuer gave it.

use data_encoding::BASE64URL_NOPAD;

/// Words by which a name says that everybody may read its value, such as what a browser gets.
const OPEN: [&str; 3] = ["ANON", "PUBLIC", "PUBLISHABLE"];

/// Whether a name says that everybody may read its value.
pub(super) fn is_open(name: &str) -> bool {
    name.split(['_', '-', '.']).any(|word| OPEN.iter().any(|it| it.eq_ignore_ascii_case(word)))
}

/// The same of a name's words.
pub(super) fn says_open(words: &[&str]) -> bool {
    words.iter().any(|word| OPEN.contains(word))
}

/// Whether a name that a framework hands to browsers says that its value is for nobody's eyes all the same: `NEXT_PUBLIC_CLIENT_SECRET`.
pub(super) fn is_mistaken(words: &[&str]) -> bool {
    let ["EXPO" | "NEXT" | "NUXT", "PUBLIC", rest @ ..] = words else { return false };
    let is_secret = matches!(rest, [.., "PASSPHRASE" | "PASSWORD" | "SECRET"] | [.., "PRIVATE" | "SECRET", "KEY"]);
    is_secret && !says_open(rest)
}

/// What its issuer makes to be read by everybody who opens a page: Stripe's publishable keys, and those of Supabase for whoever has not
/// logged in, in their new form and as a token.
pub(super) fn is_publishable(text: &str) -> bool {
    const BEGIN: [&str; 3] = ["pk_live_", "pk_test_", "sb_publishable_"];
    let is_word = |text: &str| text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'));
    BEGIN.iter().any(|it| text.strip_prefix(it).is_some_and(is_word)) || is_anonymous(text)
}

/// A token of Supabase that says so itself.
fn is_anonymous(text: &str) -> bool {
    let mut parts = text.splitn(3, '.');
    let claims = parts.nth(1).and_then(|it| BASE64URL_NOPAD.decode(it.as_bytes()).ok());
    let claims = claims.and_then(|it| serde_json::from_slice::<serde_json::Value>(&it).ok());
    let says = |name: &str, is: fn(&str) -> bool| claims.as_ref().and_then(|it| it.get(name)?.as_str()).is_some_and(is);
    says("role", |it| it == "anon") && says("iss", |it| it.starts_with("supabase"))
}
