//! What a dry run foretells is what the run does.

use std::os::unix::fs::{PermissionsExt, chown};

use crate::support::{self, Project, Run};

const MANIFEST: &str = "[project]\nname = \"p\"\n\n[secrets.DB]\nkind = \"random\"\n\n[outputs.sec]\nformat = \"docker-secrets\"\n\
                        path = \"sec\"\nsecrets = [\"DB\"]\n";

#[test]
fn a_directory_that_may_not_be_written_is_foretold_and_told_once() {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root || support::program("setpriv").is_none() {
        let test = "a_directory_that_may_not_be_written_is_foretold_and_told_once";
        return support::skip(test, "needs root and setpriv to become another user");
    }
    let project = Project::with_manifest(MANIFEST);
    for path in [project.root(), project.home()] {
        chown(path, Some(4321), Some(4321)).unwrap();
    }
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    let run = |arguments: &[&str]| Run::of(&mut project.command_under(as_another, arguments));
    run(&["init"]).assert_code(0);
    let state = std::fs::read_dir(project.home().join(".local/state/vault-kit")).unwrap().next().unwrap().unwrap();
    for closed in [project.path("sec"), project.path(".vault-kit"), state.path()] {
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o500)).unwrap();
        let command = ["generate", "--replace", "DB", "--yes"];
        let dry = run(&[&command[..], &["-n"]].concat()).assert_code(6);
        let real = run(&command).assert_code(6);
        for told in [dry, real] {
            assert_eq!(told.stderr.matches("cannot write in the directory `").count(), 1, "{closed:?} {told:?}");
        }
        run(&["render", "-n"]).assert_code(if closed == project.path("sec") { 6 } else { 0 });
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
        run(&[&command[..], &["-n"]].concat()).assert_code(0);
    }
}

#[test]
fn a_mode_that_is_wider_now_reaches_a_file_that_is_written_in_place() {
    let manifest = |mode: &str| {
        format!(
            "[project]\nname = \"p\"\n\n[secrets.DB]\nkind = \"random\"\n\n[outputs.json]\nformat = \"json\"\n\
             path = \"x.json\"\nsecrets = [\"DB\"]\nin_place = true\nmode = \"{mode}\"\n"
        )
    };
    let project = Project::initialised(&manifest("0600"));
    let inode = project.snapshot()["x.json"].inode;
    project.write("vault-kit.toml", manifest("0640"));
    project.run(["check"]).assert_code(1);
    let dry = project.run(["render", "-n"]).assert_code(0);
    assert!(dry.stderr.contains("x.json") && dry.stderr.contains("0640"), "{dry:?}");
    assert_eq!(project.mode("x.json"), 0o600);
    project.run(["render"]).assert_code(0);
    assert_eq!((project.mode("x.json"), project.snapshot()["x.json"].inode), (0o640, inode));
    project.run(["check"]).assert_code(0);
    // With a new value at the same time.
    project.write("vault-kit.toml", manifest("0600"));
    project.run(["render"]).assert_code(0);
    project.write("vault-kit.toml", manifest("0640"));
    project.run(["generate", "--replace", "DB", "--yes"]).assert_code(0);
    assert_eq!((project.mode("x.json"), project.snapshot()["x.json"].inode), (0o640, inode));
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_store_of_which_a_copy_is_left_is_foretold_also_where_its_directory_is_gone() {
    let place = Project::empty();
    let directory = place.path("shop");
    let run = |arguments: &[&str]| place.run([&["-C", "shop", "init", "--preset", "sutra"][..], arguments].concat());
    run(&["-n"]).assert_code(0);
    run(&[]).assert_code(0);
    std::fs::remove_dir_all(&directory).unwrap();
    let told = run(&["-n"]).assert_code(4);
    assert!(told.stderr.contains("`.vault-kit/dev.age` is gone, but its second copy is there"), "{told:?}");
    assert!(!directory.exists());
    // What the error says gives the copy up, and nothing is lost.
    let told = run(&[]).assert_code(4);
    let aside = told.stderr.split("move the copy aside: `mv ").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    let (copy, old) = aside.split_once(' ').unwrap();
    std::fs::rename(copy, old).unwrap();
    run(&[]).assert_code(0);
}

#[test]
fn recipients_without_oneself_are_foretold() {
    let project = Project::initialised(MANIFEST);
    let stranger = Project::initialised(MANIFEST);
    let key = stranger.run(["recipients", "list"]).assert_code(0).stdout;
    let key = key.split_whitespace().find(|word| word.starts_with("age1")).unwrap();
    project.write(
        "vault-kit.toml",
        MANIFEST.replace(
            "[secrets.DB]",
            &format!("[environments.dev]\nrecipients = {{ other = \"{key}\" }}\n\n[secrets.DB]"),
        ),
    );
    for command in [&["recipients", "apply", "-n"][..], &["recipients", "apply", "--yes"]] {
        let run = project.run(command).assert_code(4);
        assert!(run.stderr.contains("you could not open it again"), "{run:?}");
    }
}

#[test]
fn a_file_that_waits_and_keeps_an_old_value_is_foretold_with_the_exit_of_the_run() {
    let manifest = "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\noverlap = \"1d\"\n[secrets.B]\nkind = \"external\"\n\
                    [secrets.C]\nkind = \"external\"\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";
    let project = Project::initialised(manifest);
    for name in ["B", "C"] {
        project
            .run_with_stdin(["set", name], format!("sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N{name}").as_bytes())
            .assert_code(0);
    }
    project.run(["rotate", "A"]).assert_code(0);
    project.run(["remove", "B", "--yes"]).assert_code(0);
    let alike = |words: &[&str], stdin: &str, code: i32| {
        let before = project.contents();
        let foretold = project.run_with_stdin([words, &["-n"]].concat(), stdin.as_bytes()).assert_code(code);
        assert!(project.contents() == before, "{words:?}");
        let run = project.run_with_stdin(words.iter().copied(), stdin.as_bytes()).assert_code(code);
        foretold.stderr + &run.stderr
    };
    // It is refused before anybody is asked about the overlap.
    let told = alike(&["rotate", "A"], "", 1);
    assert_eq!(told.matches("cannot be written before `B` has a value").count(), 2, "{told}");
    let told = alike(&["generate", "--replace", "A", "--yes"], "", 8)
        + &alike(&["set", "C"], "another-9fQ2mZx7Lw4TtRb8Vc1K", 8);
    assert_eq!(told.matches("waiting       output env").count(), 4, "{told}");
}
