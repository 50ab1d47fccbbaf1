//! A program at work: fed, listened to, and ended when its time is up.
//!
//! One thread does all of it, and never waits for a program that does not read, does not stop writing, or left somebody
//! behind who keeps its pipes open.

use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid};
use zeroize::Zeroizing;

use super::capture::{Captured, drain};
use super::interrupt::Interrupts;
use super::redact;
use crate::error::{Error, Result};
use crate::private_file::Lock;
use crate::secret::Secret;

/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// How long the pipes are still read once the program has ended: what it wrote is in them, and nothing else is waited for.
const AFTERWARDS: Duration = Duration::from_millis(100);

/// How often the program's end is looked for while its pipes are silent.
const PAUSE: Duration = Duration::from_millis(20);

/// The exit code of a program that wants to be called again later (`EX_TEMPFAIL` of sysexits.h).
const LATER: i32 = 75;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It did what it was asked for.
    Done,
    /// Not now: to be tried again later.
    Later,
    /// It ended with this exit code.
    Failed(i32),
    /// A signal ended it.
    Killed(i32),
    /// Its time was up, so it was ended.
    TimedOut,
    /// Somebody interrupted us, so it was ended.
    Interrupted,
}

/// A program that was started.
#[derive(Debug)]
pub struct Running(JoinHandle<std::io::Result<Ended>>);

/// What became of a program.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: Status,
    /// How long it took.
    pub took: Duration,
    output: Captured,
    errors: Captured,
}

impl Running {
    /// Watches a child that was started with three pipes in a process group of its own, and that inherited a lock.
    pub(super) fn watch(child: Child, lock: Lock, input: Zeroizing<Vec<u8>>, timeout: Duration) -> Result<Self> {
        let group = group_of(&child);
        let watched = Watched::new(child, lock, input, timeout);
        let start = |it: Watched| std::thread::Builder::new().name("hook".to_owned()).spawn(move || it.watch());
        // Without somebody to watch it, it must not run.
        watched.and_then(start).map(Self).map_err(|error| {
            signal(group, Signal::KILL);
            Error::io("watch a hook", error)
        })
    }

    /// Waits until it has ended, at most a little longer than its timeout.
    pub fn wait(self) -> Result<Ended> {
        let ended = self.0.join().map_err(|_| Error::bug("the thread that watches a hook ended"))?;
        ended.map_err(|error| Error::io("watch a hook", error))
    }
}

impl Ended {
    /// What it wrote, with every trace of the values blotted out, and nothing that a terminal would obey.
    pub fn redacted(&self, values: &[&Secret]) -> String {
        let patterns = redact::Patterns::of(values);
        let mut text = String::new();
        for stream in [&self.output, &self.errors] {
            let mut part = patterns.redact(&stream.bytes, stream.is_cut);
            if stream.is_cut {
                part.push_str("\n… (more was written)");
            }
            if !text.is_empty() && !text.ends_with('\n') && !part.is_empty() {
                text.push('\n');
            }
            text.push_str(&part);
        }
        text
    }
}

fn group_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// To the whole group; one that has ended needs none.
fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

/// Everything that the thread holds.
struct Watched {
    child: Child,
    lock: Lock,
    group: Option<Pid>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    input: Zeroizing<Vec<u8>>,
    written: usize,
    started: Instant,
    timeout: Duration,
    interrupts: Interrupts,
    /// Why it is being ended, and since when.
    ending: Option<(Status, Instant)>,
    output: Captured,
    errors: Captured,
}

impl Watched {
    fn watch(mut self) -> std::io::Result<Ended> {
        let exited = loop {
            self.feed();
            self.listen()?;
            if let Some(exited) = self.exited()? {
                break Some(exited);
            }
            if !self.may_go_on() {
                break None;
            }
            self.pause()?;
        };
        // What is left of the input is wiped before anything else is waited for.
        (self.stdin, self.input) = (None, Zeroizing::default());
        let until = Instant::now() + AFTERWARDS;
        while (self.stdout.is_some() || self.stderr.is_some()) && Instant::now() < until {
            self.listen()?;
            self.pause()?;
        }
        let status = match self.ending {
            Some((status, _)) => {
                // Before the child is reaped: until then nobody else's group can have its number.
                signal(self.group, Signal::KILL);
                status
            }
            None => exited.as_ref().map_or(Status::TimedOut, status_of),
        };
        let Self { mut child, lock, started, output, errors, .. } = self;
        if exited.is_some() {
            // A service that it started and left behind keeps nobody waiting.
            drop(lock);
            child.wait()?;
        } else {
            lock.leave();
        }
        Ok(Ended { status, took: started.elapsed(), output, errors })
    }

    /// Writes what the pipe takes, and closes it after the last byte or when the program closed its end.
    fn feed(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        while self.written < self.input.len() {
            match stdin.write(&self.input[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // It does not want the rest: its exit code says whether that is well.
                Err(_) => break,
            }
        }
        (self.stdin, self.input) = (None, Zeroizing::default());
    }

    fn listen(&mut self) -> std::io::Result<()> {
        drain(&mut self.stdout, &mut self.output)?;
        drain(&mut self.stderr, &mut self.errors)
    }

    /// How the program ended, if it did; it stays unreaped, so that its number remains its own.
    fn exited(&self) -> std::io::Result<Option<WaitIdStatus>> {
        let Some(pid) = self.group else { return Ok(None) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(retry_on_intr(|| waitid(WaitId::Pid(pid), options))?)
    }

    /// Ends a program whose time is up, politely first; `false` once even that which cannot be refused had no effect.
    fn may_go_on(&mut self) -> bool {
        let is_interrupted = self.interrupts.take();
        match self.ending {
            None if is_interrupted => self.end(Status::Interrupted),
            None if self.started.elapsed() >= self.timeout => self.end(Status::TimedOut),
            None => {}
            Some((_, since)) => {
                if is_interrupted || since.elapsed() >= GRACE {
                    signal(self.group, Signal::KILL);
                }
                return since.elapsed() < 2 * GRACE;
            }
        }
        true
    }

    fn end(&mut self, status: Status) {
        signal(self.group, Signal::TERM);
        // A stopped one would not even notice.
        signal(self.group, Signal::CONT);
        self.ending = Some((status, Instant::now()));
    }

    /// Until a pipe has news, and not for long.
    fn pause(&self) -> std::io::Result<()> {
        let mut pipes = Vec::with_capacity(3);
        pipes.extend(self.stdin.iter().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        pipes.extend(self.stdout.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        pipes.extend(self.stderr.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        // A program that closed all of them is about to end.
        let pause = if pipes.is_empty() { PAUSE / 10 } else { PAUSE };
        let timeout = Timespec::try_from(pause).map_err(std::io::Error::other)?;
        match poll(&mut pipes, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn new(mut child: Child, lock: Lock, input: Zeroizing<Vec<u8>>, timeout: Duration) -> std::io::Result<Self> {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let watched = Self {
            group: group_of(&child),
            child,
            lock,
            stdin,
            stdout,
            stderr,
            input,
            written: 0,
            started: Instant::now(),
            timeout,
            interrupts: Interrupts::listen(),
            ending: None,
            output: Captured::default(),
            errors: Captured::default(),
        };
        watched.stdin.iter().try_for_each(never_wait)?;
        watched.stdout.iter().try_for_each(never_wait)?;
        watched.stderr.iter().try_for_each(never_wait)?;
        Ok(watched)
    }
}

/// Ours is the only end that changes: each end of a pipe has flags of its own.
fn never_wait(pipe: impl AsFd) -> std::io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(&pipe)?;
    Ok(rustix::fs::fcntl_setfl(&pipe, flags | OFlags::NONBLOCK)?)
}

fn status_of(exited: &WaitIdStatus) -> Status {
    match (exited.exit_status(), exited.terminating_signal()) {
        (Some(0), _) => Status::Done,
        (Some(LATER), _) => Status::Later,
        (Some(code), _) => Status::Failed(code),
        (None, signal) => Status::Killed(signal.unwrap_or_default()),
    }
}
