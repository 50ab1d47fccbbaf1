//! `cert revoke`: a certificate that must not be trusted any more.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::{authority, certificate};
use crate::cli::context::Context;
use crate::cli::get;
use crate::cli::session::Session;
use crate::deliver::{FileReport, Outcome};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::generate::certificate::revocation::Reason;
use crate::name::{SecretName, VersionId};
use crate::plan::{self, Plan, Scope};
use crate::revocation::issuer;
use crate::store::certificates::Revoked;
use crate::store::{Stage, Store};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The certificate or issuing CA; it is made anew at once
    #[arg(required_unless_present = "serial", conflicts_with = "serial")]
    name: Option<String>,
    /// The serial in hex of a certificate that is not declared, or not any more
    #[arg(long, value_name = "HEX", value_parser = parse_serial, requires = "issuer")]
    serial: Option<String>,
    /// The CA that signed it
    #[arg(long, value_name = "CA", requires = "serial")]
    issuer: Option<String>,
    /// Why: keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn
    #[arg(long, value_name = "REASON", default_value = "unspecified", value_parser = parse_reason)]
    reason: Reason,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    changed: bool,
    revoked: Option<&'a Target>,
    reissued: &'a [SecretName],
    files: &'a [FileReport],
}

/// What is revoked.
#[derive(Debug, Serialize)]
struct Target {
    issuer: SecretName,
    serial: String,
    #[serde(skip)]
    issuer_version: VersionId,
    expires: DateTime<Utc>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let _lock = session.lock()?;
    let identities = context.identities()?;
    let mut opened = session.open_store_for_writing(&identities)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let named = arguments.name.as_deref().map(|name| certificate(&session, name)).transpose()?;
    let target = match (&named, &arguments.serial, &arguments.issuer) {
        (Some(name), ..) => declared(&session, &opened.store, name)?,
        (None, Some(serial), Some(issuer)) => by_serial(&session, &opened.store, serial, issuer)?,
        _ => return Err(Error::usage("a name, or `--serial` with `--issuer`, is needed")),
    };
    if opened.store.certificates.is_revoked(target.issuer_version, &target.serial) {
        context.ui.say(&format!("serial {} of `{}` is revoked already", target.serial, target.issuer));
        // A run before this one may have died before the list was delivered.
        let delivered = world.settle(&mut opened, "cert-revoke", &[])?;
        tell(context, None, &[], &delivered.files)?;
        return Ok(delivered.exit());
    }
    let plan = match &named {
        None => Plan::default(),
        Some(name) => {
            let scope = Scope::Replace(BTreeSet::from([name.clone()]));
            plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &scope)
        }
    };
    let question = match &named {
        Some(name) => format!("revoke `{name}` for good and make it anew"),
        None => format!("revoke serial {} of `{}` for good", target.serial, target.issuer),
    };
    context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    opened.store.certificates.revoked.push(Revoked {
        issuer: target.issuer_version,
        serial: target.serial.clone(),
        at: context.now,
        reason: arguments.reason,
        expires: target.expires,
    });
    let changed = world.make(&mut opened.store, &plan)?;
    world.make_lists(&mut opened.store, &BTreeSet::from([target.issuer.clone()]))?;
    // An issuing CA that is new needs a list of its own, if lists are delivered.
    world.refresh_lists(&mut opened.store)?;
    let delivered = world.settle_news(&mut opened, "cert-revoke", &changed, true)?;
    tell(context, Some(&target), &changed, &delivered.files)?;
    Ok(delivered.exit())
}

/// What is declared, as it is now.
fn declared(session: &Session<'_>, store: &Store, name: &SecretName) -> Result<Target> {
    let signer = issuer(&session.manifest, name).ok_or_else(|| {
        Error::usage(format!("nobody but itself signed `{name}`, so nobody can revoke it"))
            .hint(format!("make a new one with `{}`", session.command(&format!("generate --replace {name}"))))
    })?;
    let version = store.current(name).ok_or_else(|| get::missing(session, name.as_str()))?;
    let serial = version.facts.get("serial");
    let (Some(serial), Some(&issuer_version), Some(expires)) = (serial, version.inputs.get(signer), version.expires)
    else {
        return Err(Error::usage(format!("`{signer}` did not sign what `{name}` is now")));
    };
    Ok(Target { issuer: signer.clone(), serial: serial.clone(), issuer_version, expires })
}

/// What the store knows of a serial; of one that it does not know, that the CA's current certificate outlives it.
fn by_serial(session: &Session<'_>, store: &Store, serial: &str, issuer: &str) -> Result<Target> {
    let issuer = authority(session, issuer)?;
    let current = store.current(&issuer).ok_or_else(|| get::missing(session, issuer.as_str()))?;
    let target =
        |issuer_version, expires| Target { issuer: issuer.clone(), serial: serial.to_owned(), issuer_version, expires };
    let signers: BTreeSet<VersionId> =
        store.secrets[&issuer].iter().filter(|it| it.stage != Stage::Purged).map(|it| it.id).collect();
    let ours = store.secrets.values().flatten().find_map(|version| {
        let signer = version.inputs.get(&issuer).filter(|signer| signers.contains(signer))?;
        let is_it = version.facts.get("serial").is_some_and(|known| known == serial);
        Some(target(*signer, version.expires?)).filter(|_| is_it)
    });
    let theirs = || {
        let foreign = store.certificates.issued.iter().filter(|it| signers.contains(&it.issuer));
        foreign.into_iter().find(|it| it.serial == serial).map(|it| target(it.issuer, it.expires))
    };
    if let Some(target) = ours.or_else(theirs) {
        return Ok(target);
    }
    session
        .context
        .ui
        .warn(&format!("the store does not know serial {serial}: it is revoked of `{issuer}` as it is now"));
    Ok(target(current.id, current.expires.unwrap_or(session.context.now)))
}

fn tell(context: &Context, target: Option<&Target>, reissued: &[SecretName], files: &[FileReport]) -> Result<()> {
    let ui = context.ui;
    if ui.json {
        let changed = target.is_some();
        return ui.object(&Answer { schema_version: SCHEMA_VERSION, changed, revoked: target, reissued, files });
    }
    if let Some(target) = target {
        ui.say(&format!("revoked serial {} of `{}`", target.serial, target.issuer));
    }
    for name in reissued {
        ui.say(&format!("made `{name}` anew"));
    }
    for file in files.iter().filter(|file| file.outcome != Outcome::Unchanged) {
        ui.say(&format!("wrote `{}`", file.path));
    }
    if target.is_some() {
        ui.say("verifiers refuse it once they have the new list: deliver it, or run `vault-kit cert crl`");
    }
    Ok(())
}

fn parse_reason(text: &str) -> Result<Reason, String> {
    let found = Reason::ALL.into_iter().find(|reason| reason.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("one of {}", Reason::ALL.map(Reason::name).join(", ")))
}

/// As openssl prints it, with or without colons: even, lower case, and without zeros in front that are no digits of it.
fn parse_serial(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|&sign| sign != ':').collect::<String>().to_ascii_lowercase();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits).trim_start_matches('0');
    if digits.is_empty() || digits.len() > 40 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a serial is up to 40 hex digits, as `openssl x509 -noout -serial` prints it".to_owned());
    }
    Ok(if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_taken_as_people_write_it() {
        for text in ["0A:BC", "abc", "0xABC", "000abc"] {
            assert_eq!(parse_serial(text).as_deref(), Ok("0abc"), "{text}");
        }
        for text in ["", "0", "xyz", &"a".repeat(41)] {
            assert!(parse_serial(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reason_is_one_of_rfc_5280() {
        assert_eq!(parse_reason("keycompromise"), Ok(Reason::KeyCompromise));
        assert!(parse_reason("whim").is_err());
    }
}
