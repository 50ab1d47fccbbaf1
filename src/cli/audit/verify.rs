//! `audit verify`: whether the record is what was written, up to the line that the sealed store knows as the last.

use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;

use clap::Args;

use crate::audit;
use crate::audit::finding::{Finding, Report};
use crate::audit::verify::Verifier;
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::secret::digest::sha256_hex;
use crate::ui::{counted, grouped};

/// How often to begin anew when somebody writes meanwhile.
const ATTEMPTS: usize = 3;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A file that was rotated away, oldest first; may be repeated
    #[arg(long, value_name = "FILE")]
    old: Vec<PathBuf>,
    /// The oldest files were removed on purpose
    #[arg(long)]
    rotated: bool,
}

pub(super) fn run(context: &Context, arguments: &Verify) -> Result<Exit> {
    let session = Session::open(context)?;
    let mut report = look(&session, arguments)?;
    let paste = Paste::new(context);
    for fix in report.findings.iter_mut().filter_map(|finding| finding.fix.as_mut()) {
        *fix = paste.words(fix);
    }
    if context.ui.json {
        context.ui.object(&report)?;
    } else {
        context.ui.print(&as_text(&report))?;
    }
    Ok(if report.is_sound() { Exit::DONE } else { Exit::from(Kind::Findings) })
}

/// Readers take no turn: what a writer does in between looks like damage, and is gone when looked at again.
fn look(session: &Session<'_>, arguments: &Verify) -> Result<Report> {
    let identities = session.context.identities()?;
    let files = session.files_as_they_are();
    let mut attempt = 1;
    loop {
        let opened = files.open_current(&identities)?.ok_or_else(|| session.no_store())?;
        let mut verifier = Verifier::new(&opened.store, arguments.rotated);
        let digest = opened.digest;
        drop(opened.store);
        for path in &arguments.old {
            let place = path.display().to_string();
            let file = File::open(session.context.resolve(path));
            verifier.read(&place, file.map_err(|error| Error::io(format!("read `{place}`"), error))?)?;
        }
        if let Some((file, _)) = session.root.open_file(&audit::path())? {
            verifier.read(&audit::path(), file)?;
        }
        let report = verifier.finish();
        let is_same = || Ok::<_, Error>(files.sealed()?.as_deref().map(sha256_hex) == digest);
        if report.is_sound() || attempt == ATTEMPTS || is_same()? {
            return Ok(report);
        }
        attempt += 1;
    }
}

fn as_text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for finding in &report.findings {
        let _ = writeln!(text, "{}{}  {}", finding.code.text(), place(finding), finding.message);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "  fix: {fix}");
        }
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {}{}  {}", note.code.text(), place(note), note.message);
    }
    for unseen in &report.not_checked {
        let _ = writeln!(text, "not checked  {}: {}", unseen.what, unseen.why);
    }
    let proven = usize::try_from(report.proven).unwrap_or(usize::MAX);
    let verdict = match report.findings.len() + report.more_findings {
        0 => "no problem found".to_owned(),
        count => format!("{} found", counted(count, "problem")),
    };
    let lines = if proven == 1 { "1 line".to_owned() } else { format!("{} lines", grouped(proven)) };
    let _ = writeln!(text, "{}: {lines} of the audit record proven: {verdict}", report.environment);
    text.chars().map(|it| if it.is_control() && it != '\n' { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

fn place(finding: &Finding) -> String {
    match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("  {file}:{line}"),
        _ => String::new(),
    }
}
