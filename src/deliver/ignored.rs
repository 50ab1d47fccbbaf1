//! What git and Docker must leave alone: told to them before the first plaintext is written.

use crate::error::Result;
use crate::ignore_lines;
use crate::manifest::{Format, Manifest, Output};
use crate::private_file::{Root, WriteOptions};
use crate::store::DIRECTORY;

/// The files that keep secrets out of git and out of images.
const IGNORE_FILES: [&str; 2] = [".gitignore", ".dockerignore"];

/// One of them, and what it should hold.
pub type IgnoreFile = (&'static str, Vec<u8>);

/// The mode of one that was not there.
const MODE: u32 = 0o644;

/// Adds the ignore lines, so that no plaintext is ever written before git and Docker are told to leave it alone.
///
/// Returns the files that lacked one.
pub fn add(root: &Root, manifest: &Manifest) -> Result<Vec<&'static str>> {
    let lacking = lacking(Some(root), manifest)?;
    for (file, bytes) in &lacking {
        let mode = root.facts(file)?.map_or(MODE, |facts| facts.mode & 0o777);
        root.write(file, bytes, &WriteOptions { mode, ..WriteOptions::PUBLIC })?;
    }
    Ok(names(&lacking))
}

/// The ignore files that lack a line of ours, in a directory that may be yet to come.
pub fn lacking(root: Option<&Root>, manifest: &Manifest) -> Result<Vec<IgnoreFile>> {
    let lines = ignored(manifest);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut lacking = Vec::new();
    for file in IGNORE_FILES {
        let existing = root.map_or(Ok(None), |root| root.read(file))?;
        lacking.extend(ignore_lines::with_lines(existing.as_deref(), &lines).map(|bytes| (file, bytes)));
    }
    Ok(lacking)
}

/// Which files they are.
pub fn names(lacking: &[IgnoreFile]) -> Vec<&'static str> {
    lacking.iter().map(|(file, _)| *file).collect()
}

/// Everything of ours that must stay out of git: state, temp files, and every output of every environment that
/// is not meant to be committed.
fn ignored(manifest: &Manifest) -> Vec<String> {
    let mut lines = vec![format!("{DIRECTORY}/"), "**/.vault-kit-tmp.*".to_owned()];
    let ours = |output: &&Output| !output.path.starts_with('/') && !output.format.is_committed();
    for output in manifest.outputs.values().filter(ours) {
        let path = ignore_lines::line_of(output.path.trim_start_matches("./").trim_end_matches('/'));
        let line = match output.format {
            Format::DockerSecrets { .. } | Format::NotYet(_) | Format::Pem { .. } => format!("/{path}/"),
            _ => format!("/{path}"),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
