//! What one run is about, and what it did.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::rollback::Earlier;
use super::{Event, Problem, Report, What};
use crate::deliver::{FileReport, Outcome};
use crate::name::SecretName;

/// The secrets for which a step failed, and how.
pub(super) type Failed = Vec<(SecretName, Problem)>;

/// What a run is about. Value-free.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Those with an operation in the store.
    pub(super) active: BTreeSet<SecretName>,
    /// Those that are made and promoted in one change.
    pub(super) plain: BTreeSet<SecretName>,
    /// An earlier value that is put in force again with no program to be asked.
    pub(super) back: Option<(SecretName, Earlier)>,
    /// Whether outputs are brought up to date although nothing is promoted.
    pub(super) settles: bool,
    /// Whether what is given up is so without its owner being told.
    pub(super) leaves_owners: bool,
    /// Whether keys that are published are so no more, instead of signing.
    pub(super) withdraws: bool,
    /// What is given up so, since what is in force leaked: it is begun anew.
    pub(super) anew: BTreeSet<SecretName>,
    /// When the store was changed last before the run, where that is known.
    pub(super) since: Option<DateTime<Utc>>,
    /// Whether pauses after failures are kept.
    pub(super) waits: bool,
    /// The secrets that AWS refused before, and that are tried again.
    pub(super) tried: BTreeSet<SecretName>,
    pub(super) report: Report,
}

impl Run {
    pub(super) fn tell(&mut self, secrets: &[SecretName], what: &What) {
        self.report.events.extend(secrets.iter().map(|it| Event { secret: it.clone(), what: what.clone() }));
    }

    /// Adds files that were written after the others.
    pub(super) fn add_written(&mut self, files: Vec<FileReport>) {
        for file in files.into_iter().filter(|it| it.outcome != Outcome::Unchanged) {
            let all = &mut self.report.delivered.files;
            match all.iter_mut().find(|it| it.path == file.path) {
                Some(same) if same.outcome == Outcome::Unchanged => *same = file,
                Some(_) => {}
                None => all.push(file),
            }
        }
    }
}
