//! Runs a plan: values into the store, the store to disk, then the ledger, then the outputs.
//!
//! Whatever can fail without touching the disk (making values, writing them as a format allows, permissions)
//! fails before the store is replaced.

mod ledger;
mod lists;
mod make;
mod observed;
mod taken;

pub use make::recipes;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::audit;
use crate::companions;
use crate::deliver::{self, Changing, Delivered, Prepared, document};
use crate::error::{Error, Kind, Result};
use crate::manifest::hook::Step as HookStep;
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::{SecretName, VersionId};
use crate::secret::Secret;
use crate::store::change::{Change, Subjects};
use crate::store::files::Opened;
use crate::store::ledger::{DeliveredFile, Ledger};
use crate::store::{Store, agreement};
use crate::world::World;

/// What is told which outputs change, and by which secrets.
pub(crate) type Note<'a> = &'a mut dyn FnMut(&mut Store, &Changing) -> bool;

/// What was done in one change of the store, and to what: a line of the audit record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deed<'a> {
    /// What.
    pub action: &'static str,
    /// To what.
    pub subjects: Subjects<'a>,
}

impl<'a> Deed<'a> {
    /// Done to these secrets.
    pub fn of(action: &'static str, secrets: &'a [SecretName]) -> Self {
        Self { action, subjects: Subjects { secrets, records: &[] } }
    }
}

impl World<'_> {
    /// Refuses to write to a store that disagrees with the manifest, or whose time is ahead of the clock.
    pub fn check_agreement(&self, store: &Store) -> Result<()> {
        crate::project::refuse_another(self.project, &store.project, &self.manifest.project)?;
        agreement::check(self.manifest.environments.get(self.environment), store)?;
        if self.consent.clock { Ok(()) } else { store.check_clock(self.now) }
    }

    /// Refuses with `rotation-in-flight` a change of secrets whose rotation has begun and is not promoted: the owner may know
    /// the candidate already.
    pub fn refuse_in_flight(&self, store: &Store, changed: &[SecretName]) -> Result<()> {
        let Some(name) = changed.iter().find(|name| store.rotations.open(name).is_some()) else { return Ok(()) };
        Err(Error::new(Kind::Conflict, "rotation-in-flight", format!("`{name}` is being rotated"))
            .hint("nothing was changed; go on with it by `vault-kit rotate resume`")
            .hint(format!("or give it up with `vault-kit rotate abort {name}`")))
    }

    /// Finds what would keep a change from being recorded whole, before anything is written.
    pub fn preflight(&self) -> Result<()> {
        let refusals = self.files.preflight().chain(audit::preflight(self.project).err());
        // Of several files in one directory it says the same.
        let mut told = BTreeSet::new();
        let refusals = refusals.filter(|error| told.insert(error.to_string()));
        Error::all(refusals.map(|error| error.hint("nothing was changed"))).map_or(Ok(()), Err)
    }

    /// Brings a changed store and its ledger to disk, and leaves the outputs as they are.
    ///
    /// Fails with `rotation-in-flight` when one of the secrets is being rotated.
    pub fn record(&self, opened: &mut Opened, action: &'static str, changed: &[SecretName]) -> Result<()> {
        let files = self.listed_files(&opened.store)?;
        if changed.is_empty() && opened.digest.is_some() {
            let behind = self.is_behind()?;
            return self.keep_up(opened, files, behind).map(drop);
        }
        self.refuse_in_flight(&opened.store, changed)?;
        self.record_deeds(opened, &[Deed::of(action, changed)])
    }

    /// As [`World::record`], for several deeds in one change of the store.
    pub(crate) fn record_deeds(&self, opened: &mut Opened, deeds: &[Deed<'_>]) -> Result<()> {
        self.preflight()?;
        let files = self.listed_files(&opened.store)?;
        let behind = self.is_behind()?;
        self.commit(opened, deeds, files, behind).map(drop)
    }

    /// As [`World::record_deeds`], where outputs lack what changed.
    pub(crate) fn record_behind(&self, opened: &mut Opened, deeds: &[Deed<'_>]) -> Result<()> {
        self.preflight()?;
        let files = self.listed_files(&opened.store)?;
        self.commit(opened, deeds, files, true).map(drop)
    }

    /// Seals the store anew although no secret changed.
    pub fn reseal(&self, opened: &mut Opened, action: &'static str) -> Result<()> {
        self.preflight()?;
        let files = self.listed_files(&opened.store)?;
        let behind = self.is_behind()?;
        self.commit(opened, &[Deed { action, subjects: Subjects::default() }], files, behind).map(drop)
    }

    /// Brings a changed store to disk, then ledger and outputs. Without changes only what differs is written.
    ///
    /// Whatever fails once the store is replaced is `Incomplete`: `render` finishes it.
    pub fn settle(&self, opened: &mut Opened, action: &'static str, changed: &[SecretName]) -> Result<Delivered> {
        let lists = self.refresh_lists(&mut opened.store)?;
        let delivered = self.settle_news(opened, action, changed, !lists.is_empty() || !changed.is_empty())?;
        Ok(Delivered { lists, ..delivered })
    }

    /// As [`World::settle`], where more than the secrets that `changed` is new in the store.
    pub fn settle_news(
        &self,
        opened: &mut Opened,
        action: &'static str,
        changed: &[SecretName],
        has_news: bool,
    ) -> Result<Delivered> {
        self.settle_noted(opened, action, changed, has_news, None)
    }

    /// As [`World::settle_news`], where the store has to know of outputs that will hold something else.
    pub(crate) fn settle_noted(
        &self,
        opened: &mut Opened,
        action: &'static str,
        changed: &[SecretName],
        has_news: bool,
        note: Option<Note<'_>>,
    ) -> Result<Delivered> {
        self.refuse_in_flight(&opened.store, changed)?;
        self.settle_deeds(opened, &[Deed::of(action, changed)], has_news, note)
    }

    /// As [`World::settle`], for a change of what was issued to others; `changed` are the ids of the records.
    pub fn settle_records(&self, opened: &mut Opened, action: &'static str, changed: &[String]) -> Result<Delivered> {
        let lists = self.refresh_lists(&mut opened.store)?;
        let has_news = !lists.is_empty() || !changed.is_empty();
        if has_news {
            opened.store.updated = opened.store.updated.max(self.now);
        }
        let subjects = Subjects { secrets: &[], records: changed };
        let delivered = self.settle_deeds(opened, &[Deed { action, subjects }], has_news, None)?;
        Ok(Delivered { lists, ..delivered })
    }

    /// As [`World::settle_news`], for several deeds in one change of the store. Before it is sealed, `note` is told which
    /// outputs will hold something else, and says whether the store has to know.
    pub(crate) fn settle_deeds(
        &self,
        opened: &mut Opened,
        deeds: &[Deed<'_>],
        has_news: bool,
        note: Option<Note<'_>>,
    ) -> Result<Delivered> {
        let mut prepared = self.prepare(&opened.store)?;
        let old_files = self.old_files(&prepared, &opened.store)?;
        prepared.refuse_foreign(self, &opened.store, &old_files)?;
        prepared.try_out(self)?;
        let is_noted = match note {
            Some(note) => note(&mut opened.store, &prepared.changing(self, &old_files)?),
            None => false,
        };
        let is_changed = has_news || is_noted || opened.digest.is_none();
        if is_changed {
            self.preflight()?;
        }
        prepared.ignore(self)?;
        let announced = prepared.announced(&old_files);
        let behind = self.is_behind()? || !prepared.is_whole() || prepared.is_behind(self, &old_files);
        if !is_changed {
            let ledger = self.keep_up(opened, announced, behind)?;
            return self.deliver(opened, ledger, prepared, &old_files);
        }
        let ledger = self.commit(opened, deeds, announced, behind)?;
        // The versions that were purged with it are on no list any more.
        prepared.renew_documents(self, &opened.store).map_err(Error::after_the_change)?;
        let mut delivered = self.deliver(opened, ledger, prepared, &old_files).map_err(Error::after_the_change)?;
        let changed = deeds.iter().flat_map(|deed| deed.subjects.secrets);
        delivered.warnings.extend(changed.filter_map(|name| self.shortened(&opened.store, name)));
        Ok(delivered)
    }

    /// What to say of a certificate that ends before its declared life, with its issuer.
    fn shortened(&self, store: &Store, name: &SecretName) -> Option<String> {
        let (issuer, ttl) = match &self.manifest.secret(name)?.kind {
            SecretKind::Ca(ca) => (ca.issuer.as_ref()?, ca.ttl),
            SecretKind::Certificate(leaf) => (leaf.issuer.as_ref()?, leaf.ttl),
            _ => return None,
        };
        let expires = store.current(name)?.expires?;
        let ends_with_issuer = store.current(issuer)?.expires == Some(expires);
        // The life begins a little before the change, never after it.
        let is_short = expires + TimeDelta::seconds(1) < self.now + ttl.delta() - TimeDelta::hours(1);
        let day = expires.format("%Y-%m-%d");
        (ends_with_issuer && is_short).then(|| format!("`{name}` ends on {day} with `{issuer}`, before its `ttl`"))
    }

    fn commit(
        &self,
        opened: &mut Opened,
        deeds: &[Deed<'_>],
        files: BTreeMap<String, DeliveredFile>,
        behind: bool,
    ) -> Result<Ledger> {
        for deed in deeds {
            opened.store.follow(deed.action, deed.subjects.secrets, self.now);
        }
        self.purge(&mut opened.store, &files)?;
        let generation = opened.store.generation + 1;
        let change = |it: &Deed<'_>| Change::new(self.now, it.action, self.environment, generation, it.subjects);
        let foreseen = audit::foresee(self.project, &opened.store, deeds.iter().map(change).collect())?;
        // The store carries its last change only: what came before is in the audit record by now.
        opened.store.changes = foreseen.done;
        let announce = || audit::append_all(self.project, foreseen.intent.as_slice());
        self.files.save_announced(opened, self.identities, &announce)?;
        let ledger = self.save_ledger(opened, files, behind).map_err(Error::after_the_change)?;
        audit::append_all(self.project, &opened.store.changes).map_err(Error::after_the_change)?;
        opened.store.changes.iter().for_each(self.log);
        Ok(ledger)
    }

    /// Purges what is neither among the versions to keep nor in a file that was delivered.
    fn purge(&self, store: &mut Store, files: &BTreeMap<String, DeliveredFile>) -> Result<()> {
        // Without a ledger nobody knows what is delivered: everything stays until the next change.
        if self.project.facts(&self.files.ledger_path())?.is_some() {
            let mut in_use: BTreeSet<VersionId> =
                files.values().flat_map(|file| file.holds.values().copied()).collect();
            for declaration in self.manifest.secrets_in(self.environment) {
                let companions = companions::companions(self.manifest, declaration, store, self.now);
                in_use.extend(companions.iter().map(|it| it.version.id));
            }
            // What a rotation replaced is still to be retired, or to be put back.
            in_use.extend(store.rotations.running.values().map(|it| it.base));
            let is_retired = |it: &&Declaration| self.manifest.hooks_for(it, HookStep::Retire).next().is_some();
            let owned = self.manifest.secrets_in(self.environment).filter(is_retired);
            in_use.extend(owned.flat_map(|it| store.to_retire(&it.name).map(|version| version.id)));
            store.purge(self.manifest.keep, &in_use);
        }
        Ok(())
    }

    /// Audit record and ledger of a store that does not change: a writer before us may have died in between.
    fn keep_up(&self, opened: &Opened, files: BTreeMap<String, DeliveredFile>, behind: bool) -> Result<Ledger> {
        audit::complete(self.project, &opened.store)?;
        self.save_ledger(opened, files, behind)
    }

    /// Writes the files, and what became of them into the ledger that announced them.
    fn deliver(
        &self,
        opened: &Opened,
        mut ledger: Ledger,
        prepared: Prepared<'_>,
        old_files: &BTreeMap<String, DeliveredFile>,
    ) -> Result<Delivered> {
        let is_behind = !prepared.is_whole();
        let mut delivered = prepared.write(self, old_files)?;
        document::foresee(&mut delivered.records, self, &opened.store)?;
        if ledger.files != delivered.records || ledger.header.behind {
            ledger.header.behind = is_behind;
            ledger.files.clone_from(&delivered.records);
            self.write_ledger(&opened.store, &mut ledger)?;
        }
        Ok(delivered)
    }

    /// What [`World::settle`] would do to lists and outputs, and the refusals that need no trial write to be found.
    pub fn rehearse(&self, store: &mut Store) -> Result<Delivered> {
        let lists = self.refresh_lists(store)?;
        let mut prepared = self.prepare(store)?;
        let old_files = self.old_files(&prepared, store)?;
        prepared.refuse_foreign(self, store, &old_files)?;
        prepared.foresee(self)?;
        self.preflight_news(store)?;
        let delivered = prepared.rehearsed(self, &old_files)?;
        Ok(Delivered { lists, ..delivered })
    }

    /// The outputs as they would be written now.
    pub fn prepare(&self, store: &Store) -> Result<Prepared<'_>> {
        deliver::prepare(self, store)
    }

    /// What each output file should hold, byte for byte, by path. Fails where an output could not be written.
    pub fn contents(&self, store: &Store) -> Result<BTreeMap<String, Secret>> {
        Ok(self.prepare(store)?.into_contents())
    }
}
