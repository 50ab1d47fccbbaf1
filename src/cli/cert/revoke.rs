//! `cert revoke`: a certificate that must not be trusted any more.

mod target;

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::certificate;
use crate::cli::consequences::{self, Change};
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::refused::Refused;
use crate::cli::session::Session;
use crate::cli::summary::{tell_files, tell_lists};
use crate::deliver::{Delivered, FileReport};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::generate::certificate::revocation::Reason;
use crate::name::{EnvName, SecretName};
use crate::plan::{self, Plan, Scope};
use crate::ui::SCHEMA_VERSION;
use crate::world::World;
use target::Target;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The certificate or issuing CA; it is made anew at once
    #[arg(required_unless_present = "serial", conflicts_with = "serial")]
    name: Option<String>,
    /// The serial in hex; a declared certificate that is in force is made anew at once
    #[arg(long, value_name = "HEX", value_parser = parse_serial, requires = "issuer")]
    serial: Option<String>,
    /// The CA that signed it
    #[arg(long, value_name = "CA", requires = "serial")]
    issuer: Option<String>,
    /// Why: keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn
    #[arg(long, value_name = "REASON", default_value = "unspecified", value_parser = parse_reason)]
    reason: Reason,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What was done, or with `--dry-run` would be.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    changed: bool,
    revoked: Option<&'a Target>,
    reissued: &'a [SecretName],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    consequences: &'a [String],
    #[serde(skip_serializing_if = "<[SecretName]>::is_empty")]
    revocation_lists: &'a [SecretName],
    files: &'a [FileReport],
    #[serde(rename = "errors", skip_serializing_if = "Refused::is_empty")]
    refused: &'a Refused,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = World { goes_on: true, ..session.world(&files, &identities, false)? };
    world.check_agreement(&opened.store)?;
    let named = arguments.name.as_deref().map(|name| certificate(&session, name)).transpose()?;
    let (target, in_force) = match (named, &arguments.serial, &arguments.issuer) {
        (Some(name), ..) => (target::declared(&session, &opened.store, &name)?, Some(name)),
        (None, Some(serial), Some(issuer)) => {
            let target = target::by_serial(&session, &opened.store, serial, issuer)?;
            let in_force = target.in_force(&session, &opened.store);
            (target, in_force)
        }
        _ => return Err(Error::usage("a name, or `--serial` with `--issuer`, is needed")),
    };
    let was_revoked = target.is_revoked(&opened.store);
    if was_revoked {
        context.ui.say(&format!("serial {} of `{}` is revoked already", target.serial, target.issuer));
    }
    // One that is revoked and in force was revoked before there was a new one: every verifier refuses it.
    if was_revoked && in_force.is_none() {
        // A run before this one may have died before the list was delivered.
        let delivered = if arguments.dry_run {
            world.rehearse(&mut opened.store)?
        } else {
            world.settle(&mut opened, "cert-revoke", &[])?
        };
        tell(&session, (None, was_revoked), (&[], &[]), &delivered, arguments.dry_run)?;
        return Ok(delivered.exit());
    }
    let plan = match &in_force {
        None => Plan::default(),
        Some(name) => {
            let scope = Scope::Replace(BTreeSet::from([name.clone()]));
            plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &scope)
        }
    };
    let declaration = in_force.as_ref().and_then(|name| session.manifest.secret(name));
    let consequences = declaration
        .map(|it| consequences::of_requests(&session, &opened.store, it, Change::Revoke))
        .unwrap_or_default();
    consequences::say(context, &consequences);
    if !arguments.dry_run {
        let question = match &in_force {
            Some(name) if was_revoked => format!("make `{name}` anew"),
            Some(name) => format!("revoke `{name}` for good and make it anew"),
            None => format!("revoke serial {} of `{}` for good", target.serial, target.issuer),
        };
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    target.revoke(&mut opened.store, arguments.reason, context.now);
    let changed = world.make(&mut opened.store, &plan)?;
    let mut lists = world.make_lists(&mut opened.store, &BTreeSet::from([target.issuer.clone()]))?;
    // An issuing CA that is new needs a list of its own, if lists are delivered.
    lists.extend(world.refresh_lists(&mut opened.store)?);
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        world.settle_news(&mut opened, "cert-revoke", &changed, true)?
    };
    let delivered = Delivered { lists, ..delivered };
    tell(&session, (Some(&target), was_revoked), (&changed, &consequences), &delivered, arguments.dry_run)?;
    Ok(delivered.exit())
}

fn tell(
    session: &Session<'_>,
    (target, was_revoked): (Option<&Target>, bool),
    (reissued, consequences): (&[SecretName], &[String]),
    delivered: &Delivered,
    dry_run: bool,
) -> Result<()> {
    let ui = session.context.ui;
    let refused = Refused::of(delivered, &Paste::new(session.context));
    if ui.json {
        refused.tell(ui);
        return ui.object(&Answer {
            schema_version: SCHEMA_VERSION,
            dry_run,
            environment: &session.environment,
            changed: target.is_some(),
            revoked: target,
            reissued,
            consequences,
            revocation_lists: &delivered.lists,
            files: &delivered.files,
            refused: &refused,
        });
    }
    let (revoked, made) = if dry_run { ("would revoke", "would make") } else { ("revoked", "made") };
    if let Some(target) = target.filter(|_| !was_revoked) {
        ui.say(&format!("{revoked} serial {} of `{}`", target.serial, target.issuer));
    }
    for name in reissued {
        ui.say(&format!("{made} `{name}` anew"));
    }
    tell_lists(ui, &delivered.lists, dry_run);
    tell_files(ui, &delivered.files, dry_run);
    refused.tell(ui);
    if target.is_some() && !dry_run {
        session.context.say("verifiers refuse it once they have the new list: deliver it, or run `vault-kit cert crl`");
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
