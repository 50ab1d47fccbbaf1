//! Values → files: what each output of an environment holds, whether it may be written, and writing it.

mod aside;
mod directories;
pub mod document;
mod dropped;
mod edited;
pub mod expected;
mod foreign;
pub mod ignored;
pub mod left;
mod lists;
mod overlap;
mod places;
pub mod portable;
mod recognised;
mod record;
mod rehearse;
mod report;
mod switched;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::{self, EmittedFile, Values};
use crate::error::{Error, Result};
use crate::gather::Gather;
use crate::manifest::{Format, Output};
use crate::name::{OutputName, SecretName, VersionId};
use crate::private_file::{Batch, WriteOptions};
use crate::secret::Secret;
use crate::store::Store;
use crate::store::ledger::DeliveredFile;
use crate::world::{self, World};
use directories::Directories;
pub use lists::prepare_lists;
use overlap::Overlapping;
use places::Places;
pub use rehearse::Changing;
pub use report::{Delivered, FileReport, Outcome};
use values::Bundles;

/// The mode of files that hold nothing secret: certificates, public keys.
pub const PUBLIC_MODE: u32 = 0o644;

/// Outputs that are ready to be written.
#[derive(Debug)]
pub struct Prepared<'a> {
    places: Places<'a>,
    directories: Directories,
    files: Vec<PreparedFile<'a>>,
    /// Outputs that cannot be written yet, and what they wait for; of those of one file, which are not written at all, `held_back`.
    pub waiting: BTreeMap<OutputName, BTreeSet<SecretName>>,
    held_back: Vec<&'a Output>,
    /// Outputs that are left as they are, of a world that goes on, and what stands against them.
    aside: BTreeSet<OutputName>,
    refused: Vec<Error>,
    /// The ignore files that got lines for them.
    ignored: Vec<&'static str>,
    /// What only some readers get right.
    pub warnings: Vec<String>,
    /// The current version of everything, to tell which waiting files hold an older one.
    current: BTreeMap<SecretName, VersionId>,
}

#[derive(Debug)]
struct PreparedFile<'a> {
    output: &'a Output,
    file: EmittedFile,
    /// What a shared file held when our block was merged into it.
    merged_from: Option<Secret>,
    options: WriteOptions,
    holds: BTreeMap<SecretName, VersionId>,
}

/// Emits every output of the world's environment in memory.
///
/// All outputs' refusals are reported at once. An output of one file that lacks a value waits; of an output of many
/// files those that are complete are delivered.
pub fn prepare<'a>(world: &'a World<'_>, store: &Store) -> Result<Prepared<'a>> {
    prepare_those(world, store, |_| true)
}

fn prepare_those<'a>(world: &'a World<'_>, store: &Store, is_meant: impl Fn(&Output) -> bool) -> Result<Prepared<'a>> {
    let settings = world::settings(world.environment, world.manifest.secrets_in(world.environment));
    let bundles = Bundles::of(world, store);
    let places = Places::new(world)?;
    let mut prepared = Prepared {
        places,
        directories: Directories::new(world.manifest, world.environment),
        files: Vec::new(),
        waiting: BTreeMap::new(),
        held_back: Vec::new(),
        aside: BTreeSet::new(),
        refused: Vec::new(),
        ignored: Vec::new(),
        warnings: Vec::new(),
        current: current(store),
    };
    let mut refused = Vec::new();
    for output in world.manifest.outputs_in(world.environment).filter(|it| is_meant(it)) {
        let overlapping = overlap::with_previous(world, store, output);
        let (mut values, missing) = values::of_output(world, store, &settings, &bundles, output);
        values.extend(overlapping.values());
        let whole = matches!(output.format, Format::Dotenv { .. } | Format::Json | Format::KubernetesSecret(_))
            || output.format.is_document();
        if !missing.is_empty() && !output.format.is_from_manifest() {
            prepared.waiting.insert(output.name.clone(), missing);
            if whole {
                prepared.held_back.push(output);
                refused.extend(prepared.refuse_made_anew(world, output, &values).err().map(|error| (output, error)));
                continue;
            }
        }
        if let Err(error) = prepared.add(world, store, (output, &overlapping), &values) {
            refused.push((output, error));
        }
    }
    prepared.set_aside(world, refused)?;
    Ok(prepared)
}

fn current(store: &Store) -> BTreeMap<SecretName, VersionId> {
    store.secrets.keys().filter_map(|name| Some((name.clone(), store.current(name)?.id))).collect()
}

impl<'a> Prepared<'a> {
    fn add(
        &mut self,
        world: &World<'_>,
        store: &Store,
        (output, overlapping): (&'a Output, &Overlapping<'_>),
        values: &Values<'_>,
    ) -> Result<()> {
        let carried = &*overlapping.output;
        let existing = |path: &str| self.places.read(path);
        if world.consent.adopt && !world.consent.overwrite && matches!(output.format, Format::Dotenv { .. }) {
            foreign::refuse_replaced_values(world.manifest, carried, values, existing(&output.path)?.as_ref())?;
        }
        let mut emission = emit::emit(carried, values, &existing, world.consent.adopt)?;
        emission.files.extend(document::file(world, store, output)?);
        self.warnings
            .extend(emission.warnings.iter().map(|it| format!("`{}` in `{}`: {}", it.secret, output.name, it.message)));
        for file in emission.files {
            let merged_from = if file.shared { existing(&file.path)? } else { None };
            let version = |name| overlapping.version(name).or_else(|| store.current(name).map(|version| version.id));
            let holds = file.holds.iter().filter_map(|name| Some((name.clone(), version(name)?))).gather();
            let options = WriteOptions {
                directory_mode: self.directories.mode_above(&file.path),
                ..options(output, file.public)
            };
            self.files.push(PreparedFile { output, file, merged_from, options, holds });
        }
        Ok(())
    }

    /// A file that waits for a value is left as it is. What it has already is not to be made anew unseen all the same: the store's
    /// value would take its place one day.
    fn refuse_made_anew(&self, world: &World<'_>, output: &Output, values: &Values<'_>) -> Result<()> {
        if world.consent.overwrite || !matches!(output.format, Format::Dotenv { .. }) {
            return Ok(());
        }
        foreign::refuse_replaced_values(world.manifest, output, values, self.places.read(&output.path)?.as_ref())
    }

    /// The ledger's lines of files as they are before the first one is written: a file that a killed writer leaves
    /// behind is known to be ours.
    pub fn announced(&self, old: &BTreeMap<String, DeliveredFile>) -> BTreeMap<String, DeliveredFile> {
        let mut records = old.clone();
        for it in self.files.iter().filter(|it| !old.contains_key(&it.file.path)) {
            let record = it.record_of(0, 0, 0);
            records.insert(record.file.clone(), record);
        }
        records
    }

    /// Has git and Docker leave alone what is about to be written.
    pub fn ignore(&mut self, world: &World<'_>) -> Result<()> {
        self.ignored = ignored::add(world.project, world.manifest)?;
        Ok(())
    }

    /// As [`Prepared::try_out`], for those who write later.
    pub fn preflight(&self) -> Result<()> {
        Error::all(self.files.iter().filter_map(|it| it.preflight(&self.places).err())).map_or(Ok(()), Err)
    }

    /// As [`Prepared::preflight`], before the values of these secrets change.
    pub fn preflight_change(&self, names: &BTreeSet<SecretName>) -> Result<()> {
        self.refuse_change(names).and_then(|()| self.preflight())
    }

    /// What [`Prepared::preflight_change`] refuses and needs no trial write to be found.
    pub fn refuse_change(&self, names: &BTreeSet<SecretName>) -> Result<()> {
        foreign::refuse_change(self, names)
    }

    /// What each file should hold, by path.
    pub fn into_contents(self) -> BTreeMap<String, Secret> {
        self.files.into_iter().map(|it| (it.file.path, it.file.bytes)).gather()
    }

    /// Writes what differs; directories are synced once, after all of it.
    pub fn write(self, world: &World<'_>, old: &BTreeMap<String, DeliveredFile>) -> Result<Delivered> {
        let mut delivered = Delivered { records: self.still_there(old), ..Delivered::default() };
        let mut batch = Batch::new();
        self.directories.make(self.files.iter().map(|it| it.file.path.as_str()), &self.places, &mut batch)?;
        for it in self.files.iter().filter(|it| !it.output.atomic) {
            it.refuse_changed(&self.places)?;
            let (root, path) = self.places.of(&it.file.path)?;
            let written = batch.write(root, path, it.file.bytes.expose(), &it.options)?;
            delivered.files.push(it.report(written.into()));
        }
        batch.finish()?;
        delivered.files.extend(switched::write(&self.files, &self.places)?);
        switched::end(&self.files, &self.places, old)?;
        for path in self.ended(world, old) {
            let (root, relative) = self.places.of(&path)?;
            root.remove(relative)?;
            delivered.records.remove(&path);
            delivered.files.push(FileReport::removed(path));
        }
        for it in &self.files {
            let record = it.record(&self.places)?;
            delivered.records.insert(record.file.clone(), record);
        }
        delivered.outdated = self.outdated(&delivered.records);
        delivered.waiting = self.waiting;
        delivered.warnings = self.warnings;
        delivered.ignored = self.ignored;
        delivered.refused = self.refused.into_iter().map(Error::after_the_change).collect();
        Ok(delivered)
    }

    /// The files of waiting outputs that hold a version which is no longer the current one.
    fn outdated(&self, records: &BTreeMap<String, DeliveredFile>) -> BTreeSet<String> {
        let waits = |record: &&DeliveredFile| self.waiting.contains_key(&record.output);
        let is_old = |record: &&DeliveredFile| {
            record.holds.iter().any(|(name, held)| self.current.get(name).is_some_and(|current| current != held))
        };
        records.values().filter(waits).filter(is_old).map(|record| record.file.clone()).collect()
    }

    /// The records of files that are not written now but still there: those of outputs that wait, and those that no
    /// output has any more, which `check` must not forget.
    fn still_there(&self, old: &BTreeMap<String, DeliveredFile>) -> BTreeMap<String, DeliveredFile> {
        let is_gone = |path: &str| -> Result<bool> {
            let (root, path) = self.places.of(path)?;
            Ok(root.facts(path)?.is_none() && root.remains(path)?.is_empty())
        };
        let mut records = BTreeMap::new();
        for (path, record) in old {
            // A path that takes trust we do not have cannot be looked at, and is kept for when we have it.
            if !is_gone(path).unwrap_or(false) {
                records.insert(path.clone(), record.clone());
            }
        }
        records
    }
}

/// The mode of a file: who declares one for certificates means their keys.
fn mode(output: &Output, public: bool) -> u32 {
    if public && !output.format.is_document() { PUBLIC_MODE } else { output.mode }
}

/// How a file of an output is written.
pub fn options(output: &Output, public: bool) -> WriteOptions {
    WriteOptions {
        mode: mode(output, public),
        directory_mode: output.directory_needs(),
        uid: output.uid,
        gid: output.gid,
        in_place: output.in_place,
        create_new: false,
    }
}
