//! The command without a verb: reach, a question, one change of the store, the files, the timeline.

use std::collections::{BTreeMap, BTreeSet};

use super::super::context::Context;
use super::super::session::Session;
use super::super::{generate, mounted, rotate};
use super::case::Case;
use super::named::{expect_any, findings, known, names, refuse_value_in_words, without_values};
use super::tell::{self, Answer, OneIncident};
use super::timelines::Timelines;
use super::{Leak, rotation, unended};
use crate::apply::Deed;
use crate::clock::SystemClock;
use crate::deliver::{Changing, Delivered};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::incident::progress::Foreseen;
use crate::manifest::Output;
use crate::name::SecretName;
use crate::plan::{self, Plan};
use crate::rotate::Refusal;
use crate::rotate::machine::{Machine, expect_deliverable};
use crate::store::Store;
use crate::store::files::Opened;
use crate::world::World;

/// What a rehearsal says beside whatever stands against the rest.
const BANNED_ALL_THE_SAME: &str = "what leaked would be banned all the same";

pub fn run(context: &Context, leak: &Leak) -> Result<Exit> {
    let session = Session::open(context)?;
    expect_any(leak)?;
    let findings = findings(&session, leak)?;
    let _lock = (!leak.dry_run).then(|| session.lock_in_haste()).transpose()?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, leak.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let findings = known(&session, &opened.store, leak, findings)?;
    let names = names(&session, &opened.store, leak, &findings)?;
    let findings = without_values(&opened.store, findings);
    let case = Case::sort(&session, &opened.store, names, findings, leak)?;
    refuse_value_in_words(&opened.store, leak)?;
    let mut incident = case.reach(&session, &world, &opened.store)?;
    let plan = case.plan(&session, &world, &opened.store);
    if let Some(incident) = &incident {
        tell::reach(context, &opened.store, incident);
    }
    if !leak.dry_run && incident.is_some() {
        generate::refuse_unreadable_data(context, &opened.store, &plan)?;
        context.ui.confirm(&case.question(&world), context.global.yes, !context.global.non_interactive)?;
    }
    let changed = case.act(&world, &mut opened.store, &plan, incident.as_mut())?;
    world.refuse_in_flight(&opened.store, &changed)?;
    let is_new = incident.is_some();
    let ids = case.record(&mut opened.store, incident);
    let has_news = case.note_places(&session, &mut opened.store, &ids) || is_new || !changed.is_empty();
    let timelines = Timelines::of(&opened.store, ids.values().collect::<BTreeSet<_>>());
    let rotates = case.rotated(&world, &opened.store);
    let retires = case.retired(&world, &opened.store);
    let declared = Declared { session: &session, world: &world, case, plan, is_new, timelines, rotates, retires };
    if leak.dry_run { declared.foretell(&mut opened.store) } else { declared.carry_out(opened, (&changed, has_news)) }
}

/// What was made of the command line, in memory: nothing of it is on the disk yet.
struct Declared<'a> {
    session: &'a Session<'a>,
    world: &'a World<'a>,
    case: Case,
    plan: Plan,
    is_new: bool,
    timelines: Timelines,
    /// What is to be rotated once it is banned.
    rotates: BTreeSet<SecretName>,
    /// What was, and is to be refused by its owner.
    retires: BTreeSet<SecretName>,
}

impl Declared<'_> {
    /// Tells what would be done, and what would stand against it.
    fn foretell(&self, store: &mut Store) -> Result<Exit> {
        let mut refused = Vec::new();
        let against = |error: Error| error.incomplete().hint(BANNED_ALL_THE_SAME);
        let delivered = match self.rehearse(store) {
            Err(error) if error.kind() == Kind::Bug => return Err(error),
            Err(error) => {
                refused.push(against(adopting(error)));
                Delivered::default()
            }
            Ok(delivered) => delivered,
        };
        // Without its files nothing is put in force.
        let rotates = if refused.is_empty() { self.rotates.clone() } else { BTreeSet::new() };
        let worked_on: BTreeSet<SecretName> = rotates.union(&self.retires).cloned().collect();
        let made = self.plan.steps.iter().map(|step| step.secret.clone());
        let changing = made.chain(plan::dependents(self.world.manifest, &rotates)).collect();
        let owed = store.rotations.reloads.keys();
        let foreseen = refused.is_empty().then(|| rotation::foresee(self.session, &worked_on, &changing, owed));
        refused.extend(self.timelines.expect_readable(self.session, store).err().map(against));
        let (foreseen, unstartable) = foreseen.unzip();
        refused.extend(unstartable.into_iter().flatten());
        if refused.is_empty() {
            let left = unended::errors(self.session, store, self.timelines.ids(), &worked_on);
            refused.extend(left);
        }
        let incidents = tell::incidents(self.session, store, &self.timelines, foreseen.as_ref());
        let mut foretold = None;
        let is_going_on = |it: &Foreseen| !worked_on.is_empty() || !it.reloads.is_empty();
        if let Some(foreseen) = foreseen.filter(is_going_on) {
            match rotate::foretell(self.session, self.world, store, foreseen.rotated) {
                Ok(it) => foretold = Some(it),
                Err(error) => refused.push(rotation::although_banned(error)),
            }
        }
        let stopped = foretold.as_mut().map(|it| std::mem::take(&mut it.stopped));
        refused.extend(stopped.into_iter().flatten().map(rotation::although_banned));
        let delivered = foretold.as_ref().map_or(&delivered, |it| &it.delivered);
        let foretold = foretold.as_ref();
        let answer = Answer { dry_run: true, foretold, ..self.answer(incidents, delivered, &rotates) };
        answer.tell(self.session, refused)
    }

    /// What would become of the files, also of those that a rotation would write.
    fn rehearse(&self, store: &mut Store) -> Result<Delivered> {
        let delivered = self.world.rehearse(store)?;
        let rotated = plan::dependents(self.world.manifest, &self.rotates);
        expect_deliverable(self.world, store, &rotated, true)?;
        Ok(delivered)
    }

    /// Bans first. Whatever stands against the files, a rotation or the timeline is told afterwards.
    fn carry_out(&self, mut opened: Opened, (changed, has_news): (&[SecretName], bool)) -> Result<Exit> {
        let session = self.session;
        let (delivered, refusal) = self.deliver(&mut opened, (changed, has_news))?;
        let delivered = mounted::noted(session, delivered);
        let refusal = refusal.or_else(|| self.expect_writable(&opened.store).err());
        let is_delivered = refusal.is_none();
        let mut refused: Vec<Error> = refusal.map(|error| self.going_on(error)).into_iter().collect();
        // Before a program is asked, which may take its time: whoever dies then leaves what was done in it.
        refused.extend(self.write(&opened.store).err());
        let is_still = self.rotates.is_empty() && self.retires.is_empty();
        if !is_delivered || is_still && opened.store.rotations.reloads.is_empty() {
            if refused.is_empty() {
                refused = unended::errors(session, &opened.store, self.timelines.ids(), &BTreeSet::new());
            }
            let incidents = tell::incidents(session, &opened.store, &self.timelines, None);
            return self.answer(incidents, &delivered, &BTreeSet::new()).tell(session, refused);
        }
        // While programs run there is no value here.
        drop(opened);
        let mut report = rotation::run(session, self.world, &self.rotates, &self.retires)?;
        let store = session.open_store(self.world.identities)?;
        if refused.is_empty() {
            refused.extend(self.write(&store).err());
        }
        if refused.is_empty() && report.refused.is_empty() && report.problems.is_empty() {
            refused = unended::errors(session, &store, self.timelines.ids(), &BTreeSet::new());
        }
        report.refused.extend(refused.into_iter().map(Refusal::from));
        let incidents = tell::incidents(session, &store, &self.timelines, None);
        let exit = self.answer(incidents, &delivered, &self.rotates).tell_rotated(session, report)?;
        Ok(if exit == Exit::DONE { delivered.exit() } else { exit })
    }

    fn answer<'s>(
        &'s self,
        incidents: Vec<OneIncident<'s>>,
        delivered: &'s Delivered,
        rotates: &'s BTreeSet<SecretName>,
    ) -> Answer<'s> {
        let Self { is_new, plan, retires, .. } = self;
        let known = &self.case.known;
        Answer { dry_run: false, is_new: *is_new, known, incidents, delivered, plan, rotates, retires, foretold: None }
    }

    /// Store, ledger and outputs; where nothing is new, what a run before this one did not come to. What stands against the
    /// outputs comes with the answer, and the store has the change.
    fn deliver(
        &self,
        opened: &mut Opened,
        (changed, has_news): (&[SecretName], bool),
    ) -> Result<(Delivered, Option<Error>)> {
        let lists = self.world.refresh_lists(&mut opened.store)?;
        let programs = rotate::programs(self.session);
        let machine = Machine::new(self.world, &programs, &SystemClock);
        let mut owe = |store: &mut Store, changing: &Changing| machine.owe_reloads(store, changing);
        let has_news = has_news || !lists.is_empty();
        let (before, deeds) = (opened.digest.clone(), opened.store.changes.clone());
        let settled = self.world.settle_noted(opened, "incident", changed, has_news, Some(&mut owe));
        let refusal = match settled {
            Ok(delivered) => return Ok((Delivered { lists, ..delivered }, None)),
            Err(error) if error.kind() == Kind::Bug || error.code() == "durability-unknown" => return Err(error),
            Err(error) => error,
        };
        if has_news && opened.digest == before {
            if opened.store.changes != deeds {
                // The files were no obstacle: the store itself could not be replaced.
                return Err(refusal);
            }
            let outputs = self.outputs_of(&opened.store, changed);
            machine.owe_reloads(&mut opened.store, &outputs);
            self.world.record_behind(opened, &[Deed::of("incident", changed)])?;
        }
        Ok((Delivered { lists, ..Delivered::default() }, Some(refusal)))
    }

    /// The outputs that will hold other values of these secrets, whoever comes to write them.
    fn outputs_of(&self, store: &Store, changed: &[SecretName]) -> Changing {
        let is_new = |name: &&SecretName| changed.contains(name) && !store.is_current_leaked(name);
        let new = |output: &Output| output.secrets.iter().filter(is_new).cloned().collect::<BTreeSet<_>>();
        let outputs = self.world.manifest.outputs_in(self.world.environment).map(|it| (it.name.clone(), new(it)));
        outputs.filter(|(_, secrets)| !secrets.is_empty()).collect::<BTreeMap<_, _>>()
    }

    /// Finds what would keep the files from getting what is rotated.
    fn expect_writable(&self, store: &Store) -> Result<()> {
        if self.rotates.is_empty() {
            return Ok(());
        }
        let rotated = plan::dependents(self.world.manifest, &self.rotates);
        expect_deliverable(self.world, store, &rotated, false)
    }

    /// As an error about the files of what is banned already, with the command that goes on.
    fn going_on(&self, error: Error) -> Error {
        let words = "the store has the change: what leaked is banned; once this is put right, the same command writes the files, and \
                     rotates what is left";
        rotation::although_banned(adopting(error)).hint(format!("{words}: {}", self.same_command()))
    }

    fn same_command(&self) -> String {
        let names: BTreeSet<&SecretName> = self.case.fresh.iter().chain(self.case.known.keys()).collect();
        let names: Vec<&str> = names.into_iter().map(SecretName::as_str).collect();
        format!("`vault-kit incident {} --yes`", names.join(" "))
    }

    fn write(&self, store: &Store) -> Result<()> {
        let written = self.timelines.write(self.session, store).map_err(Error::incomplete);
        written.map_err(|error| {
            let words =
                "the store has the change; once it can be written, the timeline comes with the same command once more";
            error.hint(format!("{words}: {}", self.same_command()))
        })
    }
}

/// The same error where a file that was written by hand stands against the rest: its values are not to be taken into the store, as
/// some of them leaked.
fn adopting(error: Error) -> Error {
    error.map_hints(&|hint| {
        let path = hint.strip_prefix("`vault-kit import --replace ").and_then(|it| it.split('`').next());
        path.map_or_else(
            || hint.to_owned(),
            |path| format!("first, to keep what else stands there: `vault-kit import --replace {path}`, which refuses what leaked"),
        )
    })
}
