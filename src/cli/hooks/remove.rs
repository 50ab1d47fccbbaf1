//! `hooks remove`: ours are taken out wherever they are called, and what was there before is put back.

use std::collections::BTreeSet;

use super::super::context::Context;
use super::{Answer, Place, aside, executable, read};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::git_hooks::{self, BEFORE, Event};
use crate::private_file::Root;
use crate::shell;

pub(super) fn remove(context: &Context, place: &Place, dry_run: bool) -> Result<Exit> {
    let Some(root) = Root::open_existing(&place.directory)? else {
        for event in Event::ALL {
            say_foreign(context, event, place);
        }
        return Answer::new(dry_run, Vec::new()).tell(context);
    };
    if !dry_run {
        aside::sweep(&root, context)?;
    }
    let (mut removed, mut refused) = (Vec::new(), Vec::new());
    for event in Event::ALL {
        let hook = Hook { context, root: &root, event, place, dry_run };
        match hook.remove() {
            Ok(files) => removed.extend(files),
            // What is in the way of one is not in that of the others.
            Err(error) if error.code() == "symlink" => refused.push(error),
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = Error::all(refused) {
        return Err(error);
    }
    if removed.is_empty() && !place.is_project {
        refuse_others(&root, place)?;
    }
    Answer::new(dry_run, removed).tell(context)
}

/// Says which projects the hooks look at that are there. As at the top of a work tree whose projects are further down: whoever is
/// told that nothing of ours is there goes away with the hooks in place.
fn refuse_others(root: &Root, place: &Place) -> Result<()> {
    let mut projects = BTreeSet::new();
    for event in Event::ALL {
        for file in event.files() {
            let text = read(root, &file)?.filter(|text| git_hooks::is_ours(text)).unwrap_or_default();
            projects.extend(git_hooks::projects(&text).into_iter().map(str::to_owned));
        }
    }
    if projects.is_empty() {
        return Ok(());
    }
    let message = "there is no vault-kit.toml here, and the hooks are those of projects elsewhere in this work tree";
    let hint = |error: Error, project: &String| {
        let top = shell::path(&place.top.to_string_lossy());
        error.hint(format!("`cd {top} && vault-kit -C {project} hooks remove`"))
    };
    Err(projects.iter().fold(Error::usage(message), hint))
}

fn say_foreign(context: &Context, event: Event, place: &Place) {
    context.ui.say(&format!("{} is not ours: nothing to remove", place.file(event)));
}

struct Hook<'h> {
    context: &'h Context,
    root: &'h Root,
    event: Event,
    place: &'h Place,
    dry_run: bool,
}

impl Hook<'_> {
    /// Tells which files were taken out, or would be.
    fn remove(&self) -> Result<Vec<String>> {
        let (place, ui) = (self.place, &self.context.ui);
        let ours = self.ours()?;
        let mut removed = Vec::new();
        if ours.is_empty() && !self.finish()? {
            removed.extend(self.put_back()?);
        }
        for (file, text) in ours {
            let kept = aside::keep_edited(self.root, self.event, &file, &text, self.dry_run)?;
            let rest = self.event.without(&text, &place.project);
            if !self.dry_run {
                self.take_out(&file, rest.as_deref())?;
            }
            let verb = if self.dry_run { "would remove" } else { "removed" };
            let file = place.named(&file);
            ui.say(&match rest {
                Some(_) => format!("{verb} this project from {file}, which stays for others{kept}"),
                None => format!("{verb} {file}{kept}"),
            });
            removed.push(file);
        }
        Ok(removed)
    }

    /// Ours for this project, by file and text, wherever it is called.
    fn ours(&self) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        for file in self.event.files() {
            let text = read(self.root, &file)?;
            let is_ours = |it: &String| git_hooks::is_ours(it) && git_hooks::is_for(it, &self.place.project);
            found.extend(text.filter(is_ours).map(|it| (file, it)));
        }
        Ok(found)
    }

    /// `rest` is the hook for other projects.
    fn take_out(&self, file: &str, rest: Option<&str>) -> Result<()> {
        let root = self.root;
        if let Some(rest) = rest {
            return root.write(file, rest.as_bytes(), &executable(0o755)).map(drop);
        }
        let aside = self.aside();
        let Some(before) = root.read(&aside)? else { return root.remove(file).map(drop) };
        let mode = root.facts(&aside)?.map_or(0o755, |facts| facts.mode & 0o777);
        root.write(file, &before, &executable(mode))?;
        root.remove(&aside).map(drop)
    }

    /// Goes on where somebody was killed who had put back what was there before; tells whether there was something left.
    fn finish(&self) -> Result<bool> {
        let aside = self.aside();
        let before = self.root.read(&aside)?;
        let is_left = before.is_some() && before == self.root.read(self.event.file())?;
        if is_left && !self.dry_run {
            self.root.remove(&aside)?;
        }
        if is_left {
            let verb = if self.dry_run { "would remove" } else { "removed" };
            self.context.ui.say(&format!("{verb} {}: what was there before is in place", self.place.named(&aside)));
        }
        Ok(is_left)
    }

    /// Puts back what was there before where ours is gone; where another hook took its place, a person decides.
    fn put_back(&self) -> Result<Option<String>> {
        let (file, aside) = (self.event.file(), self.aside());
        let texts: Vec<Option<String>> =
            self.event.files().iter().map(|file| read(self.root, file)).collect::<Result<_>>()?;
        let is_used = texts.iter().flatten().any(|text| git_hooks::is_ours(text));
        let (shown, before) = (self.place.named(file), self.place.named(&aside));
        if is_used || self.root.read(&aside)?.is_none() {
            say_foreign(self.context, self.event, self.place);
            return Ok(None);
        }
        if texts[0].is_some() {
            let what = "is not ours, and the hook that was there before ours is still";
            self.context.ui.say(&format!("{shown} {what} {before}: look into both, and leave one of them"));
            return Ok(None);
        }
        if !self.dry_run {
            self.take_out(file, None)?;
        }
        let verb = if self.dry_run { "would put back" } else { "put back" };
        self.context.ui.say(&format!("{verb} {shown}: ours was gone, and what was there before it was not"));
        Ok(Some(shown))
    }

    fn aside(&self) -> String {
        format!("{}{BEFORE}", self.event.file())
    }
}
