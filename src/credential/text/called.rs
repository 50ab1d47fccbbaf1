//! Values that stand beside their name in a form of its own: elements, attributes, and what PHP defines.

use super::{is_key, is_typed_as};

/// Whether a line has a credential in one of these forms.
pub(super) fn has(line: &str) -> bool {
    in_element(line) || in_attributes(line) || is_defined(line)
}

/// `<password>…</password>`.
fn in_element(line: &str) -> bool {
    line.split('<').zip(line.split('<').skip(1)).any(|(open, close)| {
        let Some((tag, value)) = open.split_once('>') else { return false };
        let name = tag.split_whitespace().next().unwrap_or_default();
        let closes = close.strip_prefix('/').and_then(|it| it.strip_prefix(name)).is_some_and(|it| it.starts_with('>'));
        closes && is_key(name) && is_typed_as(name, value)
    })
}

/// `<add key="…Password" value="…">`, and `name` for `key`.
fn in_attributes(line: &str) -> bool {
    let attribute = |element: &'_ str, name: &str| {
        let (_, rest) = element.split_once(&format!(" {name}="))?;
        let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        rest[1..].split_once(quote).map(|(value, _)| value.to_owned())
    };
    line.split('<').skip(1).any(|element| {
        let name = attribute(element, "key").or_else(|| attribute(element, "name"));
        name.zip(attribute(element, "value")).is_some_and(|(name, value)| is_key(&name) && is_typed_as(&name, &value))
    })
}

/// `define('DB_PASSWORD', '…');`.
fn is_defined(line: &str) -> bool {
    const QUOTES: [char; 2] = ['"', '\''];
    let arguments = line.strip_prefix("define").and_then(|it| it.trim_start().strip_prefix('('));
    let Some((name, value)) = arguments.and_then(|it| it.split_once(',')) else { return false };
    let (name, value) = (name.trim().trim_matches(QUOTES), value.trim());
    // What is in no quotes is a constant, or a call.
    let value = value.strip_prefix(QUOTES).and_then(|it| it.rsplit_once(QUOTES)).map_or("", |(value, _)| value);
    is_key(name) && is_typed_as(name, value) && !value.contains(' ')
}
