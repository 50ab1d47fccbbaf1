//! The command without a verb: reach, a question, one change of the store, the files, the timeline.

use std::collections::{BTreeMap, BTreeSet};

use super::super::context::Context;
use super::super::mounted;
use super::super::session::{Session, read_for_change};
use super::super::{generate, get};
use super::tell::{self, Answer};
use super::timelines::Timelines;
use super::{Leak, copies};
use crate::audit;
use crate::deliver::Delivered;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::incident::reach::{self, Known};
use crate::incident::scan::{self, Finding};
use crate::incident::{covered, remains, revoke};
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::{SecretName, VersionId};
use crate::plan::{self, Plan, Scope};
use crate::store::Store;
use crate::store::files::Opened;
use crate::store::incidents::{Affected, Deed, Incident};
use crate::ui::counted;
use crate::world::World;

/// How long an id is: enough that no two meet.
const ID_DIGITS: usize = 12;

/// How many places an incident remembers.
const MOST_PLACES: usize = 1000;

pub fn run(context: &Context, leak: &Leak) -> Result<Exit> {
    let session = Session::open(context)?;
    let findings = findings(&session, leak)?;
    let names = names(&session, leak, &findings)?;
    let _lock = session.lock_unless_dry(leak.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, leak.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let case = Case::sort(&session, &opened.store, names, findings, leak)?;
    refuse_value_in_words(&opened.store, leak)?;
    let mut incident = case.reach(&session, &world, &opened.store)?;
    let plan = case.plan(&session, &world, &opened.store);
    if let Some(incident) = &incident {
        tell::reach(context, incident);
    }
    if !leak.dry_run && incident.is_some() {
        generate::refuse_unreadable_data(context, &opened.store, &plan)?;
        let names: Vec<String> = case.fresh.iter().map(|name| format!("`{name}`")).collect();
        let question = format!("replace {} now, without an overlap, and ban the old for ever", names.join(", "));
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    let changed = case.act(&world, &mut opened.store, &plan, incident.as_mut())?;
    let is_new = incident.is_some();
    let ids = case.record(&mut opened.store, incident);
    let has_news = case.note_places(&session, &mut opened.store, &ids) || is_new;
    let touched: BTreeSet<&String> = ids.values().collect();
    let timelines = Timelines::of(&opened.store, touched);
    if !leak.dry_run {
        timelines.preflight(&session)?;
    }
    let delivered = deliver(&world, &mut opened, &changed, has_news, leak.dry_run)?;
    if !leak.dry_run {
        let written = timelines.write(&session, &opened.store).map_err(Error::after_the_change);
        written.map_err(|error| error.hint("the timeline comes with the same command once more"))?;
    }
    let delivered = if leak.dry_run { delivered } else { mounted::noted(&session, delivered) };
    let answer = Answer { dry_run: leak.dry_run, is_new, timelines: &timelines, delivered: &delivered, plan: &plan };
    answer.tell(&session, &opened.store)?;
    Ok(if leak.dry_run { Exit::DONE } else { delivered.exit() })
}

/// Store, ledger and outputs; where nothing is new, what a run before this one did not come to.
fn deliver(
    world: &World<'_>,
    opened: &mut Opened,
    changed: &[SecretName],
    has_news: bool,
    dry_run: bool,
) -> Result<Delivered> {
    if dry_run {
        return world.rehearse(&mut opened.store);
    }
    let lists = world.refresh_lists(&mut opened.store)?;
    let delivered = world.settle_news(opened, "incident", changed, has_news || !lists.is_empty())?;
    Ok(Delivered { lists, ..delivered })
}

fn findings(session: &Session<'_>, leak: &Leak) -> Result<Vec<Finding>> {
    let Some(path) = &leak.from_scan else { return Ok(Vec::new()) };
    let report = read_for_change(session.context, path)?;
    scan::parse(report.expose(), &path.display().to_string())
}

/// The secrets that are meant; a setting is none.
fn names(session: &Session<'_>, leak: &Leak, findings: &[Finding]) -> Result<BTreeSet<SecretName>> {
    let asked = leak.names.iter().map(String::as_str).chain(findings.iter().map(|it| it.secret.as_str()));
    let names = asked.map(|name| session.secret(name)).collect::<Result<BTreeSet<_>>>()?;
    if names.is_empty() && leak.from_scan.is_none() {
        return Err(
            Error::usage("the secret that leaked is needed").hint("`vault-kit incident NAME`, or `--from-scan FILE`")
        );
    }
    let names: BTreeSet<SecretName> = names.iter().flat_map(|name| leaked_with(session, name)).collect();
    let setting = names.iter().find(|name| !session.manifest.secrets[*name].is_stored());
    setting.map_or(Ok(names.clone()), |name| {
        Err(Error::usage(format!("`{name}` is a setting, which stands in the manifest for everybody to read"))
            .hint("if it must not be known, declare it as a secret, and change it"))
    })
}

/// A template has no value of its own: what it is made of leaked with it, and it falls with that.
fn leaked_with(session: &Session<'_>, name: &SecretName) -> BTreeSet<SecretName> {
    let declaration = &session.manifest.secrets[name];
    let inputs = declaration.references().into_iter().filter(|it| session.manifest.secrets[*it].is_stored());
    let inputs: BTreeSet<SecretName> = inputs.flat_map(|input| leaked_with(session, input)).collect();
    if inputs.is_empty() || !matches!(declaration.kind, SecretKind::Template(_)) {
        return BTreeSet::from([name.clone()]);
    }
    let words: Vec<String> = inputs.iter().map(|name| format!("`{name}`")).collect();
    session.context.ui.say(&format!("`{name}` is made of {}: that is what leaked", words.join(", ")));
    inputs
}

/// What is declared now, and what was before.
struct Case {
    /// The secrets whose leak is new.
    fresh: BTreeSet<SecretName>,
    /// Those whose leak belongs to an incident that was declared before.
    known: BTreeMap<SecretName, String>,
    findings: Vec<Finding>,
    reason: Option<String>,
}

impl Case {
    fn sort(
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
    fn reach(&self, session: &Session<'_>, world: &World<'_>, store: &Store) -> Result<Option<Incident>> {
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
        let known = Known { store, files: &files, audit: &audit, copies, now };
        let affected = reach::affected(manifest, environment, &known, &self.fresh);
        let recipients = store.recipients.keys.keys().cloned().collect();
        let reason = self.reason.clone();
        let (places, done, remains) = (BTreeSet::new(), Vec::new(), Vec::new());
        let uid = rustix::process::getuid().as_raw();
        Ok(Some(Incident { at: now, uid, reason, affected, recipients, places, done, remains }))
    }

    /// New values for what is made here; what a person supplies has to wait for one, and what a hook has to tell its owner
    /// of is for `rotate`.
    fn plan(&self, session: &Session<'_>, world: &World<'_>, store: &Store) -> Plan {
        let manifest = &session.manifest;
        let is_made = |it: &Declaration| it.is_generated() && !remains::has_owner(manifest, it);
        let made = self.fresh.iter().filter(|name| is_made(&manifest.secrets[*name]));
        let made: BTreeSet<SecretName> = made.cloned().collect();
        if made.is_empty() {
            return Plan::default();
        }
        let plan = plan::plan(&session.manifest, &session.environment, &world.observe(store), &Scope::Revoke(made));
        Plan { waiting: Vec::new(), ..plan }
    }

    /// Bans, revokes and replaces, in memory.
    fn act(
        &self,
        world: &World<'_>,
        store: &mut Store,
        plan: &Plan,
        incident: Option<&mut Incident>,
    ) -> Result<Vec<SecretName>> {
        let Some(incident) = incident else { return Ok(Vec::new()) };
        let mut banned = 0;
        for it in &incident.affected {
            banned += store.ban(&it.secret, world.now, self.reason.as_deref()).len();
        }
        let authorities = revoke::certificates(world.manifest, store, &self.fresh, world.now);
        let all: BTreeSet<SecretName> = incident.affected.iter().map(|it| it.secret.clone()).collect();
        let tokens = revoke::tokens(store, &all, world.now);
        let mut changed = world.make(store, plan)?;
        let lists = world.make_lists(store, &authorities)?;
        for it in &mut incident.affected {
            it.successor = successor(store, it);
            store.revoke_replaced(&it.secret, world.now);
        }
        let mut say = |what: String| incident.done.push(Deed { at: world.now, uid: incident.uid, what });
        say(format!("{} banned", counted(banned, "value")));
        for name in &changed {
            say(format!("`{name}` has a new value; the old one is accepted no more"));
        }
        for name in self.fresh.iter().filter(|name| !changed.contains(name)) {
            let from = world.manifest.secret(name).filter(|it| remains::has_owner(world.manifest, it));
            let from = from.map_or("a person", |_| "`vault-kit rotate`, which tells its owner");
            say(format!("`{name}` waits for a new value from {from}"));
        }
        if !authorities.is_empty() {
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

    /// Keeps the new incident; tells to which one each secret belongs.
    fn record(&self, store: &mut Store, incident: Option<Incident>) -> BTreeMap<SecretName, String> {
        let mut ids = self.known.clone();
        if let Some(incident) = incident {
            let id = id(store, &incident);
            ids.extend(self.fresh.iter().map(|name| (name.clone(), id.clone())));
            store.incidents.insert(id, incident);
        }
        ids
    }

    /// Adds where values were found to their incidents; tells whether anything of it is new.
    fn note_places(&self, session: &Session<'_>, store: &mut Store, ids: &BTreeMap<SecretName, String>) -> bool {
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

/// A person in a hurry may paste the very value: it would stand in the record and the timeline.
fn refuse_value_in_words(store: &Store, leak: &Leak) -> Result<()> {
    let Some(reason) = &leak.reason else { return Ok(()) };
    let is_in = |value: &[u8]| value.len() > 5 && reason.as_bytes().windows(value.len()).any(|part| part == value);
    let pieces = store.secrets.values().flatten().flat_map(|version| version.parts.iter());
    for (_, piece) in pieces {
        if is_in(piece.expose()) {
            return Err(Error::usage("the reason has a value in it, which everybody on this machine could read")
                .hint("nothing was changed; take it out of your shell's history, and say where it leaked instead"));
        }
    }
    Ok(())
}
