//! In which forms a report is told, and where each of them goes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::cert::destination::{locate, refuse_other};
use super::context::{Context, step_summary};
use super::session::Session;
use crate::check::delivered::Delivered;
use crate::error::{Error, Result};
use crate::private_file::{Root, WriteOptions};

/// A form, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Workflow commands of GitHub Actions
    Github,
    /// Text for people
    Human,
    /// What `schema check-report` describes
    Json,
    /// `JUnit` XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
}

/// A report that can be told in every form.
pub trait Told {
    /// The whole text. Escape sequences only with `color`.
    fn render(&self, format: Format, color: bool) -> Result<String>;

    /// The summary of a step of GitHub Actions, in Markdown.
    fn step_summary(&self) -> String;
}

/// A form and the file that it goes to; `None` = stdout.
#[derive(Debug, Clone)]
pub struct Wanted {
    format: Format,
    file: Option<PathBuf>,
}

impl Wanted {
    /// Parses `junit` or `junit=report.xml`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (format, file) = text.split_once('=').map_or((text, None), |(format, file)| (format, Some(file)));
        let format = Format::from_str(format, false)
            .map_err(|_| "write github, human, json, junit or sarif, and `=FILE` for a file".to_owned())?;
        if file == Some("") {
            return Err("behind the `=` belongs the name of a file".to_owned());
        }
        Ok(Self { format, file: file.map(PathBuf::from) })
    }
}

/// The forms that are asked for, each with a place that was looked at before anything else is.
pub struct Formats<'a> {
    context: &'a Context,
    files: Vec<(Format, Root, String)>,
    stdout: Format,
}

impl<'a> Formats<'a> {
    /// Finds what would be refused: two for one place, and a file that cannot be written.
    pub fn find(context: &'a Context, wanted: &[Wanted]) -> Result<Self> {
        let json = context.ui.json.then_some(Format::Json);
        let mut stdout = wanted.iter().filter(|it| it.file.is_none()).map(|it| it.format).chain(json);
        let first = stdout.next().unwrap_or(Format::Human);
        if stdout.next().is_some() {
            return Err(Error::usage("two reports cannot both go to stdout")
                .hint("give all but one a file: `--format junit=report.xml --format human`"));
        }
        let mut files: Vec<(Format, Root, String)> = Vec::new();
        for (format, path) in wanted.iter().filter_map(|it| Some((it.format, it.file.as_deref()?))) {
            let (root, name) = locate(context, path)?;
            refuse_other(&root, &name, path, "such report", |bytes| format.is_of(bytes))?;
            if files.iter().any(|(_, other, taken)| other.path() == root.path() && *taken == name) {
                return Err(Error::usage(format!("two reports cannot both go to `{}`", path.display())));
            }
            files.push((format, root, name));
        }
        Ok(Self { context, files, stdout: first })
    }

    /// Refuses the place of a file that is no report, also where that is not there yet: what the manifest delivers in any
    /// environment, and the manifest itself.
    pub fn expect_free(&self, session: &Session<'_>) -> Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let manifest = &session.manifest;
        let environments = manifest.environments.keys().chain([&session.environment]);
        let delivered = environments.flat_map(|environment| Delivered::new(manifest, environment).files.into_keys());
        let kept: BTreeSet<PathBuf> =
            delivered.chain([manifest.file.clone()]).map(|path| session.root.path().join(path)).collect();
        // Thousands may be delivered: only of those that are called so is asked where they really are.
        let is_kept = |place: &PathBuf| {
            let mut named = kept.iter().filter(|it| it.file_name() == place.file_name());
            real(place).is_some_and(|place| named.any(|it| real(it).is_some_and(|it| it == place)))
        };
        let mut places = self.files.iter().map(|(_, root, name)| root.path().join(name));
        let Some(taken) = places.find(is_kept) else { return Ok(()) };
        let message = format!("`{}` is the place of a file of the project: no report goes there", taken.display());
        Err(Error::usage(message).hint("nothing was changed; name another file"))
    }

    /// Writes the files, each as a whole, and then prints. No report holds a value, so everybody may read it.
    pub fn tell(&self, report: &impl Told) -> Result<()> {
        for (format, root, name) in &self.files {
            root.write(name, report.render(*format, false)?.as_bytes(), &WriteOptions::PUBLIC)?;
        }
        let is_github = |format: &Format| *format == Format::Github;
        if is_github(&self.stdout) || self.files.iter().any(|(format, ..)| is_github(format)) {
            self.summarise(report);
        }
        self.context.ui.print(&report.render(self.stdout, self.context.ui.color)?)
    }

    /// Adds to the summary of the step. That it cannot be written must not hide the verdict.
    fn summarise(&self, report: &impl Told) {
        let Some(path) = step_summary() else { return };
        if let Err(error) = append(&path, &report.step_summary()) {
            self.context.ui.warn(&format!("the summary of the step was not written: {error}"));
        }
    }
}

/// The file is the runner's: its mode stays what it is.
fn append(path: &Path, text: &str) -> Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::usage("GITHUB_STEP_SUMMARY does not name a file"));
    };
    let root = Root::open(directory)?;
    let mode = root.facts(name)?.map_or(WriteOptions::PUBLIC.mode, |facts| facts.mode);
    root.append_line(name, text.as_bytes(), mode)
}

impl Format {
    /// Whether this is an earlier report, or an empty file: nothing else is replaced.
    fn is_of(self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        text.is_empty()
            || match self {
                Self::Github | Self::Human => text.lines().last().is_some_and(is_summary),
                Self::Json => text.starts_with("{\n  \"schema_version\""),
                Self::Junit => text.starts_with("<?xml") && text.contains("<testsuites"),
                Self::Sarif => text.starts_with('{') && text.contains("\"$schema\"") && text.contains("sarif"),
            }
    }
}

/// A file, which need not be there, by where its directory really is.
fn real(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Whether a line is the last one of a report of `check` or `scan`.
fn is_summary(line: &str) -> bool {
    line.contains(": looked at ") || line.starts_with("looked for ")
}
