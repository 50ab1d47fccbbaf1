//! What will be rotated, when and why, and what follows from it: from manifest and ledger alone. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::next::is_banned;
use super::programs::{Programs, Step, waits_for_owner};
use super::select::{self, Ready};
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, OutputName, SecretName};
use crate::plan::{self, due};
use crate::store::ledger::{BesideState, Entry, Ledger};
use crate::sync::place;

/// One rotation that is to come.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Upcoming<'a> {
    /// The secret.
    pub secret: &'a SecretName,
    /// Its kind as the manifest writes it.
    pub kind: &'static str,
    /// When.
    pub due: DateTime<Utc>,
    /// Why.
    pub why: Why,
    /// Who does it.
    pub how: How,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<&'a str>,
    /// Where a person gets a new value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obtain: Option<&'a str>,
    /// The hooks that are asked, each with a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<String>,
    /// What is made anew in the same change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<SecretName>,
    /// The hooks whose programs read the changed files.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub reloads: BTreeSet<String>,
    /// What is asked of AWS, where other hosts have it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<Requests>,
}

/// What the rotation of a remote secret takes, when nothing is lost and nobody else rotates it at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// The full name of the remote secret.
    pub name: String,
    /// The most requests, with the listing that all remote secrets of a run share. The account is asked for once a run.
    pub requests: usize,
}

/// A listing or what is there, the new value, the mark, a look, the mark again, and the swap. Several bundles share a listing
/// and a read: less than one for each.
const REQUESTS: usize = 6;

/// What the rotations of these take; the keys of a bundle rotate together.
pub fn requests<'n>(
    manifest: &Manifest,
    environment: &EnvName,
    names: impl IntoIterator<Item = &'n SecretName>,
) -> Vec<Requests> {
    let is_shared =
        |name: &&SecretName| manifest.secret(*name).is_some_and(|it| select::is_shared(manifest, environment, it));
    let shared: BTreeSet<&SecretName> = names.into_iter().filter(is_shared).collect();
    let Some(aws) = manifest.aws(environment).filter(|_| !shared.is_empty()) else { return Vec::new() };
    let mut places = place::places(manifest, environment, aws);
    places.retain(|place| shared.iter().any(|name| place.holds(name)));
    places.into_iter().map(|place| Requests { name: place.name, requests: REQUESTS }).collect()
}

/// Why something is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A published key may sign from then on.
    Activation,
    /// The value leaked and is in force.
    Leak,
    /// What was replaced is accepted no more from then on.
    Overlap,
    /// Two thirds of a certificate's life are over by then.
    Renewal,
    /// The manifest says so.
    Rotation,
}

/// Who rotates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// `rotate --due`.
    Scheduled,
    /// A person, by its name: everybody has to be told to trust a new root.
    ByName,
    /// A person who gets a new value elsewhere.
    ByHand,
}

/// Everything that is to come, the next first.
pub fn upcoming<'a>(
    manifest: &'a Manifest,
    environment: &'a EnvName,
    ledger: &Ledger,
    programs: &dyn Programs,
    now: DateTime<Utc>,
) -> Vec<Upcoming<'a>> {
    let declared = manifest.secrets_in(environment);
    let entries = declared.filter_map(|it| Some((it, ledger.secrets.get(&it.name)?)));
    let mut all: Vec<_> = entries
        .flat_map(|(declaration, entry)| {
            let leaks = select::leaks(declaration, |name| is_banned(ledger, name)) || ledger.is_next_banned(entry);
            let times = times(manifest, environment, declaration, (entry, leaks), now);
            let is_kept = waits_for_owner(manifest, environment, entry);
            let one = |(at, why)| one(manifest, environment, declaration, (at, why), programs);
            // No hook is asked at its end before the owner is told the value in force.
            let kept = |it: Upcoming<'a>| {
                if is_kept && it.why == Why::Overlap { Upcoming { hooks: Vec::new(), ..it } } else { it }
            };
            times.into_iter().map(one).map(kept).collect::<Vec<_>>()
        })
        .collect();
    all.sort_unstable_by_key(|it| (it.due, it.secret));
    all
}

/// The hooks that will be called for what is to come and for what is on its way, and to notify somebody if that fails.
pub fn asked(
    manifest: &Manifest,
    environment: &EnvName,
    ledger: &Ledger,
    programs: &dyn Programs,
    now: DateTime<Utc>,
) -> BTreeSet<String> {
    let upcoming = upcoming(manifest, environment, ledger, programs, now);
    let of_upcoming = upcoming.into_iter().filter(|it| it.how != How::ByHand);
    let (names, reloads): (Vec<_>, Vec<_>) = of_upcoming.map(|it| (it.secret, it.reloads)).unzip();
    let running = ledger.secrets.values().filter(|entry| entry.rotation.is_some()).map(|entry| &entry.name);
    let steps = [Step::Set, Step::Test, Step::Retire];
    let of_secret = |name| steps.into_iter().flat_map(move |step| programs.hooks(name, step));
    let owed = ledger.header.reloads.keys().filter(|name| programs.is_declared(name)).cloned();
    let mut asked: BTreeSet<String> = names.into_iter().chain(running).flat_map(of_secret).chain(owed).collect();
    asked.extend(reloads.into_iter().flatten());
    if !asked.is_empty() {
        asked.extend(manifest.notifiers().map(|hook| hook.name.to_string()));
    }
    asked
}

/// The next times of one secret.
fn times(
    manifest: &Manifest,
    environment: &EnvName,
    declaration: &Declaration,
    (entry, leaks): (&Entry, bool),
    now: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, Why)> {
    let mut times: Vec<_> = entry
        .beside
        .iter()
        .map(|it| (it.until, if it.state == BesideState::Next { Why::Activation } else { Why::Overlap }))
        .collect();
    let is_next = times.iter().any(|(_, why)| *why == Why::Activation);
    let environment = manifest.environments.get(environment);
    if leaks && entry.rotation.as_ref().is_none_or(|it| !it.is_open()) {
        // Nobody waits for the next one, and none that leaked ever signs.
        times.retain(|(_, why)| *why != Why::Activation);
        times.push((entry.created, Why::Leak));
        return times;
    }
    let by_renewal = due::renewal(entry.into(), declaration, environment);
    // What is on its way is not begun again.
    let due = due::term(entry.into(), declaration, environment).filter(|_| !is_next && entry.rotation.is_none());
    times.extend(due.map(|due| {
        // A window that was missed does not come back: the next one counts.
        let from = if due.is_now(now) { due.from } else { due.next(now) };
        (from, if Some(due) == by_renewal { Why::Renewal } else { Why::Rotation })
    }));
    times
}

fn one<'a>(
    manifest: &'a Manifest,
    environment: &'a EnvName,
    declaration: &'a Declaration,
    (due, why): (DateTime<Utc>, Why),
    programs: &dyn Programs,
) -> Upcoming<'a> {
    let name = &declaration.name;
    let how = match select::ready(manifest, environment, declaration, !programs.hooks(name, Step::Set).is_empty()) {
        _ if matches!(why, Why::Activation | Why::Overlap) => How::Scheduled,
        Ready::Yes => How::Scheduled,
        Ready::Abrupt | Ready::Encrypts | Ready::Supplied => How::ByHand,
        Ready::Root => How::ByName,
    };
    // The end of an overlap makes nothing anew; a key that is replaced is published first, unless it leaked, and what it signs follows
    // then.
    let is_published = crate::companions::lead(manifest, environment, declaration).is_some()
        && matches!(why, Why::Renewal | Why::Rotation);
    let made = plan::dependents(manifest, &BTreeSet::from([name.clone()]));
    let holds = |output: &&crate::manifest::Output| output.secrets.iter().any(|it| made.contains(it));
    let outputs: BTreeSet<OutputName> =
        manifest.outputs_in(environment).filter(holds).map(|output| output.name.clone()).collect();
    let is_rotated = matches!(why, Why::Activation | Why::Rotation | Why::Leak) && how == How::Scheduled;
    let is_cascade = |it: &SecretName| it != name && why != Why::Overlap && !is_published;
    let steps = if why == Why::Overlap { &[Step::Retire][..] } else { &[Step::Set, Step::Test, Step::Retire] };
    Upcoming {
        secret: name,
        kind: declaration.kind.name(),
        due,
        why,
        how,
        owner: declaration.owner.as_deref(),
        obtain: declaration.obtain.as_deref(),
        hooks: steps.iter().flat_map(|step| steps_of(programs, name, *step)).collect(),
        follows: made.iter().filter(|it| is_cascade(it) && manifest.has_secret(it, environment)).cloned().collect(),
        reloads: programs.reloads(&outputs),
        aws: requests(manifest, environment, is_rotated.then_some(name)).pop(),
    }
}

/// The hooks that are asked for a step, each with the step.
fn steps_of(programs: &dyn Programs, name: &SecretName, step: Step) -> Vec<String> {
    programs.hooks(name, step).into_iter().map(|hook| format!("{hook} {}", step.name())).collect()
}
