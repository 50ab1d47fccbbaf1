//! Whether a value that is made of others belongs to those that are here: a token to its key, a certificate to its CA.
//!
//! By this two hosts agree without a person on which of two made values stays, and neither takes one that nobody accepts.

use super::content;
use super::judge::Verdict;
use super::look::Field;
use crate::manifest::{Declaration, Kind};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::{Part, Parts};
use crate::store::{Origin, Stage, Store, Version};
use crate::token::trusted;
use crate::x509::issued;

/// How a made value stands to its input here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is made of the input as it is here, or of none.
    Current,
    /// It is made of the input, as it was here before or as it was declared before: what tells it from one that is
    /// current, in words for behind the name of its place.
    Former(String),
    /// It is of no input that was ever here, or in pieces that do not belong together: what tells.
    Not(String),
    /// The input is not here.
    Untold,
}

/// Whether a kind is made of another secret, and differs each time that it is made. (A template does not.)
pub fn is_made(declaration: &Declaration) -> bool {
    maker(declaration).is_some()
}

/// The secret that makes it.
pub fn maker(declaration: &Declaration) -> Option<&SecretName> {
    match &declaration.kind {
        Kind::Token(token) => Some(&token.signed_by),
        Kind::Certificate(certificate) => certificate.issuer.as_ref(),
        Kind::Ca(ca) => ca.issuer.as_ref(),
        _ => None,
    }
}

/// Whether the value that is here was made by vault-kit, on whichever host: what a person set is nobody's to replace.
pub fn was_made(store: &Store, declaration: &Declaration) -> bool {
    let version = store.value(declaration).filter(|_| is_made(declaration));
    version.is_some_and(|version| matches!(version.origin, Origin::Generated | Origin::Pulled))
}

/// Judges the value that is here.
pub fn of_current(store: &Store, declaration: &Declaration) -> Fit {
    store.value(declaration).map_or(Fit::Untold, |version| judge(store, declaration, &version.parts))
}

/// Judges the pieces of a value.
pub fn judge(store: &Store, declaration: &Declaration, parts: &Parts) -> Fit {
    if !matches!(declaration.kind, Kind::Token(_))
        && let Some(fault) = issued::unpaired(parts).filter(|_| parts.part(Part::Cert).is_some())
    {
        return Fit::Not(fault);
    }
    let fault = undeclared(declaration, parts);
    let Some(maker) = maker(declaration) else { return fault.map_or(Fit::Current, Fit::Not) };
    let versions = store.secrets.get(maker).map_or(&[][..], Vec::as_slice);
    let mut known = versions.iter().rev().filter(|version| version.stage != Stage::Next);
    let replaced = || format!("was made by a `{maker}` that was replaced since");
    match (known.find(|version| was_made_by(declaration, parts, version)), fault) {
        (Some(version), None) if version.stage == Stage::Current => Fit::Current,
        (Some(_), fault) => Fit::Former(fault.unwrap_or_else(replaced)),
        (None, Some(fault)) => Fit::Not(fault),
        (None, None) if versions.iter().all(|version| version.stage != Stage::Current) => Fit::Untold,
        (None, None) => Fit::Not(format!("was not made by the `{maker}` that is here")),
    }
}

/// What of it is not as declared.
fn undeclared(declaration: &Declaration, parts: &Parts) -> Option<String> {
    match &declaration.kind {
        Kind::Token(token) => trusted::differs(token, parts.part(Part::Value)?.expose_text()?),
        Kind::Certificate(it) => {
            let names = it.dns.iter().cloned().chain(it.ip.iter().map(ToString::to_string)).chain(it.uri.clone());
            issued::lacks(parts, names)
        }
        Kind::ImportedCertificate(it) => {
            issued::is_not_for(parts, it.dns.iter().cloned().chain(it.ip.iter().map(ToString::to_string)))
        }
        _ => None,
    }
}

fn was_made_by(declaration: &Declaration, parts: &Parts, version: &Version) -> bool {
    let Kind::Token(token) = &declaration.kind else { return issued::is_issued_by(parts, &version.parts) };
    let text = parts.part(Part::Value).and_then(Secret::expose_text);
    text.is_some_and(|text| trusted::has_signed(token, version, text))
}

/// What is wrong with a value that is not to be taken.
pub fn fault(fit: Fit) -> Option<String> {
    match fit {
        Fit::Former(fault) | Fit::Not(fault) => Some(fault),
        Fit::Current | Fit::Untold => None,
    }
}

/// Of two values that were made of other secrets, the one stays that is made of those as they are here, theirs before
/// ours. Nothing that a person supplied is among them: a replaced one was made here, or of an input that was.
pub fn fitted<'a>(field: Field<'a>, store: &Store) -> Field<'a> {
    let Some((there, _)) = field.there.as_ref().filter(|_| matches!(field.verdict, Verdict::Pull | Verdict::Conflict))
    else {
        return field;
    };
    let Ok(content::Received { parts, .. }) = content::received(field.declaration, there.duplicate(), "") else {
        return field;
    };
    let theirs = judge(store, field.declaration, &parts);
    let yields = was_made(store, field.declaration);
    let is_ours = || of_current(store, field.declaration) == Fit::Current;
    let verdict = match (&theirs, field.verdict) {
        (Fit::Current, _) if yields => Verdict::Pull,
        (Fit::Former(_), Verdict::Conflict) if yields && is_ours() => Verdict::Push,
        (_, verdict) => verdict,
    };
    Field { verdict, yields, fault: fault(theirs), ..field }
}
