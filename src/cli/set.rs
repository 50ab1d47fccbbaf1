//! `set`: a value by hand, never by argv.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::consequences::{self, Change};
use super::context::Context;
use super::incident::timelines;
use super::input::{read_for_change, read_stdin};
use super::mounted;
use super::session::Session;
use super::summary::{Deed as Told, Summary};
use crate::apply::Deed;
use crate::check::{self, form};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::SecretName;
use crate::plan::{self, Observed, Plan, Scope};
use crate::secret::Secret;
use crate::shell;
use crate::store::Origin;
use crate::store::files::Opened;
use crate::ui;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret
    name: String,
    /// Read the exact bytes of a file (`-`: stdin) instead of asking
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Drop the previous value at once, whatever its overlap
    #[arg(long)]
    revoke: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let name = session.secret(&arguments.name)?;
    let declaration = &session.manifest.secrets[&name];
    refuse_kind(declaration)?;
    let identities = context.identities()?;
    let value = read_value(context, &session, arguments)?;
    judge(&value, declaration)?;
    let warnings = doubts(arguments, &value);
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.delivering_world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    world.refuse_in_flight(&opened.store, std::slice::from_ref(&name))?;
    opened.store.refuse_banned(&name, &value)?;
    let current = opened.store.value(declaration).and_then(|version| version.parts.primary());
    let (is_first, is_new) = (current.is_none(), current != Some(&value));
    let change = change(is_new, arguments.revoke);
    let mut consequences =
        change.map_or_else(Vec::new, |change| consequences::of_value(&session, &opened.store, declaration, change));
    if is_new {
        let version = world.given_version(&opened.store, declaration, value, Origin::Set)?;
        world.put_in_force(&mut opened.store, &name, version);
    }
    let is_dropped = arguments.revoke && opened.store.revoke_replaced(&name, context.now);
    let scope = Scope::Missing(plan::dependents(&session.manifest, &BTreeSet::from([name.clone()])));
    let given = is_new.then(|| name.clone());
    let observed = Observed { changed: given.into_iter().collect(), ..world.observe(&opened.store) };
    let plan = plan::plan(&session.manifest, &session.environment, &observed, &scope);
    consequences.extend(consequences::of_plan(&session, &opened.store, &plan));
    let mut changed: Vec<SecretName> = (is_new || is_dropped).then(|| name.clone()).into_iter().collect();
    changed.extend(world.make(&mut opened.store, &plan)?);
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)
    } else {
        world.settle(&mut opened, "set", &changed).map(|it| mounted::noted(&session, it))
    };
    let delivered = delivered.or_else(|error| {
        if !is_first || !is_outside_block(&error) {
            return Err(error);
        }
        let adopting = session.world(&files, &identities, true)?;
        Err(keep_first(&adopting, &mut opened, &changed, error, arguments.dry_run)?)
    });
    let delivered = consequences::say_of(context, &consequences, delivered);
    // What is not taken may be refused for that very reason.
    let mut delivered = delivered.inspect_err(|_| warnings.iter().for_each(|it| context.ui.warn(it)))?;
    if !arguments.dry_run {
        timelines::follow(&session, &world);
    }
    delivered.warnings.splice(0..0, warnings);
    let plan = Plan { waiting: Vec::new(), ..plan };
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run);
    let deed = if is_new { Some(Told::Set(&name)) } else { is_dropped.then_some(Told::Drop(&name)) };
    let given = is_new.then_some(&**declaration);
    summary.with(deed).owing(&session.manifest, given).breaking(&consequences).tell(context)?;
    Ok(delivered.exit())
}

fn change(is_new: bool, revoke: bool) -> Option<Change> {
    match (is_new, revoke) {
        (true, false) => Some(Change::Replace),
        (true, true) => Some(Change::Revoke),
        (false, true) => Some(Change::Drop),
        (false, false) => None,
    }
}

/// Whether nothing but lines of others keeps the outputs from being written.
fn is_outside_block(error: &Error) -> bool {
    std::iter::once(error).chain(error.others()).all(|it| it.code() == "name-outside-block")
}

/// Keeps a first value although a `.env` cannot be written yet: who adopts its lines needs the value in the store, and nothing that is
/// in use is replaced by it. What is left to do is the error.
fn keep_first(
    adopting: &World<'_>,
    opened: &mut Opened,
    changed: &[SecretName],
    error: Error,
    dry_run: bool,
) -> Result<Error> {
    if !dry_run {
        adopting.record_behind(opened, &[Deed::of("set", changed)])?;
    }
    let kept = if dry_run { "the value would be in the store" } else { "the value is in the store" };
    if adopting.prepare(&opened.store).is_err() {
        return Ok(error.all_incomplete().hint(kept));
    }
    let hint = format!("{kept}; `vault-kit render --adopt` moves those lines into the block, and writes the file");
    Ok(error.unhinted().all_incomplete().hint(hint))
}

/// From `--from-file` the exact bytes; from a pipe without the newline that `echo` adds; else a hidden prompt.
fn read_value(context: &Context, session: &Session<'_>, arguments: &Arguments) -> Result<Secret> {
    if let Some(path) = &arguments.from_file {
        return read_for_change(context, path);
    }
    if !ui::stdin_is_terminal() {
        let piped = read_stdin()?;
        let bytes = piped.expose();
        let bytes = bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n")).unwrap_or(bytes);
        return Ok(Secret::copy_of(bytes));
    }
    if context.global.non_interactive {
        return Err(Error::usage("a value is needed").hint("pipe it in, or name a file with `--from-file`"));
    }
    ui::prompt_hidden(&format!(
        "value of {} in {} ({}): ",
        arguments.name, session.environment, session.manifest.project
    ))
}

/// What a value that is taken may not be meant to be.
fn doubts(arguments: &Arguments, value: &Secret) -> Vec<String> {
    let (name, mut doubts) = (&arguments.name, Vec::new());
    if let Some(path) = arguments.from_file.as_ref().filter(|path| path.as_os_str() != "-") {
        let mut newlines = value.expose().iter().filter(|byte| **byte == b'\n');
        // A file of several lines, such as a key in PEM, ends with one as it should.
        if value.expose().ends_with(b"\n") && newlines.nth(1).is_none() {
            let file = shell::path(&path.to_string_lossy());
            doubts.push(format!(
                "`{name}` ends with a newline, as its file does; a pipe leaves that out: `vault-kit set {name} < {file}`"
            ));
        }
    }
    doubts.extend(form::doubt(name, value.expose()));
    doubts
}

fn refuse_kind(declaration: &Declaration) -> Result<()> {
    let name = &declaration.name;
    let error = |why: &str| Error::usage(format!("`{name}` is {why}"));
    match &declaration.kind {
        SecretKind::Setting { .. } => {
            Err(error("a setting").hint("settings live in the manifest: edit its `value` there"))
        }
        SecretKind::Template(_) | SecretKind::Token(_) => {
            Err(error("made from other secrets")
                .hint(format!("make a new one with `vault-kit generate --replace {name}`")))
        }
        SecretKind::ImportedCertificate(_) => Err(error("a certificate with its key")
            .hint(format!("take both in with `vault-kit {}`", declaration.supply_words()))),
        SecretKind::Ca(_) | SecretKind::Certificate(_) | SecretKind::Keypair { .. } => {
            Err(error("made of several pieces")
                .hint(format!("make a new one with `vault-kit generate --replace {name}`")))
        }
        _ => Ok(()),
    }
}

fn judge(value: &Secret, declaration: &Declaration) -> Result<()> {
    let name = &declaration.name;
    if value.is_empty() {
        return Err(Error::usage(format!("the value of `{name}` is empty")).hint("nothing was changed"));
    }
    let verdict = check::assess(declaration, value.expose());
    if verdict.placeholder {
        return Err(Error::new(
            Kind::Findings,
            "placeholder",
            format!("refusing a placeholder as the value of `{name}`"),
        )
        .hint("nothing was changed; supply the real value"));
    }
    if verdict.mismatch {
        return Err(Error::new(
            Kind::Findings,
            "pattern-mismatch",
            format!("the value does not match the pattern of `{name}`"),
        )
        .hint("nothing was changed; is it the right value, without quotes around it?"));
    }
    Ok(())
}
