//! The list of revoked tokens: single ones by their id, and all of a subject that were minted before a time.
//!
//! A document of its own, so that a verifier needs neither store nor identity. It holds no secret: an id opens nothing.

use serde::{Deserialize, Serialize};

use super::claims::Claims;
use super::json;
use crate::error::{Error, Kind, Result};

/// The version of the document that is written, and the only one that is read.
const VERSION: u32 = 1;

/// What was revoked, ordered so that the same list is the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "The list of revoked tokens"))]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    /// The version of this document.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    #[serde(rename = "vault_kit_revocations")]
    version: u32,
    /// Tokens, each by its id.
    tokens: Vec<RevokedToken>,
    /// All tokens of a subject up to a time.
    subjects: Vec<RevokedSubject>,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RevokedToken {
    /// Its `jti`.
    jti: String,
    /// Its `exp`, in seconds since 1970: the entry can go when the token has ended.
    exp: i64,
}

/// All tokens of a subject that were minted before a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RevokedSubject {
    /// Their `sub`.
    sub: String,
    /// Their `iat` is less than this, in seconds since 1970.
    issued_before: i64,
}

impl Default for Revocations {
    fn default() -> Self {
        Self { version: VERSION, tokens: Vec::new(), subjects: Vec::new() }
    }
}

impl Revocations {
    /// Reads the file `place`. Fails with `revocations-invalid`; an unreadable list is never taken for an empty one.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(Kind::Manifest, "revocations-invalid", format!("`{place}` {what}"))
                .hint("deliver it anew; `vault-kit schema revocations` describes it")
        };
        let object = json::object(bytes).ok_or_else(|| invalid("is not one JSON object without repeated names"))?;
        if object.get("vault_kit_revocations").is_some_and(|version| version != VERSION) {
            return Err(invalid("is of another version of vault-kit"));
        }
        let read: Self =
            serde_json::from_value(object.into()).map_err(|_| invalid("is not a list of revoked tokens"))?;
        let mut ordered = Self::default();
        ordered.extend(read);
        Ok(ordered)
    }

    /// The document, with a newline at the end.
    pub fn to_text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|_| Error::bug("a list cannot be written as JSON"))?;
        Ok(text + "\n")
    }

    /// Revokes one token, which ends at `exp`.
    pub fn revoke_token(&mut self, jti: &str, exp: i64) {
        match self.tokens.binary_search_by(|token| token.jti.as_str().cmp(jti)) {
            Ok(at) => self.tokens[at].exp = self.tokens[at].exp.max(exp),
            Err(at) => self.tokens.insert(at, RevokedToken { jti: jti.to_owned(), exp }),
        }
    }

    /// Revokes all tokens of a subject whose `iat` is less than `issued_before`. Who means those of this very second
    /// too gives the next one.
    pub fn revoke_subject(&mut self, sub: &str, issued_before: i64) {
        match self.subjects.binary_search_by(|subject| subject.sub.as_str().cmp(sub)) {
            Ok(at) => self.subjects[at].issued_before = self.subjects[at].issued_before.max(issued_before),
            Err(at) => self.subjects.insert(at, RevokedSubject { sub: sub.to_owned(), issued_before }),
        }
    }

    /// Adds what another list revokes.
    pub fn extend(&mut self, other: Self) {
        for RevokedToken { jti, exp } in other.tokens {
            self.revoke_token(&jti, exp);
        }
        for RevokedSubject { sub, issued_before } in other.subjects {
            self.revoke_subject(&sub, issued_before);
        }
    }

    /// Drops the tokens that ended before a time, which must lie at least the verifiers' leeway back.
    pub fn prune(&mut self, ended_before: i64) {
        self.tokens.retain(|token| token.exp >= ended_before);
    }

    /// Whether a token is revoked.
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        self.revokes(&claims.id, &claims.subject, claims.issued)
    }

    /// Whether a token of that `jti`, `sub` and `iat` is revoked.
    pub fn revokes(&self, jti: &str, sub: &str, iat: i64) -> bool {
        let of_subject = self.subjects.binary_search_by(|subject| subject.sub.as_str().cmp(sub));
        self.tokens.binary_search_by(|token| token.jti.as_str().cmp(jti)).is_ok()
            || of_subject.is_ok_and(|at| iat < self.subjects[at].issued_before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::verify::tests::claims;

    #[test]
    fn a_token_is_revoked_by_its_id_and_by_its_subject_and_time() {
        let mut list = Revocations::default();
        let claims = claims();
        assert!(!list.is_revoked(&claims));
        list.revoke_token(&claims.id.to_uppercase(), claims.expires);
        list.revoke_subject(&claims.subject, claims.issued);
        list.revoke_subject("svc:other", claims.issued + 10);
        assert!(!list.is_revoked(&claims));
        let mut by_id = list.clone();
        by_id.revoke_token(&claims.id, claims.expires);
        assert!(by_id.is_revoked(&claims));
        list.revoke_subject(&claims.subject, claims.issued + 1);
        assert!(list.is_revoked(&claims));
        // A later entry never brings an older token back.
        list.revoke_subject(&claims.subject, claims.issued - 1);
        assert!(list.is_revoked(&claims));
    }

    #[test]
    fn a_list_reads_back_as_it_was_written_and_is_ordered() {
        let mut list = Revocations::default();
        for (jti, exp) in [("b", 2), ("a", 9), ("b", 1)] {
            list.revoke_token(jti, exp);
        }
        list.revoke_subject("svc:api", 5);
        let text = list.to_text().unwrap();
        let compact: String = text.split_whitespace().collect();
        assert_eq!(
            compact,
            r#"{"vault_kit_revocations":1,"tokens":[{"jti":"a","exp":9},{"jti":"b","exp":2}],"subjects":[{"sub":"svc:api","issued_before":5}]}"#
        );
        assert_eq!(Revocations::parse(text.as_bytes(), "r").unwrap(), list);
        list.prune(3);
        assert_eq!(list.tokens.len(), 1);
    }

    #[test]
    fn an_unordered_list_is_read_as_well() {
        let text = r#"{"vault_kit_revocations":1,"tokens":[{"jti":"z","exp":1},{"jti":"jti","exp":2}],"subjects":[]}"#;
        assert!(Revocations::parse(text.as_bytes(), "r").unwrap().is_revoked(&claims()));
    }

    #[test]
    fn a_list_that_is_not_understood_is_never_an_empty_one() {
        let cases = [
            ("", "`r` is not one JSON object without repeated names"),
            ("[]", "`r` is not one JSON object without repeated names"),
            (
                r#"{"vault_kit_revocations":1,"tokens":[],"tokens":[],"subjects":[]}"#,
                "`r` is not one JSON object without repeated names",
            ),
            ("{}", "`r` is not a list of revoked tokens"),
            (r#"{"vault_kit_revocations":2,"tokens":[],"subjects":[]}"#, "`r` is of another version of vault-kit"),
            (r#"{"vault_kit_revocations":1,"tokens":[]}"#, "`r` is not a list of revoked tokens"),
            (
                r#"{"vault_kit_revocations":1,"tokens":[],"subjects":[],"keys":[]}"#,
                "`r` is not a list of revoked tokens",
            ),
            (
                r#"{"vault_kit_revocations":1,"tokens":[{"jti":"a"}],"subjects":[]}"#,
                "`r` is not a list of revoked tokens",
            ),
            (
                r#"{"vault_kit_revocations":1,"tokens":[{"jti":"a","exp":"1"}],"subjects":[]}"#,
                "`r` is not a list of revoked tokens",
            ),
        ];
        for (text, message) in cases {
            let error = Revocations::parse(text.as_bytes(), "r").unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), ("revocations-invalid", message), "{text}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that may rewrite a file of the source tree")]
    fn the_shipped_schema_is_the_one_that_the_types_make() {
        let generated = serde_json::to_string_pretty(&schemars::schema_for!(Revocations)).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/revocations.schema.json");
            std::fs::write(path, &generated).unwrap();
            return;
        }
        let shipped = include_str!("../../schemas/revocations.schema.json");
        assert!(generated == shipped, "run `UPDATE_SCHEMAS=1 cargo test --lib schema` and commit schemas/");
    }

    proptest! {
        #[test]
        fn what_was_revoked_stays_revoked_whatever_else_is(ids in prop::collection::vec("[a-d]{1,2}", 1..20)) {
            let mut list = Revocations::default();
            for id in &ids {
                list.revoke_token(id, 1);
                list.revoke_subject(id, 1);
            }
            let list = Revocations::parse(list.to_text().unwrap().as_bytes(), "r").unwrap();
            for id in ids {
                let by_id = Claims { id: id.clone(), ..claims() };
                let by_subject = Claims { subject: id, issued: 0, ..claims() };
                prop_assert!(list.is_revoked(&by_id) && list.is_revoked(&by_subject));
            }
        }
    }
}
