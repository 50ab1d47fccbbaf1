//! `schedule print|install|remove`: what runs `rotate --due` again and again.

mod job;
mod tool;
mod units;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::Context;
use super::session::Session;
use crate::error::Result;
use crate::exit::Exit;
use crate::schedule::{Every, Job, crontab, systemd};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the units, or the line of the crontab
    Print(Timing),
    /// Write the units and tell what enables them, or put the line into the crontab
    Install {
        #[command(flatten)]
        timing: Timing,
        /// Enable the units too
        #[arg(long, conflicts_with = "cron")]
        now: bool,
        /// Tell what would be written, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Remove them
    Remove {
        /// Those of your own service manager, also as root
        #[arg(long, conflicts_with = "cron")]
        user: bool,
        /// From the crontab instead
        #[arg(long)]
        cron: bool,
        /// Disable the units first
        #[arg(long, conflicts_with = "cron")]
        now: bool,
        /// Tell what would be removed, and do nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

#[derive(Debug, Clone, Copy, Args)]
struct Timing {
    /// How often, such as 1h or 1d
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = every)]
    every: Every,
    /// A line of the crontab instead of units of systemd
    #[arg(long)]
    cron: bool,
    /// Units of your own service manager, also as root
    #[arg(long, conflicts_with = "cron")]
    user: bool,
}

impl Timing {
    fn job(self, session: &Session<'_>) -> Result<Job> {
        job::of(session, Some(self.every), self.user)
    }
}

/// What was done.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    changed: bool,
    /// The files that were written or removed.
    files: &'a [String],
    /// What is left to run.
    commands: &'a [String],
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    match arguments.verb {
        Verb::Print(timing) => {
            let job = timing.job(&session)?;
            context.ui.print(&if timing.cron { crontab::line(&job) + "\n" } else { printed(&job) })?;
        }
        Verb::Install { timing, dry_run, .. } if timing.cron => {
            let job = timing.job(&session)?;
            change_crontab(context, &job, Some(&crontab::line(&job)), dry_run)?;
        }
        Verb::Install { timing, now, dry_run } => units::install(context, &timing.job(&session)?, now, dry_run)?,
        Verb::Remove { cron: true, dry_run, .. } => {
            change_crontab(context, &job::of(&session, None, false)?, None, dry_run)?;
        }
        Verb::Remove { user, now, dry_run, .. } => {
            units::remove(context, &job::of(&session, None, user)?, now, dry_run)?;
        }
    }
    Ok(Exit::DONE)
}

fn printed(job: &Job) -> String {
    let name = job.name();
    format!("# {name}.service\n{}\n# {name}.timer\n{}", systemd::service(job), systemd::timer(job))
}

fn change_crontab(context: &Context, job: &Job, line: Option<&str>, dry_run: bool) -> Result<()> {
    let old = tool::read_crontab()?;
    let new = crontab::with(&old, job, line);
    let changed = new != old;
    if changed && !dry_run {
        tool::write_crontab(&new)?;
    }
    let words = match (changed, line.is_some()) {
        (false, true) => "the crontab has the line already",
        (false, false) => "the crontab has no line of this project and environment",
        (true, true) if dry_run => "would put a line into the crontab",
        (true, true) => "put a line into the crontab",
        (true, false) if dry_run => "would remove the line from the crontab",
        (true, false) => "removed the line from the crontab",
    };
    tell(context, words, dry_run, changed, &[], &[])
}

fn tell(
    context: &Context,
    words: &str,
    dry_run: bool,
    changed: bool,
    files: &[String],
    commands: &[String],
) -> Result<()> {
    if context.ui.json {
        return context.ui.object(&Answer { schema_version: SCHEMA_VERSION, dry_run, changed, files, commands });
    }
    context.ui.say(words);
    for command in commands {
        context.ui.say(&format!("run: {command}"));
    }
    Ok(())
}

fn every(text: &str) -> Result<Every, &'static str> {
    Every::parse(text).ok_or("write minutes that divide an hour or hours that divide a day, such as 5m, 1h or 1d")
}
