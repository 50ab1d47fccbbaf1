//! Whether a scheduled run has anything to do, told by the ledger's first line: no identity, no lock, no store is opened, and
//! the manifest is not parsed. Whatever is not as it should be is left to the run itself.

use crate::cli::context::Context;
use crate::cli::session;
use crate::error::Result;
use crate::name::EnvName;
use crate::project::{self, Project};
use crate::rotate::next;
use crate::secret::digest::sha256_hex;
use crate::store::DIRECTORY;
use crate::store::files::StoreFiles;
use crate::store::ledger::Header;

/// How the name of a ledger ends.
const LEDGER: &str = ".ledger.jsonl";

/// When there is something to do, as far as that is known.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing now.
    Nothing,
    /// Perhaps something.
    Perhaps,
}

pub fn look(context: &Context) -> Result<Known> {
    let Some(found) = session::find(context)? else { return Ok(Known::Perhaps) };
    let Some(manifest) = found.root.read_at_most(&found.manifest, project::LARGEST)? else { return Ok(Known::Perhaps) };
    let manifest = sha256_hex(&manifest);
    let mut headers = Vec::new();
    for environment in environments(context, &found) {
        let files = StoreFiles::new(&found.root, None, &environment);
        let is_it = |it: &Header| context.environment().is_some() || it.is_default;
        if let Some(header) = files.header()?.filter(|it| it.manifest.as_ref() == Some(&manifest) && is_it(it)) {
            headers.push((files.sealed()?, header));
        }
    }
    let [(Some(sealed), header)] = headers.as_slice() else { return Ok(Known::Perhaps) };
    // A ledger that is not of this store says nothing of it: a writer died between the two.
    let is_of_store = sha256_hex(sealed) == header.store_digest;
    Ok(if is_of_store && next::is_nothing(header, context.now) { Known::Nothing } else { Known::Perhaps })
}

/// The environment that is named, or all that have a ledger.
fn environments(context: &Context, found: &Project) -> Vec<EnvName> {
    if let Some(name) = context.environment() {
        return EnvName::new(name).into_iter().collect();
    }
    let Ok(entries) = std::fs::read_dir(found.root.path().join(DIRECTORY)) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| EnvName::new(name.strip_suffix(LEDGER)?).ok()).collect()
}
