//! `token jwks`: the public keys, for verifiers that fetch or mount them.

use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::token::jwks;

pub fn run(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let keys = super::trusted(&session)?.keys;
    if keys.keys().all(|key| key.public_key().is_none()) {
        context.ui.warn("no key pair signs here: the set is empty, since shared keys are never published");
    }
    context.ui.print(&jwks::write(&keys))?;
    Ok(Exit::DONE)
}
