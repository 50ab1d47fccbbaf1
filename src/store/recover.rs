//! `store recover`: the project's store and its second copy made to agree, and a ledger that is gone or damaged.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::change::{Change, Subjects};
use super::files::{StoreFiles, would_lock_out};
use super::identity::Identities;
use super::{DIRECTORY, Store, seal};
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::private_file::WriteOptions;
use crate::secret::digest::sha256_hex;

/// How `store recover` goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// The project's store wins, whatever its generation; without one, the copy does.
    pub accept_older: bool,
    /// Only what would be done is found out; nothing is written.
    pub dry_run: bool,
    /// The secrets that a hook can tell their owners: those may know what an older store does not.
    pub owned: &'a [SecretName],
}

/// The audit record, as far as a recovery has to do with it.
#[expect(missing_debug_implementations, reason = "functions have nothing to show")]
pub struct Record<'a> {
    /// Announces a change of a store, and gives it its place.
    pub announce: &'a dyn Fn(&Store, Change) -> Result<Vec<Change>>,
    /// The newest generation of a store that it tells of; 0 where it tells of none.
    pub newest: &'a dyn Fn(&Store) -> Result<u64>,
}

/// What `store recover` did, or would do.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Which of the two won.
    pub recovery: Recovery,
    /// Whether something newer is known than what won.
    pub is_older: bool,
    /// Whether nothing could be read that tells what leaked since, and what owners were told.
    pub is_forgotten: bool,
    /// The secrets that have a value in force again which leaked since.
    pub leaked: Vec<SecretName>,
    /// The file that keeps what was replaced.
    pub aside: Option<String>,
}

/// What a recovery begins with.
const NOTHING: Recovered =
    Recovered { recovery: Recovery::Nothing, is_older: false, is_forgotten: false, leaked: Vec::new(), aside: None };

/// Which store wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    /// The newer of the two wins, unless the manner says otherwise. Refuses with `store-went-back` one that is older than the
    /// audit record tells.
    ///
    /// What is left is a generation of its own, newer than both, and carries the recovery as its last change.
    pub fn recover(
        &self,
        identities: &Identities,
        manner: Manner<'_>,
        now: DateTime<Utc>,
        record: &Record<'_>,
    ) -> Result<Recovered> {
        let sealed = self.sealed()?;
        let opened = sealed.as_deref().map(|sealed| self.unseal(sealed, identities, &self.store_path())).transpose();
        let header = self.copy.header()?;
        match (opened, header) {
            (Ok(Some(mut store)), header)
                if manner.accept_older || !header.as_ref().is_some_and(|it| it.is_newer_than(&store)) =>
            {
                let sealed = sealed.unwrap_or_default();
                let digest = sha256_hex(&sealed);
                let is_same = header.as_ref().is_some_and(|header| header.digest == digest);
                if is_same {
                    self.expect_copy(&sealed, &digest)?;
                }
                let is_copy_newer = header.as_ref().is_some_and(|it| it.is_newer_than(&store));
                let newest = (record.newest)(&store)?;
                let is_older = is_behind(&store, newest, manner, &self.store_path())? || is_copy_newer;
                let recovery = if is_same && !is_older { Recovery::Nothing } else { Recovery::CopyRefreshed };
                let newer = if is_copy_newer { self.newer(&store, identities) } else { None };
                let mut recovered =
                    Recovered { recovery, is_older, is_forgotten: is_older && newer.is_none(), ..NOTHING };
                if let Some(newer) = newer {
                    recovered.leaked = store.remember(newer, manner.owned, now);
                }
                if recovery == Recovery::Nothing || manner.dry_run {
                    return Ok(recovered);
                }
                let aside = if is_same { None } else { self.copy.set_aside()? };
                let newest = header.map_or(newest, |header| newest.max(header.generation));
                own_up(&mut store, is_older, manner);
                self.save_recovered(store, newest, identities, now, record)?;
                recovered.aside = aside.map(|path| path.display().to_string());
                Ok(recovered)
            }
            (Err(error), _) if error.code() == "not-a-recipient" => Err(error),
            (_, Some(_)) => self.restore(identities, sealed.as_deref(), manner, now, record),
            (Err(error), None) => Err(error),
            (Ok(_), None) => Err(self.nothing_to_recover()),
        }
    }

    /// The second copy, opened. One that cannot be read keeps nobody from accepting a store.
    fn newer(&self, store: &Store, identities: &Identities) -> Option<Store> {
        let place = format!("the second copy of `{}`", self.store_path());
        let copy = self.unseal(&self.copy.read().ok()??, identities, &place).ok()?;
        // Fingerprints are keyed: those of another store say nothing here.
        (copy.store_id == store.store_id).then_some(copy)
    }

    fn restore(
        &self,
        identities: &Identities,
        old: Option<&[u8]>,
        manner: Manner<'_>,
        now: DateTime<Utc>,
        record: &Record<'_>,
    ) -> Result<Recovered> {
        let place = format!("the second copy of `{}`", self.store_path());
        let copy = self.copy.read()?.ok_or_else(|| self.nothing_to_recover())?;
        let mut store = self.unseal(&copy, identities, &place)?;
        let newest = (record.newest)(&store)?;
        let is_older = is_behind(&store, newest, manner, &place)?;
        let recovery = Recovery::StoreRestored;
        let mut recovered = Recovered { recovery, is_older, is_forgotten: is_older, ..NOTHING };
        if manner.dry_run {
            return Ok(recovered);
        }
        if let Some(old) = old {
            let aside = format!("{DIRECTORY}/{}.replaced-{}.age", self.environment, &sha256_hex(old)[..8]);
            self.project.write(&aside, old, &WriteOptions::default())?;
            recovered.aside = Some(aside);
        }
        own_up(&mut store, is_older, manner);
        self.save_recovered(store, newest, identities, now, record)?;
        Ok(recovered)
    }

    /// Store and recovery in one replacement: a crash behind it cannot lose who recovered what.
    fn save_recovered(
        &self,
        mut store: Store,
        newest: u64,
        identities: &Identities,
        now: DateTime<Utc>,
        record: &Record<'_>,
    ) -> Result<()> {
        let path = self.store_path();
        store.generation = store.generation.max(newest) + 1;
        let change = Change::new(now, "recover", self.environment, store.generation, Subjects::default());
        store.changes = (record.announce)(&store, change)?;
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

/// What owners were told since an older store was made, that store does not know.
fn own_up(store: &mut Store, is_older: bool, manner: Manner<'_>) {
    if is_older {
        for name in manner.owned {
            store.owe_owner(name);
        }
    }
}

/// Whether the audit record tells of a newer generation, which has to be accepted.
fn is_behind(store: &Store, newest: u64, manner: Manner<'_>, place: &str) -> Result<bool> {
    if manner.accept_older {
        return Ok(newest > store.generation);
    }
    expect_newest(store, newest, place).map(|()| false)
}

/// Refuses with `store-went-back` a store of which the audit record tells a newer generation.
pub(super) fn expect_newest(store: &Store, newest: u64, place: &str) -> Result<()> {
    if newest <= store.generation {
        return Ok(());
    }
    let message = format!(
        "{place} is older than the audit record: that tells of {newest} changes, and it has {}",
        store.generation
    );
    Err(Error::new(Kind::Store, "store-went-back", message)
        .hint("put a newer one back, if there is one")
        .hint("or go on with the old one on purpose: `vault-kit store recover --accept-older`"))
}
