//! Some of the outputs: the lists of fingerprints, which are brought up to date without the others.

use std::collections::BTreeMap;

use super::{FileReport, Prepared, prepare_those};
use crate::error::Result;
use crate::manifest::Format;
use crate::private_file::Batch;
use crate::store::Store;
use crate::store::ledger::DeliveredFile;
use crate::world::World;

/// As [`super::prepare`], for these alone.
pub fn prepare_lists<'a>(world: &'a World<'_>, store: &Store) -> Result<Prepared<'a>> {
    prepare_those(world, store, |output| output.format == Format::Fingerprints)
}

impl Prepared<'_> {
    /// Leaves out what was never delivered.
    pub fn keep_delivered(&mut self, files: &BTreeMap<String, DeliveredFile>) {
        self.files.retain(|it| files.contains_key(&it.file.path));
    }

    /// Writes what differs, and the files' lines of the ledger; all other files stay as they are.
    pub fn write_over(self, files: &mut BTreeMap<String, DeliveredFile>) -> Result<Vec<FileReport>> {
        let (mut reports, mut batch) = (Vec::new(), Batch::new());
        for it in &self.files {
            let (root, path) = self.places.of(&it.file.path)?;
            let written = batch.write(root, path, it.file.bytes.expose(), &it.options)?;
            reports.push(it.report(written.into()));
        }
        batch.finish()?;
        for it in &self.files {
            let record = it.record(&self.places)?;
            files.insert(record.file.clone(), record);
        }
        Ok(reports)
    }
}
