//! The committed lists of fingerprints, for those who change what is on them and deliver nothing.

use std::collections::BTreeMap;

use crate::deliver::{self, FileReport, Outcome, Prepared};
use crate::error::Result;
use crate::store::Store;
use crate::store::files::Opened;
use crate::store::ledger::DeliveredFile;
use crate::world::World;

impl World<'_> {
    /// Brings the lists up to what the store says, and no other output: clones are to know each value that programs were given,
    /// also where nothing came into force. What stands against one is left to those who deliver them all.
    pub(crate) fn settle_lists(&self, opened: &Opened) -> Result<Vec<FileReport>> {
        let Some((lists, mut files)) = self.lists(&opened.store)? else { return Ok(Vec::new()) };
        let written = lists.write_over(&mut files)?;
        if written.iter().any(|it| it.outcome != Outcome::Unchanged) {
            self.keep_up(opened, files, self.is_behind()?)?;
        }
        Ok(written)
    }

    /// What [`World::settle_lists`] would do, were the store like that.
    pub(crate) fn foresee_lists(&self, store: &Store) -> Result<Vec<FileReport>> {
        let Some((lists, _)) = self.lists(store)? else { return Ok(Vec::new()) };
        lists.rehearsed(self, &BTreeMap::new()).map(|it| it.files)
    }

    fn lists(&self, store: &Store) -> Result<Option<(Prepared<'_>, BTreeMap<String, DeliveredFile>)>> {
        let Some(files) = self.files.delivered()? else { return Ok(None) };
        let mut lists = deliver::prepare_lists(self, store)?;
        lists.keep_delivered(&files);
        Ok(lists.refuse_foreign(self, store, &files).is_ok().then_some((lists, files)))
    }
}
