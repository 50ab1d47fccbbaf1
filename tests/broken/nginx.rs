//! What the gateway includes is held to the same TLS, wherever its container has it from.

use crate::support::{Project, Run, owner};
use crate::typed::git;

const COMPOSE: &str = "\
services:
  web:
    image: nginx
    volumes: ['./nginx/main.conf:/etc/nginx/nginx.conf:ro', './sites:/etc/nginx/conf.d:ro', './nginx/tls.conf:/etc/nginx/tls.conf:ro']
";
const MAIN: &str = "http {\n  include /etc/nginx/mime.types;\n  include /etc/nginx/conf.d/*.conf;\n}\n";
const SITE: &str = "server {\n  listen 443 ssl;\n  include tls.conf;\n}\n";

fn project_with(files: &[(&str, &str)]) -> Project {
    let manifest =
        "[project]\nname = \"x\"\ncompose = [\"compose.yml\"]\n[deployment]\nnginx = [\"nginx/main.conf\"]\n";
    let project = Project::with_manifest(manifest);
    for (path, text) in [("compose.yml", COMPOSE), ("nginx/main.conf", MAIN)].iter().chain(files) {
        project.write(path, text);
    }
    project
}

/// What `check` tells of the gateway: the file and line of each finding, and what it could not look at.
fn told(files: &[(&str, &str)]) -> (Vec<String>, String) {
    told_in(&project_with(files), &[])
}

fn told_in(project: &Project, arguments: &[&str]) -> (Vec<String>, String) {
    let run = Run::of(project.command([&["check", "--at", "repo", "--json"], arguments].concat()).envs(owner(project)));
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap().iter();
    let places =
        findings.map(|it| format!("{} {}:{}", it["code"].as_str().unwrap(), it["file"].as_str().unwrap(), it["line"]));
    (places.collect(), report["not_checked"].to_string())
}

#[track_caller]
fn assert_told(files: &[(&str, &str)], expected: &[&str]) {
    let (places, not_checked) = told(files);
    assert_eq!(places, expected, "{not_checked}");
    assert_eq!(not_checked, "[]");
}

#[test]
fn the_least_version_of_tls_is_held_in_included_files() {
    let site = ("sites/app.conf", SITE);
    assert_told(&[site, ("nginx/tls.conf", "ssl_protocols TLSv1.2 TLSv1.3;\n")], &[]);
    assert_told(&[site, ("nginx/tls.conf", "# old\nssl_protocols TLSv1.1 TLSv1.2;\n")], &["weak-tls nginx/tls.conf:2"]);
    assert_told(&[site, ("nginx/tls.conf", "ssl_ciphers HIGH;\n")], &["weak-tls sites/app.conf:2"]);
    // Neither hidden nor of another name.
    let others = [("sites/.old.conf", SITE), ("sites/app.conf.bak", SITE)];
    assert_told(&others, &[]);
}

#[test]
fn of_what_is_staged_the_index_says_which_files_are_included() {
    let weak = "server {\n  listen 443 ssl;\n  ssl_protocols TLSv1;\n}\n";
    let project =
        project_with(&[("sites/staged.conf", weak), ("sites/.hidden.conf", weak), ("sites/deep/x.conf", weak)]);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    std::fs::remove_file(project.path("sites/staged.conf")).unwrap();
    project.write("sites/lying.conf", weak);
    project.write("sites/own.conf", weak);
    project.write(".git/info/exclude", "own.conf\n");
    // What git ignores is this machine's own.
    let only = ["--only", "weak-tls"];
    let expected = ["weak-tls sites/own.conf:3", "weak-tls sites/staged.conf:3"];
    assert_eq!(
        told_in(&project, &[&only[..], &["--staged"]].concat()),
        (expected.map(str::to_owned).to_vec(), "[]".to_owned())
    );
    let (lying, _) = told_in(&project, &only);
    assert_eq!(lying, ["weak-tls sites/lying.conf:3", "weak-tls sites/own.conf:3"]);
}

#[test]
fn what_is_not_in_the_project_or_includes_itself_is_not_checked() {
    let elsewhere = SITE.replace("tls.conf", "/etc/letsencrypt/options.conf");
    let (places, not_checked) = told(&[("sites/app.conf", &elsewhere)]);
    assert_eq!((places.len(), not_checked.contains("versions of TLS")), (0, true), "{not_checked}");
    let itself = format!("{SITE}include /etc/nginx/conf.d/*.conf;\n");
    let (places, not_checked) = told(&[("sites/app.conf", &itself), ("nginx/tls.conf", "ssl_ciphers HIGH;\n")]);
    assert_eq!((places.len(), not_checked.contains("versions of TLS")), (0, true), "{not_checked}");
}

#[test]
fn beside_a_configuration_that_is_built_in_lies_what_it_includes() {
    let compose = ("compose.yml", "services: { web: { image: own } }\n");
    let main = ("nginx/main.conf", "http { include conf.d/*.conf; }\n");
    let site = ("nginx/conf.d/app.conf", "server {\n listen 443 ssl;\n ssl_protocols TLSv1;\n}\n");
    assert_told(&[compose, main, site], &["weak-tls nginx/conf.d/app.conf:3"]);
}

#[test]
fn one_file_that_cannot_be_read_hides_no_other_and_is_told() {
    let weak = "server { listen 443 ssl; ssl_protocols TLSv1; }\n";
    let long = format!("{}{weak}", "# x\n".repeat(600_000));
    let project = project_with(&[("sites/b.conf", weak), ("sites/long.conf", &long)]);
    // nginx reads bytes: a comment in another encoding is one.
    project.write("sites/a.conf", b"# Stra\xdfe\n");
    std::os::unix::fs::symlink("../elsewhere", project.path("sites/link.conf")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(project.path("sites/pipe.conf")).status().unwrap().success());
    let (places, not_checked) = told_in(&project, &[]);
    assert_eq!(places, ["weak-tls sites/b.conf:1"], "{not_checked}");
    for name in ["long.conf", "link.conf", "pipe.conf"] {
        assert!(not_checked.contains(&format!("`sites/{name}`")), "{name}: {not_checked}");
    }
    // What none of them says is not held against the others either.
    project.write("sites/b.conf", "server { listen 443 ssl; }\n");
    let (places, not_checked) = told_in(&project, &[]);
    assert_eq!((places.len(), not_checked.matches("what nginx/main.conf includes").count()), (0, 3), "{not_checked}");
}
