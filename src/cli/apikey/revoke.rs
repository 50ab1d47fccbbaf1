//! `apikey revoke`: a key that opens nothing any more.

use clap::Args;
use serde_json::json;

use crate::api_key::register::{self, Records};
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::refused::Refused;
use crate::cli::session::Session;
use crate::cli::summary::tell_files;
use crate::deliver::Delivered;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest;
use crate::ui::{SCHEMA_VERSION, counted};
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The key's id, or the name of its user
    #[arg(value_name = "ID|NAME")]
    key: String,
    /// Take back both keys of a name that has two
    #[arg(long)]
    all: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = World { goes_on: true, ..session.world(&files, &identities, false)? };
    world.check_agreement(&opened.store)?;
    let records = &mut opened.store.issued.api_keys;
    let meant = meant(&session, records, arguments)?;
    if meant.is_empty() {
        context.ui.say(&format!("`{}`: nothing to do, no such key is good any more", arguments.key));
        // A run before this one may have died before the services' file had it.
        let delivered = if arguments.dry_run {
            world.rehearse(&mut opened.store)?
        } else {
            world.settle_records(&mut opened, "apikey-revoke", &[])?
        };
        return tell(&session, &meant, &delivered, arguments.dry_run);
    }
    if !arguments.dry_run {
        let question = format!("revoke {} of `{}` for good", counted(meant.len(), "key"), records[&meant[0]].name);
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    let revoked = register::revoke(records, &meant, context.now);
    register::prune(records, context.now);
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        world.settle_records(&mut opened, "apikey-revoke", &revoked)?
    };
    let verb = if arguments.dry_run { "would revoke" } else { "revoked" };
    for id in &revoked {
        context.ui.say(&format!("{verb} API key {id} of `{}`", opened.store.issued.api_keys[id].name));
    }
    tell(&session, &revoked, &delivered, arguments.dry_run)
}

fn tell(session: &Session<'_>, revoked: &[String], delivered: &Delivered, dry_run: bool) -> Result<Exit> {
    let ui = session.context.ui;
    for warning in &delivered.warnings {
        session.context.warn(warning);
    }
    let refused = Refused::of(delivered, &Paste::new(session.context));
    if ui.json {
        let mut answer = json!({
            "schema_version": SCHEMA_VERSION, "dry_run": dry_run, "environment": session.environment,
            "revoked": revoked, "files": delivered.files,
        });
        if !refused.is_empty() {
            answer["errors"] = json!(refused);
        }
        ui.object(&answer)?;
    } else {
        tell_files(ui, &delivered.files, dry_run);
    }
    refused.tell(ui);
    Ok(delivered.exit())
}

/// The good keys that are meant; none when they are over already.
fn meant(session: &Session<'_>, records: &Records, arguments: &Arguments) -> Result<Vec<String>> {
    let word = arguments.key.as_str();
    let now = session.context.now;
    if let Some(record) = records.get(word) {
        return Ok(if register::state(record, now).is_good() { vec![word.to_owned()] } else { Vec::new() });
    }
    if !records.values().any(|record| record.name == word) {
        return Err(no_such_key(session, records, word));
    }
    let live = register::live(records, word, now);
    match live.as_slice() {
        [older, newer] if !arguments.all => {
            let command = |which: &str| session.command(&format!("apikey revoke {which}"));
            Err(Error::usage(format!("`{word}` has two live keys"))
                .hint(format!("the older: `{}`", command(older)))
                .hint(format!("the newer: `{}`", command(newer)))
                .hint(format!("both: `{}`", command(&format!("{word} --all")))))
        }
        _ => Ok(live),
    }
}

fn no_such_key(session: &Session<'_>, records: &Records, word: &str) -> Error {
    let error = Error::usage("no key has this id or name");
    let known = records.iter().flat_map(|(id, record)| [id.as_str(), record.name.as_str()]);
    match manifest::suggest(word, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("`{}` lists them", session.command("apikey list"))),
    }
}
