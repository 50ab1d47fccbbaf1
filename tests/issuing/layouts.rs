//! The files that servers look for, and switching them together.

use std::time::Duration;

use crate::support::{Project, Run, python_judge, skip};
use crate::{MANIFEST, openssl};

fn project(more: &str) -> Project {
    Project::initialised(&(MANIFEST.to_owned() + more))
}

fn files(project: &Project) -> Vec<(String, u32)> {
    let entries = project
        .snapshot()
        .into_iter()
        .filter_map(|(path, entry)| Some((path.strip_prefix("tls/")?.to_owned(), entry.mode)));
    entries.collect()
}

#[test]
fn each_layout_has_the_names_and_modes_that_its_server_wants() {
    for (layout, expected) in [
        ("nginx", [("ca.pem", 0o644), ("fullchain.pem", 0o644), ("key.pem", 0o600)].as_slice()),
        ("haproxy", &[("ca.pem", 0o644), ("site.pem", 0o600)]),
        ("kubernetes", &[("ca.crt", 0o644), ("tls.crt", 0o644), ("tls.key", 0o600)]),
        ("postgres", &[("root.crt", 0o644), ("server.crt", 0o644), ("server.key", 0o600)]),
        ("traefik", &[("fullchain.pem", 0o644), ("key.pem", 0o600), ("tls.yml", 0o644)]),
    ] {
        let project = project(&format!("layout = \"{layout}\"\n"));
        let expected: Vec<_> = expected.iter().map(|&(name, mode)| (name.to_owned(), mode)).collect();
        assert_eq!(files(&project), expected, "{layout}");
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn haproxy_gets_certificate_chain_and_key_in_one_file() {
    let project = project("layout = \"haproxy\"\n");
    let text = project.read("tls/site.pem");
    let labels: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("-----BEGIN ")).collect();
    assert_eq!(labels, ["CERTIFICATE-----", "CERTIFICATE-----", "PRIVATE KEY-----"]);
    assert!(is_pair(&project, "site.pem", "site.pem"));
}

#[test]
fn kubernetes_gets_a_pair_and_traefik_the_paths_of_one() {
    let kubernetes = project("layout = \"kubernetes\"\n");
    assert!(is_pair(&kubernetes, "tls.crt", "tls.key"));
    let traefik = project("layout = \"traefik\"\n");
    let Some(mut yaml) = python_judge("yaml_to_json.py") else {
        return skip("layouts-yaml", "no .venv: run tests/setup");
    };
    let run = Run::with_stdin(&mut yaml, &traefik.bytes("tls/tls.yml")).assert_code(0);
    let named: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    // As the directory is mounted; what stands in it is a pair.
    let pair = serde_json::json!({
        "certFile": "/etc/traefik/tls/fullchain.pem", "keyFile": "/etc/traefik/tls/key.pem",
    });
    assert_eq!(named, serde_json::json!({"tls": {"certificates": [pair]}}));
    assert!(is_pair(&traefik, "fullchain.pem", "key.pem"));
}

/// Whether certificate and key have one public key, as OpenSSL sees it.
fn is_pair(project: &Project, cert: &str, key: &str) -> bool {
    let path = |name: &str| project.path(&format!("tls/{name}"));
    let certified = Run::of(openssl().args(["x509", "-noout", "-pubkey", "-in"]).arg(path(cert))).assert_code(0);
    let public = Run::of(openssl().args(["pkey", "-pubout", "-in"]).arg(path(key))).assert_code(0);
    certified.stdout == public.stdout
}

#[test]
fn an_atomic_output_is_links_and_every_command_knows_it() {
    let project = project("layout = \"nginx\"\natomic = true\n");
    let link = std::fs::read_link(project.path("tls/key.pem")).unwrap();
    assert_eq!(link.to_str(), Some("..data/key.pem"));
    assert!(is_pair(&project, "fullchain.pem", "key.pem"));
    project.run(["check"]).assert_code(0);
    let before = project.snapshot();
    project.run(["render"]).assert_code(0);
    let without_times = |snapshot: std::collections::BTreeMap<String, crate::support::Entry>| {
        snapshot.into_keys().filter(|path| path.starts_with("tls")).collect::<Vec<_>>()
    };
    assert_eq!(without_times(project.snapshot()), without_times(before));
    project.run(["cert", "renew", "TLS", "--force"]).assert_code(0);
    assert!(is_pair(&project, "fullchain.pem", "key.pem"));
    project.run(["check"]).assert_code(0);
    // What is changed behind our back is found through the link too.
    project.write("tls/key.pem", "hunter2");
    project.run(["check"]).assert_code(1);
}

#[test]
fn an_output_that_becomes_atomic_keeps_its_names() {
    let project = project("layout = \"nginx\"\n");
    let before = project.read("tls/key.pem");
    let atomic = MANIFEST.to_owned() + "layout = \"nginx\"\natomic = true\n";
    project.write("vault-kit.toml", atomic);
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read("tls/key.pem"), before);
    assert!(project.path("tls/..data").is_symlink() && project.path("tls/key.pem").is_symlink());
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_kill_at_any_instant_leaves_a_pair() {
    let project = project("layout = \"nginx\"\natomic = true\n");
    for round in 0..30 {
        let mut child = project.command(["cert", "renew", "TLS", "--force", "-q"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(2 + round * 3));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        assert!(is_pair(&project, "fullchain.pem", "key.pem"), "round {round}");
    }
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    let generations = files(&project).into_iter().filter(|(name, _)| name.starts_with("..") && !name.contains('/'));
    assert_eq!(generations.count(), 2, "{:?}", files(&project));
}

/// What of the directory is not a file of the output itself.
fn frame(project: &Project) -> Vec<String> {
    files(project).into_iter().map(|(name, _)| name).filter(|name| name.starts_with("..")).collect()
}

#[test]
fn an_output_that_is_atomic_no_more_is_plain_files_and_nothing_else() {
    let project = project("layout = \"nginx\"\natomic = true\n");
    let before = project.read("tls/key.pem");
    project.write("vault-kit.toml", MANIFEST.to_owned() + "layout = \"nginx\"\n");
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("was written as `pem, atomic`"), "{}", check.stdout);
    let dry = project.run(["render", "--dry-run"]).assert_code(0);
    assert!(dry.both().contains("tls/key.pem") && project.path("tls/key.pem").is_symlink(), "{dry:?}");
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read("tls/key.pem"), before);
    let expected = [("ca.pem", 0o644), ("fullchain.pem", 0o644), ("key.pem", 0o600)];
    assert_eq!(files(&project), expected.map(|(name, mode)| (name.to_owned(), mode)));
    assert!(!project.path("tls/key.pem").is_symlink());
    project.run(["check"]).assert_code(0);
}

#[test]
fn generations_that_a_killed_writer_left_behind_plain_files_are_swept() {
    let project = project("layout = \"nginx\"\n");
    project.write("tls/..0123456789abcdef/key.pem", "left");
    std::os::unix::fs::symlink("..0123456789abcdef", project.path("tls/..data")).unwrap();
    project.run(["render"]).assert_code(0);
    assert_eq!(frame(&project), Vec::<String>::new());
}

#[test]
fn links_of_others_beside_plain_files_are_left_alone() {
    let project = project("layout = \"nginx\"\n");
    project.write("tls/..2026_11_22/theirs", "theirs");
    std::os::unix::fs::symlink("..2026_11_22", project.path("tls/..data")).unwrap();
    project.run(["cert", "renew", "TLS", "--force"]).assert_code(0);
    assert_eq!(project.read("tls/..data/theirs"), "theirs");
}

/// Runs what `check` proposes for a file, in the project.
fn follow(project: &Project, check: &Run) {
    for fix in
        check.stdout.lines().filter_map(|line| line.trim().strip_prefix("fix: ")).filter(|it| it.starts_with("rm"))
    {
        let mut shell = std::process::Command::new("sh");
        assert_eq!(Run::of(shell.args(["-c", fix]).current_dir(project.root())).code, 0, "{fix}");
    }
}

#[test]
fn a_switched_output_that_is_removed_is_named_with_the_keys_behind_its_links() {
    let removed = MANIFEST.split("[outputs.").next().unwrap();
    let project = project("layout = \"nginx\"\natomic = true\n");
    project.write("vault-kit.toml", removed);
    project.run(["render"]).assert_code(0);
    let check = project.run(["check"]).assert_code(1);
    follow(&project, &check);
    let left = files(&project).into_iter().filter(|(name, _)| name.contains(".pem")).collect::<Vec<_>>();
    assert_eq!(left, [], "{}", check.stdout);
    project.run(["check"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    assert_eq!(files(&project), []);
}

#[test]
fn a_key_behind_a_link_that_somebody_removed_is_found_and_swept() {
    let removed = MANIFEST.split("[outputs.").next().unwrap();
    let project = project("layout = \"nginx\"\natomic = true\n");
    project.write("vault-kit.toml", removed);
    for name in ["ca.pem", "fullchain.pem", "key.pem"] {
        std::fs::remove_file(project.path(&format!("tls/{name}"))).unwrap();
    }
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("/key.pem") && check.stdout.contains("rm tls/.."), "{}", check.stdout);
    project.run(["render"]).assert_code(0);
    assert_eq!(files(&project), []);
    project.run(["check"]).assert_code(0);
}

#[test]
fn remove_names_the_keys_behind_the_links() {
    let project = project("layout = \"nginx\"\natomic = true\n");
    let warned = project.run(["remove", "TLS", "--yes"]).assert_code(0).stderr;
    let generation = frame(&project).into_iter().find(|name| name.ends_with("/key.pem")).unwrap();
    assert!(warned.contains(&format!("`rm tls/key.pem tls/{generation}`")), "{warned}");
}
