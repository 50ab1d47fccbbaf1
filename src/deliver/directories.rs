//! The modes of directories that outputs share: the same whichever output is written first.

use std::collections::{BTreeMap, BTreeSet};

use super::expected;
use super::places::Places;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::name::EnvName;
use crate::private_file::Batch;

/// The mode of every directory that outputs of an environment are written in, and of those above it.
///
/// What an output declares holds for the directories that its files are in. Every other one is as open as what is written in
/// it and beneath it needs.
#[derive(Debug)]
pub(super) struct Directories {
    modes: BTreeMap<String, u32>,
}

impl Directories {
    pub(super) fn new(manifest: &Manifest, environment: &EnvName) -> Self {
        let (mut needed, mut declared) = (BTreeMap::<String, u32>::new(), BTreeMap::<String, u32>::new());
        for output in manifest.outputs_in(environment) {
            for directory in expected::of_output(manifest, output) {
                for above in with_those_above(&directory) {
                    *needed.entry(above.to_owned()).or_default() |= output.directory_needs();
                }
                if let Some(mode) = output.directory_mode {
                    *declared.entry(directory).or_default() |= mode;
                }
            }
        }
        needed.extend(declared);
        Self { modes: needed }
    }

    /// The mode of the directory that a file is in.
    pub(super) fn mode_above(&self, path: &str) -> u32 {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        self.modes.get(directory).copied().unwrap_or(0o700)
    }

    /// Makes the directories that files need, from above: each has its own mode.
    pub(super) fn make<'p>(
        &self,
        paths: impl Iterator<Item = &'p str>,
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let parents = paths.filter_map(|path| path.rsplit_once('/')).map(|(directory, _)| directory);
        let directories: BTreeSet<&str> = parents.flat_map(with_those_above).collect();
        for directory in directories {
            let (root, relative) = places.of(directory)?;
            batch.make_directory(root, relative, self.modes.get(directory).copied().unwrap_or(0o700))?;
        }
        Ok(())
    }
}

/// A directory and those above it, without the one that its path begins at.
fn with_those_above(path: &str) -> impl Iterator<Item = &str> {
    let above = path.match_indices('/').map(|(end, _)| &path[..end]);
    above.chain([path]).filter(|directory| !directory.is_empty())
}
