//! What changed between two texts of a manifest.

use std::collections::BTreeSet;

use super::model::Manifest;
use crate::name::{OutputName, SecretName};

/// What the later of two manifests declares otherwise than the earlier one, or declares for the first time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Whether something changed that every secret depends on, such as an environment.
    pub everything: bool,
    /// The secrets, with what is made of them.
    pub secrets: BTreeSet<SecretName>,
    /// The outputs.
    pub outputs: BTreeSet<OutputName>,
}

impl Manifest {
    /// Compares its text with an earlier one; `None` = there was none. Order, comments and the way in which a value is
    /// written are no changes; what was taken out is none of this manifest's.
    pub fn changes_since(&self, text: &str, earlier: Option<&str>) -> Changes {
        let everything = Changes { everything: true, ..Changes::default() };
        let table = |text: &str| text.parse::<toml::Table>().ok();
        let (Some(now), Some(then)) = (table(text), earlier.and_then(table)) else { return everything };
        let sections = ["check", "outputs", "secrets"];
        let common = |key: &&String| !sections.contains(&key.as_str());
        if now.keys().chain(then.keys()).filter(common).any(|key| now.get(key) != then.get(key)) {
            return everything;
        }
        let differs = |section: &str, name: &str| {
            let entry = |table: &toml::Table| table.get(section).and_then(|it| it.get(name)).cloned();
            entry(&now) != entry(&then)
        };
        let mut secrets = BTreeSet::new();
        for declaration in &self.order {
            let of_changed = || declaration.references().into_iter().any(|it| secrets.contains(it));
            if differs("secrets", declaration.name.as_str()) || of_changed() {
                secrets.insert(declaration.name.clone());
            }
        }
        let outputs = self.outputs.keys().filter(|name| differs("outputs", name.as_str())).cloned().collect();
        Changes { everything: false, secrets, outputs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    const THEN: &str = "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n[secrets.B]\nkind = \"token\"\n\
                        signed_by = \"A\"\n[secrets.C]\nkind = \"uuid\"\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";

    fn changes(now: &str) -> Changes {
        parse(now, "m").unwrap().changes_since(now, Some(THEN))
    }

    fn names(changes: &Changes) -> Vec<&str> {
        changes.secrets.iter().map(SecretName::as_str).collect()
    }

    #[test]
    fn what_says_the_same_in_other_words_has_not_changed() {
        let now = THEN.replace("kind = \"uuid\"", "# why\nkind   = 'uuid'");
        assert_eq!(changes(&now), Changes::default());
    }

    #[test]
    fn a_secret_changes_with_what_it_is_made_of() {
        assert_eq!(names(&changes(&THEN.replace("\"random\"", "\"random\"\nbytes = 64"))), ["A", "B"]);
        assert_eq!(names(&changes(&format!("{THEN}[secrets.NEW]\nkind = \"uuid\"\n"))), ["NEW"]);
        let outputs = changes(&THEN.replace("\".env\"", "\"other.env\"")).outputs;
        assert_eq!(outputs.iter().map(OutputName::as_str).collect::<Vec<_>>(), ["env"]);
    }

    #[test]
    fn everything_changes_with_what_all_depend_on_and_where_nothing_can_be_compared() {
        assert!(changes(&THEN.replace("\"p\"", "\"q\"")).everything);
        assert!(changes(&format!("{THEN}[environments.dev]\nrotate = \"never\"\n")).everything);
        let manifest = parse(THEN, "m").unwrap();
        assert!(manifest.changes_since(THEN, None).everything);
        assert!(manifest.changes_since(THEN, Some("no TOML")).everything);
    }
}
