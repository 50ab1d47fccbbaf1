//! `cert import`: what Let's Encrypt, acme.sh and openssl leave behind, into the store and out to nginx.

use std::os::unix::fs::symlink;

use crate::sample::{Authority, Sample, self_signed, shift};
use crate::support::{Project, Run, set_mode};
use crate::{codes, now, openssl};

const MANIFEST: &str = r#"
[project]
name = "shop"
[environments.dev]
[environments.prod]
[secrets.TLS]
kind = "certificate"
issuer = "import"
dns = ["shop.example"]
[outputs.nginx]
format = "pem"
path = "ssl"
files = { fullchain = "cert.pem", key = "key.pem" }
"#;

fn issued() -> (Authority, Sample) {
    let issuing = Authority::root(now(), "root", |_| ()).intermediate("issuing", &[]);
    let leaf = issuing.leaf(&["shop.example", "www.shop.example"], 2, |_| ());
    (issuing, leaf)
}

/// Files as certbot keeps them: `live` is made of links into `archive`.
fn letsencrypt(project: &Project, fullchain: &str, key: &str) {
    for (file, content) in [("fullchain", fullchain), ("privkey", key)] {
        project.write(&format!("le/archive/shop/{file}1.pem"), content);
        project.write("le/live/shop/README", "");
        let link = project.path(&format!("le/live/shop/{file}.pem"));
        symlink(format!("../../archive/shop/{file}1.pem"), link).unwrap();
    }
    set_mode(&project.path("le/archive/shop/privkey1.pem"), 0o600);
}

const LIVE: [&str; 4] = ["--fullchain", "le/live/shop/fullchain.pem", "--key", "le/live/shop/privkey.pem"];

fn import(project: &Project, words: &[&str]) -> Run {
    project.run(["cert", "import", "TLS"].iter().chain(words))
}

#[test]
fn a_layout_takes_what_comes_without_its_root() {
    for layout in ["haproxy", "kubernetes", "nginx", "postgres", "traefik"] {
        let files = "files = { fullchain = \"cert.pem\", key = \"key.pem\" }";
        let project = Project::initialised(&MANIFEST.replace(files, &format!("layout = \"{layout}\"")));
        let (issuing, leaf) = issued();
        letsencrypt(&project, &format!("{}{}", leaf.pem, issuing.pem), &leaf.key);
        import(&project, &LIVE).assert_code(0);
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn a_declared_certificate_waits_for_its_import_and_is_then_delivered() {
    let project = Project::initialised(MANIFEST);
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("fix: vault-kit cert import TLS --fullchain fullchain.pem --key privkey.pem"));
    let (issuing, leaf) = issued();
    letsencrypt(&project, &format!("{}{}", leaf.pem, issuing.pem), &leaf.key);
    let before = project.contents();
    let dry = import(&project, &[&LIVE[..], &["--dry-run"]].concat()).assert_code(0);
    assert!(dry.stderr.contains("would import  TLS") && dry.stdout.is_empty(), "{dry:?}");
    assert_eq!(project.contents(), before);
    let run = import(&project, &LIVE).assert_code(0);
    assert!(run.stderr.contains("imported      TLS"), "{run:?}");
    assert!(!run.both().contains(leaf.key.lines().nth(1).unwrap()));
    assert_eq!(project.read("ssl/cert.pem"), format!("{}{}", leaf.pem, issuing.pem).replace("\r\n", "\n"));
    assert_eq!(project.read("ssl/key.pem").lines().next(), Some("-----BEGIN PRIVATE KEY-----"));
    assert_eq!((project.mode("ssl/cert.pem"), project.mode("ssl/key.pem")), (0o644, 0o600));
    project.run(["check"]).assert_code(0);
    project.run(["cert", "needs-renewal"]).assert_code(0);
    let again = import(&project, &LIVE).assert_code(0);
    assert!(again.stderr.contains("nothing to do"), "{again:?}");
}

#[test]
fn one_that_comes_late_in_its_life_is_announced_by_check() {
    let project = Project::initialised(MANIFEST);
    let issuing = Authority::root(now(), "root", |_| ()).intermediate("issuing", &[]);
    let leaf = issuing.leaf(&["shop.example"], 2, |it| shift(it, -66));
    letsencrypt(&project, &format!("{}{}", leaf.pem, issuing.pem), &leaf.key);
    let run = import(&project, &[&LIVE[..], &["--json"]].concat()).assert_code(0);
    assert_eq!(codes(&run.stdout), ["renewal-due"]);
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.starts_with("expiring  TLS  warning: expires "), "{check:?}");
}

#[test]
fn what_is_wrong_is_said_at_once_and_nothing_is_changed() {
    let project = Project::initialised(MANIFEST);
    let (_, leaf) = issued();
    let own = self_signed(now(), &["other.example"], |_| ());
    letsencrypt(&project, &own.pem, &leaf.key);
    set_mode(&project.path("le/archive/shop/privkey1.pem"), 0o644);
    let before = project.contents();
    let run = import(&project, &[&LIVE[..], &["--host", "www.shop.example", "--json"]].concat()).assert_code(1);
    let wanted = ["key-mismatch", "host-not-covered", "host-not-covered", "self-signed", "key-mode-too-open"];
    assert_eq!(codes(&run.stdout), wanted);
    let human = import(&project, &LIVE).assert_code(1);
    assert!(human.stderr.contains("refused       TLS: nothing was changed"), "{human:?}");
    assert!(human.stdout.contains("`shop.example`, only for `other.example`"), "{human:?}");
    assert_eq!(project.contents(), before);
}

#[test]
fn in_production_a_self_signed_one_is_refused() {
    let project = Project::initialised(MANIFEST);
    project.run(["-e", "prod", "init"]).assert_code(0);
    let own = self_signed(now(), &["shop.example"], |_| ());
    letsencrypt(&project, &own.pem, &own.key);
    import(&project, &LIVE).assert_code(0);
    let run = import(&project, &[&LIVE[..], &["-e", "prod", "--json"]].concat()).assert_code(1);
    assert_eq!(codes(&run.stdout), ["self-signed"]);
}

#[test]
fn keys_of_openssl_in_their_old_forms_are_kept_as_pkcs8() {
    let make = |project: &Project, words: &[&str]| {
        Run::of(openssl().current_dir(project.root()).args(words)).assert_code(0);
    };
    for (label, generate) in [
        ("RSA", &["genrsa", "-traditional", "-out", "old.pem", "2048"][..]),
        ("EC", &["ecparam", "-name", "prime256v1", "-genkey", "-out", "old.pem"]),
        ("EC", &["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "old.pem"]),
    ] {
        let project = Project::initialised(MANIFEST);
        make(&project, generate);
        assert!(project.read("old.pem").contains(&format!("BEGIN {label} PRIVATE KEY")));
        let request =
            ["req", "-x509", "-key", "old.pem", "-days", "90", "-subj", "/CN=shop.example", "-out", "cert.pem"];
        let extensions = ["-addext", "subjectAltName=DNS:shop.example", "-addext", "extendedKeyUsage=serverAuth"];
        let leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
        make(&project, &[&request[..], &extensions, &leaf].concat());
        set_mode(&project.path("old.pem"), 0o600);
        let run = import(&project, &["--fullchain", "cert.pem", "--key", "old.pem", "--json"]).assert_code(0);
        assert_eq!(codes(&run.stdout), ["self-signed", "key-rewrapped"], "{generate:?}");
        let key = Run::of(openssl().args(["pkey", "-check", "-pubout", "-in"]).arg(project.path("ssl/key.pem")));
        let cert = Run::of(openssl().args(["x509", "-noout", "-pubkey", "-in"]).arg(project.path("ssl/cert.pem")));
        assert!(key.assert_code(0).stdout.contains(&cert.assert_code(0).stdout), "{generate:?}");
        assert!(project.read("ssl/key.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    }
}

#[test]
fn an_encrypted_key_is_refused_with_the_command_that_opens_it() {
    let project = Project::initialised(MANIFEST);
    let (issuing, leaf) = issued();
    project.write("plain.pem", &leaf.key);
    project.write("cert.pem", format!("{}{}", leaf.pem, issuing.pem));
    let mut encrypt = openssl();
    encrypt.current_dir(project.root()).args(["pkcs8", "-topk8", "-in", "plain.pem", "-passout", "pass:x", "-out"]);
    Run::of(encrypt.arg("sealed.pem")).assert_code(0);
    set_mode(&project.path("sealed.pem"), 0o600);
    let run = import(&project, &["--fullchain", "cert.pem", "--key", "sealed.pem"]).assert_code(1);
    let fix = "fix: openssl pkcs8 -topk8 -nocrypt -in sealed.pem -out NEW.pem";
    assert!(run.stdout.contains("key-encrypted") && run.stdout.contains(fix), "{run:?}");
}

#[test]
fn a_shuffled_bundle_is_mended_and_its_root_kept_out_of_what_servers_send() {
    let everything = MANIFEST.replace("files = { fullchain = \"cert.pem\", key = \"key.pem\" }\n", "");
    let project = Project::initialised(&everything);
    let root = Authority::root(now(), "root", |_| ());
    let issuing = root.intermediate("issuing", &[]);
    let leaf = issuing.leaf(&["shop.example"], 2, |_| ());
    project.write("cert.pem", &leaf.pem);
    project.write("chain.pem", [root.pem.as_str(), &issuing.pem].concat());
    project.write("key.pem", &leaf.key);
    set_mode(&project.path("key.pem"), 0o600);
    let words = ["--fullchain", "cert.pem", "--chain", "chain.pem", "--key", "key.pem", "--json"];
    let run = import(&project, &words).assert_code(0);
    assert_eq!(codes(&run.stdout), ["chain-reordered", "root-dropped"]);
    assert_eq!(project.read("ssl/fullchain.pem"), format!("{}{}", leaf.pem, issuing.pem).replace("\r\n", "\n"));
    assert_eq!(project.read("ssl/ca.pem"), root.pem.replace("\r\n", "\n"));
    project.run(["check"]).assert_code(0);
    // The next one comes without its root and its issuer: what they were is not expected any more.
    let next = root.leaf(&["shop.example"], 3, |_| ());
    project.write("cert.pem", &next.pem);
    project.write("key.pem", &next.key);
    let run = import(&project, &["--fullchain", "cert.pem", "--key", "key.pem", "--json"]).assert_code(0);
    assert_eq!(codes(&run.stdout), ["chain-absent"]);
    assert_eq!(project.read("ssl/fullchain.pem"), next.pem.replace("\r\n", "\n"));
}

#[test]
fn only_a_certificate_that_is_declared_so_is_imported_and_it_is_made_by_nothing_else() {
    let own = format!("{MANIFEST}[secrets.OWN]\nkind = \"certificate\"\nissuer = \"self\"\ndns = [\"a.example\"]\n");
    let project = Project::initialised(&own.replace("path = \"ssl\"", "path = \"ssl\"\nsecrets = [\"OWN\"]"));
    project.write("x.pem", "");
    let run = project.run(["cert", "import", "OWN", "--fullchain", "x.pem", "--key", "x.pem"]).assert_code(2);
    assert!(run.stderr.contains("issuer = \"import\""), "{run:?}");
    for words in [&["set", "TLS", "--from-file", "x.pem"][..], &["generate", "TLS"], &["generate", "--replace", "TLS"]]
    {
        let run = project.run(words).assert_code(2);
        assert!(run.stderr.contains("cert import TLS --fullchain"), "{words:?}: {run:?}");
    }
    let run = import(&project, &["--fullchain", "no.pem", "--key", "neither.pem"]);
    assert!(run.code == 2 && run.stderr.contains("no.pem") && run.stderr.contains("neither.pem"), "{run:?}");
}

#[test]
fn a_certificate_that_was_made_here_does_not_pass_for_one_that_is_issued_elsewhere() {
    let before = MANIFEST.replace("issuer = \"import\"", "issuer = \"self\"");
    let project = Project::initialised(&before);
    project.write("vault-kit.toml", MANIFEST);
    let run = project.run(["check", "--json"]).assert_code(1);
    assert!(run.stdout.contains("declaration-changed"), "{run:?}");
    let run = project.run(["render"]);
    assert!(run.code != 0, "{run:?}");
}

#[test]
fn what_the_issuer_decides_cannot_be_declared() {
    for line in ["ttl = \"90d\"", "algorithm = \"es384\"", "uri = [\"spiffe://a/b\"]", "dns = [\"*.shop.example\"]"] {
        let text = MANIFEST.replace("dns = [\"shop.example\"]", line);
        let run = Project::with_manifest(&text).run(["init", "-n"]).assert_code(3);
        assert!(run.stderr.contains("decided by whoever issues") || run.stderr.contains("wildcard"), "{line}: {run:?}");
    }
}

#[test]
fn an_issuer_is_kept_whose_signature_only_others_can_check() {
    let project = Project::initialised(MANIFEST);
    let run = |words: &[&str]| Run::of(openssl().current_dir(project.root()).args(words)).assert_code(0);
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let root = ["req", "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=int", "-days", "30"];
    run(&[&root[..], &curve].concat());
    run(&[&["req", "-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=shop.example"], &curve[..]].concat());
    project.write("extensions", "subjectAltName=DNS:shop.example\nextendedKeyUsage=serverAuth\n");
    let sign = ["x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-sha512", "-days", "20"];
    run(&[&sign[..], &["-extfile", "extensions", "-out", "leaf.pem"]].concat());
    project.write("full.pem", project.read("leaf.pem") + &project.read("ca.pem"));
    run(&["verify", "-CAfile", "ca.pem", "leaf.pem"]);
    let taken = import(&project, &["--fullchain", "full.pem", "--key", "key.pem", "--json"]).assert_code(0);
    let found = codes(&taken.stdout);
    assert!(found.contains(&"root-dropped".to_owned()), "{taken:?}");
    assert!(!found.contains(&"chain-unrelated".to_owned()), "{taken:?}");
    let judged = project.run(["cert", "verify", "full.pem", "--ca", "ca.pem", "--json"]).assert_code(1);
    assert_eq!(codes(&judged.stdout), ["signature-unchecked"]);
}
