//! What to do about a known value, by where it was found: what has not left this machine is taken out, and nothing has to be
//! replaced.

use std::cell::OnceCell;
use std::path::Path;

use super::super::context;
use super::super::paste::Paste;
use super::super::session::Session;
use super::known::OpenedStore;
use super::project::LeftOut;
use crate::ignore_lines;
use crate::incident::covered;
use crate::incident::standing::{self, Standing};
use crate::name::{SecretName, VersionId};
use crate::report::Frame;
use crate::scan::git::{self, Git};
use crate::scan::{Code, Finding, State, Within};
use crate::shell;

/// Where what was looked at can be by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// In git's index.
    Index,
    /// In the message of the commit that is to be made.
    Message,
    /// In commits that are about to be pushed.
    Unpushed,
    /// In the project's files.
    Project,
    /// Anywhere: in commits that others may have, in an image, in a file that somebody named.
    Elsewhere,
}

/// Completes what is to be done for whoever called us.
pub(super) struct Cures<'a> {
    session: &'a Session<'a>,
    paste: Paste,
    frame: &'a Frame,
    stores: &'a [OpenedStore],
    origin: Origin,
    /// Whether a path from the top of the repository is the same path where the user stands.
    is_at_top: bool,
    /// Where values belong.
    left_out: OnceCell<LeftOut>,
}

impl<'a> Cures<'a> {
    pub(super) fn new(session: &'a Session<'a>, frame: &'a Frame, stores: &'a [OpenedStore], origin: Origin) -> Self {
        let is_at_top = origin == Origin::Index && !context::is_below_top() && is_top(Path::new("."));
        let paste = Paste::new(session.context);
        Self { session, paste, frame, stores, origin, is_at_top, left_out: OnceCell::new() }
    }

    /// What to do, to be pasted where the user stands. `root` is the project's directory.
    pub(super) fn of(&self, finding: &Finding, root: &Path) -> String {
        if finding.code != Code::Leaked {
            return self.paste.fix(&finding.fix, root);
        }
        if finding.state == Some(State::Banned) {
            return self.of_banned(finding, root);
        }
        let (place, replace) = self.replace(finding, root);
        let before = match self.origin {
            Origin::Index | Origin::Project if finding.is_in_name() => RENAME.to_owned(),
            Origin::Index | Origin::Project if self.is_delivered(finding, root) => self.untrack(finding, root),
            Origin::Index => format!("take it out of the file and {}", self.add(finding)),
            Origin::Message => "take it out of the message".to_owned(),
            Origin::Unpushed => unpushed(finding),
            Origin::Project => "take it out of the file".to_owned(),
            Origin::Elsewhere if finding.is_in_header() => {
                let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
                return format!(
                    "{place}`{replace}`; take it out of {CONFIGURED} as well, which bring it into each commit"
                );
            }
            Origin::Elsewhere if place.is_empty() => return replace,
            Origin::Elsewhere => return format!("{place}: `{replace}`"),
        };
        let before =
            before + "; if it was pushed or shared" + if self.origin == Origin::Project { "" } else { " before" };
        let place = if place.is_empty() { String::new() } else { format!(", {place}") };
        format!("{before}{place}: `{replace}`")
    }

    /// What to do about a value that leaked before.
    fn of_banned(&self, finding: &Finding, root: &Path) -> String {
        let take = match self.origin {
            Origin::Message => "take it out of the message".to_owned(),
            Origin::Unpushed => unpushed(finding),
            _ if finding.is_in_header() => format!("take it out of {CONFIGURED}"),
            _ if finding.is_in_name() => RENAME.to_owned(),
            _ => "take it out of the file".to_owned(),
        };
        let Some((opened, name, version)) = self.known(finding) else {
            return format!("{take}; it is banned already");
        };
        let store = &opened.store;
        let is_current = store.current(name).is_some_and(|current| current.id == version);
        let is_declared = self.session.manifest.has_secret(name, &store.environment);
        if !is_current || !is_declared {
            let done =
                if is_current { "it is banned already, and not declared any more" } else { "it was replaced already" };
            return self.of_replaced(finding, root).map_or_else(
                || format!("{take}; {done}"),
                |how| format!("{take}; its owner may still accept it: {how}"),
            );
        }
        let (_, replace) = self.replace(finding, root);
        format!("{take}; it is banned, and still in force: `{replace}`")
    }

    /// How an owner comes to refuse a value that leaked and is replaced; `None` = it does.
    fn of_replaced(&self, finding: &Finding, root: &Path) -> Option<String> {
        let (opened, name, version) = self.known(finding)?;
        let (manifest, store) = (&self.session.manifest, &opened.store);
        let mut leaks = store.incidents.iter().filter(|(_, incident)| incident.has(name, version));
        leaks.find_map(|(id, incident)| {
            let it = incident.affected.iter().find(|it| it.secret == *name)?;
            let (standing, words) = standing::of_version(manifest, store, (id, it), version)?;
            let by_hand = if standing == Standing::Left { "see to it that nobody does, then " } else { "" };
            let fix = finding.fix.replace(&format!("incident {name}"), &words);
            Some(format!("{by_hand}`{}`", self.paste.fix(&there(opened, fix), root)))
        })
    }

    /// Where the value is replaced if that is not here, and how.
    fn replace(&self, finding: &Finding, root: &Path) -> (&'static str, String) {
        // A clone has none, and another developer's has other values.
        let Some((opened, name, version)) = self.known(finding) else {
            return ("where its store is", finding.fix.clone());
        };
        let supplied = self.session.manifest.secret(name).filter(|it| !it.is_generated());
        let now = self.session.context.now;
        let fix = match supplied {
            Some(it) if finding.state == Some(State::Banned) => {
                finding.fix.replace(&format!("incident {name}"), &it.supply_words())
            }
            _ if covered::hides(&self.session.manifest, &opened.store, name, version, now) => {
                format!("{} --again", finding.fix)
            }
            _ => finding.fix.clone(),
        };
        ("", self.paste.fix(&there(opened, fix), root))
    }

    /// The store that has the version that was found.
    fn known<'f>(&self, finding: &'f Finding) -> Option<(&'a OpenedStore, &'f SecretName, VersionId)> {
        let (name, version) = finding.secret.as_ref().zip(finding.version)?;
        let opened = self.stores.iter().find(|opened| opened.store.version(name, version).is_some())?;
        Some((opened, name, version))
    }

    /// How git is given the file anew.
    fn add(&self, finding: &Finding) -> String {
        match self.pathspec(finding) {
            Some(path) => format!("`git add {path}`"),
            None => "`git add` it again".to_owned(),
        }
    }

    /// The file as git is told it where the user stands; `None` for a name that is not shown as it is, or what is in an archive,
    /// which nobody could paste.
    fn pathspec(&self, finding: &Finding) -> Option<String> {
        let path = self.frame.below_top(&finding.file);
        let path = if self.is_at_top { path } else { format!(":/{path}") };
        (!finding.file.contains(['\\', '!', '*', '?', '['])).then(|| shell::path(&path))
    }

    /// Whether values belong into the file, which we delivered: then it is git that should not have it.
    fn is_delivered(&self, finding: &Finding, root: &Path) -> bool {
        self.left_out.get_or_init(|| LeftOut::new(self.session)).has(&root.join(&finding.file))
    }

    /// How git is made to let go of a file, and to leave it alone.
    fn untrack(&self, finding: &Finding, root: &Path) -> String {
        let remove = match self.pathspec(finding) {
            Some(path) => format!("take the file out of git: `git rm --cached -- {path}`"),
            None => "take the file out of git with `git rm --cached`".to_owned(),
        };
        let git = Git::new(root, context::variables(git::INHERITED.into_iter()));
        if git.is_ignored(&finding.file).unwrap_or(true) {
            return remove;
        }
        let line = shell::path(&format!("/{}", ignore_lines::line_of(&finding.file)));
        let keep_out = self.paste.fix(&format!("printf '\\n%s\\n' {line} >> .gitignore"), root);
        format!("{remove}, and keep it out: `{keep_out}`")
    }
}

/// A command where the store is that it is about.
fn there(opened: &OpenedStore, fix: String) -> String {
    let Some(main) = &opened.main else { return fix };
    fix.replacen("vault-kit ", &format!("vault-kit -C {} ", shell::path(&main.to_string_lossy())), 1)
}

/// What to do about a file or a directory that is called as a value.
const RENAME: &str = "give it another name (`git mv`, and `mv` where git does not have it yet)";

/// Where git takes the author of a commit from.
const CONFIGURED: &str = "`git config user.name` and `user.email`";

/// What to do about what a push would send.
fn unpushed(finding: &Finding) -> String {
    let place = finding.file.as_str();
    if finding.within == Within::Tag {
        "make the tag anew without it (`git tag --force`), or take it away (`git tag --delete`)".to_owned()
    } else if finding.within == Within::Reference {
        "give it another name".to_owned()
    } else if let Some(object) = noted(place) {
        // An edited note leaves the old one in the history of the notes.
        let squash = "git update-ref refs/notes/commits $(git commit-tree -m Notes 'refs/notes/commits^{tree}')";
        format!(
            "take it out of the note, and leave the history of the notes behind: `git notes edit {object} && {squash}`"
        )
    } else if finding.is_in_header() {
        // Whatever stands there comes from the configuration, which would bring it into the next commit too.
        let how = "the last one: `git commit --amend --no-edit --reset-author`, others: `git filter-repo --mailmap FILE`, which \
                   replaces authors by its lines `New Name <new@example.com> <old@example.com>`";
        format!("take it out of {CONFIGURED}, then out of the commit ({how})")
    } else {
        let how = "(the last one: `git commit --amend`, others: `git rebase --interactive`)";
        let what =
            if finding.is_in_name() { "give it another name in the commit" } else { "take it out of the commit" };
        format!("{what} {how}")
    }
}

/// The object that a note is about, whose id is the note's path.
fn noted(place: &str) -> Option<String> {
    let id = place.replace('/', "");
    (id.len() >= 40 && id.bytes().all(|it| it.is_ascii_hexdigit())).then_some(id)
}

fn is_top(directory: &Path) -> bool {
    let git = Git::new(directory, context::variables(git::INHERITED.into_iter()));
    let top = git.top().ok().flatten().and_then(|top| top.canonicalize().ok());
    top.is_some() && top == directory.canonicalize().ok()
}
