//! `cert lint` beside pkilint.

use serde_json::{Value, json};

use crate::support::{Project, Run, python_judge, skip};
use crate::{codes, openssl};

/// What pkilint finds in each, as `SEVERITY code`; `None` when it is not installed, which has been said. Each is a profile and
/// files of the project.
fn pkilint(test: &str, project: &Project, asked: &[Vec<&str>]) -> Option<Vec<Vec<String>>> {
    let path = |file: &&str| project.path(file).display().to_string();
    let words =
        |words: &Vec<&str>| [&[words[0].to_owned()][..], &words[1..].iter().map(path).collect::<Vec<_>>()].concat();
    let asked = json!(asked.iter().map(words).collect::<Vec<_>>()).to_string();
    let run = python_judge("lint_certificates.py").map(|mut judge| Run::with_stdin(&mut judge, asked.as_bytes()));
    let Some(run) = run.filter(|run| run.code != 77) else {
        skip(test, "no pkilint: run tests/setup");
        return None;
    };
    Some(serde_json::from_str(&run.assert_code(0).stdout).unwrap())
}

/// The line that was in every README: a CA for everything, without a name.
fn one_liner(project: &Project) {
    let mut command = openssl();
    command.current_dir(project.root()).args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365"]);
    Run::of(command.args(["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"])).assert_code(0);
}

#[test]
fn the_one_liner_of_openssl_is_found_wanting_by_both() {
    let project = Project::empty();
    one_liner(&project);
    let ours = project.run(["cert", "lint", "cert.pem", "--json"]).assert_code(1);
    let wanted =
        ["ca-as-leaf", "purpose-absent", "key-usage-absent", "lifetime-too-long", "san-absent", "validity-second-over"];
    assert_eq!(codes(&ours.stdout), wanted);
    let Some(theirs) = pkilint("lint-one-liner", &project, &[vec!["cabf", "cert.pem"]]) else { return };
    let theirs = &theirs[0];
    let errors: Vec<_> = theirs.iter().filter(|it| it.starts_with("ERROR ")).collect();
    assert_eq!(errors.len(), 10, "{errors:?}");
    // Of each of ours that is in its field, pkilint knows.
    for code in [
        "subscriber_basic_constraints_ca_bit_set",
        "extended_key_usage_extension_absent",
        "key_usage_extension_absent",
        "validity_period_exceeds_200_days",
        "subject_altname_extension_absent",
    ] {
        assert!(theirs.iter().any(|it| it.contains(code)), "{code}: {theirs:?}");
    }
}

#[test]
fn the_one_liner_is_found_where_production_serves_it_as_plain_secrets_and_not_where_it_is_only_trusted() {
    let made = Project::empty();
    one_liner(&made);
    for (environment, expected) in [("dev", None), ("prod", Some("self-signed"))] {
        let project = Project::with_manifest(
            "[project]\nname = \"shop\"\n[environments.dev]\n[environments.prod]\n[secrets.TRUSTED]\nkind = \"external\"\n\
             [secrets.TLS_KEY]\nkind = \"external\"\noptional = true\n",
        );
        let set = |name: &str, file: &str| {
            project.write(file, made.read(file));
            project.run(["-e", environment, "set", name, "--from-file", file]).assert_code(0);
        };
        let found = || -> Vec<String> {
            let run = project.run(["-e", environment, "check", "--at", "host", "--strict", "--json"]);
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            let findings = report["findings"].as_array().unwrap();
            assert!(findings.iter().all(|it| it["secret"] == "TRUSTED" && it["severity"] == "warning"), "{run:?}");
            assert_eq!(run.code, i32::from(!findings.is_empty()), "{run:?}");
            findings.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
        };
        project.run(["-e", environment, "init"]).assert_code(0);
        // As whose clients would have it: somebody's root.
        set("TRUSTED", "cert.pem");
        assert_eq!(found(), [""; 0], "{environment}");
        set("TLS_KEY", "key.pem");
        assert_eq!(found(), expected.into_iter().collect::<Vec<_>>(), "{environment}");
    }
}

const OURS: &str = r#"
[project]
name = "judged"
[secrets.TOP]
kind = "ca"
[secrets.ISSUING]
kind = "ca"
issuer = "TOP"
permitted_dns = ["judged.test", "localhost"]
permitted_ip = ["127.0.0.0/8", "::1/128"]
[secrets.SERVER]
kind = "certificate"
issuer = "ISSUING"
dns = ["api.judged.test", "*.judged.test"]
ip = ["127.0.0.1", "::1"]
[secrets.CLIENT]
kind = "certificate"
issuer = "ISSUING"
usage = "client"
dns = ["worker.judged.test"]
uri = ["spiffe://judged.test/worker"]
[secrets.OWN]
kind = "certificate"
issuer = "self"
dns = ["api.judged.test"]
[outputs.tls]
format = "pem"
path = "tls"
[outputs.issuing]
format = "pem"
path = "issuing"
secrets = ["ISSUING"]
files = { cert = "cert.pem" }
"#;

/// What pkilint says of a leaf that no public CA issued: it has nowhere to fetch anything from, no policy of the
/// Forum, and names that are not registered.
const PRIVATE: [&str; 6] = [
    "ERROR cabf.internal_domain_name",
    "ERROR cabf.internal_ip_address",
    "ERROR cabf.serverauth.subscriber.authority_info_access_extension_absent",
    "ERROR cabf.serverauth.subscriber.certificate_policies_extension_absent",
    "ERROR cabf.serverauth.subscriber.revocation_information_absent",
    "ERROR msft.end_entity.revocation_information_absent",
];

/// What pkilint takes for wrong and is not: `localhost` and `*.` as names of hosts, and `spiffe://` as an address.
const MISTAKEN: [&str; 2] = ["ERROR pkix.invalid_domain_name_syntax", "ERROR pkix.invalid_uri_syntax"];

fn is_grave(finding: &str) -> bool {
    (finding.starts_with("ERROR ") || finding.starts_with("WARNING ")) && !MISTAKEN.contains(&finding)
}

#[test]
fn what_we_issue_passes_both_by_every_algorithm() {
    for algorithm in ["es256", "es384", "eddsa"] {
        let of_algorithm = format!("\nalgorithm = \"{algorithm}\"\n");
        let with = |kind: &str| format!("kind = \"{kind}\"{of_algorithm}");
        let manifest = ["ca", "certificate"]
            .iter()
            .fold(OURS.to_owned(), |text, kind| text.replace(&format!("kind = \"{kind}\"\n"), &with(kind)));
        let project = Project::initialised(&manifest);
        // A key of somebody else's, RSA.
        let mut request = openssl();
        request.current_dir(project.root()).args(["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]);
        request.args(["-keyout", "their.key", "-out", "their.csr", "-addext", "subjectAltName=DNS:their.judged.test"]);
        Run::of(&mut request).assert_code(0);
        project
            .run(["cert", "issue", "--csr", "their.csr", "--issuer", "ISSUING", "--out", "theirs.pem"])
            .assert_code(0);
        project.run(["cert", "revoke", "CLIENT", "--yes"]).assert_code(0);
        let lists = project.run(["cert", "crl"]).assert_code(0).stdout;
        // It reads the one block of a file.
        let single = |text: &str, label: &str, names: &[&str]| {
            let end = format!("-----END {label}-----\n");
            assert_eq!(text.matches(&end).count(), names.len(), "{label}");
            for (name, block) in names.iter().zip(text.split_inclusive(&end)) {
                project.write(name, block);
            }
        };
        single(&project.read("theirs.pem"), "CERTIFICATE", &["their.pem", "their-issuer.pem"]);
        single(&lists, "X509 CRL", &["1.crl", "2.crl"]);

        let (top, issuing) = ("tls/top/ca.pem", "issuing/cert.pem");
        let leaves = ["tls/server/cert.pem", "tls/client/cert.pem", "their.pem"];
        let own = ["tls/own/cert.pem", top, issuing];
        for file in leaves.iter().chain(&own) {
            let ours = project.run(["cert", "lint", file, "--strict", "--json"]).assert_code(0);
            assert_eq!(codes(&ours.stdout), [""; 0], "{algorithm} {file}");
        }
        project.run(["cert", "lint", "tls/server/fullchain.pem", "--strict"]).assert_code(0);
        let mut asked: Vec<_> = leaves.iter().chain(&own).map(|file| vec!["pkix", *file]).collect();
        asked.extend(leaves.map(|leaf| vec!["chain", issuing, leaf]));
        asked.extend([vec!["chain", top, issuing], vec!["crl", "1.crl"], vec!["crl", "2.crl"]]);
        let Some(theirs) = pkilint("lint-ours", &project, &asked) else { return };
        for (asked, theirs) in asked.iter().zip(theirs) {
            assert_eq!(theirs.iter().filter(|it| is_grave(it)).collect::<Vec<_>>(), [""; 0], "{algorithm} {asked:?}");
        }
        if algorithm == "es256" {
            let theirs = pkilint("lint-ours", &project, &[vec!["cabf", leaves[0]]]).unwrap();
            let errors = theirs[0].iter().filter(|it| it.starts_with("ERROR "));
            let unknown: Vec<_> = errors.filter(|it| !PRIVATE.contains(&it.as_str())).collect();
            assert_eq!(unknown, [""; 0]);
        }
    }
}

#[test]
fn warnings_fail_only_when_they_shall() {
    let project = Project::empty();
    let root = crate::sample::Authority::root(crate::now(), "root", |_| ());
    project.write("cert.pem", root.leaf(&["a.example"], 2, |it| it.not_after += time::Duration::seconds(1)).pem);
    let run = project.run(["cert", "lint", "cert.pem"]).assert_code(0);
    assert!(run.stdout.starts_with("warning  validity-second-over  "), "{run:?}");
    project.run(["cert", "lint", "cert.pem", "--strict"]).assert_code(1);
    project.run(["cert", "lint", "cert.pem", "--profile", "client"]).assert_code(1);
}
