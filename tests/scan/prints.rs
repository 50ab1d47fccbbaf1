//! A search without the identity, by the fingerprints that are committed.

use std::collections::BTreeSet;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};

use crate::git::{git, repository};
use crate::hooks::person;
use crate::support::Project;
use crate::{SHOP, findings, report, scan, set};

const PRINTS: &str = r#"
[secrets.KEY64]
kind = "random"
encoding = "base64"

[secrets.KEY16]
kind = "random"
encoding = "hex"

[secrets.TOKEN]
kind = "token"
signed_by = "AUTH"
role = "service"

[outputs.prints]
format = "fingerprints"
path = "prints.json"
"#;

/// A project, and a clone of it that has neither store nor identity.
fn project_and_clone() -> (Project, Project) {
    let project = Project::with_manifest(
        &format!("{SHOP}{PRINTS}").replace("kind = \"external\"", "kind = \"external\"\noptional = true"),
    );
    project.run(["init"]).assert_code(0);
    let clone = Project::empty();
    for file in ["vault-kit.toml", "prints.json"] {
        clone.write(file, project.bytes(file));
    }
    (project, clone)
}

#[test]
fn a_clone_without_the_identity_finds_generated_values_by_their_fingerprints() {
    let (project, clone) = project_and_clone();
    let mut expected = BTreeSet::new();
    let mut wrapped = 0;
    for secret in ["AUTH", "KEY64", "KEY16", "TOKEN", "DB_PASSWORD"] {
        let value = String::from_utf8(project.get(secret)).unwrap();
        let mut plant = |file: &str, text: String| {
            let file = format!("src/{secret}.{file}");
            clone.write(&file, format!("one\n{text}\nthree\n"));
            expected.insert((secret.to_owned(), file, 2));
        };
        plant("env", format!("KEY={value}"));
        plant("json", format!("  \"key\": \"{value}\","));
        plant("log", format!("GET /?x=1 token: {value} 200"));
        plant("base64", format!("key: {}", BASE64.encode(value.as_bytes())));
        plant("base64url", format!("?key={}&x=1", BASE64URL_NOPAD.encode(value.as_bytes())));
        plant("hex", format!("0x {}", HEXLOWER.encode(value.as_bytes())));
        // As `echo` writes it.
        for (name, end) in [("unix", "\n"), ("windows", "\r\n")] {
            let line = format!("{value}{end}");
            plant(&format!("base64 {name}"), BASE64.encode(line.as_bytes()));
            plant(&format!("base64url {name}"), BASE64URL_NOPAD.encode(line.as_bytes()));
            plant(&format!("hex {name}"), HEXLOWER.encode(line.as_bytes()));
        }
        // As `base64`, `openssl base64`, PGP, YAML and people break what is longer.
        for (width, end) in [
            (76, "\n"),
            (64, "\n"),
            (76, "\r\n"),
            (64, "\n    "),
            (60, "\n"),
            (57, "\n  "),
            (40, "\r\n"),
            (20, "\n"),
            (16, "\n"),
        ] {
            let text = BASE64.encode(value.as_bytes());
            let lines: Vec<&str> = text.as_bytes().chunks(width).map(|it| std::str::from_utf8(it).unwrap()).collect();
            if lines.len() > 1 {
                plant(&format!("wrapped {width} {}", end.len()), lines.join(end));
                wrapped += 1;
            }
        }
        if secret != "DB_PASSWORD" {
            plant("url", format!("https://user:{value}@host/path"));
        }
    }
    assert!(wrapped >= 28);
    // Lines that are as long, and no value.
    clone.write("src/sums", format!("{}\n", "0123456789abcdef".repeat(4)).repeat(100));
    let run = scan(&clone, &["src"]).assert_code(1);
    assert_eq!(findings(&run), expected);
    let unseen = report(&run)["not_checked"].to_string();
    assert!(unseen.contains("the values of dev that have no public fingerprint"), "{unseen}");
}

#[test]
fn the_fingerprints_hold_no_value_follow_each_change_and_may_be_committed() {
    let (project, _) = project_and_clone();
    let text = project.read("prints.json");
    for secret in ["AUTH", "KEY64", "KEY16", "TOKEN", "DB_PASSWORD"] {
        let value = String::from_utf8(project.get(secret)).unwrap();
        assert!(!text.contains(&value) && text.contains(&format!("\"secret\": \"{secret}\"")), "{secret}");
    }
    // What can be guessed has no public hash.
    assert!(!text.contains("DB_URL") && !text.contains("SIGNING"));
    assert_eq!(project.mode("prints.json"), 0o644);
    git(&project, &["init", "-q"]).assert_code(0);
    git(&project, &["add", "."]).assert_code(0);
    assert!(git(&project, &["ls-files"]).stdout.contains("prints.json"));
    project.run(["check", "--at", "repo", "--at", "host"]).assert_code(0);
    project.run(["generate", "--replace", "KEY16", "--yes"]).assert_code(0);
    let after = project.read("prints.json");
    assert_eq!(after.matches("\"KEY16\"").count(), 2);
    assert!(after.contains("\"past\""));
}

#[test]
fn a_value_that_leaked_and_is_gone_from_the_store_is_still_found() {
    let (project, _) = project_and_clone();
    let old = project.get("AUTH");
    project.run(["incident", "AUTH", "--yes"]).assert_code(0);
    for _ in 0..6 {
        project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    }
    project.write("old.txt", [b"key = ", &old[..], b"\n"].concat());
    let run = scan(&project, &["old.txt"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "old.txt", 1)]));
    assert!(run.stdout.contains("\"banned\""), "{}", run.stdout);
}

#[test]
fn a_value_that_was_purged_is_found_by_the_store_and_by_the_list() {
    let (project, clone) = project_and_clone();
    let secrets = ["AUTH", "KEY64", "TOKEN"];
    let old: Vec<String> = secrets.iter().map(|it| String::from_utf8(project.get(it)).unwrap()).collect();
    for _ in 0..7 {
        project.run(["generate", "--replace", "AUTH", "KEY64", "--yes"]).assert_code(0);
    }
    clone.write("prints.json", project.bytes("prints.json"));
    for searched in [&project, &clone] {
        searched.write("old.txt", old.join("\n"));
        let run = scan(searched, &["old.txt"]).assert_code(1);
        assert_eq!(findings(&run), set(&[("AUTH", "old.txt", 1), ("KEY64", "old.txt", 2), ("TOKEN", "old.txt", 3)]));
        assert_eq!(run.stdout.matches("\"past\"").count(), 3, "{}", run.stdout);
        let unseen = report(&run)["not_checked"].to_string();
        assert!(secrets.iter().all(|it| !unseen.contains(it)), "{unseen}");
    }
    let list = project.read("prints.json");
    assert!(old.iter().all(|it| !list.contains(it.as_str())));
}

#[test]
fn what_leaked_and_is_in_no_version_any_more_is_found_whatever_its_length() {
    let (project, _) = project_and_clone();
    let leaked = String::from_utf8(project.get("DB_PASSWORD")).unwrap();
    assert!(![43, 44, 64].contains(&leaked.len()), "another length than those of random values");
    project.run(["incident", "DB_PASSWORD", "--yes"]).assert_code(0);
    // As a candidate that its owner was told to refuse.
    project.edit_store(|store| {
        let versions = store.secrets.iter_mut().find(|(name, _)| name.as_str() == "DB_PASSWORD").unwrap().1;
        versions.retain(|version| version.stage == vault_kit::store::Stage::Current);
    });
    project.write("notes.txt", format!("k = '{leaked}'"));
    let run = scan(&project, &["notes.txt"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("DB_PASSWORD", "notes.txt", 1)]));
    assert!(run.stdout.contains("\"banned\""), "{run:?}");
}

#[test]
fn a_purged_value_that_could_be_guessed_is_told_as_not_looked_for() {
    let (project, _) = project_and_clone();
    for round in 0..7 {
        let value = format!("{}{round}", crate::STRIPE);
        project.run_with_stdin(["set", "STRIPE", "--yes"], value.as_bytes()).assert_code(0);
    }
    project.write("old.txt", format!("{}0", crate::STRIPE));
    let run = scan(&project, &["old.txt"]).assert_code(0);
    let unseen = report(&run)["not_checked"].to_string();
    let why = "older versions were purged, and have no public fingerprint to be found by";
    assert!(unseen.contains(why) && unseen.contains("STRIPE (dev)"), "{unseen}");
    assert!(!project.read("prints.json").contains("STRIPE"));
}

#[test]
fn what_is_no_list_of_fingerprints_is_refused_and_never_taken_for_an_empty_one() {
    let (project, clone) = project_and_clone();
    let whole = project.read("prints.json");
    let lines: Vec<&str> = whole.lines().collect();
    let half = lines[..lines.len() / 2].join("\n");
    let one_less = whole.replacen("\"count\": 5", "\"count\": 6", 1);
    let other = whole.replacen("\"state\": \"current\"", "\"state\": \"lost\"", 1);
    let bad = whole.replacen("\"fingerprint\": \"", "\"fingerprint\": \"x", 1);
    let line = 1 + lines.iter().position(|line| line.contains("fingerprint\": \"")).unwrap();
    for (text, told) in [
        (String::new(), "`prints.json` is empty".to_owned()),
        (half, format!("`prints.json:{}` breaks off", lines.len() / 2)),
        ("{\n\"a\": x}".into(), "`prints.json:2` is not JSON".into()),
        (other, "is no list of fingerprints".into()),
        (bad, format!("`prints.json:{line}` has a fingerprint that is not 32 lower-case hex digits")),
        (one_less, "does not have as many fingerprints as it says".into()),
        ("{\"vault_kit_fingerprints\": 1, \"values\": []}".into(), "`prints.json:1` is no list".into()),
    ] {
        assert_ne!(text, whole);
        for project in [&clone, &project] {
            project.write("prints.json", &text);
            let run = project.run(["scan"]).assert_code(3);
            assert!(run.stderr.contains(&told), "{told}: {run:?}");
        }
    }
}

#[test]
fn one_list_for_several_environments_is_warned_of_and_never_taken_for_that_of_another() {
    let project = Project::with_manifest(
        "[project]\nname = \"p\"\n[environments.dev]\n[environments.prod]\n[secrets.A]\nkind = \"random\"\n\
         [outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n",
    );
    let run = project.run(["init"]).assert_code(0);
    let warning = "`outputs.prints` is one list for 2 environments, and has the fingerprints of one alone";
    assert!(run.stderr.contains(warning) && run.stderr.contains("`environments = [\"NAME\"]`"), "{run:?}");
    let dev = String::from_utf8(project.get("A")).unwrap();
    let run = project.run(["-e", "prod", "init", "--yes"]).assert_code(7);
    assert!(run.stderr.contains("`prints.json` has the fingerprints of environment `dev`"), "{run:?}");
    project.write("leak.txt", format!("{dev}\n"));
    git(&project, &["init", "-q"]).assert_code(0);
    git(&project, &["add", "vault-kit.toml", "prints.json"]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "x"]).assert_code(0);
    let clone = Project::empty();
    git(&clone, &["clone", "-q", project.root().to_str().unwrap(), "."]).assert_code(0);
    clone.write("leak.txt", format!("{dev}\n"));
    let run = scan(&clone, &[]).assert_code(1);
    assert_eq!(findings(&run), set(&[("A", "leak.txt", 1)]));
    let why = "there is no identity to open its store with, and `prints.json` is the list of dev";
    assert!(run.stdout.contains(why), "{run:?}");
    let run = clone.run(["-e", "prod", "scan"]).assert_code(4);
    assert!(run.stderr.contains(why), "{run:?}");
}

#[test]
fn a_list_that_was_emptied_or_is_gone_is_not_one_of_a_project_without_secrets() {
    let (project, clone) = project_and_clone();
    let empty = "{\"vault_kit_fingerprints\": 1, \"project\": \"shop\", \"environment\": \"dev\", \"values\": []}";
    let told = |project: &Project| project.run(["scan"]).assert_code(3).stderr;
    for project in [&project, &clone] {
        project.write("prints.json", empty);
        assert!(told(project).contains("`prints.json` has no fingerprint of `AUTH`"));
    }
    // Without the identity the ledger knows what should be there.
    project.run(["render"]).assert_code(0);
    let document: serde_json::Value = serde_json::from_slice(&project.bytes("prints.json")).unwrap();
    let mut lacking = document.clone();
    lacking["values"].as_array_mut().unwrap().retain(|it| it["secret"] != "TOKEN");
    lacking["count"] = 4.into();
    project.write("prints.json", lacking.to_string());
    assert!(told(&project).contains("`prints.json` has no fingerprint of `TOKEN`"));
    std::fs::remove_file(project.identity()).unwrap();
    assert!(told(&project).contains("`prints.json` has no fingerprint of `TOKEN`"));
    project.write("prints.json", document.to_string());
    project.run(["scan"]).assert_code(0);
    // It was committed, and is gone.
    git(&clone, &["init", "-q"]).assert_code(0);
    clone.write("prints.json", document.to_string());
    git(&clone, &["add", "."]).assert_code(0);
    git(&clone, &["commit", "-q", "-m", "x"]).assert_code(0);
    clone.run(["scan"]).assert_code(0);
    std::fs::remove_file(clone.path("prints.json")).unwrap();
    clone.run(["scan", "--staged"]).assert_code(0);
    let run = clone.run(["scan"]).assert_code(3);
    assert!(run.stderr.contains("`prints.json`, the fingerprints of dev, is not there"), "{run:?}");
    git(&clone, &["rm", "-q", "--cached", "prints.json"]).assert_code(0);
    clone.run(["scan", "--staged"]).assert_code(3);
}

#[test]
fn where_no_value_is_known_nothing_is_said_to_be_clean() {
    let project = repository();
    let clone = Project::empty();
    git(&clone, &["clone", "-q", project.root().to_str().unwrap(), "."]).assert_code(0);
    for arguments in [&["scan"][..], &["scan", "--staged"], &["scan", "--history"], &["scan", "readme"]] {
        let run = clone.run(arguments).assert_code(4);
        assert!(run.stderr.contains("none of the declared values is known here"), "{run:?}");
        assert!(run.stderr.contains("format = \"fingerprints\""), "{run:?}");
    }
    clone.write("a.txt", ["ghp_", "123456789012345678901234567890", "000000"].concat());
    clone.run(["scan", "--rules-only"]).assert_code(0);
    clone.write("a.txt", crate::rules::github_token());
    assert_eq!(findings(&scan(&clone, &["--rules-only"]).assert_code(1)), set(&[("github-token", "a.txt", 1)]));
    // A linked work tree knows what the main one knows, whatever it is asked for.
    let elsewhere = Project::empty();
    let other = elsewhere.path("other");
    git(&project, &["worktree", "add", "-q", other.to_str().unwrap()]).assert_code(0);
    let run = |arguments: &[&str]| crate::support::Run::of(project.command(arguments).current_dir(&other));
    run(&["scan", "--staged"]).assert_code(0);
    std::fs::write(other.join("leak.txt"), crate::STRIPE).unwrap();
    let found = run(&["scan", "--json", "leak.txt"]).assert_code(1);
    assert_eq!(findings(&found), set(&[("STRIPE", "leak.txt", 1)]));
    let main = project.root().canonicalize().unwrap();
    assert_eq!(report(&found)["findings"][0]["fix"], format!("vault-kit -C {} incident STRIPE", main.display()));
    // A store of its own would have other values.
    let unmade = || report(&run(&["check", "--json"]).assert_code(1))["findings"][0].clone();
    assert_eq!(unmade()["fix"], format!("vault-kit -C {} check", main.display()));
    assert!(unmade()["message"].as_str().unwrap().contains("the store is that of another work tree"));
    std::fs::remove_dir_all(project.path(".vault-kit")).unwrap();
    // Where its copy is left, it is brought back there.
    assert_eq!(unmade()["fix"], format!("vault-kit -C {} check", main.display()));
    assert!(project.run(["check"]).both().contains("vault-kit store recover"));
    run(&["scan", "--staged"]).assert_code(4);
}

#[test]
fn a_project_that_has_no_value_yet_or_declares_none_is_clean() {
    let project = Project::with_manifest(SHOP);
    git(&project, &["init", "-q"]).assert_code(0);
    git(&project, &["add", "."]).assert_code(0);
    for arguments in [&["scan"][..], &["scan", "--staged"]] {
        project.run(arguments).assert_code(0);
    }
    let externals = Project::with_manifest("[project]\nname = \"p\"\n[secrets.A]\nkind = \"external\"\n");
    externals.run(["init"]);
    externals.run(["scan"]).assert_code(0);
    let settings = "[project]\nname = \"p\"\n[secrets.MODE]\nkind = \"setting\"\nvalue = \"production\"\n";
    Project::with_manifest(settings).run(["scan"]).assert_code(0);
}

#[test]
fn a_store_made_in_a_clone_adds_its_values_to_the_list_and_keeps_those_of_others() {
    let (project, clone) = project_and_clone();
    let first = project.get("AUTH");
    clone.run(["init"]).assert_code(0);
    let (theirs, both) = (project.read("prints.json"), clone.read("prints.json"));
    for line in theirs.lines().filter(|line| line.contains("\"fingerprint\":")) {
        assert!(both.contains(line), "{line}");
    }
    assert!(both.contains("\"count\": 10"), "{both}");
    // Whoever is the last to write, it is the same list.
    project.write("prints.json", &both);
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read("prints.json"), both);
    for (place, own) in [(&project, first.clone()), (&clone, clone.get("AUTH"))] {
        place.run(["check"]).assert_code(0);
        place.write("leak.txt", [&b"key="[..], &own].concat());
        place.write("theirs.txt", [&b"key="[..], &first].concat());
        let run = scan(place, &["leak.txt", "theirs.txt"]).assert_code(1);
        assert_eq!(findings(&run), set(&[("AUTH", "leak.txt", 1), ("AUTH", "theirs.txt", 1)]));
        // Replacing one's own value would leave the one that leaked in force.
        let is_theirs = own != first;
        let fix = if is_theirs { "where its store is: `vault-kit incident AUTH`" } else { "vault-kit incident AUTH" };
        assert_eq!(report(&run)["findings"][1]["fix"], fix);
    }
    // What the other one replaced is told by the other one; what is declared no more goes.
    clone.write("prints.json", &theirs);
    assert!(clone.run(["check"]).assert_code(1).stdout.contains("prints.json"));
    clone.run(["render"]).assert_code(0);
    assert_eq!(clone.read("prints.json"), both);
    let fewer = clone.read("vault-kit.toml").replace("[secrets.KEY16]\nkind = \"random\"\nencoding = \"hex\"\n", "");
    clone.write("vault-kit.toml", fewer);
    clone.run(["remove", "KEY16", "--yes"]);
    clone.run(["render"]).assert_code(0);
    assert!(!clone.read("prints.json").contains("KEY16"));
}

#[test]
fn what_others_put_on_the_list_is_no_finding_and_is_missed_where_it_is_gone() {
    let (project, clone) = project_and_clone();
    clone.run(["init"]).assert_code(0);
    let both = clone.read("prints.json");
    // As `git pull` brings it.
    project.write("prints.json", &both);
    project.run(["check"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    let empty = both.lines().filter(|line| !line.contains("\"fingerprint\":")).collect::<Vec<_>>().join("\n");
    let told = "`prints.json` was emptied, and has no fingerprints of others any more: bring it back with \
                `git checkout -- prints.json`, then `vault-kit render`";
    for list in [Some(empty.as_str()), Some(""), None] {
        match list {
            Some(text) => project.write("prints.json", text.replace("\"count\": 10", "\"count\": 0")),
            None => std::fs::remove_file(project.path("prints.json")).unwrap(),
        }
        project.run(["check"]).assert_code(1);
        for command in [&["render", "-n"][..], &["render"]] {
            let run = project.run(command).assert_code(0);
            assert!(run.stderr.contains(told), "{list:?} {run:?}");
        }
        project.write("prints.json", &both);
        assert!(!project.run(["render"]).assert_code(0).stderr.contains("emptied"));
        assert_eq!(project.read("prints.json"), both);
    }
}

#[test]
fn a_conflict_of_two_stores_in_the_list_is_mended_by_render() {
    let (project, _) = project_and_clone();
    git(&project, &["init", "-q", "-b", "main"]).assert_code(0);
    let commit = |project: &Project| {
        git(project, &["add", "."]).assert_code(0);
        git(project, &["commit", "-q", "-m", "x"]).assert_code(0);
    };
    commit(&project);
    let third = Project::empty();
    git(&third, &["clone", "-q", project.root().to_str().unwrap(), "."]).assert_code(0);
    // The first replaces a value while the third adds its own.
    let first = project.get("AUTH");
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    commit(&project);
    third.run(["init"]).assert_code(0);
    commit(&third);
    for style in ["merge", "diff3"] {
        let merge = git(
            &third,
            &["-c", &format!("merge.conflictStyle={style}"), "pull", "-q", "--no-rebase", "origin", "main"],
        );
        assert!(merge.code != 0 && third.read("prints.json").contains("<<<<<<<"), "{merge:?}");
        third.run(["scan"]).assert_code(3);
        third.run(["render"]).assert_code(0);
        let list = third.read("prints.json");
        // Five of each, and the one that was replaced, with the token that it signed.
        assert!(list.contains("\"count\": 12") && list.matches("\"past\"").count() == 2, "{style}: {list}");
        for value in [first.clone(), project.get("AUTH"), third.get("AUTH")] {
            third.write("leak.txt", [&b"key="[..], &value].concat());
            assert_eq!(findings(&scan(&third, &["leak.txt"]).assert_code(1)), set(&[("AUTH", "leak.txt", 1)]));
        }
        git(&third, &["merge", "--abort"]).assert_code(0);
    }
}

#[test]
fn a_list_of_another_project_is_not_taken_over() {
    let (_project, clone) = project_and_clone();
    let other = clone.read("prints.json").replace("\"shop\"", "\"shed\"");
    clone.write("prints.json", &other);
    clone.run(["init"]).assert_code(7);
    assert_eq!(clone.read("prints.json"), other);
}

#[test]
fn an_environment_that_was_not_made_yet_stops_nobody_and_a_list_that_was_committed_is_missed() {
    let prod = "\n[environments.dev]\n[environments.prod]\n[outputs.prod]\nformat = \"fingerprints\"\n\
                environments = [\"prod\"]\npath = \"prod.json\"\n";
    let manifest = format!("{SHOP}{PRINTS}{prod}")
        .replace("path = \"prints.json\"", "path = \"prints.json\"\nenvironments = [\"dev\"]");
    let project =
        Project::with_manifest(&manifest.replace("kind = \"external\"", "kind = \"external\"\noptional = true"));
    project.run(["init"]).assert_code(0);
    // Before there is a repository too.
    project.run(["scan"]).assert_code(0);
    git(&project, &["init", "-q", "-b", "main"]).assert_code(0);
    let commit = |project: &Project| {
        git(project, &["add", "."]).assert_code(0);
        git(project, &["commit", "-q", "-m", "x"]).assert_code(0);
    };
    commit(&project);
    let clone = Project::empty();
    git(&clone, &["clone", "-q", project.root().to_str().unwrap(), "."]).assert_code(0);
    for place in [&project, &clone] {
        for arguments in [&["scan"][..], &["scan", "--staged"], &["scan", "--range", "HEAD"]] {
            let run = place.run(arguments).assert_code(0);
            assert!(run.both().contains("not checked  the values of prod"), "{run:?}");
        }
        place.run(["scan", "--strict"]).assert_code(1);
    }
    // Where older commits are not here, nobody can tell.
    let shallow = Project::empty();
    git(&project, &["commit", "-q", "--allow-empty", "-m", "y"]).assert_code(0);
    let origin = format!("file://{}", project.root().display());
    git(&shallow, &["clone", "-q", "--depth", "1", &origin, "."]).assert_code(0);
    let run = shallow.run(["scan"]).assert_code(3);
    assert!(
        run.stderr.contains("hint: the clone is shallow, ") && run.stderr.contains("`git fetch --unshallow`"),
        "{run:?}"
    );
    git(&shallow, &["fetch", "-q", "--unshallow"]).assert_code(0);
    shallow.run(["scan"]).assert_code(0);
    // Made and not delivered is another thing, and so is one that a commit had.
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    commit(&project);
    git(&clone, &["pull", "-q"]).assert_code(0);
    clone.run(["scan"]).assert_code(0);
    for arguments in [&["rm", "-q", "prod.json"][..], &["commit", "-q", "-m", "y"], &["log"]] {
        git(&clone, arguments).assert_code(0);
        let run = clone.run(["scan"]).assert_code(3);
        assert!(run.stderr.contains("`prod.json`, the fingerprints of prod, is not there"), "{run:?}");
    }
}

#[test]
fn a_list_keeps_the_versions_that_are_purged() {
    for keep in [1, 5] {
        let manifest = format!("{SHOP}{PRINTS}").replace("name = \"shop\"", &format!("name = \"shop\"\nkeep = {keep}"));
        let project =
            Project::with_manifest(&manifest.replace("kind = \"external\"", "kind = \"external\"\noptional = true"));
        project.run(["init"]).assert_code(0);
        let change = |arguments: &[&str], value: &[u8]| {
            project.run_with_stdin(arguments, value).assert_code(0);
            project.run(["check", "--at", "host", "--at", "repo"]).assert_code(0);
        };
        for round in 0..=keep {
            change(&["rotate", "AUTH", "--yes"], b"");
            change(&["generate", "--replace", "KEY16", "--yes"], b"");
            change(&["set", "STRIPE", "--yes"], format!("{}{round}", crate::STRIPE).as_bytes());
        }
        let list = project.read("prints.json");
        for secret in ["AUTH", "KEY16"] {
            assert_eq!(list.matches(&format!("\"{secret}\"")).count(), keep + 2, "{keep}: {list}");
        }
    }
}

#[test]
fn what_init_proposes_lets_a_clone_without_the_identity_commit_and_stops_its_leak() {
    for (file, text) in [
        ("compose.yml", "services: {a: {image: a, environment: [SESSION_SECRET]}}\n"),
        (".env.example", "SESSION_SECRET=changeme\n"),
        ("readme", "nothing to go by\n"),
    ] {
        let project = Project::empty();
        project.write(file, text);
        project.run(["init"]).assert_code(0);
        let secret = if file == "readme" { "AUTH_SECRET" } else { "SESSION_SECRET" };
        let value = project.get(secret);
        for arguments in [&["init", "-q", "-b", "main"][..], &["add", "."], &["commit", "-q", "-m", "Begin"]] {
            git(&project, arguments).assert_code(0);
        }
        project.run(["check", "--at", "repo"]).assert_code(0);
        let clone = Project::empty();
        git(&clone, &["clone", "-q", project.root().to_str().unwrap(), "."]).assert_code(0);
        clone.run(["hooks", "install"]).assert_code(0);
        clone.write("new.txt", "nothing to see\n");
        git(&clone, &["add", "."]).assert_code(0);
        person(&clone, &["commit", "-q", "-m", "x"]).assert_code(0);
        clone.write("new.txt", &value);
        git(&clone, &["add", "."]).assert_code(0);
        let run = person(&clone, &["commit", "-q", "-m", "x"]);
        assert!(run.code != 0 && run.both().contains(secret), "{file}: {run:?}");
    }
}
