//! The header of a token: which key, which algorithm, which kind of token. Everything else is ignored or refused.

use serde_json::{Map, Value};

use super::json;
use super::reason::Reason;

/// Members that change what is verified, or with what. A token never brings its own key (RFC 8725 §3.10), and an
/// extension that we do not know must be refused (RFC 7515 §4.1.11).
const REFUSED: [&str; 8] = ["b64", "crit", "enc", "jku", "jwk", "x5c", "x5u", "zip"];

/// What is read of a header; nothing of it is verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm by its name, known or not.
    pub algorithm: String,
    /// The key's id.
    pub kid: Option<String>,
    /// The kind of token.
    pub kind: Option<String>,
    /// Whether a member is there that must be refused.
    pub is_extended: bool,
}

impl Header {
    /// Reads the bytes of the first part.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let members = json::object(bytes).ok_or(Reason::Malformed)?;
        Ok(Self {
            algorithm: text(&members, "alg")?.ok_or(Reason::Malformed)?,
            kid: text(&members, "kid")?,
            kind: text(&members, "typ")?,
            is_extended: REFUSED.iter().any(|&name| members.contains_key(name)),
        })
    }
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Reason> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Reason::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_algorithm_key_and_kind() {
        let header = Header::parse(br#"{"alg":"ES256","kid":"k","typ":"at+jwt","x5t":"ignored"}"#).unwrap();
        let expected = Header {
            algorithm: "ES256".into(),
            kid: Some("k".into()),
            kind: Some("at+jwt".into()),
            is_extended: false,
        };
        assert_eq!(header, expected);
    }

    #[test]
    fn a_header_that_brings_a_key_or_an_extension_is_marked_even_if_the_member_is_empty() {
        for name in REFUSED {
            for value in ["null", "[]", "\"\"", "{}"] {
                let header = Header::parse(format!(r#"{{"alg":"ES256","{name}":{value}}}"#).as_bytes()).unwrap();
                assert!(header.is_extended, "{name}");
            }
        }
    }

    #[test]
    fn a_header_without_alg_or_with_another_type_in_it_is_malformed() {
        for text in [
            "{}",
            r#"{"alg":1}"#,
            r#"{"alg":"ES256","kid":1}"#,
            r#"{"alg":"ES256","typ":null}"#,
            "[]",
            r#"{"alg":"none","alg":"ES256"}"#,
        ] {
            assert_eq!(Header::parse(text.as_bytes()), Err(Reason::Malformed), "{text}");
        }
    }
}
