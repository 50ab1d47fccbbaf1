//! The units of systemd: written, enabled, removed.

use std::path::PathBuf;

use super::{tell, tool};
use crate::cli::context::{self, Context};
use crate::error::{Error, Kind, Result};
use crate::private_file::{Root, WriteOptions, Written};
use crate::schedule::{Account, Job, systemd};
use crate::shell;

/// Where the system's own units are.
const SYSTEM: &str = "/etc/systemd/system";

/// Writes both units, and enables them if asked to.
pub fn install(context: &Context, job: &Job, now: bool, dry_run: bool) -> Result<()> {
    let directory = directory(job)?;
    let units = units(job).map(|(file, text)| (file, text(job)));
    let existing = Root::open_existing(&directory)?;
    let mut changed = false;
    for (file, text) in &units {
        let old = existing.as_ref().map_or(Ok(None), |root| ours(root, file))?;
        changed |= old.as_deref() != Some(text.as_bytes());
    }
    let files: Vec<String> = units.iter().map(|(file, _)| directory.join(file).display().to_string()).collect();
    if changed && !dry_run {
        let root = Root::create(&directory, 0o755)?;
        for (file, text) in &units {
            let _: Written = root.write(file, text.as_bytes(), &WriteOptions::PUBLIC)?;
        }
    }
    let timer = format!("{}.timer", job.name());
    let mut commands = vec![vec!["daemon-reload"], vec!["enable", "--now", &timer]];
    if now && !dry_run {
        run(job, &commands)?;
        commands.clear();
    }
    let mut left = shown(job, &commands);
    if job.account == Account::Own {
        left.push("loginctl enable-linger    # so that it runs while nobody is logged in".to_owned());
    }
    let words = match (changed, dry_run) {
        (false, _) => format!("`{}` and its service are as they should be", files[1]),
        (true, true) => format!("would write `{}` and `{}`", files[0], files[1]),
        (true, false) => format!("wrote `{}` and `{}`", files[0], files[1]),
    };
    tell(context, &words, dry_run, changed, &files, &left)
}

/// Removes both units, those of ours alone.
pub fn remove(context: &Context, job: &Job, now: bool, dry_run: bool) -> Result<()> {
    let directory = directory(job)?;
    let mut files = Vec::new();
    let root = Root::open_existing(&directory)?;
    for (file, _) in units(job) {
        if let Some(root) = &root
            && ours(root, &file)?.is_some()
        {
            files.push(file);
        }
    }
    let timer = format!("{}.timer", job.name());
    if now && !dry_run && !files.is_empty() {
        run(job, &[vec!["disable", "--now", &timer]])?;
    }
    if let Some(root) = root.filter(|_| !dry_run) {
        for file in &files {
            root.remove(file)?;
        }
    }
    let shown_files: Vec<String> = files.iter().map(|file| directory.join(file).display().to_string()).collect();
    let verb = if dry_run { "would remove" } else { "removed" };
    let (words, left) = if files.is_empty() {
        (format!("there is no `{}`", directory.join(&timer).display()), Vec::new())
    } else {
        let list = shown_files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(" and ");
        // A timer whose file is gone runs on until it is stopped.
        let stop = vec!["disable", "--now", &timer];
        let commands = if now && !dry_run { vec![vec!["daemon-reload"]] } else { vec![stop, vec!["daemon-reload"]] };
        (format!("{verb} {list}"), shown(job, &commands))
    };
    tell(context, &words, dry_run, !files.is_empty(), &shown_files, &left)
}

type Text = fn(&Job) -> String;

fn units(job: &Job) -> [(String, Text); 2] {
    let name = job.name();
    [(format!("{name}.service"), systemd::service), (format!("{name}.timer"), systemd::timer)]
}

/// A unit that is there; one that somebody else wrote is not ours to touch.
fn ours(root: &Root, file: &str) -> Result<Option<Vec<u8>>> {
    let text = root.read(file)?;
    if text.as_ref().is_some_and(|text| !text.starts_with(systemd::MARK.as_bytes())) {
        let path = root.path().join(file).display().to_string();
        return Err(Error::new(Kind::Conflict, "unit-not-ours", format!("`{path}` was not written by vault-kit"))
            .hint(format!("look into it, and move it away: mv {0} {0}.old", shell::path(&path))));
    }
    Ok(text)
}

fn directory(job: &Job) -> Result<PathBuf> {
    if job.account != Account::Own {
        return Ok(SYSTEM.into());
    }
    let config = context::config_home().or_else(|| context::home().map(|home| home.join(".config")));
    let config = config.ok_or_else(|| Error::usage("neither `HOME` nor `XDG_CONFIG_HOME` is set"))?;
    Ok(config.join("systemd/user"))
}

fn run(job: &Job, commands: &[Vec<&str>]) -> Result<()> {
    for words in commands {
        let words = manager(job).iter().chain(words).copied().collect::<Vec<_>>();
        tool::systemctl(&words)?;
    }
    Ok(())
}

fn shown(job: &Job, commands: &[Vec<&str>]) -> Vec<String> {
    let line = |words: &Vec<&str>| {
        let words = ["systemctl"].iter().chain(manager(job)).chain(words).copied();
        words.collect::<Vec<_>>().join(" ")
    };
    commands.iter().map(line).collect()
}

fn manager(job: &Job) -> &'static [&'static str] {
    if job.account == Account::Own { &["--user"] } else { &[] }
}
