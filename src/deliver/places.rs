//! Where outputs go: beneath the project, or anywhere once the user trusts the manifest's absolute paths.
//!
//! Two directories are held open however many files there are.

use crate::error::Result;
use crate::private_file::Root;
use crate::secret::Secret;
use crate::trust;
use crate::world::World;

/// The project's directory, and the root directory if an output needs it.
#[derive(Debug)]
pub struct Places<'a> {
    project: &'a Root,
    system: Option<Root>,
}

impl<'a> Places<'a> {
    /// The places of a world's outputs.
    pub fn new(world: &World<'a>) -> Result<Self> {
        let absolute = world.manifest.outputs_in(world.environment).find(|output| output.path.starts_with('/'));
        let system = absolute.map(|output| trust::for_output(world.project, &output.path, world.consent.trusted));
        Ok(Self { project: world.project, system: system.transpose()?.map(|(root, _)| root) })
    }

    /// The directory that a path of the manifest is resolved beneath, and the path from there.
    pub fn of<'p>(&'p self, path: &'p str) -> Result<(&'p Root, &'p str)> {
        match path.strip_prefix('/') {
            None => Ok((self.project, path)),
            Some(relative) => self.system.as_ref().map(|root| (root, relative)).ok_or_else(|| trust::untrusted(path)),
        }
    }

    /// What stands at such a path now; `None` = nothing.
    pub fn read(&self, path: &str) -> Result<Option<Secret>> {
        let (root, path) = self.of(path)?;
        Ok(root.read(path)?.map(Secret::new))
    }
}
