//! `trust`: what a manifest asks for beyond its own directory, and this user's yes to it.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::hook::Found;
use crate::private_file::Root;
use crate::trust;
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Tell what would be trusted, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    changed: bool,
    /// What the manifest asks for.
    items: &'a [String],
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let items = trust::sensitive_items(&session.manifest);
    let hooks = hooks(&session)?;
    let asked: Vec<String> = items.iter().chain(&hooks).cloned().collect();
    let answer = |changed| {
        tell(context, &Answer { schema_version: SCHEMA_VERSION, dry_run: arguments.dry_run, changed, items: &asked })
    };
    if asked.is_empty() {
        context.ui.say("nothing to trust: the manifest stays within its own directory");
        return answer(false);
    }
    for item in &asked {
        context.ui.say(&format!("the manifest asks for {item}"));
    }
    if session.is_trusted()? && session.manifest.hooks.values().all(|hook| session.program(hook).is_ok()) {
        context.ui.say("you trust it already");
        return answer(false);
    }
    if arguments.dry_run {
        return answer(true);
    }
    context.ui.confirm("let it take effect", context.global.yes, !context.global.non_interactive)?;
    let state = session.state.as_ref().ok_or_else(|| {
        Error::new(Kind::System, "no-home", "there is no home directory to keep the decision in")
            .hint("set HOME or XDG_STATE_HOME")
    })?;
    let _lock = session.lock()?;
    trust::record(&Root::create(state, 0o700)?, &items, &hooks, context.now)?;
    context.ui.say("trusted; a change of any of these asks again");
    answer(true)
}

/// The answer as JSON, if that is asked for; the words were said on the way.
fn tell(context: &Context, answer: &Answer<'_>) -> Result<Exit> {
    if context.ui.json {
        context.ui.object(answer)?;
    }
    Ok(Exit::DONE)
}

/// Each hook with what trust in it is about. A program that cannot be trusted, or is not there, is an error.
fn hooks(session: &Session<'_>) -> Result<Vec<String>> {
    let found = session.manifest.hooks.values().map(|hook| (hook, Found::find(&session.root, hook)));
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for (hook, found) in found {
        match found {
            Ok(found) => items.push(trust::hook_item(&session.manifest, hook, found.digest())),
            Err(error) => errors.push(error),
        }
    }
    Error::all(errors).map_or(Ok(items), Err)
}
