//! Writers take turns, keep what they should, and believe the clock only so far.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use vault_kit::error::Kind;
use vault_kit::name::{EnvName, SecretName};
use vault_kit::private_file::{Lock, Root};
use vault_kit::store::Stage;
use vault_kit::store::files::StoreFiles;

use crate::support::{Project, Run, program, set_mode, skip};
use crate::{EXTERNAL, MANIFEST, assert_refused, is_root, set};

fn hold_the_lock(project: &Project) -> Lock {
    Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap()
}

#[test]
fn a_second_writer_with_no_time_to_wait_is_told_that_it_is_busy() {
    let project = Project::initialised(MANIFEST);
    let lock = hold_the_lock(&project);
    for writer in [["init"].as_slice(), &["render"], &["generate", "--replace", "API_KEY", "--yes"]] {
        let mut arguments = writer.to_vec();
        arguments.extend(["--lock-timeout", "0"]);
        assert_refused(&project, &arguments, 7, "busy");
    }
    // Readers need no turn.
    project.run(["get", "API_KEY"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    drop(lock);
    project.run(["render", "--lock-timeout", "0"]).assert_code(0);
}

#[test]
fn a_second_writer_waits_for_the_first() {
    if !is_root() {
        return skip("writers::a_second_writer_waits_for_the_first", "needs root to see what another process has open");
    }
    let project = Project::initialised(MANIFEST);
    let before = project.get("API_KEY");
    let lock = hold_the_lock(&project);
    let arguments = ["generate", "--replace", "API_KEY", "--yes", "--lock-timeout", "5m"];
    let mut waiter = Waiter(project.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let path = project.path(".vault-kit/lock").canonicalize().unwrap();
    while !waiter.has_open(&path) {
        assert!(waiter.0.try_wait().unwrap().is_none(), "it did not wait");
        std::thread::yield_now();
    }
    assert_eq!(project.get("API_KEY"), before);
    drop(lock);
    assert!(waiter.0.wait().unwrap().success());
    assert_ne!(project.get("API_KEY"), before);
}

/// A process that is stopped when the test fails.
struct Waiter(Child);

impl Waiter {
    fn has_open(&self, path: &std::path::Path) -> bool {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{}/fd", self.0.id())) else { return false };
        descriptors.flatten().any(|it| std::fs::read_link(it.path()).is_ok_and(|target| target == path))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_reader_does_not_take_a_writer_at_work_for_a_store_that_went_back() {
    let project = Project::initialised(MANIFEST);
    let (root, environment, identities) =
        (Root::open(project.root()).unwrap(), EnvName::new("dev").unwrap(), project.identities());
    let files = StoreFiles::new(&root, Some(project.state()), &environment);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..25 {
                project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
            }
        });
        while !writer.is_finished() {
            assert!(files.open(&identities).unwrap().is_some());
        }
    });
}

#[test]
fn a_store_that_somebody_else_changed_meanwhile_is_not_replaced() {
    let project = Project::initialised(MANIFEST);
    let (root, environment, identities) =
        (Root::open(project.root()).unwrap(), EnvName::new("dev").unwrap(), project.identities());
    let files = StoreFiles::new(&root, None, &environment);
    let mut first = files.open_current(&identities).unwrap().unwrap();
    let mut second = files.open_current(&identities).unwrap().unwrap();
    files.save(&mut first, &identities).unwrap();
    let before = project.contents();
    let error = files.save(&mut second, &identities).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, "store-changed"));
    assert!(project.contents() == before);
}

#[test]
fn eight_writers_at_once_lose_nothing() {
    let names: Vec<String> = (0..8).map(|index| format!("KEY_{index}")).collect();
    let secrets: Vec<String> = names.iter().map(|name| format!("[secrets.{name}]\nkind = \"external\"\n")).collect();
    let project = Project::initialised(&format!("[project]\nname = \"shop\"\n{}", secrets.concat()));
    let before = project.store().generation;
    let value = |name: &str| format!("{name}-Zk3vYq8mT1xWc5RbLp");
    std::thread::scope(|scope| {
        let writers: Vec<_> = names.iter().map(|name| scope.spawn(|| set(&project, name, &value(name)))).collect();
        for writer in writers {
            writer.join().unwrap();
        }
    });
    for name in &names {
        assert_eq!(project.get(name), value(name).as_bytes());
    }
    assert_eq!(project.store().generation, before + 8);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_clock_behind_the_store_stops_writers_until_it_is_accepted() {
    let project = Project::initialised(MANIFEST);
    project.edit_store(|store| store.updated += TimeDelta::minutes(4));
    project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);

    project.edit_store(|store| store.updated += TimeDelta::hours(1));
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.starts_with("clock-behind  "), "{check:?}");
    for writer in [["generate", "--replace", "API_KEY", "--yes"].as_slice(), &["render"], &["init"]] {
        let run = project.run(writer).assert_code(8);
        assert!(run.stderr.contains("error: nothing was changed: the clock says "), "{run:?}");
        assert!(run.stderr.contains("`vault-kit store recover --accept-clock`"), "{run:?}");
    }
    let before = project.get("API_KEY");
    project.run(["generate", "--replace", "API_KEY", "--yes", "--accept-clock"]).assert_code(0);
    assert_ne!(project.get("API_KEY"), before);
}

#[test]
fn a_version_that_a_file_still_holds_is_never_purged_however_often_a_change_is_tried_again() {
    let project = Project::initialised(&MANIFEST.replace("name = \"shop\"", "name = \"shop\"\nkeep = 2"));
    let name = SecretName::new("API_KEY").unwrap();
    let delivered = project.get("API_KEY");
    let ledger = project.bytes(".vault-kit/dev.ledger.jsonl");
    for _ in 0..4 {
        // Each time the writer dies before it delivers: the file and its line in the ledger stay as they were.
        let env = project.bytes(".env");
        project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
        project.write(".env", env);
        project.write(".vault-kit/dev.ledger.jsonl", &ledger);
    }
    let store = project.store();
    let kept: Vec<_> = store.secrets[&name].iter().map(|version| version.parts.primary().is_some()).collect();
    assert_eq!(kept, [true, false, false, true, true]);
    assert_eq!(store.secrets[&name][0].parts.primary().unwrap().expose(), delivered);

    // Once it is delivered no more, it goes with the next change.
    project.run(["render"]).assert_code(0);
    project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
    let store = project.store();
    let kept: Vec<_> = store.secrets[&name].iter().map(|version| version.parts.primary().is_some()).collect();
    assert_eq!(kept, [false, false, false, false, true, true]);
}

#[test]
fn without_a_ledger_nothing_is_purged() {
    let project = Project::initialised(&EXTERNAL.replace("name = \"shop\"", "name = \"shop\"\nkeep = 1"));
    set(&project, "API_KEY", "value-1-Zk3vYq8mT1xWc5Rb");
    std::fs::remove_file(project.path(".vault-kit/dev.ledger.jsonl")).unwrap();
    set(&project, "API_KEY", "value-2-Zk3vYq8mT1xWc5Rb");
    let kept = |project: &Project| {
        let store = project.store();
        let versions = &store.secrets[&SecretName::new("API_KEY").unwrap()];
        versions.iter().filter(|version| version.parts.primary().is_some()).count()
    };
    assert_eq!(kept(&project), 2);
    set(&project, "API_KEY", "value-3-Zk3vYq8mT1xWc5Rb");
    assert_eq!(kept(&project), 1);
}

/// The store's own files that every change writes, the second copy last.
fn own_files(project: &Project) -> [PathBuf; 4] {
    let ours = [".vault-kit/dev.age", ".vault-kit/dev.ledger.jsonl", ".vault-kit/audit.jsonl"];
    let [store, ledger, record] = ours.map(|path| project.path(path));
    [store, ledger, record, project.state().join("dev.copy")]
}

const CHANGES: [&[&str]; 4] = [
    &["generate", "--replace", "API_KEY", "--yes"],
    &["import", "more.env", "--replace"],
    &["remove", "API_KEY", "--yes"],
    &["recipients", "apply", "--yes"],
];

/// A project in which each of [`CHANGES`] has something to do.
fn changeable() -> Project {
    let project = Project::initialised(MANIFEST);
    project.write("more.env", "API_KEY=7f3a9c1e5b8d2064f1c7e9a3b5d80642aa\n");
    let me = project.identities().recipients().remove(0);
    // By the same key: manifest and store differ only for `recipients apply`.
    project.write("me", me);
    project
}

#[test]
fn what_of_ours_cannot_be_written_is_found_before_anything_is_changed() {
    for index in 0..4 {
        let project = changeable();
        let file = &own_files(&project)[index];
        std::fs::hard_link(file, project.home().join("other-name")).unwrap();
        for change in &CHANGES[..3] {
            assert_refused(&project, change, 6, "hard-linked");
        }
        let manifest = format!("{MANIFEST}\n[environments.dev]\nrecipients = {{ i = \"{}\" }}\n", project.read("me"));
        project.write("vault-kit.toml", manifest);
        assert_refused(&project, CHANGES[3], 6, "hard-linked");
    }
}

#[test]
fn a_record_or_state_directory_that_is_read_only_is_found_before_anything_is_changed() {
    let test = "writers::a_record_or_state_directory_that_is_read_only_is_found_before_anything_is_changed";
    if !is_root() || program("setpriv").is_none() {
        return skip(test, "needs root and setpriv to become another user");
    }
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    for (index, mode, what) in [(2, 0o400, "audit.jsonl"), (3, 0o500, "write in the directory")] {
        let project = changeable();
        for directory in [project.root(), project.home()] {
            let mut chown = std::process::Command::new("chown");
            assert!(chown.arg("-R").arg("4321:4321").arg(directory).status().unwrap().success());
        }
        let file = &own_files(&project)[index];
        set_mode(if mode == 0o500 { file.parent().unwrap() } else { file }, mode);
        let before = project.contents();
        let run = Run::of(&mut project.command_under(as_another, CHANGES[0])).assert_code(6);
        assert!(run.stderr.contains(what) && run.stderr.contains("hint: nothing was changed"), "{run:?}");
        assert!(project.contents() == before);
        // What changes no value needs neither.
        Run::of(&mut project.command_under(as_another, ["render"])).assert_code(0);
    }
}

#[test]
fn only_five_versions_keep_their_value() {
    let project = Project::initialised(EXTERNAL);
    let value = |index: usize| format!("value-{index}-Zk3vYq8mT1xWc5RbLp");
    for index in 0..7 {
        set(&project, "API_KEY", &value(index));
    }
    let store = project.store();
    let versions = &store.secrets[&SecretName::new("API_KEY").unwrap()];
    let stages: Vec<Stage> = versions.iter().map(|version| version.stage).collect();
    let (purged, kept) = (Stage::Purged, Stage::Previous);
    assert_eq!(stages, [purged, purged, kept, kept, kept, kept, Stage::Current]);
    assert!(versions[..2].iter().all(|it| it.parts.primary().is_none() && it.fingerprint.is_some()));

    if program("age").is_none() {
        return skip("writers::only_five_versions_keep_their_value", "no age");
    }
    let mut age = std::process::Command::new("age");
    let opened = Run::of(age.arg("-d").arg("-i").arg(project.identity()).arg(project.path(".vault-kit/dev.age")));
    let payload = opened.assert_code(0).stdout;
    for index in 0..7 {
        assert_eq!(payload.contains(&value(index)), index >= 2, "value {index}");
    }
}
