//! EIO, ENOSPC, EINTR, EACCES and SIGKILL at every index of every call that opens, writes, names or locks a file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::judge::{End, Judge, LIST};
use crate::support::{Project, Run, counted, program, skip};
use crate::tree::{self, Tree};
use crate::{FOREIGN, MANIFEST, OLD_KEY, STALE, declared, running};

/// The calls that are disturbed. `close` is not among them: an injected error skips the call, and a descriptor that
/// stays open disturbs nothing but the test.
const CALLS: [&str; 16] = [
    "openat",
    "openat2",
    "write",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "fchmod",
    "mkdirat",
    "unlink",
    "unlinkat",
    "linkat",
    "flock",
];

const FAULTS: [&str; 5] = ["error=EIO", "error=ENOSPC", "error=EINTR", "error=EACCES", "signal=KILL"];

/// How many projects are worked on at once.
const WORKERS: usize = 2;

/// One disturbed run.
struct Case {
    call: &'static str,
    index: usize,
    fault: &'static str,
    /// Whether the call is about our files; otherwise it is the loader's or libc's, before `main`.
    ours: bool,
}

#[test]
fn init_of_a_preset_survives_a_fault_at_every_call() {
    every_call(
        "init_of_a_preset_survives_a_fault_at_every_call",
        Project::empty_in_memory,
        &["init", "--preset", "sutra"],
    );
}

#[test]
fn init_of_a_manifest_survives_a_fault_at_every_call() {
    every_call("init_of_a_manifest_survives_a_fault_at_every_call", with_leftovers, &["init"]);
}

#[test]
fn set_survives_a_fault_at_every_call() {
    let set = ["set", "API_KEY", "--from-file", "new-key"];
    every_call("set_survives_a_fault_at_every_call", running_with_leftovers, &set);
}

#[test]
fn render_survives_a_fault_at_every_call() {
    every_call("render_survives_a_fault_at_every_call", changed, &["render"]);
}

#[test]
fn render_in_place_survives_a_fault_at_every_call() {
    every_call("render_in_place_survives_a_fault_at_every_call", changed_in_place, &["render"]);
}

#[test]
fn import_survives_a_fault_at_every_call() {
    every_call("import_survives_a_fault_at_every_call", running_elsewhere, &["import", ".env"]);
}

#[test]
fn generate_replace_survives_a_fault_at_every_call() {
    let generate = ["generate", "--replace", "SESSION_KEY", "--yes"];
    every_call("generate_replace_survives_a_fault_at_every_call", running_with_leftovers, &generate);
}

#[test]
fn incident_survives_a_fault_at_every_call() {
    let incident = ["incident", "SESSION_KEY", "--yes"];
    every_call("incident_survives_a_fault_at_every_call", running_with_leftovers, &incident);
}

#[test]
fn remove_survives_a_fault_at_every_call() {
    every_call("remove_survives_a_fault_at_every_call", running_with_leftovers, &["remove", "API_KEY", "--yes"]);
}

#[test]
fn recipients_apply_survives_a_fault_at_every_call() {
    let apply = ["recipients", "apply", "--yes"];
    every_call("recipients_apply_survives_a_fault_at_every_call", with_another_recipient, &apply);
}

#[test]
fn token_mint_survives_a_fault_at_every_call() {
    let mint = ["token", "mint", "--role", "reader", "--subject", "user:42", "--revocable"];
    every_call("token_mint_survives_a_fault_at_every_call", signing, &mint);
}

#[test]
fn rotate_survives_a_fault_at_every_call() {
    every_call("rotate_survives_a_fault_at_every_call", running_with_leftovers, &["rotate", "SESSION_KEY"]);
}

#[test]
fn rotate_with_programs_survives_a_fault_at_every_call() {
    // It makes three times the calls of other commands: one fault that is told, and death.
    let (test, faults) = ("rotate_with_programs_survives_a_fault_at_every_call", ["error=EIO", "signal=KILL"]);
    every_fault(test, with_programs, &["rotate", "SESSION_KEY"], &faults);
}

/// An owner that accepts what is in a list.
const LISTING: &str = r#"#!/bin/sh
input=$(cat)
value() { printf '%s\n' "$input" | sed -n "s/.*\"$1\":{[^{}]*\"value\":\"\([^\"]*\)\".*/\1/p"; }
new=$(value new) old=$(value old)
case $1 in
set) [ -n "$new" ] && { grep -qxF -e "$new" accepted || printf '%s\n' "$new" >>accepted; } ;;
test) [ -n "$new" ] && grep -qxF -e "$new" accepted ;;
retire) [ -n "$old" ] && rest=$(grep -vxF -e "$old" accepted) && printf '%s\n' "$rest" >accepted ;;
esac
"#;

/// A value whose owner keeps a list of what it accepts, and a server that reads what is delivered.
#[expect(clippy::disallowed_methods, reason = "the test's own files")]
fn with_programs() -> Project {
    use std::os::unix::fs::PermissionsExt as _;
    let project = running_with_leftovers();
    let hooks = "[hooks.owner]\nprogram = \"hooks/owner\"\nsteps = [\"set\", \"test\", \"retire\"]\n\
                 [hooks.server]\nprogram = \"hooks/owner\"\nsteps = [\"reload\"]\noutputs = [\"env\"]\n";
    let manifest = MANIFEST.replace("[secrets.SESSION_KEY]\n", "[secrets.SESSION_KEY]\nhooks = [\"owner\"]\n");
    project.write("vault-kit.toml", format!("{manifest}{hooks}"));
    project.write("hooks/owner", LISTING);
    project.write(LIST, [project.get("SESSION_KEY"), b"\n".to_vec()].concat());
    for (path, mode) in [("hooks", 0o755), ("hooks/owner", 0o755), (LIST, 0o600)] {
        fs::set_permissions(project.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    project.run(["trust", "--yes"]).assert_code(0);
    project
}

/// A manifest with a key that signs, brought to life.
fn signing() -> Project {
    let project = running_with_leftovers();
    project.write("vault-kit.toml", format!("{MANIFEST}\n[secrets.SIGNING_KEY]\nkind = \"keypair\"\n"));
    project.run(["generate"]).assert_code(0);
    project.write(STALE, "left behind");
    project
}

/// A manifest, and what a killed writer left beside it.
fn with_leftovers() -> Project {
    let project = declared();
    project.write(STALE, "left behind");
    project
}

fn running_with_leftovers() -> Project {
    let project = running();
    project.write(STALE, "left behind");
    project.write(&format!(".vault-kit/{STALE}"), "left behind");
    project
}

/// A setting is another one, a file is gone, a file is too open, and an output is new.
#[expect(clippy::disallowed_methods, reason = "the test's own files")]
fn changed() -> Project {
    use std::os::unix::fs::PermissionsExt as _;
    let project = running_with_leftovers();
    let manifest = MANIFEST.replace("\"8080\"", "\"9090\"");
    project.write(
        "vault-kit.toml",
        format!(
            "{manifest}\n[outputs.more]\nformat = \"json\"\npath = \"config/more.json\"\nsecrets = [\"API_KEY\"]\n"
        ),
    );
    fs::remove_file(project.path("tls/cert.pem")).unwrap();
    fs::set_permissions(project.path("tls/key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    project
}

/// A `.env` that is mounted singly, as a manifest says that is otherwise the same; its new content is shorter.
fn changed_in_place() -> Project {
    let project = running_with_leftovers();
    let manifest = MANIFEST.replace("path = \".env\"\n", "path = \".env\"\nin_place = true\n");
    project.write("vault-kit.toml", manifest.replace("\"8080\"", "\"80\""));
    project
}

/// The values that a deployment runs with, and a manifest that knows nothing of them yet.
fn running_elsewhere() -> Project {
    let project = with_leftovers();
    project.write(".env", format!("{FOREIGN}SESSION_KEY=b3BlcmF0b3JzLW93bi1zZXNzaW9uLWtleS0x\nAPI_KEY={OLD_KEY}\n"));
    project
}

/// A manifest that lets one more person open the store.
fn with_another_recipient() -> Project {
    let project = running_with_leftovers();
    let (_, other) = project.stranger("other.txt");
    let own = &project.identities().recipients()[0];
    project.write(
        "vault-kit.toml",
        format!("{MANIFEST}\n[environments.dev]\nrecipients = {{ me = \"{own}\", other = \"{other}\" }}\n"),
    );
    project
}

/// Disturbs a command at every call of every kind in every way, and prints how each ended.
fn every_call(test: &str, prepare: fn() -> Project, command: &[&str]) {
    every_fault(test, prepare, command, &FAULTS);
}

#[expect(clippy::print_stdout, reason = "the numbers are the result")]
fn every_fault(test: &str, prepare: fn() -> Project, command: &[&str], faults: &[&'static str]) {
    if program("strace").is_none() {
        return skip(test, "there is no strace");
    }
    let cases = cases(prepare, command, faults);
    let next = AtomicUsize::new(0);
    let ends = Mutex::new(BTreeMap::<&str, BTreeMap<End, usize>>::new());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let bench = Bench::new(prepare(), command);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match bench.disturb(case) {
                        Ok(end) => {
                            *ends.lock().unwrap().entry(case.fault).or_default().entry(end).or_default() += 1;
                        }
                        Err(why) => failures.lock().unwrap().push(format!("{case}: {why}")),
                    }
                }
            });
        }
    });
    let (ends, failures) = (ends.into_inner().unwrap(), failures.into_inner().unwrap());
    let name = command.join(" ");
    let mut judged = 0;
    for &fault in faults {
        let ended = ends.get(fault).cloned().unwrap_or_default();
        let (passed, all) = (ended.values().sum::<usize>(), cases.iter().filter(|it| it.fault == fault).count());
        println!("{name}, {fault}: {passed} of {all} {ended:?}");
        judged += passed;
    }
    let foreign = cases.iter().filter(|case| !case.ours).count();
    let all = cases.len();
    counted(&format!(
        "{name}: {judged} of {all} faults survived; {foreign} of them hit the loader or libc before `main`"
    ));
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), cases.len(), failures.join("\n"));
    assert_eq!(judged, cases.len());
}

/// Every index of every call, in every way, as an undisturbed run makes them.
fn cases(prepare: fn() -> Project, command: &[&str], faults: &[&'static str]) -> Vec<Case> {
    let bench = Bench::new(prepare(), command);
    // age seals to a random length; a file as long as the one before it is read, and a call more is made than in other runs.
    let log = (0..4).map(|_| bench.undisturbed()).min_by_key(|log| log.lines().count()).unwrap();
    // Which call of a thread beside it comes first differs from run to run; its only one hands a hook its input.
    let main = log.split(' ').next().unwrap_or_default();
    let mut cases = Vec::new();
    for call in CALLS {
        let lines = log.lines().filter(|line| line.split(' ').next() == Some(main) && name_of(line) == Some(call));
        for (index, line) in lines.enumerate() {
            let ours = bench.is_ours(line);
            cases.extend(faults.iter().map(|&fault| Case { call, index: index + 1, fault, ours }));
        }
    }
    for call in ["openat", "openat2", "write", "fsync", "renameat", "flock"] {
        assert!(cases.iter().any(|case| case.call == call && case.ours), "{call} was never called");
    }
    cases
}

/// The call of a line such as `123 write(2, …`.
fn name_of(line: &str) -> Option<&str> {
    line.split_once(' ')?.1.trim_start().split_once('(').map(|(name, _)| name)
}

/// A project that is put back before each run, and strace's log.
struct Bench<'a> {
    project: Project,
    command: &'a [&'a str],
    before: Tree,
    reference: Tree,
    check: Run,
    in_place: Option<&'static str>,
    scratch: TempDir,
}

impl<'a> Bench<'a> {
    fn new(project: Project, command: &'a [&'a str]) -> Self {
        let before = tree::take(&project);
        // As each case finds it: no file that was put back is as it was delivered.
        tree::put_back(&project, &before);
        project.run(command).assert_code(0);
        let reference = tree::take(&project);
        let check = project.run(["check"]);
        let in_place = project.read("vault-kit.toml").contains("in_place = true").then_some(".env");
        tree::put_back(&project, &before);
        Self { project, command, before, reference, check, in_place, scratch: TempDir::new().unwrap() }
    }

    /// The calls that it makes when nothing fails.
    fn undisturbed(&self) -> String {
        tree::put_back(&self.project, &self.before);
        let run = self.run(&["-e", &format!("trace={}", CALLS.join(","))]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        self.log()
    }

    fn disturb(&self, case: &Case) -> Result<End, String> {
        tree::put_back(&self.project, &self.before);
        let inode = self.inode();
        let Case { call, index, fault, .. } = case;
        let inject = format!("inject={call}:{fault}:when={index}");
        let run = self.run(&["-e", &format!("trace={call}"), "-e", &inject]);
        let log = self.log();
        let hit = if *fault == "signal=KILL" { log.contains("killed by SIGKILL") } else { log.contains("(INJECTED)") };
        if !hit {
            return Err(format!("the fault did not happen: {log}"));
        }
        if *fault == "error=EINTR" && case.ours && run.code != 0 {
            return Err(format!("an interrupted call was not repeated: {}", run.stderr));
        }
        let Self { project, command, before, reference, check, .. } = self;
        let end = Judge { project, command, before, reference, check }.judge(&run)?;
        if inode != self.inode() {
            return Err("another inode: whoever mounts the file sees the old one".to_owned());
        }
        let may_not_start = !case.ours && case.call == "openat";
        match end {
            End::NotStarted if !may_not_start => Err("the loader failed in the middle of the run".to_owned()),
            End::Killed if *fault != "signal=KILL" => Err("killed, but not by us".to_owned()),
            End::DurabilityUnknown if case.call != "fsync" => Err("nothing was synced here".to_owned()),
            end => Ok(end),
        }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let log = self.log_path();
        // -f, though there is one process: so that one more would be seen; a hook is let go when it is executed.
        let strace =
            [&["strace", "-f", "-b", "execve", "-qq", "-s", "4096", "-o", log.to_str().unwrap()], arguments].concat();
        let run = Run::of(&mut self.project.command_under(strace, self.command));
        // A hook outlives whoever called it, and holds its lock until it is done.
        if let Ok(lock) = fs::File::open(self.project.path(".vault-kit/hook.lock")) {
            lock.lock().unwrap();
        }
        run
    }

    /// Of the file that is written through its inode.
    fn inode(&self) -> Option<u64> {
        self.in_place.map(|path| fs::metadata(self.project.path(path)).unwrap().ino())
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.scratch.path().join("log")
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap()).into_owned()
    }

    /// An absolute path elsewhere is opened by the loader and by libc.
    fn is_ours(&self, line: &str) -> bool {
        let Some(path) = line.split('"').nth(1).map(Path::new) else { return true };
        let opens = name_of(line).is_some_and(|name| name.starts_with("open"));
        !opens || path.is_relative() || path.starts_with(self.project.root()) || path.starts_with(self.project.home())
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.call, self.index, self.fault)
    }
}
