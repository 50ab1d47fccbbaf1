//! `cert lint` beside pkilint.

use std::path::Path;

use crate::support::{Project, Run, python_judge, skip};
use crate::{codes, openssl};

/// What pkilint finds, as `SEVERITY code`; `None` when it is not installed, which has been said.
fn pkilint(test: &str, profile: &str, certificate: &Path) -> Option<Vec<String>> {
    let run = python_judge("pkilint.py").map(|mut judge| Run::of(judge.arg(profile).arg(certificate)));
    let Some(run) = run.filter(|run| run.code != 77) else {
        skip(test, "no pkilint: run tests/setup");
        return None;
    };
    Some(run.assert_code(0).stdout.lines().map(str::to_owned).collect())
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
    let Some(theirs) = pkilint("lint-one-liner", "cabf", &project.path("cert.pem")) else { return };
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

#[test]
fn what_we_issue_passes_both() {
    let project = Project::initialised(OURS);
    for file in ["tls/top/ca.pem", "issuing/cert.pem", "tls/server/cert.pem", "tls/client/cert.pem", "tls/own/cert.pem"]
    {
        let ours = project.run(["cert", "lint", file, "--strict", "--json"]).assert_code(0);
        assert_eq!(codes(&ours.stdout), [""; 0], "{file}");
        let Some(theirs) = pkilint("lint-ours", "pkix", &project.path(file)) else { return };
        let grave = |it: &&String| it.starts_with("ERROR ") || it.starts_with("WARNING ");
        let known = |it: &&String| it.ends_with("pkix.invalid_domain_name_syntax");
        let found: Vec<_> = theirs.iter().filter(grave).filter(|it| !known(it)).collect();
        assert_eq!(found, [""; 0], "{file}");
    }
    project.run(["cert", "lint", "tls/server/fullchain.pem", "--strict"]).assert_code(0);
    let Some(theirs) = pkilint("lint-ours", "cabf", &project.path("tls/server/cert.pem")) else { return };
    let errors = theirs.iter().filter(|it| it.starts_with("ERROR "));
    let unknown: Vec<_> = errors.filter(|it| !PRIVATE.contains(&it.as_str())).collect();
    assert_eq!(unknown, [""; 0]);
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
