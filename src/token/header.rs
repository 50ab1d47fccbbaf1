//! The header of a token: which key, which algorithm, which kind of token. What is not known to be harmless is refused.

use serde_json::Value;

use super::json;
use super::reason::Reason;

/// The members that a header may have. Some of the others change what is verified, or with what: a token never brings its own
/// key (RFC 8725 §3.10), and a critical extension that we do not know must be refused (RFC 7515 §4.1.11). The rest could be
/// ignored (RFC 7515 §4), but what the strictest verifiers refuse gets no further here.
const KNOWN: [&str; 6] = ["alg", "cty", "kid", "typ", "x5t", "x5t#S256"];

/// What is read of a header; nothing of it is verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm by its name, known or not.
    pub algorithm: String,
    /// The key's id.
    pub kid: Option<String>,
    /// The kind of token.
    pub kind: Option<String>,
    /// Whether a member is there that is not known.
    pub is_extended: bool,
}

impl Header {
    /// Reads the bytes of the first part.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let members = json::object(bytes).ok_or(Reason::Malformed)?;
        let is_known = |name: &str| KNOWN.contains(&name);
        if members.iter().any(|(name, value)| is_known(name) && !value.is_string()) {
            return Err(Reason::Malformed);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            algorithm: text("alg").ok_or(Reason::Malformed)?,
            kid: text("kid"),
            kind: text("typ"),
            is_extended: members.keys().any(|name| !is_known(name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_algorithm_key_and_kind() {
        let header = Header::parse(br#"{"alg":"ES256","kid":"k","typ":"at+jwt","cty":"x","x5t":"ignored"}"#).unwrap();
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
        for name in
            ["b64", "crit", "enc", "jku", "jwk", "x5c", "x5u", "zip", "nonce", "epk", "exp", "Alg", "x5t#s256", ""]
        {
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
            r#"{"alg":"ES256","cty":null}"#,
            r#"{"alg":"ES256","x5t":["AA"]}"#,
            r#"{"alg":"ES256","x5t#S256":{}}"#,
            "[]",
            r#"{"alg":"none","alg":"ES256"}"#,
        ] {
            assert_eq!(Header::parse(text.as_bytes()), Err(Reason::Malformed), "{text}");
        }
    }
}
