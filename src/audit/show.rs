//! What the record tells, as it stands there: read without the key, and so without proof.

use std::collections::VecDeque;
use std::io::Read;

use chrono::{DateTime, Utc};

use super::lines::{LONGEST, Lines};
use crate::error::Result;
use crate::name::{EnvName, SecretName};
use crate::store::change::Change;

/// Which changes are asked for.
#[derive(Debug)]
pub struct Filter<'a> {
    /// Of this environment.
    pub environment: &'a EnvName,
    /// From then on.
    pub since: Option<DateTime<Utc>>,
    /// Of this secret.
    pub secret: Option<&'a SecretName>,
    /// By this command.
    pub action: Option<&'a str>,
    /// The last so many.
    pub last: Option<usize>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Shown {
    /// The changes, oldest first; an intent among them was followed by nothing.
    pub changes: VecDeque<Change>,
    /// How many lines are no records.
    pub unreadable: usize,
    /// How many changes name only the first of their secrets, so that the one that is asked for may be among the others.
    pub cut_short: usize,
    /// Whether the secret that is asked for is named at all, whatever else is asked for.
    pub has_secret: bool,
    /// Whether the command that is asked for did anything at all.
    pub has_action: bool,
}

impl Filter<'_> {
    /// Reads a record; `place` is named in errors.
    pub fn read(&self, place: &str, file: impl Read) -> Result<Shown> {
        let mut lines = Lines::new(file);
        lines.forget();
        let (mut shown, mut announced) = (Shown::default(), None::<Change>);
        while lines.read(place)? {
            let Some(change) = parse(lines.line()) else {
                shown.unreadable += 1;
                continue;
            };
            if change.environment != *self.environment {
                continue;
            }
            if let Some(intent) = announced.take().filter(|intent| change.prev != intent.mac || change.intent) {
                self.take(intent, &mut shown);
            }
            if change.intent {
                announced = Some(change);
            } else {
                self.take(change, &mut shown);
            }
        }
        if let Some(intent) = announced {
            self.take(intent, &mut shown);
        }
        Ok(shown)
    }

    fn take(&self, change: Change, shown: &mut Shown) {
        shown.has_secret |= self.secret.is_some_and(|secret| change.secrets.contains(secret));
        shown.has_action |= self.action.is_some_and(|action| change.action == action);
        let is_meant = self.since.is_none_or(|since| change.at >= since)
            && self.action.is_none_or(|action| change.action == action);
        if !is_meant {
            return;
        }
        if self.secret.is_some_and(|secret| !change.secrets.contains(secret)) {
            shown.cut_short += usize::from(change.count > change.secrets.len());
            return;
        }
        shown.changes.push_back(change);
        if self.last.is_some_and(|last| shown.changes.len() > last) {
            shown.changes.pop_front();
        }
    }
}

fn parse(raw: &[u8]) -> Option<Change> {
    let text = std::str::from_utf8(raw).ok().filter(|_| raw.len() < LONGEST)?;
    serde_json::from_str(text).ok()
}
