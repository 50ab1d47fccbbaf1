//! `scan`: looks for the values of our secrets, and for what looks like somebody's, where they do not belong.

mod cure;
mod files;
mod ignored;
mod known;
mod ours;
mod prints;
mod project;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::{self, Context};
use super::formats::{Format, Formats, Told, Wanted};
use super::input::read_named;
use super::session::Session;
use super::staged;
use crate::check::Severity;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Kind;
use crate::observe;
use crate::report::{Frame, json, scan as told};
use crate::scan::files::{Item, Scope};
use crate::scan::git::{self, Git, Snapshot};
use crate::scan::image;
use crate::scan::message;
use crate::scan::{Found, Known, Report, Rules, Search};
use cure::{Cures, Origin};
use files::Files;
use known::Sources;
pub(super) use ours::ours;
use project::LeftOut;

#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// Files and directories, with everything in them (default: what git has or would take of the project)
    paths: Vec<PathBuf>,
    /// What the next commit would take, from git's index
    #[arg(long, conflicts_with_all = ["paths", "range", "history", "image"])]
    staged: bool,
    /// The message of the commit that is to be made, in the file that git hands to its commit-msg hook
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "staged", "range", "history", "image"])]
    message: Option<PathBuf>,
    /// What the commits of a range brought; `-`: those that git's pre-push hook names on stdin
    #[arg(long, value_name = "A..B", conflicts_with_all = ["paths", "history", "image"])]
    range: Option<String>,
    /// What any commit of any branch or tag brought
    #[arg(long, conflicts_with_all = ["paths", "image"])]
    history: bool,
    /// A container image, as `docker save` writes it: its layers and its configuration
    #[arg(long, value_name = "TAR", conflicts_with = "paths")]
    image: Option<PathBuf>,
    /// Tell it as github, human, json, junit or sarif; repeatable
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = Wanted::parse)]
    format: Vec<Wanted>,
    /// Look for what looks like somebody's credential, and for no value of ours
    #[arg(long)]
    rules_only: bool,
    /// Also fail for what could not be looked at
    #[arg(long)]
    strict: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let formats = Formats::find(context, &arguments.format)?;
    let lines = if arguments.range.as_deref() == Some("-") { Some(pushed_lines(context)?) } else { None };
    let (session, staged) = arguments.project(context, lines.as_deref())?;
    formats.expect_free(&session)?;
    let frame = Frame {
        manifest: session.manifest.file.clone(),
        prefix: observe::prefix(session.root.path()),
        lines: std::collections::BTreeMap::new(),
        fail_on: Severity::Error,
        strict: arguments.strict,
    };
    let report = search(&session, staged.as_ref(), arguments, lines.as_deref(), &frame)?;
    let (report, about, at) = (&report, arguments.about(), context.now);
    formats.tell(&Searched(told::Told { report, frame: &frame, about, at }))?;
    Ok(report.exit_kind(arguments.strict).map_or(Exit::DONE, Exit::from))
}

/// What the commits of a range brought, for `check`.
pub(super) fn range(session: &Session<'_>, range: &str, frame: &Frame) -> Result<Report> {
    let arguments = Arguments { range: Some(range.to_owned()), ..Arguments::default() };
    search(session, None, &arguments, None, frame)
}

/// Looks, judges what was found by what may stand where it stands, and says what to do about the rest.
fn search(
    session: &Session<'_>,
    staged: Option<&Snapshot>,
    arguments: &Arguments,
    lines: Option<&str>,
    frame: &Frame,
) -> Result<Report> {
    let context = session.context;
    let project = Files { session, staged };
    let mut sources = if arguments.rules_only { Sources::default() } else { Sources::open(project)? };
    let mut not_checked = std::mem::take(&mut sources.not_checked);
    let mut known = Known::default();
    sources.stores.iter().for_each(|opened| known.add(&opened.store));
    not_checked.extend(known.not_checked());
    let (values, matcher) = (known.len() + sources.fingerprints, known.matcher());
    let default = &session.manifest.default_environment;
    let rules = Rules::new(&session.manifest.scan, &prefixes(session));
    let search = Search { matcher: &matcher, tokens: &sources.tokens, rules: &rules, default };
    let (ignores, unstaged) = (ignored::lines(&project)?, ignored::unstaged(&project));
    ignores.unmatchable().iter().for_each(|notice| context.ui.warn(notice));
    let mut found = look(session, arguments, lines, &search)?.without_values(&search);
    let (today, place) = (context.now.date_naive(), staged.map_or("", |it| it.place));
    found.findings.iter_mut().for_each(|finding| ignores.judge(finding, today));
    found.findings.iter_mut().for_each(|finding| unstaged.tell(finding, place, today));
    found.looked_at.values = values;
    found.not_checked.append(&mut not_checked);
    found.warnings.iter().for_each(|warning| context.ui.warn(warning));
    let mut report = Report::new(found);
    let cures = Cures::new(session, frame, &sources.stores, arguments.origin());
    for finding in &mut report.findings {
        finding.fix = cures.of(finding, session.root.path());
    }
    Ok(report)
}

/// The report with what its renderings need besides.
struct Searched<'a>(told::Told<'a>);

impl Told for Searched<'_> {
    fn render(&self, format: Format, color: bool) -> Result<String> {
        match format {
            Format::Github => Ok(told::github::render(&self.0)),
            Format::Human => Ok(told::render(self.0.report, color)),
            Format::Json => json::render(self.0.report),
            Format::Junit => Ok(told::junit::render(&self.0)),
            Format::Sarif => told::sarif::render(&self.0),
        }
    }

    fn step_summary(&self) -> String {
        told::github::step_summary(&self.0)
    }
}

impl Arguments {
    /// What is looked at, in a word.
    fn about(&self) -> &'static str {
        match self {
            Self { staged: true, .. } => "staged",
            Self { message: Some(_), .. } => "message",
            Self { history: true, .. } => "history",
            Self { range: Some(_), .. } => "range",
            Self { image: Some(_), .. } => "image",
            Self { paths, .. } if paths.is_empty() => "project",
            Self { .. } => "paths",
        }
    }
}

impl Arguments {
    /// The project, and the files by which it is judged where those are not what lies in the work tree: the index before a
    /// commit, what is pushed before a push.
    fn project<'a>(&self, context: &'a Context, pushed: Option<&str>) -> Result<(Session<'a>, Option<Snapshot>)> {
        if self.staged || self.message.is_some() {
            return staged::open(context);
        }
        match pushed {
            Some(lines) => staged::open_pushed(context, lines),
            None => Ok((Session::open(context)?, None)),
        }
    }

    /// Where what is found can be by now.
    fn origin(&self) -> Origin {
        match self {
            Self { staged: true, .. } => Origin::Index,
            Self { message: Some(_), .. } => Origin::Message,
            Self { range: Some(range), .. } if range == "-" => Origin::Unpushed,
            Self { range: None, history: false, image: None, paths, .. } if paths.is_empty() => Origin::Project,
            Self { .. } => Origin::Elsewhere,
        }
    }
}

/// How our own API keys begin: those that are held, and those that are issued to others.
fn prefixes(session: &Session<'_>) -> Vec<String> {
    let held = session.manifest.secrets.values().filter_map(|declaration| match &declaration.kind {
        Kind::ApiKey { prefix } => Some(prefix.clone()),
        _ => None,
    });
    let environments = session.manifest.environments.keys();
    let issued = environments.map(|environment| super::apikey::default_prefix(&session.manifest.project, environment));
    let all: BTreeSet<String> = held.chain(issued).collect();
    all.into_iter().collect()
}

fn look(session: &Session<'_>, arguments: &Arguments, pushed: Option<&str>, search: &Search<'_>) -> Result<Found> {
    let root = session.root.path();
    let git = || Git::new(root, context::variables(git::INHERITED.into_iter()));
    if arguments.staged {
        return git().staged(search);
    }
    if let Some(file) = &arguments.message {
        let text = read_named(session.context, file)?;
        let is_edited = !context::git_opens_no_editor();
        return message::scan(text.expose(), is_edited, search)
            .map_err(|error| Error::io("look through the message", error));
    }
    if arguments.history {
        return git().history(search);
    }
    if let Some(lines) = pushed {
        return git().pushed(lines, search);
    }
    if let Some(range) = &arguments.range {
        return git().range(range, search);
    }
    let (left_out, mut told) = (LeftOut::new(session), Found::default());
    let scope =
        Scope { root, left_out: &|path| left_out.has(path), depth: if arguments.image.is_some() { 3 } else { 1 } };
    let items = match &arguments.image {
        Some(tar) => {
            let path = session.context.resolve(tar);
            image::expect(&path, tar)?;
            vec![Item::Named(path)]
        }
        None if arguments.paths.is_empty() => project::items(root, &git(), &left_out, &mut told)?,
        None => arguments.paths.iter().map(|path| named(session.context, root, path)).collect::<Result<_>>()?,
    };
    let mut found = crate::scan::files::scan(items, &scope, search);
    found.merge(told);
    if let Some(tar) = &arguments.image {
        for member in image::missing(&session.context.resolve(tar), tar)? {
            let why = "the image is made of it, and it is not in the file: write the image anew with `docker save`";
            found.not_checked(format!("{}!{member}", tar.display()), why);
        }
    }
    Ok(found)
}

/// A path of the command line.
fn named(context: &Context, root: &Path, path: &Path) -> Result<Item> {
    let resolved = context.resolve(path);
    match std::fs::metadata(&resolved) {
        Ok(facts) if facts.is_dir() => Ok(Item::Directory(beneath(root, resolved))),
        Ok(facts) if facts.is_file() => Ok(Item::Named(beneath(root, resolved))),
        Ok(_) => {
            let message = format!("`{}` is a pipe, a socket or a device, which is not read", path.display());
            let hint = "write what it has into a file, and name that: `vault-kit scan FILE`";
            Err(Error::usage(message).hint(hint))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::usage(format!("there is no file `{}`", path.display())))
        }
        Err(error) => Err(Error::io(format!("read `{}`", path.display()), error)),
    }
}

/// The path as it leads from the project's directory, if it is beneath that: so a file has one name wherever the command is run, and
/// the line of `.vault-kit-ignore` is the same. A link keeps its own.
fn beneath(root: &Path, path: PathBuf) -> PathBuf {
    let there = || {
        let absolute = std::path::absolute(&path).ok()?;
        let absolute = match (absolute.parent(), absolute.file_name()) {
            (Some(parent), Some(name)) => parent.canonicalize().ok()?.join(name),
            _ => absolute.canonicalize().ok()?,
        };
        Some(root.join(absolute.strip_prefix(root.canonicalize().ok()?).ok()?))
    };
    there().unwrap_or(path)
}

/// What git gives a pre-push hook on stdin. Whoever calls the hook and passes nothing on would be told for ever that all is well.
fn pushed_lines(context: &Context) -> Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Error::io("read stdin", error))?;
    if text.is_empty() {
        context.ui.warn("stdin names nothing that is pushed: no commit was looked at");
    }
    match git::foreign_line(&text) {
        Some(line) => Err(Error::usage(format!("line {line} of stdin is none of git's pre-push hook"))
            .hint("`--range -` is for hooks: `githooks(5)` has the form; for a range, name it: `--range A..B`")),
        None => Ok(text),
    }
}
