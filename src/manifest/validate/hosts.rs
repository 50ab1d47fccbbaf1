//! DNS names, addresses and URIs of certificates (RFC 5280 §4.2.1.6).

use std::borrow::Cow;
use std::net::IpAddr;

use super::punycode;

/// What is wrong with a name, and what would be right.
type Wrong = (&'static str, Cow<'static, str>);

/// Lower-cases a DNS name and checks it, or tells what is wrong and what would be right.
pub fn dns_name(text: &str) -> Result<String, Wrong> {
    if text.is_ascii() {
        return ascii_name(text).map_err(|(wrong, hint)| (wrong, hint.into()));
    }
    let name = punycode::a_labels(text).filter(|name| ascii_name(name).is_ok());
    let hint = name.map_or("write the A-label, such as `xn--bcher-kva.example`".into(), |name| {
        format!("write its A-label: `{name}`").into()
    });
    Err(("is not ASCII", hint))
}

fn ascii_name(text: &str) -> Result<String, (&'static str, &'static str)> {
    if text.parse::<IpAddr>().is_ok() {
        return Err(("is an address, not a DNS name", "addresses belong in `ip`"));
    }
    let name = text.to_ascii_lowercase();
    let rest = name.strip_prefix("*.").unwrap_or(&name);
    if name.len() > 253 {
        return Err(("is longer than 253 characters", "shorten the name"));
    }
    if rest.contains('*') || rest.len() < name.len() && !rest.contains('.') {
        return Err(("has a wildcard that verifiers refuse", WILDCARD));
    }
    if rest.contains('_') {
        return Err(("has an underscore, which no host name has", "write `-` instead"));
    }
    if !rest.split('.').all(is_label) {
        return Err(("is not a DNS name", "labels have 1 to 63 of a–z, 0–9 and `-`, with no `-` at an edge"));
    }
    Ok(name)
}

const WILDCARD: &str = "a `*` is the whole leftmost label, with at least two labels below, such as `*.example.com`";

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether a text is a URI that a certificate can carry: a scheme, a colon, and visible ASCII after it (RFC 3986 §3).
pub(super) fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

/// Whether a certificate may carry a URI.
pub fn is_certifiable_uri(text: &str) -> bool {
    is_uri(text) && wrong_spiffe_id(text).is_none()
}

/// What is wrong with a SPIFFE ID, if the URI is one (SPIFFE-ID §2).
pub(super) fn wrong_spiffe_id(uri: &str) -> Option<&'static str> {
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("spiffe") {
        return None;
    }
    let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
    let is_domain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    let is_segment = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if scheme != "spiffe" || domain.is_empty() || domain.len() > 255 || !domain.bytes().all(is_domain) {
        return Some("has a trust domain that is not one");
    }
    let sound = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_segment);
    if path.is_some_and(|path| !path.split('/').all(sound)) || uri.len() > 2048 {
        return Some("has a path that no SPIFFE ID has");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_and_whole_wildcards_are_dns_names() {
        for (text, name) in
            [("localhost", "localhost"), ("A.Example", "a.example"), ("*.a.b", "*.a.b"), ("1e.x", "1e.x")]
        {
            assert_eq!(dns_name(text).unwrap(), name);
        }
    }

    #[test]
    fn what_a_verifier_would_refuse_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = ["a".repeat(60).as_str(); 5].join(".");
        let wrong =
            ["", "a..b", ".a", "a.", "-a", "a-", "a_b", "*", "*.com", "a*.b.c", "b.*.c", "ü.de", "10.0.0.1", "a b"];
        for text in wrong.into_iter().chain([long.as_str(), longer.as_str()]) {
            assert!(dns_name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_is_not_ascii_is_told_with_its_a_label() {
        let hint = |name| dns_name(name).unwrap_err().1;
        assert_eq!(hint("*.Bücher.Example"), "write its A-label: `*.xn--bcher-kva.example`");
        assert_eq!(hint("ü ü"), "write the A-label, such as `xn--bcher-kva.example`");
        // What would still be refused is not offered.
        assert_eq!(hint("*.ü"), "write the A-label, such as `xn--bcher-kva.example`");
    }

    #[test]
    fn a_spiffe_id_has_a_trust_domain_and_plain_segments() {
        for uri in ["spiffe://example.org", "spiffe://a-b_c.d/e/F.1", "https://Any/thing?x=1"] {
            assert_eq!(wrong_spiffe_id(uri), None, "{uri}");
        }
        for uri in [
            "spiffe:///a",
            "spiffe://A.org/a",
            "SPIFFE://a.org/a",
            "spiffe://u@a.org/a",
            "spiffe://a.org:1/a",
            "spiffe://a.org/",
            "spiffe://a.org/a//b",
            "spiffe://a.org/../b",
            "spiffe://a.org/a?b",
            "spiffe://a.org/a#b",
            "spiffe://a.org/%61",
        ] {
            assert!(wrong_spiffe_id(uri).is_some(), "{uri}");
        }
    }

    #[test]
    fn a_uri_has_a_scheme() {
        assert!(is_uri("spiffe://example.org/api"));
        for text in ["", "a", ":x", "1a:x", "a:", "a:b c", "http://ü"] {
            assert!(!is_uri(text), "{text:?}");
        }
    }
}
