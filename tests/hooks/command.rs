//! The shipped programs as `vault-kit rotate` calls them: whoever uses what is delivered is never refused.

mod docker;
mod haproxy;
mod http_probe;
mod nginx;
mod postgres;
mod redis;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::scene::chmod;
use crate::support::{Project, counted};

/// How long the value before stays good, as the manifests of these tests declare it.
const OVERLAP: Duration = Duration::from_secs(1);

/// A project with the shipped programs in `hooks`, trusted and brought to life.
fn project(manifest: &str, programs: &[&str], given: &[(&str, &str)]) -> Project {
    project_with(manifest, programs, given, &[])
}

/// As [`project`], with programs of its own too.
fn project_with(manifest: &str, programs: &[&str], given: &[(&str, &str)], own: &[(&str, &str)]) -> Project {
    let project = Project::with_manifest(manifest);
    let shipped = programs.iter().map(|&name| (name, project.run(["rotate", "hook", name]).assert_code(0).stdout));
    for (name, text) in shipped.chain(own.iter().map(|&(name, text)| (name, text.to_owned()))) {
        project.write(&format!("hooks/{name}"), text);
        chmod(&project.path(&format!("hooks/{name}")), 0o755);
    }
    chmod(&project.path("hooks"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    for (name, value) in given {
        project.run_with_stdin(["set", name], value.as_bytes()).assert_code(0);
    }
    project
}

/// What clients found who used what was delivered, again and again.
#[derive(Debug, Default)]
struct Found {
    uses: u32,
    /// Those that were refused although what they used had been read within the overlap, or was still delivered.
    refused: u32,
    /// Those that were refused with what they had read longer ago, which was delivered no more by then.
    late: u32,
    /// The longest time in which nobody got in.
    gap: Duration,
}

impl Found {
    /// Nobody was. Who is slower than the overlap on a machine with much to do is one in a hundred at most, so that a server which
    /// refuses does not pass for a slow one.
    #[track_caller]
    fn assert_nobody_refused(&self) {
        assert_eq!(self.refused, 0, "{self:?}");
        assert!(self.late * 100 <= self.uses, "{self:?}");
    }
}

/// Eight clients that read a file, hand its text to `logs_in`, and begin again, while `work` is done.
fn with_clients(file: &Path, logs_in: impl Fn(&str) -> bool + Sync, work: impl FnOnce()) -> Found {
    let done = AtomicBool::new(false);
    let client = || {
        let (mut found, mut served) = (Found::default(), Instant::now());
        while !done.load(Ordering::Relaxed) {
            let read = Instant::now();
            let text = std::fs::read_to_string(file).unwrap();
            if logs_in(&text) {
                // At the end of a gap somebody reads what is new, and begins at once.
                found.gap = found.gap.max(read.saturating_duration_since(served));
                served = Instant::now();
            } else if read.elapsed() < OVERLAP || std::fs::read_to_string(file).unwrap() == text {
                found.refused += 1;
            } else {
                found.late += 1;
            }
            found.uses += 1;
            std::thread::sleep(Duration::from_millis(30));
        }
        found
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(client)).collect();
        // However the work ends, the clients do.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        let found = clients.into_iter().map(|it| it.join().unwrap()).fold(Found::default(), |sum, it| Found {
            uses: sum.uses + it.uses,
            refused: sum.refused + it.refused,
            late: sum.late + it.late,
            gap: sum.gap.max(it.gap),
        });
        if let Err(cause) = ended {
            std::panic::resume_unwind(cause);
        }
        let name = file.file_name().unwrap().to_string_lossy();
        counted(&format!(
            "eight clients of `{name}`: {} uses, {} refused, {} refused to who was slow",
            found.uses, found.refused, found.late
        ));
        found
    })
}

/// Rotates so often, each time when the overlap before is over and what it left was retired.
fn rotate(project: &Project, name: &str, times: u32) {
    for _ in 0..times {
        project.run(["rotate", name]).assert_code(0);
        std::thread::sleep(OVERLAP);
        project.run(["rotate", "--due"]).assert_code(0);
    }
}
