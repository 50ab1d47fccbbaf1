//! Outputs that are left aside: where a change cannot wait, what stands against a file keeps that output alone from being written.

use super::places::Places;
use super::{Prepared, PreparedFile};
use crate::error::{Error, Kind, Result};
use crate::manifest::Output;
use crate::world::World;

impl<'a> Prepared<'a> {
    /// Finds every refusal by the system before the first file is written.
    pub fn try_out(&mut self, world: &World<'_>) -> Result<()> {
        self.ask_each(world, PreparedFile::preflight)
    }

    /// As [`Prepared::try_out`], without a trial write.
    pub fn foresee(&mut self, world: &World<'_>) -> Result<()> {
        self.ask_each(world, PreparedFile::foresee)
    }

    /// Asks of each file whether it may be written: what stands against some is the error, or sets their outputs aside.
    pub(super) fn ask_each(
        &mut self,
        world: &World<'_>,
        ask: impl Fn(&PreparedFile<'a>, &Places<'a>) -> Result<()>,
    ) -> Result<()> {
        let refusal = |it: &PreparedFile<'a>| Some((it.output, ask(it, &self.places).err()?));
        let refused = self.files.iter().filter_map(refusal).collect();
        self.set_aside(world, refused)
    }

    /// Leaves these outputs as they are, all of their files, if the world goes on past what stands against one.
    pub(super) fn set_aside(&mut self, world: &World<'_>, refused: Vec<(&'a Output, Error)>) -> Result<()> {
        let is_bug = refused.iter().any(|(_, error)| error.kind() == Kind::Bug);
        if is_bug || !world.goes_on {
            return Error::all(refused.into_iter().map(|(_, error)| error)).map_or(Ok(()), Err);
        }
        for (output, error) in refused {
            self.aside.insert(output.name.clone());
            self.refused.push(error);
        }
        self.files.retain(|it| !self.aside.contains(&it.output.name));
        Ok(())
    }

    /// Whether everything is written that should be.
    pub fn is_whole(&self) -> bool {
        self.aside.is_empty()
    }
}
