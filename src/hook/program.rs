//! The file that a hook runs: whose it is, what is in it, and that exactly this is executed.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use zeroize::Zeroizing;

use super::interpreter::{self, Lack};
use super::running::Running;
use super::{Hook, Step, environment};
use crate::error::{Error, Kind, Result};
use crate::manifest::Manifest;
use crate::name::HookName;
use crate::private_file::{Facts, Root};
use crate::secret::digest::sha256_hex;
use crate::shell;
use crate::trust;

/// Its lock is held by each hook that runs: one whose vault-kit was killed may still change what it was called for, and the next
/// writer waits for it.
///
/// It is not the writers' lock, which a service that a hook starts would hold when the one who took it is killed later.
pub const LOCK: &str = ".vault-kit/hook.lock";

/// A declared program that is there and belongs to whom it may.
#[derive(Debug)]
pub struct Found {
    hook: HookName,
    file: File,
    /// As the manifest names it.
    program: String,
    digest: String,
    directory: PathBuf,
    timeout: Duration,
}

/// A program that this user trusts, byte for byte.
#[derive(Debug)]
pub struct Program {
    found: Found,
    environment: Vec<(OsString, OsString)>,
}

impl Found {
    /// Looks for the program of a hook: a regular file, reached through no symlink, that belongs to the user or to root and
    /// that nobody else can change.
    ///
    /// Fails with `hook-missing` or `hook-refused`.
    pub fn find(project: &Root, hook: &Hook) -> Result<Self> {
        let opened = match hook.program.strip_prefix('/') {
            Some(path) => Root::open(Path::new("/"))?.open_file(path),
            None => project.open_file(&hook.program),
        };
        let (file, facts) = expect_file(hook, opened)?;
        expect_safe(hook, &facts)?;
        let digest = digest(&file).map_err(|error| Error::io(format!("read `{}`", hook.program), error))?;
        Ok(Self {
            hook: hook.name.clone(),
            file,
            program: hook.program.clone(),
            digest,
            directory: project.path().to_path_buf(),
            // At most a day, which the manifest's reader holds it to.
            timeout: Duration::from_secs(hook.timeout.seconds().unsigned_abs()),
        })
    }

    /// Whether a repository has the program of a hook, executable; of one that lies elsewhere it says nothing.
    ///
    /// Fails with `hook-missing` or `hook-refused`.
    pub fn expect_committed(project: &Root, hook: &Hook) -> Result<()> {
        if hook.program.starts_with('/') {
            return Ok(());
        }
        let (_, facts) = expect_file(hook, project.open_file(&hook.program))?;
        expect_executable(hook, &facts)
    }

    /// SHA-256 of its bytes, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The program, if this user trusts it with what the manifest gives it; `state` is the user's state directory.
    ///
    /// `environment` is what it inherits, besides a fixed `PATH`. Fails with `untrusted-hook`, and with `hook-not-started` where the
    /// system could not start it.
    pub fn trusted(
        self,
        state: Option<&Root>,
        manifest: &Manifest,
        hook: &Hook,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Program> {
        let item = trust::hook_item(manifest, hook, &self.digest);
        let is_trusted = state.map(|state| trust::is_hook_trusted(state, &item)).transpose()?.unwrap_or(false);
        if !is_trusted {
            let message = format!("refusing to run the hook `{}`: you do not trust it as it is now", self.hook);
            return Err(Error::new(Kind::Permission, "untrusted-hook", message)
                .hint(format!("read `{}`, then run `vault-kit trust`", self.program)));
        }
        self.expect_interpreter()?;
        Ok(Program { found: self, environment })
    }
}

impl Program {
    /// The hook whose program it is.
    pub fn hook(&self) -> &HookName {
        &self.found.hook
    }

    /// Starts it for a step, and hands the input to a thread that writes and wipes it.
    ///
    /// What runs is the open file whose bytes are digested once more right before: on Linux its name can come to mean
    /// another file without any effect. Elsewhere there is no way to execute an open file, so its path is used; whoever
    /// could swap it in that instant is the user or root. Fails with `hook-changed` or `hook-not-started`.
    pub fn start(&self, step: Step, input: Zeroizing<Vec<u8>>) -> Result<Running> {
        let found = &self.found;
        let now = digest(&found.file).map_err(|error| Error::io(format!("read `{}`", found.program), error))?;
        if now != found.digest {
            let message = format!("`{}` changed while it was looked at", found.program);
            return Err(
                Error::new(Kind::Permission, "hook-changed", message).hint("read it, then run `vault-kit trust`")
            );
        }
        // A script's interpreter opens it by this descriptor, so it is one that the program inherits; read-only.
        let descriptor = rustix::io::dup(&found.file).map_err(|errno| not_started(found, errno.into()))?;
        let lock = Root::open(&found.directory)?.lock_for_hook(LOCK)?;
        // No other program is started while it is open.
        let inherited = lock.inherited().map_err(|error| not_started(found, error))?;
        let mut command = Command::new(found.executable(&descriptor));
        command
            .arg0(&found.program)
            .arg(step.name())
            .current_dir(&found.directory)
            .env_clear()
            .env("PATH", environment::PATH)
            .env(environment::WITHIN, std::fs::canonicalize(&found.directory).unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| not_started(found, error))?;
        drop((descriptor, inherited));
        Running::watch(child, lock, input, found.timeout)
    }
}

impl Found {
    /// Refuses a script that the system could not start.
    fn expect_interpreter(&self) -> Result<()> {
        let program = &self.program;
        let lack = interpreter::lack(&self.file);
        let lack = lack.map_err(|error| Error::io(format!("read `{program}`"), error))?;
        let refused = |why: &str| {
            Error::new(
                Kind::System,
                "hook-not-started",
                format!("cannot start `{program}` for the hook `{}`: {why}", self.hook),
            )
        };
        match lack {
            None => Ok(()),
            Some(Lack::Interpreter) => Err(refused("the interpreter that its first line names is not there").hint(
                format!("install what the first line of `{program}` names, or name another one there, and trust that"),
            )),
            Some(Lack::Whole) => Err(refused("its first line does not name the whole path of its interpreter")
                .hint(format!("write it there, such as #!/bin/sh: edit `{program}`, and trust that"))),
            Some(Lack::Ending) => Err(refused("its first line ends in a carriage return, as on Windows")
                .hint(format!("`sed -i 's/\\r$//' {}` takes them out; then `vault-kit trust`", shell::path(program)))),
        }
    }

    /// What the system is asked to execute.
    fn executable(&self, descriptor: &OwnedFd) -> PathBuf {
        let by_descriptor = PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
        if cfg!(target_os = "linux") { by_descriptor } else { self.directory.join(&self.program) }
    }
}

/// Of the whole file, wherever its offset is.
fn digest(file: &File) -> std::io::Result<String> {
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(sha256_hex(&bytes))
}

fn expect_file(hook: &Hook, opened: Result<Option<(File, Facts)>>) -> Result<(File, Facts)> {
    match opened {
        // Whoever opens files takes them for outputs.
        Err(error) if error.code() == "not-regular" => Err(refused(hook, "it is no file").hint(format!(
            "put the program there, or name the place where it is, in line {} of the manifest",
            hook.line
        ))),
        opened => opened?.ok_or_else(|| missing(hook)),
    }
}

fn expect_safe(hook: &Hook, facts: &Facts) -> Result<()> {
    let word = shell::path(&hook.program);
    let directory = Path::new(&hook.program).parent().filter(|path| !path.as_os_str().is_empty());
    let directory = shell::path(&directory.unwrap_or(Path::new(".")).to_string_lossy());
    let user = rustix::process::geteuid().as_raw();
    let owners = [0, user];
    if !owners.contains(&facts.uid) {
        return Err(refused(hook, "it belongs to another user").hint(format!("`sudo chown {user} {word}`")));
    }
    if facts.mode & 0o022 != 0 {
        return Err(refused(hook, "others than its owner may change it").hint(format!("`chmod go-w {word}`")));
    }
    if facts.mode & 0o6000 != 0 {
        return Err(refused(hook, "it would run as another user").hint(format!("`chmod ug-s {word}`")));
    }
    expect_executable(hook, facts)?;
    if facts.directory.is_writable_by_others() || facts.directory.is_writable_by_group() {
        return Err(refused(hook, "others than the owner of its directory may replace it")
            .hint(format!("`chmod go-w {directory}`")));
    }
    if !owners.contains(&facts.directory.uid) {
        return Err(
            refused(hook, "its directory belongs to another user").hint(format!("`sudo chown {user} {directory}`"))
        );
    }
    Ok(())
}

fn expect_executable(hook: &Hook, facts: &Facts) -> Result<()> {
    if facts.mode & 0o100 == 0 {
        let word = shell::path(&hook.program);
        return Err(refused(hook, "it is not executable").hint(format!("`chmod u+x {word}`")));
    }
    Ok(())
}

fn refused(hook: &Hook, why: &str) -> Error {
    Error::new(
        Kind::Permission,
        "hook-refused",
        format!("refusing to run `{}` for the hook `{}`: {why}", hook.program, hook.name),
    )
}

fn missing(hook: &Hook) -> Error {
    let message = format!("there is no `{}`, the program of the hook `{}`", hook.program, hook.name);
    let error = Error::new(Kind::Manifest, "hook-missing", message);
    let name =
        Path::new(&hook.program).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    match super::shipped(&name) {
        Some(_) => error.hint(format!(
            "`vault-kit rotate hook {name} > {0}; chmod 755 {0}` writes the one that vault-kit ships",
            shell::path(&hook.program)
        )),
        None => error.hint(format!("line {} of the manifest names it", hook.line)),
    }
}

fn not_started(found: &Found, error: std::io::Error) -> Error {
    Error::new(Kind::System, "hook-not-started", format!("cannot start `{}`", found.program))
        .source(error)
        .hint("its first line names its interpreter: is that installed?")
}
