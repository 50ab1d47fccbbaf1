//! Passwords in statements of SQL and in entries of a `.netrc`.

use super::is_typed;

/// Between `IDENTIFIED` and the password stands no more.
const FURTHEST: usize = 60;

/// `IDENTIFIED BY '…'`, `PASSWORD '…'`, and their like, whatever quotes are around the statement.
pub(super) fn in_sql(text: &str) -> bool {
    if memchr::memchr2(b'\'', b'"', text.as_bytes()).is_none() {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let rest = |keyword: &'static str| lower.match_indices(keyword).map(move |(at, it)| (at, at + it.len()));
    let is_apart =
        |at: usize| !lower[..at].ends_with(|it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.'));
    rest("password").any(|(at, end)| is_apart(at) && is_quoted(password(&text[end..])))
        || rest("identified").any(|(at, end)| is_apart(at) && is_quoted(identified(&text[end..])))
}

/// What stands where `PASSWORD` has its text: behind a blank, `=` or `(`.
fn password(rest: &str) -> Option<&str> {
    let text = rest.trim_start_matches(|it: char| it.is_whitespace() || matches!(it, '=' | '('));
    let text = text.strip_prefix(['N', 'E']).unwrap_or(text);
    (text.len() < rest.len()).then_some(text)
}

/// What stands behind `IDENTIFIED … BY` or `AS`.
fn identified(rest: &str) -> Option<&str> {
    let at = rest.find(['\'', '"'])?;
    let mut words = rest.get(..at).filter(|_| at <= FURTHEST)?.trim_end_matches('\\').split_whitespace();
    words.any(|it| ["as", "by"].contains(&it.to_ascii_lowercase().as_str())).then(|| &rest[at..])
}

/// Whether a text begins with a password in quotes, which may be quoted themselves.
fn is_quoted(text: Option<&str>) -> bool {
    const QUOTES: [char; 3] = ['\'', '"', '\\'];
    let Some(text) = text else { return false };
    let inner = text.trim_start_matches(QUOTES);
    let quotes = text[..text.len() - inner.len()].replace('\\', "");
    let is_empty = quotes.len() == 2 && !text.starts_with("'\"") && !text.starts_with("\"'");
    let value = inner.split(QUOTES).next().unwrap_or_default();
    let is_put_together = value.contains(|it: char| it.is_whitespace() || matches!(it, '$' | '?'));
    !quotes.is_empty() && !is_empty && !is_put_together && is_typed(value)
}

/// `machine HOST login NAME password …`.
pub(super) fn in_netrc(text: &str) -> bool {
    if !text.contains("login") || !text.contains("password") {
        return false;
    }
    // As `printf` has them.
    let text = text.replace("\\n", " ");
    let words: Vec<&str> = text.split_whitespace().map(|it| it.trim_matches(['"', '\''])).collect();
    let is_entry = |at: usize| {
        let begins = words[at] == "default" || at >= 1 && words[at - 1] == "machine";
        begins && matches!(words[at + 1..], ["login", _, "password", value, ..] if is_typed(value))
    };
    (0..words.len()).any(is_entry)
}
