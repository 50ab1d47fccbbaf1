//! `check`: judges store, ledger and files. Writes nothing, and needs no identity.

mod changed;
mod host;
mod leaks;
mod remote;
mod reuse;
mod told;
mod traces;
pub mod values;

use std::mem::ManuallyDrop;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::context::{Context, identity_file, open_identity, process_environment};
use super::formats::{Formats, Wanted};
use super::paste::Paste;
use super::rotate::unusable;
use super::session::Session;
use super::{context, explain, mounted, readers, staged};
use crate::apply;
use crate::check::facts::{FileFact, GitFact, Place, StoreFact, UnusableHook};
use crate::check::{Code, Selection, Severity, environment, judge};
use crate::containers;
use crate::deliver::expected;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::gather::Gather;
use crate::manifest::{self, Declaration, Format};
use crate::observe::{self, Subject};
use crate::report::Frame;
use crate::scan::git::Snapshot;
use crate::store::ledger::Ledger;
use changed::Since;
use host::Host;
pub(super) use host::host;
use told::Judged;
use values::FromDisk;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where to look: repo, env, host (default) or remote; repeatable
    #[arg(
        long,
        value_enum,
        value_name = "PLACE",
        default_value = "host",
        hide_default_value = true,
        hide_possible_values = true
    )]
    at: Vec<At>,
    /// With `--at repo`: what the next commit would have
    #[arg(long, conflicts_with = "changed_since")]
    staged: bool,
    /// With `--at repo`: what a commit has
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["changed_since", "staged"], allow_hyphen_values = true)]
    commit: Option<String>,
    /// With `--at repo`: also what the commits of a range brought
    #[arg(long, value_name = "A..B", conflicts_with_all = ["staged", "commit"], allow_hyphen_values = true)]
    range: Option<String>,
    /// Tell it as github, human, json, junit or sarif; repeatable
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = Wanted::parse)]
    format: Vec<Wanted>,
    /// Also fail for what could not be looked at
    #[arg(long)]
    strict: bool,
    /// The least that fails: notice, warning or error
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "warning", hide_possible_values = true)]
    fail_on: FailOn,
    /// Tell findings of this code alone; repeatable
    #[arg(long, value_name = "CODE")]
    only: Vec<String>,
    /// Leave out findings of this code; repeatable
    #[arg(long, value_name = "CODE")]
    skip: Vec<String>,
    /// Tell only what changed since this git revision
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    changed_since: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Everything that is found
    Notice,
    /// What will break, and what is broken
    Warning,
    /// What is broken
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum At {
    /// The process environment, such as a CI job's
    Env,
    /// Store, ledger and output files
    Host,
    /// AWS Secrets Manager; of values only the names of keys in bundles
    Remote,
    /// The manifest and what is committed
    Repo,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let mut selection = arguments.selection()?;
    let formats = Formats::find(context, &arguments.format)?;
    let (session, staged) = arguments.project(context)?;
    formats.expect_free(&session)?;
    let since = arguments.changed_since.as_ref().map(|revision| Since::find(&session, revision)).transpose()?;
    let places: Vec<Place> = arguments.at.iter().map(|at| at.place()).collect();
    let unavailable = session.manifest.outputs_in(&session.environment).find_map(|output| match output.format {
        Format::NotYet(format) => Some(manifest::not_yet(format)),
        _ => None,
    });
    if let Some(error) = unavailable {
        return Err(error);
    }
    let mut host = if places.contains(&Place::Host) { host(&session)? } else { Host::without_store(&session)? };
    // Neither ledger nor facts are dropped: they end with the process, and have no value to be wiped.
    let ledger = ManuallyDrop::new(host.ledger.take());
    let ledger = ledger.as_ref();
    let expected = expected::files(&session.manifest, &session.environment, ledger, context.now);
    let trusted = session.is_trusted()?;
    let values = FromDisk::new(&session, host.identities.as_ref(), trusted);
    let subject = Subject {
        root: session.root.path(),
        manifest: &session.manifest,
        environment: &session.environment,
        ledger,
        store_digest: host.store_digest.as_deref(),
        expected: &expected,
        trusted,
        staged: staged.as_ref(),
    };
    let mut facts = ManuallyDrop::new(observe::look(&subject, &values));
    if facts.store == StoreFact::Absent && places.contains(&Place::Host) {
        facts.main_tree = session.main_tree()?.map(|it| it.to_string_lossy().into_owned());
    }
    if let Some(why) = context::git_is_elsewhere(session.root.path()) {
        facts.git = GitFact::Unreadable(why);
    }
    let variables = process_environment().into_iter().gather();
    if places.iter().any(|place| matches!(place, Place::Host | Place::Repo)) {
        facts.deployed = observe::deployment::look(&subject, &values, &variables, identity_file().as_deref());
        facts.stale_policies = observe::policies::look(&subject);
    }
    if let Some(ledger) = ledger.as_ref().filter(|_| places.contains(&Place::Host)) {
        reuse::look(&session, host.identities.as_ref(), &values, ledger, &mut facts);
        traces::look(&session, host.identities.as_ref(), &values, ledger, &mut facts);
    }
    if places.contains(&Place::Host) {
        // Nobody is asked for nothing: who would take the lock meanwhile without waiting for it is refused.
        facts.is_at_work = ledger.is_some_and(is_begun) && session.is_at_work();
        let files: Vec<&str> =
            facts.files.iter().filter_map(|(path, fact)| is_file(fact).then_some(path.as_str())).collect();
        let containers::Seen { stale, unseen } = mounted::seen(&session, &files);
        facts.stale_mounts = stale;
        facts.handwritten = observe::handwritten::look(&subject);
        readers::take_literally(&session, &mut facts.handwritten)?;
        facts.unseen.extend(unseen);
    }
    facts.hooks = arguments.hooks(&session, ledger, staged.is_some());
    values.result()?;
    facts.expected = expected;
    facts.open_files.extend(open_identity());
    facts.recipes = apply::recipes(&session.manifest, &session.environment, context.now);
    if places.contains(&Place::Env) {
        facts.variables = Some(environment::inspect(&session.manifest, &session.environment, &variables));
    }
    if let Some(range) = &arguments.range {
        facts.searched = Some(leaks::look(&session, range, &arguments.frame(&session))?);
    }
    let failure = if places.contains(&Place::Remote) { remote::look(&session, &mut facts)? } else { None };
    let mut report = judge::judge(&session.manifest, &session.environment, ledger, &facts, &places, context.now);
    selection.changed = since.and_then(|since| since.with_outputs(&session, &facts.expected));
    selection.apply(&mut report);
    told::complete(&mut report, &session);
    formats.tell(&Judged { report: &report, frame: &arguments.frame(&session) })?;
    let failure = failure.map(|it| Paste::new(context).error(it));
    if let Some(failure) = &failure {
        context.ui.problem(failure);
    }
    let kinds =
        report.exit_kind(arguments.fail_on.severity(), arguments.strict).into_iter().chain(failure.map(|it| it.kind()));
    Ok(Kind::most_severe(kinds).map_or(Exit::DONE, Exit::from))
}

fn is_begun(ledger: &Ledger) -> bool {
    ledger.secrets.values().any(|entry| entry.rotation.is_some())
}

/// Only what could be looked at is asked about: an absolute path of a stranger's manifest could not.
fn is_file(fact: &FileFact) -> bool {
    matches!(fact, FileFact::File(_))
}

impl Arguments {
    /// The project, and what git's index or a commit has of it where that is asked for.
    fn project<'a>(&self, context: &'a Context) -> Result<(Session<'a>, Option<Snapshot>)> {
        let flag = match (self.staged, &self.commit) {
            (true, _) => "--staged",
            (false, Some(_)) => "--commit HEAD",
            (false, None) if self.range.is_some() && !self.at.contains(&At::Repo) => {
                return Err(Error::usage("the commits of a range are the repository's")
                    .hint("`vault-kit check --at repo --range A..B`; `--at host` may stand beside it"));
            }
            (false, None) => return Ok((Session::open(context)?, None)),
        };
        if self.at != [At::Repo] {
            return Err(Error::usage("only what is committed is in git's index, or in a commit")
                .hint(format!("`vault-kit check --at repo {flag}`")));
        }
        match &self.commit {
            Some(commit) => staged::expect_commit(context, commit),
            None => staged::open(context),
        }
    }

    /// The hooks that cannot be run, as far as the places can show it: git keeps no programs in its index.
    fn hooks(&self, session: &Session<'_>, ledger: Option<&Ledger>, is_staged: bool) -> Vec<UnusableHook> {
        match ledger {
            Some(ledger) if self.at.contains(&At::Host) => unusable::on_host(session, ledger),
            _ if self.at.contains(&At::Repo) && !is_staged => unusable::in_repository(session),
            _ => Vec::new(),
        }
    }

    fn frame(&self, session: &Session<'_>) -> Frame {
        let line = |it: &Arc<Declaration>| (it.name.clone(), u32::try_from(it.line).unwrap_or(u32::MAX));
        Frame {
            manifest: session.manifest.file.clone(),
            prefix: observe::prefix(session.root.path()),
            lines: session.manifest.secrets.values().map(line).gather(),
            fail_on: self.fail_on.severity(),
            strict: self.strict,
        }
    }

    fn selection(&self) -> Result<Selection> {
        let codes = |flag, names: &[String]| {
            let code = |name: &String| Code::of_text(name).ok_or_else(|| explain::unknown(name, Some(flag)));
            names.iter().map(code).collect::<Result<_>>()
        };
        let selection =
            Selection { only: codes("--only", &self.only)?, skip: codes("--skip", &self.skip)?, changed: None };
        match selection.contradiction() {
            None => Ok(selection),
            Some(code) => {
                let code = code.text();
                Err(Error::usage(format!("`--only {code}` and `--skip {code}` contradict each other"))
                    .hint("nothing was looked at; leave one of them out"))
            }
        }
    }
}

impl FailOn {
    fn severity(self) -> Severity {
        match self {
            Self::Notice => Severity::Notice,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

impl At {
    fn place(self) -> Place {
        match self {
            Self::Env => Place::Env,
            Self::Host => Place::Host,
            Self::Remote => Place::Remote,
            Self::Repo => Place::Repo,
        }
    }
}
