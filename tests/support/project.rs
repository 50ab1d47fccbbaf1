//! A project in a directory of its own, with a home and an identity that nothing else sees.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_vault-kit");

/// A project directory and a home, both gone when it is dropped.
pub(crate) struct Project {
    directory: TempDir,
    home: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; 128 + signal when one ended it.
    pub(crate) code: i32,
    /// Everything on stdout.
    pub(crate) stdout: String,
    /// Everything on stderr.
    pub(crate) stderr: String,
}

/// A file or directory as it stands: whether it was touched, not only what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Permission bits.
    pub(crate) mode: u32,
    /// Modification time in nanoseconds.
    pub(crate) mtime: i128,
    /// Inode.
    pub(crate) inode: u64,
    /// Content; empty for directories.
    pub(crate) bytes: Vec<u8>,
}

impl Project {
    /// An empty directory.
    pub(crate) fn empty() -> Self {
        Self::empty_in(&std::env::temp_dir())
    }

    /// An empty directory in memory, where the disk does not set the pace, for tests that run the program a thousand
    /// times.
    pub(crate) fn empty_in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::empty_in(memory) } else { Self::empty() }
    }

    /// An empty directory and a home on a file system of the test's own.
    pub(crate) fn empty_in(place: &Path) -> Self {
        let directory = || tempfile::Builder::new().prefix("vault-kit-test-").tempdir_in(place).expect("a directory");
        Self { directory: directory(), home: directory() }
    }

    /// A directory with a manifest, not yet brought to life.
    pub(crate) fn with_manifest(manifest: &str) -> Self {
        let project = Self::empty();
        project.write("vault-kit.toml", manifest);
        project
    }

    /// A manifest that was brought to life.
    pub(crate) fn initialised(manifest: &str) -> Self {
        let project = Self::with_manifest(manifest);
        project.run(["init"]).assert_code(0);
        project
    }

    /// A shipped system that was brought to life.
    pub(crate) fn preset(name: &str) -> Self {
        let project = Self::empty();
        project.run(["init", "--preset", name]).assert_code(0);
        project
    }

    /// The project's directory.
    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where a first `init` puts the identity.
    pub(crate) fn identity(&self) -> PathBuf {
        self.home().join(".config/vault-kit/identity.txt")
    }

    /// A path in the project.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file of the test's own.
    #[expect(clippy::disallowed_methods, reason = "a file that the test brings along")]
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its directory is made");
        std::fs::write(path, content).expect("the file is written");
    }

    /// Moves the modification time of a file into the past.
    pub(crate) fn age(&self, path: &str, time: Duration) {
        let file = std::fs::File::options().append(true).open(self.path(path)).expect("the file is opened");
        let modified = file.metadata().and_then(|facts| facts.modified()).expect("its time");
        file.set_modified(modified - time).expect("the time is set");
    }

    /// Reads a file as text.
    pub(crate) fn read(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).expect("text")
    }

    /// Reads a file.
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The permission bits of a file.
    pub(crate) fn mode(&self, path: &str) -> u32 {
        std::fs::symlink_metadata(self.path(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
            .permissions()
            .mode()
            & 0o7777
    }

    /// The program with these arguments, in the project's directory, with nothing of our environment but `PATH`.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(PROGRAM);
        self.furnish(command.args(arguments));
        command
    }

    /// Another program in front of ours: `strace …`, `setpriv …`.
    pub(crate) fn command_under<A: AsRef<OsStr>, B: AsRef<OsStr>>(
        &self,
        wrapper: impl IntoIterator<Item = A>,
        arguments: impl IntoIterator<Item = B>,
    ) -> Command {
        let mut wrapper = wrapper.into_iter();
        let mut command = Command::new(wrapper.next().expect("a program"));
        self.furnish(command.args(wrapper).arg(PROGRAM).args(arguments));
        command
    }

    fn furnish(&self, command: &mut Command) {
        command.current_dir(self.root()).env_clear().env("PATH", super::search_path()).env("HOME", self.home());
        command.stdin(Stdio::null());
    }

    /// Runs the program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Runs the program with something on stdin.
    pub(crate) fn run_with_stdin<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, stdin: &[u8]) -> Run {
        Run::with_stdin(&mut self.command(arguments), stdin)
    }

    /// A value as `get` writes it to a pipe.
    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        let output = self.command(["get", name]).output().expect("it runs");
        assert!(output.status.success(), "get {name}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Everything in the project's directory, by relative path.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Entry> {
        let mut entries = BTreeMap::new();
        collect(self.root(), self.root(), &mut entries);
        entries
    }

    /// Everything in the home, by relative path.
    pub(crate) fn home_snapshot(&self) -> BTreeMap<String, Entry> {
        let mut entries = BTreeMap::new();
        collect(self.home(), self.home(), &mut entries);
        entries
    }

    /// Everything in project and home by relative path, without times: what a failed command must not have changed.
    pub(crate) fn contents(&self) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut entries = BTreeMap::new();
        collect(self.root(), self.root(), &mut entries);
        let mut home = BTreeMap::new();
        collect(self.home(), self.home(), &mut home);
        entries.extend(home.into_iter().map(|(path, entry)| (format!("~/{path}"), entry)));
        entries.into_iter().map(|(path, entry)| (path, (entry.mode, entry.bytes))).collect()
    }
}

fn collect(root: &Path, directory: &Path, entries: &mut BTreeMap<String, Entry>) {
    for item in std::fs::read_dir(directory).expect("the directory is read") {
        let path = item.expect("an entry").path();
        let facts = std::fs::symlink_metadata(&path).expect("its facts");
        let name = path.strip_prefix(root).expect("beneath the root").to_string_lossy().into_owned();
        let bytes = if facts.is_file() { std::fs::read(&path).expect("its content") } else { Vec::new() };
        let mtime = i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec());
        entries.insert(name, Entry { mode: facts.mode() & 0o7777, mtime, inode: facts.ino(), bytes });
        if facts.is_dir() {
            collect(root, &path, entries);
        }
    }
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the command runs"))
    }

    /// Runs a command with something on stdin.
    pub(crate) fn with_stdin(command: &mut Command, stdin: &[u8]) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        // A command that refuses before it reads closes the pipe: its own words tell more than ours.
        let _ = child.stdin.take().expect("a pipe").write_all(stdin);
        Self::from(child.wait_with_output().expect("the command ends"))
    }

    /// Fails the test, showing everything, unless the exit code is this one.
    #[track_caller]
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Both streams, for what must not be in either.
    pub(crate) fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
