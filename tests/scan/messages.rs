//! Messages of commits and tags, merges that git commits itself, and what is told to whoever was stopped.

use std::path::Path;
use std::process::Command;

use crate::git::{git, repository};
use crate::hooks::{auth, install, person, person_in};
use crate::support::{Project, Run, set_mode};
use crate::{findings, report, scan, set};

#[test]
fn a_message_with_a_value_is_stopped_and_what_git_does_not_take_of_it_is_not_looked_at() {
    let project = repository();
    install(&project);
    let auth = auth(&project);
    let commit = |arguments: &[&str]| person(&project, &[&["commit", "-q", "--allow-empty"], arguments].concat());
    commit(&["-m", "Clean"]).assert_code(0);
    let run = commit(&["-m", "Use", "-m", &format!("key={auth}")]);
    assert!(run.code != 0 && run.both().contains("(the commit message):3  has the current value of `AUTH`"), "{run:?}");
    assert!(run.both().contains("fix: take it out of the message; if it was pushed") && !run.both().contains(&auth));
    assert!(git(&project, &["log", "--format=%s"]).stdout.starts_with("Clean\n"));
    // The difference that `--verbose` shows has what is taken out.
    project.write("old.txt", &auth);
    git(&project, &["add", "old.txt"]).assert_code(0);
    person(&project, &["commit", "-q", "--no-verify", "-m", "Leak"]).assert_code(0);
    git(&project, &["rm", "-q", "old.txt"]).assert_code(0);
    let edited = |text: &str, arguments: &[&str]| {
        let mut command = person_in(&project, project.root(), &[&["commit", "-q"], arguments].concat());
        project.write(
            ".git/editor",
            format!("#!/bin/sh\ncat \"$1\" >> .git/rest\nprintf '{text}\\n' | cat - .git/rest > \"$1\"\n"),
        );
        set_mode(&project.path(".git/editor"), 0o755);
        Run::of(command.env("GIT_EDITOR", project.path(".git/editor")))
    };
    edited("Take it out", &["--verbose"]).assert_code(0);
    assert!(project.read(".git/rest").contains(&auth), "git showed it");
    assert_ne!(edited(&format!("Now it is {auth}"), &["--allow-empty"]).code, 0);
    // Past the hook it is not pushed.
    commit(&["--no-verify", "-m", &auth]).assert_code(0);
    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    let run = person(&project, &["push", "-q", remote.root().to_str().unwrap(), "main"]);
    assert!(run.code != 0 && run.both().contains("take it out of the commit"), "{run:?}");
}

#[test]
fn a_value_below_scissors_that_git_keeps_is_stopped() {
    let project = repository();
    install(&project);
    let auth = auth(&project);
    let scissors = "# ------------------------ >8 ------------------------";
    let difference = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +0,0 @@\n";
    let plain = format!("Use\n\n{scissors}\nkey={auth}\n");
    // As the file of a commit that failed, which git does not cut when it is handed over.
    let whole = format!("Use\n\n{scissors}\n# Do not modify or remove the line above.\n{difference}-key={auth}\n");
    project.write(
        ".git/editor",
        "#!/bin/sh\nif test -e .git/text; then cat .git/text \"$1\" > .git/all && mv .git/all \"$1\"; fi\n",
    );
    set_mode(&project.path(".git/editor"), 0o755);
    let head = || git(&project, &["rev-parse", "HEAD"]).stdout;
    let before = head();
    let commit = |arguments: &[&str]| {
        let all = [&["commit", "-q", "--allow-empty"], arguments].concat();
        Run::of(person_in(&project, project.root(), &all).env("GIT_EDITOR", project.path(".git/editor")))
    };
    for text in [&plain, &whole] {
        project.write(".git/text", text);
        for arguments in [&["-m", text][..], &["-F", ".git/text"], &[]] {
            let run = commit(arguments);
            assert!(run.code != 0 && run.both().contains("(the commit message):"), "{arguments:?} {run:?}");
            assert!(!run.both().contains(&auth) && head() == before);
            // Git would have kept it.
            let run = commit(&[&["--no-verify"], arguments].concat()).assert_code(0);
            assert!(git(&project, &["log", "-1", "--format=%B"]).stdout.contains(&auth), "{arguments:?} {run:?}");
            git(&project, &["reset", "-q", "--soft", "HEAD~1"]).assert_code(0);
        }
    }
}

#[test]
fn a_merge_that_git_commits_itself_is_looked_at_before_it_is_made() {
    let project = repository();
    install(&project);
    let auth = auth(&project);
    git(&project, &["checkout", "-q", "-b", "side"]).assert_code(0);
    project.write("leak.txt", format!("key={auth}\n"));
    git(&project, &["add", "leak.txt"]).assert_code(0);
    person(&project, &["commit", "-q", "--no-verify", "-m", "Leak"]).assert_code(0);
    git(&project, &["checkout", "-q", "main"]).assert_code(0);
    project.write("readme", "a better shop\n");
    person(&project, &["commit", "-q", "-am", "Better"]).assert_code(0);
    let before = git(&project, &["rev-parse", "HEAD"]).stdout;
    let run = person(&project, &["merge", "-q", "--no-edit", "side"]);
    assert!(run.code != 0 && run.both().contains("leak.txt:1"), "{run:?}");
    assert_eq!(git(&project, &["rev-parse", "HEAD"]).stdout, before);
    git(&project, &["merge", "--abort"]).assert_code(0);
    let run = person(&project, &["merge", "-q", "--no-commit", "side"]);
    git(&project, &["rm", "-q", "-f", "leak.txt"]).assert_code(0);
    person(&project, &["commit", "-q", "-m", "Merge without it"]).assert_code(0);
    assert!(!run.both().contains(&auth));
    // The message of a merge is one too.
    git(&project, &["checkout", "-q", "-b", "other", "HEAD~1"]).assert_code(0);
    person(&project, &["commit", "-q", "--allow-empty", "-m", "Other"]).assert_code(0);
    assert_ne!(person(&project, &["merge", "-q", "-m", &auth, "main"]).code, 0);
}

#[test]
fn lines_of_messages_are_counted_from_their_first_one() {
    let project = repository();
    let auth = auth(&project);
    git(&project, &["commit", "-q", "--allow-empty", "-m", &format!("One\n\nthree\nfour {auth}")]).assert_code(0);
    let commit = git(&project, &["rev-parse", "HEAD"]).stdout[..10].to_owned();
    git(&project, &["tag", "-a", "v1", "-m", &format!("One\n\nkey {auth}")]).assert_code(0);
    let author = format!("--author={auth} <a@example.com>");
    git(&project, &["commit", "-q", "--allow-empty", "-m", "Clean", &author]).assert_code(0);
    let last = git(&project, &["rev-parse", "HEAD"]).stdout[..10].to_owned();
    let run = scan(&project, &["--history"]).assert_code(1);
    let of_commit = format!("(the message of commit {commit})");
    let head = format!("(the header of commit {last})");
    let expected = [
        ("AUTH", of_commit.as_str(), 4),
        ("AUTH", "(the message of refs/tags/v1)", 3),
        // Behind the tree and the parent.
        ("AUTH", &head, 3),
    ];
    assert_eq!(findings(&run), set(&expected));
    // Whatever is configured comes into the next commit too.
    let report = report(&run);
    let of_head = report["findings"].as_array().unwrap().iter().find(|it| it["file"] == head.as_str()).unwrap();
    let told = "`vault-kit incident AUTH`; take it out of `git config user.name` and `user.email` as well, which bring it into each commit";
    assert_eq!(of_head["fix"], told);
}

#[test]
fn a_value_that_leaked_before_is_taken_out_of_the_message_that_has_it() {
    let project = repository();
    let auth = auth(&project);
    project.run(["incident", "AUTH"]);
    project.write(".git/MESSAGE", format!("One\n\n{auth}\n"));
    let run = scan(&project, &["--message", ".git/MESSAGE"]).assert_code(1);
    let fix = report(&run)["findings"][0]["fix"].as_str().unwrap().to_owned();
    assert!(fix.starts_with("take it out of the message; ") && !fix.contains("file"), "{fix}");
}

#[test]
fn what_lets_nothing_pass_is_told_and_a_directory_in_its_place_is_moved_aside() {
    let project = repository();
    project.write(".vault-kit-ignore", "# ours\njwtt 0123456789abcdef a.txt # why\njwt 0123456789abcdef a.txt # why\n");
    let run = project.run(["scan"]).assert_code(0);
    assert!(
        run.stderr.contains("warning: `.vault-kit-ignore:2` lets nothing pass: there is no such rule\n"),
        "{run:?}"
    );
    assert!(!run.stderr.contains(":3`"), "{run:?}");
    std::fs::remove_file(project.path(".vault-kit-ignore")).unwrap();
    std::fs::create_dir(project.path(".vault-kit-ignore")).unwrap();
    let run = project.run(["scan"]).assert_code(6);
    let hint = "hint: move it aside: `mv .vault-kit-ignore .vault-kit-ignore.old`\n";
    assert!(run.stderr.ends_with(hint) && run.stderr.matches("hint:").count() == 1 && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn a_tag_that_is_pushed_is_told_to_be_made_anew_and_a_branch_to_be_called_otherwise() {
    let project = repository();
    install(&project);
    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    let push = |name: &str| person(&project, &["push", "-q", remote.root().to_str().unwrap(), name]);
    push("main").assert_code(0);
    let auth = auth(&project);
    git(&project, &["tag", "-a", "v1", "-m", &format!("One\n\nkey {auth}")]).assert_code(0);
    let run = push("v1");
    assert!(run.code != 0 && run.both().contains("(the message of refs/tags/v1):3"), "{run:?}");
    assert!(run.both().contains("fix: make the tag anew without it"), "{run:?}");
    git(&project, &["branch", &format!("fix/{auth}")]).assert_code(0);
    let run = push(&format!("fix/{auth}"));
    assert!(run.code != 0 && run.both().contains("fix: give it another name"), "{run:?}");
}

#[test]
fn what_may_stand_in_a_message_may_in_its_commit() {
    let project = repository();
    let auth = auth(&project);
    project.write(".git/MESSAGE", format!("One\n\n{auth}\n"));
    let run = scan(&project, &["--message", ".git/MESSAGE"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "(the commit message)", 3)]));
    let line = report(&run)["findings"][0]["ignore"].as_str().unwrap().to_owned();
    project.write(".vault-kit-ignore", format!("{line}\n"));
    git(&project, &["add", ".vault-kit-ignore"]).assert_code(0);
    scan(&project, &["--message", ".git/MESSAGE"]).assert_code(0);
    git(&project, &["commit", "-q", "-F", ".git/MESSAGE"]).assert_code(0);
    scan(&project, &["--range", "HEAD~1.."]).assert_code(0);
    // One that names a commit, as older versions wrote it, counts too.
    let named = line.replace("(the commit message)", "(the message of commit 0123456789)");
    project.write(".vault-kit-ignore", format!("{named}\n"));
    scan(&project, &["--range", "HEAD~1.."]).assert_code(0);
    project.run(["scan", "--message", "nowhere"]).assert_code(2);
    project.run(["scan", "--message", ".git/MESSAGE", "--staged"]).assert_code(2);
}

#[test]
fn what_is_to_be_done_is_pasted_where_the_user_stands() {
    let project = repository();
    let top = Project::empty();
    git(&top, &["init", "-q", "-b", "main"]).assert_code(0);
    let shop = top.path("services/my shop");
    let deep = shop.join("src/deep");
    std::fs::create_dir_all(&deep).unwrap();
    let from = format!("{}/.", project.root().display());
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    assert!(Command::new("cp").args(["-a", &from]).arg(&shop).status().unwrap().success());
    Run::of(project.command(["hooks", "install"]).current_dir(&shop)).assert_code(0);
    let auth = project.get("AUTH");
    let sh = |directory: &Path, line: &str| {
        let command = project.command([] as [&str; 0]);
        let path =
            person_in(&project, directory, &[]).get_envs().find(|it| it.0 == "PATH").unwrap().1.unwrap().to_owned();
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(directory).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", path);
        Run::of(&mut shell)
    };
    for (stands, file) in
        [(top.root(), "services/my shop/src/a.txt"), (&deep, "services/my shop/src/a.txt"), (&deep, "beside.txt")]
    {
        top.write(file, &auth);
        git(&top, &["add", file]).assert_code(0);
        let run = Run::of(&mut person_in(&project, stands, &["commit", "-q", "-m", "x"]));
        let told = run.both();
        let fix = told
            .lines()
            .find(|line| line.contains("fix: take it out of the file and `git add "))
            .unwrap_or_else(|| panic!("{run:?}"));
        let commands: Vec<&str> = fix.split('`').skip(1).step_by(2).collect();
        let [add, incident] = commands[..] else { panic!("{fix}") };
        top.write(file, "clean\n");
        sh(stands, add).assert_code(0);
        let dry = sh(stands, &format!("{incident} --dry-run"));
        assert!(dry.code == 0 && dry.both().contains("AUTH"), "{incident}: {dry:?}");
        let shown = git(&top, &["show", &format!(":{file}")]).assert_code(0);
        assert_eq!(shown.stdout, "clean\n", "{add}");
    }
}
