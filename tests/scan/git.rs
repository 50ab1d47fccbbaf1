//! What git has: the index rather than the work tree, ranges, history.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use crate::support::{Project, Run};
use crate::{findings, report, scan, set, shop};

/// Git in a project, with nothing of our environment.
pub(crate) fn git(project: &Project, arguments: &[&str]) -> Run {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]);
    command.args(arguments).current_dir(project.root()).env_clear();
    command.env("PATH", crate::support::search_path()).env("HOME", project.home()).env("GIT_CONFIG_NOSYSTEM", "1");
    Run::of(&mut command)
}

/// A shop in a repository, with a first commit.
pub(crate) fn repository() -> Project {
    let project = shop();
    git(&project, &["init", "-q", "-b", "main"]).assert_code(0);
    project.write("readme", "a shop\n");
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Begin"]).assert_code(0);
    project
}

fn auth(project: &Project) -> String {
    String::from_utf8(project.get("AUTH")).unwrap()
}

#[test]
fn the_index_is_looked_at_and_not_the_work_tree() {
    let project = repository();
    let auth = auth(&project);
    scan(&project, &["--staged"]).assert_code(0);
    // Staged with the value, taken out again in the work tree only; and the other way round.
    project.write("a.txt", format!("one\nkey={auth}\n"));
    project.write("b.txt", "clean\n");
    git(&project, &["add", "a.txt", "b.txt"]).assert_code(0);
    project.write("a.txt", "one\n");
    project.write("b.txt", &auth);
    assert_eq!(findings(&scan(&project, &["--staged"]).assert_code(1)), set(&[("AUTH", "a.txt", 2)]));
    // What git would take is looked at where nothing else is said.
    assert_eq!(findings(&scan(&project, &[]).assert_code(1)), set(&[("AUTH", "b.txt", 1)]));
}

#[test]
fn of_a_file_that_is_staged_in_part_only_that_part_counts() {
    let project = repository();
    let auth = auth(&project);
    let lines: Vec<String> = (0..40).map(|line| format!("line {line}")).collect();
    project.write("long.txt", lines.join("\n") + "\n");
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Long"]).assert_code(0);
    let mut changed = lines.clone();
    changed[1] = "harmless".into();
    changed[35] = format!("key = {auth}");
    project.write("long.txt", changed.join("\n") + "\n");
    let mut add = Command::new("git");
    add.args(["add", "-p"]).current_dir(project.root()).env_clear();
    add.env("PATH", crate::support::search_path()).env("HOME", project.home());
    Run::with_stdin(&mut add, b"y\nn\n").assert_code(0);
    assert!(git(&project, &["diff", "--cached"]).stdout.contains("harmless"));
    scan(&project, &["--staged"]).assert_code(0);
    git(&project, &["add", "long.txt"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--staged"]).assert_code(1)), set(&[("AUTH", "long.txt", 36)]));
}

#[test]
fn a_line_that_lets_one_path_pass_says_nothing_of_a_copy_of_it() {
    let project = repository();
    for file in ["a/ok", "z/leak"] {
        project.write(file, format!("k {}\n", auth(&project)));
    }
    let line = report(&scan(&project, &["a/ok"]).assert_code(1))["findings"][0]["ignore"].as_str().unwrap().to_owned();
    project.write(".vault-kit-ignore", line + "\n");
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Copy"]).assert_code(0);
    for words in [&["--history"][..], &["--range", "HEAD~1..HEAD"], &["--range", "HEAD"]] {
        assert_eq!(findings(&scan(&project, words).assert_code(1)), set(&[("AUTH", "z/leak", 1)]), "{words:?}");
    }
}

#[test]
fn a_repository_without_a_commit_is_looked_at_whole() {
    let project = shop();
    git(&project, &["init", "-q"]).assert_code(0);
    project.write("dir/a.txt", auth(&project));
    git(&project, &["add", "dir"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--staged"]).assert_code(1)), set(&[("AUTH", "dir/a.txt", 1)]));
}

#[test]
fn renamed_binary_deleted_and_odd_files_are_looked_at_by_what_they_have() {
    let project = repository();
    let auth = auth(&project);
    project.write("old.txt", &auth);
    git(&project, &["add", "old.txt"]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Leak"]).assert_code(0);
    git(&project, &["mv", "old.txt", "new.txt"]).assert_code(0);
    project.write("image.bin", [b"\0\x01\0\xff", auth.as_bytes(), b"\0"].concat());
    let odd = std::ffi::OsStr::from_bytes(b"odd\nname\xff");
    std::fs::write(project.root().join(odd), &auth).unwrap();
    std::os::unix::fs::symlink(&auth, project.path("link")).unwrap();
    git(&project, &["add", "-A"]).assert_code(0);
    let run = scan(&project, &["--staged"]).assert_code(1);
    let expected =
        [("AUTH", "image.bin", 1), ("AUTH", "link", 1), ("AUTH", "new.txt", 1), ("AUTH", "odd\\nname\\xff", 1)];
    assert_eq!(findings(&run), set(&expected));
    assert!(run.stdout.contains("\"offset\": 4"));
    git(&project, &["rm", "-q", "-r", "--cached", ".", ":!vault-kit.toml"]).assert_code(0);
    scan(&project, &["--staged"]).assert_code(0);
}

/// What is to be done about a secret's value in a file.
fn fix(project: &Project, name: &str, file: &str) -> String {
    let report = report(&scan(project, &[file]).assert_code(1));
    let mut findings = report["findings"].as_array().unwrap().iter();
    let finding = findings.find(|it| it["secret"] == name).unwrap_or_else(|| panic!("{report}"));
    finding["fix"].as_str().unwrap().to_owned()
}

#[test]
fn a_second_leak_within_a_day_is_cured_by_a_command_that_replaces_it() {
    let project = repository();
    project.run(["incident", "AUTH", "DB_PASSWORD", "--yes"]).assert_code(0);
    for (name, file) in [("AUTH", "auth.txt"), ("DB_URL", "url.txt")] {
        project.write(file, project.get(name));
        let old = project.get(name);
        let told = fix(&project, name, file);
        assert_eq!(told, format!("vault-kit incident {name} --again"));
        let words = told.split(' ').skip(1).chain(["--yes"]);
        project.run(words).assert_code(0);
        assert_ne!(project.get(name), old);
        let told = fix(&project, name, file);
        assert_eq!(told, "take it out of the file; it was replaced already");
        std::fs::remove_file(project.path(file)).unwrap();
    }
    project.write("stripe.txt", project.get("STRIPE"));
    assert_eq!(fix(&project, "STRIPE", "stripe.txt"), "vault-kit incident STRIPE", "another one's is no second");
}

#[test]
fn a_banned_value_that_is_in_force_is_not_called_replaced() {
    let project = repository();
    project.write("stripe.txt", project.get("STRIPE"));
    project.run(["incident", "STRIPE", "--yes"]).assert_code(8);
    let told = fix(&project, "STRIPE", "stripe.txt");
    assert_eq!(told, "take it out of the file; it is banned, and still in force: `vault-kit set STRIPE`");
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    assert_eq!(fix(&project, "STRIPE", "stripe.txt"), "take it out of the file; it was replaced already");
    // What is made here is in force until a rotation ended.
    project.write("auth.txt", project.get("AUTH"));
    project.edit_store(|store| {
        let now = store.updated;
        store.ban(&vault_kit::name::SecretName::new("AUTH").unwrap(), now, None);
    });
    let told = fix(&project, "AUTH", "auth.txt");
    assert_eq!(told, "take it out of the file; it is banned, and still in force: `vault-kit incident AUTH`");
}

#[test]
fn a_range_tells_the_commit_and_finds_what_a_later_one_took_out() {
    let project = repository();
    let auth = auth(&project);
    project.write("a.txt", &auth);
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Leak"]).assert_code(0);
    let leak = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    git(&project, &["rm", "-q", "a.txt"]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Take it out"]).assert_code(0);
    let run = scan(&project, &["--range", "HEAD~2..HEAD"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "a.txt", 1)]));
    assert_eq!(report(&run)["findings"][0]["commit"], leak.as_str());
    assert_eq!(report(&run)["looked_at"]["commits"], 2);
    scan(&project, &["--range", "HEAD~1..HEAD"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--history"]).assert_code(1)), set(&[("AUTH", "a.txt", 1)]));
    // A message is content too.
    git(&project, &["commit", "-q", "--allow-empty", "-m", &format!("Use {auth}")]).assert_code(0);
    let run = scan(&project, &["--range", "HEAD~1..HEAD"]).assert_code(1);
    assert!(run.stdout.contains("the message of commit"), "{}", run.stdout);
    scan(&project, &["--range", "nowhere..HEAD"]).assert_code(2);
    scan(&project, &["--range", "--all"]).assert_code(2);
    let run = scan(&project, &["--range", "..HEAD"]).assert_code(2);
    assert!(run.stderr.contains("has no beginning"), "an empty variable finds nothing: {run:?}");
}

#[test]
fn a_range_from_all_zeros_is_what_a_first_push_brings() {
    let project = repository();
    project.write("a.txt", auth(&project));
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Leak"]).assert_code(0);
    git(&project, &["rm", "-q", "a.txt"]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Take it out"]).assert_code(0);
    let head = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let zeros = "0".repeat(40);
    let run = scan(&project, &["--range", &format!("{zeros}..{head}")]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "a.txt", 1)]));
    assert_eq!(report(&run)["looked_at"]["commits"], 3);
    // A branch that was taken away.
    let run = scan(&project, &["--range", &format!("{head}..{zeros}")]).assert_code(0);
    assert_eq!(report(&run)["looked_at"]["commits"], 0);
    scan(&project, &["--range", &format!("{zeros}..nowhere")]).assert_code(2);
}

#[test]
fn a_range_without_commits_is_told_and_is_no_error() {
    let project = repository();
    for text in ["one\n", "two\n"] {
        project.write("readme", text);
        git(&project, &["commit", "-q", "-am", "x"]).assert_code(0);
    }
    let gone = format!("HEAD..{}", "0".repeat(40));
    for (range, why) in [
        (
            "HEAD..HEAD~2",
            "its end comes before its beginning (`A..B` is what B has and A lacks; the other way round: 2)",
        ),
        ("HEAD~1..HEAD~1", "its beginning has all that its end has"),
        ("HEAD..", "its beginning has all that its end has"),
        ("HEAD~1...HEAD~1", "its beginning has all that its end has"),
        (&gone, "it leads to nothing"),
    ] {
        let run = scan(&project, &["--range", range]).assert_code(0);
        let told = format!("the range has no commits, so none was looked at: {why}");
        assert_eq!(report(&run)["warnings"], serde_json::json!([told]), "{range}");
        assert_eq!(run.stderr, format!("vault-kit: warning: {told}\n"), "{range}");
        assert_eq!(report(&run)["looked_at"]["commits"], 0, "{range}");
    }
    let run = scan(&project, &["--range", "HEAD~2.."]).assert_code(0);
    assert_eq!((&report(&run)["warnings"], run.stderr.as_str()), (&serde_json::json!([]), ""));
}

#[test]
fn what_a_shallow_clone_lacks_is_told() {
    let (project, clone) = (repository(), Project::empty());
    for text in ["one\n", "two\n"] {
        project.write("readme", text);
        git(&project, &["commit", "-q", "-am", "x"]).assert_code(0);
    }
    let origin = format!("file://{}", project.root().display());
    let lacking = |depth: &str, range: &[&str]| {
        let _ = std::fs::remove_dir_all(clone.path("c"));
        git(&clone, &["clone", "-q", "--depth", depth, &origin, "c"]).assert_code(0);
        let run = clone.run([&["-C", "c", "scan", "--rules-only", "--json"], range].concat()).assert_code(0);
        report(&run)["not_checked"].clone()
    };
    let told = serde_json::json!([{
        "what": "the commits before those that are here",
        "why": "the clone is shallow: `git fetch --unshallow` brings the rest",
    }]);
    assert_eq!(lacking("2", &["--history"]), told);
    assert_eq!(lacking("2", &["--range", "HEAD"]), told);
    assert_eq!(lacking("2", &["--range", "HEAD~1.."]), serde_json::json!([]), "the range ends before");
    // As deep as there are commits.
    assert_eq!(lacking("3", &["--history"]), serde_json::json!([]));
}

#[test]
fn a_file_that_is_called_like_a_reference_is_one() {
    let project = repository();
    let auth = auth(&project);
    for file in ["refs/a.txt", "(the b.txt"] {
        project.write(file, format!("{file} {auth}"));
    }
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", &format!("Use {auth}")]).assert_code(0);
    git(&project, &["tag", "-a", "-m", &auth, "v1"]).assert_code(0);
    git(&project, &["branch", &format!("b/{auth}")]).assert_code(0);
    let run = scan(&project, &["--range", "HEAD~1..", "--format", "sarif=r.sarif"]).assert_code(1);
    let report = report(&run);
    let within = |it: &serde_json::Value| (it["file"].as_str().unwrap().to_owned(), it["within"].clone());
    let mut told: Vec<_> = report["findings"].as_array().unwrap().iter().map(within).collect();
    told.retain(|it| !it.0.starts_with("(the message of commit "));
    let expected = [
        ("(the b.txt", "file"),
        ("(the message of refs/tags/v1)", "tag"),
        ("refs/a.txt", "file"),
        ("refs/heads/b/…", "reference"),
    ];
    assert_eq!(told, expected.map(|(file, within)| (file.to_owned(), within.into())));
    let message = report["findings"].as_array().unwrap().iter().find(|it| it["within"] == "commit").unwrap();
    assert!(message["file"].as_str().unwrap().starts_with("(the message of commit "), "{message}");
    let run = project.run(["check", "--at", "repo", "--range", "HEAD~1..", "--only", "leaked", "--json"]);
    let report = crate::report(&run.assert_code(1));
    let files = report["findings"].as_array().unwrap().iter().filter_map(|it| it["file"].as_str());
    assert_eq!(files.collect::<Vec<_>>(), ["(the b.txt", "refs/a.txt"]);
    assert!(project.read("r.sarif").contains("refs/a.txt"));
}

#[test]
fn a_merge_is_looked_at_for_what_it_made_itself() {
    let project = repository();
    let auth = auth(&project);
    git(&project, &["checkout", "-q", "-b", "side"]).assert_code(0);
    project.write("readme", "side\n");
    git(&project, &["commit", "-q", "-am", "Side"]).assert_code(0);
    git(&project, &["checkout", "-q", "main"]).assert_code(0);
    project.write("readme", "main\n");
    git(&project, &["commit", "-q", "-am", "Main"]).assert_code(0);
    git(&project, &["merge", "-q", "side"]);
    project.write("readme", format!("main\nside {auth}\n"));
    git(&project, &["add", "readme"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--staged"]).assert_code(1)), set(&[("AUTH", "readme", 2)]));
    git(&project, &["commit", "-q", "-m", "Merge"]).assert_code(0);
    let run = scan(&project, &["--range", "HEAD~1..HEAD"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "readme", 2)]));
}

#[test]
fn a_submodule_is_told_of_and_its_commits_are_not_taken_for_content() {
    let project = repository();
    let other = Project::empty();
    git(&other, &["init", "-q"]).assert_code(0);
    other.write("a", "x");
    git(&other, &["add", "."]).assert_code(0);
    git(&other, &["commit", "-q", "-m", "x"]).assert_code(0);
    git(&project, &["submodule", "--quiet", "add", other.root().to_str().unwrap(), "vendor"]).assert_code(0);
    let run = scan(&project, &["--staged"]).assert_code(0);
    assert!(report(&run)["not_checked"].to_string().contains("vendor"), "{}", run.stdout);
}

#[test]
fn what_git_did_not_say_on_stdin_is_no_push_without_a_leak() {
    let project = repository();
    let run = project.run_with_stdin(["scan", "--range", "-"], b"").assert_code(0);
    assert!(run.stderr.contains("warning: stdin names nothing that is pushed: no commit was looked at"), "{run:?}");
    let none = "0".repeat(40);
    for (line, text) in [
        (1, "junk\n".to_owned()),
        (1, "\n".to_owned()),
        (2, format!("(delete) {none} refs/heads/main {none}\nrefs/heads/main nothex refs/heads/main 000\n")),
    ] {
        for flags in [&["scan", "--range", "-"][..], &["scan", "--rules-only", "--range", "-"]] {
            let run = project.run_with_stdin(flags, text.as_bytes()).assert_code(2);
            let told = format!("line {line} of stdin is none of git's pre-push hook");
            assert!(run.stderr.contains(&told) && !run.stderr.contains("nothex"), "{run:?}");
        }
    }
}

#[test]
fn what_a_push_would_send_is_looked_at() {
    let project = repository();
    let auth = auth(&project);
    let base = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    project.write("a.txt", &auth);
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Leak"]).assert_code(0);
    let head = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let none = "0".repeat(40);
    let push = |line: String| project.run_with_stdin(["scan", "--json", "--range", "-"], line.as_bytes());
    for theirs in [&none, &base, &"1".repeat(40)] {
        let run = push(format!("refs/heads/main {head} refs/heads/main {theirs}\n")).assert_code(1);
        assert_eq!(findings(&run), set(&[("AUTH", "a.txt", 1)]), "{theirs}");
    }
    push(format!("(delete) {none} refs/heads/main {head}\n")).assert_code(0);
    push(format!("refs/heads/main {head} refs/heads/main {head}\n")).assert_code(0);
    push(String::new()).assert_code(0);
}

#[test]
fn names_of_branches_and_tags_and_the_messages_of_tags_are_looked_at() {
    let project = repository();
    let auth = auth(&project);
    git(&project, &["tag", "-a", "-m", &format!("Use {auth}"), "v1"]).assert_code(0);
    git(&project, &["branch", &format!("fix/{auth}")]).assert_code(0);
    let expected = [("AUTH", "(the message of refs/tags/v1)", 1), ("AUTH", "refs/heads/fix/…", 1)];
    for arguments in [&["--history"][..], &["--range", "HEAD"]] {
        let run = scan(&project, arguments).assert_code(1);
        assert_eq!(findings(&run), set(&expected), "{arguments:?}");
        assert!(!run.both().contains(&auth));
        assert!(report(&run)["findings"].to_string().contains("its name has the current value"), "{run:?}");
    }
    // Neither is in a range that does not have the commit that they lead to.
    git(&project, &["commit", "-q", "--allow-empty", "-m", "Clean"]).assert_code(0);
    scan(&project, &["--range", "HEAD~1..HEAD"]).assert_code(0);
    // What is pushed alone: the tag, whose commit may be there already, and a name that the remote gets.
    let none = "0".repeat(40);
    let id = |name: &str| git(&project, &["rev-parse", name]).stdout.trim().to_owned();
    let push = |line: String| project.run_with_stdin(["scan", "--json", "--range", "-"], line.as_bytes());
    git(&project, &["update-ref", "refs/remotes/origin/main", "HEAD"]).assert_code(0);
    push(format!("refs/heads/main {} refs/heads/main {none}\n", id("HEAD"))).assert_code(0);
    let run = push(format!("refs/tags/v1 {} refs/tags/v1 {none}\n", id("v1"))).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "(the message of refs/tags/v1)", 1)]));
    let run = push(format!("refs/heads/main {} refs/heads/{auth} {none}\n", id("HEAD"))).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "refs/heads/…", 1)]));
}

#[test]
fn neither_hooks_nor_filters_nor_monitors_of_the_repository_are_run() {
    let project = repository();
    let mark = project.path("was-run").display().to_string();
    project.write("evil", format!("#!/bin/sh\ntouch '{mark}'\ncat\n"));
    crate::support::set_mode(&project.path("evil"), 0o755);
    let evil = project.path("evil").display().to_string();
    project.write(".gitattributes", "* filter=evil diff=evil\n");
    git(&project, &["add", "evil", ".gitattributes"]).assert_code(0);
    for key in [
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.pager",
    ] {
        git(&project, &["config", key, &evil]).assert_code(0);
    }
    for arguments in [&["--staged"][..], &["--history"], &["--range", "HEAD"], &[]] {
        scan(&project, arguments).assert_code(0);
        assert!(!project.path("was-run").exists(), "{arguments:?}");
    }
}

#[test]
fn without_a_repository_that_is_said() {
    let project = shop();
    assert!(project.run(["scan", "--staged"]).assert_code(2).stderr.contains("no repository"));
}

#[test]
fn an_archive_that_is_too_large_to_be_held_is_told_as_not_looked_into() {
    let project = repository();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut packed, &vec![b'x'; 33 << 20]).unwrap();
    project.write("data.gz", packed.finish().unwrap());
    git(&project, &["add", "data.gz"]).assert_code(0);
    let run = project.run(["scan", "--staged"]).assert_code(0);
    assert!(run.stdout.contains("not checked  data.gz: it is an archive of more than 32 MiB in git"), "{run:?}");
}

/// The commands that a fix has in backticks.
fn commands(run: &Run) -> Vec<String> {
    let report = report(run);
    let fix = report["findings"][0]["fix"].as_str().unwrap();
    fix.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_fix_of_a_delivered_file_that_git_has_takes_it_out_of_git() {
    for is_ignored in [true, false] {
        let project = repository();
        if !is_ignored {
            project.write(".gitignore", "/.vault-kit/");
        }
        let before = project.bytes(".env");
        git(&project, &["add", "-f", ".env"]).assert_code(0);
        for arguments in [&["--staged"][..], &[]] {
            let run = scan(&project, arguments).assert_code(1);
            let commands = commands(&run);
            assert!(!run.stdout.contains("take it out of the file"), "{run:?}");
            assert!(commands.last().unwrap().starts_with("vault-kit incident "), "{commands:?}");
            assert_eq!(commands.len(), if is_ignored { 2 } else { 3 }, "{commands:?}");
            if arguments.is_empty() {
                let mut shell = Command::new("sh");
                shell.args(["-ec", &commands[..commands.len() - 1].join("\n")]).current_dir(project.root());
                Run::of(&mut shell).assert_code(0);
            } else {
                assert_eq!(commands[0], "git rm --cached -- .env");
            }
        }
        assert_eq!(project.bytes(".env"), before);
        scan(&project, &["--staged"]).assert_code(0);
        git(&project, &["add", "."]).assert_code(0);
        assert_eq!(git(&project, &["ls-files", ".env"]).stdout, "");
    }
}
