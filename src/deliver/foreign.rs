//! What is not ours is not replaced: another environment's files, files that somebody else wrote, and values that
//! stand in a file but not in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::places::Places;
use super::{Prepared, PreparedFile, dropped, edited};
use crate::check::placeholder::is_placeholder;
use crate::emit::dotenv_read::Entry;
use crate::emit::{self, Values, dotenv_block, dotenv_refused};
use crate::error::{Error, Kind, Result};
use crate::ignore_lines;
use crate::manifest::{Format, Manifest, Output};
use crate::name::{EnvName, SecretName};
use crate::private_file::Facts;
use crate::scan::fingerprints::Document as Fingerprints;
use crate::secret::Secret;
use crate::shell;
use crate::store::Store;
use crate::store::ledger::{DeliveredFile, Ledger};
use crate::world::World;

impl Prepared<'_> {
    /// Refuses to replace what is not ours: another environment's files, and files that somebody else wrote, all at once. What is taken out
    /// of a file all the same is named in the warnings.
    pub fn refuse_foreign(
        &mut self,
        world: &World<'_>,
        store: &Store,
        old: &BTreeMap<String, DeliveredFile>,
    ) -> Result<()> {
        let others = world.other_ledgers()?;
        self.ask_each(world, |it, places| {
            refuse_list(it, world, places)?;
            if world.consent.overwrite { Ok(()) } else { refuse_file(it, (world, store), places, &others, old) }
        })?;
        let dropped = dropped::words(self, world, store, old, &others)?;
        self.warnings.extend(dropped);
        Ok(())
    }
}

/// Refuses to replace another environment's list of fingerprints, whatever is agreed to: clones know its values by that alone, and
/// the store that could write it anew may be elsewhere.
fn refuse_list(it: &PreparedFile<'_>, world: &World<'_>, places: &Places<'_>) -> Result<()> {
    if it.output.format != Format::Fingerprints {
        return Ok(());
    }
    let path = &it.file.path;
    let Some((present, ours)) = places.read(path)?.and_then(|present| lists(it, &present)) else { return Ok(()) };
    let other = &present.environment;
    let is_kept = other != world.environment && world.manifest.environments.contains_key(other);
    if present.project != ours.project || !is_kept {
        return Ok(());
    }
    let message = format!("`{path}` has the fingerprints of environment `{other}`, by which clones know its values");
    let hint = format!(
        "give each environment a list of its own: an output with `environments = [\"{}\"]` and another `path`",
        world.environment
    );
    Err(Error::new(Kind::Conflict, "other-environment", message).hint(hint))
}

fn refuse_file(
    it: &PreparedFile<'_>,
    (world, store): (&World<'_>, &Store),
    places: &Places<'_>,
    others: &[(&EnvName, Ledger)],
    old: &BTreeMap<String, DeliveredFile>,
) -> Result<()> {
    let path = &it.file.path;
    let (root, relative) = places.of(path)?;
    let Some(facts) = root.facts(relative)? else { return Ok(()) };
    // A production host must not get development's values because somebody forgot `-e`.
    let other = others.iter().find(|(_, ledger)| ledger.files.get(path).is_some_and(|it| is_as_written(&facts, it)));
    if let Some((other, _)) = other {
        return Err(of_other_environment(path, other, world.environment));
    }
    if old.contains_key(path) {
        return Ok(());
    }
    match places.read(&it.file.path)?.filter(|present| !says_the_same(it, present)) {
        Some(present) if it.file.shared && !has_block(&present) => Ok(()),
        Some(present) if is_taken_over(it, &present) => Ok(()),
        // What it has was taken into the store meanwhile.
        Some(present) if it.file.shared && !edited::loses(it, &present, world.manifest, store) => Ok(()),
        Some(_) => Err(foreign_file(it.output, path, root.path())),
        None => Ok(()),
    }
}

/// Whether nobody touched a file since it was written.
pub(super) fn is_as_written(facts: &Facts, record: &DeliveredFile) -> bool {
    facts.inode == record.inode && facts.mtime_ns == record.mtime
}

/// An editor's final line break makes no other value.
pub(super) fn says_the_same(it: &PreparedFile<'_>, present: &Secret) -> bool {
    let (ours, present) = (it.file.bytes.expose(), present.expose());
    ours == present || present.strip_suffix(b"\n") == Some(ours)
}

/// Whether what stands in it is in the new file too: a list of fingerprints keeps what the stores of others put on it.
fn is_taken_over(it: &PreparedFile<'_>, present: &Secret) -> bool {
    it.output.format == Format::Fingerprints
        && lists(it, present).is_some_and(|(old, new)| old.is_of(&new.project, &new.environment))
}

/// The list that stands there, and the one that is to take its place.
fn lists(it: &PreparedFile<'_>, present: &Secret) -> Option<(Fingerprints, Fingerprints)> {
    let list = |bytes: &Secret| Fingerprints::parse(bytes.expose(), &it.file.path).ok();
    list(present).zip(list(&it.file.bytes))
}

/// A block that this store never wrote came with the file, from a host whose store is not here.
pub(super) fn has_block(present: &Secret) -> bool {
    present.expose().split(|&byte| byte == b'\n').any(|line| line.trim_ascii_end() == dotenv_block::BEGIN.as_bytes())
}

/// Refuses what would be met when the values of some secrets change.
pub(super) fn refuse_change(prepared: &Prepared<'_>, names: &BTreeSet<SecretName>) -> Result<()> {
    refuse_held_back(prepared, names).and_then(|()| refuse_blockless(prepared, names))
}

/// A file that waits for the value of another secret would go on delivering what an owner then refuses.
fn refuse_held_back(prepared: &Prepared<'_>, names: &BTreeSet<SecretName>) -> Result<()> {
    let is_touched = |output: &&&Output| output.secrets.iter().any(|name| names.contains(name));
    for output in prepared.held_back.iter().filter(is_touched) {
        if prepared.places.read(&output.path)?.is_some() {
            let missing: Vec<_> = prepared.waiting[&output.name].iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "`{}` delivers what is to change, and cannot be written before {} has a value",
                output.path,
                missing.join(" and ")
            );
            return Err(Error::new(Kind::Findings, "missing", message).hint("`vault-kit render` says how to supply it"));
        }
    }
    Ok(())
}

/// A file without a block stays as it is only as long as it says what the store says.
fn refuse_blockless(prepared: &Prepared<'_>, names: &BTreeSet<SecretName>) -> Result<()> {
    let refusal = |it: &PreparedFile<'_>| {
        let Format::Dotenv { dialect } = it.output.format else { return None };
        let changing: BTreeSet<&SecretName> = it.file.holds.iter().filter(|name| names.contains(*name)).collect();
        dotenv_block::expect_block(&it.file.path, dialect, &it.file.bytes, &changing).err()
    };
    Error::all(prepared.files.iter().filter_map(refusal)).map_or(Ok(()), Err)
}

/// A line that somebody else wrote may be moved into our block; its value must not be lost on the way.
pub(super) fn refuse_replaced_values(
    manifest: &Manifest,
    output: &Output,
    values: &Values<'_>,
    existing: Option<&Secret>,
) -> Result<()> {
    let Some(existing) = existing else { return Ok(()) };
    let mut lines = emit::foreign_assignments(output, values, existing)?;
    lines.retain(|line| line.expands || !is_placeholder(line.value.expose()));
    if lines.is_empty() {
        return Ok(());
    }
    let path = &output.path;
    let declared = lines.iter().filter_map(|line| manifest.secret(line.name.as_str())?.before_import());
    let error = declared.fold(dotenv_refused::value_differs(path, &lines), |error, first| {
        error.hint(format!("to keep the value in the file, first {first}"))
    });
    let lines: Vec<&Entry> = lines.iter().collect();
    let error = match output.format {
        Format::Dotenv { dialect } => dotenv_refused::with_doubled(error, dialect, existing.expose(), &lines),
        _ => error,
    };
    Err(dotenv_refused::with_ways_out(error, path, &lines, "render --adopt"))
}

fn of_other_environment(path: &str, other: &EnvName, ours: &EnvName) -> Error {
    Error::new(Kind::Conflict, "other-environment", format!("`{path}` was last rendered for environment `{other}`"))
        .hint(format!("name that one with `-e {other}`, or replace its files with `vault-kit -e {ours} init --yes`"))
}

/// `root` is the directory that the path is beneath, from where the command runs.
fn foreign_file(output: &Output, path: &str, root: &Path) -> Error {
    let message = format!("`{path}` is there already, and vault-kit did not write it");
    let error = Error::new(Kind::Conflict, "foreign-file", message);
    let error = match output.format {
        Format::DockerSecrets { .. } | Format::Dotenv { .. } => error.hint(format!(
            "to keep what is in it, take it into the store: `vault-kit import --replace {}`",
            shell::path(path)
        )),
        _ => error,
    };
    let place = |path: &str| {
        let place = root.join(path.trim_start_matches('/'));
        shell::path(&place.strip_prefix(".").unwrap_or(&place).to_string_lossy())
    };
    let aside = format!("mv {} {}", place(path), place(&ignore_lines::aside(path)));
    error
        .hint(format!("to keep it as a file, move it aside: `{aside}`"))
        .hint("to replace it, add `--yes` to `init` or `render`")
}
