//! What was there before ours, kept beside it: hooks of others, and what somebody wrote into ours.

use chrono::TimeDelta;

use super::super::context::Context;
use super::{Place, executable};
use crate::error::{Error, Kind, Result};
use crate::git_hooks::{BEFORE, Event};
use crate::private_file::Root;
use crate::secret::digest::sha256_hex;

/// Nobody writes a hook for longer.
const STILL_AT_WORK: TimeDelta = TimeDelta::minutes(1);

/// Puts a hook of somebody else aside; tells in words that it did.
pub(super) fn keep(root: &Root, event: Event, place: &Place, dry_run: bool) -> Result<String> {
    let aside = format!("{}{BEFORE}", event.file());
    let bytes = root.read(event.file())?.unwrap_or_default();
    // Whoever was killed behind this step left both.
    if root.read(&aside)?.is_some_and(|kept| kept != bytes) {
        let message = format!("`{}` is not ours, and neither is `{}{BEFORE}`", place.file(event), place.file(event));
        let (file, hint) = (place.file(event), "look into both, and leave one of them");
        return Err(Error::new(Kind::Conflict, "hooks-in-the-way", message).hint(format!("{hint}: `{file}`")));
    }
    let mode = root.facts(event.file())?.map_or(0o755, |facts| facts.mode & 0o777);
    if !dry_run {
        root.write(&aside, &bytes, &executable(mode))?;
    }
    let runs = if place.is_husky || mode & 0o111 != 0 { "runs first" } else { "stays disabled" };
    Ok(format!("; the hook that was there is kept as {aside}, and {runs}"))
}

/// Keeps what stands in one of ours that is none of ours, or of another version; tells in words that it did.
pub(super) fn keep_edited(root: &Root, event: Event, file: &str, text: &str, dry_run: bool) -> Result<String> {
    if event.is_as_written(text) {
        return Ok(String::new());
    }
    let aside = format!("{file}.replaced-{:.8}", sha256_hex(text.as_bytes()));
    if !dry_run {
        root.write(&aside, text.as_bytes(), &executable(0o644))?;
    }
    Ok(format!("; what was there, which is not what this version writes, is kept as {aside}"))
}

/// Takes away what killed writers left.
pub(super) fn sweep(root: &Root, context: &Context) -> Result<()> {
    let before = (context.now - STILL_AT_WORK).timestamp_nanos_opt().map_or(i128::MIN, i128::from);
    root.sweep_older("", before).map(drop)
}
