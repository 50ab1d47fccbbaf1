//! `hooks/http-probe` with a server of ours, and what `hooks/compose` and `hooks/docker-swarm` ask of Docker, from a
//! stand-in that takes notes.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use vault_kit::hook::{Status, Step};

use crate::scene::{Of, Scene, chmod};
use crate::support::root;

const PROBE: &str = include_str!("../../hooks/http-probe");

/// Answers 200 to whoever brings this header, else 401.
fn serve(header: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.unwrap();
            let lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let brings = lines.take_while(|line| !line.is_empty()).filter(|line| line == header).count() > 0;
            let status = if brings { "200 OK" } else { "401 Unauthorized" };
            let _ = (&connection).write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
    });
    port
}

fn probe(port: u16, more: &str, value: Of<'_>) -> Status {
    let options = format!("options = {{ url = \"http://127.0.0.1:{port}/health?a=b\", refuse = \"401\"{more} }}");
    let scene = Scene::new(PROBE, &options);
    let ended = scene.run(Step::Test, scene.input(Step::Test, value, None, "admin").to_vec());
    assert!(!ended.redacted(&[]).contains(value.1));
    ended.status
}

#[test]
fn a_service_is_asked_with_the_value_in_its_header() {
    let port = serve("Authorization: Bearer right-value");
    assert_eq!(probe(port, "", Of(None, "right-value")), Status::Done);
    assert_eq!(probe(port, "", Of(None, "wrong-value")), Status::Failed(1));
    assert_eq!(probe(port, "", Of(None, "broken\nvalue")), Status::Failed(1));
    let port = serve("X-Api-Key: right-value");
    assert_eq!(probe(port, ", header = \"X-Api-Key\"", Of(None, "right-value")), Status::Done);
    let port = serve("Authorization: Basic YXBwX2I6cmlnaHQtdmFsdWU=");
    assert_eq!(probe(port, "", Of(Some("app_b"), "right-value")), Status::Done);
}

/// Runs a shipped program with a `docker` that notes its arguments and answers by this script; the notes.
fn with_docker(hook: &str, step: &str, answers: &str, call: &Value, directory: &TempDir) -> Vec<String> {
    let (docker, notes) = (directory.path().join("docker"), directory.path().join("notes"));
    let script = format!("#!/bin/sh\necho \"$*\" >>'{}'\ncase \"$*\" in\n{answers}\nesac\n", notes.display());
    std::fs::write(&docker, script).unwrap();
    std::fs::write(&notes, "").unwrap();
    chmod(&docker, 0o755);
    let mut child = Command::new(root().join("hooks").join(hook))
        .arg(step)
        .env("PATH", format!("{}:{}", directory.path().display(), crate::support::search_path()))
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(call.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    std::fs::read_to_string(notes).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn compose_starts_exactly_the_services_again_that_read_a_changed_file() {
    let directory = TempDir::new().unwrap();
    let here = directory.path().canonicalize().unwrap();
    let path = |name: &str| here.join(name).display().to_string();
    let model = json!({
        "secrets": { "tls": { "file": path("tls/key.pem") } },
        "services": {
            "api": { "env_file": [{ "path": path("api.env"), "required": true }] },
            "db": { "image": "x", "environment": { "A": "${A}" } },
            "edge": { "volumes": [{ "type": "bind", "source": path("tls") }] },
            "key": { "secrets": [{ "source": "tls" }] },
            "other": { "volumes": [{ "type": "bind", "source": path("tls-other") }], "env_file": ["other.env"] },
            "stopped": { "volumes": [{ "type": "bind", "source": path("tls") }] },
        }
    });
    std::fs::write(directory.path().join("model"), model.to_string()).unwrap();
    let answers = "*config*) cat model ;;\n*ps*) echo api; echo db; echo edge; echo key; echo other ;;";
    let outputs = json!([
        { "output": "api", "path": path("api.env"), "secrets": [] },
        { "output": "tls", "path": path("tls/key.pem"), "secrets": [] },
    ]);
    let call = json!({ "schema_version": 1, "options": { "project": "shop" }, "outputs": outputs });
    let notes = with_docker("compose", "reload", answers, &call, &directory);
    let done: Vec<_> = notes.iter().filter(|line| !line.contains("config") && !line.contains(" ps ")).collect();
    assert_eq!(
        done,
        [
            "compose -p shop up --detach --no-deps --no-build --force-recreate api",
            "compose -p shop restart --no-deps edge key",
        ]
    );
    assert!(notes[0].contains("--no-interpolate --no-env-resolution"), "{notes:?}");
    let call = json!({ "schema_version": 1, "options": {}, "outputs": [{ "output": "e", "path": path(".env"), "secrets": [] }] });
    let notes = with_docker("compose", "reload", answers, &call, &directory);
    assert!(notes.contains(&"compose up --detach --no-deps --no-build --force-recreate db".to_owned()), "{notes:?}");
}

#[test]
fn a_value_for_swarm_is_a_secret_of_its_own_that_services_move_to() {
    let directory = TempDir::new().unwrap();
    let service = json!([{ "Spec": { "TaskTemplate": { "ContainerSpec": { "Secrets":
        [{ "SecretName": "shop_prod_pw_0000000000000000", "File": { "Name": "pw" } }] } } } }]);
    std::fs::write(directory.path().join("service"), service.to_string()).unwrap();
    let answers = "service\\ inspect*) cat service ;;\nsecret\\ inspect*0000) echo '[]' ;;\nsecret\\ inspect*) exit 1 ;;\nsecret\\ create*) cat >created ;;";
    let given = |id: &str, value: &str| json!({ "version": id, "value": value });
    let (old, new) = ("00000000-0000-0000-0000-000000000000", "11111111-1111-4111-8111-111111111111");
    let call = json!({ "schema_version": 1, "project": "shop", "environment": "prod", "secret": "PW",
        "options": { "services": "api" }, "new": given(new, "the value"), "old": given(old, "before") });
    let notes = with_docker("docker-swarm", "set", answers, &call, &directory);
    let name = "shop_prod_pw_1111111111114111";
    assert!(notes.iter().any(|line| line.starts_with("secret create") && line.contains(name)), "{notes:?}");
    let update = "service update --detach --quiet --secret-rm shop_prod_pw_0000000000000000 --secret-add";
    assert_eq!(*notes.last().unwrap(), format!("{update} source={name},target=pw api"));
    assert_eq!(std::fs::read_to_string(directory.path().join("created")).unwrap(), "the value");
    assert!(!notes.concat().contains("the value"));
    let notes = with_docker("docker-swarm", "retire", answers, &call, &directory);
    assert_eq!(notes.last().unwrap(), "secret rm shop_prod_pw_0000000000000000");
}

#[test]
fn every_shipped_program_says_what_it_needs_and_is_executable() {
    use std::os::unix::fs::PermissionsExt;
    for (name, text) in vault_kit::hook::SHIPPED {
        assert!(text.starts_with("#!/usr/bin/env python3\n\"\"\""), "{name}");
        assert!(text.contains("\nNeeds: ") && text.contains("Privileges: ") && text.contains("\nOptions:\n"), "{name}");
        let mode = root().join("hooks").join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o755, 0o755, "{name}");
    }
}
