//! Hooks that cannot be run are told before a rotation needs them.

use std::fs::{remove_file, rename};

use serde_json::Value;

use crate::programs::{PROGRAM, project};
use crate::support::{Project, set_mode};

/// The hooks that `check` and `rotate status` call unusable, each with its fix.
fn told(project: &Project, arguments: &[&str], exit: i32) -> Vec<(String, String)> {
    let report = project.run(arguments.iter().copied().chain(["--json"])).assert_code(exit);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = report["findings"].as_array().into_iter().flatten();
    let found = found.filter(|it| it["code"] == "hook-unusable").map(|it| {
        let file = &it["file"];
        assert!(file == "vault-kit.toml" && it["line"].is_u64() && it["severity"] == "warning", "{it}");
        let message = text(&it["message"]);
        (message.split('`').find(|it| ["owner", "pager", "server"].contains(it)).unwrap().to_owned(), text(&it["fix"]))
    });
    let listed = report["unusable"].as_array().into_iter().flatten();
    let mut told: Vec<_> = found.chain(listed.map(|it| (text(&it["hook"]), text(&it["fix"])))).collect();
    told.sort();
    told
}

fn all(fix: &str) -> Vec<(String, String)> {
    ["owner", "pager", "server"].map(|hook| (hook.to_owned(), fix.to_owned())).to_vec()
}

const CHECK: &[&str] = &["check"];
const REPO: &[&str] = &["check", "--at", "repo"];
const STATUS: &[&str] = &["rotate", "status"];

#[test]
fn a_hook_that_cannot_be_run_is_told_before_anything_is_due() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    for (arguments, exit) in [(CHECK, 0), (REPO, 0), (STATUS, 0)] {
        assert_eq!(told(&project, arguments, exit), []);
    }
    let program = project.path("hooks/owner");
    let trust = "vault-kit trust    # once you read hooks/owner";

    project.write("hooks/owner", format!("{PROGRAM}\n# another"));
    assert_eq!(told(&project, CHECK, 1), all(trust));
    assert_eq!(told(&project, STATUS, 0), all(trust));
    // What a repository has of it is well: who trusts it elsewhere, nobody knows there.
    assert_eq!(told(&project, REPO, 0), []);
    project.write("hooks/owner", PROGRAM);

    // Who may read which values is what was trusted, too.
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("host = \"db\"", "host = \"evil\""));
    assert_eq!(told(&project, CHECK, 1), all(trust)[..1]);
    project.write("vault-kit.toml", &manifest);

    set_mode(&program, 0o775);
    assert_eq!(told(&project, CHECK, 1), all("chmod go-w hooks/owner"));
    assert_eq!(told(&project, REPO, 0), []);
    set_mode(&program, 0o655);
    for (arguments, exit) in [(CHECK, 1), (REPO, 1), (STATUS, 0)] {
        assert_eq!(told(&project, arguments, exit), all("chmod u+x hooks/owner"), "{arguments:?}");
    }
    let status = project.run(STATUS).assert_code(0);
    assert!(status.stdout.contains("hook unusable"), "{status:?}");
    set_mode(&program, 0o755);
    rename(&program, project.path("hooks/moved")).unwrap();
    std::fs::create_dir(&program).unwrap();
    let line = project.read("vault-kit.toml").lines().position(|line| line == "[hooks.owner]").unwrap() + 1;
    let place = format!("put the program there, or name the place where it is, in line {line} of the manifest");
    for (arguments, exit) in [(CHECK, 1), (REPO, 1), (STATUS, 0)] {
        assert_eq!(told(&project, arguments, exit)[0].1, place, "{arguments:?}");
    }
    std::fs::remove_dir(&program).unwrap();
    for (arguments, exit) in [(CHECK, 1), (REPO, 1)] {
        let told = told(&project, arguments, exit);
        assert!(told.len() == 3 && told[0].1.starts_with("put hooks/owner back, or name "), "{told:?}");
    }
}

#[test]
fn a_script_whose_interpreter_is_not_there_is_told_before_it_is_started() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let missing = "install what the first line of `hooks/owner` names, or name another one there, and trust that";
    let ending = "sed -i 's/\\r$//' hooks/owner";
    let whole = "write it there, such as #!/bin/sh: edit `hooks/owner`, and trust that";
    // What nobody trusted could be put there later.
    std::os::unix::fs::symlink("/bin/sh", project.path("hooks/sh")).unwrap();
    for (first, fix) in [
        ("#!/nowhere/sh", missing),
        ("#! /nowhere/sh -e", missing),
        ("#!/bin", missing),
        ("#!", missing),
        ("#!hooks/nowhere", whole),
        ("#!hooks/sh", whole),
        ("#!/bin/sh\r", ending),
    ] {
        project.write("hooks/owner", PROGRAM.replacen("#!/bin/sh", first, 1));
        project.run(["trust", "--yes"]).assert_code(0);
        assert_eq!(told(&project, CHECK, 1), all(fix), "{first}");
        assert_eq!(told(&project, STATUS, 0), all(fix), "{first}");
        let before = project.contents();
        let run = project.run(["rotate", "DB"]).assert_code(9);
        assert!(
            run.stderr.starts_with("vault-kit: error: cannot start `hooks/owner` for the hook `owner`: "),
            "{run:?}"
        );
        assert!(!run.both().contains("/nowhere") && project.contents() == before, "{run:?}");
        project.run(["rotate", "DB", "-n"]).assert_code(9);
    }
    // What the system takes is taken here: blanks and an argument.
    for first in ["#! \t/bin/sh -e", "#!/bin/sh "] {
        project.write("hooks/owner", PROGRAM.replacen("#!/bin/sh", first, 1));
        project.run(["trust", "--yes"]).assert_code(0);
        assert_eq!(told(&project, CHECK, 0), [], "{first}");
        project.run(["rotate", "DB"]).assert_code(0);
    }
}

#[test]
fn a_clone_that_nobody_trusted_yet_and_hooks_that_nothing_calls_are_no_findings() {
    let project = project();
    // As in CI: no store, no trust.
    std::fs::remove_dir_all(project.path(".vault-kit")).unwrap();
    std::fs::remove_dir_all(project.state()).unwrap();
    project.run(REPO).assert_code(0);
    // A program that is no part of the repository is somewhere else's business.
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("\"hooks/owner\"", "\"/nowhere/owner\""));
    project.run(REPO).assert_code(0);
    project.write("vault-kit.toml", manifest);
    remove_file(project.path("hooks/owner")).unwrap();
    assert_eq!(told(&project, REPO, 1).len(), 3);

    let never = crate::programs::project();
    never.run(["rotate", "tell", "DB"]).assert_code(0);
    let manifest = never.read("vault-kit.toml").replace("rotate = \"30d\"", "");
    never.write("vault-kit.toml", manifest);
    remove_file(never.path("hooks/owner")).unwrap();
    assert_eq!(told(&never, CHECK, 0), []);
}

#[test]
fn nothing_is_given_up_with_a_hook_that_cannot_be_run() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let program = project.path("hooks/owner");
    let put_right = || {
        project.write("hooks/owner", PROGRAM);
        set_mode(&program, 0o755);
    };
    let spoil: [(&dyn Fn(), &str, i32); 3] = [
        (&|| remove_file(&program).unwrap(), "hook-missing", 3),
        (&|| project.write("hooks/owner", format!("{PROGRAM}\n# another")), "untrusted-hook", 6),
        (&|| set_mode(&program, 0o655), "hook-refused", 6),
    ];
    for (spoil, code, exit) in spoil {
        spoil();
        let before = (project.bytes(".vault-kit/dev.age"), project.read("asked"));
        for words in [&["rotate", "abort", "DB", "-n", "--json"][..], &["rotate", "abort", "DB", "--json"]] {
            let run = project.run(words.iter().copied()).assert_code(exit);
            let answer: Value = serde_json::from_str(&run.stdout).unwrap();
            let error = &answer["errors"][0];
            assert_eq!(error["code"], code, "{words:?}: {run:?}");
            let fix = error["fix"].to_string();
            assert!(fix.contains("nothing was changed"), "{words:?}: {fix}");
            assert!(fix.contains("`vault-kit rotate abort DB --without-hooks`"), "{words:?}: {fix}");
            assert!(run.stderr.contains("hooks/owner"), "{run:?}");
            assert!((project.bytes(".vault-kit/dev.age"), project.read("asked")) == before, "{words:?}");
        }
        // It can be left to its owner all the same.
        project.run(["rotate", "abort", "DB", "-n", "--without-hooks"]).assert_code(0);
        put_right();
    }
    project.run(["rotate", "abort", "DB"]).assert_code(0);
    assert!(crate::fixture::actions(&project).ends_with(&["rotate-abort".to_owned()]));
}
