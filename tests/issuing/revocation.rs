//! `cert revoke` and `cert crl`: what OpenSSL says of a certificate before and after.

use crate::support::{Project, Run};
use crate::{MANIFEST, ParseName as _, json, openssl, version};

const CRL: &str = "files = { fullchain = \"fullchain.pem\", key = \"key.pem\", ca = \"ca.pem\", crl = \"crl.pem\" }\n";

/// With the revocation lists beside the certificate.
fn project() -> Project {
    Project::initialised(&(MANIFEST.to_owned() + CRL))
}

/// `openssl verify` with the lists of the whole path.
fn verify(project: &Project, cert: &str) -> Run {
    let mut command = openssl();
    command.args(["verify", "-x509_strict", "-crl_check_all", "-no-CApath", "-no-CAstore", "-CAfile"]);
    command.arg(project.path("tls/ca.pem")).arg("-CRLfile").arg(project.path("tls/crl.pem"));
    Run::of(command.arg("-untrusted").arg(project.path(cert)).arg(project.path(cert)))
}

/// What OpenSSL reads of each list in the file.
fn lists(project: &Project, file: &str) -> Vec<String> {
    let text = project.read(file);
    let blocks = text.split_inclusive("-----END X509 CRL-----\n");
    blocks
        .map(|block| {
            project.write("one.crl", block);
            let run =
                Run::of(openssl().args(["crl", "-noout", "-text", "-crlnumber", "-in"]).arg(project.path("one.crl")));
            run.assert_code(0).stdout
        })
        .collect()
}

fn number(list: &str) -> u64 {
    let number = list.lines().find_map(|line| line.strip_prefix("crlNumber=0x")).unwrap();
    u64::from_str_radix(number, 16).unwrap()
}

#[test]
fn a_certificate_is_good_with_the_lists_of_its_whole_path_and_refused_once_it_is_revoked() {
    let project = project();
    assert_eq!(verify(&project, "tls/fullchain.pem").code, 0);
    assert_eq!((lists(&project, "tls/crl.pem").len(), project.mode("tls/crl.pem")), (2, 0o644));
    let old = project.read("tls/fullchain.pem");
    project.write("old.pem", &old);
    let before = version(&project, "TLS");

    let refused = project.run(["cert", "revoke", "TLS"]).assert_code(2);
    assert!(refused.stderr.contains("revoke `TLS` for good"), "{refused:?}");
    let run = project.run(["cert", "revoke", "TLS", "--reason", "keyCompromise", "--yes", "--json"]).assert_code(0);
    let answer = json(&run.stdout);
    assert_eq!((&answer["changed"], &answer["reissued"]), (&true.into(), &serde_json::json!(["TLS"])));
    assert_ne!(version(&project, "TLS"), before);
    assert_eq!(verify(&project, "tls/fullchain.pem").code, 0);
    let refused = verify(&project, "old.pem");
    assert!(refused.code != 0 && refused.both().contains("certificate revoked"), "{refused:?}");
    let list = lists(&project, "tls/crl.pem").remove(0);
    assert!(list.contains("Key Compromise"), "{list}");
    let serial = answer["revoked"]["serial"].as_str().unwrap().to_uppercase();
    assert!(list.contains(&serial), "{list}");
}

#[test]
fn a_serial_is_revoked_once_and_stays_on_the_list_until_its_certificate_ends() {
    let project = project();
    let serial = project.ledger().secrets["TLS"].facts["serial"].clone();
    project.write("old.pem", project.read("tls/fullchain.pem"));
    project.run(["cert", "renew", "TLS", "--force"]).assert_code(0);
    assert_eq!(verify(&project, "old.pem").code, 0);
    let revoke = || project.run(["cert", "revoke", "--serial", &serial.to_uppercase(), "--issuer", "CA", "--yes"]);
    assert!(!revoke().assert_code(0).stderr.contains("does not know"));
    let refused = verify(&project, "old.pem");
    assert!(refused.both().contains("certificate revoked"), "{refused:?}");
    assert!(revoke().assert_code(0).stderr.contains("is revoked already"));
    assert_eq!(project.store().certificates.revoked.len(), 1);

    let listed = || project.run(["cert", "crl", "CA"]).assert_code(0).stdout;
    project.write("crl.pem", listed());
    assert!(lists(&project, "crl.pem")[0].contains(&serial.to_uppercase()));
    project.edit_store(|store| store.certificates.revoked[0].expires -= chrono::TimeDelta::days(91));
    project.write("crl.pem", listed());
    assert!(lists(&project, "crl.pem")[0].contains("No Revoked Certificates"));
}

#[test]
fn a_serial_that_the_store_does_not_know_is_revoked_with_a_warning() {
    let project = project();
    let run = project.run(["cert", "revoke", "--serial", "0A:bc", "--issuer", "CA", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("warning: the store does not know serial 0abc"), "{run:?}");
    assert!(lists(&project, "tls/crl.pem")[0].contains("Serial Number: 0ABC"));
}

#[test]
fn a_serial_that_the_store_does_not_know_is_revoked_by_every_version_of_the_ca_that_may_have_signed_it() {
    let project = project();
    project.run(["cert", "renew", "CA", "--force"]).assert_code(0);
    project.run(["cert", "revoke", "--serial", "0abc", "--issuer", "CA", "--yes"]).assert_code(0);
    let lists = lists(&project, "tls/crl.pem");
    // The new issuing CA, the old one, the root.
    let revoked: Vec<bool> = lists.iter().map(|list| list.contains("Serial Number: 0ABC")).collect();
    assert_eq!(revoked, [true, true, false]);
}

#[test]
fn a_serial_of_a_ca_that_is_gone_is_not_revoked_by_another_one() {
    let project = project();
    let serial = project.ledger().secrets["TLS"].facts["serial"].clone();
    let held = project.ledger().secrets["CA"].facts["serial"].clone();
    project.edit_store(|store| {
        let gone = vault_kit::secret::random::version_id().unwrap();
        let version = store.secrets.get_mut(&"TLS".parse_name()).unwrap().last_mut().unwrap();
        version.inputs.insert("CA".parse_name(), gone);
    });
    let state =
        || (project.store().generation, project.store().certificates.revoked.len(), project.read("tls/crl.pem"));
    let before = state();
    for target in [&["--serial", &serial, "--issuer", "CA"][..], &["TLS"]] {
        let run = project.run([&["cert", "revoke", "--yes"], target].concat()).assert_code(1);
        assert!(run.stderr.contains("another `CA` signed serial") && run.stderr.contains(&held), "{run:?}");
    }
    assert_eq!(state(), before);
    let run = project.run(["cert", "revoke", "--serial", &held, "--issuer", "CA", "--yes"]).assert_code(2);
    assert!(run.stderr.contains("`ROOT` signed serial"), "{run:?}");
}

#[test]
fn the_number_of_a_list_only_rises_and_its_next_update_is_a_week_away() {
    let project = project();
    let mut last = 0;
    for _ in 0..3 {
        project.run(["cert", "crl", "--out", "crl.pem"]).assert_code(0);
        let lists = lists(&project, "crl.pem");
        assert_eq!(lists.len(), 2);
        assert!(lists.iter().all(|list| number(list) > last), "{lists:?}");
        last = lists.iter().map(|list| number(list)).max().unwrap();
        // The output has the same ones.
        assert_eq!(project.read("crl.pem"), project.read("tls/crl.pem"));
    }
    let next = &project.store().certificates.lists["CA"].next_update;
    let left = *next - chrono::DateTime::from_timestamp(now(), 0).unwrap();
    assert!(left > chrono::TimeDelta::hours(7 * 24 - 1) && left <= chrono::TimeDelta::days(7), "{left}");
}

#[expect(clippy::disallowed_methods, reason = "the program runs by the system's clock")]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

#[test]
fn render_makes_new_lists_before_the_old_ones_end_and_not_sooner() {
    let project = project();
    let before = project.read("tls/crl.pem");
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read("tls/crl.pem"), before);
    age(&project, 4);
    project.run(["render"]).assert_code(0);
    assert_ne!(project.read("tls/crl.pem"), before);
}

/// Makes the lists look as if they had been made so many days ago.
fn age(project: &Project, days: i64) {
    project.edit_store(|store| {
        for lists in store.certificates.lists.values_mut() {
            lists.next_update -= chrono::TimeDelta::days(days);
        }
    });
}

#[test]
fn a_dry_run_announces_the_lists_that_would_be_made_and_changes_nothing() {
    let project = project();
    age(&project, 4);
    let before = project.contents();
    for (words, writes) in
        [(&["render"][..], "would write   tls/crl.pem"), (&["cert", "renew"], "would write `tls/crl.pem`")]
    {
        let run = project.run([words, &["-n"]].concat()).assert_code(0);
        assert!(run.stderr.contains("would make    CA ") && run.stderr.contains("would make    ROOT "), "{run:?}");
        assert!(run.stderr.contains("revocation list\n") && run.stderr.contains(writes), "{run:?}");
        let answer = json(&project.run([words, &["-n", "--json"]].concat()).assert_code(0).stdout);
        assert_eq!(answer["revocation_lists"], serde_json::json!(["CA", "ROOT"]));
    }
    assert!(project.contents() == before);
    let answer = json(&project.run(["render", "--json"]).assert_code(0).stdout);
    assert_eq!(answer["revocation_lists"], serde_json::json!(["CA", "ROOT"]));
    let run = project.run(["render"]).assert_code(0);
    assert!(run.stderr.contains("nothing to do"), "{run:?}");
}

#[test]
fn check_tells_of_a_list_that_nobody_made_anew_and_status_when_it_ends() {
    let project = project();
    let ledger = project.read(".vault-kit/dev.ledger.jsonl");
    let next_update = project.ledger().secrets["ROOT"].facts["crl_next_update"].clone();
    let check = |days: i64| {
        let aged = chrono::DateTime::parse_from_rfc3339(&next_update).unwrap() - chrono::TimeDelta::days(days);
        let aged = aged.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let root = |line: &str| {
            if line.contains("\"name\":\"ROOT\"") { line.replace(&next_update, &aged) } else { line.into() }
        };
        project.write(".vault-kit/dev.ledger.jsonl", ledger.lines().map(|it| root(it) + "\n").collect::<String>());
        let report = json(&project.run(["check", "--json"]).stdout);
        let findings = report["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|it| ["code", "secret", "fix"].map(|key| it[key].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    // Past half of its life `render` makes a new one; it is told of once that did not happen.
    assert_eq!(check(4), [[""; 3]; 0]);
    assert_eq!(check(5), [["crl-expiring", "ROOT", "vault-kit render"]]);
    let status = project.run(["status"]).assert_code(0).stdout;
    let row = status.lines().find(|line| line.starts_with("ROOT") && line.contains(" crl ")).unwrap();
    let aged = chrono::DateTime::parse_from_rfc3339(&next_update).unwrap() - chrono::TimeDelta::days(5);
    assert!(row.ends_with(&aged.format("%Y-%m-%d %H:%M").to_string()), "{row}");
    let status = json(&project.run(["status", "--json"]).assert_code(0).stdout);
    let with_lists = status["secrets"].as_array().unwrap().iter().filter(|it| it["crl_next_update"].is_string());
    assert_eq!(with_lists.map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(), ["CA", "ROOT"]);
    assert_eq!(check(8), [["crl-expired", "ROOT", "vault-kit render"]]);
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn check_does_not_ask_for_lists_that_no_output_delivers() {
    let project = Project::initialised(MANIFEST);
    project.run(["cert", "crl"]).assert_code(0);
    age(&project, 8);
    project.run(["render"]).assert_code(0);
    project.run(["check", "--strict"]).assert_code(0);
}

#[test]
fn check_finds_a_delivered_list_that_is_not_the_newest() {
    let project = project();
    let old = project.read("tls/crl.pem");
    let serial = project.ledger().secrets["TLS"].facts["serial"].clone();
    project.run(["cert", "revoke", "--serial", &serial, "--issuer", "CA", "--yes"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    // As a crash leaves it between store and files.
    project.write("tls/crl.pem", old);
    let report = json(&project.run(["check", "--json"]).assert_code(1).stdout);
    assert_eq!(
        (&report["findings"][0]["code"], &report["findings"][0]["file"]),
        (&"stale".into(), &"tls/crl.pem".into())
    );
    project.run(["render"]).assert_code(0);
    project.run(["check", "--strict"]).assert_code(0);
}

#[test]
fn an_issuing_ca_is_revoked_in_the_list_of_its_root_and_what_it_signed_goes_with_it() {
    let project = project();
    project.write("old.pem", project.read("tls/fullchain.pem"));
    let answer = json(&project.run(["cert", "revoke", "CA", "--yes", "--json"]).assert_code(0).stdout);
    assert_eq!(answer["reissued"], serde_json::json!(["CA", "TLS"]));
    assert_eq!(verify(&project, "tls/fullchain.pem").code, 0);
    let refused = verify(&project, "old.pem");
    assert!(refused.both().contains("certificate revoked"), "{refused:?}");
    // The old CA's list is there as well, for what else it signed.
    assert_eq!(lists(&project, "tls/crl.pem").len(), 3);
}

#[test]
fn what_signed_itself_cannot_be_revoked() {
    let project = project();
    let run = project.run(["cert", "revoke", "ROOT", "--yes"]).assert_code(2);
    assert!(run.stderr.contains("nobody but itself signed `ROOT`"), "{run:?}");
}

#[test]
fn a_certificate_is_revoked_whatever_stands_in_the_place_of_another_file() {
    let project = project();
    let old = project.read("tls/fullchain.pem");
    project.write("old.pem", &old);
    let more = "[outputs.bundle]\nformat = \"pem\"\npath = \"bundle\"\nsecrets = [\"TLS\"]\n";
    project.write("vault-kit.toml", MANIFEST.to_owned() + CRL + more + "files = { key = \"key.pem\" }\n");
    project.write("bundle/key.pem", "by hand");
    let run = project.run(["cert", "revoke", "TLS", "-n"]).assert_code(8);
    assert!(run.stderr.contains("would revoke") && run.stderr.contains("`bundle/key.pem` is there"), "{run:?}");
    let run = project.run(["cert", "revoke", "TLS", "--yes"]).assert_code(8);
    for words in ["revoked serial", "`bundle/key.pem` is there already", "finish with `vault-kit render`"] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert!(verify(&project, "old.pem").both().contains("certificate revoked"));
    assert_eq!(verify(&project, "tls/fullchain.pem").code, 0);
    assert_eq!(project.read("bundle/key.pem"), "by hand");
}
