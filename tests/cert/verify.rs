//! `cert verify` beside `openssl verify`: the same answer to the same question.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};

use crate::sample::{Authority, Sample, self_signed, shift};
use crate::support::{Project, Run};
use crate::{codes, now, openssl};

/// A root, an intermediate that permits `example.test`, and leaves of every quality.
struct World {
    project: Project,
    root: Authority,
    issuing: Authority,
}

/// A question to both.
struct Question<'a> {
    name: &'a str,
    host: &'a str,
    client: bool,
    lists: Option<&'a str>,
}

impl World {
    fn new() -> Self {
        let root = Authority::root(now(), "test root", |_| ());
        let issuing = root.intermediate("test issuing", &["example.test"]);
        let project = Project::empty();
        project.write("root.pem", &root.pem);
        project.write("issuing.pem", &issuing.pem);
        Self { project, root, issuing }
    }

    fn leaf(&self, name: &str, dns: &[&str], number: u8, edit: impl FnOnce(&mut CertificateParams)) -> Sample {
        let leaf = self.issuing.leaf(dns, number, edit);
        self.project.write(&format!("{name}.pem"), &leaf.pem);
        self.project.write(&format!("{name}.full.pem"), format!("{}{}", leaf.pem, self.issuing.pem));
        leaf
    }

    fn ours(&self, question: &Question<'_>) -> Run {
        let file = format!("{}.full.pem", question.name);
        let purpose = if question.client { "client" } else { "server" };
        let mut command = self.project.command(["cert", "verify", &file, "--ca", "root.pem", "--json"]);
        command.args(["--host", question.host, "--purpose", purpose]);
        if let Some(lists) = question.lists {
            command.args(["--crl", lists]);
        }
        Run::of(&mut command)
    }

    fn openssl(&self, question: &Question<'_>) -> Run {
        let path = |name: &str| self.project.path(name);
        let mut command = openssl();
        command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(path("root.pem"));
        command.arg("-untrusted").arg(path("issuing.pem"));
        let is_address = question.host.parse::<std::net::IpAddr>().is_ok();
        command.args([if is_address { "-verify_ip" } else { "-verify_hostname" }, question.host]);
        command.args(["-purpose", if question.client { "sslclient" } else { "sslserver" }]);
        if let Some(lists) = question.lists {
            command.arg("-crl_check_all").arg("-CRLfile").arg(path(lists));
        }
        Run::of(command.arg(path(&format!("{}.pem", question.name))))
    }
}

#[test]
fn our_answer_is_openssl_s_in_every_case_of_the_table() {
    let world = World::new();
    let good = world.leaf("good", &["api.example.test", "*.wild.example.test"], 2, |_| ());
    world.leaf("expired", &["api.example.test"], 3, |it| shift(it, -91));
    world.leaf("future", &["api.example.test"], 4, |it| shift(it, 2));
    world.leaf("foreign", &["api.example.test", "google.com"], 5, |_| ());
    world.leaf("address", &["api.example.test", "10.0.0.1"], 6, |_| ());
    let client = |it: &mut CertificateParams| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    world.leaf("client", &["api.example.test"], 7, client);
    let stranger = self_signed(now(), &["api.example.test"], |_| ());
    world.project.write("stranger.pem", &stranger.pem);
    world.project.write("stranger.full.pem", &stranger.pem);
    let (root, issuing) = (&world.root, &world.issuing);
    world.project.write("fresh.crl", root.revocation_list(&[], 7) + &issuing.revocation_list(&[], 7));
    world.project.write("revoked.crl", root.revocation_list(&[], 7) + &issuing.revocation_list(&[&good], 7));
    world.project.write("old.crl", root.revocation_list(&[], 7) + &issuing.revocation_list(&[], 1));
    let lists = |all: &[String]| root.revocation_list(&[], 7) + &all.concat();
    let (clean, revoking) = (issuing.revocation_list(&[], 7), issuing.revocation_list_from(&[&good], -1, 7));
    world.project.write("older-first.crl", lists(&[clean.clone(), revoking.clone()]));
    world.project.write("newer-first.crl", lists(&[revoking, clean.clone()]));
    world.project.write("expired-first.crl", lists(&[issuing.revocation_list(&[], 1), clean.clone()]));
    let future = issuing.revocation_list_from(&[], 1, 7);
    world.project.write("future.crl", lists(std::slice::from_ref(&future)));
    world.project.write("future-first.crl", lists(&[future, clean]));
    world.project.write("half.crl", issuing.revocation_list(&[], 7));

    let ask = |name, host| Question { name, host, client: false, lists: None };
    let api = "api.example.test";
    let with = |lists| Question { lists: Some(lists), ..ask("good", api) };
    let as_client = |name| Question { client: true, ..ask(name, api) };
    // What is asked, our reason, OpenSSL's.
    let table = [
        (ask("good", api), "", "OK"),
        (ask("good", "x.wild.example.test"), "", "OK"),
        (ask("good", "x.y.wild.example.test"), "wrong-host", "hostname mismatch"),
        (ask("good", "example.test"), "wrong-host", "hostname mismatch"),
        (ask("good", "10.0.0.1"), "wrong-host", "IP address mismatch"),
        (ask("expired", api), "expired", "certificate has expired"),
        (ask("future", api), "not-yet-valid", "certificate is not yet valid"),
        (ask("client", api), "wrong-purpose", "unsuitable certificate purpose"),
        (as_client("client"), "", "OK"),
        (as_client("good"), "wrong-purpose", "unsuitable certificate purpose"),
        (ask("foreign", api), "name-not-permitted", "permitted subtree violation"),
        (ask("address", api), "name-not-permitted", "excluded subtree violation"),
        (ask("stranger", api), "unknown-issuer", "self-signed certificate"),
        (with("fresh.crl"), "", "OK"),
        (with("revoked.crl"), "revoked", "certificate revoked"),
        (with("old.crl"), "crl-expired", "CRL has expired"),
        (with("older-first.crl"), "revoked", "certificate revoked"),
        (with("newer-first.crl"), "revoked", "certificate revoked"),
        (with("expired-first.crl"), "", "OK"),
        (with("future.crl"), "crl-not-yet-valid", "CRL is not yet valid"),
        (with("future-first.crl"), "", "OK"),
        (with("half.crl"), "revocation-unknown", "unable to get certificate CRL"),
    ];
    for (question, reason, theirs) in &table {
        let case = format!("{} {} {:?}", question.name, question.host, question.lists);
        let (ours, judge) = (world.ours(question), world.openssl(question));
        assert!(judge.both().contains(theirs), "{case}: {judge:?}");
        assert_eq!(ours.code == 0, judge.code == 0, "{case}: {ours:?} {judge:?}");
        assert_eq!(ours.code, i32::from(!reason.is_empty()), "{case}: {ours:?}");
        let wanted: Vec<&str> = std::iter::once(*reason).filter(|it| !it.is_empty()).collect();
        assert_eq!(codes(&ours.stdout), wanted, "{case}");
    }
}

#[test]
fn what_is_wrong_is_said_on_stdout_and_a_good_one_in_a_word() {
    let world = World::new();
    world.leaf("good", &["api.example.test"], 2, |_| ());
    let verify =
        |host: &str| world.project.run(["cert", "verify", "good.full.pem", "--ca", "root.pem", "--host", host]);
    let good = verify("api.example.test").assert_code(0);
    assert_eq!((good.stdout.as_str(), good.stderr.as_str()), ("", "good.full.pem: valid\n"));
    let bad = verify("other.test").assert_code(1);
    assert_eq!(bad.stdout, "error    wrong-host  it is not valid for `other.test`\n");
    let leaf_alone = world.project.run(["cert", "verify", "good.pem", "--ca", "root.pem"]).assert_code(1);
    assert!(leaf_alone.stdout.starts_with("error    unknown-issuer  "), "{leaf_alone:?}");
    verify("*.example.test").assert_code(2);
}

#[test]
fn the_readme_names_every_reason() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let [source, readme] =
        ["src/x509/verify.rs", "README.md"].map(|path| std::fs::read_to_string(root.join(path)).unwrap());
    let reason = regex_lite::Regex::new(r#"Finding::error\(\s*"([a-z-]+)""#).unwrap();
    let absent: Vec<_> =
        reason.captures_iter(&source).map(|it| format!("`{}`", &it[1])).filter(|it| !readme.contains(it)).collect();
    assert!(reason.captures_iter(&source).count() > 15 && absent.is_empty(), "{absent:?}");
}
