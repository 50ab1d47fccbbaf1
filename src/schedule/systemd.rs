//! A service and a timer (`systemd.exec(5)`, `systemd.timer(5)`).

use std::fmt::Write as _;

use super::{Account, Every, Job};

/// What every unit of ours begins with.
pub const MARK: &str = "# Written by `vault-kit schedule install`; `vault-kit schedule remove` removes it.\n";

/// What the service does not get in any case. A hook that needs more gets it by a drop-in.
const HARDENING: &str = "\
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
";

/// What only the system's manager can take away.
const OF_THE_SYSTEM: &str = "\
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
";

/// In the namespace that a user's manager needs in order to mount anything, root's files are nobody's.
const WITHOUT_USERS: &str = "\
# Without PrivateUsers=yes, and what a user's manager mounts: a hook's program is root's, which would seem to be nobody's.
";

/// Directories that `ProtectHome=yes` would hide.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// Directories in whose place `PrivateTmp=yes` puts empty ones.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// The text of the service.
pub fn service(job: &Job) -> String {
    let mut text = format!("{MARK}\n[Unit]\nDescription=Rotate the secrets of {} that are due\n", described(job));
    if job.account != Account::Own {
        // AWS is asked; a user's manager does not know the target.
        text.push_str("After=network-online.target\nWants=network-online.target\n");
    }
    text.push_str("\n[Service]\nType=oneshot\n");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "ExecStart={}", command(job));
    let _ = writeln!(text, "WorkingDirectory={}", specifiers(&job.directory));
    let _ = writeln!(text, "LoadCredential=identity:{}", specifiers(&job.identity));
    text.push_str("Environment=VAULT_KIT_IDENTITY_FILE=%d/identity\n");
    if let Some(home) = &job.state_home {
        let _ = writeln!(text, "Environment={}", quoted(&format!("XDG_STATE_HOME={home}")));
    }
    // No timeout: each hook has its own, of up to a day, and everything else ends by itself.
    text.push('\n');
    match &job.account {
        Account::Own => {}
        // Without the line a service of the system's has no HOME, where this user's trust decisions and the second copy are.
        Account::Root => text.push_str("User=root\n"),
        Account::Other(user) => {
            let _ = writeln!(text, "User={}", specifiers(user));
        }
    }
    text.push_str(HARDENING);
    text.push_str(match &job.account {
        Account::Own => "",
        // Outputs may be declared to belong to others.
        Account::Root => "CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER\n",
        Account::Other(_) => "CapabilityBoundingSet=\n",
    });
    match &job.account {
        Account::Own if job.runs_roots => text.push_str(WITHOUT_USERS),
        // Without a user namespace of its own a user's manager cannot mount anything read-only.
        Account::Own => files(&mut text, job, "PrivateUsers=yes\n"),
        Account::Root | Account::Other(_) => files(&mut text, job, OF_THE_SYSTEM),
    }
    text
}

/// Which files it can see and change; `more` = what is mounted for it besides.
fn files(text: &mut String, job: &Job, more: &str) {
    text.push_str("ProtectSystem=strict\n");
    text.push_str(if is_below(job, &TEMPORARY) {
        "# Without PrivateTmp=yes: it would hide the project, this program or what it writes to, which is in a temporary directory.\n"
    } else {
        "PrivateTmp=yes\n"
    });
    text.push_str(more);
    // A user's own manager hands credentials over in /run/user.
    let is_home_needed = job.account == Account::Own || is_below(job, &HOMES);
    let _ = writeln!(text, "ProtectHome={}", if is_home_needed { "read-only" } else { "yes" });
    let place = Some(&job.place).filter(|place| **place != job.directory);
    for path in std::iter::once(&job.directory).chain(place).chain(&job.writes) {
        // One that is not there is no reason not to start.
        let _ = writeln!(text, "ReadWritePaths={}", quoted(&format!("-{path}")));
    }
}

/// The text of the timer.
pub fn timer(job: &Job) -> String {
    let calendar = match job.every {
        Every::Minutes(minutes) => format!("*:0/{minutes}"),
        Every::Hours(24) => "*-*-* 00:00".to_owned(),
        Every::Hours(hours) => format!("0/{hours}:00"),
    };
    // So that hosts do not come all at once, and none skips a turn.
    let delay = (job.every.seconds() / 10).min(900);
    format!(
        "{MARK}\n[Unit]\nDescription=Rotate the secrets of {} that are due\n\n[Timer]\nOnCalendar={calendar}\n\
         RandomizedDelaySec={delay}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        described(job)
    )
}

fn described(job: &Job) -> String {
    specifiers(&format!("{} ({})", job.project, job.environment))
}

fn command(job: &Job) -> String {
    // A journal is searched by what happened; cron would send each line by mail.
    let words = ["--log", "json"].into_iter().chain(job.words());
    let words = words.map(|word| quoted(&word.replace('$', "$$")));
    // The program's own name is not searched for variables.
    std::iter::once(quoted(&job.program)).chain(words).collect::<Vec<_>>().join(" ")
}

/// Whether the job needs anything in one of these directories.
fn is_below(job: &Job, directories: &[&str]) -> bool {
    let paths = [&job.program, &job.directory, &job.place].into_iter().chain(&job.writes);
    let is_in =
        |path: &str, above| path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    paths.into_iter().any(|path| directories.iter().any(|above| is_in(path, above)))
}

/// Text in which `%` stands for itself.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// One word, in quotes where it needs some.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-@+=:,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("\"{}\"", specifiers(&word.replace('\\', r"\\").replace('"', "\\\"")))
}
