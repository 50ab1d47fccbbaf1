//! Every file is written before any program is asked to read one.

use std::collections::BTreeMap;

use vault_kit::secret::digest::sha256_hex;

use crate::support::{Project, set_mode};

const MANIFEST: &str = r#"
[project]
name = "shop"

[secrets.DB]
kind = "password"
hooks = ["owner"]

[secrets.URL]
kind = "template"
template = "postgres://app:${DB | urlencode}@db/app"

[secrets.CA]
kind = "ca"

[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["localhost"]

[hooks.owner]
program = "hooks/looks"
steps = ["set", "test", "retire"]

[hooks.early]
program = "hooks/looks"
steps = ["reload"]
outputs = ["env"]

[hooks.late]
program = "hooks/looks"
steps = ["reload"]

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB", "URL"]

[outputs.app]
format = "json"
path = "app.json"
secrets = ["URL"]

[outputs.docker]
format = "docker-secrets"
path = "files"
secrets = ["DB", "URL"]

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
files = { fullchain = "fullchain.pem", key = "key.pem", ca = "ca.pem" }

[outputs.cluster]
format = "kubernetes-secret"
path = "secret.yaml"
secrets = ["DB"]
"#;

/// Writes down the digests of all files as they are when it is asked.
const LOOKS: &str = r#"#!/bin/sh
cat > input
sha256sum .env app.json files/db files/url tls/fullchain.pem tls/key.pem tls/ca.pem secret.yaml | sed "s/^/$1 /" >> seen
echo "$1 end" >> seen
"#;

const FILES: [&str; 8] =
    [".env", "app.json", "files/db", "files/url", "tls/fullchain.pem", "tls/key.pem", "tls/ca.pem", "secret.yaml"];

/// What each call saw, in their order: the step, and the digests by file.
fn seen(project: &Project) -> Vec<(String, BTreeMap<String, String>)> {
    let text = project.read("seen");
    std::fs::remove_file(project.path("seen")).unwrap();
    let (mut calls, mut files) = (Vec::new(), BTreeMap::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [step, "end"] => calls.push((step.to_owned(), std::mem::take(&mut files))),
            [_, digest, file] => drop(files.insert(file.to_owned(), digest.to_owned())),
            _ => panic!("{line}"),
        }
    }
    calls
}

fn digests(project: &Project) -> BTreeMap<String, String> {
    FILES.iter().map(|file| ((*file).to_owned(), sha256_hex(&project.bytes(file)))).collect()
}

#[test]
fn whoever_is_asked_to_read_files_finds_all_of_them_written() {
    let project = Project::with_manifest(MANIFEST);
    project.write("hooks/looks", LOOKS);
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/looks"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    for (words, changed, expected) in [
        (&["rotate", "DB"][..], 5, &["set", "test", "reload", "reload", "retire"][..]),
        (&["rotate", "CA", "DB", "--yes"], 8, &["set", "test", "reload", "reload", "retire"]),
        (&["incident", "DB", "--yes"], 5, &["set", "test", "reload", "reload", "retire"]),
        (&["incident", "TLS", "--yes"], 2, &["reload"]),
    ] {
        let before = digests(&project);
        project.run(words.iter().copied()).assert_code(0);
        let (after, calls) = (digests(&project), seen(&project));
        let steps: Vec<&str> = calls.iter().map(|(step, _)| step.as_str()).collect();
        assert_eq!(steps, expected, "{words:?}");
        assert_eq!(after.iter().filter(|(file, digest)| before[*file] != **digest).count(), changed, "{words:?}");
        for (step, files) in calls {
            let is_before = step == "set" || step == "test";
            assert_eq!(files, if is_before { before.clone() } else { after.clone() }, "{words:?}: {step}");
        }
    }
}
