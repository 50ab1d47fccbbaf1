//! Texts with a credential in them, whatever they are called: addresses with a password, connection strings, JSON, and what those
//! who issue credentials recognise themselves.

mod called;
mod statement;

use serde_json::Value;

use super::{could_be, holds, value};
use crate::scan::is_issued;

/// No credential that tells by its form is shorter.
const SHORTEST: usize = 20;

/// What a value begins with that is put in elsewhere: by a shell, a template, a program.
const REFERENCES: [char; 6] = ['$', '{', '<', '%', '!', '`'];

/// Whether a text has a password in it that it calls one.
pub(super) fn has_password(text: &str) -> bool {
    has_password_in_address(text) || has_pair(text) || in_json(text) || has_proof(text) || has_statement(text)
}

/// Whether a text has a credential in it by the form that its issuer gave it.
pub(super) fn has_form(text: &str) -> bool {
    has_long_word(text) && is_issued(text.as_bytes()) && !super::open::is_publishable(text.trim())
}

/// Whether a text that is written where a credential belongs is one, and neither a reference to one nor a call.
pub(super) fn is_typed(text: &str) -> bool {
    let text = unquoted(text);
    could_be(text) && !is_put_in(text)
}

/// As [`is_typed`], beside a name.
pub(super) fn is_typed_as(name: &str, text: &str) -> bool {
    let text = unquoted(text);
    holds(name, text) && !is_put_in(text)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

fn is_put_in(text: &str) -> bool {
    text.starts_with(REFERENCES)
        || is_kept_reference(text)
        || text.starts_with("ENV[")
        || text.contains('(')
        || text.bytes().all(|byte| byte == b'*')
}

/// `\${NAME}`, which a shell writes as it stands, for whoever reads it to put something in.
fn is_kept_reference(text: &str) -> bool {
    let name = text.strip_prefix(r"\${").and_then(|it| it.strip_suffix('}'));
    name.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// `Authorization: Bearer …` anywhere, as a header is handed to a client; or the header's value alone.
fn has_proof(text: &str) -> bool {
    const NAME: &str = "authorization";
    if value::is_bare_proof(unquoted(text)) {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    lower.match_indices(NAME).any(|(at, _)| {
        let rest = text[at + NAME.len()..].trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = rest.strip_prefix([':', '=']) else { return false };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        value::is_proof(value.split(['"', '\'']).next().unwrap_or_default().trim_end())
    })
}

/// What stands where a password does in `scheme://user:password@host`, of each such address.
pub(super) fn passwords(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let end = rest.find(|it: char| it == '/' || it == '"' || it == '\'' || it.is_whitespace());
        let authority = &rest[..end.unwrap_or(rest.len())];
        let (user, _) =
            authority.rsplit_once('@').filter(|_| text[..at].ends_with(|it: char| it.is_ascii_alphanumeric()))?;
        Some(user.split_once(':')?.1)
    })
}

/// `scheme://user:password@host` anywhere, and the Go driver's `user:password@tcp(host)`.
pub(super) fn has_password_in_address(text: &str) -> bool {
    let is_password = |text: &str| !text.is_empty() && !text.starts_with(REFERENCES);
    let of_user = |user: &str| user.split_once(':').is_some_and(|(_, password)| is_password(password));
    let in_driver = |mark: &str| {
        let user = text.split_once(mark).map(|(before, _)| before);
        user.and_then(|it| it.rsplit(char::is_whitespace).next()).is_some_and(of_user)
    };
    // Oracle's: `jdbc:oracle:thin:user/password@host`.
    let in_oracle = |mark: &str| {
        let user = text.split_once(mark).and_then(|(_, rest)| rest.split_once('@')).map(|(user, _)| user);
        user.and_then(|it| it.split_once('/')).is_some_and(|(user, password)| !user.is_empty() && is_password(password))
    };
    let in_address = passwords(text).any(is_password) || in_driver("@tcp(") || in_driver("@unix(");
    in_address || in_oracle("jdbc:oracle:thin:") || in_oracle("jdbc:oracle:oci:")
}

/// `password=…` among other pairs, as in `host=db password=…`, `Server=db;Password=…`, `?token=…`, `--api-key=…`.
fn has_pair(text: &str) -> bool {
    let is_between = |it: char| it.is_whitespace() || matches!(it, ';' | '&' | '?' | ',');
    let is_one = |pair: &str| {
        // `pip install salt==3002` compares.
        let pair = pair
            .split_once('=')
            .filter(|(_, value)| !value.starts_with('='))
            .map(|(name, value)| (name.trim_start_matches(['-', '"', '\'']), value));
        // npm's settings are called by a registry first: `//registry.npmjs.org/:_authToken=…`.
        let pair = pair.map(|(name, value)| (name.rsplit("/:").next().unwrap_or(name), value));
        let is_one = |(name, value): (&str, &str)| is_key(name) && is_typed_as(name, value);
        // A pair may be the value of an option: `--from-literal=password=…`.
        pair.is_some_and(|(name, value)| is_one((name, value)) || value.split_once('=').is_some_and(is_one))
    };
    memchr::memchr(b'=', text.as_bytes()).is_some() && text.split(is_between).any(is_one)
}

fn is_key(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn in_json(text: &str) -> bool {
    let text = text.trim();
    let is_whole = text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']');
    is_whole && serde_json::from_str(text).is_ok_and(|value| in_value(&value))
}

fn in_value(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| match value {
            Value::String(text) => is_typed_as(name, text) || in_string(text),
            other => in_value(other),
        }),
        Value::Array(list) => list.iter().any(in_value),
        Value::String(text) => in_string(text),
        _ => false,
    }
}

fn in_string(text: &str) -> bool {
    has_password_in_address(text) || has_pair(text) || has_form(text) || has_proof(text) || has_statement(text)
}

/// Whether a text has a statement of SQL that sets a password, or an entry of a `.netrc`.
pub(super) fn has_statement(text: &str) -> bool {
    statement::in_sql(text) || statement::in_netrc(text)
}

/// Whether a whole configuration file has a credential in it, line by line.
pub fn in_document(text: &str) -> Option<usize> {
    if in_json(text) {
        return Some(0);
    }
    text.lines().position(|line| in_line(line) || super::has_key(line))
}

/// Whether a line such as `password: …`, `api_key = "…"`, `requirepass …` or `Authorization: Bearer …` has one in it.
pub(super) fn in_line(line: &str) -> bool {
    let line = line.trim().trim_start_matches("- ");
    // npm's settings of a registry begin as a comment does.
    if line.starts_with(['#', ';']) || line.starts_with("//") && !line.contains("/:_") {
        return false;
    }
    let is_one = in_string(line) || header_in_option(line).is_some_and(in_line) || called::has(line) || in_acl(line);
    // A line of a script may hold several statements.
    is_one || in_statement(line) || line.split(';').any(in_statement)
}

/// `user NAME on >PASSWORD …`, as Redis keeps its users.
fn in_acl(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("user") && words.any(|word| word.strip_prefix('>').is_some_and(is_typed))
}

fn in_statement(line: &str) -> bool {
    let line = line.trim();
    let split = |it: char| it == ':' || it == '=' || it.is_whitespace();
    let Some((name, rest)) = line.split_once(split) else { return false };
    let is_pair = line[name.len()..].trim_start().starts_with([':', '=']);
    let value = rest.trim_start().trim_start_matches([':', '=']).trim();
    let value = value.split_once(" #").map_or(value, |(value, _)| value).trim_end().trim_end_matches([',', ';']);
    // Ruby's settings: `gitlab_rails['smtp_password'] = …`.
    let name = name.strip_suffix(']').and_then(|it| it.rsplit_once('[')).map_or(name, |(_, name)| name);
    let name = name.trim_matches(['"', '\'']);
    let is_directive = ["requirepass", "masterauth"].iter().any(|it| name.eq_ignore_ascii_case(it));
    let is_one = is_pair && is_key(name) && is_typed_as(name, value) || is_directive && is_typed(value);
    is_one && !unquoted(value).contains(' ')
}

/// What stands behind `--header=` and the like, and curl's `-H` without a blank.
fn header_in_option(text: &str) -> Option<&str> {
    let option = text.strip_prefix('-')?;
    match option.split_once('=') {
        Some((name, value)) if name.to_ascii_lowercase().ends_with("header") => Some(value),
        _ => option.strip_prefix('H').filter(|it| it.contains(':')),
    }
}

/// Whether a text has a run of letters and digits that is long enough; most have none, and are not looked at any further.
fn has_long_word(text: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'=');
    let mut words = text.as_bytes().split(|byte| !is_part(byte));
    words.any(|word| word.len() >= SHORTEST && word.iter().any(u8::is_ascii_digit))
}
