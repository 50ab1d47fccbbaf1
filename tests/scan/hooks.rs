//! Git's hooks in real git: beside other hooks, in other places, with what git gives them.

use std::path::Path;
use std::process::Command;

use crate::git::{git, repository};
use crate::support::{Project, Run, set_mode};
use crate::{findings, scan, set, shop};

/// The hooks that are installed.
const HOOKS: [&str; 4] = ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"];

/// Git as a person runs it, with vault-kit on the PATH.
pub(crate) fn person(project: &Project, arguments: &[&str]) -> Run {
    Run::of(&mut person_in(project, project.root(), arguments))
}

pub(crate) fn person_in(project: &Project, directory: &Path, arguments: &[&str]) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_vault-kit")).parent().unwrap().display().to_string();
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
    command.current_dir(directory).env_clear().env("HOME", project.home()).env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("PATH", format!("{program}:{}", crate::support::search_path()));
    command
}

pub(crate) fn install(project: &Project) -> Run {
    project.run(["hooks", "install"]).assert_code(0)
}

pub(crate) fn auth(project: &Project) -> String {
    String::from_utf8(project.get("AUTH")).unwrap()
}

#[test]
fn a_commit_with_a_value_is_stopped_and_one_that_went_past_is_not_pushed() {
    let project = repository();
    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    git(&project, &["remote", "add", "origin", remote.root().to_str().unwrap()]).assert_code(0);
    project.run(["hooks", "status"]).assert_code(1);
    install(&project);
    project.run(["hooks", "status"]).assert_code(0);
    person(&project, &["push", "-q", "origin", "main"]).assert_code(0);
    let auth = auth(&project);

    project.write("readme", "a better shop\n");
    project.write("leak.txt", format!("key={auth}\n"));
    // Of `commit PATH` and `commit -a` the index is a temporary one.
    person(&project, &["commit", "-q", "-m", "Clean", "readme"]).assert_code(0);
    git(&project, &["add", "leak.txt"]).assert_code(0);
    let run = person(&project, &["commit", "-q", "-m", "Leak"]);
    assert!(run.code != 0 && run.stdout.contains("leak.txt:1") || run.stderr.contains("leak.txt:1"), "{run:?}");
    assert!(!run.both().contains(&auth));
    project.write("readme", &auth);
    git(&project, &["rm", "-q", "--cached", "leak.txt"]).assert_code(0);
    assert_ne!(person(&project, &["commit", "-q", "-am", "Leak"]).code, 0);
    assert_ne!(person(&project, &["commit", "-q", "-m", "Leak", "readme"]).code, 0);

    person(&project, &["commit", "-q", "--no-verify", "-am", "Leak"]).assert_code(0);
    assert_ne!(person(&project, &["push", "-q", "origin", "main"]).code, 0);
    assert_ne!(person(&project, &["push", "-q", "origin", "main:other"]).code, 0);
    // What nobody stopped is seen where it arrives.
    git(&project, &["push", "-q", "--no-verify", "origin", "main"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--range", "HEAD~1.."]).assert_code(1)), set(&[("AUTH", "readme", 1)]));
    person(&project, &["push", "-q", "origin", ":main"]);
}

#[test]
fn a_hook_that_is_there_is_kept_runs_first_and_comes_back() {
    let project = repository();
    let hook = "#!/bin/sh\necho \"first $# $1 $(cat)\" >> calls\ntest ! -e stop\n";
    for name in HOOKS {
        project.write(&format!(".git/hooks/{name}"), hook);
        set_mode(&project.path(&format!(".git/hooks/{name}")), 0o755);
    }
    install(&project);
    let once = project.snapshot();
    install(&project);
    assert_eq!(project.snapshot(), once, "a second run touches nothing");
    for name in HOOKS {
        assert_eq!(project.mode(&format!(".git/hooks/{name}")), 0o755);
        assert_eq!(project.read(&format!(".git/hooks/{name}.before-vault-kit")), hook);
    }

    person(&project, &["commit", "-q", "--allow-empty", "-m", "One"]).assert_code(0);
    assert_eq!(project.read("calls"), "first 0  \nfirst 1 .git/COMMIT_EDITMSG \n");
    project.write("stop", "");
    assert_ne!(person(&project, &["commit", "-q", "--allow-empty", "-m", "Two"]).code, 0);
    std::fs::remove_file(project.path("stop")).unwrap();
    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    person(&project, &["push", "-q", remote.root().to_str().unwrap(), "main"]).assert_code(0);
    let calls = project.read("calls");
    assert!(calls.lines().last().unwrap().contains("refs/heads/main"), "it is given the refs too: {calls}");

    for _ in 0..2 {
        project.run(["hooks", "remove"]).assert_code(0);
        for name in HOOKS {
            assert_eq!(project.read(&format!(".git/hooks/{name}")), hook);
            assert!(!project.path(&format!(".git/hooks/{name}.before-vault-kit")).exists());
        }
    }
}

#[test]
fn nothing_is_written_by_a_dry_run_or_beside_two_hooks_that_are_not_ours() {
    let project = repository();
    let before = project.contents();
    project.run(["hooks", "install", "--dry-run"]).assert_code(0);
    project.run(["hooks", "remove"]).assert_code(0);
    assert_eq!(project.contents(), before);
    project.write(".git/hooks/pre-commit", "#!/bin/sh\n");
    project.write(".git/hooks/pre-commit.before-vault-kit", "#!/bin/sh\n# of before\n");
    let before = project.contents();
    project.run(["hooks", "install"]).assert_code(7);
    assert_eq!(project.contents(), before);
    // Nor when it is one of the later ones.
    for file in ["pre-commit", "pre-commit.before-vault-kit"] {
        let later = file.replace("pre-commit", "commit-msg");
        std::fs::rename(project.path(&format!(".git/hooks/{file}")), project.path(&format!(".git/hooks/{later}")))
            .unwrap();
    }
    let before = project.contents();
    project.run(["hooks", "install"]).assert_code(7);
    assert_eq!(project.contents(), before);
}

#[test]
fn hooks_are_written_where_git_is_configured_to_look() {
    let project = repository();
    git(&project, &["config", "core.hooksPath", "tools/hooks"]).assert_code(0);
    install(&project);
    assert!(project.path("tools/hooks/pre-commit").exists() && !project.path(".git/hooks/pre-commit").exists());
    project.write("leak.txt", auth(&project));
    git(&project, &["add", "leak.txt"]).assert_code(0);
    assert_ne!(person(&project, &["commit", "-q", "-m", "Leak"]).code, 0);

    // As husky sets it up: what git calls is written anew at each install, and calls a file that is committed.
    let husky = repository();
    git(&husky, &["config", "core.hooksPath", ".husky/_"]).assert_code(0);
    husky.write(".husky/_/pre-commit", "#!/bin/sh\nexec sh -e \"$(dirname \"$0\")/../pre-commit\" \"$@\"\n");
    set_mode(&husky.path(".husky/_/pre-commit"), 0o755);
    husky.write(".husky/pre-commit", "echo lint >> lint\n");
    install(&husky);
    assert!(!husky.read(".husky/_/pre-commit").contains("vault-kit"));
    person(&husky, &["commit", "-q", "--allow-empty", "-m", "One"]).assert_code(0);
    assert_eq!(husky.read("lint"), "lint\n");
    husky.write("leak.txt", auth(&husky));
    git(&husky, &["add", "leak.txt"]).assert_code(0);
    assert_ne!(person(&husky, &["commit", "-q", "-m", "Leak"]).code, 0);

    // A directory of all repositories of a user is not written to unasked.
    let shared = Project::empty();
    let other = repository();
    git(&other, &["config", "core.hooksPath", shared.root().to_str().unwrap()]).assert_code(0);
    other.run(["hooks", "install", "--non-interactive"]).assert_code(2);
    assert_eq!(shared.snapshot().len(), 0);
}

#[test]
fn a_hook_that_git_passes_by_is_not_called_installed() {
    let project = repository();
    install(&project);
    set_mode(&project.path(".git/hooks/pre-push"), 0o644);
    let run = project.run(["hooks", "status"]).assert_code(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[3].contains("pre-push  not executable, so that git passes it by: `vault-kit hooks install`"),
        "{run:?}"
    );
    assert!(lines[..3].iter().all(|line| line.ends_with("  installed")), "{run:?}");
    let run = project.run(["hooks", "status", "--json"]).assert_code(1);
    assert!(run.stdout.contains("\"state\": \"disabled\""), "{run:?}");

    let run = project.run(["hooks", "install", "-n"]).assert_code(0);
    assert!(run.both().contains("would write ") && project.mode(".git/hooks/pre-push") == 0o644, "{run:?}");
    install(&project);
    assert_eq!(project.mode(".git/hooks/pre-push"), 0o755);
    project.run(["hooks", "status"]).assert_code(0);

    // Husky hands what is there to a shell.
    let husky = repository();
    git(&husky, &["config", "core.hooksPath", ".husky/_"]).assert_code(0);
    install(&husky);
    set_mode(&husky.path(".husky/pre-commit"), 0o644);
    husky.run(["hooks", "status"]).assert_code(0);
}

#[test]
fn a_project_below_the_top_and_another_work_tree_are_looked_after_too() {
    let project = shop();
    let top = Project::empty();
    git(&top, &["init", "-q", "-b", "main"]).assert_code(0);
    let sub = top.path("services/shop");
    std::fs::create_dir_all(&sub).unwrap();
    let copied =
        Command::new("cp").args(["-a", &format!("{}/.", project.root().display())]).arg(&sub).status().unwrap();
    assert!(copied.success());
    let home = project.home();
    let run = |arguments: &[&str], directory: &Path| {
        let mut command = project.command(arguments);
        Run::of(command.current_dir(directory).env("HOME", home))
    };
    run(&["hooks", "install"], &sub).assert_code(0);
    assert!(top.read(".git/hooks/pre-commit").ends_with("project services/shop\n"));
    // A leak beside the project is one too.
    top.write("elsewhere.txt", auth(&project));
    git(&top, &["add", "elsewhere.txt"]).assert_code(0);
    let commit = |directory: &Path| Run::of(&mut person_in(&project, directory, &["commit", "-q", "-m", "x"]));
    let stopped = commit(top.root());
    assert!(stopped.code != 0 && stopped.both().contains("../../elsewhere.txt:1"), "{stopped:?}");
    // From wherever it is committed.
    assert_ne!(commit(&sub).code, 0);
    git(&top, &["rm", "-q", "--cached", "elsewhere.txt"]).assert_code(0);
    git(&top, &["add", "services/shop/vault-kit.toml", "services/shop/.gitignore"]).assert_code(0);
    commit(top.root()).assert_code(0);

    let tree = Project::empty();
    let other = tree.path("other");
    git(&top, &["worktree", "add", "-q", other.to_str().unwrap()]).assert_code(0);
    std::fs::write(other.join("services/shop/prod.txt"), "clean").unwrap();
    Run::of(person_in(&project, &other, &["add", "."]).stdin(std::process::Stdio::null())).assert_code(0);
    // The store is in the first work tree, and known there: also what no list of fingerprints can tell.
    let add = |file: &str| Run::of(&mut person_in(&project, &other, &["add", file])).assert_code(0);
    let commit = |message: &str| Run::of(&mut person_in(&project, &other, &["commit", "-q", "-m", message]));
    commit("y").assert_code(0);
    for value in [project.get("AUTH"), crate::STRIPE.into()] {
        std::fs::write(other.join("services/shop/leak.txt"), value).unwrap();
        add("services/shop/leak.txt");
        let stopped = commit("z");
        assert!(stopped.code != 0 && stopped.both().contains("leak.txt:1"), "{stopped:?}");
    }
    Run::of(&mut person_in(&project, &other, &["rm", "-q", "-f", "services/shop/leak.txt"])).assert_code(0);
    // Where the main one has none either, nothing is known.
    std::fs::rename(sub.join(".vault-kit"), top.path("away")).unwrap();
    let stopped = commit("z");
    assert!(stopped.code != 0 && stopped.stderr.contains("none of the declared values is known here"), "{stopped:?}");
}

#[test]
fn a_commit_is_judged_by_what_it_has_also_where_the_manifest_is_gone_from_the_work_tree() {
    let project = repository();
    install(&project);
    let auth = auth(&project);
    let commit = |arguments: &[&str]| person(&project, &[&["commit", "-q", "-m", "x"], arguments].concat());
    std::fs::remove_file(project.path("vault-kit.toml")).unwrap();
    project.write("leak.txt", &auth);
    git(&project, &["add", "leak.txt"]).assert_code(0);
    assert!(commit(&[]).both().contains("leak.txt:1"));
    git(&project, &["rm", "-q", "--cached", "leak.txt"]).assert_code(0);
    project.write("readme", "a better shop\n");
    // Of `commit PATH` the index is a temporary one, and it has the manifest too.
    commit(&["readme"]).assert_code(0);
    // A commit that takes the manifest away takes the guard away.
    assert!(commit(&["-a"]).both().contains("would take `vault-kit.toml` away"));
    person(&project, &["commit", "-q", "--no-verify", "-am", "x"]).assert_code(0);
    // What has no project, such as a branch of before, is committed as ever.
    let run = commit(&["--allow-empty"]).assert_code(0);
    assert!(run.stderr.contains("its secrets were not looked for"), "{run:?}");
}

/// What others have, and the first and the last of ours.
const THEIRS: &str = "#!/bin/sh\necho theirs >> calls\n";

fn write_hook(project: &Project, name: &str, text: &str, mode: u32) {
    let file = format!(".git/hooks/{name}");
    project.write(&file, text);
    set_mode(&project.path(&file), mode);
}

/// The names of what is among the hooks, but for git's samples.
fn hook_files(project: &Project) -> Vec<String> {
    let names = std::fs::read_dir(project.path(".git/hooks")).unwrap();
    let mut names: Vec<String> = names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|it| !it.ends_with(".sample"));
    names.sort_unstable();
    names
}

#[test]
fn whoever_was_killed_at_any_step_is_completed_by_the_same_command() {
    let test = "hooks::whoever_was_killed_at_any_step_is_completed_by_the_same_command";
    let Some(strace) = crate::support::program("strace") else { return crate::support::skip(test, "no strace") };
    let strace = strace.to_str().unwrap();
    let project = repository();
    // As it was before anything was killed.
    let prepare = |verb: &str| {
        std::fs::remove_dir_all(project.path(".git/hooks")).unwrap();
        write_hook(&project, "pre-commit", THEIRS, 0o755);
        if verb == "remove" {
            install(&project);
        }
    };
    prepare("remove");
    let installed = hook_files(&project);
    for verb in ["install", "remove"] {
        // Who is killed elsewhere leaves what one who is killed at the next of these leaves.
        for call in ["write", "fsync", "renameat", "renameat2", "unlinkat"] {
            for index in 1.. {
                prepare(verb);
                let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={index}"));
                let wrapper = [strace, "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
                let code = Run::of(&mut project.command_under(wrapper, ["hooks", verb])).code;
                if code == 0 {
                    break;
                }
                assert_eq!(code, 137, "{verb} {call} {index}");
                for file in hook_files(&project).iter().filter(|it| it.starts_with(".vault-kit-tmp.")) {
                    let long_ago = std::time::SystemTime::UNIX_EPOCH;
                    let file = std::fs::File::options().write(true).open(project.path(&format!(".git/hooks/{file}")));
                    file.unwrap().set_modified(long_ago).unwrap();
                }
                project.run(["hooks", verb]).assert_code(0);
                let (files, hook) = (hook_files(&project), project.read(".git/hooks/pre-commit"));
                if verb == "install" {
                    assert_eq!(files, installed, "{verb} {call} {index}");
                    assert_eq!(project.read(".git/hooks/pre-commit.before-vault-kit"), THEIRS);
                } else {
                    assert_eq!((&files[..], &*hook), (&["pre-commit".to_owned()][..], THEIRS), "{verb} {call} {index}");
                }
            }
        }
    }
}

#[test]
fn a_symlink_among_the_hooks_keeps_the_others_from_nobody() {
    let project = repository();
    install(&project);
    std::fs::rename(project.path(".git/hooks/pre-commit"), project.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../../elsewhere", project.path(".git/hooks/pre-commit")).unwrap();
    let run = project.run(["hooks", "remove"]).assert_code(6);
    assert!(run.stderr.contains(".git/hooks/pre-push\n") && run.stderr.contains("pre-commit"), "{run:?}");
    assert_eq!(hook_files(&project), ["pre-commit"]);
}

#[test]
fn what_somebody_wrote_into_ours_is_kept_and_told() {
    for verb in ["install", "remove"] {
        let project = repository();
        install(&project);
        let edited = project.read(".git/hooks/pre-commit") + "npm test\n";
        write_hook(&project, "pre-commit", &edited, 0o755);
        let run = project.run(["hooks", verb]).assert_code(0);
        let kept: Vec<String> = hook_files(&project).into_iter().filter(|it| it.contains(".replaced-")).collect();
        let [kept] = &kept[..] else { panic!("{kept:?} {run:?}") };
        assert_eq!(project.read(&format!(".git/hooks/{kept}")), edited);
        assert!(run.stderr.contains(&format!("is kept as {kept}\n")), "{run:?}");
        project.run(["hooks", verb]).assert_code(0);
        assert_eq!(hook_files(&project).len(), if verb == "install" { 5 } else { 1 });
    }
}

#[test]
fn ours_with_a_line_of_somebody_above_its_mark_is_ours() {
    for verb in ["install", "remove"] {
        let project = repository();
        write_hook(&project, "pre-commit", THEIRS, 0o755);
        install(&project);
        let edited = project.read(".git/hooks/pre-commit").replacen('\n', "\nset -x\n", 1);
        write_hook(&project, "pre-commit", &edited, 0o755);
        let run = project.run(["hooks", "status"]).assert_code(1);
        let told = "/pre-commit  of another version, or edited: `vault-kit hooks install` writes it anew, and keeps what is there";
        assert!(run.stdout.lines().next().unwrap().contains(told) && run.stderr.is_empty(), "{run:?}");
        let run = project.run(["hooks", verb]).assert_code(0);
        let kept: Vec<String> = hook_files(&project).into_iter().filter(|it| it.contains(".replaced-")).collect();
        let [kept] = &kept[..] else { panic!("{kept:?} {run:?}") };
        assert_eq!(project.read(&format!(".git/hooks/{kept}")), edited);
        assert!(run.stderr.contains(&format!("is kept as {kept}\n")) && run.stdout.is_empty(), "{run:?}");
        let theirs = if verb == "install" { "pre-commit.before-vault-kit" } else { "pre-commit" };
        assert_eq!(project.read(&format!(".git/hooks/{theirs}")), THEIRS);
        assert_eq!(project.run(["hooks", "status"]).code, i32::from(verb == "remove"));
    }
}

#[test]
fn what_was_there_before_is_not_stranded_where_ours_is_gone() {
    let project = repository();
    write_hook(&project, "pre-commit", THEIRS, 0o755);
    write_hook(&project, "pre-push", THEIRS, 0o755);
    install(&project);
    std::fs::remove_file(project.path(".git/hooks/pre-commit")).unwrap();
    write_hook(&project, "pre-push", "#!/bin/sh\n", 0o755);
    let run = project.run(["hooks", "remove", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would put back ") && !project.path(".git/hooks/pre-commit").exists(), "{run:?}");
    let run = project.run(["hooks", "remove"]).assert_code(0);
    assert!(run.stdout.is_empty() && run.stderr.contains("/pre-commit: ours was gone"), "{run:?}");
    assert!(run.stderr.contains("is not ours, and the hook that was there before ours is still "), "{run:?}");
    assert_eq!(hook_files(&project), ["pre-commit", "pre-push", "pre-push.before-vault-kit"]);
    assert_eq!(
        (project.read(".git/hooks/pre-commit"), project.mode(".git/hooks/pre-commit")),
        (THEIRS.to_owned(), 0o755)
    );
}

#[test]
fn a_hook_that_was_disabled_stays_so() {
    let project = repository();
    write_hook(&project, "pre-commit", THEIRS, 0o644);
    write_hook(&project, "pre-push", THEIRS, 0o644);
    let run = install(&project);
    assert!(run.stderr.contains("kept as pre-commit.before-vault-kit, and stays disabled"), "{run:?}");
    person(&project, &["commit", "-q", "--allow-empty", "-m", "One"]).assert_code(0);
    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    person(&project, &["push", "-q", remote.root().to_str().unwrap(), "main"]).assert_code(0);
    assert!(!project.path("calls").exists());
    project.run(["hooks", "remove"]).assert_code(0);
    assert_eq!((project.mode(".git/hooks/pre-commit"), hook_files(&project).len()), (0o644, 2));
}

#[test]
fn of_a_hook_for_two_projects_one_is_taken_out() {
    let project = repository();
    install(&project);
    let hook = project.read(".git/hooks/pre-commit") + "project other\n";
    write_hook(&project, "pre-commit", &hook, 0o755);
    let told = project.run(["hooks", "remove", "-n"]).assert_code(0).stderr;
    assert!(told.contains("would remove this project from ") && told.contains("which stays for others\n"), "{told}");
    assert_eq!(project.run(["hooks", "remove"]).assert_code(0).stderr, told.replace("would remove", "removed"));
    assert_eq!(hook_files(&project), ["pre-commit"]);
}

#[test]
fn what_others_made_of_ours_is_told() {
    let state = |project: &Project, code: i32| {
        let run = project.run(["hooks", "status", "--json"]).assert_code(code);
        let hooks = crate::report(&run)["hooks"][0].clone();
        let text = |key: &str| hooks[key].as_str().unwrap().to_owned();
        (text("file").rsplit('/').next().unwrap().to_owned(), text("state"))
    };
    for (name, expected, code) in [("legacy", "installed", 0), ("old", "aside", 1)] {
        let project = repository();
        install(&project);
        let hooks = project.path(".git/hooks");
        std::fs::rename(hooks.join("pre-commit"), hooks.join(format!("pre-commit.{name}"))).unwrap();
        write_hook(&project, "pre-commit", THEIRS, 0o755);
        assert_eq!(state(&project, code), (format!("pre-commit.{name}"), expected.to_owned()));
        // Who is called already is not put before himself.
        install(&project);
        assert_eq!(project.read(".git/hooks/pre-commit") == THEIRS, name == "legacy");
        project.run(["hooks", "status"]).assert_code(0);
        project.run(["hooks", "remove"]).assert_code(0);
        assert_eq!(
            (hook_files(&project), project.read(".git/hooks/pre-commit")),
            (vec!["pre-commit".to_owned()], THEIRS.to_owned())
        );
    }
}

#[test]
fn hooks_of_projects_further_down_are_named_where_somebody_removes_them_at_the_top() {
    let project = Project::empty();
    git(&project, &["init", "-q", "-b", "main"]).assert_code(0);
    for name in ["api", "web shop"] {
        project.write(&format!("{name}/vault-kit.toml"), "project.name = \"p\"\n");
        project.run(["-C", name, "hooks", "install"]).assert_code(0);
    }
    for arguments in [&["hooks", "remove"][..], &["hooks", "remove", "--dry-run"]] {
        let run = project.run(arguments).assert_code(2);
        assert!(run.stderr.contains("the hooks are those of projects elsewhere in this work tree"), "{run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
    // What is proposed does it, one after the other.
    let run = project.run(["hooks", "remove"]).assert_code(2);
    let hints: Vec<String> = run
        .stderr
        .lines()
        .filter_map(|it| it.strip_prefix("vault-kit: hint: `")?.strip_suffix('`'))
        .map(str::to_owned)
        .collect();
    assert_eq!(hints.len(), 2, "{run:?}");
    let own = Path::new(env!("CARGO_BIN_EXE_vault-kit")).parent().unwrap().display();
    for hint in hints {
        let mut command = project.command_under(["sh", "-c", &hint], [""; 0]);
        command.current_dir("/").env("PATH", format!("{own}:{}", crate::support::search_path()));
        Run::of(&mut command).assert_code(0);
    }
    assert!(!project.path(".git/hooks/pre-commit").exists());
    project.run(["hooks", "remove"]).assert_code(0);
}
