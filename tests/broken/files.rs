//! The files that vault-kit delivers, and git.

use std::os::unix::fs::symlink;

use crate::support::{Project, Run, set_mode};
use crate::{append, broken, edit};

fn git(project: &Project, arguments: &[&str]) {
    let mut command = std::process::Command::new("git");
    let config = ["-c", "core.excludesFile=/dev/null", "-c", "core.autocrlf=false"];
    Run::of(command.current_dir(project.root()).env("HOME", project.home()).args(config).args(arguments))
        .assert_code(0);
}

#[test]
fn a_file_in_a_submodule_is_that_repository_s() {
    let manifest = "[project]\nname = \"x\"\n[secrets.KEY]\nkind = \"random\"\n[outputs.env]\nformat = \"dotenv\"\npath = \"my app/.env\"\nsecrets = [\"KEY\"]\n";
    let project = Project::with_manifest(manifest);
    git(&project, &["init", "--quiet"]);
    git(&project, &["init", "--quiet", "my app"]);
    project.run(["init"]).assert_code(0);
    // The line above it says nothing to the submodule.
    std::fs::remove_file(project.path("my app/.gitignore")).unwrap_or_default();
    let paste = |code: &str| {
        let run = project.run(["check", "--at", "repo", "--json"]).assert_code(1);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let finding = &report["findings"][0];
        assert_eq!((finding["code"].as_str(), finding["file"].as_str()), (Some(code), Some("my app/.env")), "{report}");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", finding["fix"].as_str().unwrap()]).current_dir(project.root()).env("HOME", project.home());
        Run::of(&mut command).assert_code(0);
    };
    paste("not-ignored");
    project.run(["check", "--at", "repo"]).assert_code(0);
    git(&project, &["-C", "my app", "add", "--force", ".env"]);
    paste("tracked-by-git");
    project.run(["check", "--at", "repo"]).assert_code(0);
}

#[test]
fn a_line_further_down_that_takes_a_file_back_is_named_and_the_fix_stands_behind_it() {
    let project = Project::with_manifest(
        "[project]\nname = \"app\"\n[secrets.KEY]\nkind = \"random\"\n[outputs.env]\nformat = \"dotenv\"\npath = \"api/.env\"\n",
    );
    git(&project, &["init", "--quiet"]);
    project.write("api/.gitignore", "logs\n!.env\n");
    project.run(["init"]).assert_code(0);
    let run = project.run(["check", "--at", "repo", "--json"]).assert_code(1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((&finding["code"], &finding["file"]), (&"not-ignored".into(), &"api/.env".into()), "{report}");
    assert!(finding["message"].as_str().unwrap().contains("since `api/.gitignore:2` takes it back"), "{report}");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", finding["fix"].as_str().unwrap()]).current_dir(project.root());
    Run::of(&mut command).assert_code(0);
    project.run(["check", "--at", "repo"]).assert_code(0);
    let mut judge = std::process::Command::new("git");
    Run::of(judge.current_dir(project.root()).args(["check-ignore", "--quiet", "api/.env"])).assert_code(0);
}

broken! {
    an_env_that_everybody_reads: "sutra", |project| set_mode(&project.path(".env"), 0o644) => "mode-too-open";
    a_key_that_its_service_cannot_open: "sutra", |project| {
        set_mode(&project.path(".secrets/tls/fullchain.pem"), 0o600);
    } => "mode-too-narrow";
    an_env_of_somebody_else: "sutra", |project| {
        edit(project, "vault-kit.toml", "dialect = \"compose\"\n", "dialect = \"compose\"\nuid = 54321\n");
    } => "wrong-owner";
    an_env_that_is_gone: "mcp-rag", |project| std::fs::remove_file(project.path(".env")).unwrap() => "missing";
    a_token_that_is_gone: "sutra", |project| {
        std::fs::remove_file(project.path(".secrets/tokens/service_token.txt")).unwrap();
    } => "missing";
    an_env_behind_a_symlink: "mcp-rag", |project| {
        std::fs::rename(project.path(".env"), project.path("env")).unwrap();
        symlink("env", project.path(".env")).unwrap();
    } => "symlink";
    an_env_with_another_name: "mcp-rag", |project| {
        std::fs::hard_link(project.path(".env"), project.path("env.copy")).unwrap();
    } => "hard-linked";
    a_directory_that_docker_made: "docker-mcp", |project| {
        std::fs::remove_file(project.path(".secrets/api_keys")).unwrap();
        std::fs::create_dir(project.path(".secrets/api_keys")).unwrap();
    } => "not-a-file";
    a_directory_of_secrets_that_others_write_in: "omni2", |project| {
        set_mode(&project.path(".secrets/auth"), 0o777);
    } => "directory-writable-by-others";
    an_env_that_somebody_edited: "mcp-rag", |project| {
        let text = project.read(".env");
        let (before, after) = text.split_once("JWT_SECRET=").unwrap();
        project.write(".env", format!("{before}JWT_SECRET=X{after}"));
        set_mode(&project.path(".env"), 0o600);
    } => "stale";
    a_token_that_no_output_has_any_more: "sutra", |project| {
        edit(project, "vault-kit.toml", "secrets = [\"SERVICE_TOKEN\", \"ADMIN_TOKEN\"]", "secrets = [\"SERVICE_TOKEN\"]");
        edit(project, "vault-kit.toml", ", ADMIN_TOKEN = \"admin_token.txt\" }", " }");
    } => "orphaned";
    an_env_in_git: "sutra", |project| {
        git(project, &["init", "--quiet"]);
        git(project, &["add", "--force", ".env"]);
    } => "tracked-by-git";
    an_env_that_git_would_take: "sutra", |project| {
        git(project, &["init", "--quiet"]);
        append(project, ".gitignore", "!/.env\n");
    } => "not-ignored";
}
