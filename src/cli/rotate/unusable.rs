//! Hooks that cannot be run, told before a rotation calls them.

use std::collections::BTreeSet;

use crate::check::facts::UnusableHook;
use crate::cli::session::Session;
use crate::error::{Error, Result};
use crate::hook::{Found, Hook};
use crate::rotate::schedule;
use crate::store::ledger::Ledger;

/// Those that this user's rotations on this host will call, by what is scheduled and on its way.
pub fn on_host(session: &Session<'_>, ledger: &Ledger) -> Vec<UnusableHook> {
    let programs = super::programs(session);
    let asked: BTreeSet<String> =
        schedule::asked(&session.manifest, &session.environment, ledger, &programs, session.context.now);
    let hooks = session.manifest.hooks.values().filter(|hook| asked.contains(hook.name.as_str()));
    unusable(hooks, |hook| session.program(hook).map(drop))
}

/// Those whose program a repository should have and has not, whoever may trust it elsewhere.
pub fn in_repository(session: &Session<'_>) -> Vec<UnusableHook> {
    unusable(session.manifest.hooks.values(), |hook| Found::expect_committed(&session.root, hook))
}

fn unusable<'h>(hooks: impl Iterator<Item = &'h Hook>, expect: impl Fn(&Hook) -> Result<()>) -> Vec<UnusableHook> {
    let told = |hook: &Hook| {
        let error = expect(hook).err()?;
        let (message, fix) = (error.to_string(), fix(hook, &error));
        Some(UnusableHook { hook: hook.name.to_string(), line: hook.line, code: error.code(), message, fix })
    };
    hooks.filter_map(told).collect()
}

/// The command of a hint, where it has one.
fn fix(hook: &Hook, error: &Error) -> String {
    if error.code() == "untrusted-hook" {
        return format!("vault-kit trust    # once you read {}", hook.program);
    }
    let hint = error.hints().first().map_or("", |hint| hint.as_ref());
    // A word alone is a path.
    let command = hint.split('`').skip(1).step_by(2).find(|it| it.contains(' '));
    match (error.code(), command) {
        (_, Some(command)) => command.to_owned(),
        ("hook-missing", None) => {
            format!("put {} back, or name the place where it is, in line {} of the manifest", hook.program, hook.line)
        }
        (_, None) => hint.to_owned(),
    }
}
