//! `store recover`: the project's store and its second copy made to agree, and a ledger that is gone or damaged.

use chrono::{DateTime, Utc};

use super::change::{Change, Subjects};
use super::files::{StoreFiles, would_lock_out};
use super::identity::Identities;
use super::{DIRECTORY, Store, seal};
use crate::error::{Error, Kind, Result};
use crate::private_file::WriteOptions;
use crate::secret::digest::sha256_hex;

/// How `store recover` goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// The project's store wins, whatever its generation.
    pub accept_older: bool,
    /// Only what would be done is found out; nothing is written.
    pub dry_run: bool,
}

/// Announces a change of a store in the audit record, and gives it its place there.
pub type Announce<'a> = &'a dyn Fn(&Store, Change) -> Result<Vec<Change>>;

/// What `store recover` did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// The project's store and the copy agree.
    Nothing,
    /// The project's store was accepted, and the copy follows it.
    CopyRefreshed,
    /// The project's store was brought back from the copy.
    StoreRestored,
}

impl StoreFiles<'_> {
    /// Makes store and second copy agree again; what is replaced is kept aside.
    ///
    /// The newer of the two wins, unless the manner says otherwise.
    ///
    /// What is left is a generation of its own, newer than both, and carries the recovery as its last change.
    pub fn recover(
        &self,
        identities: &Identities,
        manner: Manner,
        now: DateTime<Utc>,
        announce: Announce<'_>,
    ) -> Result<Recovery> {
        let sealed = self.sealed()?;
        let opened = sealed.as_deref().map(|sealed| self.unseal(sealed, identities, &self.store_path())).transpose();
        let header = self.copy.header()?;
        match (opened, header) {
            (Ok(Some(mut store)), header)
                if manner.accept_older || !header.as_ref().is_some_and(|it| it.is_newer_than(&store)) =>
            {
                let sealed = sealed.unwrap_or_default();
                let digest = sha256_hex(&sealed);
                if header.as_ref().is_some_and(|header| header.digest == digest) {
                    self.expect_copy(&sealed, &digest)?;
                    return Ok(Recovery::Nothing);
                }
                if manner.dry_run {
                    return Ok(Recovery::CopyRefreshed);
                }
                self.keep_bans(&mut store, identities);
                self.copy.set_aside()?;
                let newest = header.map_or(0, |header| header.generation);
                self.save_recovered(store, newest, identities, now, announce)?;
                Ok(Recovery::CopyRefreshed)
            }
            (Err(error), _) if error.code() == "not-a-recipient" => Err(error),
            (_, Some(_)) => self.restore(identities, sealed.as_deref(), manner, now, announce),
            (Err(error), None) => Err(error),
            (Ok(_), None) => Err(self.nothing_to_recover()),
        }
    }

    /// What leaked meanwhile leaked, whatever store is accepted. A copy that cannot be read keeps nobody from accepting one.
    fn keep_bans(&self, store: &mut Store, identities: &Identities) {
        let place = format!("second copy of `{}`", self.store_path());
        let copy = self.copy.read().ok().flatten();
        let copy = copy.and_then(|sealed| self.unseal(&sealed, identities, &place).ok());
        // Fingerprints are keyed: those of another store say nothing here.
        if let Some(copy) = copy.filter(|copy| copy.store_id == store.store_id) {
            store.keep_bans(&copy.banned);
        }
    }

    fn restore(
        &self,
        identities: &Identities,
        old: Option<&[u8]>,
        manner: Manner,
        now: DateTime<Utc>,
        announce: Announce<'_>,
    ) -> Result<Recovery> {
        let place = format!("second copy of `{}`", self.store_path());
        let copy = self.copy.read()?.ok_or_else(|| self.nothing_to_recover())?;
        let store = self.unseal(&copy, identities, &place)?;
        if manner.dry_run {
            return Ok(Recovery::StoreRestored);
        }
        if let Some(old) = old {
            let aside = format!("{DIRECTORY}/{}.replaced-{}.age", self.environment, &sha256_hex(old)[..8]);
            self.project.write(&aside, old, &WriteOptions::default())?;
        }
        self.save_recovered(store, 0, identities, now, announce)?;
        Ok(Recovery::StoreRestored)
    }

    /// Store and recovery in one replacement: a crash behind it cannot lose who recovered what.
    fn save_recovered(
        &self,
        mut store: Store,
        newest: u64,
        identities: &Identities,
        now: DateTime<Utc>,
        announce: Announce<'_>,
    ) -> Result<()> {
        let path = self.store_path();
        store.generation = store.generation.max(newest) + 1;
        let change = Change::new(now, "recover", self.environment, store.generation, Subjects::default());
        store.changes = announce(&store, change)?;
        let sealed = seal::seal(&store, &path)?;
        seal::can_open(&sealed, identities, &path).map_err(|_| would_lock_out(&path))?;
        self.project.write(&path, &sealed, &WriteOptions::default())?;
        self.copy.write(&store, &sealed, &sha256_hex(&sealed)).map_err(Error::after_the_change)
    }

    /// Why the ledger has to be made anew; `None` when it need not.
    pub fn ledger_flaw(&self) -> Result<Option<&'static str>> {
        match self.ledger() {
            Err(error) if error.code() == "ledger-damaged" => Ok(Some("damaged")),
            other => Ok(other?.is_none().then_some("gone")),
        }
    }

    /// Removes a ledger that cannot be read, so that it is made anew.
    pub fn drop_ledger(&self) -> Result<()> {
        self.project.remove(&self.ledger_path()).map(drop)
    }

    fn nothing_to_recover(&self) -> Error {
        let message = format!("there is neither `{}` nor a second copy of it", self.store_path());
        Error::new(Kind::Store, "store-missing", message).hint("make one with `vault-kit init`")
    }
}
