//! Documents: outputs that tell everybody the state of the store, such as which keys verify, rather than a value.
//!
//! No current version of one secret says what is in them, and time alone can change it: the ledger keeps the digest of what
//! they should hold.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::places::Places;
use crate::api_key::document::Document as ApiKeys;
use crate::emit::EmittedFile;
use crate::error::Result;
use crate::manifest::{Format, Output};
use crate::secret::Secret;
use crate::secret::digest::sha256_hex;
use crate::store::Store;
use crate::store::ledger::DeliveredFile;
use crate::token::revocation::Revocations;
use crate::token::trusted::Trusted;
use crate::token::{jwks, verify};
use crate::world::World;

/// The file of a document; `None` for the other formats.
pub(super) fn file(world: &World<'_>, store: &Store, output: &Output) -> Result<Option<EmittedFile>> {
    let Some(text) = text(world, store, output)? else { return Ok(None) };
    let (path, bytes, holds) = (output.path.clone(), Secret::from_text(text), output.secrets.clone());
    Ok(Some(EmittedFile { path, bytes, public: output.format.is_public_document(), holds, shared: false }))
}

/// Since when, at the latest, the key set on the disk has had a key of that `kid`: since it was last written, in whole
/// seconds and rounded up. `None` where it has none; one that cannot be read has none.
pub fn published_since(world: &World<'_>, output: &Output, kid: &str) -> Option<DateTime<Utc>> {
    let places = Places::new(world).ok()?;
    let (root, path) = places.of(&output.path).ok()?;
    let keys = jwks::parse(&root.read(path).ok()??, &output.path).ok()?;
    keys.keys().find(|key| key.kid() == kid)?;
    // The time is asked for last: of a file that is replaced in between it is the later one.
    let written = root.facts(path).ok()??.mtime_ns;
    DateTime::from_timestamp(i64::try_from(written.div_euclid(1_000_000_000)).ok()? + 1, 0)
}

/// Brings the lines of documents up to what the store says now: from this moment on a file that says anything else is
/// stale, whether or not somebody gets to write it.
pub fn foresee(files: &mut BTreeMap<String, DeliveredFile>, world: &World<'_>, store: &Store) -> Result<()> {
    for output in world.manifest.outputs_in(world.environment) {
        let Some(line) = files.get_mut(&output.path) else { continue };
        let Some(text) = text(world, store, output)? else { continue };
        let digest = Some(sha256_hex(text.as_bytes()));
        if line.digest != digest {
            // What is on the disk was not written for it: without these `check` looks at the content.
            (line.size, line.mtime, line.inode) = (0, 0, 0);
            line.digest = digest;
        }
    }
    Ok(())
}

fn text(world: &World<'_>, store: &Store, output: &Output) -> Result<Option<String>> {
    match output.format {
        Format::Jwks { .. } => {
            let keys = Trusted::of_pairs(world.manifest, world.environment, store, &output.secrets, world.now);
            Ok(Some(jwks::write(&keys)))
        }
        Format::ApiKeys => ApiKeys::of(&store.issued.api_keys).to_text().map(Some),
        Format::Revocations => revocations(world, store).to_text().map(Some),
        _ => Ok(None),
    }
}

/// The list, without the tokens that ended by themselves.
fn revocations(world: &World<'_>, store: &Store) -> Revocations {
    let mut list = store.issued.revocations();
    list.prune((world.now - verify::LEEWAY).timestamp());
    list
}
