//! What is known of the store without a look at the files that it was delivered to.

use crate::check;
use crate::cli::context::read_identities;
use crate::cli::session::Session;
use crate::error::Result;
use crate::secret::digest::sha256_hex;
use crate::store::identity::Identities;
use crate::store::ledger::Ledger;
use crate::store::{derive, seal};

/// What is known of the store without a look at the files that it was delivered to.
pub(in crate::cli) struct Host {
    /// Of this state of the store, unless nobody here can open it.
    pub(in crate::cli) ledger: Option<Ledger>,
    pub(super) identities: Option<Identities>,
    /// SHA-256 of the sealed store in hex.
    pub(super) store_digest: Option<String>,
}

impl Host {
    pub(super) fn without_store(session: &Session<'_>) -> Result<Self> {
        Ok(Self { ledger: session.files().ledger()?, identities: None, store_digest: None })
    }
}

/// Reads the ledger; the identity, if there is one, is proven to open the store by its header alone.
pub(in crate::cli) fn host(session: &Session<'_>) -> Result<Host> {
    let identities = read_identities()?;
    let files = session.files();
    let Some(sealed) = files.present()? else {
        return Ok(Host { ledger: files.ledger()?, identities, store_digest: None });
    };
    if let Some(identities) = &identities {
        seal::can_open(&sealed, identities, &files.store_path())?;
    }
    let digest = sha256_hex(&sealed);
    let ledger = ledger(session, identities.as_ref(), sealed, &digest)?;
    Ok(Host { ledger, identities, store_digest: Some(digest) })
}

/// The ledger; one that belongs to another state of the store is derived anew, in memory, by who can open it, and so are
/// the verdicts on values whose pattern changed.
fn ledger(
    session: &Session<'_>,
    identities: Option<&Identities>,
    sealed: Vec<u8>,
    digest: &str,
) -> Result<Option<Ledger>> {
    let files = session.files();
    let ledger = files.ledger()?;
    files.expect_copy(&sealed, digest)?;
    let is_current = ledger.as_ref().is_some_and(|ledger| ledger.header.store_digest == digest);
    if let Some(header) = ledger.as_ref().map(|ledger| &ledger.header).filter(|_| is_current) {
        files.refuse_older(header.store_id, header.generation)?;
    }
    let is_judged = ledger.as_ref().is_some_and(|ledger| check::is_judged_by(ledger, &session.manifest));
    // Only who can open a store without a second copy can hold it against the audit record.
    let is_enough = is_current && is_judged && !files.lacks_copy()?;
    let Some(identities) = identities.filter(|_| !is_enough) else { return Ok(ledger) };
    let store = seal::open(&sealed, identities, &files.store_path())?;
    drop(sealed);
    files.refuse_old(&store)?;
    Ok(Some(match ledger {
        Some(mut ledger) if is_current => {
            derive::judge_patterns(&mut ledger, &store, &session.manifest);
            ledger
        }
        _ => session.world(&files, identities, false)?.ledger_anew(&store, digest.to_owned())?,
    }))
}
