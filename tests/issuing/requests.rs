//! `cert issue --csr`: somebody else's key.

use std::path::Path;
use std::process::Command;

use crate::support::{Project, Run};
use crate::{MANIFEST, openssl};

/// An issuing CA that permits one domain and the machine.
fn project() -> Project {
    let permitted = "issuer = \"ROOT\"\npermitted_dns = [\"shop.test\"]\n";
    Project::initialised(&MANIFEST.replacen("issuer = \"ROOT\"\n", permitted, 1))
}

/// A key and a request for it, made by OpenSSL.
fn request(project: &Project, key: &[&str], names: &str) {
    let key_file = project.path("their.key");
    Run::of(openssl().args(["genpkey", "-out"]).arg(&key_file).args(key)).assert_code(0);
    let mut command = openssl();
    command.args(["req", "-new", "-subj", "/CN=whatever/O=Evil", "-key"]).arg(&key_file);
    if !names.is_empty() {
        command.args(["-addext", &format!("subjectAltName={names}")]);
    }
    // What they ask for beyond names is not theirs to decide.
    command.args(["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]);
    Run::of(command.arg("-out").arg(project.path("their.csr"))).assert_code(0);
}

const P256: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn issue(project: &Project, more: &[&str]) -> Run {
    project.run([&["cert", "issue", "--csr", "their.csr", "--issuer", "CA", "--out", "their.pem"], more].concat())
}

fn verify(project: &Project, options: &[&str]) -> Run {
    let root = project.run(["cert", "ca"]).assert_code(0).stdout;
    project.write("root.pem", root);
    let mut command = openssl();
    command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(project.path("root.pem"));
    command.args(options).arg("-untrusted").arg(project.path("their.pem"));
    Run::of(command.arg(project.path("their.pem")))
}

fn text(path: &Path) -> String {
    Run::of(openssl().args(["x509", "-noout", "-text", "-in"]).arg(path)).assert_code(0).stdout
}

#[test]
fn openssl_accepts_what_was_signed_for_every_kind_of_key_that_is_fit() {
    let keys: [&[&str]; 4] = [
        &P256,
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-algorithm", "ED25519"],
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ];
    let project = project();
    for key in keys {
        request(&project, key, "DNS:Api.shop.test,IP:127.0.0.1,URI:spiffe://shop.test/api");
        issue(&project, &[]).assert_code(0);
        for name in [["-verify_hostname", "api.shop.test"], ["-verify_ip", "127.0.0.1"]] {
            let run = verify(&project, &[&["-purpose", "sslserver"][..], &name].concat());
            assert_eq!(run.code, 0, "{key:?}: {run:?}");
        }
        let text = text(&project.path("their.pem"));
        assert!(text.contains("CA:FALSE") && !text.contains("CA:TRUE") && !text.contains("Evil"), "{text}");
        assert!(!text.contains("Certificate Sign"), "{text}");
        assert_eq!(text.contains("Key Encipherment"), key.contains(&"RSA"), "{text}");
        let public = |arguments: &[&str], file: &str| {
            Run::of(Command::new(openssl().get_program()).args(arguments).arg(project.path(file))).assert_code(0).stdout
        };
        let certified = public(&["x509", "-noout", "-pubkey", "-in"], "their.pem");
        assert_eq!(certified, public(&["pkey", "-pubout", "-in"], "their.key"));
    }
}

#[test]
fn the_chain_goes_to_stdout_and_its_serial_into_the_store() {
    let project = project();
    request(&project, &P256, "DNS:a.shop.test");
    let csr = project.bytes("their.csr");
    let run = project.run_with_stdin(["cert", "issue", "--csr", "-", "--issuer", "CA", "--ttl", "10d"], &csr);
    let chain = run.assert_code(0).stdout;
    assert_eq!(chain.matches("-----BEGIN CERTIFICATE-----").count(), 2);
    let issued = project.store().certificates.issued;
    assert_eq!((issued.len(), issued[0].subject.as_str()), (1, "a.shop.test"));
    project.write("their.pem", &chain);
    let serial = Run::of(openssl().args(["x509", "-noout", "-serial", "-in"]).arg(project.path("their.pem")));
    assert_eq!(serial.stdout.trim().to_lowercase(), format!("serial={}", issued[0].serial));
    // Nothing of it is said where no identity is needed.
    assert!(!project.read(".vault-kit/dev.ledger.jsonl").contains(&issued[0].serial));
}

#[test]
fn names_from_the_command_line_take_the_place_of_those_in_the_request() {
    let project = project();
    request(&project, &P256, "DNS:elsewhere.example");
    issue(&project, &["--dns", "b.shop.test", "--ip", "127.0.0.1", "--client"]).assert_code(0);
    let run = verify(&project, &["-purpose", "sslclient", "-verify_hostname", "b.shop.test"]);
    assert_eq!(run.code, 0, "{run:?}");
    let text = text(&project.path("their.pem"));
    assert!(!text.contains("elsewhere") && !text.contains("Server Authentication"), "{text}");
}

#[test]
fn a_request_that_must_not_be_signed_is_refused_and_leaves_no_trace() {
    let project = project();
    let before = project.ledger().header.generation;
    let refused = |code: i32, why: &str, more: &[&str]| {
        let run = issue(&project, more).assert_code(code);
        assert!(run.stderr.contains(why), "expected `{why}`: {run:?}");
        assert!(!project.path("their.pem").exists());
    };
    request(&project, &P256, "DNS:shop.test,DNS:google.com");
    refused(1, "`their.csr`: DNS name 2 of the request is outside what `CA`, which is to sign it, permits", &[]);
    refused(1, "`permitted_dns` of `CA` in vault-kit.toml, then `vault-kit generate CA`", &[]);
    refused(2, "`--dns` 1 is outside what `CA`, which is to sign it, permits", &["--dns", "google.com"]);
    request(&project, &P256, "DNS:shop.test,IP:8.8.8.8");
    refused(1, "address 1 of the request is outside what `CA`", &[]);
    refused(2, "`--dns` 1 has an underscore", &["--dns", "a_b.shop.test"]);
    refused(2, "verifiers refuse more than `825d`", &["--ttl", "826d"]);
    request(&project, &P256, "DNS:shop.test,DNS:*.test");
    refused(1, "name 2 of the request has a wildcard that verifiers refuse", &[]);
    request(&project, &P256, "DNS:shop.test,email:a@shop.test");
    refused(1, "name 2 of the request is of a form that is not issued here", &[]);
    request(&project, &P256, "");
    refused(1, "the request asks for no name that a verifier looks at", &[]);
    request(&project, &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "DNS:shop.test");
    refused(1, "the request's key is of a kind that is not certified here", &[]);
    request(&project, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "DNS:shop.test");
    refused(1, "the request's key is of a kind that is not certified here", &[]);

    // One bit of the signature.
    request(&project, &P256, "DNS:shop.test");
    let der = Run::of(
        openssl()
            .args(["req", "-outform", "DER", "-in"])
            .arg(project.path("their.csr"))
            .arg("-out")
            .arg(project.path("their.der")),
    );
    der.assert_code(0);
    let mut der = project.bytes("their.der");
    *der.last_mut().unwrap() ^= 1;
    project.write("their.csr", &der);
    refused(1, "the request's signature is not by the key that it names", &[]);
    project.write("their.csr", &der[1..]);
    refused(1, "the file is not one certificate signing request", &[]);
    assert_eq!(project.ledger().header.generation, before);
    assert!(project.store().certificates.is_empty());
}

#[test]
fn whoever_has_one_is_named_where_its_ca_is_replaced_revoked_or_removed() {
    let project = project();
    request(&project, &P256, "DNS:x.shop.test");
    let run = issue(&project, &["--ttl", "80d"]).assert_code(0);
    let serial = run.stderr.trim_end().rsplit(' ').next().unwrap().to_owned();
    let breaks = format!("breaks certificate `{serial}` of `x.shop.test`, until ");
    let again = "; sign another one with `vault-kit cert issue --csr FILE --issuer CA`";
    let told = |arguments: &[&str]| {
        let run = project.run(arguments).assert_code(0);
        run.stderr.lines().any(|line| line.starts_with(&breaks) && line.ends_with(again))
    };
    assert!(told(&["generate", "--replace", "ROOT", "-n"]), "a root that is cut off");
    assert!(told(&["generate", "--replace", "ROOT", "--revoke", "-n"]));
    assert!(
        told(&["generate", "--replace", "CA", "--revoke", "-n"]),
        "an issuing CA that goes on the list of its root"
    );
    assert!(told(&["cert", "revoke", "CA", "-n"]));
    assert!(!told(&["generate", "--replace", "CA", "-n"]), "what an issuing CA signed before goes on with its chain");
    assert!(!told(&["cert", "revoke", "TLS", "-n"]));
    let answer = project.run(["cert", "revoke", "CA", "-n", "--json"]).assert_code(0).stdout;
    assert!(answer.contains(&breaks), "{answer}");
    let run = project.run(["remove", "CA", "-n"]).assert_code(0);
    assert!(
        run.stderr.contains(&format!("warning: nobody can revoke certificate `{serial}` of `x.shop.test`")),
        "{run:?}"
    );

    project.run(["cert", "revoke", "--serial", &serial, "--issuer", "CA", "--yes"]).assert_code(0);
    assert!(!told(&["generate", "--replace", "CA", "--revoke", "-n"]), "what is revoked breaks no more");
}

#[test]
fn nobody_is_named_where_the_old_root_stays_for_what_it_signed() {
    let project = project();
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replacen("kind = \"ca\"\n", "kind = \"ca\"\noverlap = \"30d\"\n", 1));
    request(&project, &P256, "DNS:x.shop.test");
    issue(&project, &["--ttl", "80d"]).assert_code(0);
    let run = project.run(["generate", "--replace", "ROOT", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would publish") && !run.stderr.contains("breaks"), "{run:?}");
}
