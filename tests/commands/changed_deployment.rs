//! `check --changed-since` of a deployment: Compose files and what they include, Dockerfiles, the gateway, and what is promised of them.

use crate::changed_since::{append, committed, git, told};
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
    assert_eq!(told(&project, "HEAD"), (vec![], 5));
    for (file, _) in FILES {
        append(&project, file, "# another line\n");
        assert_eq!(told(&project, "HEAD"), (vec![file.to_owned()], 4));
        git(&project, &["commit", "--quiet", "--all", "-m", file]);
        assert_eq!(told(&project, "HEAD~1"), (vec![file.to_owned()], 4), "of a commit");
        assert_eq!(told(&project, "HEAD"), (vec![], 5));
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
    assert_eq!(told(&project, "HEAD"), (vec!["compose.yaml".to_owned(), "new.yaml".to_owned()], 4));
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "new"]);
    assert_eq!(told(&project, "HEAD"), (vec![], 6));
    // Where it is named, nobody changed anything.
    std::fs::remove_file(project.path("nginx/conf.d/site.conf")).unwrap();
    let (files, left_out) = told(&project, "HEAD");
    assert!(files.iter().all(|it| it.starts_with("nginx/")) && left_out == 5, "{files:?} {left_out}");
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
