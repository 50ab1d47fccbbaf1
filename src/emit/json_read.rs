//! A flat JSON object → names and values, with the line of each.

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::dotenv_read::{Entry, line_breaks, without_duplicates};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// Reads an object of strings, numbers and booleans. Numbers keep the digits that the file writes.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| invalid(error.line(), "not valid JSON"))?;
    let mut tokens = Tokens { bytes, at: 0, line: 1 };
    if tokens.next() != Some(b"{") {
        return Err(invalid(tokens.line, "not an object of names and values"));
    }
    let mut entries = Vec::new();
    loop {
        match tokens.next() {
            Some(b",") => {}
            Some(key) if key.starts_with(b"\"") => {
                entries.push(member(&mut tokens, key)?);
            }
            _ => return without_duplicates(entries, "json-invalid"),
        }
    }
}

fn member(tokens: &mut Tokens<'_>, key: &[u8]) -> Result<Entry> {
    let (start, line) = (tokens.at - key.len(), tokens.line);
    let name = text(key, line)?.as_str().to_owned();
    tokens.next();
    let nested = |what| invalid(line, &format!("`{name}` is {what}, not a string, a number or a boolean"));
    let value = match tokens.next() {
        Some(token @ [b'"', ..]) => Secret::copy_of(text(token, line)?.as_bytes()),
        Some(b"{") => return Err(nested("an object")),
        Some(b"[") => return Err(nested("a list")),
        Some(b"null") => return Err(nested("null")),
        Some(token) => Secret::copy_of(token),
        None => return Err(invalid(line, "not valid JSON")),
    };
    Ok(Entry { name, value, expands: false, line, span: start..tokens.at })
}

/// The text of a string token. Only a lone surrogate is still wrong here.
fn text(token: &[u8], line: usize) -> Result<Zeroizing<String>> {
    serde_json::from_slice(token).map(Zeroizing::new).map_err(|_| invalid(line, "a string is not Unicode text"))
}

/// The tokens of bytes that are known to be valid JSON.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The line of the token before.
    line: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let blanks = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &self.bytes[self.at + blanks..];
        let length = match rest.first()? {
            b'"' => string_length(rest),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']');
                rest.iter().position(ends).unwrap_or(rest.len())
            }
        };
        self.line += line_breaks(&self.bytes[self.at..self.at + blanks]);
        self.at += blanks + length;
        Some(&rest[..length])
    }
}

/// Up to and with the closing quote.
fn string_length(token: &[u8]) -> usize {
    let mut escaped = true;
    let closes = |byte: &u8| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    };
    token.iter().position(closes).map_or(token.len(), |at| at + 1)
}

fn invalid(line: usize, what: &str) -> Error {
    Error::new(Kind::Usage, "json-invalid", format!("line {line}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Usage, "json-invalid"));
        error.to_string()
    }

    #[test]
    fn strings_are_decoded_and_numbers_keep_their_digits() {
        let text = "{\n \"A\": \"x\\\"\\n\\u00e9\\\\\",\n \"B\":1.50,\n \"C\" : true, \"D\":\"\"}";
        let entries = read(text.as_bytes()).unwrap();
        let found: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.value.expose_text().unwrap(), e.line)).collect();
        assert_eq!(found, [("A", "x\"\né\\", 2), ("B", "1.50", 3), ("C", "true", 4), ("D", "", 4)]);
        assert_eq!(&text[entries[1].span.clone()], "\"B\":1.50");
        assert!(read(b" { } ").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_flat_is_refused_by_name() {
        assert_eq!(problem("{\"A\":{\"B\":1}}"), "line 1: `A` is an object, not a string, a number or a boolean");
        assert_eq!(problem("{\n\"A\":[1]}"), "line 2: `A` is a list, not a string, a number or a boolean");
        assert_eq!(problem("{\"A\":null}"), "line 1: `A` is null, not a string, a number or a boolean");
        assert_eq!(problem("[\"hunter2\"]"), "line 1: not an object of names and values");
        assert_eq!(problem("{\"A\":1,\n\"A\":2}"), "`A` is assigned twice, on lines 1 and 2");
    }

    #[test]
    fn broken_json_is_told_by_line_without_its_text() {
        assert_eq!(problem("{\"A\":\n\"hunter2}"), "line 2: not valid JSON");
        assert_eq!(problem("{\"A\":\"\\ud800\"}"), "line 1: a string is not Unicode text");
        assert_eq!(problem(""), "line 1: not valid JSON");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in r#"[{}\[\]:,"\\a1 \n]{0,40}"#) {
            drop(read(text.as_bytes()));
        }

        #[test]
        fn what_serde_writes_is_read_back(map in proptest::collection::btree_map(".{0,8}", ".{0,12}", 0..5)) {
            let map: std::collections::BTreeMap<String, String> = map;
            let entries = read(&serde_json::to_vec(&map).unwrap()).unwrap();
            let found = entries.iter().map(|e| (e.name.clone(), e.value.expose_text().unwrap().to_owned())).collect();
            proptest::prop_assert_eq!(map, found);
        }
    }
}
