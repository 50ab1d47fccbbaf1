//! What is left of a value in files: whose it is, and how it goes.

use crate::support::Project;

/// Two environments that deliver to the same paths.
const SHARED: &str = r#"
[project]
name = "shared"
default_environment = "dev"

[environments.dev]

[environments.prod]

[secrets.DB]
kind = "random"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB"]

[outputs.sec]
format = "docker-secrets"
path = "sec"
secrets = ["DB"]
"#;

/// Files of both environments, with development's values in them.
fn with_values_of_dev() -> Project {
    let project = Project::initialised(SHARED);
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    project.run(["init", "--yes"]).assert_code(0);
    assert_eq!(project.bytes("sec/db"), project.get("DB"));
    project
}

#[test]
fn a_file_that_another_environment_took_over_is_its_own() {
    let project = with_values_of_dev();
    let run = project.run(["-e", "prod", "remove", "DB", "--yes"]).assert_code(0);
    assert!(!run.both().contains("sec/db"), "{run:?}");
    let run = project.run(["-e", "prod", "check"]).assert_code(1);
    assert!(!run.both().contains("orphaned") && !run.both().contains("rm sec"), "{run:?}");
    // What this environment has written itself is still told.
    let run = project.run(["remove", "DB", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`sec/db` still holds the value: `rm sec/db`"), "{run:?}");
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("orphaned") && run.stdout.contains("rm sec/db"), "{run:?}");
}

#[test]
fn check_says_whose_values_a_shared_file_has_and_how_they_are_replaced() {
    let project = with_values_of_dev();
    let run = project.run(["-e", "prod", "check"]).assert_code(1);
    assert!(run.stdout.contains("it was last rendered for environment `dev`"), "{run:?}");
    let fix = "vault-kit -e prod render --yes    # in the place of what `dev` has there";
    assert!(run.stdout.contains(fix) && !run.stdout.contains("render\n"), "{run:?}");
    project.run(["-e", "prod", "render", "--yes"]).assert_code(0);
    project.run(["-e", "prod", "check"]).assert_code(0);
}

#[test]
fn a_trusted_file_outside_the_project_is_not_forgotten() {
    let project = Project::empty();
    let elsewhere = project.home().join("srv");
    std::fs::create_dir(&elsewhere).unwrap();
    let manifest = |file: &str| {
        format!(
            "[project]\nname = \"p\"\n\n[secrets.DB]\nkind = \"random\"\n\n[outputs.out]\nformat = \"json\"\npath = \"{}/{file}\"\nsecrets = [\"DB\"]\n",
            elsewhere.display()
        )
    };
    let old = elsewhere.join("a.json").display().to_string();
    project.write("vault-kit.toml", manifest("a.json"));
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    project.run(["check", "--strict"]).assert_code(0);
    let before = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest("b.json"));
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("orphaned") && run.stdout.contains(&format!("rm {old}")), "{run:?}");
    // Somebody else's file in the same place is none of ours to remove.
    std::fs::remove_file(&old).unwrap();
    project.run(["check"]).assert_code(0);
    project.write("vault-kit.toml", before);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    let run = project.run(["remove", "DB", "--yes"]).assert_code(0);
    for file in ["a.json", "b.json"] {
        let path = elsewhere.join(file).display().to_string();
        assert!(run.stderr.contains(&format!("`{path}` still holds the value: `rm {path}`")), "{run:?}");
    }
}

#[test]
fn a_file_that_somebody_changed_or_put_in_the_place_of_ours_is_not_removed_by_a_fix() {
    let json = "\n[outputs.conf]\nformat = \"json\"\npath = \"a.json\"\nsecrets = [\"DB\"]\n";
    let manifest = format!("{SHARED}{json}").replace("[environments.prod]\n", "");
    let moved = manifest.replace("a.json", "b.json").replace("\".env\"", "\"b.env\"").replace("\"sec\"", "\"b\"");
    let files = ["a.json", ".env", "sec/db"];
    let project = Project::initialised(&manifest);
    project.write("vault-kit.toml", &moved);
    project.run(["render"]).assert_code(0);
    let run = project.run(["check"]).assert_code(1);
    assert!(files.iter().all(|file| run.stdout.contains(&format!("fix: rm {file}\n"))), "{run:?}");
    for file in files {
        project.write(file, "MINE=written-by-hand\n");
    }
    let run = project.run(["check"]).assert_code(1);
    assert!(!run.stdout.contains("rm ") && run.stdout.matches("was changed since").count() == 3, "{run:?}");
    let run = project.run(["remove", "DB", "--yes"]).assert_code(0);
    let told = |file: &&str| run.stderr.contains(&format!("warning: `{file}` "));
    let is_removed = |file: &&str| run.stderr.contains(&format!("`rm {file}`"));
    assert!(!files.iter().any(is_removed) && files.iter().all(told), "{run:?}");
    assert!(run.stderr.contains("`b.json` still holds the value: `rm b.json`"), "{run:?}");
}

#[test]
fn remove_tells_what_else_has_the_value_in_it() {
    let project = Project::initialised(
        "[project]\nname = \"p\"\n\n[secrets.DB]\nkind = \"random\"\n\n[secrets.URL]\nkind = \"template\"\n\
         template = \"db://app:${DB}@db/app\"\n\n[outputs.sec]\nformat = \"docker-secrets\"\npath = \"sec\"\n\
         secrets = [\"DB\", \"URL\"]\n",
    );
    let run = project.run(["remove", "DB", "--yes"]).assert_code(0);
    let told = "`URL` is made of it, and holds the value wherever it is delivered: `vault-kit remove URL`";
    assert!(run.stderr.contains(told), "{run:?}");
    let run = project.run(["remove", "URL", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`sec/url` still holds the value: `rm sec/url`"), "{run:?}");
    assert!(!run.stderr.contains("is made of it"), "{run:?}");
}

#[test]
fn another_name_of_a_file_is_found_and_foretold() {
    let project = Project::initialised(SHARED);
    std::fs::hard_link(project.path("sec/db"), project.path("other")).unwrap();
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("hard-linked") && run.stdout.contains("sec/db"), "{run:?}");
    for command in [&["generate", "--replace", "DB", "--yes", "-n"][..], &["generate", "--replace", "DB", "--yes"]] {
        let run = project.run(command).assert_code(6);
        assert!(run.stderr.contains("the same file has another name (hard link)"), "{run:?}");
    }
    std::fs::remove_file(project.path("other")).unwrap();
    project.run(["check"]).assert_code(0);
}
