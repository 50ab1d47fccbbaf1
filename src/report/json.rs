//! A report as JSON, as its file in `schemas/` describes it.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::ui::escaped;

/// One JSON document with a newline at its end.
pub fn render(report: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(report).map_err(|_| Error::bug("the report cannot be written as JSON"))?;
    Ok(escaped(&text) + "\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemars::{JsonSchema, schema_for};

    use super::*;
    use crate::check::Report;
    use crate::report::human::tests::report;
    use crate::store::ledger::{DeliveredFile, Entry, Header};

    /// A line of the ledger.
    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    #[schemars(title = "Ledger line")]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Line {
        /// The first line.
        Header(Header),
        /// A secret.
        Secret(Entry),
        /// A delivered file.
        File(DeliveredFile),
    }

    /// Compares with the file in `schemas/`; `UPDATE_SCHEMAS=1` writes it.
    #[expect(clippy::disallowed_methods, reason = "the developer asks for the file to be written")]
    fn assert_committed(name: &str, schema: &schemars::Schema) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
        let generated = serde_json::to_string_pretty(schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, generated, "run `UPDATE_SCHEMAS=1 cargo test --lib schema`");
    }

    #[test]
    fn the_schema_of_the_report_is_the_committed_one() {
        assert_committed("check-report.schema.json", &schema_for!(Report));
    }

    #[test]
    fn the_schema_of_the_report_of_a_scan_is_the_committed_one() {
        assert_committed("scan-report.schema.json", &schema_for!(crate::scan::Report));
    }

    #[test]
    fn the_schema_of_fingerprints_is_the_committed_one() {
        assert_committed("fingerprints.schema.json", &schema_for!(crate::scan::fingerprints::Document));
    }

    #[test]
    fn the_schema_of_the_ledger_is_the_committed_one() {
        assert_committed("ledger.schema.json", &schema_for!(Line));
    }

    #[test]
    fn the_report_is_one_document_with_codes_and_fixes() {
        let text = render(&report()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema_version"], 1);
        assert_eq!(value["findings"][0]["code"], "mode-too-open");
        assert_eq!(value["findings"][0]["file"], ".env");
        assert_eq!(value["findings"][1]["secret"], "POSTGRES_PASSWORD");
        assert_eq!(value["findings"][1]["fix"], "vault-kit generate POSTGRES_PASSWORD");
        assert_eq!(value["not_checked"][0]["what"], "git");
        assert!(text.ends_with("}\n"));
    }
}
