//! `[scan]`: which rules of a search for leaks there are, and what each does when it finds something.

use std::collections::BTreeMap;

use super::issue::Problems;
use super::raw::RawScan;
use super::read::Field;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// What it finds fails the command.
    Block,
    /// It is not asked.
    Off,
    /// What it finds is told.
    Warn,
}

/// The rules by name, with what each does unless declared.
///
/// Tokens that stand in tests, and keys that web pages show on purpose, are told and no more.
pub const RULES: [(&str, Action); 18] = [
    ("age-identity", Action::Block),
    ("anthropic-key", Action::Block),
    ("api-key", Action::Block),
    ("aws-key", Action::Block),
    ("azure-signature", Action::Block),
    ("discord-webhook", Action::Block),
    ("github-token", Action::Block),
    ("gitlab-token", Action::Block),
    ("google-key", Action::Warn),
    ("jwt", Action::Warn),
    ("npm-token", Action::Block),
    ("openai-key", Action::Block),
    ("private-key", Action::Block),
    ("putty-key", Action::Block),
    ("pypi-token", Action::Block),
    ("slack-token", Action::Block),
    ("stripe-key", Action::Block),
    ("telegram-token", Action::Block),
];

/// What is declared of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<&'static str, Action>);

impl Rules {
    /// What a rule does.
    pub fn action(&self, rule: &str) -> Action {
        let default = || RULES.iter().find(|(name, _)| *name == rule).map_or(Action::Off, |(_, action)| *action);
        self.0.get(rule).copied().unwrap_or_else(default)
    }

    pub(super) fn read(raw: Field<RawScan>, problems: &mut Problems) -> Self {
        let rules = raw.and_then(|scan| scan.value.rules).map(|map| map.value.0).unwrap_or_default();
        let names = || RULES.iter().map(|(name, _)| *name);
        let mut read = BTreeMap::new();
        for (name, action) in rules {
            if let Some(known) = names().find(|known| *known == name.value) {
                read.insert(known, action.value);
                continue;
            }
            let all: Vec<&str> = names().collect();
            let otherwise = || Some(format!("the rules are {}", super::read::list(&all)));
            let message = "`scan.rules` names a rule that there is not";
            problems.add_with_guess(name.at, message, &name.value, names(), otherwise);
        }
        Self(read)
    }
}
