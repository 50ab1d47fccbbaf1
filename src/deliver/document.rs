//! Documents: outputs that tell everybody the state of the store, such as which keys verify, rather than a value.
//!
//! No current version of one secret says what is in them, and time alone can change it: the ledger keeps the digest of what
//! they should hold.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Prepared;
use super::places::Places;
use super::values::{self, Bundles};
use crate::api_key::document::Document as ApiKeys;
use crate::emit::{self, EmittedFile, external_secret};
use crate::error::Result;
use crate::manifest::model::PemFile;
use crate::manifest::{Format, Output};
use crate::private_file::Root;
use crate::scan::fingerprints::Document as Fingerprints;
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
    let holds = if output.format.is_from_manifest() { Vec::new() } else { output.secrets.clone() };
    let (path, bytes) = (output.path.clone(), Secret::from_text(text));
    let public = output.format.is_public_document();
    Ok(Some(EmittedFile { path, bytes, public, holds, shared: false, digested: true }))
}

impl Prepared<'_> {
    /// Brings its documents up to what the store says now, where that changed after they were prepared.
    pub fn renew_documents(&mut self, world: &World<'_>, store: &Store) -> Result<()> {
        for it in &mut self.files {
            if let Some(file) = file(world, store, it.output)? {
                it.file = file;
            }
        }
        Ok(())
    }
}

/// Since when, at the latest, the key set on the disk has had a key of that `kid`: since it was last written, in whole
/// seconds and rounded up. `None` where it has none; one that cannot be read has none.
pub fn published_since(world: &World<'_>, output: &Output, kid: &str) -> Option<DateTime<Utc>> {
    let places = Places::new(world).ok()?;
    let (root, path) = places.of(&output.path).ok()?;
    let keys = jwks::parse(&root.read(path).ok()??, &output.path).ok()?;
    keys.keys().find(|key| key.kid() == kid)?;
    written(root, path)
}

/// As [`published_since`], of a bundle and a root's certificate.
pub fn trusted_since(world: &World<'_>, path: &str, certificate: &[u8]) -> Option<DateTime<Utc>> {
    let places = Places::new(world).ok()?;
    let (root, path) = places.of(path).ok()?;
    memchr::memmem::find(&root.read(path).ok()??, certificate)?;
    written(root, path)
}

/// When a file was written, in whole seconds and rounded up. Who looks into it asks for this last: of a file that is
/// replaced in between it is the later time.
fn written(root: &Root, path: &str) -> Option<DateTime<Utc>> {
    let written = root.facts(path).ok()??.mtime_ns;
    DateTime::from_timestamp(i64::try_from(written.div_euclid(1_000_000_000)).ok()? + 1, 0)
}

/// Brings the lines of documents up to what the store says now: from this moment on a file that says anything else is
/// stale, whether or not somebody gets to write it.
pub fn foresee(files: &mut BTreeMap<String, DeliveredFile>, world: &World<'_>, store: &Store) -> Result<()> {
    for (path, bytes) in digested(world, store)? {
        let Some(line) = files.get_mut(&path) else { continue };
        let digest = Some(sha256_hex(bytes.expose()));
        if line.digest != digest {
            // What is on the disk was not written for it: without these `check` looks at the content.
            (line.size, line.mtime, line.inode) = (0, 0, 0);
            line.digest = digest;
        }
    }
    Ok(())
}

/// The files of which the ledger keeps the digest, as they should be now.
fn digested(world: &World<'_>, store: &Store) -> Result<Vec<(String, Secret)>> {
    let mut files = Vec::new();
    let bundles = Bundles::of(world, store);
    for output in world.manifest.outputs_in(world.environment) {
        files.extend(text(world, store, output)?.map(|text| (output.path.clone(), Secret::from_text(text))));
        let has_lists = matches!(&output.format, Format::Pem { files } if files.contains_key(&PemFile::Crl));
        if has_lists || output.secrets.iter().any(|name| bundles.roots.contains_key(name)) {
            files.extend(of_authorities(world, store, &bundles, output));
        }
    }
    Ok(files)
}

/// The revocation lists and overlapping roots of an output. What keeps it from being delivered is for its delivery to tell.
fn of_authorities(world: &World<'_>, store: &Store, bundles: &Bundles, output: &Output) -> Vec<(String, Secret)> {
    let settings = BTreeMap::new();
    let (values, _) = values::of_output(world, store, &settings, bundles, output);
    let emitted = emit::emit(output, &values, &|_| Ok(None), false);
    let files = emitted.map(|emission| emission.files).unwrap_or_default();
    files.into_iter().filter(|file| file.digested).map(|file| (file.path, file.bytes)).collect()
}

fn text(world: &World<'_>, store: &Store, output: &Output) -> Result<Option<String>> {
    match &output.format {
        Format::ExternalSecret(it) => external_secret::render(output, it, world.manifest, world.environment).map(Some),
        Format::Jwks { .. } => {
            let keys = Trusted::of_pairs(world.manifest, world.environment, store, &output.secrets, world.now);
            Ok(Some(jwks::write(&keys)))
        }
        Format::ApiKeys => ApiKeys::of(&store.issued.api_keys).to_text().map(Some),
        Format::Fingerprints => fingerprints(world, store, output)?.to_text().map(Some),
        Format::Revocations => revocations(world, store).to_text().map(Some),
        _ => Ok(None),
    }
}

/// The list, with what the stores of others put on it.
fn fingerprints(world: &World<'_>, store: &Store, output: &Output) -> Result<Fingerprints> {
    let places = Places::new(world)?;
    let (root, path) = places.of(&output.path)?;
    let before = root.read(path).ok().flatten().unwrap_or_default();
    Ok(Fingerprints::beside(store, &before, |name| world.manifest.has_secret(name, world.environment)))
}

/// The list, without the tokens that ended by themselves.
fn revocations(world: &World<'_>, store: &Store) -> Revocations {
    let mut list = store.issued.revocations();
    list.prune((world.now - verify::LEEWAY).timestamp());
    list
}
