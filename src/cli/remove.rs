//! `remove`: forget a secret with all its versions.

use std::collections::BTreeSet;

use clap::Args;

use super::consequences;
use super::context::Context;
use super::paste::Paste;
use super::session::Session;
use super::summary::{Deed, Summary};
use crate::deliver::left;
use crate::emit::dotenv_lines;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::model::Dialect;
use crate::manifest::{Format, Kind};
use crate::name::SecretName;
use crate::plan::{self, Plan};
use crate::rotate::forget;
use crate::secret::Secret;
use crate::shell;
use crate::store::Store;
use crate::store::ledger::DeliveredFile;
use crate::ui::counted;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret, declared or not
    name: String,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let name = SecretName::new(arguments.name.as_str()).map_err(|why| Error::usage(why.to_string()))?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let Some(versions) = opened.store.secrets.get(&name).map(Vec::len) else {
        return Err(Error::usage(format!("the store has no `{name}`")).hint("`vault-kit status` lists what it has"));
    };
    world.refuse_in_flight(&opened.store, std::slice::from_ref(&name))?;
    forget::expect_refused(&session.manifest, &opened.store, &name)?;
    let accepted = forget::accepted(&opened.store, &name);
    let left = left_behind(&session, &world, &name)?;
    let made = made_of(&session, &opened.store, &name);
    let unrevocable = unrevocable(&session, &opened.store, &name);
    forget::forget(&session.manifest, &mut opened.store, &name, world.now);
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        let owner = if accepted > 0 { ", while its owner goes on accepting its value" } else { "" };
        let question = format!("forget `{name}` with {} for good{owner}", counted(versions, "version"));
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
        world.settle(&mut opened, "remove", std::slice::from_ref(&name))?
    };
    let plan = Plan::default();
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run);
    summary.with(Some(Deed::Remove(&name))).tell(context)?;
    if accepted > 0 {
        let values = counted(accepted, "value");
        context.ui.warn(&format!(
            "the owner of `{name}` goes on accepting {values} that hooks told it: have it refused there, by hand"
        ));
    }
    for it in &unrevocable {
        context.ui.warn(it);
    }
    let paste = Paste::new(context);
    for it in &made {
        let fix = paste.fix(&session.command(&format!("remove {it}")), session.root.path());
        context.ui.warn(&format!("`{it}` is made of it, and holds the value wherever it is delivered: `{fix}`"));
    }
    for (record, remains) in left.iter().filter(|(it, _)| !delivered.files.iter().any(|file| file.path == it.file)) {
        let path = &record.file;
        if let Some(lines) = lines_beside_others(&session, record, &name) {
            context
                .ui
                .warn(&format!("`{path}` still holds the value, beside what is not its own: take {lines} out of it"));
            continue;
        }
        if left::is_changed(&session.root, record, world.consent.trusted) {
            context.ui.warn(&format!("`{path}` may still hold the value, and was changed since: take that out of it"));
            continue;
        }
        let words: Vec<String> = remains.iter().map(|path| shell::path(path)).collect();
        let fix = paste.fix(&format!("rm {}", words.join(" ")), session.root.path());
        context.ui.warn(&format!("`{path}` still holds the value: `{fix}`"));
    }
    Ok(Exit::DONE)
}

/// The certificates that it signed for requests, and that stay good without anybody who could revoke them.
fn unrevocable(session: &Session<'_>, store: &Store, name: &SecretName) -> Vec<String> {
    let versions = store.secrets.get(name).map_or(&[][..], Vec::as_slice);
    let signed = consequences::unrevocable(store, versions, session.context.now);
    let words = signed.into_iter().map(|it| {
        let until = it.expires.format("%Y-%m-%d %H:%M:%S UTC");
        format!(
            "nobody can revoke certificate `{}` of `{}` without it, which is good until {until}",
            it.serial, it.subject
        )
    });
    words.collect()
}

/// The lines of a dotenv file that have the value, where others stand there too: who removes the file loses those.
fn lines_beside_others(session: &Session<'_>, record: &DeliveredFile, name: &SecretName) -> Option<String> {
    let dialect = match session.manifest.outputs.get(&record.output).map(|output| &output.format) {
        Some(Format::Dotenv { dialect }) => *dialect,
        None if record.form.as_ref().is_some_and(|form| form.starts_with("dotenv")) => Dialect::Portable,
        _ => return None,
    };
    let text = Secret::new(session.root.read(&record.file).ok()??);
    let previous = name.previous();
    let is_its = |it: &str| it == name.as_str() || previous.as_ref().is_some_and(|previous| it == previous.as_str());
    match dotenv_lines::of(dialect, text.expose(), is_its) {
        Some((_, true)) => None,
        Some((lines, false)) if !lines.is_empty() => {
            let lines: Vec<String> = lines.iter().map(|line| format!("line {line}")).collect();
            Some(lines.join(", "))
        }
        _ => Some("its lines".to_owned()),
    }
}

/// The templates that have its value in them.
fn made_of(session: &Session<'_>, store: &Store, name: &SecretName) -> Vec<SecretName> {
    let mut made = plan::dependents(&session.manifest, &BTreeSet::from([name.clone()]));
    let is_template =
        |it: &SecretName| session.manifest.secret(it).is_some_and(|it| matches!(it.kind, Kind::Template(_)));
    made.retain(|it| it != name && store.current(it).is_some() && is_template(it));
    made.into_iter().collect()
}

/// The files that the secret was delivered in, each with the paths that are left of it.
fn left_behind(
    session: &Session<'_>,
    world: &World<'_>,
    name: &SecretName,
) -> Result<Vec<(DeliveredFile, Vec<String>)>> {
    let files = session.files().ledger().ok().flatten().map(|ledger| ledger.files).unwrap_or_default();
    let held = files.into_values().filter(|file| file.holds.contains_key(name));
    let others = world.other_ledgers()?;
    let remains = |record: &DeliveredFile| {
        left::remains(&session.root, record, others.iter().map(|(_, ledger)| ledger), world.consent.trusted)
    };
    let left = held.map(|record| (remains(&record), record)).filter(|(remains, _)| !remains.is_empty());
    Ok(left.map(|(remains, record)| (record, remains)).collect())
}
