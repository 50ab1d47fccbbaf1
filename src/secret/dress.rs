//! How values look within other texts: escaped for JSON, percent-encoded for URLs. What is returned may be secret.

/// Marks that RFC 3986 §2.3 lets stand as they are, beside letters and digits.
pub const UNRESERVED: &[u8] = b"-._~";

/// Digits of `%XX`, as RFC 3986 §2.1 prefers them.
pub const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The others that are in use.
pub const LOWER: &[u8; 16] = b"0123456789abcdef";

/// Between the quotes of a JSON text, with or without `\u` for everything that is not ASCII.
pub fn json(value: &[u8], is_ascii: bool) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(value) else { return Vec::new() };
    let mut units = [0; 2];
    let mut escaped = Vec::with_capacity(6 * value.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend([b'\\', u8::try_from(character).unwrap_or(b'?')]),
            '\n' => escaped.extend(b"\\n"),
            '\r' => escaped.extend(b"\\r"),
            '\t' => escaped.extend(b"\\t"),
            '\u{8}' => escaped.extend(b"\\b"),
            '\u{c}' => escaped.extend(b"\\f"),
            it if it < ' ' || is_ascii && !it.is_ascii() => {
                for unit in it.encode_utf16(&mut units) {
                    escaped.extend(format!("\\u{unit:04x}").into_bytes());
                }
            }
            it => escaped.extend(it.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    escaped
}

/// The same, with what else an encoder escapes, of ASCII, in its own way.
pub fn json_besides(value: &[u8], is_ascii: bool, besides: &[u8], escape: impl Fn(u8) -> String) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(6 * value.len());
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| besides.contains(byte)) {
        escaped.extend(json(&rest[..at], is_ascii));
        escaped.extend(escape(rest[at]).into_bytes());
        rest = &rest[at + 1..];
    }
    escaped.extend(json(rest, is_ascii));
    escaped
}

/// Everything but letters, digits and the marks of `kept` as `%XX`.
pub fn percent(value: &[u8], kept: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let digit = |half: u8| digits[usize::from(half)];
    let mut text = Vec::with_capacity(3 * value.len());
    for &byte in value {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            text.push(byte);
        } else {
            text.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}
