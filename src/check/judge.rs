//! Facts → findings.

mod banned;
mod cloud;
mod compose;
mod deployment;
mod derived;
mod documents;
mod files;
mod fix;
mod gateway;
mod git;
mod handwritten;
mod image;
mod kubernetes;
mod leaks;
mod lists;
mod manifest;
mod recipes;
mod remote;
mod rotations;
mod secrets;
mod store;
#[cfg(test)]
mod tests;
mod traefik;
mod variables;

use chrono::{DateTime, Utc};

use super::allow;
use super::facts::{Facts, Place};
use super::finding::{Code, Finding, LeftOut, LookedAt, NotChecked, Report, SCHEMA_VERSION};
use crate::manifest::Manifest;
use crate::name::{EnvName, SecretName};
use crate::store::ledger::Ledger;

/// Judges an environment: what the manifest declares against what was observed.
///
/// `ledger` is `None` when there is none or it cannot be read; then what only it knows is missing or not checked.
pub fn judge(
    manifest: &Manifest,
    environment: &EnvName,
    ledger: Option<&Ledger>,
    facts: &Facts,
    places: &[Place],
    now: DateTime<Utc>,
) -> Report {
    let mut places = places.to_vec();
    places.sort_unstable();
    places.dedup();
    let looks_at = |place: Place| places.contains(&place);
    let mut bench = Bench { manifest, environment, ledger, facts, now, places: &places, verdict: Verdict::default() };
    bench.verdict.not_checked.extend_from_slice(&facts.unseen);
    bench.settings();
    bench.recipes();
    if looks_at(Place::Host) {
        bench.store();
        bench.clock();
        bench.agreement();
        bench.copy();
        bench.secrets();
        bench.banned();
        bench.outliving();
        bench.rotations();
        bench.hooks();
        bench.lists();
        bench.files();
        bench.handwritten();
        bench.mounts();
        bench.found_at(Place::Host);
    }
    if looks_at(Place::Repo) || looks_at(Place::Host) {
        if !looks_at(Place::Host) {
            bench.hooks();
            bench.documents();
        }
        bench.typed();
        bench.git();
        bench.examples();
        bench.compose();
        bench.deployment();
        bench.images();
        bench.gateway();
        bench.traefik();
        bench.cloud();
        bench.stores();
        bench.leaks();
        bench.found_at(if looks_at(Place::Repo) { Place::Repo } else { Place::Host });
    }
    if looks_at(Place::Remote) {
        bench.remote();
        bench.found_at(Place::Remote);
    }
    if looks_at(Place::Env) {
        bench.variables();
        bench.found_at(Place::Env);
    }
    let Verdict { findings, not_checked, looked_at } = bench.verdict;
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        environment: environment.clone(),
        generated_at: now,
        places,
        looked_at,
        findings,
        allowed: Vec::new(),
        left_out: LeftOut::default(),
        not_checked,
        warnings: facts.searched.as_ref().map_or_else(Vec::new, |it| it.warnings.clone()),
    };
    allow::apply(&mut report, manifest);
    report.sorted()
}

/// The case before the judge, and what was found so far.
struct Bench<'a> {
    manifest: &'a Manifest,
    environment: &'a EnvName,
    ledger: Option<&'a Ledger>,
    facts: &'a Facts,
    now: DateTime<Utc>,
    places: &'a [Place],
    verdict: Verdict,
}

#[derive(Default)]
struct Verdict {
    findings: Vec<Finding>,
    not_checked: Vec<NotChecked>,
    looked_at: LookedAt,
}

impl Bench<'_> {
    /// Says of what was found since the last place was left that it was found in this one.
    fn found_at(&mut self, place: Place) {
        for finding in self.verdict.findings.iter_mut().rev().take_while(|finding| finding.place.is_none()) {
            finding.place = Some(place);
        }
    }

    fn about_secret(&mut self, code: Code, name: &SecretName, message: impl Into<String>, fix: impl Into<String>) {
        self.verdict.findings.push(Finding::new(code, message, fix).about(name));
    }

    fn about_file(&mut self, code: Code, file: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.verdict.findings.push(Finding::new(code, message, fix).of_file(file));
    }

    fn not_checked(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.verdict.not_checked.push(NotChecked { what: what.into(), why: why.into() });
    }
}
