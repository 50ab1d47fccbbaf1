//! A line of a user's crontab (`crontab(5)`).

use super::{Every, Job};
use crate::shell;

/// The line, without its newline.
pub fn line(job: &Job) -> String {
    let times = match job.every {
        Every::Minutes(1) => "* * * * *".to_owned(),
        Every::Minutes(minutes) => format!("*/{minutes} * * * *"),
        Every::Hours(1) => "0 * * * *".to_owned(),
        Every::Hours(24) => "0 0 * * *".to_owned(),
        Every::Hours(hours) => format!("0 */{hours} * * *"),
    };
    let words = std::iter::once(job.program.as_str()).chain(job.words()).map(shell::word);
    let command = words.collect::<Vec<_>>().join(" ");
    let identity = shell::word(&job.identity);
    let state_home = job.state_home.as_ref().map(|home| format!("XDG_STATE_HOME={} ", shell::word(home)));
    let state_home = state_home.unwrap_or_default();
    // A `%` would end the line, wherever it stands.
    let command = format!("VAULT_KIT_IDENTITY_FILE={identity} {state_home}{command}").replace('%', r"\%");
    format!("{times} {command} {}", mark(job))
}

/// The crontab with this line of the job, in the place of the one that it has, or without any.
pub fn with(crontab: &str, job: &Job, line: Option<&str>) -> String {
    let mark = format!(" {}", mark(job));
    let mut line = line;
    let mut text = String::with_capacity(crontab.len() + 256);
    for other in crontab.lines() {
        if let Some(kept) = if other.ends_with(&mark) { line.take() } else { Some(other) } {
            text.extend([kept, "\n"]);
        }
    }
    text.extend(line.into_iter().flat_map(|line| [line, "\n"]));
    text
}

/// A comment for the shell: cron knows none at the end of a line.
fn mark(job: &Job) -> String {
    format!("# {}", job.name())
}
