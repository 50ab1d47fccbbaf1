//! `generate`: values that are missing, or with `--replace` new ones.

use std::collections::BTreeSet;

use clap::Args;

use super::context::Context;
use super::session::Session;
use super::summary::Summary;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::manifest::Declaration;
use crate::name::SecretName;
use crate::plan::{self, Action, Plan, Scope, Step};
use crate::store::Store;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets; all that are missing when none is named
    names: Vec<String>,
    /// Make new values for the named secrets, and for what is made from them
    #[arg(long, requires = "names")]
    replace: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let scope = scope(&session, arguments)?;
    let _lock = if arguments.dry_run { None } else { Some(session.lock()?) };
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let plan = plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &scope);
    if arguments.dry_run {
        world.make(&mut opened.store, &plan)?;
        let delivered = world.rehearse(&opened.store)?;
        Summary::new(&session.environment, &session.manifest, &plan, &delivered, true).tell(context)?;
        return Ok(Exit::DONE);
    }
    if arguments.replace {
        refuse_unreadable_data(context, &opened.store, &plan)?;
        // What is only published leaves everything as it works now.
        let sharp: Vec<&Step> = plan.steps.iter().filter(|step| step.action == Action::Make).collect();
        let question = match sharp.as_slice() {
            [] => None,
            [step] => Some(format!("make a new value for `{}`; the old one stops working", step.secret)),
            steps => Some(format!("make new values for {} secrets; the old ones stop working", steps.len())),
        };
        if let Some(question) = question {
            context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
        }
    }
    let changed = world.make(&mut opened.store, &plan)?;
    let delivered = world.settle(&mut opened, "generate", &changed)?;
    Summary::new(&session.environment, &session.manifest, &plan, &delivered, false).tell(context)?;
    Ok(delivered.exit())
}

/// A new encryption key wants more than a habitual `y`: what was encrypted with the old one is lost to whoever has only
/// the new one, and nothing here encrypts it anew.
fn refuse_unreadable_data(context: &Context, store: &Store, plan: &Plan) -> Result<()> {
    let is_in_use = |step: &&Step| step.kind == "encryption-key" && store.current(&step.secret).is_some();
    let keys: Vec<String> = plan.steps.iter().filter(is_in_use).map(|step| format!("`{}`", step.secret)).collect();
    if keys.is_empty() || context.global.yes {
        return Ok(());
    }
    let message = format!("what is encrypted with {} cannot be read with a new value", keys.join(", "));
    Err(Error::new(Kind::Usage, "confirmation-needed", message)
        .hint("nothing was changed; vault-kit encrypts no data anew: whoever reads it needs the old value until that is done")
        .hint("to make a new value all the same, add `--yes`; the store keeps the old one for good"))
}

fn scope(session: &Session<'_>, arguments: &Arguments) -> Result<Scope> {
    if arguments.names.is_empty() {
        return Ok(Scope::All);
    }
    let names = arguments.names.iter().map(|name| generated(session, name)).collect::<Result<BTreeSet<_>>>()?;
    Ok(if arguments.replace { Scope::Replace(names) } else { Scope::Missing(names) })
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
