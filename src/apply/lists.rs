//! The committed lists of fingerprints, for those who change what is on them and deliver nothing.

use crate::deliver::{self, FileReport, Outcome};
use crate::error::Result;
use crate::store::files::Opened;
use crate::world::World;

impl World<'_> {
    /// Brings the lists up to what the store says, and no other output: clones are to know each value that programs were given,
    /// also where nothing came into force. What stands against one is left to those who deliver them all.
    pub(crate) fn settle_lists(&self, opened: &Opened) -> Result<Vec<FileReport>> {
        let Some(mut files) = self.files.delivered()? else { return Ok(Vec::new()) };
        let mut lists = deliver::prepare_lists(self, &opened.store)?;
        lists.keep_delivered(&files);
        if lists.refuse_foreign(self, &opened.store, &files).is_err() {
            return Ok(Vec::new());
        }
        let written = lists.write_over(&mut files)?;
        if written.iter().any(|it| it.outcome != Outcome::Unchanged) {
            self.keep_up(opened, files, self.is_behind()?)?;
        }
        Ok(written)
    }
}
