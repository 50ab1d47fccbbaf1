//! What a `ForwardAuth` (Traefik) or `auth_request` (nginx) service must answer to the headers of a request.
//!
//! Whatever happens, all of our headers are in the answer, empty where nothing is known: a proxy that copies what is there
//! would otherwise pass on a header that the client made up (Caddy ≥ 2.10 does). Only 200, 401 and 403 are given, since
//! nginx makes 500 of everything else.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::claims::{Claims, role_name};
use super::reason::Reason;
use super::verify::Verifier;

/// The headers that tell a backend who asks.
pub const HEADERS: [&str; 3] = ["X-User-Id", "X-User-Role", "X-User-Scope"];

/// Headers that are longer are no request of a browser: proxies stop at 8 to 32 KiB.
const LONGEST: usize = 64 * 1024;

/// What the client's challenge is named after (RFC 9110 §11.5).
const REALM: &str = "vault-kit";

/// Why a request does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It brings no credentials.
    NoCredentials,
    /// It cannot be understood in one way only; why, for the log.
    InvalidRequest(&'static str),
    /// Its token is refused.
    Token(Reason),
}

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, 401 or 403.
    pub status: u16,
    /// All of [`HEADERS`], and `WWW-Authenticate` where it does not pass.
    pub headers: Vec<(&'static str, String)>,
    /// Why it does not pass.
    pub refusal: Option<Refusal>,
}

/// Judges a request by its headers, one a line. An empty line ends them.
pub fn answer(request: &[u8], verifier: &Verifier<'_>, now: DateTime<Utc>) -> Answer {
    let claims = token(request).and_then(|token| verifier.verify(token, now).map_err(Refusal::Token));
    match claims.and_then(|claims| identity(&claims)) {
        Ok(values) => Answer { status: 200, headers: HEADERS.into_iter().zip(values).collect(), refusal: None },
        Err(refusal) => refuse(refusal, verifier),
    }
}

impl Answer {
    /// The answer as a CGI program gives it (RFC 3875 §6.3): the status as a header, and an empty line at the end.
    pub fn to_text(&self) -> String {
        let mut text = format!("Status: {} {}\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            let space = if value.is_empty() { "" } else { " " };
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name}:{space}{value}");
        }
        text.push('\n');
        text
    }
}

impl Refusal {
    /// The code, for machines.
    pub fn code(self) -> String {
        match self {
            Self::NoCredentials => "no_credentials".to_owned(),
            Self::InvalidRequest(_) => "invalid_request".to_owned(),
            Self::Token(reason) => reason.code().into_owned(),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCredentials => f.write_str("it has no `Authorization` header"),
            Self::InvalidRequest(why) => f.write_str(why),
            Self::Token(reason) => reason.fmt(f),
        }
    }
}

/// The one bearer token of a request (RFC 6750 §2.1). What two programs could read differently is refused.
fn token(request: &[u8]) -> Result<&str, Refusal> {
    let wrong = |why| Err(Refusal::InvalidRequest(why));
    if request.len() > LONGEST {
        return wrong("its headers are too long");
    }
    let Ok(text) = std::str::from_utf8(request) else { return wrong("its headers are not text") };
    let mut credentials = None;
    for line in text.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_token(name)) else {
            return wrong("it has a line that is no header");
        };
        if value.chars().any(|it| it.is_control() && it != '\t') {
            return wrong("it has a header with a control character");
        }
        if is_alias(name) {
            return wrong("it has another spelling of a header that only we may set");
        }
        if name.eq_ignore_ascii_case("authorization") && credentials.replace(value).is_some() {
            return wrong("it has two `Authorization` headers");
        }
    }
    bearer(credentials.ok_or(Refusal::NoCredentials)?)
}

fn bearer(credentials: &str) -> Result<&str, Refusal> {
    let credentials = credentials.trim_matches([' ', '\t']);
    let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoCredentials);
    }
    let token = token.trim_start_matches(' ');
    let is_one = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if is_one { Ok(token) } else { Err(Refusal::InvalidRequest("its `Authorization` header holds no single token")) }
}

/// A spelling that CGI and WSGI programs take for one of ours, but that a proxy does not replace by ours.
fn is_alias(name: &str) -> bool {
    let folded = name.replace(['_', '.'], "-");
    folded != name && HEADERS.iter().any(|header| header.eq_ignore_ascii_case(&folded))
}

/// The characters of a header's name (RFC 9110 §5.6.2).
fn is_token(name: &str) -> bool {
    let is_mark = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

/// What the backend is told. The role is one of four words, and scopes are words; only a subject can be anything.
fn identity(claims: &Claims) -> Result<[String; 3], Refusal> {
    let is_plain = claims.subject.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain {
        return Err(Refusal::Token(Reason::ClaimMalformed("sub")));
    }
    let role = claims.role.map_or("", role_name);
    Ok([claims.subject.clone(), role.to_owned(), claims.scope.join(" ")])
}

fn refuse(refusal: Refusal, verifier: &Verifier<'_>) -> Answer {
    let (status, challenge) = match refusal {
        // RFC 6750 §3.1: who brought nothing is not told of an error.
        Refusal::NoCredentials => (401, String::new()),
        Refusal::InvalidRequest(_) => (401, r#", error="invalid_request""#.to_owned()),
        Refusal::Token(reason) if reason.is_too_little() => {
            let words = if verifier.scopes.is_empty() { String::new() } else { scope(&verifier.scopes) };
            (403, format!(r#", error="insufficient_scope", error_description="{}"{words}"#, reason.code()))
        }
        Refusal::Token(reason) => (401, format!(r#", error="invalid_token", error_description="{}""#, reason.code())),
    };
    let mut headers: Vec<_> = HEADERS.into_iter().map(|name| (name, String::new())).collect();
    headers.push(("WWW-Authenticate", format!("Bearer realm=\"{REALM}\"{challenge}")));
    Answer { status, headers, refusal: Some(refusal) }
}

/// Scopes have neither quotes nor backslashes, so they need no escapes.
fn scope(scopes: &[String]) -> String {
    format!(r#", scope="{}""#, scopes.join(" "))
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        403 => "Forbidden",
        _ => "Unauthorized",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::model::Role;
    use crate::token::verify::tests::{keys, now, payload, signed_payload, verifier, with};

    fn ask(request: &str) -> Answer {
        answer(request.as_bytes(), &verifier(&keys()), now())
    }

    fn value<'a>(answer: &'a Answer, name: &str) -> &'a str {
        &answer.headers.iter().find(|(header, _)| *header == name).unwrap().1
    }

    fn good() -> String {
        signed_payload(&payload())
    }

    #[test]
    fn the_readme_says_what_is_answered() {
        let readme = include_str!("../../README.md");
        let keys = keys();
        let admin = Verifier { roles: vec![Role::Admin], ..verifier(&keys) };
        let denied = Verifier { scopes: vec!["delete".into()], ..verifier(&keys) };
        let bearer = format!("Authorization: Bearer {}\n", good());
        let malformed = "Authorization: Bearer x\n".to_owned();
        let cases = [
            (&admin, String::new(), "no_credentials"),
            (&admin, bearer.repeat(2), "invalid_request"),
            (&admin, bearer.clone(), "role_denied"),
            (&denied, bearer, "scope_missing"),
            (&denied, malformed, "malformed"),
        ];
        for (verifier, request, code) in cases {
            let answer = answer(request.as_bytes(), verifier, now());
            assert_eq!(answer.refusal.unwrap().code(), code);
            let challenge = value(&answer, "WWW-Authenticate").split('"').nth(3).unwrap_or("nothing");
            let reason = if code == "malformed" { "each other reason" } else { code };
            let row = readme.lines().find(|line| line.starts_with("| 40") && line.contains(reason)).unwrap();
            assert!(row.starts_with(&format!("| {} |", answer.status)) && row.contains(challenge), "{row}");
        }
    }

    #[test]
    fn a_good_token_passes_and_tells_who_asks() {
        for request in [
            format!("Authorization: Bearer {}", good()),
            format!("host: x\r\nAUTHORIZATION:bearer   {}\t\r\nAccept: */*\r\n\r\nAuthorization: Bearer x\r\n", good()),
        ] {
            let answer = ask(&request);
            let expected = "Status: 200 OK\nX-User-Id: svc:api\nX-User-Role: service\nX-User-Scope: read write\n\n";
            assert_eq!(answer.to_text(), expected);
            assert_eq!(answer.refusal, None);
        }
    }

    #[test]
    fn every_header_is_there_and_empty_where_nothing_is_known() {
        let mut bare = with("scope", serde_json::Value::Null);
        bare.as_object_mut().unwrap().remove("role");
        let answer = ask(&format!("Authorization: Bearer {}\n", signed_payload(&bare)));
        assert_eq!(answer.to_text(), "Status: 200 OK\nX-User-Id: svc:api\nX-User-Role:\nX-User-Scope:\n\n");
        let refused = ask("Authorization: Bearer a.b.c\nX-User-Id: root\n");
        assert_eq!(
            refused.to_text(),
            "Status: 401 Unauthorized\nX-User-Id:\nX-User-Role:\nX-User-Scope:\nWWW-Authenticate: Bearer \
             realm=\"vault-kit\", error=\"invalid_token\", error_description=\"malformed\"\n\n"
        );
    }

    #[test]
    fn who_brings_nothing_is_asked_for_a_token_without_an_error() {
        for request in
            ["", "Host: x\n", "Authorization: Basic YTpi\n", "Authorization:\n", "Proxy-Authorization: Bearer x\n"]
        {
            let answer = ask(request);
            assert_eq!((answer.status, answer.refusal), (401, Some(Refusal::NoCredentials)), "{request}");
            assert_eq!(value(&answer, "WWW-Authenticate"), "Bearer realm=\"vault-kit\"");
        }
    }

    #[test]
    fn a_request_that_can_be_read_in_two_ways_is_refused() {
        let token = good();
        let requests = [
            format!("Authorization: Bearer {token}\nauthorization: Bearer {token}\n"),
            format!("Authorization: Bearer {token}\nAuthorization: Basic YTpi\n"),
            format!("Authorization: Bearer {token}, Bearer {token}\n"),
            format!("Authorization: Bearer {token} x\n"),
            "Authorization: Bearer\n".to_owned(),
            format!("Authorization: Bearer {token}\n folded\n"),
            format!("Authorization : Bearer {token}\n"),
            format!("GET / HTTP/1.1\nAuthorization: Bearer {token}\n"),
            format!("Authorization: Bearer {token}\rX: y\n"),
            format!("Authorization: Bearer {token}\nX: \0\n"),
            format!("Authorization: Bearer {token}\nX: {}\n", "a".repeat(LONGEST)),
        ];
        for request in requests {
            let answer = ask(&request);
            assert!(matches!(answer.refusal, Some(Refusal::InvalidRequest(_))), "{request:?}: {answer:?}");
            assert_eq!(answer.status, 401);
            assert!(value(&answer, "WWW-Authenticate").ends_with("error=\"invalid_request\""));
        }
        assert_eq!(answer(b"X: \xff\n", &verifier(&keys()), now()).status, 401);
    }

    #[test]
    fn a_made_up_header_changes_nothing_and_its_aliases_are_refused() {
        let token = good();
        let honest = ask(&format!("Authorization: Bearer {token}\n"));
        for name in HEADERS {
            let request = |name: &str| format!("{name}: admin\nAuthorization: Bearer {token}\n");
            assert_eq!(ask(&request(name)), honest);
            assert_eq!(ask(&request(&name.to_lowercase())), honest);
            for alias in [name.replace('-', "_"), name.replace('-', "."), name.replacen('-', "_", 1).to_uppercase()] {
                assert_eq!(ask(&request(&alias)).status, 401, "{alias}");
            }
        }
    }

    #[test]
    fn a_good_token_that_grants_too_little_is_forbidden() {
        let keys = keys();
        let request = format!("Authorization: Bearer {}\n", good());
        let asking = Verifier { scopes: vec!["read".into(), "delete".into()], ..verifier(&keys) };
        let refused = answer(request.as_bytes(), &asking, now());
        assert_eq!(refused.status, 403);
        assert_eq!(
            value(&refused, "WWW-Authenticate"),
            r#"Bearer realm="vault-kit", error="insufficient_scope", error_description="scope_missing", scope="read delete""#
        );
        let asking = Verifier { roles: vec![Role::Admin], ..verifier(&keys) };
        let refused = answer(request.as_bytes(), &asking, now());
        assert_eq!((refused.status, refused.refusal), (403, Some(Refusal::Token(Reason::RoleDenied))));
        assert_eq!(value(&refused, "X-User-Role"), "");
    }

    #[test]
    fn a_subject_that_could_break_a_header_does_not_get_into_one() {
        for subject in ["a\r\nX-User-Role: admin", "a\nb", "a b", "ä", "a\0"] {
            let answer = ask(&format!("Authorization: Bearer {}\n", signed_payload(&with("sub", subject.into()))));
            assert_eq!(answer.refusal, Some(Refusal::Token(Reason::ClaimMalformed("sub"))), "{subject:?}");
            assert_eq!(value(&answer, "X-User-Id"), "");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_the_answer_is_whole_and_one_line_a_header(request: Vec<u8>, subject: String, scope: String) {
            let mut claims = with("sub", subject.into());
            claims["scope"] = scope.into();
            let good = format!("Authorization: Bearer {}\n", signed_payload(&claims)).into_bytes();
            for request in [request, good] {
                let answer = answer(&request, &verifier(&keys()), now());
                let text = answer.to_text();
                prop_assert!(matches!(answer.status, 200 | 401 | 403));
                for name in HEADERS.map(|name| format!("\n{name}:")) {
                    prop_assert_eq!(text.matches(&name).count(), 1);
                }
                prop_assert_eq!(text.lines().count(), answer.headers.len() + 2);
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n')));
            }
        }
    }
}
