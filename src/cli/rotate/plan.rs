//! `rotate plan`: what is to come. Needs no identity.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::answer::minute;
use super::status::tell;
use super::unusable;
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::Result;
use crate::exit::Exit;
use crate::gather::Gather;
use crate::name::{EnvName, SecretName};
use crate::rotate::programs::waits_for_owner;
use crate::rotate::schedule::{self, How, Upcoming, Why};
use crate::rotate::undeclared::is_undeclared;
use crate::store::ledger::{Entry, Ledger};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {}

#[derive(Serialize)]
struct Plan<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    upcoming: Vec<Upcoming<'a>>,
    /// What stands in the way of rotations, now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked: Vec<Blocked>,
    /// The program of each hook that is named, as the manifest names it.
    programs: BTreeMap<&'a str, &'a str>,
}

/// What stands in the way of a rotation.
#[derive(Serialize)]
struct Blocked {
    code: String,
    message: String,
    fix: String,
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
    let blocked = blocked(&session, &ledger);
    let plan = Plan { schema_version: SCHEMA_VERSION, environment: &session.environment, upcoming, blocked, programs };
    if context.ui.json {
        context.ui.object(&plan)?;
    } else if plan.upcoming.is_empty() {
        let what = if plan.blocked.is_empty() { "nothing is ever rotated" } else { "nothing else is to be rotated" };
        context.ui.say(&format!("environment `{}`: {what}", session.environment));
    } else {
        context.ui.print(&as_table(&plan, context.now))?;
        for (hook, program) in &plan.programs {
            context.ui.say(&format!("hook `{hook}` is {program}"));
        }
        if plan.upcoming.iter().any(|it| it.aws.is_some()) {
            context.ui.say("requests to AWS are the most without retries, and one more a run asks for the account");
        }
    }
    if !context.ui.json {
        for Blocked { code, message, fix } in &plan.blocked {
            context.ui.warn(&format!("{code}: {message}: {fix}"));
        }
    }
    Ok(Exit::DONE)
}

/// What is on its way and is to end first, what AWS keeps from rotating, and the hooks that could not be run.
fn blocked(session: &Session<'_>, ledger: &Ledger) -> Vec<Blocked> {
    let paste = Paste::new(session.context);
    let going = |entry: &Entry| {
        let operation = entry.rotation.as_ref().filter(|it| it.is_open())?;
        let failures = operation.trouble.failures;
        let failed = if failures == 0 { String::new() } else { format!(", and failed {failures}×") };
        let is_gone = is_undeclared(&session.manifest, &session.environment, entry);
        let verb = if is_gone {
            "abort "
        } else if entry.tells_leaked {
            ""
        } else {
            "resume "
        };
        Some(Blocked {
            code: "rotation-in-flight".to_owned(),
            message: format!("`{}` is being rotated since {}{failed}", entry.name, minute(operation.started)),
            fix: paste.command(&format!("vault-kit rotate {verb}{}", entry.name)),
        })
    };
    let kept = |entry: &Entry| {
        let is_kept = waits_for_owner(&session.manifest, &session.environment, entry);
        is_kept.then(|| Blocked {
            code: "owner-untold".to_owned(),
            message: format!(
                "what the owner of `{}` was told last is not refused before it is told the value in force",
                entry.name
            ),
            fix: paste.command(&format!("vault-kit rotate {}", tell(entry))),
        })
    };
    let refused = |entry: &Entry| {
        let trouble = entry.refused.as_ref()?;
        Some(Blocked {
            code: trouble.failed.as_ref()?.code.clone(),
            message: format!("AWS kept `{}` from being rotated {}×", entry.name, trouble.failures),
            fix: paste.command(&format!("vault-kit rotate {}", entry.name)),
        })
    };
    let entries =
        ledger.secrets.values().flat_map(|entry| going(entry).into_iter().chain(kept(entry)).chain(refused(entry)));
    let hooks = unusable::on_host(session, ledger).into_iter().map(|it| Blocked {
        code: it.code.to_owned(),
        message: it.message,
        fix: paste.fix(&it.fix, session.root.path()),
    });
    entries.chain(hooks).collect()
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
