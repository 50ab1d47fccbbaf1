//! What issues certificates: the CAs as they are declared, and the `cert` commands.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod layouts;
mod out;
mod postgres;
mod refused;
mod requests;
mod revocation;
#[path = "../support/mod.rs"]
mod support;

use std::process::Command;

use support::{Project, Run, program};
use vault_kit::name::SecretName;

/// A root, an issuing CA, and a certificate for servers.
const MANIFEST: &str = r#"
[project]
name = "shop"
[secrets.ROOT]
kind = "ca"
[secrets.CA]
kind = "ca"
issuer = "ROOT"
[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["api.shop.test"]
[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
"#;

fn openssl() -> Command {
    Command::new(program("openssl").expect("openssl is installed: run tests/setup"))
}

/// The current version of a secret, as text.
fn version(project: &Project, name: &str) -> String {
    project.ledger().secrets[name].version.to_string()
}

#[test]
fn a_certificate_with_a_new_name_takes_its_issuing_ca_along_and_leaves_the_root_alone() {
    let project = Project::initialised(MANIFEST);
    let versions = || ["ROOT", "CA", "TLS"].map(|name| version(&project, name));
    let before = versions();
    project.write("vault-kit.toml", MANIFEST.replace("\"api.shop.test\"", "\"api.shop.test\", \"www.shop.test\""));
    project.run(["generate"]).assert_code(0);
    let after = versions();
    assert_eq!(before[0], after[0]);
    assert!(before[1] != after[1] && before[2] != after[2], "{before:?} {after:?}");
    project.run(["generate"]).assert_code(0);
    assert_eq!(versions(), after);
}

#[test]
fn a_certificate_that_ends_with_its_issuer_is_warned_about() {
    let project =
        Project::with_manifest(&MANIFEST.replace("issuer = \"ROOT\"\n", "issuer = \"ROOT\"\nttl = \"30d\"\n"));
    let run = project.run(["init"]).assert_code(0);
    let day = project.ledger().secrets["TLS"].expires.unwrap().format("%Y-%m-%d").to_string();
    assert_eq!(
        run.stderr.lines().filter(|line| line.contains("warning")).collect::<Vec<_>>(),
        [format!("vault-kit: warning: `TLS` ends on {day} with `CA`, before its `ttl`")]
    );
    let run = Project::with_manifest(MANIFEST).run(["init"]).assert_code(0);
    assert!(!run.both().contains("warning"), "{run:?}");
}

#[test]
fn cert_ca_makes_what_is_missing_and_prints_the_root_or_the_bundle() {
    let project = Project::with_manifest(MANIFEST);
    project.run(["init"]).assert_code(0);
    project.edit_store(|store| assert!(store.remove(&"CA".parse_name())));
    let root = project.run(["cert", "ca"]).assert_code(0);
    assert!(root.stderr.contains("made `CA`"), "{root:?}");
    let before = version(&project, "CA");
    let count = |text: &str| text.matches("-----BEGIN CERTIFICATE-----").count();
    let bundle = project.run(["cert", "ca", "CA", "--bundle"]).assert_code(0).stdout;
    assert_eq!((count(&root.stdout), count(&bundle)), (1, 2));
    assert!(bundle.ends_with(&root.stdout));
    let alone = project.run(["cert", "ca", "CA"]).assert_code(0).stdout;
    assert_eq!(format!("{alone}{}", root.stdout), bundle);
    assert!(!bundle.contains("PRIVATE"));
    assert_eq!(version(&project, "CA"), before);

    project.run(["cert", "ca", "--out", "root.pem"]).assert_code(0);
    assert_eq!((project.read("root.pem"), project.mode("root.pem")), (root.stdout, 0o644));
    let usage = project.run(["cert", "ca", "TLS"]).assert_code(2);
    assert!(usage.stderr.contains("`TLS` is a certificate, not a CA"), "{usage:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_made_or_signed() {
    let project = Project::initialised(MANIFEST);
    request(&project);
    let before = project.contents();
    let sign = ["cert", "issue", "--csr", "their.csr", "--issuer", "CA"];
    for words in [&["cert", "crl"][..], &["cert", "ca"], &sign] {
        let run = project.run([words, &["--out", "no such/x.pem"]].concat()).assert_code(2);
        assert!(run.stderr.contains("make it with `mkdir -p '"), "{run:?}");
        let run = project.run([words, &["--out", "vault-kit.toml/x.pem"]].concat()).assert_code(2);
        assert!(run.stderr.contains("vault-kit.toml` is not a directory"), "{run:?}");
        project.run([words, &["--out", "tls"]].concat()).assert_code(6);
    }
    assert!(project.contents() == before);
}

#[test]
fn a_dry_run_of_every_writer_says_what_it_would_do_and_does_nothing() {
    let crl = "files = { key = \"key.pem\", crl = \"crl.pem\" }\n";
    let project = Project::initialised(&(MANIFEST.to_owned() + crl));
    project.edit_store(|store| assert!(store.remove(&"CA".parse_name())));
    project.run(["render"]).assert_code(0);
    request(&project);
    let before = project.contents();
    let run = |words: &[&str]| {
        let run = project.run([&["cert"], words, &["-n"]].concat()).assert_code(0);
        // What would be made is drawn anew when it is: there is nothing to hand over.
        assert_eq!(run.stdout, "", "{run:?}");
        let answer = json(&project.run([&["cert"], words, &["-n", "--json"]].concat()).assert_code(0).stdout);
        assert_eq!(answer["dry_run"], true);
        assert!(project.contents() == before, "{words:?}");
        (run.stderr, answer)
    };
    let (words, answer) = run(&["ca", "--out", "root.pem"]);
    assert!(words.contains("would make    CA ") && words.contains("root.pem"), "{words}");
    assert_eq!((&answer["made"][0]["secret"], &answer["files"][2]["outcome"]), (&"CA".into(), &"created".into()));
    let (words, answer) = run(&["crl", "ROOT", "--out", "lists.pem"]);
    assert!(words.contains("would make    ROOT ") && words.contains("revocation list"), "{words}");
    assert_eq!(answer["revocation_lists"], serde_json::json!(["ROOT"]));
    let (words, answer) = run(&["issue", "--csr", "their.csr", "--issuer", "ROOT", "--out", "their.pem"]);
    assert!(words.contains("would sign `api.shop.test` by `ROOT`, until "), "{words}");
    assert_eq!((&answer["subject"], &answer["issuer"]), (&"api.shop.test".into(), &"ROOT".into()));

    project.run(["generate"]).assert_code(0);
    let before = project.contents();
    let dry = |words: &[&str]| project.run([&["cert", "revoke", "-n"], words].concat()).assert_code(0);
    let words = dry(&["TLS"]).stderr;
    for expected in ["would revoke serial ", "would make `TLS` anew", "would make    CA ", "would write   tls/crl.pem"]
    {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let answer = json(&dry(&["--serial", "0abc", "--issuer", "CA", "--json"]).stdout);
    assert_eq!((&answer["dry_run"], &answer["changed"]), (&true.into(), &true.into()));
    assert_eq!((&answer["revoked"]["serial"], &answer["reissued"]), (&"0abc".into(), &serde_json::json!([])));
    assert!(project.contents() == before);
}

/// A request for a name that the CAs permit.
fn request(project: &Project) {
    let key = ["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=a"];
    let mut command = openssl();
    command.args(key).args(["-addext", "subjectAltName=DNS:api.shop.test", "-keyout"]).arg(project.path("their.key"));
    Run::of(command.arg("-out").arg(project.path("their.csr"))).assert_code(0);
}

#[test]
fn a_certificate_of_somebody_else_is_not_renewed_here_and_a_key_is_none() {
    let more = "[secrets.EXT]\nkind = \"certificate\"\nissuer = \"import\"\n[secrets.KEY]\nkind = \"encryption-key\"\n";
    let project = Project::initialised(&MANIFEST.replace("[outputs.tls]", &format!("{more}[outputs.tls]")));
    for verb in ["renew", "revoke"] {
        let run = project.run(["cert", verb, "EXT", "--yes"]).assert_code(2);
        assert!(run.stderr.contains("`EXT` is imported: somebody else issues, renews and revokes it"), "{run:?}");
        assert!(
            run.stderr.contains("`vault-kit cert import EXT --fullchain fullchain.pem --key privkey.pem`"),
            "{run:?}"
        );
    }
    let run = project.run(["cert", "renew", "KEY"]).assert_code(2);
    assert!(run.stderr.contains("`KEY` is of kind `encryption-key`, not a certificate"), "{run:?}");
}

#[test]
fn cert_issue_makes_what_is_named_and_nothing_twice() {
    let project = Project::initialised(MANIFEST);
    let second = MANIFEST.to_owned()
        + "[secrets.OTHER]\nkind = \"certificate\"\nissuer = \"CA\"\nusage = \"client\"\ndns = [\"api.shop.test\"]\n";
    project.write("vault-kit.toml", second + "[secrets.KEY]\nkind = \"random\"\n");
    let before = version(&project, "TLS");
    let answer = json(&project.run(["cert", "issue", "OTHER", "--json"]).assert_code(0).stdout);
    assert_eq!(answer["made"][0]["secret"], "OTHER");
    assert!(!project.ledger().secrets.contains_key("KEY"));
    let answer = json(&project.run(["cert", "issue", "--json"]).assert_code(0).stdout);
    assert_eq!((answer["made"].clone(), version(&project, "TLS")), (serde_json::json!([]), before));
    project.run(["cert", "issue", "KEY"]).assert_code(2);
}

#[test]
fn cert_renew_tells_cron_what_changed_and_ends_with_0_in_both_cases() {
    let project = Project::initialised(MANIFEST);
    let versions = || ["ROOT", "CA", "TLS"].map(|name| version(&project, name));
    let before = versions();
    let answer = json(&project.run(["cert", "renew", "--json"]).assert_code(0).stdout);
    assert_eq!((&answer["changed"], versions()), (&serde_json::json!(false), before.clone()));
    assert_eq!(statuses(&answer), "CA good, ROOT good, TLS good");

    // Two thirds of 90 days and a twentieth have passed.
    age(&project, "TLS", 66);
    let answer = json(&project.run(["cert", "renew", "--dry-run", "--json"]).assert_code(0).stdout);
    assert_eq!((&answer["changed"], versions()), (&serde_json::json!(true), before.clone()));
    assert_eq!(statuses(&answer), "CA good, ROOT good, TLS due");
    let answer = json(&project.run(["cert", "renew", "--json"]).assert_code(0).stdout);
    assert_eq!(statuses(&answer), "CA good, ROOT good, TLS renewed");
    let after = versions();
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2]);
    let answer = json(&project.run(["cert", "renew", "TLS", "--json"]).assert_code(0).stdout);
    assert_eq!((&answer["changed"], statuses(&answer)), (&serde_json::json!(false), "TLS good".to_owned()));
}

#[test]
fn check_status_and_cron_call_a_certificate_due_on_the_day_on_which_it_is_renewed() {
    let project = Project::initialised(MANIFEST);
    // The latest of all jitters: 64 days and 8 hours of 90 days.
    project.edit_store(|store| {
        let version = store.secrets.get_mut(&"TLS".parse_name()).unwrap().last_mut().unwrap();
        version.facts.insert("serial".into(), "00000000000000000000000000000072".into());
    });
    age(&project, "TLS", 63);
    let verdicts = || {
        project.run(["render"]).assert_code(0);
        let check = json(&project.run(["check", "--json"]).stdout);
        let findings: Vec<_> = check["findings"].as_array().unwrap().iter().map(|it| it["fix"].clone()).collect();
        let needs = project.run(["cert", "needs-renewal"]).code;
        let renew = json(&project.run(["cert", "renew", "TLS", "-n", "--json"]).assert_code(0).stdout);
        let status = json(&project.run(["status", "--json"]).assert_code(0).stdout);
        let row = status["secrets"].as_array().unwrap().iter().find(|it| it["name"] == "TLS").unwrap().clone();
        let renew_at = &renew["certificates"][0]["renew_at"];
        if renew["changed"] == false {
            assert_eq!(&row["due"], renew_at);
        }
        (findings, needs, renew["changed"].clone())
    };
    assert_eq!(verdicts(), (vec![], 0, false.into()));
    age(&project, "TLS", 2);
    assert_eq!(verdicts(), (vec!["vault-kit cert renew TLS".into()], 1, true.into()));
    project.run(["cert", "renew", "TLS"]).assert_code(0);
    assert_eq!(verdicts(), (vec![], 0, false.into()));
}

#[test]
fn a_certificate_is_renewed_when_its_declared_rotation_is_due() {
    let project = Project::initialised(&MANIFEST.replace("dns = ", "rotate = \"30d\"\ndns = "));
    project.edit_store(|store| {
        let version = store.secrets.get_mut(&"TLS".parse_name()).unwrap().last_mut().unwrap();
        version.created -= chrono::TimeDelta::days(31);
    });
    project.run(["render"]).assert_code(0);
    let check = json(&project.run(["check", "--json"]).assert_code(1).stdout);
    let finding = &check["findings"][0];
    assert_eq!((&finding["code"], &finding["fix"]), (&"rotation-due".into(), &"vault-kit cert renew TLS".into()));
    project.run(["cert", "needs-renewal"]).assert_code(1);
    project.run(["cert", "renew"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_renewal_has_a_new_key_and_a_new_serial() {
    let project = Project::initialised(MANIFEST);
    let facts = || (project.read("tls/key.pem"), project.ledger().secrets["TLS"].facts["serial"].clone());
    let before = facts();
    project.run(["cert", "renew", "TLS", "--force"]).assert_code(0);
    let after = facts();
    assert!(before.0 != after.0 && before.1 != after.1);
    assert_eq!(after.1.len(), 32);
}

#[test]
fn renewing_a_ca_renews_what_it_signed_in_the_same_change() {
    let project = Project::initialised(MANIFEST);
    let generation = project.ledger().header.generation;
    let answer = json(&project.run(["cert", "renew", "CA", "--force", "--json"]).assert_code(0).stdout);
    assert_eq!(statuses(&answer), "CA renewed, TLS renewed");
    assert_eq!(project.ledger().header.generation, generation + 1);
    let ledger = project.ledger();
    assert_eq!(ledger.secrets["TLS"].inputs["CA"], ledger.secrets["CA"].version);
}

#[test]
fn a_root_is_only_renewed_by_name_and_after_a_yes() {
    let project = Project::initialised(MANIFEST);
    age(&project, "ROOT", 3000);
    let before = version(&project, "ROOT");
    let run = project.run(["cert", "renew"]).assert_code(0);
    assert!(run.stderr.contains("the root `ROOT` is due"), "{run:?}");
    assert_eq!(version(&project, "ROOT"), before);
    let refused = project.run(["cert", "renew", "ROOT"]).assert_code(2);
    assert!(refused.stderr.contains("whoever trusts only the old one refuses all of it"), "{refused:?}");
    assert_eq!(version(&project, "ROOT"), before);
    let answer = json(&project.run(["cert", "renew", "ROOT", "--yes", "--json"]).assert_code(0).stdout);
    assert_eq!(statuses(&answer), "CA renewed, ROOT renewed, TLS renewed");
}

/// `openssl verify` of a certificate and its chain by a file of roots.
fn verify(project: &Project, roots: &str, chain: &str) -> Run {
    let mut command = openssl();
    command.args(["verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile"]);
    command.arg(project.path(roots)).arg("-untrusted").arg(project.path(chain));
    Run::of(command.arg(project.path(chain)))
}

#[test]
fn during_the_overlap_of_a_root_the_bundle_verifies_what_the_old_one_signed_and_what_the_new_one_signed() {
    let root = "[secrets.ROOT]\nkind = \"ca\"\n";
    let manifest = MANIFEST.replace(root, &format!("{root}overlap = \"30d\"\n"));
    let project = Project::initialised(&manifest);
    project.write("old.pem", project.read("tls/fullchain.pem"));
    project.write("old-root.pem", project.read("tls/ca.pem"));
    project.run(["check", "--strict"]).assert_code(0);
    let run = project.run(["cert", "renew", "ROOT", "--force"]).assert_code(2);
    assert!(run.stderr.contains("publish a new root `ROOT` beside the current one"), "{run:?}");
    let run = project.run(["cert", "renew", "ROOT", "--force", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("published the next `ROOT`"), "{run:?}");
    assert_eq!(project.read("tls/fullchain.pem"), project.read("old.pem"), "nothing is signed with it yet");
    // It is in force a month later, and not before.
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read("tls/fullchain.pem"), project.read("old.pem"));
    let month = chrono::TimeDelta::days(31);
    project.edit_store(|store| {
        let next = store.next_mut(&"ROOT".parse_name()).unwrap();
        next.life.published = next.life.published.map(|at| at - month);
    });
    let bundle = std::fs::File::options().write(true).open(project.path("tls/ca.pem")).unwrap();
    let written = bundle.metadata().unwrap().modified().unwrap();
    bundle.set_modified(written - month.to_std().unwrap()).unwrap();
    let run = project.run(["rotate", "--due"]).assert_code(0);
    assert!(run.stderr.contains("what the old `ROOT` signed is trusted until "), "{run:?}");
    assert_eq!(verify(&project, "tls/ca.pem", "tls/fullchain.pem").code, 0);
    assert_eq!(verify(&project, "tls/ca.pem", "old.pem").code, 0);
    assert_ne!(verify(&project, "old-root.pem", "tls/fullchain.pem").code, 0);
    assert_eq!(project.run(["cert", "ca"]).assert_code(0).stdout, project.read("tls/ca.pem"));
    project.run(["check", "--strict"]).assert_code(0);
    let status = json(&project.run(["status", "--json"]).assert_code(0).stdout);
    let row = status["secrets"].as_array().unwrap().iter().find(|it| it["name"] == "ROOT").unwrap().clone();
    assert_eq!(row["beside"][0]["state"], "retiring");

    // A month later: check tells of the old root, and the next writer takes it out.
    let mut ledger = project.ledger();
    ledger.secrets.get_mut(&"ROOT".parse_name()).unwrap().beside[0].until -= chrono::TimeDelta::days(31);
    project.write(".vault-kit/dev.ledger.jsonl", ledger.to_bytes().unwrap());
    let report = json(&project.run(["check", "--json"]).assert_code(1).stdout);
    let finding = &report["findings"][0];
    assert_eq!((&finding["code"], &finding["file"]), (&"stale".into(), &"tls/ca.pem".into()));
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    project.edit_store(|store| {
        for version in store.secrets.get_mut(&"ROOT".parse_name()).unwrap() {
            version.life.replaced = version.life.replaced.map(|at| at - chrono::TimeDelta::days(31));
        }
    });
    project.run(["render"]).assert_code(0);
    assert_eq!(verify(&project, "tls/ca.pem", "tls/fullchain.pem").code, 0);
    assert_ne!(verify(&project, "tls/ca.pem", "old.pem").code, 0);
    project.run(["check", "--strict"]).assert_code(0);
}

#[test]
fn a_root_that_was_dropped_is_in_no_bundle() {
    let root = "[secrets.ROOT]\nkind = \"ca\"\n";
    let project = Project::initialised(&MANIFEST.replace(root, &format!("{root}overlap = \"30d\"\n")));
    project.write("old.pem", project.read("tls/fullchain.pem"));
    project.run(["generate", "--replace", "ROOT", "--revoke", "--yes"]).assert_code(0);
    assert_eq!(verify(&project, "tls/ca.pem", "tls/fullchain.pem").code, 0);
    assert_ne!(verify(&project, "tls/ca.pem", "old.pem").code, 0);
}

/// Makes a certificate look as if it had been made so many days ago.
fn age(project: &Project, name: &str, days: i64) {
    project.edit_store(|store| {
        let version = store.secrets.get_mut(&name.parse_name()).unwrap().last_mut().unwrap();
        let back = chrono::TimeDelta::days(days);
        let not_before: chrono::DateTime<chrono::Utc> = version.facts["not_before"].parse().unwrap();
        version.facts.insert("not_before".into(), (not_before - back).to_rfc3339());
        version.expires = version.expires.map(|end| end - back);
    });
}

fn statuses(answer: &serde_json::Value) -> String {
    let rows = answer["certificates"].as_array().unwrap();
    let row =
        |row: &serde_json::Value| format!("{} {}", row["name"].as_str().unwrap(), row["status"].as_str().unwrap());
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

trait ParseName {
    fn parse_name(&self) -> SecretName;
}

impl ParseName for str {
    fn parse_name(&self) -> SecretName {
        SecretName::new(self).unwrap()
    }
}
