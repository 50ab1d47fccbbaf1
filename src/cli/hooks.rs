//! `hooks install|remove|status`: git's hooks that stop a leak before it is committed or pushed. Rotation hooks belong to
//! `rotate` and `trust`.

mod place;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::git_hooks::{self, BEFORE, Event};
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
    /// Ours, for this project.
    Installed,
    /// Ours, of another version.
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
        Verb::Remove { dry_run } => remove(context, &place, dry_run),
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
        if read(&root, event.file())?.is_some_and(|text| !git_hooks::is_ours(&text)) {
            keep(&root, event, place, true)?;
        }
    }
    let mut written = Vec::new();
    for event in Event::ALL {
        let existing = read(&root, event.file())?;
        let ours = existing.as_deref().filter(|text| git_hooks::is_ours(text));
        let text = event.with(ours, &place.project);
        if existing.as_deref() == Some(&text) && is_called(&root, event, place)? {
            context.ui.say(&format!("{} is in place", place.file(event)));
            continue;
        }
        let kept =
            if existing.is_some() && ours.is_none() { keep(&root, event, place, dry_run)? } else { String::new() };
        if !dry_run {
            root.write(event.file(), text.as_bytes(), &executable(0o755))?;
        }
        let would = if dry_run { "would write" } else { "wrote" };
        context.ui.say(&format!("{would} {}{kept}", place.file(event)));
        written.push(place.file(event));
    }
    for advice in &place.advice {
        context.ui.say(advice);
    }
    Answer::new(dry_run, written).tell(context)
}

/// Puts a hook of somebody else aside; tells in words that it did.
fn keep(root: &Root, event: Event, place: &Place, dry_run: bool) -> Result<String> {
    let aside = format!("{}{BEFORE}", event.file());
    if root.facts(&aside)?.is_some() {
        let message = format!("`{}` is not ours, and neither is `{}{BEFORE}`", place.file(event), place.file(event));
        let (file, hint) = (place.file(event), "look into both, and leave one of them");
        return Err(Error::new(Kind::Conflict, "hooks-in-the-way", message).hint(format!("{hint}: `{file}`")));
    }
    let bytes = root.read(event.file())?.unwrap_or_default();
    let mode = root.facts(event.file())?.map_or(0o755, |facts| facts.mode & 0o777);
    if !dry_run {
        root.write(&aside, &bytes, &executable(mode))?;
    }
    Ok(format!("; the hook that was there is kept as {aside}, and runs first"))
}

fn remove(context: &Context, place: &Place, dry_run: bool) -> Result<Exit> {
    let root = Root::open_existing(&place.directory)?;
    let mut removed = Vec::new();
    for event in Event::ALL {
        let ours = root.as_ref().map(|root| ours(root, event, place)).transpose()?.unwrap_or_default();
        if ours.is_empty() {
            context.ui.say(&format!("{} is not ours: nothing to remove", place.file(event)));
        }
        for (file, text) in ours {
            if let Some(root) = root.as_ref().filter(|_| !dry_run) {
                take_out(root, event, &file, &text, place)?;
            }
            let file = place.named(&file);
            context.ui.say(&format!("{} {file}", if dry_run { "would remove" } else { "removed" }));
            removed.push(file);
        }
    }
    Answer::new(dry_run, removed).tell(context)
}

/// Ours for this project, by file and text, wherever it is called.
fn ours(root: &Root, event: Event, place: &Place) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for file in event.files() {
        let text = read(root, &file)?;
        found.extend(
            text.filter(|it| git_hooks::is_ours(it) && git_hooks::is_for(it, &place.project)).map(|it| (file, it)),
        );
    }
    Ok(found)
}

fn take_out(root: &Root, event: Event, file: &str, text: &str, place: &Place) -> Result<()> {
    if let Some(rest) = event.without(text, &place.project) {
        return root.write(file, rest.as_bytes(), &executable(0o755)).map(drop);
    }
    let aside = format!("{}{BEFORE}", event.file());
    let Some(before) = root.read(&aside)? else { return root.remove(file).map(drop) };
    let mode = root.facts(&aside)?.map_or(0o755, |facts| facts.mode & 0o777);
    root.write(file, &before, &executable(mode))?;
    root.remove(&aside).map(drop)
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
        let existing = root.as_ref().map(|root| read(root, event.file())).transpose()?.flatten();
        let called = root.as_ref().map(|root| is_called(root, event, place)).transpose()?.unwrap_or_default();
        let state = match &existing {
            Some(text) if !git_hooks::is_ours(text) || !git_hooks::is_for(text, &place.project) => State::Missing,
            Some(text) if event.with(Some(text), &place.project) != *text => State::Outdated,
            Some(_) if called => State::Installed,
            Some(_) => State::Disabled,
            None => State::Missing,
        };
        hooks.push(Hook { name: event.file(), file: place.file(event), state });
    }
    let is_good = hooks.iter().all(|hook| hook.state == State::Installed);
    if context.ui.json {
        context.ui.object(&serde_json::json!({ "schema_version": SCHEMA_VERSION, "hooks": hooks }))?;
    } else {
        for hook in &hooks {
            let state = match hook.state {
                State::Installed => "installed",
                State::Disabled => "not executable, so that git passes it by: `vault-kit hooks install` mends that",
                State::Outdated => "of another version: `vault-kit hooks install` brings it up to date",
                State::Missing => "missing: `vault-kit hooks install` writes it",
            };
            context.ui.print(&format!("{}  {state}\n", hook.file))?;
        }
    }
    Ok(if is_good { Exit::DONE } else { Exit::from(Kind::Findings) })
}

/// Whether a hook that is there is called: git passes by one that nobody may execute, and husky hands it to a shell.
fn is_called(root: &Root, event: Event, place: &Place) -> Result<bool> {
    Ok(place.is_husky || root.facts(event.file())?.is_some_and(|facts| facts.mode & 0o111 != 0))
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
