//! `check --changed-since` of a deployment: Compose files and what they include, Dockerfiles, the gateway, and what is promised of them.

use crate::changed_since::{append, committed, git, told};
use crate::shop::json;
use crate::support::{self, Project};

const MANIFEST: &str = r#"
[project]
name = "p"
compose = ["compose.yaml"]
[secrets.AUTH]
kind = "random"
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["AUTH"]
[deployment]
no_new_privileges = true
nginx = ["nginx/nginx.conf"]
"#;

/// Files of the deployment, each with one thing that is wrong.
const FILES: [(&str, &str); 5] = [
    (
        "compose.yaml",
        "include: [more.yaml]\nservices:\n  api:\n    build: .\n    environment: [AUTH]\n    volumes: [\"./nginx:/etc/nginx:ro\"]\n",
    ),
    ("more.yaml", "services:\n  more:\n    image: more\n"),
    ("Dockerfile", "FROM scratch\nENV DB_PASSWORD=Zk3vYq8mT1xWc5RbLp\n"),
    ("nginx/nginx.conf", "http {\n  include conf.d/site.conf;\n  server { listen 443 ssl; ssl_protocols TLSv1; }\n}\n"),
    ("nginx/conf.d/site.conf", "server { listen 443 ssl; ssl_protocols TLSv1.1; }\n"),
];

type Change = fn(&Project);

/// The deployment, committed as it is.
pub(crate) fn deployment() -> Project {
    let project = Project::with_manifest(MANIFEST);
    for (file, text) in FILES {
        project.write(file, text);
    }
    project.run(["init"]).assert_code(0);
    committed(&project);
    project
}

#[test]
fn each_file_of_a_deployment_is_told_when_it_changed() {
    if support::program("git").is_none() {
        return support::skip("each_file_of_a_deployment_is_told_when_it_changed", "no git");
    }
    let project = deployment();
    // What goes into an image may hang from any file.
    let image = || vec!["Dockerfile".to_owned()];
    assert_eq!(told(&project, "HEAD"), (image(), 4));
    for (file, _) in FILES {
        append(&project, file, "# another line\n");
        let one_more = ([image(), vec![file.to_owned()]].concat(), 3);
        let (files, left_out) = if file.starts_with("nginx/") { one_more } else { (Vec::new(), 0) };
        let is_told = |(told, left): (Vec<String>, u64)| {
            left == left_out && if left == 0 { told.len() == FILES.len() } else { told == files }
        };
        assert!(is_told(told(&project, "HEAD")), "{file}");
        git(&project, &["commit", "--quiet", "--all", "-m", file]);
        assert!(is_told(told(&project, "HEAD~1")), "{file} of a commit");
        assert_eq!(told(&project, "HEAD"), (image(), 4));
    }
}

#[test]
fn a_file_that_is_new_is_told_and_one_that_is_gone() {
    if support::program("git").is_none() {
        return support::skip("a_file_that_is_new_is_told_and_one_that_is_gone", "no git");
    }
    let project = deployment();
    project.write("new.yaml", "services:\n  new:\n    image: new\n");
    let text = project.read("compose.yaml").replace("[more.yaml]", "[more.yaml, new.yaml]");
    project.write("compose.yaml", text);
    let (files, left_out) = told(&project, "HEAD");
    assert!(files.iter().any(|it| it == "new.yaml") && left_out == 0, "{files:?} {left_out}");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "new"]);
    assert_eq!(told(&project, "HEAD"), (vec!["Dockerfile".to_owned()], 5));
    // Where it is named, nobody changed anything.
    std::fs::remove_file(project.path("nginx/conf.d/site.conf")).unwrap();
    let (files, left_out) = told(&project, "HEAD");
    assert!(files.iter().skip(1).all(|it| it.starts_with("nginx/")) && left_out == 4, "{files:?} {left_out}");
}

#[test]
fn another_promise_is_held_against_everything() {
    if support::program("git").is_none() {
        return support::skip("another_promise_is_held_against_everything", "no git");
    }
    let project = deployment();
    let text = project.read("vault-kit.toml");
    for changed in [
        text.replace("no_new_privileges = true", "no_new_privileges = true\nlimits = true"),
        text.replace("nginx = [\"nginx/nginx.conf\"]", "nginx = [\"nginx/nginx.conf\"]\ntls_min = \"1.3\""),
        text.replace("[deployment]", "[deployment]\ninternal = [\"default\"]"),
    ] {
        project.write("vault-kit.toml", changed);
        let (files, left_out) = told(&project, "HEAD");
        assert!(files.len() >= 5 && left_out == 0, "{files:?} {left_out}");
    }
}

#[test]
fn what_one_file_changes_at_another_is_told() {
    if support::program("git").is_none() {
        return support::skip("what_one_file_changes_at_another_is_told", "no git");
    }
    let base = || {
        let project = deployment();
        project.write("Dockerfile", "FROM scratch\nCOPY . /app\n");
        project.write("override.yaml", "services:\n  api: {read_only: true}\n");
        let text = project.read("vault-kit.toml");
        let text = text.replace("[\"compose.yaml\"]", "[\"compose.yaml\", \"override.yaml\"]");
        project.write("vault-kit.toml", text.replace("no_new_privileges = true", "read_only = [\"api\"]"));
        project.run(["init"]).assert_code(0);
        git(&project, &["add", "."]);
        git(&project, &["commit", "--quiet", "-m", "base"]);
        project
    };
    // What no longer keeps a file back, a file that goes along, a line that took effect elsewhere, and an output.
    let changes: [(&str, Change); 4] = [
        ("secret-in-image", |it| it.write(".dockerignore", "")),
        ("secret-in-image", |it| it.write("prod.env", "DB_PASSWORD=hunter2x9Kw4\n")),
        ("not-read-only", |it| it.write("override.yaml", "services:\n  api: {}\n")),
        ("weak-tls", |it| {
            it.write("vault-kit.toml", it.read("vault-kit.toml").replace("path = \".env\"", "path = \"other.env\""));
        }),
    ];
    for (code, change) in changes {
        let project = base();
        let codes = |project: &Project| -> Vec<String> {
            let report = json(&project.run(["check", "--at", "repo", "--json", "--changed-since", "HEAD"]));
            report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
        };
        assert!(!codes(&project).iter().any(|it| it == code), "{code}");
        change(&project);
        let found = codes(&project);
        assert!(found.iter().any(|it| it == code), "{code}: {found:?}");
    }
}
