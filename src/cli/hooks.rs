//! `hooks install|remove|status`: git's hooks that stop a leak before it is committed or pushed. Rotation hooks belong to
//! `rotate` and `trust`.

mod aside;
mod place;
mod remove;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::Context;
use crate::error::{Kind, Result};
use crate::exit::Exit;
use crate::git_hooks::{self, Event};
use crate::private_file::{Root, WriteOptions};
use crate::ui::SCHEMA_VERSION;
use place::Place;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Have git call `scan` and `check` before each commit, merge and push; hooks that are there are kept, and run first
    Install {
        /// Tell what would be written, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Take them out again, and put back what was there before
    Remove {
        /// Tell what would be removed, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Tell whether they are there; exit 1 if not
    Status,
}

/// What is at the place of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Ours, by a name that nobody calls.
    Aside,
    /// Ours, for this project.
    Installed,
    /// Ours, of another version or edited.
    Outdated,
    /// Ours, and nobody may execute it: git passes by such a hook.
    Disabled,
    /// None, or one that does not look at this project.
    Missing,
}

/// What `install` and `remove` did, or would do.
#[derive(Serialize)]
struct Answer {
    schema_version: u32,
    dry_run: bool,
    changed: bool,
    /// The files that were written or taken out.
    files: Vec<String>,
}

impl Answer {
    fn new(dry_run: bool, files: Vec<String>) -> Self {
        Self { schema_version: SCHEMA_VERSION, dry_run, changed: !files.is_empty(), files }
    }

    /// As JSON, if that is asked for; the words were said on the way.
    fn tell(&self, context: &Context) -> Result<Exit> {
        if context.ui.json {
            context.ui.object(self)?;
        }
        Ok(Exit::DONE)
    }
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let place = Place::find(context, matches!(arguments.verb, Verb::Remove { .. }))?;
    match arguments.verb {
        Verb::Install { dry_run } => install(context, &place, dry_run),
        Verb::Remove { dry_run } => remove::remove(context, &place, dry_run),
        Verb::Status => status(context, &place),
    }
}

fn install(context: &Context, place: &Place, dry_run: bool) -> Result<Exit> {
    if !place.is_inside && !dry_run {
        let question = format!("`{}` serves other repositories too; write hooks there", place.shown());
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    if dry_run && !place.directory.exists() {
        for event in Event::ALL {
            context.ui.say(&format!("would write {}", place.file(event)));
        }
        return Answer::new(dry_run, Event::ALL.iter().map(|&event| place.file(event)).collect()).tell(context);
    }
    let root = if dry_run { Root::open(&place.directory)? } else { Root::create(&place.directory, 0o755)? };
    // What is in the way is told before anything is written.
    for event in Event::ALL {
        let file = called(&root, event)?;
        if read(&root, &file)?.is_some_and(|text| !git_hooks::is_ours(&text)) {
            aside::keep(&root, event, place, true)?;
        }
    }
    if !dry_run {
        aside::sweep(&root, context)?;
    }
    let mut written = Vec::new();
    for event in Event::ALL {
        let file = called(&root, event)?;
        let existing = read(&root, &file)?;
        let ours = existing.as_deref().filter(|text| git_hooks::is_ours(text));
        let text = event.with(ours, &place.project);
        if existing.as_deref() == Some(&text) && is_called(&root, &file, place)? {
            context.ui.say(&format!("{} is in place", place.named(&file)));
            continue;
        }
        let kept = match (&existing, ours) {
            (Some(_), None) => aside::keep(&root, event, place, dry_run)?,
            (_, Some(ours)) => aside::keep_edited(&root, event, &file, ours, dry_run)?,
            (None, None) => String::new(),
        };
        if !dry_run {
            root.write(&file, text.as_bytes(), &executable(0o755))?;
        }
        let would = if dry_run { "would write" } else { "wrote" };
        let file = place.named(&file);
        context.ui.say(&format!("{would} {file}{kept}"));
        written.push(file);
    }
    for advice in &place.advice {
        context.ui.say(advice);
    }
    Answer::new(dry_run, written).tell(context)
}

/// The file of ours that is called: beside the hook of a framework that calls it by another name, or git's own.
fn called(root: &Root, event: Event) -> Result<String> {
    let is_of_framework = read(root, event.file())?.is_some_and(|text| !git_hooks::is_ours(&text));
    let legacy = event.legacy();
    let is_kept = is_of_framework && read(root, &legacy)?.is_some_and(|text| git_hooks::is_ours(&text));
    Ok(if is_kept { legacy } else { event.file().to_owned() })
}

fn status(context: &Context, place: &Place) -> Result<Exit> {
    #[derive(Serialize)]
    struct Hook {
        name: &'static str,
        file: String,
        state: State,
    }
    let root = Root::open_existing(&place.directory)?;
    let mut hooks = Vec::new();
    for event in Event::ALL {
        let (file, state) = match &root {
            Some(root) => state(root, event, place)?,
            None => (event.file().to_owned(), State::Missing),
        };
        hooks.push(Hook { name: event.file(), file: place.named(&file), state });
    }
    let is_good = hooks.iter().all(|hook| hook.state == State::Installed);
    if context.ui.json {
        context.ui.object(&serde_json::json!({ "schema_version": SCHEMA_VERSION, "hooks": hooks }))?;
    } else {
        for hook in &hooks {
            let state = match hook.state {
                State::Aside => {
                    "put aside by another tool, which does not call it: `vault-kit hooks install` calls both"
                }
                State::Installed => "installed",
                State::Disabled => "not executable, so that git passes it by: `vault-kit hooks install` mends that",
                State::Outdated => {
                    "of another version, or edited: `vault-kit hooks install` writes it anew, and keeps what is there beside it"
                }
                State::Missing => "missing: `vault-kit hooks install` writes it",
            };
            context.ui.print(&format!("{}  {state}\n", hook.file))?;
        }
    }
    Ok(if is_good { Exit::DONE } else { Exit::from(Kind::Findings) })
}

/// The file of ours, and what is to be said of it.
fn state(root: &Root, event: Event, place: &Place) -> Result<(String, State)> {
    let is_ours = |text: &str| git_hooks::is_ours(text) && git_hooks::is_for(text, &place.project);
    let (file, old) = (called(root, event)?, event.old());
    let state = match read(root, &file)? {
        Some(text) if is_ours(&text) && event.with(Some(&text), &place.project) != text => State::Outdated,
        Some(text) if is_ours(&text) && is_called(root, &file, place)? => State::Installed,
        Some(text) if is_ours(&text) => State::Disabled,
        _ if read(root, &old)?.is_some_and(|text| is_ours(&text)) => return Ok((old, State::Aside)),
        _ => State::Missing,
    };
    Ok((file, state))
}

/// Whether a hook that is there is called: git passes by one that nobody may execute, and husky hands it to a shell.
fn is_called(root: &Root, file: &str, place: &Place) -> Result<bool> {
    Ok(place.is_husky || root.facts(file)?.is_some_and(|facts| facts.mode & 0o111 != 0))
}

/// A hook as text; one that is none is somebody else's in any case.
fn read(root: &Root, file: &str) -> Result<Option<String>> {
    let bytes = root.read(file).map_err(|error| match error.code() {
        "symlink" => error.hint(match file {
            "commit-msg" => "call `vault-kit scan --message \"$1\"` in what it points to",
            "pre-push" => "call `vault-kit scan --range -` in what it points to",
            _ => "call `vault-kit scan --staged` and `vault-kit check --at repo --staged` in what it points to",
        }),
        _ => error,
    })?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn executable(mode: u32) -> WriteOptions {
    WriteOptions { mode, ..WriteOptions::PUBLIC }
}
