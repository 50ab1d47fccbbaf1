//! `store recover`: the store and its second copy made to agree.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::Context;
use super::session::Session;
use crate::audit;
use crate::error::Result;
use crate::exit::Exit;
use crate::manifest::Declaration;
use crate::manifest::hook::Step;
use crate::name::SecretName;
use crate::shell;
use crate::store::Store;
use crate::store::files::{Opened, StoreFiles};
use crate::store::recover::{Manner, Record, Recovered, Recovery};
use crate::ui::SCHEMA_VERSION;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring a lost, damaged or older store back from its second copy; what is replaced is kept aside
    Recover {
        /// Keep the project's store although the second copy is newer
        #[arg(long)]
        accept_older: bool,
        /// Tell what would be done, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    outcome: Recovery,
    /// Whether something newer is known than what won.
    older: bool,
    /// Whether nothing tells what leaked since, and what owners were told.
    forgotten: bool,
    /// The secrets that have a value in force again which leaked since.
    leaked: &'a [SecretName],
    /// The file that keeps what was replaced.
    kept: Option<&'a str>,
    /// Whether the ledger could not be read, so that it is made anew.
    ledger_anew: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let Verb::Recover { accept_older, dry_run } = arguments.verb;
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.preflight()?;
    let owned: Vec<SecretName> = world
        .manifest
        .secrets_in(world.environment)
        .filter(|it| is_owned(&session, it))
        .map(|it| it.name.clone())
        .collect();
    let announce = |store: &Store, change| audit::announce(&session.root, store, vec![change]);
    let newest = |store: &Store| audit::newest_generation(&session.root, store);
    let record = Record { announce: &announce, newest: &newest };
    let recover =
        |dry_run| files.recover(&identities, Manner { accept_older, dry_run, owned: &owned }, context.now, &record);
    let older = format!("go on with an older `{}`, without what was changed since", files.store_path());
    if !dry_run && accept_older && recover(true)?.is_older {
        context.ui.confirm(&older, context.global.yes, !context.global.non_interactive)?;
    }
    let recovered = recover(dry_run)?;
    let recovery = recovered.recovery;
    let flaw = files.ledger_flaw()?;
    // Which store it will be is known where nothing has to be brought back.
    let is_known = world.consent.clock && (!dry_run || recovery == Recovery::Nothing);
    let store = if is_known { files.open(&identities)? } else { None };
    let goes_back = store.as_ref().is_some_and(|store| store.is_clock_behind(world.now));
    tell(context, &files, &recovered, (flaw, goes_back), dry_run);
    let answer = Answer {
        schema_version: SCHEMA_VERSION,
        dry_run,
        outcome: recovery,
        older: recovered.is_older,
        forgotten: recovered.is_forgotten,
        leaked: &recovered.leaked,
        kept: recovered.aside.as_deref(),
        ledger_anew: flaw.is_some(),
    };
    if dry_run {
        store.as_ref().inspect(|store| tell_clock(context, store, dry_run));
        if accept_older && recovered.is_older {
            context.say_question(&older);
        }
        if let Some(store) = store.as_ref().filter(|_| goes_back) {
            context.say_question(&clock_question(&world, store));
        }
        return answer.tell(context);
    }
    if flaw.is_some() {
        files.drop_ledger()?;
    }
    let mut opened = session.open_store_for_writing(&identities)?;
    let unknown = world.record_recovered(&opened, recovered.is_forgotten)?;
    for path in &unknown {
        let import = format!("`vault-kit import --replace {}`", shell::path(path));
        context.warn(&format!(
            "`{path}` has values that the store does not: before it is written anew, take them in with {import}"
        ));
    }
    if world.consent.clock && opened.store.is_clock_behind(world.now) {
        accept_clock(context, &world, &mut opened)?;
    }
    if recovery != Recovery::Nothing {
        let next = "write the files anew with `vault-kit render`, then see `vault-kit check`";
        context.say(next);
    }
    answer.tell(context)
}

impl Answer<'_> {
    /// As JSON, if that is asked for; the words were said on the way.
    fn tell(&self, context: &Context) -> Result<Exit> {
        if context.ui.json {
            context.ui.object(self)?;
        }
        Ok(Exit::DONE)
    }
}

fn clock_question(world: &World<'_>, store: &Store) -> String {
    format!("is it {} now? the store goes on from then, not from {}", world.now, store.updated)
}

/// Sets the time of a store back to that of the clock, once a person said that the clock is right.
fn accept_clock(context: &Context, world: &World<'_>, opened: &mut Opened) -> Result<()> {
    let question = clock_question(world, &opened.store);
    context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    tell_clock(context, &opened.store, false);
    opened.store.accept_clock(world.now);
    world.reseal(opened, "accept-clock")
}

/// Tells what becomes of the time of a store that the clock stands behind.
fn tell_clock(context: &Context, store: &Store, dry_run: bool) {
    let (ui, now) = (context.ui, context.now);
    if !store.is_clock_behind(now) {
        return;
    }
    let verb = if dry_run { "would set" } else { "set" };
    ui.say(&format!(
        "{verb} the store's time back from {} to {now}: what it says of later was done now",
        store.updated
    ));
    let names: Vec<&str> = store.not_yet_valid(now).into_iter().map(SecretName::as_str).collect();
    if !names.is_empty() {
        let rotate = format!("`vault-kit rotate {}`", names.join(" "));
        context.warn(&format!("made ahead of the clock, and refused until then; replace it: {rotate}"));
    }
}

/// Whether a hook can tell the owner of a secret its value.
fn is_owned(session: &Session<'_>, declaration: &Declaration) -> bool {
    session.manifest.hooks_for(declaration, Step::Set).next().is_some()
}

fn tell(
    context: &Context,
    files: &StoreFiles<'_>,
    recovered: &Recovered,
    (flaw, goes_back): (Option<&str>, bool),
    dry_run: bool,
) {
    let verb = |done: &'static str, planned: &'static str| if dry_run { planned } else { done };
    if let Some(flaw) = flaw {
        let makes = verb("made", "would make");
        context.ui.say(&format!("{makes} `{}` anew: it {} {flaw}", files.ledger_path(), verb("was", "is")));
    }
    let path = files.store_path();
    context.ui.say(&match recovered.recovery {
        Recovery::Nothing if flaw.is_some() || goes_back => format!("`{path}` and its second copy agree"),
        Recovery::Nothing => format!("`{path}` and its second copy agree: nothing to do"),
        Recovery::CopyRefreshed if dry_run => format!("would make the second copy follow `{path}`"),
        Recovery::CopyRefreshed => format!("the second copy follows `{path}` now"),
        Recovery::StoreRestored => format!("{} `{path}` back from its second copy", verb("brought", "would bring")),
    });
    if let Some(aside) = &recovered.aside {
        context.ui.say(&format!("what it replaced is kept in `{aside}`"));
    }
    if recovered.is_older {
        let owners = "owners may know newer values: `vault-kit rotate status` names those to be told";
        context.warn(&format!("`{path}` is older than what is known of it; {owners}"));
        if recovered.is_forgotten {
            let leaks = "whatever leaked since, it does not know, nor what owners were told: `vault-kit audit show --action incident`";
            context.warn(&format!("{leaks} names the secrets that were declared, each to be declared again"));
        }
        for name in &recovered.leaked {
            let (is, words) = (verb("is", "would be"), format!("`vault-kit incident {name}`"));
            context.warn(&format!("`{name}` leaked, and {is} in force again: have it replaced with {words}"));
        }
    }
}
