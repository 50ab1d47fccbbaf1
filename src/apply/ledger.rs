//! The ledger of a change: what was delivered before it, and what the changed store says.

use std::collections::{BTreeMap, BTreeSet};

use crate::companions;
use crate::deliver::{Prepared, document};
use crate::error::{Error, Result};
use crate::rotate::next;
use crate::store::files::Opened;
use crate::store::ledger::{BesideState, DeliveredFile, Ledger};
use crate::store::{Store, derive};
use crate::world::World;

impl World<'_> {
    /// What the ledger says of delivered files; where there is none, those that are known by what is in them.
    pub(super) fn old_files(&self, prepared: &Prepared<'_>, store: &Store) -> Result<BTreeMap<String, DeliveredFile>> {
        let listed = self.files.delivered()?;
        Ok(listed.unwrap_or_else(|| prepared.recognised(self, store)))
    }

    /// As [`World::preflight`], where there is something to record.
    pub(super) fn preflight_news(&self, store: &Store) -> Result<()> {
        match self.preflight() {
            Err(error) if self.differs(store)? => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether a store that was opened has other values by now than the ledger tells.
    fn differs(&self, store: &Store) -> Result<bool> {
        let Some(ledger) = self.files.ledger()? else { return Ok(true) };
        let version = |name| store.current(name).map(|version| version.id);
        let is_other = |name| ledger.secrets.get(name).map(|entry| entry.version) != version(name);
        let mut names = store.secrets.keys().chain(ledger.secrets.keys());
        Ok(ledger.header.updated != store.updated || names.any(is_other))
    }

    /// As [`World::old_files`], for those who write none.
    pub(super) fn listed_files(&self, store: &Store) -> Result<BTreeMap<String, DeliveredFile>> {
        // Whether an output can be written is not for this change to ask.
        let recognised = || self.prepare(store).map(|it| it.recognised(self, store)).unwrap_or_default();
        Ok(self.files.delivered()?.unwrap_or_else(recognised))
    }

    /// As [`World::record`] of nothing, behind a recovery: its ledger may be that of another state than the files, so that these are looked at.
    ///
    /// Where what is newer `is_forgotten`, the files may be all that has it: those that have values which the store does not count as
    /// somebody else's from now on, and are told.
    pub fn record_recovered(&self, opened: &Opened, is_forgotten: bool) -> Result<Vec<String>> {
        let mut files = self.listed_files(&opened.store)?;
        let mut unknown = Vec::new();
        if let Ok(prepared) = self.prepare(&opened.store) {
            if is_forgotten {
                unknown = prepared.unknown(self, &opened.store)?;
                files.retain(|path, _| !unknown.contains(path));
            }
            files.extend(prepared.recognised(self, &opened.store));
        }
        self.keep_up(opened, files, self.is_behind()?)?;
        Ok(unknown)
    }

    /// The ledger as it should be of a store that is sealed with that digest, and whose own is gone or another state's.
    pub fn ledger_anew(&self, store: &Store, digest: String) -> Result<Ledger> {
        let mut files = self.listed_files(store)?;
        document::foresee(&mut files, self, store)?;
        let mut ledger = derive::ledger(store, digest, self.manifest, files, self.now);
        ledger.header.behind = self.is_behind()?;
        self.foretell(&mut ledger);
        Ok(ledger)
    }

    /// Derives the ledger of a sealed store, and brings it to disk.
    pub(super) fn save_ledger(
        &self,
        opened: &Opened,
        mut files: BTreeMap<String, DeliveredFile>,
        behind: bool,
    ) -> Result<Ledger> {
        document::foresee(&mut files, self, &opened.store)?;
        let digest = opened.digest.clone().ok_or_else(|| Error::bug("a ledger was asked for before its store"))?;
        let mut ledger = derive::ledger(&opened.store, digest, self.manifest, files, self.now);
        derive::mark_copies(&mut ledger, &opened.store, &self.fingerprints_elsewhere());
        ledger.header.behind = behind;
        self.write_ledger(&opened.store, &mut ledger)?;
        Ok(ledger)
    }

    /// Brings a ledger to disk, with the days of published keys and roots as the files on the disk make them.
    pub(super) fn write_ledger(&self, store: &Store, ledger: &mut Ledger) -> Result<()> {
        for entry in ledger.secrets.values_mut() {
            let Some(next) = entry.beside.iter_mut().find(|it| it.state == BesideState::Next) else { continue };
            let Some(declaration) = self.manifest.secret(&entry.name) else { continue };
            let companions = companions::companions(self.manifest, declaration, store, self.now);
            let Some(companion) = companions.into_iter().find(|it| it.version.id == next.version) else { continue };
            if let Some(held) = self.held_since(store, &entry.name, companion.version) {
                let companion = companion.held_since(held);
                (next.since, next.until) = (companion.since, companion.until);
            }
        }
        let Ledger { header, files, secrets } = &mut *ledger;
        let is_beside = |id| secrets.values().flat_map(|entry| &entry.beside).any(|it| it.version == id);
        // Told of the files before they were written: what leaked may be gone from them by now.
        header
            .banned
            .retain(|id| is_beside(*id) || files.values().any(|file| file.holds.values().any(|held| held == id)));
        self.foretell(ledger);
        self.files.save_ledger(ledger)
    }

    /// Whether a writer before us left files unwritten, as the ledger tells.
    pub(super) fn is_behind(&self) -> Result<bool> {
        Ok(self.files.header()?.is_some_and(|header| header.behind))
    }

    /// Tells in a ledger's first line from when on there is something to rotate, and by which manifest.
    fn foretell(&self, ledger: &mut Ledger) {
        let (due, is_missed) = next::due(ledger, self.manifest, self.environment, self.now);
        (ledger.header.due, ledger.header.missed) = (due, is_missed.then_some(self.now));
        ledger.header.manifest = Some(self.manifest_digest.to_owned());
    }

    /// The public fingerprints of the other environments' values.
    fn fingerprints_elsewhere(&self) -> BTreeSet<String> {
        let others =
            self.other_ledgers().unwrap_or_default().into_iter().flat_map(|(_, ledger)| ledger.secrets.into_values());
        others.filter_map(|entry| entry.fingerprint).collect()
    }
}
