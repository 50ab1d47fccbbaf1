//! The sealed store, its second copy and its ledger on disk.
//!
//! Every change is one atomic replacement of the store, then of the second copy, then of the ledger: a crash
//! between two of them leaves an older copy or ledger, which the next writer brings up to date.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::PathBuf;

use super::identity::Identities;
use super::ledger::{DeliveredFile, Header, Ledger};
use super::second_copy::{CopyHeader, SecondCopy};
use super::{DIRECTORY, LARGEST, Store, recover, seal};
use crate::error::{Error, Kind, Result};
use crate::name::{EnvName, VersionId};
use crate::private_file::{Root, WriteOptions};
use crate::secret::digest::sha256_hex;
use crate::shell;

/// How much of a ledger is read at once that is only looked through.
const PIECE: usize = 64 * 1024;

/// The files of one environment's store.
#[derive(Debug)]
pub struct StoreFiles<'a> {
    pub(super) project: &'a Root,
    pub(super) copy: SecondCopy<'a>,
    pub(super) environment: &'a EnvName,
    newest: Option<Newest>,
}

/// The newest generation of a store that the audit record tells of, which this module does not know.
pub type Newest = fn(&Root, &Store) -> Result<u64>;

/// A store that is open for writing, and which bytes it was read from.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// SHA-256 of the sealed bytes on disk; `None` = nothing is there yet.
    pub digest: Option<String>,
}

impl<'a> StoreFiles<'a> {
    /// The files of an environment.
    pub fn new(project: &'a Root, state: Option<PathBuf>, environment: &'a EnvName) -> Self {
        Self { project, copy: SecondCopy::new(project, state, environment), environment, newest: None }
    }

    /// The same, of which a store without a second copy is held against the audit record.
    #[must_use]
    pub fn held_against(self, newest: Newest) -> Self {
        Self { newest: Some(newest), ..self }
    }

    /// The sealed store's path below the project.
    pub fn store_path(&self) -> String {
        format!("{DIRECTORY}/{}.age", self.environment)
    }

    /// The ledger's path below the project.
    pub fn ledger_path(&self) -> String {
        format!("{DIRECTORY}/{}.ledger.jsonl", self.environment)
    }

    /// The sealed bytes; `None` when there is no store.
    pub fn sealed(&self) -> Result<Option<Vec<u8>>> {
        self.project.read_at_most(&self.store_path(), LARGEST)
    }

    /// Whether there is a store or a second copy, opened or not.
    pub fn is_there(&self) -> Result<bool> {
        Ok(self.sealed()?.is_some() || self.copy.header()?.is_some())
    }

    /// Opens the store for reading; `None` when there is neither a store nor a second copy.
    ///
    /// Fails with `store-missing` when only the second copy is left, and with `store-went-back` when the copy is newer.
    pub fn open(&self, identities: &Identities) -> Result<Option<Store>> {
        Ok(self.open_sealed(identities)?.map(|(store, _)| store))
    }

    /// As [`StoreFiles::open`], and remembers which bytes it read; writes nothing.
    pub fn open_current(&self, identities: &Identities) -> Result<Option<Opened>> {
        Ok(self.open_with_bytes(identities)?.map(|(opened, _)| opened))
    }

    /// Opens the store for writing, and brings an old second copy up to date.
    pub fn open_for_writing(&self, identities: &Identities) -> Result<Option<Opened>> {
        let Some((opened, sealed)) = self.open_with_bytes(identities)? else { return Ok(None) };
        self.renew_copy(&opened, &sealed)?;
        Ok(Some(opened))
    }

    /// As [`StoreFiles::open_for_writing`], for whoever opened the store before it was his turn: one that nobody replaced meanwhile
    /// is as it was, and is not unsealed again.
    pub fn reopen_for_writing(&self, before: Opened, identities: &Identities) -> Result<Option<Opened>> {
        match self.sealed()? {
            Some(sealed) if before.digest.as_ref().is_some_and(|it| *it == sha256_hex(&sealed)) => {
                self.refuse_older(before.store.store_id, before.store.generation)?;
                self.renew_copy(&before, &sealed)?;
                Ok(Some(before))
            }
            _ => self.open_for_writing(identities),
        }
    }

    fn renew_copy(&self, opened: &Opened, sealed: &[u8]) -> Result<()> {
        match &opened.digest {
            Some(digest) if self.copy.header()?.is_none_or(|header| header.digest != *digest) => {
                self.copy.write(&opened.store, sealed, digest)
            }
            _ => Ok(()),
        }
    }

    fn open_with_bytes(&self, identities: &Identities) -> Result<Option<(Opened, Vec<u8>)>> {
        let Some((store, sealed)) = self.open_sealed(identities)? else { return Ok(None) };
        Ok(Some((Opened { store, digest: Some(sha256_hex(&sealed)) }, sealed)))
    }

    /// The store and its bytes.
    ///
    /// Readers take no turn, and a writer replaces the store first and its copy then: a copy that is newer than what was
    /// read says that the store went back only if the store is still what was read.
    fn open_sealed(&self, identities: &Identities) -> Result<Option<(Store, Vec<u8>)>> {
        let Some(mut sealed) = self.present()? else { return Ok(None) };
        loop {
            let store = self.unseal(&sealed, identities, &self.store_path())?;
            let Err(error) = self.refuse_old(&store) else {
                return Ok(Some((store, sealed)));
            };
            sealed = self.sealed()?.filter(|now| *now != sealed).ok_or(error)?;
        }
    }

    /// The sealed bytes; `None` when there is neither a store nor a second copy.
    ///
    /// Fails with `store-missing` when only the second copy is left.
    pub fn present(&self) -> Result<Option<Vec<u8>>> {
        match self.sealed()? {
            None if self.copy.header()?.is_some() => Err(self.missing()),
            sealed => Ok(sealed),
        }
    }

    /// Refuses with `copy-damaged` a second copy that could not be brought back; `sealed` is the store with its `digest`.
    pub fn expect_copy(&self, sealed: &[u8], digest: &str) -> Result<()> {
        self.copy.expect_whole(sealed, digest)
    }

    pub(super) fn unseal(&self, sealed: &[u8], identities: &Identities, place: &str) -> Result<Store> {
        let store = seal::open(sealed, identities, place)?;
        if store.environment == *self.environment { Ok(store) } else { Err(self.foreign(&store)) }
    }

    /// Refuses with `store-went-back` a store that is older than its second copy.
    pub fn refuse_older(&self, store_id: VersionId, generation: u64) -> Result<()> {
        let is_newer = |header: CopyHeader| header.store_id == store_id && header.generation > generation;
        if self.copy.header()?.is_some_and(is_newer) { Err(self.went_back()) } else { Ok(()) }
    }

    /// As [`StoreFiles::refuse_older`]; where the second copy is gone, the audit record is asked: nothing else would tell, and a write
    /// would take newer values out of the files.
    pub fn refuse_old(&self, store: &Store) -> Result<()> {
        match (self.copy.header()?, self.newest) {
            (Some(header), _) if header.is_newer_than(store) => Err(self.went_back()),
            (None, Some(newest)) if self.copy.is_wanted() => {
                recover::expect_newest(store, newest(self.project, store)?, &self.store_path())
            }
            _ => Ok(()),
        }
    }

    /// Whether there should be a second copy, and is none.
    pub fn lacks_copy(&self) -> Result<bool> {
        Ok(self.copy.is_wanted() && self.copy.header()?.is_none())
    }

    /// What would keep store, ledger or second copy from being written, found before anything is.
    pub fn preflight(&self) -> impl Iterator<Item = Error> {
        let ours = [self.store_path(), self.ledger_path()].into_iter();
        let ours = ours.map(|path| self.project.preflight(&path, &WriteOptions::default()));
        ours.chain([self.copy.preflight()]).filter_map(Result::err)
    }

    /// Seals a changed store and replaces the one on disk, then the second copy.
    ///
    /// Fails with `store-changed` when somebody else wrote since it was read, and with `would-lock-out` when the
    /// identities could not open the result.
    pub fn save(&self, opened: &mut Opened, identities: &Identities) -> Result<()> {
        self.save_announced(opened, identities, &|| Ok(()))
    }

    /// As [`StoreFiles::save`]; what is announced is so once nothing but the disk stands against it.
    pub fn save_announced(
        &self,
        opened: &mut Opened,
        identities: &Identities,
        announce: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let path = self.store_path();
        opened.store.generation += 1;
        let sealed = seal::seal(&opened.store, &path)?;
        seal::can_open(&sealed, identities, &path).map_err(|_| would_lock_out(&path))?;
        if self.sealed()?.map(|bytes| sha256_hex(&bytes)) != opened.digest {
            return Err(Error::new(
                Kind::Conflict,
                "store-changed",
                format!("somebody else changed `{path}` meanwhile"),
            )
            .hint("nothing was written; run the command again"));
        }
        announce()?;
        self.project.write(&path, &sealed, &WriteOptions::default())?;
        let digest = opened.digest.insert(sha256_hex(&sealed));
        self.copy.write(&opened.store, &sealed, digest).map_err(Error::after_the_change)
    }

    /// The ledger; `None` when there is none.
    pub fn ledger(&self) -> Result<Option<Ledger>> {
        let path = self.ledger_path();
        self.project.read_at_most(&path, LARGEST)?.map(|bytes| Ledger::parse(&bytes, &path)).transpose()
    }

    /// The ledger's lines on delivered files; `None` when there is no ledger.
    pub fn delivered(&self) -> Result<Option<BTreeMap<String, DeliveredFile>>> {
        let path = self.ledger_path();
        self.project.read_at_most(&path, LARGEST)?.map(|bytes| Ledger::delivered(&bytes, &path)).transpose()
    }

    /// The ledger's first line; `None` where there is none that can be read.
    pub fn header(&self) -> Result<Option<Header>> {
        let mut limit = 16 * 1024;
        loop {
            let Some(start) = self.project.read_start(&self.ledger_path(), limit)? else { return Ok(None) };
            // It names every recipient, and so has no length that it cannot exceed.
            match Ledger::header(&start) {
                None if start.len() == limit => limit *= 8,
                header => return Ok(header),
            }
        }
    }

    /// Refuses with `ledger-damaged` a ledger that is there and is not whole.
    pub fn expect_ledger(&self) -> Result<()> {
        let path = self.ledger_path();
        let file = self.project.open_file(&path)?.map(|(file, _)| file);
        file.map_or(Ok(()), |file| Ledger::expect_whole(BufReader::with_capacity(PIECE, file), &path))
    }

    /// Replaces the ledger unless it is the same already.
    pub fn save_ledger(&self, ledger: &Ledger) -> Result<()> {
        self.project.write(&self.ledger_path(), &ledger.to_bytes()?, &WriteOptions::default())?;
        Ok(())
    }

    fn missing(&self) -> Error {
        only_copy_left(self.environment, &self.copy.place())
    }

    fn went_back(&self) -> Error {
        let path = self.store_path();
        Error::new(
            Kind::Store,
            "store-went-back",
            format!("`{path}` is older than its second copy: an old file came back"),
        )
        .hint("take the newer one with `vault-kit store recover`")
        .hint("or keep the old one on purpose with `vault-kit store recover --accept-older`")
    }

    fn foreign(&self, store: &Store) -> Error {
        let message = format!("`{}` is the store of environment `{}`", self.store_path(), store.environment);
        Error::new(Kind::Store, "store-foreign", message)
            .hint("put the right file back, or name the environment with `-e`")
    }
}

/// The error where a store is gone and its second copy at `place` is there.
pub fn only_copy_left(environment: &EnvName, place: &str) -> Error {
    let copy = shell::path(place);
    let message = format!("`{DIRECTORY}/{environment}.age` is gone, but its second copy is there");
    Error::new(Kind::Store, "store-missing", message)
        .hint("bring it back with `vault-kit store recover`")
        .hint(format!("to begin anew without its values, move the copy aside: `mv {copy} {copy}.old`"))
}

/// The error where nobody who is at work could open the store at `path` again.
pub fn would_lock_out(path: &str) -> Error {
    Error::new(Kind::Store, "would-lock-out", format!("refusing to seal `{path}`: you could not open it again"))
        .hint("add your own recipient to the manifest; `vault-kit recipients list` shows it")
}
