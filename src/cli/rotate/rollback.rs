//! `rotate rollback`: an earlier value is put in force again, and it is said what that is worth.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::answer::{self, Told, minute};
use super::foretold;
use super::rehearsal;
use super::versions;
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::summary::Summary;
use crate::clock::SystemClock;
use crate::deliver::Delivered;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::{SecretName, VersionId};
use crate::plan::Plan;
use crate::rotate::intent::keeps;
use crate::rotate::machine::Machine;
use crate::rotate::programs::{Programs, Step};
use crate::rotate::rollback::{self, Earlier};
use crate::rotate::select::{Order, Selection};
use crate::store::Store;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret
    name: String,
    /// The version whose value it is; else the one before the current one
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// List the versions that are known, and do nothing
    #[arg(long, conflicts_with = "to")]
    list: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What a rehearsal answers.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    summary: &'a Summary<'a>,
    secret: &'a SecretName,
    /// The version whose value would be in force again.
    version: VersionId,
    created: DateTime<Utc>,
    /// Whether that works.
    worth: &'a str,
    /// The hooks that it would call, in order.
    calls: Vec<&'a foretold::Call>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let name = session.secret(&arguments.name)?;
    let to = arguments.to.as_deref().map(version).transpose()?;
    if arguments.list {
        return versions::list(&session, &name);
    }
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    world.check_agreement(&opened.store)?;
    let earlier = rollback::earlier(&world, &opened.store, &name, to)?;
    let programs = super::programs(&session);
    Machine::new(&world, &programs, &SystemClock).expect_rollback(&world, &opened.store, &name, arguments.dry_run)?;
    let worth = worth(&name, &earlier, !programs.hooks(&name, Step::Set).is_empty());
    if arguments.dry_run {
        let rehearsal = Rehearsal { name: &name, earlier: &earlier, worth: &worth };
        return foretell(&session, &world, opened.store, &programs, rehearsal);
    }
    if foretold::lacks_readers(&session, &programs) {
        let (_, delivered) = deliver(&world, &mut opened.store, &name, &earlier)?;
        foretold::refuse_unread(&session, &programs, &delivered.files)?;
    }
    let digest = opened.digest;
    drop(opened.store);
    if !context.ui.json {
        context.ui.say(&format!("`{name}` goes back to the value of {}", minute(earlier.created)));
        context.ui.say(&worth);
    }
    let report = super::work(&session, &world, (&programs, digest), |machine| machine.rollback(&name, &earlier))?;
    answer::tell(context, &session, report, &[worth], false)
}

/// What a rehearsal is about.
struct Rehearsal<'a> {
    name: &'a SecretName,
    earlier: &'a Earlier,
    worth: &'a str,
}

/// What would be made anew with the value, and the files.
fn deliver(world: &World<'_>, store: &mut Store, name: &SecretName, earlier: &Earlier) -> Result<(Plan, Delivered)> {
    let plan = rollback::foresee(world, store, name, earlier)?;
    let delivered = rehearsal::deliver(world, store, &plan)?;
    Ok((plan, delivered))
}

/// Tells what would be done, and which program could not be started to have the files read.
fn foretell(
    session: &Session<'_>,
    world: &World<'_>,
    mut store: Store,
    programs: &dyn Programs,
    Rehearsal { name, earlier, worth }: Rehearsal<'_>,
) -> Result<Exit> {
    let context = session.context;
    let fresh = BTreeSet::from([name.clone()]);
    let is_owed = store.rotations.running.get(name).is_some_and(|it| it.base != earlier.version);
    let retire_first = fresh.iter().filter(|_| is_owed).cloned().collect();
    let keeping = fresh.iter().filter(|name| keeps(&session.manifest, &store, (name, None), context.now));
    let keeping = keeping.cloned().collect();
    let selection = Selection { fresh: fresh.clone(), retire_first, ..Selection::default() };
    let (plan, delivered) = deliver(world, &mut store, name, earlier)?;
    let selected = (&Order::Now(fresh), &selection, &BTreeSet::new());
    let calls = foretold::calls(session, &store, programs, selected, (&keeping, &delivered.files))?;
    let (refused, failing) = calls.unusable(context, programs, (&selection, true));
    let errors = if refused.is_empty() { failing } else { refused };
    let exit = Kind::most_severe(errors.iter().map(Error::kind)).map_or_else(|| delivered.exit(), Exit::from);
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, true).completed(context);
    let Earlier { version, created, .. } = *earlier;
    if context.ui.json {
        let (calls, errors) = (calls.all().collect(), errors.iter().map(Told::from).collect());
        context.ui.object(&Answer { summary: &summary, secret: name, version, created, worth, calls, errors })?;
        return Ok(exit);
    }
    let created = minute(created);
    context.ui.say(&format!("would go back to the value of {created} of `{name}`, version {version}"));
    context.ui.say(worth);
    calls.tell_before(context.ui);
    summary.tell_words(context.ui);
    calls.tell_after(context.ui);
    for error in &errors {
        context.ui.problem(error);
    }
    Ok(exit)
}

fn version(text: &str) -> Result<VersionId> {
    VersionId::parse(text).ok_or_else(|| {
        Error::usage("`--to` takes the id of a version").hint("`vault-kit rotate rollback NAME --list` lists them")
    })
}

/// Whether the earlier value works.
fn worth(name: &SecretName, earlier: &Earlier, has_set: bool) -> String {
    match (earlier.retired, has_set) {
        (Some(at), true) => {
            format!("its owner stopped accepting it on {}; the hook `set` makes it accepted again", minute(at))
        }
        (None, true) => "it was not retired; the hook `set` makes sure of it".to_owned(),
        (Some(at), false) => {
            format!("its owner stopped accepting it on {}, and no hook makes it accepted again", minute(at))
        }
        (None, false) => format!("no hook retires `{name}`: only its owner knows whether it is still accepted"),
    }
}
