//! Who refuses a certificate or token that is revoked: whoever reads the list that says so, and nobody else.

use chrono::{DateTime, Utc};

use super::second;
use crate::cli::session::Session;
use crate::manifest::model::PemFile;
use crate::manifest::{Declaration, Format, Kind, Output};
use crate::name::SecretName;
use crate::revocation::{authorities, issuer};
use crate::store::{Stage, Store};

/// By which files verifiers learn that the old value is refused, or until when they take it; `None` for what no list tells
/// of, and for what has ended.
pub(super) fn of(session: &Session<'_>, store: &Store, declaration: &Declaration) -> Option<String> {
    let name = &declaration.name;
    let end = end(store, declaration).filter(|end| *end > session.context.now)?;
    let (lists, help) = match &declaration.kind {
        Kind::Token(_) => (of_tokens(session), "an output of format `revocations` does".to_owned()),
        Kind::Ca(_) | Kind::Certificate(_) => {
            let signer = issuer(&session.manifest, name)?;
            let print = session.command(&format!("cert crl {signer}"));
            (of_certificates(session, signer), format!("`{print}` prints a list for them"))
        }
        _ => return None,
    };
    Some(if lists.is_empty() {
        let end = second(end);
        format!("verifiers take the old `{name}` until {end}: no output tells them that it is revoked; {help}")
    } else {
        format!("verifiers refuse the old `{name}` once they have read {}", lists.join(", "))
    })
}

/// The files that say which tokens are revoked.
fn of_tokens(session: &Session<'_>) -> Vec<String> {
    let outputs = session.manifest.outputs_in(&session.environment);
    let lists = outputs.filter(|output| matches!(output.format, Format::Revocations));
    lists.map(|output| format!("`{}` (output {})", output.path, output.name)).collect()
}

/// The files that say which certificates of a CA are revoked.
fn of_certificates(session: &Session<'_>, signer: &SecretName) -> Vec<String> {
    let list = |output: &Output| {
        let Format::Pem { files } = &output.format else { return None };
        let file = files.get(&PemFile::Crl)?;
        let is_told = authorities(&session.manifest, &output.secrets).contains(signer);
        is_told.then(|| format!("`{}/{file}` (output {})", output.path, output.name))
    };
    session.manifest.outputs_in(&session.environment).filter_map(list).collect()
}

/// When the last of its versions ends that somebody may hold.
fn end(store: &Store, declaration: &Declaration) -> Option<DateTime<Utc>> {
    let versions = store.versions(&declaration.name).filter(|it| it.stage != Stage::Next);
    versions.filter_map(|it| it.expires).max()
}
