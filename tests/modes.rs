//! Modes: exactly as declared under every umask, and at no instant wider, as strace sees it.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::collections::BTreeMap;
use std::fs;

use support::{Project, Run, program, server_manifest, skip};

const MANIFEST: &str = server_manifest!(
    r#"
[secrets.IMPORTED_KEY]
kind = "external"
optional = true

[outputs.env]
format = "dotenv"
path = "config/.env"
secrets = ["SESSION_KEY", "API_KEY"]

[outputs.narrow]
format = "docker-secrets"
path = ".secrets/narrow"
secrets = ["SESSION_KEY", "API_KEY"]
mode = "0400"

[outputs.group]
format = "docker-secrets"
path = "shared/group"
secrets = ["SESSION_KEY"]
mode = "0440"
directory_mode = "0750"

[outputs.json]
format = "json"
path = "all.json"
secrets = ["SESSION_KEY", "IMPORTED_KEY"]
"#
);

/// Everything that the commands of [`everything`] make, with its mode; `*` is the digest of the project's directory.
const DECLARED: [(&str, u32); 33] = [
    (".dockerignore", 0o644),
    (".gitignore", 0o644),
    (".secrets", 0o700),
    (".secrets/narrow", 0o700),
    (".secrets/narrow/api_key", 0o400),
    (".secrets/narrow/session_key", 0o400),
    (".vault-kit", 0o700),
    (".vault-kit/audit.jsonl", 0o600),
    (".vault-kit/dev.age", 0o600),
    (".vault-kit/dev.ledger.jsonl", 0o600),
    (".vault-kit/lock", 0o600),
    ("all.json", 0o600),
    ("config", 0o700),
    ("config/.env", 0o600),
    ("new", 0o755),
    ("new/vault-kit.toml", 0o644),
    ("shared", 0o750),
    ("shared/group", 0o750),
    ("shared/group/session_key", 0o440),
    ("tls", 0o700),
    ("tls/cert.pem", 0o644),
    ("tls/key.pem", 0o600),
    ("vault-kit.toml", 0o644),
    ("~/.config", 0o700),
    ("~/.config/vault-kit", 0o700),
    ("~/.config/vault-kit/identity.txt", 0o600),
    ("~/.config/vault-kit/lock", 0o600),
    ("~/.local", 0o700),
    ("~/.local/state", 0o700),
    ("~/.local/state/vault-kit", 0o700),
    ("~/.local/state/vault-kit/*", 0o700),
    ("~/.local/state/vault-kit/*/dev.copy", 0o600),
    ("~/.local/state/vault-kit/*/dev.replaced-*.age", 0o600),
];

/// Runs every command that makes files; `under` is put in front of each.
fn everything(project: &Project, under: &[String]) {
    let run = |arguments: &[&str], stdin: &str| {
        let run = Run::with_stdin(&mut project.command_under(under, arguments), stdin.as_bytes());
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.both());
    };
    run(&["init"], "");
    run(&["set", "API_KEY"], "sk-2b7e151628aed2a6");
    run(&["import", "-"], "IMPORTED_KEY=9f4a7c15e2b86d03\n");
    fs::remove_dir_all(project.path("config")).unwrap();
    run(&["render"], "");
    // A store that came back is kept aside by `recover`, and so is a copy that gives way.
    let old = project.bytes(".vault-kit/dev.age");
    run(&["set", "API_KEY"], "sk-3c8f262739bfe3b7");
    project.write(".vault-kit/dev.age", old);
    run(&["store", "recover", "--accept-older", "--yes"], "");
    fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    run(&["store", "recover"], "");
    fs::remove_dir_all(project.path(".secrets")).unwrap();
    run(&["render"], "");
    run(&["-C", "new", "init"], "");
}

/// The modes of what is there; what a second project made under `new/` is left to the names that matter.
fn modes(project: &Project) -> BTreeMap<String, u32> {
    let state = fs::read_dir(project.home().join(".local/state/vault-kit")).unwrap();
    let mut states: Vec<String> = state.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    states.sort_by_key(|name| !project.home().join(".local/state/vault-kit").join(name).join("dev.copy").exists());
    let mut modes = BTreeMap::new();
    for (path, (mode, _)) in project.contents() {
        let mut path = path;
        for state in &states {
            path = path.replace(state.as_str(), "*");
        }
        if let Some((before, _)) = path.split_once(".replaced-") {
            path = format!("{before}.replaced-*.age");
        }
        if !path.starts_with("new/") || path == "new/vault-kit.toml" {
            modes.insert(path, mode);
        }
    }
    modes
}

fn umask(mask: &str, more: &[&str]) -> Vec<String> {
    let script = format!("umask {mask}; exec \"$@\"");
    ["sh", "-c", &script, "sh"].iter().chain(more).map(ToString::to_string).collect()
}

fn assert_declared(project: &Project, umask: &str) {
    let declared: BTreeMap<String, u32> = DECLARED.iter().map(|&(path, mode)| (path.to_owned(), mode)).collect();
    let octal = |modes: BTreeMap<String, u32>| -> Vec<String> {
        modes.into_iter().map(|(path, mode)| format!("{mode:04o} {path}")).collect()
    };
    assert_eq!(octal(modes(project)), octal(declared), "umask {umask}");
}

#[test]
fn every_file_and_directory_has_its_declared_mode_whatever_the_umask() {
    for mask in ["000", "022", "077"] {
        let project = Project::with_manifest(MANIFEST);
        everything(&project, &umask(mask, &[]));
        assert_declared(&project, mask);
    }
}

#[test]
fn a_umask_that_takes_every_right_takes_none_of_ours() {
    let test = "a_umask_that_takes_every_right_takes_none_of_ours";
    if !rustix::process::geteuid().is_root() || program("setpriv").is_none() {
        return skip(test, "needs root and setpriv to become a user whom modes stop");
    }
    let project = Project::empty();
    for path in [project.root(), project.home()] {
        std::os::unix::fs::chown(path, Some(4321), Some(4321)).unwrap();
    }
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"].map(str::to_owned);
    let as_another = [as_another.to_vec(), umask("0777", &[])].concat();
    for command in [&["init"][..], &["check"], &["generate", "--replace", "AUTH_SECRET", "--yes"], &["check"]] {
        let arguments = [&["-C", "new/shop"], command].concat();
        Run::of(&mut project.command_under(&as_another, &arguments)).assert_code(0);
    }
    for (path, mode) in
        [("new/shop", 0o755), ("new/shop/.vault-kit", 0o700), ("new/shop/.vault-kit/audit.jsonl", 0o600)]
    {
        assert_eq!(project.mode(path), mode, "{path}");
    }
}

/// A call that can give a file or directory a mode, as strace wrote it down.
#[derive(Debug)]
struct Call<'a> {
    name: &'a str,
    path: String,
    mode: u32,
}

/// The calls that create something or change a mode, with full paths.
fn calls(log: &str) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    for line in log.lines().filter(|line| !line.contains(") = -1 ")) {
        let Some((name, rest)) = line.split_once(' ').and_then(|(_, rest)| rest.trim_start().split_once('(')) else {
            continue;
        };
        let creates = rest.contains("O_CREAT") || name.starts_with("mkdir");
        let changes = name.contains("chmod");
        if !creates && !changes {
            continue;
        }
        let arguments = rest.rsplit_once(") = ").unwrap().0;
        let (head, mode) = arguments.rsplit_once(", ").unwrap();
        // `openat2` writes `mode=0600` into its struct; we never create by it.
        let mode = u32::from_str_radix(mode, 8).unwrap_or_else(|_| panic!("no mode in {line}"));
        // The descriptor of what was opened, `3</dir>, "name"` of what was made.
        let directory = head.split_once('<').map_or("", |(_, rest)| rest.split_once('>').unwrap().0);
        let path = match head.split('"').nth(1) {
            Some(name) if name.starts_with('/') => name.to_owned(),
            Some(name) => format!("{directory}/{name}"),
            None => directory.to_owned(),
        };
        calls.push(Call { name, path, mode });
    }
    calls
}

#[test]
fn nothing_is_wider_than_declared_at_any_instant() {
    if program("strace").is_none() {
        return skip("nothing_is_wider_than_declared_at_any_instant", "there is no strace");
    }
    if !rustix::process::geteuid().is_root() {
        let why = "strace cannot read names out of a process that is not dumpable, but as root";
        return skip("nothing_is_wider_than_declared_at_any_instant", why);
    }
    let project = Project::with_manifest(MANIFEST);
    let scratch = tempfile::TempDir::new().unwrap();
    let log = scratch.path().join("log");
    let trace = "trace=open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,\
                 umask,rename,renameat,renameat2,link,linkat,symlink,symlinkat";
    let strace = ["strace", "-f", "-qq", "-y", "-s", "4096", "-A", "-o", log.to_str().unwrap(), "-e", trace];
    everything(&project, &umask("000", &strace));
    assert_declared(&project, "000");

    let log = fs::read_to_string(&log).unwrap();
    let renames = renames(&log);
    let declared = |path: &str| -> u32 {
        let home = project.home().to_str().unwrap();
        let root = project.root().to_str().unwrap();
        let path = match path.strip_prefix(home) {
            Some(rest) => format!("~{rest}"),
            None => path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned(),
        };
        // The second project has the same files of ours.
        let known = |path: &str| DECLARED.iter().find(|(pattern, _)| matches(pattern, path));
        let known = known(&path).or_else(|| known(path.strip_prefix("new/")?));
        match known {
            Some((_, mode)) => *mode,
            None if path == "new/.env" => 0o600,
            None if path == "new/tls/ca.pem" => 0o644,
            // What is committed is for everybody.
            None if path == "new/fingerprints" => 0o755,
            None if path == "new/fingerprints/dev.json" => 0o644,
            None => panic!("`{path}` is made and not declared"),
        }
    };
    let (mut temporaries, mut widened, mut made) = (0, 0, 0);
    for call in calls(&log) {
        assert!(matches!(call.name, "openat" | "mkdirat" | "fchmod"), "a mode by way of a path: {call:?}");
        let is_temporary = call.path.contains("/.vault-kit-tmp.");
        if !is_temporary {
            made += 1;
            assert_eq!(call.mode & !declared(&call.path), 0, "{call:?}");
        } else if call.name == "fchmod" {
            widened += 1;
            let target = renames.get(&call.path).unwrap_or_else(|| panic!("{call:?} took no name"));
            assert_eq!(call.mode, declared(target), "{call:?} for {target}");
            assert_ne!(call.mode & 0o044, 0, "only what others may read is widened: {call:?}");
        } else {
            temporaries += 1;
            assert_eq!(call.mode & !0o600, 0, "{call:?}");
        }
    }
    assert!(temporaries > 30 && widened > 5 && made > 10, "{temporaries} {widened} {made}");
    assert!(!log.contains("symlink") && !log.contains("umask("), "neither is ever called");
    assert_widened_last(&log);
}

/// The target of each temporary file.
fn renames(log: &str) -> BTreeMap<String, String> {
    let lines = log.lines().filter(|line| line.contains(" renameat") && !line.contains(") = -1 "));
    lines
        .map(|line| {
            let directory = line.split('<').nth(1).unwrap().split('>').next().unwrap();
            let mut names = line.split('"').skip(1).step_by(2);
            let mut next = || format!("{directory}/{}", names.next().unwrap());
            (next(), next())
        })
        .collect()
}

/// Whether a path is meant by a pattern whose `*` stands for a part of a name.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == path };
    let Some(rest) = path.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|end| !rest[..end].contains('/') && rest.is_char_boundary(end) && matches(after, &rest[end..]))
}

/// A file is given its final mode when its content is whole: right before it is synced and renamed.
fn assert_widened_last(log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" fchmod(")) {
        let path = line.split('<').nth(1).unwrap().split('>').next().unwrap();
        let name = path.rsplit('/').next().unwrap();
        let next = lines.get(index + 1).unwrap_or(&"");
        let is_directory = !name.starts_with(".vault-kit-tmp.");
        assert!(is_directory || (next.contains(" renameat") && next.contains(name)), "{line}\n{next}");
    }
}
