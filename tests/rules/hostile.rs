//! A manifest may come from a stranger.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use tempfile::TempDir;
use vault_kit::project::find;

use crate::support::{Project, Run, skip};
use crate::{MANIFEST, assert_refused, code_of, is_root};

/// A project in which all is well until its manifest says that the output goes to `path`.
fn with_path(path: &str) -> Project {
    let project = Project::initialised(MANIFEST);
    project.write("vault-kit.toml", MANIFEST.replace("\".env\"", &format!("\"{path}\"")));
    project
}

#[test]
fn a_path_that_leaves_the_directory_or_enters_git_is_no_valid_manifest() {
    for path in ["../../.bashrc", "a/../../b", "..", ".git/config", "sub/.git/hooks/pre-commit", ".vault-kit/dev.age"] {
        let project = with_path(path);
        for command in ["init", "render", "generate"] {
            assert_refused(&project, &[command], 3, "manifest-invalid");
        }
    }
}

#[test]
fn an_absolute_path_is_not_written_without_trust() {
    let elsewhere = TempDir::new().unwrap();
    let target = elsewhere.path().join("bashrc");
    let project = with_path(target.to_str().unwrap());
    for command in ["init", "render"] {
        assert_refused(&project, &[command], 6, "untrusted-path");
    }
    assert!(!target.exists());
}

#[test]
fn a_fresh_clone_of_a_hostile_project_is_left_as_it_came() {
    let elsewhere = TempDir::new().unwrap();
    let absolute = elsewhere.path().join("bashrc");
    for (path, exit, code) in [
        ("../../.bashrc", 3, "manifest-invalid"),
        (absolute.to_str().unwrap(), 6, "untrusted-path"),
        ("link/env", 6, "symlink"),
        ("link", 6, "symlink"),
    ] {
        let project = Project::with_manifest(&MANIFEST.replace("\".env\"", &format!("\"{path}\"")));
        symlink(elsewhere.path(), project.path("link")).unwrap();
        let mut before = project.snapshot();
        let run = project.run(["init", "--json"]).assert_code(exit);
        assert_eq!(code_of(&run), code);
        let mut after = project.snapshot();
        // Taking turns needs a file; nothing else may be new.
        for entries in [&mut before, &mut after] {
            entries.retain(|path, _| ![".vault-kit", ".vault-kit/lock"].contains(&path.as_str()));
        }
        assert_eq!(after, before, "{path}");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{path}");
    }
}

#[test]
fn a_path_through_a_symlink_is_refused_for_directories_and_files() {
    let elsewhere = TempDir::new().unwrap();
    let project = with_path("out/env");
    symlink(elsewhere.path(), project.path("out")).unwrap();
    assert_refused(&project, &["render"], 6, "symlink");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);

    let victim = elsewhere.path().join("victim");
    fs::copy(project.path("vault-kit.toml"), &victim).unwrap();
    let before = fs::read(&victim).unwrap();
    let project = with_path("env");
    symlink(&victim, project.path("env")).unwrap();
    assert_refused(&project, &["render"], 6, "symlink");
    assert_eq!(fs::read(&victim).unwrap(), before);
}

#[test]
fn a_file_with_a_second_name_is_not_written() {
    let project = with_path("env");
    project.write("victim", "mine\n");
    fs::hard_link(project.path("victim"), project.path("env")).unwrap();
    assert_refused(&project, &["render"], 6, "hard-linked");
    assert_eq!(project.read("victim"), "mine\n");
}

#[test]
fn a_manifest_that_is_a_symlink_is_refused() {
    let project = Project::initialised(MANIFEST);
    fs::rename(project.path("vault-kit.toml"), project.path("real.toml")).unwrap();
    symlink("real.toml", project.path("vault-kit.toml")).unwrap();
    for command in ["render", "check", "status"] {
        assert_refused(&project, &[command], 6, "manifest-not-regular");
    }
}

#[test]
fn another_users_manifest_above_is_refused_unless_named() {
    if !is_root() {
        return skip("hostile::another_users_manifest_above_is_refused_unless_named", "needs root to give a file away");
    }
    let project = Project::initialised(MANIFEST);
    project.write("deep/er/file", "");
    chown(project.path("vault-kit.toml"), Some(4321), Some(4321)).unwrap();
    let below = project.path("deep/er");
    let before = project.contents();
    for command in [["render"].as_slice(), &["get", "API_KEY"], &["run", "--", "touch", "started"], &["check"]] {
        let run = Run::of(project.command(command).current_dir(&below));
        assert_eq!(run.code, 6, "{run:?}");
        assert!(run.stderr.contains("vault-kit.toml`: it belongs to another user (uid 4321)"), "{run:?}");
        assert!(run.stderr.contains("hint: read it, then name it: `vault-kit -f "), "{run:?}");
        assert_eq!(run.stdout, "");
    }
    assert!(project.contents() == before);
    // Who called sudo is no stranger to root; somebody else is.
    let status = |uid| Run::of(project.command(["status"]).current_dir(&below).env("SUDO_UID", uid)).code;
    assert_eq!([status("4321"), status("4322"), status("")], [0, 6, 6]);
    Run::of(project.command(["-f", "../../vault-kit.toml", "check"]).current_dir(&below)).assert_code(0);
}

#[test]
fn the_walk_up_ends_at_a_git_directory_and_at_the_home() {
    let project = Project::initialised(MANIFEST);
    project.write("clone/.git/HEAD", "ref: refs/heads/main\n");
    project.write("clone/src/file", "");
    let run = Run::of(project.command(["status", "--json"]).current_dir(project.path("clone/src"))).assert_code(3);
    assert_eq!(code_of(&run), "manifest-missing");
    let plain = project.path("deep/er");
    fs::create_dir_all(&plain).unwrap();
    Run::of(project.command(["status"]).current_dir(&plain)).assert_code(0);
    let run = Run::of(project.command(["status", "--json"]).current_dir(&plain).env("HOME", &plain)).assert_code(3);
    assert_eq!(code_of(&run), "manifest-missing");
}

#[test]
fn a_strangers_manifest_is_refused_unless_its_owner_is_known_or_it_is_named() {
    if !is_root() {
        let test = "hostile::a_strangers_manifest_is_refused_unless_its_owner_is_known_or_it_is_named";
        return skip(test, "needs root to give the manifest away");
    }
    let project = Project::with_manifest(MANIFEST);
    let (top, deep) = (project.root(), project.path("a"));
    fs::create_dir(&deep).unwrap();
    let refusal = |start: &Path| find(start, None, None, None).unwrap_err().code();
    chown(project.path("vault-kit.toml"), Some(4321), None).unwrap();
    assert_eq!(refusal(&deep), "foreign-manifest");
    assert_eq!(refusal(top), "foreign-manifest");
    assert!(find(&deep, None, None, Some(4321)).unwrap().is_some());
    assert!(find(&deep, Some(&project.path("vault-kit.toml")), None, None).unwrap().is_some());
    chown(top, Some(4321), None).unwrap();
    assert!(find(top, None, None, None).unwrap().is_some(), "a directory that is wholly theirs was chosen");
    assert_eq!(refusal(&deep), "foreign-manifest");
}
