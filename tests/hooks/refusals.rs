//! Which programs are not run.

use std::os::unix::fs::{chown, symlink};

use vault_kit::hook::Step;

use crate::scene::{Scene, chmod};

const TRUE: &str = "#!/bin/sh\n";

#[test]
fn a_program_that_somebody_else_could_change_is_refused() {
    let scene = Scene::new(TRUE, "");
    let code = || scene.find().map(drop).unwrap_err().code();
    for mode in [0o775, 0o757, 0o4755, 0o2755, 0o644] {
        chmod(&scene.program(), mode);
        assert_eq!(code(), "hook-refused", "{mode:o}");
    }
    chmod(&scene.program(), 0o700);
    scene.find().unwrap();
    for mode in [0o775, 0o777] {
        chmod(&scene.project().join("hooks"), mode);
        assert_eq!(code(), "hook-refused", "{mode:o}");
    }
    chmod(&scene.project().join("hooks"), 0o755);
    if rustix::process::geteuid().is_root() {
        chown(scene.program(), Some(1234), None).unwrap();
        assert_eq!(code(), "hook-refused");
        chown(scene.program(), Some(0), None).unwrap();
        chown(scene.project().join("hooks"), Some(1234), None).unwrap();
        assert_eq!(code(), "hook-refused");
    }
}

#[test]
fn a_program_is_a_regular_file_that_no_link_leads_to() {
    let scene = Scene::new(TRUE, "");
    let code = || scene.find().map(drop).unwrap_err().code();
    std::fs::rename(scene.program(), scene.project().join("hooks/real")).unwrap();
    assert_eq!(code(), "hook-missing");
    symlink("real", scene.program()).unwrap();
    assert_eq!(code(), "symlink");
    std::fs::remove_file(scene.program()).unwrap();
    std::fs::create_dir(scene.program()).unwrap();
    assert_eq!(code(), "hook-refused");
    std::fs::rename(scene.project().join("hooks"), scene.project().join("elsewhere")).unwrap();
    symlink("elsewhere", scene.project().join("hooks")).unwrap();
    assert_eq!(code(), "symlink");
}

#[test]
fn a_program_runs_once_it_is_trusted_and_a_changed_one_asks_again() {
    let scene = Scene::new(TRUE, "");
    assert_eq!(scene.trusted().map(drop).unwrap_err().code(), "untrusted-hook");
    scene.trust();
    scene.trusted().unwrap();
    scene.write("#!/bin/sh\ntouch owned\n");
    assert_eq!(scene.trusted().map(drop).unwrap_err().code(), "untrusted-hook");
    assert!(!scene.project().join("owned").exists());
}

#[test]
fn what_is_executed_is_what_was_trusted_although_another_has_its_name() {
    let scene = Scene::new("#!/bin/sh\ntouch good\n", "");
    scene.trust();
    let program = scene.trusted().unwrap();
    scene.write("#!/bin/sh\ntouch owned\n");
    program.start(Step::Reload, zeroize::Zeroizing::default()).unwrap().wait().unwrap();
    assert!(scene.project().join("good").exists() && !scene.project().join("owned").exists());
}

#[test]
fn a_program_that_is_written_over_in_its_place_is_not_executed() {
    let scene = Scene::new("#!/bin/sh\ntouch good\n", "");
    scene.trust();
    let program = scene.trusted().unwrap();
    std::fs::write(scene.program(), "#!/bin/sh\ntouch evil\n").unwrap();
    let error = program.start(Step::Reload, zeroize::Zeroizing::default()).map(drop).unwrap_err();
    assert_eq!(error.code(), "hook-changed");
    assert!(!scene.project().join("evil").exists());
}

#[test]
fn a_program_whose_interpreter_is_missing_is_told_so() {
    let scene = Scene::new("", "");
    let interpreter = scene.project().join("hooks/interpreter");
    std::fs::write(scene.program(), format!("#!{}\n", interpreter.display())).unwrap();
    scene.trust();
    assert_eq!(scene.trusted().map(drop).unwrap_err().code(), "hook-not-started");
    // It can still go in the last instant.
    std::fs::copy(scene.program(), &interpreter).unwrap();
    let program = scene.trusted().unwrap();
    std::fs::remove_file(interpreter).unwrap();
    let error = program.start(Step::Set, b"hunter2".to_vec().into()).map(drop).unwrap_err();
    assert_eq!(error.code(), "hook-not-started");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn an_interpreter_in_the_project_that_nobody_trusted_is_not_started() {
    let scene = Scene::new("#!hooks/interpreter\n", "");
    scene.trust();
    let interpreter = scene.project().join("hooks/interpreter");
    std::fs::copy("/bin/sh", interpreter).unwrap();
    let error = scene.trusted().map(drop).unwrap_err();
    assert_eq!(error.code(), "hook-not-started");
    assert!(error.to_string().contains("its first line does not name the whole path of its interpreter"), "{error}");
}
