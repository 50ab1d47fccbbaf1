//! The report of a leak search, as far as an incident needs it: which secret's value was found where.
//!
//! `{"schema_version": 1, "findings": [{"secret": "NAME", "version": "UUID", "file": "src/a.py", "line": 3}]}`, as `scan --json`
//! writes it; `version`, `line` and `environment` may be absent, `file` may be called `path`, and fields of other names are not read. A
//! finding without a `secret` is about somebody else's.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::name::{EnvName, SecretName, VersionId};
use crate::store::incidents::Place;

/// The longest path that is taken: that of Linux.
const LONGEST_PATH: usize = 4096;

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose value.
    pub secret: SecretName,
    /// In which environment, where the scan could tell.
    pub environment: Option<EnvName>,
    /// Which version, where the scan could tell.
    pub version: Option<VersionId>,
    /// The file.
    pub path: String,
    /// The line, from 1, where the scan could tell.
    pub line: Option<u64>,
}

impl Finding {
    /// As an incident remembers it.
    pub fn place(&self) -> Place {
        Place { secret: self.secret.clone(), path: self.path.clone(), line: self.line, version: self.version }
    }
}

#[derive(Deserialize)]
struct RawFinding {
    #[serde(default)]
    secret: Option<String>,
    environment: Option<String>,
    version: Option<String>,
    #[serde(alias = "file")]
    path: Option<String>,
    line: Option<u64>,
}

/// Reads a report; fails with `scan-invalid`, which names `place` and the finding by its number, and quotes nothing.
pub fn parse(bytes: &[u8], place: &str) -> Result<Vec<Finding>> {
    if bytes.trim_ascii().is_empty() {
        return Err(invalid(place, "is empty, and no report of a scan"));
    }
    let report: Value = serde_json::from_slice(bytes).map_err(|error| {
        invalid(place, &format!("is no report of a scan: it is not JSON, or breaks off, at line {}", error.line()))
    })?;
    let Some(Value::Array(findings)) = report.get("findings") else {
        return Err(invalid(place, "is no report of a scan: it has no list of `findings`"));
    };
    match report.get("schema_version") {
        Some(version) if *version == 1 => {}
        Some(_) => return Err(invalid(place, "is of another `schema_version` than 1")),
        None => return Err(invalid(place, "has no `schema_version`, which is 1")),
    }
    let read = |(index, raw)| read(raw).map_err(|what| invalid(place, &format!("finding {}: {what}", index + 1)));
    findings.iter().enumerate().filter_map(|it| read(it).transpose()).collect()
}

/// A finding; `None` = it is about somebody else's.
fn read(raw: &Value) -> Result<Option<Finding>, &'static str> {
    let raw = RawFinding::deserialize(raw).map_err(|_| "it is no object, or a field of it is no text or number")?;
    let Some(name) = raw.secret else { return Ok(None) };
    let path = raw.path.ok_or("it has neither a `path` nor a `file`")?;
    let secret = SecretName::new(name).map_err(|_| "`secret` is no name of a secret")?;
    let environment = raw.environment.map(EnvName::new).transpose();
    let environment = environment.map_err(|_| "`environment` is no name of an environment")?;
    let version =
        raw.version.map(|text| VersionId::parse(&text).ok_or("`version` is no id of a version")).transpose()?;
    // It is written into a file that people read in a terminal.
    if path.is_empty() || path.len() > LONGEST_PATH || path.chars().any(char::is_control) {
        return Err("`path` is empty, too long, or has a control character");
    }
    if raw.line == Some(0) {
        return Err("`line` is counted from 1");
    }
    Ok(Some(Finding { secret, environment, version, path, line: raw.line }))
}

fn invalid(place: &str, what: &str) -> Error {
    Error::new(Kind::Manifest, "scan-invalid", format!("`{place}`: {what}"))
        .hint("nothing was changed; `vault-kit scan --json` writes one")
        .hint("an incident reads `{\"schema_version\": 1, \"findings\": [{\"secret\": …, \"path\": …, \"line\": …}]}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1d4a0e-9b1c-4d52-8f0a-2f6d8e1c7b35";

    fn report(finding: &str) -> String {
        format!("{{\"schema_version\": 1, \"tool\": \"x\", \"findings\": [{finding}]}}")
    }

    #[test]
    fn the_fields_that_are_needed_are_read_and_others_are_not() {
        let text = report(&format!(
            r#"{{"secret": "A", "version": "{ID}", "path": "a b", "line": 3, "rule": "r"}}, {{"rule": "jwt", "file": "c", "line": 1}}, {{"secret": "B", "file": "b", "line": null}}, {{"secret": "B", "file": "b"}}"#
        ));
        let found = parse(text.as_bytes(), "r.json").unwrap();
        assert_eq!(found.iter().map(|it| it.secret.as_str()).collect::<Vec<_>>(), ["A", "B", "B"]);
        assert_eq!((found[0].version, found[1].version), (VersionId::parse(ID), None));
        assert_eq!((found[0].path.as_str(), found[0].line), ("a b", Some(3)));
        assert_eq!(found[1].line, None);
    }

    #[test]
    fn whatever_else_it_says_is_refused_by_number_and_without_a_quote() {
        for finding in [
            r#"{"secret": "hunter2 canary", "path": "a", "line": 1}"#,
            r#"{"secret": "A", "version": "canary", "path": "a", "line": 1}"#,
            r#"{"secret": "A", "environment": "hunter2 canary", "path": "a"}"#,
            r#"{"secret": "A", "path": "", "line": 1}"#,
            r#"{"secret": "A", "path": "canary\u001b[2J", "line": 1}"#,
            r#"{"secret": "A", "path": "canary", "line": 0}"#,
            r#"{"secret": "A", "path": "canary", "line": -1}"#,
            r#"{"secret": 1, "path": "canary", "line": 1}"#,
        ] {
            let error = parse(report(finding).as_bytes(), "r.json").unwrap_err();
            assert_eq!((error.code(), error.kind().code()), ("scan-invalid", 3), "{finding}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        for (text, words) in [
            ("", "is empty"),
            ("\n", "is empty"),
            ("canary", "not JSON, or breaks off, at line 1"),
            ("{\"schema_version\": 1,\n\"findings\": [", "breaks off, at line 2"),
            ("[]", "no list of `findings`"),
            (r#"{"schema_version": 1, "findings": {}}"#, "no list of `findings`"),
            (r#"{"version": "2.1.0", "runs": []}"#, "no list of `findings`"),
            (r#"{"findings": []}"#, "has no `schema_version`"),
            (r#"{"schema_version": 2, "findings": []}"#, "another `schema_version`"),
        ] {
            let error = parse(text.as_bytes(), "r.json").unwrap_err();
            assert!(error.code() == "scan-invalid" && error.to_string().contains(words), "{text}: {error}");
        }
        let without = parse(report(r#"{"secret": "A", "line": 3}"#).as_bytes(), "r.json").unwrap_err();
        assert!(without.to_string().contains("finding 1: it has neither a `path` nor a `file`"), "{without}");
        assert_eq!(parse(report(r#"{"rule": "jwt"}"#).as_bytes(), "r.json").unwrap(), [], "somebody else's");
    }
}
