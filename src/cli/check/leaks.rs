//! What the commits of a range brought: the search of `scan --range`, as facts for the judge.

use crate::check::facts::{Leak, Searched};
use crate::cli::scan;
use crate::cli::session::Session;
use crate::error::Result;
use crate::report::Frame;
use crate::scan::{Code, Finding, Severity, Within};

/// Searches a range. Fails where no value is known that could be found.
pub fn look(session: &Session<'_>, range: &str, frame: &Frame) -> Result<Searched> {
    let report = scan::range(session, range, frame)?;
    let commits = usize::try_from(report.looked_at.commits).unwrap_or(usize::MAX);
    let leaks = report.findings.into_iter().map(leak).collect();
    Ok(Searched { commits, leaks, unseen: report.not_checked, warnings: report.warnings })
}

fn leak(it: Finding) -> Leak {
    let is_file = it.within == Within::File;
    let (path, member) =
        it.file.split_once('!').map_or((it.file.as_str(), None), |(path, member)| (path, Some(member)));
    let of_commit = it.commit.as_ref().map_or_else(String::new, |commit| format!(" in commit {commit:.10}"));
    let place = match (is_file, member) {
        (false, _) => format!("{}{of_commit}: ", it.file),
        (true, Some(member)) => format!("{member}{of_commit}: "),
        (true, None) if of_commit.is_empty() => String::new(),
        (true, None) => format!("{}: ", of_commit.trim_start()),
    };
    let line = u32::try_from(it.line).ok().filter(|_| is_file && member.is_none() && it.offset.is_none());
    Leak {
        message: format!("{place}{}", it.message),
        fix: it.fix,
        secret: it.secret,
        file: is_file.then(|| path.to_owned()),
        line,
        is_certain: it.severity == Severity::Error && it.code != Code::Unsearched,
    }
}
