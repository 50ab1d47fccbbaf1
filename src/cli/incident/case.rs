//! What one run declares: which leaks are new, what they reach, and what is done about them in the store, in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::super::session::Session;
use super::super::{get, readers};
use super::{Leak, copies};
use crate::audit;
use crate::error::Result;
use crate::incident::reach::{self, Known};
use crate::incident::scan::Finding;
use crate::incident::standing::{self, Standing};
use crate::incident::{covered, remains, revoke};
use crate::manifest::Declaration;
use crate::name::{SecretName, VersionId};
use crate::plan::{self, Plan, Scope};
use crate::rotate::abort::drop_candidate;
use crate::rotate::programs::{Step, has};
use crate::store::Store;
use crate::store::incidents::{Affected, Deed, Incident};
use crate::ui::counted;
use crate::world::World;

/// How long an id is: enough that no two meet.
const ID_DIGITS: usize = 12;

/// How many places an incident remembers.
const MOST_PLACES: usize = 1000;

/// What is declared now, and what was before.
pub struct Case {
    /// The secrets whose leak is new.
    pub fresh: BTreeSet<SecretName>,
    /// Those whose leak belongs to an incident that was declared before.
    pub known: BTreeMap<SecretName, String>,
    findings: Vec<Finding>,
    reason: Option<String>,
}

impl Case {
    pub fn sort(
        session: &Session<'_>,
        store: &Store,
        names: BTreeSet<SecretName>,
        findings: Vec<Finding>,
        leak: &Leak,
    ) -> Result<Self> {
        let mut case = Self { fresh: BTreeSet::new(), known: BTreeMap::new(), findings, reason: leak.reason.clone() };
        for name in names {
            if store.current(&name).is_none() {
                return Err(get::missing(session, name.as_str()));
            }
            match covered::by(store, &name, &case.findings, session.context.now).filter(|_| !leak.again) {
                Some(id) => drop(case.known.insert(name, id.to_owned())),
                None => drop(case.fresh.insert(name)),
            }
        }
        Ok(case)
    }

    /// The record of what is new, without what is going to be done; `None` = nothing is new.
    pub fn reach(&self, session: &Session<'_>, world: &World<'_>, store: &Store) -> Result<Option<Incident>> {
        if self.fresh.is_empty() {
            return Ok(None);
        }
        let (manifest, environment, now) = (&session.manifest, &session.environment, session.context.now);
        let (copies, unseen) = copies::of(session, world.identities, store, &self.fresh);
        for why in unseen {
            session.context.ui.warn(&why);
        }
        let files = session.files().delivered()?.unwrap_or_default();
        let audit = session.root.read(&audit::path())?.unwrap_or_default();
        let readers = readers::of(session, &files.keys().map(String::as_str).collect())?;
        let known = Known { store, files: &files, audit: &audit, copies, readers, now };
        let affected = reach::affected(manifest, environment, &known, &self.fresh);
        let recipients = store.recipients.keys.keys().cloned().collect();
        let reason = self.reason.clone();
        let (places, done, remains) = (BTreeSet::new(), Vec::new(), Vec::new());
        let uid = rustix::process::getuid().as_raw();
        Ok(Some(Incident { at: now, uid, reason, affected, recipients, places, done, remains }))
    }

    /// What a person is asked before anything is banned.
    pub fn question(&self, world: &World<'_>) -> String {
        let list = |names: &[&SecretName]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let is_replaced = |name: &&SecretName| world.manifest.has_secret(name, world.environment);
        let (replaced, others): (Vec<_>, Vec<_>) = self.fresh.iter().partition(is_replaced);
        let ban = format!("ban {}, which nothing takes the place of, for ever", list(&others));
        let replace = format!("replace {} now, without an overlap, and ban the old for ever", list(&replaced));
        let asked = [(replaced, replace), (others, ban)];
        asked.into_iter().filter(|(names, _)| !names.is_empty()).map(|it| it.1).collect::<Vec<_>>().join(", and ")
    }

    /// New values for what is made here; what a person supplies has to wait for one, and what an owner is to be told of or hosts
    /// are to agree on is rotated afterwards.
    pub fn plan(&self, session: &Session<'_>, world: &World<'_>, store: &Store) -> Plan {
        let manifest = &session.manifest;
        let is_made = |it: &Declaration| it.is_generated() && !remains::is_rotated(manifest, store, it);
        // Also what a run before this one left in force, since it had hooks then.
        let is_left = |name: &&SecretName| store.is_current_leaked(name);
        let all = self.fresh.iter().chain(self.known.keys().filter(is_left));
        let all = all.filter(|name| store.rotations.open(name).is_none());
        let made: BTreeSet<SecretName> =
            all.filter(|name| manifest.secret(*name).is_some_and(is_made)).cloned().collect();
        if made.is_empty() {
            return Plan::default();
        }
        let mut observed = world.observe(store);
        // What is published for it is banned with it.
        observed.next.retain(|name, _| !self.fresh.contains(name));
        let plan = plan::plan(&session.manifest, &session.environment, &observed, &Scope::Revoke(made));
        Plan { waiting: Vec::new(), ..plan }
    }

    /// Bans, revokes and replaces, in memory.
    pub fn act(
        &self,
        world: &World<'_>,
        store: &mut Store,
        plan: &Plan,
        incident: Option<&mut Incident>,
    ) -> Result<Vec<SecretName>> {
        let Some(incident) = incident else { return self.complete(world, store, plan) };
        let mut banned = 0;
        let coming: Vec<SecretName> =
            incident.affected.iter().filter(|it| it.is_followed(store)).map(|it| it.secret.clone()).collect();
        for it in &incident.affected {
            banned += store.ban(&it.secret, world.now, self.reason.as_deref()).len();
        }
        let authorities = revoke::certificates(store, &self.fresh, revoke::compromised, world.now);
        let all: BTreeSet<SecretName> = incident.affected.iter().map(|it| it.secret.clone()).collect();
        let tokens = revoke::tokens(store, &all, world.now);
        let given_up = give_up(world, store, plan)?;
        let mut changed = world.make(store, plan)?;
        for name in &given_up {
            store.owe_owner(name);
        }
        let lists = world.make_lists(store, &authorities)?;
        for it in &mut incident.affected {
            it.successor = successor(store, it);
            store.revoke_replaced(&it.secret, world.now);
        }
        let mut say = |what: String| incident.done.push(Deed { at: world.now, uid: incident.uid, what });
        say(format!("{} banned", counted(banned, "value")));
        for name in &coming {
            say(format!("what was to take the place of `{name}` is banned with it, and never comes into force"));
        }
        for name in &changed {
            say(replaced(name));
        }
        for name in &given_up {
            say(format!(
                "the rotation of `{name}`, which was made of what leaked, was given up; its owner is to be told"
            ));
        }
        for name in self.fresh.iter().filter(|name| !changed.contains(name)) {
            let declaration = world.manifest.secret(name).filter(|it| it.is_in(world.environment));
            say(match declaration.map(|it| remains::is_rotated(world.manifest, store, it)) {
                Some(true) => format!(
                    "`{name}` is rotated without an overlap; until that has ended, the leaked value may be accepted"
                ),
                Some(false) => format!("`{name}` waits for a new value from a person"),
                None => format!("`{name}` is not declared any more: nothing takes its place"),
            });
        }
        if !lists.is_empty() {
            let names: Vec<String> = lists.iter().map(|name| format!("`{name}`")).collect();
            say(format!("its certificates are revoked; new revocation lists of {}", names.join(", ")));
        }
        if tokens > 0 {
            say(format!("{} revoked by id", counted(tokens, "token")));
        }
        incident.remains = remains::of(world.manifest, world.environment, &incident.affected, &BTreeSet::new());
        // A leak during a rotation is banned at once; what the rotation brings is another value.
        let is_still = |name: &&SecretName| !changed.contains(name) && store.rotations.open(name).is_none();
        let rest: Vec<SecretName> = self.fresh.iter().filter(is_still).cloned().collect();
        changed.extend(rest);
        Ok(changed)
    }

    /// Replaces what a run before this one banned and left in force, in memory.
    fn complete(&self, world: &World<'_>, store: &mut Store, plan: &Plan) -> Result<Vec<SecretName>> {
        let changed = world.make(store, plan)?;
        let uid = rustix::process::getuid().as_raw();
        for name in &changed {
            store.revoke_replaced(name, world.now);
            let ours = store.incidents.iter_mut().filter(|(id, _)| self.known.values().any(|known| known == *id));
            for (_, incident) in ours.filter(|(_, incident)| incident.affected.iter().any(|it| it.secret == *name)) {
                incident.done.push(Deed { at: world.now, uid, what: replaced(name) });
            }
        }
        Ok(changed)
    }

    /// What is to be rotated, now that it is banned: also what a run before this one did not come to.
    pub fn rotated(&self, world: &World<'_>, store: &Store) -> BTreeSet<SecretName> {
        let is_left = |name: &&SecretName| {
            let declaration = world.manifest.secret(*name).filter(|it| it.is_in(world.environment));
            let is_begun = store.rotations.open(name).is_some();
            declaration.is_some_and(|it| is_begun || remains::is_rotated(world.manifest, store, it))
                && store.is_current_leaked(name)
        };
        self.fresh.iter().chain(self.known.keys()).filter(is_left).cloned().collect()
    }

    /// What was replaced by a run before this one, whose owner has yet to refuse what leaked.
    pub fn retired(&self, world: &World<'_>, store: &Store) -> BTreeSet<SecretName> {
        let is_left = |(name, id): &(&SecretName, &String)| {
            let mut all = store.incidents.get(*id).into_iter().flat_map(|incident| &incident.affected);
            let is_begun = store.rotations.running.get(*name).is_some_and(|it| !it.is_open());
            let is_its = |it: &Affected| it.secret == **name;
            is_begun && all.any(|it| is_its(it) && standing::of(world.manifest, store, it) == Standing::Unretired)
        };
        self.known.iter().filter(is_left).map(|(name, _)| name.clone()).collect()
    }

    /// Keeps the new incident; tells to which one each secret belongs.
    pub fn record(&self, store: &mut Store, incident: Option<Incident>) -> BTreeMap<SecretName, String> {
        let mut ids = self.known.clone();
        if let Some(incident) = incident {
            let id = id(store, &incident);
            ids.extend(self.fresh.iter().map(|name| (name.clone(), id.clone())));
            store.incidents.insert(id, incident);
        }
        ids
    }

    /// Adds where values were found to their incidents; tells whether anything of it is new.
    pub fn note_places(&self, session: &Session<'_>, store: &mut Store, ids: &BTreeMap<SecretName, String>) -> bool {
        let at = session.context.now;
        let mut is_new = false;
        for (id, incident) in &mut store.incidents {
            let ours = self.findings.iter().filter(|it| ids.get(&it.secret) == Some(id)).map(Finding::place);
            let room = MOST_PLACES.saturating_sub(incident.places.len());
            let news: BTreeSet<_> = ours.filter(|place| !incident.places.contains(place)).take(room).collect();
            if news.is_empty() {
                continue;
            }
            let what = format!("found in {}", counted(news.len(), "place"));
            incident.done.push(Deed { at, uid: rustix::process::getuid().as_raw(), what });
            incident.places.extend(news);
            incident.remains =
                remains::of(&session.manifest, &session.environment, &incident.affected, &incident.places);
            is_new = true;
        }
        is_new
    }
}

/// Gives up the rotations of what is made anew, whose candidates are made of what leaked: their owners are told what is in force
/// afterwards, and may know the candidates as long.
fn give_up(world: &World<'_>, store: &mut Store, plan: &Plan) -> Result<Vec<SecretName>> {
    let is_begun = |name: &&SecretName| store.rotations.open(name).is_some_and(|it| it.remote.is_none());
    let names: Vec<SecretName> = plan.steps.iter().map(|step| &step.secret).filter(is_begun).cloned().collect();
    for name in &names {
        let is_asked = world.manifest.secret(name).is_some_and(|it| has(world.manifest, it, Step::Retire));
        drop_candidate(store, name, world.now, is_asked)?;
    }
    Ok(names)
}

fn replaced(name: &SecretName) -> String {
    format!("`{name}` has a new value; the old one is accepted no more")
}

/// The id of an incident follows from what leaked: the same leak cannot be two.
fn id(store: &Store, incident: &Incident) -> String {
    let versions = incident.affected.iter().flat_map(|it| &it.versions).map(VersionId::to_string);
    let text = ["vault-kit/incident/1".to_owned(), store.store_id.to_string()].into_iter().chain(versions);
    let id = VersionId::derived(&text.collect::<Vec<_>>().join("|")).to_string().replace('-', "");
    id[..ID_DIGITS].to_owned()
}

/// The version that took the place of those that leaked.
fn successor(store: &Store, it: &Affected) -> Option<VersionId> {
    store.current(&it.secret).map(|version| version.id).filter(|id| !it.versions.contains(id))
}
