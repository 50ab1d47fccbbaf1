//! `trust`, `store recover`, `recipients`, `schema`, `completions`, `man`.

use std::process::Command;

use crate::shop::{SHOP, complete, error_code, json, shop};
use crate::support::{self, Project, Run};

#[test]
fn a_file_or_directory_that_the_user_named_and_is_not_there_is_a_usage_error() {
    let project = shop();
    let before = project.contents();
    let cases: [(&[&str], &str); 5] = [
        (&["set", "NOTE", "--from-file", "nowhere.txt"], "there is no file `nowhere.txt`"),
        (&["set", "NOTE", "--from-file", "vault-kit.toml/x"], "there is no file `vault-kit.toml/x`"),
        (&["set", "NOTE", "--from-file", "."], "`.` is a directory, not a file"),
        (&["import", "nowhere.env"], "there is no file `nowhere.env`"),
        (&["-C", "nowhere", "status"], "there is no directory `nowhere`"),
    ];
    for (arguments, words) in cases {
        let run = project.run(arguments).assert_code(2);
        assert!(run.stderr.contains(words), "{run:?}");
    }
    assert!(project.contents() == before);
}

#[test]
fn a_path_outside_the_project_needs_trust_and_a_change_asks_again() {
    let outside = Project::empty();
    let manifest = |file: &str| {
        let path =
            outside.path(file).canonicalize().unwrap_or_else(|_| outside.root().canonicalize().unwrap().join(file));
        format!(
            "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n[outputs.far]\nformat = \"json\"\npath = \"{}\"\n",
            path.display()
        )
    };
    let project = Project::with_manifest(&manifest("one.json"));
    let run = project.run(["init"]);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("vault-kit trust"), "{}", run.stderr);
    assert!(!outside.path("one.json").exists());
    assert_eq!(error_code(&project.run(["trust", "--json"]).assert_code(2)), "confirmation-needed");
    let dry = project.run(["trust", "-n"]).assert_code(0);
    assert!(dry.stderr.contains("one.json"), "{}", dry.stderr);
    assert_ne!(project.run(["init"]).code, 0);
    project.run(["trust", "--yes"]).assert_code(0);
    assert!(project.run(["trust"]).assert_code(0).stderr.contains("you trust it already"));
    project.run(["init"]).assert_code(0);
    assert_eq!(outside.mode("one.json"), 0o600);
    project.write("vault-kit.toml", manifest("two.json"));
    assert_ne!(project.run(["render"]).code, 0);
    assert!(!outside.path("two.json").exists());
}

#[test]
fn a_manifest_that_stays_at_home_needs_no_trust() {
    let project = shop();
    let before = project.contents();
    assert!(project.run(["trust"]).assert_code(0).stderr.contains("nothing to trust"));
    assert_eq!(project.contents(), before);
}

#[test]
fn a_deleted_store_comes_back_with_every_value() {
    let project = complete();
    let (auth, key) = (project.get("AUTH"), project.get("STRIPE"));
    std::fs::remove_dir_all(project.path(".vault-kit")).unwrap();
    for command in [&["init"][..], &["render"], &["get", "AUTH"], &["check"]] {
        let run = project.run(command);
        assert_ne!(run.code, 0, "{command:?}");
        assert!(run.both().contains("store recover") || command == ["check"], "{command:?}: {}", run.both());
    }
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!((project.get("AUTH"), project.get("STRIPE")), (auth, key));
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    let again = project.run(["store", "recover"]).assert_code(0);
    assert!(again.stderr.contains("nothing to do") && !again.stderr.contains("vault-kit render"), "{}", again.stderr);
}

#[test]
fn an_old_store_that_came_back_is_refused_until_somebody_chooses() {
    let project = shop();
    let old = project.bytes(".vault-kit/dev.age");
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    let new = project.get("AUTH");
    project.write(".vault-kit/dev.age", &old);
    assert_eq!(error_code(&project.run(["render", "--json"]).assert_code(4)), "store-went-back");
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(project.get("AUTH"), new);
    assert!(project.snapshot().keys().any(|path| path.contains("replaced-")), "what is replaced is kept");
    project.write(".vault-kit/dev.age", &old);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert_ne!(project.get("AUTH"), new);
}

#[test]
fn recipients_change_only_by_apply() {
    let friend = shop();
    let friend_key =
        json(&friend.run(["recipients", "list", "--json"]).assert_code(0))["you"][0].as_str().unwrap().to_owned();
    let project = shop();
    let listing = json(&project.run(["recipients", "list", "--json"]).assert_code(0));
    let own = listing["you"][0].as_str().unwrap().to_owned();
    assert_eq!((&listing["schema_version"], &listing["store"]["me"]), (&1.into(), &own.clone().into()));
    let manifest = SHOP.replace(
        "[environments.dev]",
        &format!("[environments.dev]\nrecipients = {{ me = \"{own}\", friend = \"{friend_key}\" }}"),
    );
    project.write("vault-kit.toml", &manifest);
    assert_eq!(error_code(&project.run(["generate", "--json"]).assert_code(4)), "recipients-changed");
    let before = project.contents();
    let dry = project.run(["recipients", "apply", "-n"]).assert_code(0);
    assert!(dry.stderr.contains(&format!("+ friend {friend_key}")), "{}", dry.stderr);
    assert_eq!(error_code(&project.run(["recipients", "apply", "--json"]).assert_code(2)), "confirmation-needed");
    assert_eq!(project.contents(), before);
    project.run(["recipients", "apply", "--yes"]).assert_code(0);
    assert!(project.run(["recipients", "apply"]).assert_code(0).stderr.contains("nothing to do"));
    let opened = Run::of(project.command(["get", "AUTH"]).env("VAULT_KIT_IDENTITY_FILE", friend.identity()));
    assert_eq!(opened.assert_code(0).stdout.into_bytes(), project.get("AUTH"));
    // Whoever applies it may not lock themselves out.
    let without = SHOP
        .replace("[environments.dev]", &format!("[environments.dev]\nrecipients = {{ friend = \"{friend_key}\" }}"));
    project.write("vault-kit.toml", without);
    assert_eq!(error_code(&project.run(["recipients", "apply", "--yes", "--json"]).assert_code(4)), "would-lock-out");
    project.write("vault-kit.toml", manifest);
    project.run(["get", "AUTH"]).assert_code(0);
}

#[test]
fn the_schemas_that_are_printed_are_those_of_the_repository() {
    let project = Project::empty();
    for name in ["api-keys", "audit-record", "manifest", "ledger", "check-report", "revocations", "sync-plan"] {
        let file = support::root().join(format!("schemas/{name}.schema.json"));
        let printed = project.run(["schema", name]).assert_code(0).stdout;
        assert_eq!(printed, std::fs::read_to_string(file).unwrap());
        serde_json::from_str::<serde_json::Value>(&printed).unwrap();
    }
    project.run(["schema", "nothing"]).assert_code(2);
}

#[test]
fn a_shell_reads_its_completions() {
    let project = Project::empty();
    for shell in ["bash", "zsh"] {
        let script = project.run(["completions", shell]).assert_code(0).stdout;
        if support::program(shell).is_none() {
            support::skip("a_shell_reads_its_completions", &format!("no {shell}"));
            continue;
        }
        project.write(shell, &script);
        let read = Command::new(shell).arg("-n").arg(project.path(shell)).output().unwrap();
        assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
    }
    if support::program("bash").is_some() {
        let ask = "source ./bash; COMP_WORDS=(vault-kit gen); COMP_CWORD=1; _vault-kit vault-kit gen vault-kit 2>/dev/null \
                   || _vault__kit vault-kit gen vault-kit; echo \"${COMPREPLY[@]}\"";
        let reply = Command::new("bash").args(["-c", ask]).current_dir(project.root()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&reply.stdout).trim(), "generate");
    }
}

#[test]
fn every_command_has_a_manual_page_that_a_formatter_reads() {
    let project = Project::empty();
    assert!(project.run(["man"]).assert_code(0).stdout.contains(".TH vault-kit 1"));
    project.run(["man", "pages"]).assert_code(0);
    let pages: Vec<_> = std::fs::read_dir(project.path("pages")).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(pages.len() >= 17, "{pages:?}");
    let formatter: (&str, &[&str]) = if support::program("mandoc").is_some() {
        ("mandoc", &["-T", "utf8", "-W", "error"])
    } else if support::program("groff").is_some() {
        ("groff", &["-man", "-Tutf8", "-P-cbou", "-ww"])
    } else {
        return support::skip("every_command_has_a_manual_page_that_a_formatter_reads", "neither mandoc nor groff");
    };
    for page in pages {
        let read = Command::new(formatter.0).args(formatter.1).arg(&page).output().unwrap();
        let text = String::from_utf8_lossy(&read.stdout).into_owned();
        assert!(read.status.success() && text.contains("NAME"), "{}: {text}", page.display());
        assert!(read.stderr.is_empty(), "{}: {}", page.display(), String::from_utf8_lossy(&read.stderr));
    }
}

/// What a shell makes of a command that was told.
fn pasted(project: &Project, command: &str) -> Run {
    let script = format!("ln -sf \"$0\" \"$HOME/vault-kit\"; PATH=\"$HOME:$PATH\"\n{command}");
    Run::of(&mut project.command_under(["sh", "-c", &script], [""; 0]))
}

#[test]
fn what_is_proposed_can_be_pasted_where_the_command_was_run() {
    let project = Project::empty();
    project.write("my shop's/other.toml", SHOP);
    let flags = ["-C", "my shop's", "-f", "other.toml", "-e", "prod"];
    let with = |words: &[&str]| project.run([&flags, words].concat());
    let refused = with(&["generate"]).assert_code(4);
    let hint = r"vault-kit -C 'my shop'\''s' -f other.toml -e prod init";
    assert!(refused.stderr.contains(&format!("`{hint}`")), "{refused:?}");
    let run = pasted(&project, hint).assert_code(0);
    assert!(run.stderr.contains(r"vault-kit -C 'my shop'\''s' -f other.toml -e prod set STRIPE"), "{run:?}");

    support::set_mode(&project.path("my shop's/.env"), 0o644);
    let findings = json(&with(&["check", "--json"]).assert_code(1));
    let fix = |code: &str| {
        let finding = findings["findings"].as_array().unwrap().iter().find(|it| it["code"] == code);
        finding.unwrap_or_else(|| panic!("no {code}: {findings}"))["fix"].as_str().unwrap().to_owned()
    };
    assert!(fix("missing").starts_with(r"vault-kit -C 'my shop'\''s' -f other.toml -e prod "), "{findings}");
    pasted(&project, &fix("mode-too-open")).assert_code(0);
    assert_eq!(project.mode("my shop's/.env"), 0o600);
}

#[test]
fn what_is_wrong_behind_a_wrong_format_or_filter_is_told_in_the_same_go() {
    let project = Project::with_manifest(
        "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n[secrets.URL]\nkind = \"template\"\n\
         template = \"${A | rot13}${NOBODY | rot14}\"\n[outputs.o]\nformat = \"dotenf\"\npath = \".env\"\n\
         secrets = [\"NOWHERE\"]\nenvironments = [\"nowhen\"]\n",
    );
    let run = project.run(["check"]).assert_code(3);
    let count = |words: &str| run.stderr.matches(words).count();
    assert_eq!(count("uses a filter that does not exist"), 2, "{run:?}");
    assert_eq!(count("`outputs.o.secrets` names a secret that is not declared"), 1, "{run:?}");
    assert_eq!(count("`outputs.o.environments` names an environment that is not declared"), 1, "{run:?}");
    assert_eq!(count("vault-kit: error:"), 6, "{run:?}");
}
