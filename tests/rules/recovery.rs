//! The store that was deleted, cleaned away, or replaced by an older one.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;

use crate::support::{Project, skip};
use crate::{EXTERNAL, MANIFEST, assert_refused, code_of, set};

const STORE: &str = ".vault-kit/dev.age";
const LEDGER: &str = ".vault-kit/dev.ledger.jsonl";

/// Values that are delivered in files of two kinds.
const SHOP: &str = "[project]\nname = \"p\"\n[secrets.KEY]\nkind = \"random\"\noverlap = \"1d\"\nrotate = \"30d\"\n\
                    [secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"KEY\"\nrole = \"service\"\n\
                    [secrets.PASSWORD]\nkind = \"password\"\n\
                    [outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n\
                    [outputs.files]\nformat = \"docker-secrets\"\npath = \".secrets\"\nsecrets = [\"PASSWORD\"]\n";

/// A store that an old file replaced: it holds `old`, the second copy `new`.
fn with_an_old_store() -> Project {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "old-Zk3vYq8mT1xWc5RbLp");
    let (old, ledger) = (project.bytes(STORE), project.bytes(".vault-kit/dev.ledger.jsonl"));
    set(&project, "API_KEY", "new-Zk3vYq8mT1xWc5RbLp");
    project.write(STORE, old);
    project.write(".vault-kit/dev.ledger.jsonl", ledger);
    project
}

#[test]
fn recover_brings_everything_back_after_the_directory_was_deleted() {
    let project = Project::preset("sutra");
    let secret = project.get("SUTRA_AUTH_SECRET");
    fs::remove_dir_all(project.path(".vault-kit")).unwrap();
    for command in ["init", "render", "generate"] {
        // The lock makes its directory anew; what counts is that no store is.
        let run = project.run([command]).assert_code(4);
        assert!(run.stderr.contains("`.vault-kit/dev.age` is gone, but its second copy is there"), "{run:?}");
        let copy = run.stderr.split("move the copy aside: `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
        assert!(copy.starts_with("mv /") && copy.ends_with("/dev.copy.old"), "{run:?}");
        assert!(run.stderr.contains("`vault-kit store recover`"), "{run:?}");
        assert!(!project.path(STORE).exists());
    }
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(project.mode(STORE), 0o600);
    assert_eq!(project.get("SUTRA_AUTH_SECRET"), secret);
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn recover_brings_everything_back_after_git_clean() {
    let git = |project: &Project, arguments: &[&str]| {
        let mut command = Command::new("git");
        let command = command.current_dir(project.root()).env("HOME", project.home()).args(arguments);
        assert!(command.output().unwrap().status.success(), "git {arguments:?}");
    };
    if crate::support::program("git").is_none() {
        return skip("recovery::recover_brings_everything_back_after_git_clean", "no git");
    }
    let project = Project::preset("docker-mcp");
    let before = project.snapshot();
    git(&project, &["init", "-q"]);
    git(&project, &["add", "-A"]);
    git(&project, &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "all"]);
    git(&project, &["clean", "-fdxq"]);
    assert!(!project.path(STORE).exists());
    project.run(["store", "recover"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    for (path, entry) in before.iter().filter(|(path, _)| !path.starts_with(".vault-kit")) {
        assert_eq!(project.mode(path), entry.mode, "{path}");
        if project.path(path).is_file() {
            assert!(project.bytes(path) == entry.bytes, "{path} is another one");
        }
    }
}

#[test]
fn an_old_file_stops_every_writer_and_get_run_and_check() {
    let project = with_an_old_store();
    project.write("value", "third-Zk3vYq8mT1xWc5RbLp");
    project.write("more.env", "API_KEY=third-Zk3vYq8mT1xWc5RbLp\n");
    let commands: [&[&str]; 9] = [
        &["init"],
        &["render"],
        &["generate"],
        &["set", "API_KEY", "--from-file", "value"],
        &["import", "more.env"],
        &["remove", "API_KEY", "--yes"],
        &["recipients", "apply", "--yes"],
        &["check"],
        &["get", "API_KEY"],
    ];
    for command in commands {
        assert_refused(&project, command, 4, "store-went-back");
    }
    let run = project.run(["run", "--json", "--", "touch", "started"]).assert_code(4);
    assert_eq!(code_of(&run), "store-went-back");
    assert!(!project.path("started").exists());
}

#[test]
fn recover_takes_the_newer_and_keeps_the_older_aside() {
    let project = with_an_old_store();
    let old = project.bytes(STORE);
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), b"new-Zk3vYq8mT1xWc5RbLp");
    let aside: Vec<_> = project.snapshot().into_iter().filter(|(path, _)| path.contains(".replaced-")).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].1.mode, 0o600);
    assert!(aside[0].1.bytes == old);
    project.run(["check"]).assert_code(0);
    // Nothing is left to do.
    let before = project.snapshot();
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(project.snapshot(), before);
}

#[test]
fn accept_older_keeps_the_old_one_and_puts_the_newer_copy_aside() {
    let project = with_an_old_store();
    let newer = project.second_copy();
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), b"old-Zk3vYq8mT1xWc5RbLp");
    set(&project, "API_KEY", "third-Zk3vYq8mT1xWc5RbLp");
    let aside = fs::read_dir(project.state()).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains(".replaced-")).collect();
    assert_eq!(aside.len(), 1);
    assert!(fs::read(&aside[0]).unwrap() == newer);
}

#[test]
fn an_old_store_without_a_second_copy_is_held_against_the_record() {
    let project = Project::initialised(&format!("{EXTERNAL}\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n"));
    set(&project, "API_KEY", "old-Zk3vYq8mT1xWc5RbLp");
    let (old, old_ledger) = (project.bytes(STORE), project.bytes(LEDGER));
    set(&project, "API_KEY", "new-Zk3vYq8mT1xWc5RbLp");
    let delivered = project.read(".env");
    project.write(STORE, old);
    fs::remove_file(project.state().join("dev.copy")).unwrap();
    for command in [
        &["get", "API_KEY"][..],
        &["render"],
        &["render", "-n"],
        &["run", "--", "true"],
        &["rotate", "--due"],
        &["check"],
    ] {
        let run = project.run(command).assert_code(4);
        assert!(run.stderr.contains("older than the audit record"), "{command:?}: {run:?}");
    }
    // Also where the ledger of the old store came back with it.
    let newer = project.bytes(LEDGER);
    project.write(LEDGER, old_ledger);
    assert_refused(&project, &["check"], 4, "store-went-back");
    project.write(LEDGER, newer);
    assert_eq!(project.read(".env"), delivered);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    // Values that only the files have are left there until somebody said what becomes of them.
    project.run(["render"]).assert_code(7);
    assert_eq!(project.read(".env"), delivered);
    project.run(["import", "--replace", ".env"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), b"new-Zk3vYq8mT1xWc5RbLp");
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_damaged_second_copy_keeps_nobody_from_accepting_an_old_store() {
    let project = with_an_old_store();
    let copy = project.state().join("dev.copy");
    let damaged = &fs::read(&copy).unwrap()[..400];
    fs::File::options().write(true).open(&copy).unwrap().set_len(400).unwrap();
    project.run(["store", "recover", "--accept-older", "--yes", "-n"]).assert_code(0);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), b"old-Zk3vYq8mT1xWc5RbLp");
    let kept = fs::read_dir(project.state()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.filter(|path| path.extension().is_some_and(|it| it == "damaged")).collect();
    assert_eq!(kept.len(), 1);
    assert!(fs::read(&kept[0]).unwrap() == damaged);
}

#[test]
fn recover_mends_a_damaged_and_a_truncated_store() {
    for damage in [|bytes: &mut Vec<u8>| bytes[0] ^= 1, |bytes: &mut Vec<u8>| bytes.truncate(100), Vec::clear] {
        let project = Project::initialised(MANIFEST);
        let value = project.get("API_KEY");
        let mut bytes = project.bytes(STORE);
        damage(&mut bytes);
        project.write(STORE, bytes);
        project.run(["get", "API_KEY"]).assert_code(4);
        project.run(["store", "recover"]).assert_code(0);
        assert_eq!(project.get("API_KEY"), value);
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn the_copy_of_another_store_is_kept_aside() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "first-Zk3vYq8mT1xWc5RbLp");
    let first = project.second_copy();
    // Another clone's store arrives, such as from a backup of another host.
    project.edit_store(|store| store.store_id = vault_kit::name::VersionId::from_random([7; 16]));
    set(&project, "API_KEY", "second-Zk3vYq8mT1xWc5RbLp");
    let aside = fs::read_dir(project.state()).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains("dev.replaced-")).collect();
    assert_eq!(aside.len(), 1);
    assert!(fs::read(&aside[0]).unwrap() == first, "the other store's copy is gone");
    assert!(project.second_copy() == project.bytes(STORE));
}

/// Flips a bit of the second copy in the byte that `place` points at.
fn damage_copy(project: &Project, place: impl Fn(&[u8]) -> usize) {
    let path = project.state().join("dev.copy");
    let mut bytes = fs::read(&path).unwrap();
    let place = place(&bytes);
    bytes[place] ^= 1;
    fs::File::options().write(true).open(path).unwrap().write_all(&bytes).unwrap();
}

#[test]
fn a_damaged_second_copy_is_said_and_made_anew_as_the_hint_says() {
    let project = Project::initialised(MANIFEST);
    damage_copy(&project, |_| 0);
    for command in [&["render"][..], &["init"], &["get", "API_KEY"], &["check"], &["store", "recover"]] {
        assert_refused(&project, command, 4, "copy-damaged");
    }
    fs::remove_file(project.state().join("dev.copy")).unwrap();
    project.run(["store", "recover"]).assert_code(0);
    assert!(project.second_copy() == project.bytes(STORE));
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_damaged_second_copy_is_never_brought_back() {
    let project = Project::initialised(MANIFEST);
    fs::remove_file(project.path(STORE)).unwrap();
    // Within the sealed bytes, which the first line tells the digest of.
    damage_copy(&project, |bytes| bytes.len() - 1);
    assert_refused(&project, &["store", "recover"], 4, "copy-damaged");
}

#[test]
fn a_lost_second_copy_comes_back_with_the_next_writer() {
    let project = Project::initialised(MANIFEST);
    fs::remove_dir_all(project.state()).unwrap();
    project.run(["init"]).assert_code(0);
    assert!(project.second_copy() == project.bytes(STORE));
}

#[test]
fn without_store_and_copy_there_is_nothing_to_recover() {
    let project = Project::initialised(MANIFEST);
    fs::remove_file(project.path(STORE)).unwrap();
    fs::remove_dir_all(project.state()).unwrap();
    assert_refused(&project, &["store", "recover"], 4, "store-missing");
}

/// Gives a file that is there another content.
fn put(path: &Path, bytes: &[u8]) {
    fs::File::options().write(true).truncate(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// The day it is needed is too late to learn that it is of no use.
#[test]
fn check_and_recover_find_a_second_copy_whose_body_is_damaged() {
    let project = Project::initialised(MANIFEST);
    let path = project.state().join("dev.copy");
    let whole = fs::read(&path).unwrap();
    let body = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for place in [body, body + (whole.len() - body) / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        put(&path, &damaged);
        assert_refused(&project, &["check"], 4, "copy-damaged");
        assert_refused(&project, &["store", "recover"], 4, "copy-damaged");
    }
    put(&path, &whole[..whole.len() - 1]);
    assert_refused(&project, &["check"], 4, "copy-damaged");
    put(&path, &whole);
    project.run(["check"]).assert_code(0);

    // A copy that is only older is as whole as it was.
    project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
    put(&path, &whole);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_rehearsal_of_recover_says_what_it_would_do_and_does_nothing() {
    let rehearse = |project: &Project, more: &[&str], said: &str| {
        let before = project.contents();
        let run = project.run([&["store", "recover", "--dry-run"], more].concat()).assert_code(0);
        assert!(run.stderr.contains(said), "{run:?}");
        assert_eq!(project.contents(), before);
    };
    let project = Project::initialised(MANIFEST);
    rehearse(&project, &[], "nothing to do");
    fs::remove_file(project.path(".vault-kit/dev.ledger.jsonl")).unwrap();
    rehearse(&project, &[], "would make `.vault-kit/dev.ledger.jsonl` anew: it is gone");
    project.write(".vault-kit/dev.ledger.jsonl", "x");
    rehearse(&project, &[], "would make `.vault-kit/dev.ledger.jsonl` anew: it is damaged");
    fs::remove_file(project.path(STORE)).unwrap();
    rehearse(&project, &[], "would bring `.vault-kit/dev.age` back");
    let older = with_an_old_store();
    rehearse(&older, &[], "would bring `.vault-kit/dev.age` back");
    rehearse(&older, &["--accept-older"], "would make the second copy follow");
    rehearse(
        &older,
        &["--accept-older"],
        "would ask first: go on with an older `.vault-kit/dev.age`, without what was",
    );
}

#[test]
fn a_store_and_a_copy_that_are_both_older_than_the_audit_record_are_not_said_to_be_well() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "old-Zk3vYq8mT1xWc5RbLp");
    let (store, copy) = (project.bytes(STORE), fs::read(project.state().join("dev.copy")).unwrap());
    set(&project, "API_KEY", "new-Zk3vYq8mT1xWc5RbLp");
    project.write(STORE, store);
    put(&project.state().join("dev.copy"), &copy);
    assert_refused(&project, &["store", "recover"], 4, "store-went-back");
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert_eq!(project.store().generation, 4);
    project.run(["store", "recover"]).assert_code(0);
}

#[test]
fn an_accepted_clock_lets_every_writer_go_on_without_the_flag() {
    let project = Project::initialised(&MANIFEST.replace("kind = \"random\"", "kind = \"random\"\nrotate = \"30d\""));
    let run = project.run(["store", "recover", "--accept-clock"]).assert_code(0);
    assert!(run.stderr.contains("nothing to do"), "{run:?}");
    project.edit_store(|store| {
        store.updated += TimeDelta::days(900);
        let versions = store.secrets.values_mut().flatten();
        versions.for_each(|version| version.created += TimeDelta::days(900));
    });
    project.run(["rotate", "--due"]).assert_code(8);
    project.run(["store", "recover"]).assert_code(0);
    assert_refused(&project, &["store", "recover", "--accept-clock"], 2, "confirmation-needed");
    let before = project.store();
    let dry = project.run(["store", "recover", "--accept-clock", "-n"]).assert_code(0);
    assert!(dry.stderr.contains("would set the store's time back from "), "{dry:?}");
    assert!(dry.stderr.contains("would ask first: is it "), "{dry:?}");
    assert!(dry.stderr.contains(" agree\n") && !dry.stderr.contains("nothing to do"), "{dry:?}");
    project.run(["rotate", "--due"]).assert_code(8);

    let run = project.run(["store", "recover", "--accept-clock", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("set the store's time back from "), "{run:?}");
    assert!(!run.stderr.contains("nothing to do"), "{run:?}");
    let store = project.store();
    assert!(store.updated < before.updated && store.generation == before.generation + 1);
    assert_eq!(store.changes.last().unwrap().action, "accept-clock");
    for writer in
        [["rotate", "--due"].as_slice(), &["generate", "--replace", "API_KEY", "--yes"], &["render"], &["check"]]
    {
        project.run(writer).assert_code(0);
    }
    project.run(["audit", "verify"]).assert_code(0);
}

#[test]
fn what_a_record_told_that_was_rotated_away_counts_as_what_it_tells_now() {
    let project = with_an_old_store();
    fs::remove_dir_all(project.state()).unwrap();
    let refused = |project: &Project| assert_refused(project, &["store", "recover"], 4, "store-went-back");
    refused(&project);
    let record = project.path(".vault-kit/audit.jsonl");
    for older in ["audit.jsonl.1", "audit.jsonl-20261101"] {
        fs::rename(&record, project.path(".vault-kit").join(older)).unwrap();
        refused(&project);
        fs::rename(project.path(".vault-kit").join(older), &record).unwrap();
    }
    // Nobody without the key can say that there was more.
    let text = project.read(".vault-kit/audit.jsonl").replace("\"generation\":", "\"generation\":9");
    project.write(".vault-kit/audit.jsonl.1", text);
    fs::remove_file(&record).unwrap();
    project.run(["store", "recover"]).assert_code(0);
}

/// The fixes of what `check` finds.
fn fixes(project: &Project) -> Vec<String> {
    let report: serde_json::Value =
        serde_json::from_str(&project.run(["check", "--json"]).assert_code(1).stdout).unwrap();
    report["findings"].as_array().unwrap().iter().map(|it| it["fix"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_recovery_that_accepts_the_clock_looks_at_the_files_too() {
    let project = Project::initialised(SHOP);
    let old = project.bytes(STORE);
    project.run(["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
    project.write(STORE, old);
    project.edit_store(|store| store.updated += TimeDelta::days(900));
    fs::remove_file(project.state().join("dev.copy")).unwrap();
    let run = project.run(["store", "recover", "--accept-older", "--accept-clock", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("set the store's time back from "), "{run:?}");
    assert!(run.stderr.contains("`vault-kit import --replace .secrets/password`"), "{run:?}");
    project.run(["render"]).assert_code(7);
    assert!(fixes(&project).iter().any(|fix| fix.starts_with("vault-kit import --replace .secrets/password ")));
    project.run(["render", "--yes"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    project.run(["audit", "verify"]).assert_code(0);
}

/// What only files have, since the store that had it and its second copy are gone, is not dropped by the next write.
#[test]
fn values_that_only_the_files_have_are_kept_from_being_overwritten_behind_an_older_store() {
    for with_ledger in [false, true] {
        let project = Project::initialised(SHOP);
        let old = [STORE, LEDGER].map(|file| project.bytes(file));
        project.run(["rotate", "KEY"]).assert_code(0);
        project.run(["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
        let newer = [project.get("KEY"), project.get("PASSWORD")];
        project.write(STORE, &old[0]);
        if with_ledger {
            project.write(LEDGER, &old[1]);
        }
        fs::remove_file(project.state().join("dev.copy")).unwrap();
        let run = project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
        let hints = [".env", ".secrets/password"].map(|path| format!("`vault-kit import --replace {path}`"));
        assert!(hints.iter().all(|hint| run.stderr.contains(hint)), "{run:?}");
        let files = [project.read(".env"), project.read(".secrets/password")];
        for words in [&["render"][..], &["rotate", "KEY"], &["generate", "--replace", "KEY", "--yes"]] {
            let run = project.run(words).assert_code(7);
            assert!(hints.iter().all(|hint| run.stderr.contains(hint)), "{words:?}: {run:?}");
            assert!([project.read(".env"), project.read(".secrets/password")] == files, "{words:?}");
        }
        let told = fixes(&project);
        let expected = [(".env", "KEY"), (".secrets/password", "PASSWORD")].map(|(file, name)| {
            format!(
                "vault-kit import --replace {file}    # takes what {file} has for {name}; to drop it: vault-kit render --yes"
            )
        });
        assert_eq!(told, expected);
        project.run(["import", "--replace", ".env"]).assert_code(0);
        let run = project.run(["render"]).assert_code(0);
        assert!(!run.stderr.contains("loses"), "{run:?}");
        assert!([project.get("KEY"), project.get("PASSWORD")] == newer);
        project.run(["check"]).assert_code(0);
    }
    // On purpose they are given up.
    let project = Project::initialised(SHOP);
    let old = project.bytes(STORE);
    project.run(["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
    project.write(STORE, &old);
    fs::remove_file(project.state().join("dev.copy")).unwrap();
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    project.run(["render", "--yes"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}
