//! What is told of one file that was written: to who asked for it, and to the ledger.

use super::places::Places;
use super::{FileReport, Outcome, PreparedFile};
use crate::error::{Error, Kind, Result};
use crate::secret::digest::sha256_hex;
use crate::store::ledger::DeliveredFile;

impl PreparedFile<'_> {
    pub(super) fn report(&self, outcome: Outcome) -> FileReport {
        FileReport { path: self.file.path.clone(), mode: format!("{:04o}", self.options.mode), outcome }
    }

    /// Refuses when somebody wrote into a shared file since our block was merged into it: their lines would be lost.
    pub(super) fn refuse_changed(&self, places: &Places<'_>) -> Result<()> {
        if !self.file.shared || places.read(&self.file.path)? == self.merged_from {
            return Ok(());
        }
        let message = format!("`{}` was changed by somebody else meanwhile", self.file.path);
        Err(Error::new(Kind::Conflict, "changed-meanwhile", message).hint("run the command again"))
    }

    pub(super) fn record(&self, places: &Places<'_>) -> Result<DeliveredFile> {
        let (root, path) = places.of(&self.file.path)?;
        let facts = root.facts(path)?;
        let facts = facts.ok_or_else(|| vanished(&self.file.path))?;
        Ok(self.record_of(facts.size, facts.mtime_ns, facts.inode))
    }

    pub(super) fn record_of(&self, size: u64, mtime: i128, inode: u64) -> DeliveredFile {
        let (file, output, holds) = (self.file.path.clone(), self.output.name.clone(), self.holds.clone());
        let digest = self.file.digested.then(|| sha256_hex(self.file.bytes.expose()));
        DeliveredFile { file, output, form: Some(self.output.form().into_owned()), holds, digest, size, mtime, inode }
    }
}

fn vanished(path: &str) -> Error {
    Error::new(Kind::Conflict, "vanished", format!("`{path}` was removed right after it was written"))
}
