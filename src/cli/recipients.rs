//! `recipients list|apply`: who can open the store, and making the store follow the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::bring_up;
use super::context::Context;
use super::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::gather::Gather;
use crate::store::agreement;
use crate::store::files::would_lock_out;
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show who can open the store, and whom the manifest declares
    List,
    /// Seal the store to the manifest's recipients, and bind it to its AWS account, region and prefix
    Apply {
        /// Tell what would change, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

#[derive(Debug, Serialize)]
struct Listing<'a> {
    schema_version: u32,
    you: Vec<String>,
    store: &'a BTreeMap<String, String>,
    manifest: &'a BTreeMap<String, String>,
}

/// What `apply` changes, by the names that manifest and store have for the keys.
#[derive(Debug, Serialize)]
struct Applied {
    schema_version: u32,
    dry_run: bool,
    changed: bool,
    added: BTreeMap<String, String>,
    removed: BTreeMap<String, String>,
    aws_changed: bool,
    /// What was agreed on with another region, by its name in AWS.
    forgotten: BTreeSet<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match arguments.verb {
        Verb::List => list(context),
        Verb::Apply { dry_run } => apply(context, dry_run),
    }
}

fn list(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let empty = BTreeMap::new();
    let ledger = session.files().ledger()?;
    let you = context.identities_if_present()?.map(|it| it.recipients()).unwrap_or_default();
    let listing = Listing {
        schema_version: SCHEMA_VERSION,
        you,
        store: ledger.as_ref().map_or(&empty, |ledger| &ledger.header.recipients),
        manifest: session.manifest.environments.get(&session.environment).map_or(&empty, |it| &it.recipients),
    };
    if context.ui.json {
        context.ui.object(&listing)?;
        return Ok(Exit::DONE);
    }
    let mut text = String::new();
    for key in &listing.you {
        push_row(&mut text, "you", "–", key);
    }
    for (title, keys) in [("store", listing.store), ("manifest", listing.manifest)] {
        for (who, key) in keys {
            push_row(&mut text, title, who, key);
        }
    }
    context.ui.print(&text)?;
    Ok(Exit::DONE)
}

fn push_row(text: &mut String, title: &str, who: &str, key: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{title:<10} {who:<16} {key}");
}

fn apply(context: &Context, dry_run: bool) -> Result<Exit> {
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(dry_run)?;
    let files = session.files();
    let mut opened = session.open_store_unless_dry(&identities, dry_run)?;
    let environment = session.manifest.environments.get(&session.environment);
    let recipients =
        agreement::wanted_recipients(environment, &opened.store.recipients, bring_up::own_keys(&identities));
    let aws = agreement::binding(environment);
    let elsewhere: BTreeSet<String> =
        agreement::bases_elsewhere(environment, &opened.store).into_iter().map(str::to_owned).collect();
    let applied = Applied {
        schema_version: SCHEMA_VERSION,
        dry_run,
        changed: recipients != opened.store.recipients || aws != opened.store.aws || !elsewhere.is_empty(),
        added: without(&recipients.keys, &opened.store.recipients.keys),
        removed: without(&opened.store.recipients.keys, &recipients.keys),
        aws_changed: aws != opened.store.aws,
        forgotten: elsewhere,
    };
    if !applied.changed {
        if !dry_run {
            // What an interrupted run left to do: its lines of ledger and audit record.
            session.world(&files, &identities, false)?.record(&mut opened, "recipients-apply", &[])?;
        }
        context.ui.say("manifest and store agree: nothing to do");
        return tell(context, &applied);
    }
    if opened.store.recipients.declared && !recipients.declared {
        context.ui.say("the manifest declares no recipients any more: the store becomes yours alone");
    }
    for (sign, keys) in [('+', &applied.added), ('-', &applied.removed)] {
        for (who, key) in keys {
            context.ui.say(&format!("{sign} {who} {key}"));
        }
    }
    if applied.aws_changed {
        context.ui.say("the AWS account or prefix changes");
    }
    if !applied.forgotten.is_empty() {
        context.ui.say(&format!(
            "the AWS region changes: what was agreed on elsewhere is forgotten, and compared anew ({})",
            applied.forgotten.len()
        ));
    }
    if !applied.removed.is_empty() {
        context.say(
            "whoever is removed still knows every value up to now: make new ones with `vault-kit generate --replace`",
        );
    }
    if !identities.recipients().iter().any(|own| recipients.keys.values().any(|key| key == own)) {
        return Err(would_lock_out(&files.store_path()));
    }
    if dry_run {
        return tell(context, &applied);
    }
    context.ui.confirm("seal the store to these", context.global.yes, !context.global.non_interactive)?;
    opened.store.recipients = recipients;
    opened.store.aws = aws;
    opened.store.synced.bases.retain(|name, _| !applied.forgotten.contains(name));
    let world = session.world(&files, &identities, false)?;
    world.reseal(&mut opened, "recipients-apply")?;
    context.ui.say("the store follows the manifest now");
    tell(context, &applied)
}

/// The answer as JSON, if that is asked for; the words were said on the way.
fn tell(context: &Context, applied: &Applied) -> Result<Exit> {
    if context.ui.json {
        context.ui.object(applied)?;
    }
    Ok(Exit::DONE)
}

/// The keys that are not among others, whatever they are called there.
fn without(keys: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_new = |(_, key): &(&String, &String)| !others.values().any(|other| other == *key);
    keys.iter().filter(is_new).map(|(who, key)| (who.clone(), key.clone())).gather()
}
