//! Variables that may be none, but what stands behind a dollar in a password: a file for Compose writes two dollars there.

use super::text::passwords;
use super::{Promise, promise};

/// The variables without braces that may be a piece of the password which they stand in, such as `WORD` of `pa$WORD`; `name` is what
/// the text is the value of.
pub fn pieces<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    if !text.contains('$') {
        return Vec::new();
    }
    // A key may be the name of one, with variables in it as in any path.
    let is_whole = match promise(name) {
        Promise::Credential => true,
        Promise::Key => !text.contains(['/', ':']),
        Promise::Nothing | Promise::Login | Promise::Doubt => false,
    };
    let whole = is_whole.then_some(text);
    whole.into_iter().chain(passwords(text)).flat_map(in_password).collect()
}

/// Those that letters or digits stand beside: what is nothing else than variables, or joins them, is put together.
fn in_password(password: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut text = password;
    let mut before = "";
    while let Some(at) = text.find('$') {
        before = if at > 0 { &text[..at] } else { before };
        let behind = &text[at + 1..];
        if let Some(rest) = behind.strip_prefix('$') {
            // A dollar that is one is a letter of it.
            (before, text) = ("a", rest);
            continue;
        }
        let name = name(behind);
        if behind.starts_with('{') || name.is_empty() {
            let end = behind.find('}').filter(|_| behind.starts_with('{')).map_or(0, |end| end + 1);
            (before, text) = ("", &behind[end..]);
            continue;
        }
        let rest = &behind[name.len()..];
        let after = rest.split('$').next().unwrap_or_default();
        if touches(before.rsplit(char::is_whitespace).next()) || touches(after.split(char::is_whitespace).next()) {
            pieces.push(name);
        }
        (before, text) = ("", rest);
    }
    pieces
}

fn touches(literal: Option<&str>) -> bool {
    literal.is_some_and(|it| it.contains(char::is_alphanumeric))
}

fn name(text: &str) -> &str {
    let length = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(text.len());
    if text.starts_with(|it: char| it.is_ascii_digit()) { "" } else { &text[..length] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_glued_to_the_rest_of_a_password_may_be_a_piece_of_it() {
        for (name, text, expected) in [
            ("URL", "postgres://u:pa$WORD@h/db", &["WORD"][..]),
            ("URL", "postgres://u:pa$word!x@h and http://a:$B-1@c", &["word", "B"]),
            ("DB_PASSWORD", "kJ8shd$Gh2sLq", &["Gh2sLq"]),
            ("DB_PASSWORD", "a$$b$C", &["C"]),
            ("DB_PASSWORD", "${A}b$C", &["C"]),
            ("DB_PASSWORD", "$A!b", &["A"]),
            ("API_KEY", "x$ABC", &["ABC"]),
            ("URL", "postgres://$USER:$PASSWORD@$HOST/a$DB", &[]),
            ("URL", "postgres://u:${PA}x@h", &[]),
            ("DB_PASSWORD", "$A", &[]),
            ("DB_PASSWORD", "$A-$B", &[]),
            ("DB_PASSWORD", "${A}${B}", &[]),
            ("DB_PASSWORD", "a$1b", &[]),
            ("AUTH_TOKEN", "Bearer $TOKEN", &[]),
            ("TLS_KEY", "/certs/$HOST.key", &[]),
            ("IMAGE", "app-$TAG", &[]),
            ("", "pa$WORD", &[]),
        ] {
            assert_eq!(pieces(name, text), expected, "{name} {text}");
        }
    }
}
