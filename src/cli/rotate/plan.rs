//! `rotate plan`: what is to come. Needs no identity.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::answer::minute;
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::Result;
use crate::exit::Exit;
use crate::gather::Gather;
use crate::name::{EnvName, SecretName};
use crate::rotate::schedule::{self, How, Upcoming, Why};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {}

#[derive(Serialize)]
struct Plan<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    upcoming: Vec<Upcoming<'a>>,
    /// The program of each hook that is named, as the manifest names it.
    programs: BTreeMap<&'a str, &'a str>,
}

pub fn run(context: &Context, _: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let files = session.files();
    let ledger = match (files.present()?, files.ledger()?) {
        (Some(_), Some(ledger)) => ledger,
        (None, _) => return Err(session.no_store()),
        (Some(_), None) => return Err(no_ledger()),
    };
    let programs = super::programs(&session);
    let upcoming = schedule::upcoming(&session.manifest, &session.environment, &ledger, &programs, context.now);
    let is_asked = |name: &str| {
        let hooks = |it: &Upcoming<'_>| it.hooks.iter().any(|hook| hook.split(' ').next() == Some(name));
        upcoming.iter().any(|it| hooks(it) || it.reloads.contains(name))
    };
    let asked = session.manifest.hooks.values().filter(|hook| is_asked(hook.name.as_str()));
    let programs = asked.map(|hook| (hook.name.as_str(), hook.program.as_str())).gather();
    let plan = Plan { schema_version: SCHEMA_VERSION, environment: &session.environment, upcoming, programs };
    if context.ui.json {
        context.ui.object(&plan)?;
    } else if plan.upcoming.is_empty() {
        context.ui.say(&format!("environment `{}`: nothing is ever rotated", session.environment));
    } else {
        context.ui.print(&as_table(&plan, context.now))?;
        for (hook, program) in &plan.programs {
            context.ui.say(&format!("hook `{hook}` is {program}"));
        }
        if plan.upcoming.iter().any(|it| it.aws.is_some()) {
            context.ui.say("requests to AWS are the most without retries, and one more a run asks for the account");
        }
    }
    Ok(Exit::DONE)
}

fn no_ledger() -> crate::error::Error {
    use crate::error::{Error, Kind};
    Error::new(Kind::Store, "ledger-missing", "there is no ledger, which knows when each value was made")
        .hint("make it anew with `vault-kit render`")
}

fn as_table(plan: &Plan<'_>, now: chrono::DateTime<chrono::Utc>) -> String {
    let head = ["NAME", "KIND", "DUE", "WHY", "HOW", "FOLLOWS"].map(str::to_owned);
    let row = |it: &Upcoming<'_>| {
        let due = if it.due <= now { format!("{}, now", minute(it.due)) } else { minute(it.due) };
        [it.secret.to_string(), it.kind.to_owned(), due, why(it.why).to_owned(), how(it), follows(it)]
    };
    table(&std::iter::once(head).chain(plan.upcoming.iter().map(row)).collect::<Vec<_>>())
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Activation => "signs from then",
        Why::Leak => "leaked",
        Why::Overlap => "overlap ends",
        Why::Renewal => "renewal",
        Why::Rotation => "rotate",
    }
}

fn how(it: &Upcoming<'_>) -> String {
    let hooks = if it.hooks.is_empty() { String::new() } else { format!(": {}", it.hooks.join(", ")) };
    let aws = it.aws.as_ref().map(|aws| format!(" ({}: {} requests)", aws.name, aws.requests));
    let hooks = aws.unwrap_or_default() + &hooks;
    match it.how {
        How::Scheduled => format!("rotate --due{hooks}"),
        How::ByName => format!("rotate {}{hooks}", it.secret),
        How::ByHand => format!("by hand{}", it.owner.map(|owner| format!(": {owner}")).unwrap_or_default()),
    }
}

fn follows(it: &Upcoming<'_>) -> String {
    let made = it.follows.iter().map(SecretName::to_string);
    let reloads = it.reloads.iter().map(|hook| format!("reload of {hook}"));
    let all: Vec<String> = made.chain(reloads).collect();
    if all.is_empty() { "–".to_owned() } else { all.join(", ") }
}
