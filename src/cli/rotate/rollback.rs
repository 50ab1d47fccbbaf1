//! `rotate rollback`: an earlier value is put in force again, and it is said what that is worth.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::answer::{self, Told, minute};
use super::foretold::outputs_of;
use super::intended::not_startable;
use super::versions;
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::clock::SystemClock;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::{EnvName, SecretName, VersionId};
use crate::plan;
use crate::rotate::machine::Machine;
use crate::rotate::programs::{Programs, Step};
use crate::rotate::rollback::{self, Earlier};
use crate::ui::SCHEMA_VERSION;

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
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    secret: &'a SecretName,
    /// The version whose value would be in force again.
    version: VersionId,
    created: DateTime<Utc>,
    /// Whether that works.
    worth: &'a str,
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
    let opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    world.check_agreement(&opened.store)?;
    let earlier = rollback::earlier(&world, &opened.store, &name, to)?;
    let programs = super::programs(&session);
    if arguments.dry_run {
        Machine::new(&world, &programs, &SystemClock).expect_rollback(&world, &opened.store, &name, true)?;
    }
    let digest = opened.digest;
    drop(opened.store);
    let worth = worth(&name, &earlier, !programs.hooks(&name, Step::Set).is_empty());
    if arguments.dry_run {
        return foretell(&session, &programs, &name, &earlier, &worth);
    }
    if !context.ui.json {
        context.ui.say(&format!("`{name}` goes back to the value of {}", minute(earlier.created)));
        context.ui.say(&worth);
    }
    let report = super::work(&session, &world, (&programs, digest), |machine| machine.rollback(&name, &earlier))?;
    answer::tell(context, &session, report, &[worth], false)
}

/// Tells what would be done, and which program could not be started to have the files read.
fn foretell(
    session: &Session<'_>,
    programs: &dyn Programs,
    name: &SecretName,
    earlier: &Earlier,
    worth: &str,
) -> Result<Exit> {
    let context = session.context;
    let changing = plan::dependents(&session.manifest, &BTreeSet::from([name.clone()]));
    let reloads = programs.reloads(&outputs_of(session, &changing));
    let errors = not_startable(context, programs, reloads.iter().map(String::as_str));
    let Earlier { version, created, .. } = *earlier;
    if context.ui.json {
        let (schema_version, dry_run, environment, secret) = (SCHEMA_VERSION, true, &session.environment, name);
        let errors = errors.iter().map(Told::from).collect();
        context.ui.object(&Answer { schema_version, dry_run, environment, secret, version, created, worth, errors })?;
    } else {
        let created = minute(created);
        context.ui.say(&format!("would go back to the value of {created} of `{name}`, version {version}"));
        context.ui.say(worth);
        for error in &errors {
            context.ui.problem(error);
        }
    }
    Ok(Kind::most_severe(errors.iter().map(Error::kind)).map_or(Exit::DONE, Exit::from))
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
