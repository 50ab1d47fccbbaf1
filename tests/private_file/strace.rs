//! Modes, and faults at every system call, as strace sees and makes them.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;
use vault_kit::error::Kind;
use vault_kit::private_file::{Member, Root, WriteOptions, Written};

use crate::{
    assert_success, entries, has, in_place, metadata, mode, private, put, run_by_way_of, scenario_directory, skip,
    with_mode,
};

#[test]
fn every_verb_keeps_the_declared_modes() {
    let (_fresh, directory) = scenario_directory();
    let root = Root::create(&directory.join("made/project"), 0o700).unwrap();
    assert_eq!(root.write("a/b/env", b"SECRET=1\n", &private()).unwrap(), Written::Created);
    assert_eq!(root.write("a/b/env", b"SECRET=2\n", &private()).unwrap(), Written::Replaced);
    let shared = WriteOptions { mode: 0o640, directory_mode: 0o750, ..private() };
    assert_eq!(root.write("shared/key", b"SECRET", &shared).unwrap(), Written::Created);
    assert_eq!(root.write("shared/key", b"SECRET2", &shared).unwrap(), Written::Replaced);
    assert_eq!(root.write("read-only", b"SECRET", &with_mode(0o400)).unwrap(), Written::Created);
    assert_eq!(root.write("read-only", b"SECRET2", &with_mode(0o400)).unwrap(), Written::Replaced);
    assert_eq!(root.write("public", b"ca", &with_mode(0o644)).unwrap(), Written::Created);
    assert_eq!(root.write("public", b"ca", &with_mode(0o600)).unwrap(), Written::Tightened);
    assert_eq!(root.write("mounted", b"SECRET", &in_place()).unwrap(), Written::Created);
    assert_eq!(root.write("mounted", b"SECRET longer", &in_place()).unwrap(), Written::Replaced);
    root.append_line("audit.jsonl", b"{}", 0o600).unwrap();
    drop(root.lock("lock", Duration::ZERO).unwrap());

    let modes = [
        ("", 0o700),
        ("a", 0o700),
        ("a/b", 0o700),
        ("a/b/env", 0o600),
        ("shared", 0o750),
        ("shared/key", 0o640),
        ("read-only", 0o400),
        ("public", 0o600),
        ("mounted", 0o600),
        ("audit.jsonl", 0o600),
        ("lock", 0o600),
    ];
    for (path, expected) in modes {
        assert_eq!(mode(root.path().join(path)), expected, "{path}");
    }
    assert_eq!(mode(directory.join("made")), 0o700);
    assert_eq!(root.read("a/b/env").unwrap().unwrap(), b"SECRET=2\n");
    assert_eq!(root.read("mounted").unwrap().unwrap(), b"SECRET longer");
    assert_eq!(entries(root.path()), ["a", "audit.jsonl", "lock", "mounted", "public", "read-only", "shared"]);
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077", "027"] {
        let directory = TempDir::new().unwrap();
        let script = format!("umask {umask}; exec \"$@\"");
        let arguments = ["-c", &script, "sh"];
        assert_success(&run_by_way_of(
            "sh",
            &arguments,
            "strace::every_verb_keeps_the_declared_modes",
            directory.path(),
        ));
    }
}

/// Every mode that strace saw a file being given, by name of the file.
fn modes_in(trace: &str) -> Vec<(String, u32)> {
    let mut seen = Vec::new();
    let calls = trace.lines().filter(|line| line.contains("O_CREAT") || line.contains("mkdirat("));
    for call in calls.filter(|line| !line.contains(") = -1")) {
        let name = call.split('"').nth(1).unwrap_or_default().to_owned();
        let mode = call.split(')').next().unwrap_or_default().rsplit(", ").next().unwrap_or_default();
        seen.push((name, u32::from_str_radix(mode, 8).unwrap_or_else(|_| panic!("no mode in {call}"))));
    }
    seen
}

#[test]
fn nothing_is_ever_wider_than_declared_as_strace_sees_it() {
    if !has("strace") {
        return skip("strace::nothing_is_ever_wider_than_declared_as_strace_sees_it", "there is no strace");
    }
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("trace");
    let script = "umask 000; exec \"$@\"";
    let calls = "trace=open,openat,openat2,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,rename,renameat,renameat2";
    let arguments = ["-c", script, "sh", "strace", "-f", "-qq", "-s", "4096", "-e", calls, "-o", log.to_str().unwrap()];
    let scenario = directory.path().join("scenario");
    fs::create_dir(&scenario).unwrap();
    assert_success(&run_by_way_of("sh", &arguments, "strace::every_verb_keeps_the_declared_modes", &scenario));
    let trace = fs::read_to_string(&log).unwrap();

    let created = modes_in(&trace);
    assert!(created.len() >= 12, "too little was seen: {created:?}");
    for (name, mode) in created {
        let declared = if name == "shared" { 0o750 } else { 0o700 };
        assert_eq!(mode & !declared, 0, "{name} was made with {mode:04o}");
        assert!(!name.contains("vault-kit-tmp") || mode & !0o600 == 0, "{name} was made with {mode:04o}");
    }
    let widened: Vec<&str> = trace.lines().filter(|line| line.contains("chmod")).collect();
    let expected = ["0640", "0640", "0644", "0600"];
    assert_eq!(widened.len(), expected.len(), "{widened:#?}");
    for (line, mode) in widened.iter().zip(expected) {
        assert!(line.contains("fchmod(") && line.contains(&format!(", {mode})")), "{line}");
    }
}

#[test]
fn a_sandbox_without_openat2_changes_nothing() {
    if !has("strace") {
        return skip("strace::a_sandbox_without_openat2_changes_nothing", "there is no strace");
    }
    for error in ["ENOSYS", "EPERM"] {
        let inject = format!("inject=openat2:error={error}");
        let arguments = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=openat2", "-e", &inject];
        for test in ["strace::every_verb_keeps_the_declared_modes", "refusals::symlinks_are_refused_in_every_place"] {
            let directory = TempDir::new().unwrap();
            assert_success(&run_by_way_of("strace", &arguments, test, directory.path()));
        }
    }
}

/// Only touches what stands; the faults come from outside.
#[test]
fn a_replacement_is_whole_or_did_not_happen() {
    let (_fresh, directory) = scenario_directory();
    let root = Root::open(&directory).unwrap();
    match root.write("env", b"the new content", &private()) {
        Ok(_) => assert_eq!(root.read("env").unwrap().unwrap(), b"the new content"),
        Err(error) if error.code() == "durability-unknown" => {
            assert!(error.to_string().starts_with("written, but the disk did not confirm it"));
            assert_eq!(root.read("env").unwrap().unwrap(), b"the new content");
        }
        Err(error) => {
            assert!(matches!(error.kind(), Kind::System | Kind::Permission), "{error}");
            assert_ne!(root.read("env").unwrap().as_deref(), Some(&b"the new content"[..]));
        }
    }
    let temporaries = entries(&directory).into_iter().filter(|name| name.starts_with(".vault-kit-tmp"));
    for name in temporaries {
        assert_eq!(metadata(directory.join(name)).len(), 0, "a temporary file that cannot be removed is emptied");
    }
}

#[test]
fn a_fault_at_any_call_leaves_old_or_new() {
    if !has("strace") {
        return skip("strace::a_fault_at_any_call_leaves_old_or_new", "there is no strace");
    }
    let errors = ["EIO", "ENOSPC", "EXDEV", "EBUSY", "EINTR"];
    let mut durability = 0;
    for call in ["fsync", "renameat", "renameat2", "unlinkat", "fchmod"] {
        for error in errors {
            for index in 1..=2 {
                let directory = TempDir::new().unwrap();
                put(directory.path().join("env"), b"old", 0o600);
                let inject = format!("inject={call}:error={error}:when={index}");
                let trace = format!("trace={call}");
                let log = directory.path().join("log");
                let arguments = ["-f", "-qq", "-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
                let test = "strace::a_replacement_is_whole_or_did_not_happen";
                assert_success(&run_by_way_of("strace", &arguments, test, directory.path()));
                let content = fs::read(directory.path().join("env")).unwrap();
                let injected = fs::read_to_string(&log).unwrap().contains("INJECTED");
                let must_be_old =
                    injected && error != "EINTR" && (call.starts_with("rename") || (call, index) == ("fsync", 1));
                let expected: &[u8] = if must_be_old { b"old" } else { b"the new content" };
                assert_eq!(content, expected, "{call} {error} {index}");
                assert_eq!(entries(directory.path()), ["env", "log"], "{call} {error} {index}");
                durability += usize::from(injected && (call, index) == ("fsync", 2));
            }
        }
    }
    assert_eq!(durability, errors.len(), "the second fsync is the directory's");
}

#[test]
fn a_temporary_file_that_cannot_be_removed_is_emptied() {
    if !has("strace") {
        return skip("strace::a_temporary_file_that_cannot_be_removed_is_emptied", "there is no strace");
    }
    let directory = TempDir::new().unwrap();
    put(directory.path().join("env"), b"old", 0o600);
    let faults = ["-e", "inject=fsync:error=EIO", "-e", "inject=unlinkat:error=EIO"];
    let arguments = [&["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,unlinkat"], &faults[..]].concat();
    let test = "strace::a_replacement_is_whole_or_did_not_happen";
    assert_success(&run_by_way_of("strace", &arguments, test, directory.path()));
    assert_eq!(fs::read(directory.path().join("env")).unwrap(), b"old");
    assert_eq!(entries(directory.path()).len(), 2);
    assert_eq!(Root::open(directory.path()).unwrap().sweep("").unwrap(), 1);
}

#[test]
fn a_killed_writer_leaves_old_or_new_and_what_it_left_is_swept() {
    if !has("strace") {
        return skip("strace::a_killed_writer_leaves_old_or_new_and_what_it_left_is_swept", "there is no strace");
    }
    for (point, left) in
        [("fsync:signal=KILL:when=1", 1), ("renameat:error=EIO:signal=KILL", 1), ("fsync:signal=KILL:when=2", 0)]
    {
        let directory = TempDir::new().unwrap();
        put(directory.path().join("env"), b"old", 0o600);
        let inject = format!("inject={point}");
        let arguments = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,renameat", "-e", &inject];
        let test = "strace::a_replacement_is_whole_or_did_not_happen";
        assert!(!run_by_way_of("strace", &arguments, test, directory.path()).status.success(), "{point}");
        let expected: &[u8] = if left == 1 { b"old" } else { b"the new content" };
        assert_eq!(fs::read(directory.path().join("env")).unwrap(), expected, "{point}");
        for name in entries(directory.path()) {
            assert_eq!(mode(directory.path().join(name)), 0o600);
        }
        assert_eq!(Root::open(directory.path()).unwrap().sweep("").unwrap(), left, "{point}");
        assert_eq!(entries(directory.path()), ["env"]);
    }
}

#[test]
fn interrupted_calls_are_repeated() {
    if !has("strace") {
        return skip("strace::interrupted_calls_are_repeated", "there is no strace");
    }
    for call in ["openat2", "mkdirat", "write", "pwrite64", "ftruncate", "fchmod", "fsync", "renameat", "flock"] {
        let directory = TempDir::new().unwrap();
        let log = directory.path().join("log");
        // Every other call, so that each repetition succeeds.
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error=EINTR:when=1+2"));
        let arguments = ["-f", "-qq", "-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
        assert_success(&run_by_way_of(
            "strace",
            &arguments,
            "strace::every_verb_keeps_the_declared_modes",
            directory.path(),
        ));
        assert!(fs::read_to_string(&log).unwrap().contains("INJECTED"), "{call} was never called");
    }
}

/// Only switches; the kill comes from outside.
#[test]
fn a_pair_is_switched() {
    let (_fresh, directory) = scenario_directory();
    Root::open(&directory).unwrap().switch("tls", &pair(b"new")).unwrap();
}

fn pair(bytes: &[u8]) -> [Member<'_>; 2] {
    ["cert.pem", "key.pem"].map(|name| Member { name, bytes, options: private() })
}

#[test]
fn a_killed_switch_leaves_a_pair_where_somebody_put_a_plain_file_in_a_links_place() {
    if !has("strace") {
        let test = "strace::a_killed_switch_leaves_a_pair_where_somebody_put_a_plain_file_in_a_links_place";
        return skip(test, "there is no strace");
    }
    let mut killed = 0;
    for index in 1..=12 {
        let directory = TempDir::new().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.switch("tls", &pair(b"old")).unwrap();
        fs::remove_file(directory.path().join("tls/key.pem")).unwrap();
        put(directory.path().join("tls/key.pem"), b"old", 0o600);
        let inject = format!("inject=renameat:signal=KILL:when={index}");
        let arguments = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e", &inject];
        let run = run_by_way_of("strace", &arguments, "strace::a_pair_is_switched", directory.path());
        killed += usize::from(!run.status.success());
        let read = |name| fs::read(directory.path().join("tls").join(name)).unwrap();
        assert_eq!(read("cert.pem"), read("key.pem"), "killed at rename {index}");
        root.switch("tls", &pair(b"new")).unwrap();
        assert_eq!((read("cert.pem"), read("key.pem")), (b"new".to_vec(), b"new".to_vec()));
    }
    assert!(killed >= 4, "only {killed} were killed");
}
