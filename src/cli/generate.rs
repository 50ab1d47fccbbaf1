//! `generate`: values that are missing, or with `--replace` new ones.

use std::collections::BTreeSet;

use clap::Args;

use super::consequences;
use super::context::Context;
use super::mounted;
use super::session::Session;
use super::summary::Summary;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::manifest::Declaration;
use crate::manifest::hook::Step as HookStep;
use crate::name::SecretName;
use crate::plan::{self, Action, Plan, Publishing, Scope, Step, Why};
use crate::store::Store;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets; all that are missing when none is named
    names: Vec<String>,
    /// Make new values for the named secrets, and for what is made from them
    #[arg(long, requires = "names")]
    replace: bool,
    /// Refuse the old values at once, whatever their overlap
    #[arg(long, requires = "replace")]
    revoke: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let scope = scope(&session, arguments)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let plan = plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &scope);
    let mut consequences = consequences::of_plan(&session, &opened.store, &plan);
    consequences.extend(plan.steps.iter().filter_map(|step| unasked(&session, &opened.store, step)));
    consequences.extend(on_their_way(&session, &scope, &plan));
    consequences::say(context, &consequences);
    let question = question(&session, &opened.store, &plan).filter(|_| arguments.replace);
    if arguments.dry_run {
        let questions: Vec<String> =
            unreadable_data(&opened.store, &plan).filter(|_| arguments.replace).or(question).into_iter().collect();
        let (_, lists) = world.make_revoking(&mut opened.store, &plan)?;
        let delivered = world.rehearse(&mut opened.store)?.with_lists(lists);
        let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, true);
        summary.breaking(&consequences).asking(&questions).tell(context)?;
        return Ok(delivered.exit());
    }
    if arguments.replace {
        refuse_unreadable_data(context, &opened.store, &plan)?;
    }
    if let Some(question) = question {
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    let (changed, lists) = world.make_revoking(&mut opened.store, &plan)?;
    let delivered = mounted::noted(&session, world.settle(&mut opened, "generate", &changed)?).with_lists(lists);
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, false);
    summary.breaking(&consequences).tell(context)?;
    Ok(delivered.exit())
}

/// The keys and roots of which another one was asked for, and of which one is published that is to take their place.
fn on_their_way(session: &Session<'_>, scope: &Scope, plan: &Plan) -> Vec<String> {
    let Scope::Replace(names) = scope else { return Vec::new() };
    let is_still = |it: &&Publishing| plan.steps.iter().all(|step| step.secret != it.secret);
    let ours = plan.publishing.iter().filter(|it| names.contains(&it.secret)).filter(is_still);
    let line = |Publishing { secret, .. }: &Publishing| {
        let at_once = session.command(&format!("generate --replace {secret} --revoke"));
        format!("no other `{secret}` is made: the next one, published before, takes its place; at once: `{at_once}`")
    };
    ours.map(line).collect()
}

/// What a person must agree to; `None` when everything works on as it does now.
fn question(session: &Session<'_>, store: &Store, plan: &Plan) -> Option<String> {
    let sharp: Vec<&Step> = plan.steps.iter().filter(|step| is_sharp(step)).collect();
    let has_overlap =
        |step: &&Step| session.manifest.secret(&step.secret).is_some_and(|it| consequences::has_overlap(store, it));
    let mut replaced = sharp.iter().filter(|step| step.why == Why::Replaced).peekable();
    let softened = replaced.peek().is_some() && replaced.all(has_overlap);
    match sharp.as_slice() {
        [] => None,
        [step] if step.why == Why::Revoked => Some(format!("drop the old value of `{}` at once", step.secret)),
        [step] if softened => {
            Some(format!("make a new value for `{}`; the old one serves for its overlap", step.secret))
        }
        [step] => Some(format!("make a new value for `{}`; the old one stops working", step.secret)),
        steps if softened => {
            Some(format!("make new values for {} secrets; the old ones serve for their overlap", steps.len()))
        }
        steps => Some(format!("make new values for {} secrets; the old ones stop working", steps.len())),
    }
}

/// What to say of a new value whose owner is not told: hooks belong to rotations.
fn unasked(session: &Session<'_>, store: &Store, step: &Step) -> Option<String> {
    let name = &step.secret;
    let mut hooks = session.manifest.hooks_for(session.manifest.secret(name)?, HookStep::Set);
    let hook = hooks.next().filter(|_| step.action == Action::Make && store.current(name).is_some())?;
    Some(format!(
        "nobody tells the owner of `{name}`: hook `{}` is called by `vault-kit rotate {name}` alone",
        hook.name
    ))
}

/// What is only published leaves everything as it works now, and so does a successor that everybody knows.
fn is_sharp(step: &Step) -> bool {
    step.action == Action::Make || step.why == Why::Revoked
}

/// What a new encryption key leaves behind.
fn unreadable_data(store: &Store, plan: &Plan) -> Option<String> {
    let is_in_use = |step: &&Step| step.kind == "encryption-key" && store.current(&step.secret).is_some();
    let keys: Vec<String> = plan.steps.iter().filter(is_in_use).map(|step| format!("`{}`", step.secret)).collect();
    (!keys.is_empty()).then(|| format!("what is encrypted with {} cannot be read with a new value", keys.join(", ")))
}

/// A new encryption key wants more than a habitual `y`: what was encrypted with the old one is lost to whoever has only
/// the new one, and nothing here encrypts it anew.
pub fn refuse_unreadable_data(context: &Context, store: &Store, plan: &Plan) -> Result<()> {
    let Some(message) = unreadable_data(store, plan).filter(|_| !context.global.yes) else { return Ok(()) };
    Err(Error::new(Kind::Usage, "confirmation-needed", message)
        .hint("nothing was changed; vault-kit encrypts no data anew: whoever reads it needs the old value until that is done")
        .hint("to make a new value all the same, add `--yes`; the store keeps the old one for good"))
}

fn scope(session: &Session<'_>, arguments: &Arguments) -> Result<Scope> {
    if arguments.names.is_empty() {
        return Ok(Scope::All);
    }
    let names = arguments.names.iter().map(|name| generated(session, name)).collect::<Result<BTreeSet<_>>>()?;
    Ok(match (arguments.replace, arguments.revoke) {
        (_, true) => Scope::Revoke(names),
        (true, false) => Scope::Replace(names),
        (false, false) => Scope::Missing(names),
    })
}

fn generated(session: &Session<'_>, name: &str) -> Result<SecretName> {
    let name = session.secret(name)?;
    match session.manifest.secret(&name) {
        Some(declaration) if declaration.is_generated() => Ok(name),
        Some(declaration) if !declaration.is_stored() => Err(Error::usage(format!("`{name}` is a setting"))
            .hint("settings live in the manifest: edit its `value` there")),
        other => {
            let words = other.map_or_else(|| format!("set {name}"), Declaration::supply_words);
            Err(Error::usage(format!("`{name}` is not made by vault-kit"))
                .hint(format!("supply it with `{}`", session.command(&words))))
        }
    }
}
