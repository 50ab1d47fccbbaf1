//! Certificates and keys as OpenSSL, nginx, curl and python-cryptography see them.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

#[path = "certificates/judges.rs"]
mod judges;
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use support::{Project, Run, Server, Shared, program, python_judge, skip, with_socket};

const ALGORITHMS: [&str; 3] = ["es256", "es384", "eddsa"];

/// How a leaf is signed: the secret's name begins with it.
const SHAPES: [&str; 3] = ["by_root", "by_inter", "by_itself"];

const DAY: i64 = 86_400;

/// A root and an intermediate with constraints, and for each shape a leaf for servers and one for clients.
fn manifest(algorithm: &str) -> String {
    let mut text = format!(
        r#"
        [project]
        name = "judged"
        [secrets.ROOT]
        kind = "ca"
        algorithm = "{algorithm}"
        [secrets.INTER]
        kind = "ca"
        issuer = "ROOT"
        algorithm = "{algorithm}"
        permitted_dns = ["judged.test", "localhost"]
        permitted_ip = ["127.0.0.0/8", "::1/128"]
        [secrets.STRANGER]
        kind = "ca"
        [outputs.tls]
        format = "pem"
        path = "tls"
        secrets = ["*"]
        [outputs.inter]
        format = "pem"
        path = "inter"
        secrets = ["INTER"]
        files = {{ cert = "cert.pem", key = "key.pem" }}
        "#
    );
    for (shape, issuer) in SHAPES.iter().zip(["ROOT", "INTER", "self"]) {
        let shape = shape.to_uppercase();
        write!(
            text,
            r#"
            [secrets.{shape}_SERVER]
            kind = "certificate"
            issuer = "{issuer}"
            algorithm = "{algorithm}"
            dns = ["api.judged.test", "localhost"]
            ip = ["127.0.0.1", "::1"]
            [secrets.{shape}_CLIENT]
            kind = "certificate"
            issuer = "{issuer}"
            algorithm = "{algorithm}"
            usage = "client"
            dns = ["worker.judged.test"]
            uri = ["spiffe://judged.test/worker"]
            ttl = "30d"
            "#
        )
        .unwrap();
    }
    text
}

/// A project for each algorithm; the tests only read them.
fn projects() -> Arc<[(&'static str, Project); 3]> {
    static PROJECTS: Shared<[(&str, Project); 3]> = Shared::new();
    PROJECTS.get(|| ALGORITHMS.map(|algorithm| (algorithm, Project::initialised(&manifest(algorithm)))))
}

fn file(project: &Project, secret: &str, file: &str) -> PathBuf {
    project.path(&format!("tls/{secret}/{file}.pem"))
}

/// `openssl verify`, as strict as it can be, with these options in addition.
fn openssl_verify(project: &Project, secret: &str, options: &[&str]) -> Run {
    openssl_verify_against(project, &file(project, secret, "ca"), secret, options)
}

fn openssl_verify_against(project: &Project, authority: &Path, secret: &str, options: &[&str]) -> Run {
    let mut command = openssl();
    command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(authority).args(options);
    let chain = file(project, secret, "chain");
    assert_eq!(chain.exists(), secret.starts_with("by_inter"), "{secret}");
    if chain.exists() {
        command.arg("-untrusted").arg(chain);
    }
    Run::of(command.arg(file(project, secret, "cert")))
}

fn openssl() -> Command {
    Command::new(program("openssl").expect("openssl is installed: run tests/setup"))
}

/// Refused by OpenSSL, and for that reason.
#[track_caller]
fn assert_refused(run: &Run, why: &str) {
    assert!(run.code != 0 && run.both().contains(why), "expected `{why}`: {run:?}");
}

#[test]
fn openssl_accepts_every_server_certificate_for_its_names_and_addresses_and_no_other() {
    for (algorithm, project) in projects().iter() {
        for shape in SHAPES {
            let secret = format!("{shape}_server");
            let verify = |options: &[&str]| {
                openssl_verify(project, &secret, &[&["-purpose", "sslserver"][..], options].concat())
            };
            for host in ["api.judged.test", "localhost"] {
                let run = verify(&["-verify_hostname", host]);
                assert_eq!(run.code, 0, "{algorithm} {secret} {host}: {run:?}");
            }
            for ip in ["127.0.0.1", "::1"] {
                let run = verify(&["-verify_ip", ip]);
                assert_eq!(run.code, 0, "{algorithm} {secret} {ip}: {run:?}");
            }
            for foreign in ["judged.test", "x.api.judged.test", "example.org"] {
                assert_refused(&verify(&["-verify_hostname", foreign]), "hostname mismatch");
            }
            assert_refused(&verify(&["-verify_ip", "127.0.0.2"]), "IP address mismatch");
            assert_refused(
                &openssl_verify(project, &secret, &["-purpose", "sslclient"]),
                "unsuitable certificate purpose",
            );
        }
    }
}

#[test]
fn openssl_accepts_every_client_certificate_and_not_as_a_server() {
    for (algorithm, project) in projects().iter() {
        for shape in SHAPES {
            let secret = format!("{shape}_client");
            let run = openssl_verify(project, &secret, &["-purpose", "sslclient"]);
            assert_eq!(run.code, 0, "{algorithm} {secret}: {run:?}");
            assert_refused(
                &openssl_verify(project, &secret, &["-purpose", "sslserver"]),
                "unsuitable certificate purpose",
            );
        }
    }
}

#[test]
fn openssl_refuses_every_certificate_under_a_root_that_did_not_sign_it() {
    for (_, project) in projects().iter() {
        for shape in SHAPES {
            let stranger = file(project, "stranger", "ca");
            let run =
                openssl_verify_against(project, &stranger, &format!("{shape}_server"), &["-purpose", "sslserver"]);
            assert_refused(&run, "verification failed");
        }
    }
}

#[test]
fn openssl_finds_every_key_sound_in_pkcs8_version_1_and_the_half_of_its_certificate() {
    for (algorithm, project) in projects().iter() {
        for secret in SHAPES.iter().flat_map(|shape| [format!("{shape}_server"), format!("{shape}_client")]) {
            let key = file(project, &secret, "key");
            let checked = Run::of(openssl().args(["pkey", "-noout", "-check", "-in"]).arg(&key));
            assert!(checked.code == 0 && checked.both().contains("Key is valid"), "{algorithm} {secret}: {checked:?}");
            let public = Run::of(openssl().args(["pkey", "-pubout", "-in"]).arg(&key)).assert_code(0).stdout;
            let cert = file(project, &secret, "cert");
            let certified =
                Run::of(openssl().args(["x509", "-pubkey", "-noout", "-in"]).arg(cert)).assert_code(0).stdout;
            assert!(public.starts_with("-----BEGIN PUBLIC KEY-----") && public == certified, "{algorithm} {secret}");

            let text = std::fs::read_to_string(&key).unwrap();
            assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{algorithm} {secret}");
            let parsed = Run::of(openssl().args(["asn1parse", "-in"]).arg(&key)).assert_code(0).stdout;
            let version = parsed.lines().find(|line| line.contains("INTEGER")).unwrap_or_default();
            assert!(version.ends_with(":00"), "{algorithm} {secret}: {version}");
        }
    }
}

#[test]
fn no_two_certificates_share_a_key_or_a_serial() {
    for (algorithm, project) in projects().iter() {
        let mut seen = BTreeMap::new();
        for secret in SHAPES.iter().flat_map(|shape| [format!("{shape}_server"), format!("{shape}_client")]) {
            let cert = file(project, &secret, "cert");
            let run = Run::of(openssl().args(["x509", "-noout", "-serial", "-pubkey", "-in"]).arg(cert)).assert_code(0);
            let (serial, key) = run.stdout.split_once('\n').unwrap();
            for what in [serial, key] {
                let earlier = seen.insert(what.to_owned(), secret.clone());
                assert_eq!(earlier, None, "{algorithm} {secret}");
            }
        }
    }
}

#[test]
fn a_leaf_outside_what_its_intermediate_permits_is_refused_and_nothing_of_it_is_written() {
    for foreign in [r#"dns = ["api.judged.test", "example.org"]"#, r#"ip = ["10.0.0.1"]"#] {
        let text =
            format!("{}[secrets.FOREIGN]\nkind = \"certificate\"\nissuer = \"INTER\"\n{foreign}\n", manifest("es256"));
        let project = Project::with_manifest(&text);
        let run = project.run(["init"]).assert_code(3);
        assert!(run.stderr.contains("is outside what `INTER`, which signs it, permits"), "{run:?}");
        assert!(!project.path("tls/foreign").exists());
    }
}

/// What we refuse to sign, somebody with the intermediate's key could: the constraint itself has to hold.
#[test]
fn openssl_refuses_a_foreign_leaf_that_was_signed_with_the_intermediate_behind_our_back() {
    for (algorithm, project) in projects().iter() {
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        let inter = |name: &str| project.path(&format!("inter/{name}.pem"));
        let request = ["req", "-new", "-newkey", "ed25519", "-nodes", "-subj", "/", "-keyout"];
        for (name, host, permitted) in [("permitted", "other.judged.test", true), ("foreign", "example.org", false)] {
            let mut make = openssl();
            make.args(request).arg(path("key")).arg("-out").arg(path("csr"));
            Run::of(make.args(["-addext", &format!("subjectAltName=critical,DNS:{host}")])).assert_code(0);
            let mut sign = openssl();
            sign.args(["x509", "-req", "-copy_extensions", "copy", "-in"])
                .arg(path("csr"))
                .arg("-CA")
                .arg(inter("cert"));
            Run::of(sign.arg("-CAkey").arg(inter("key")).arg("-out").arg(path(name))).assert_code(0);
            let mut verify = openssl();
            verify.args(["verify", "-CAfile"]).arg(file(project, "by_inter_server", "ca")).arg("-untrusted");
            let run = Run::of(verify.arg(inter("cert")).arg(path(name)));
            if permitted {
                assert_eq!(run.code, 0, "{algorithm}: {run:?}");
            } else {
                assert_refused(&run, "permitted subtree violation");
            }
        }
    }
}

#[test]
fn python_cryptography_accepts_every_ec_certificate_that_a_ca_signed() {
    let verify = |project: &Project, secret: &str, authority: &str, who: &[&str]| {
        let mut command = python_judge("verify_chain.py")?;
        command.arg("--ca").arg(file(project, authority, "ca"));
        Some(Run::of(command.arg("--fullchain").arg(file(project, secret, "fullchain")).args(who)))
    };
    for (algorithm, project) in projects().iter().filter(|(algorithm, _)| *algorithm != "eddsa") {
        for (shape, length) in [("by_root", 2), ("by_inter", 3)] {
            let (server, client) = (format!("{shape}_server"), format!("{shape}_client"));
            let accepted = [
                (&server, &["--dns", "api.judged.test"][..]),
                (&server, &["--ip", "127.0.0.1"]),
                (&server, &["--ip", "::1"]),
                (&client, &["--client"]),
            ];
            for (secret, who) in accepted {
                let Some(run) = verify(project, secret, secret, who) else {
                    return skip("certificates-python", "no .venv: run tests/setup");
                };
                let told: Value = serde_json::from_str(&run.stdout).unwrap();
                assert_eq!(told, json!({"ok": true, "length": length}), "{algorithm} {secret} {who:?}: {run:?}");
            }
            let refused = [
                (&server, &server, &["--dns", "example.org"][..]),
                (&server, &"stranger".to_owned(), &["--dns", "api.judged.test"]),
                (&server, &server, &["--client"]),
                (&client, &client, &["--dns", "worker.judged.test"]),
            ];
            for (secret, authority, who) in refused {
                let run = verify(project, secret, authority, who).unwrap();
                assert!(run.code == 1 && run.stdout.contains("\"ok\": false"), "{algorithm} {secret} {who:?}: {run:?}");
            }
        }
    }
}

/// The certificates of a file as `print_profile.py` tells them; `None` where it cannot run.
fn profiles(path: &Path) -> Option<Vec<Value>> {
    let run = Run::of(python_judge("print_profile.py")?.arg(path)).assert_code(0);
    Some(serde_json::from_str(&run.stdout).unwrap())
}

/// When a secret was made, by `status`.
fn created(project: &Project, secret: &str) -> i64 {
    let status: Value = serde_json::from_str(&project.run(["status", "--json"]).assert_code(0).stdout).unwrap();
    let secrets = status["secrets"].as_array().unwrap();
    let secret = secrets.iter().find(|entry| entry["name"] == secret).unwrap();
    let created = chrono::DateTime::parse_from_rfc3339(secret["created"].as_str().unwrap()).unwrap();
    created.timestamp()
}

/// Its extensions by name, each with whether it is critical; a name that stands there twice fails.
fn extensions(profile: &Value) -> BTreeMap<String, (bool, Value)> {
    let list = profile["extensions"].as_array().unwrap();
    let entry = |it: &Value| {
        (it["name"].as_str().unwrap().to_owned(), (it["critical"].as_bool().unwrap(), it["value"].clone()))
    };
    let map: BTreeMap<_, _> = list.iter().map(entry).collect();
    assert_eq!(map.len(), list.len());
    map
}

/// What a profile demands of a certificate, beyond what all have in common.
struct Expected<'a> {
    made: i64,
    backdate: i64,
    days: i64,
    /// Names, criticality and values, without the two key identifiers.
    extensions: &'a [(&'a str, bool, Value)],
}

/// Asserts the profile whole, and the link to the certificate that signed it.
#[track_caller]
fn assert_profile(algorithm: &str, profile: &Value, signer: &Value, expected: &Expected<'_>) {
    let (curve, signature) = match algorithm {
        "es256" => ("secp256r1", "ecdsa-with-SHA256"),
        "es384" => ("secp384r1", "ecdsa-with-SHA384"),
        _ => ("ed25519", "ed25519"),
    };
    assert_eq!((&profile["version"], &profile["key"]), (&json!("v3"), &json!(curve)), "{profile}");
    assert_eq!(profile["signature"], signature, "{profile}");
    // 16 octets in DER: the highest bit is clear, the one beneath it is set.
    assert_eq!(profile["serial_bits"], 127, "{profile}");
    assert_eq!(profile["not_before"], expected.made - expected.backdate, "{profile}");
    assert_eq!(profile["lifetime"], expected.days * DAY - 1, "{profile}");
    assert_eq!(profile["issuer"], signer["subject"], "{profile}");

    let mut found = extensions(profile);
    let (critical, own) = found.remove("subjectKeyIdentifier").expect("a subject key identifier");
    assert!(!critical && own.as_str().unwrap().len() == 40, "{profile}");
    let (critical, signed_by) = found.remove("authorityKeyIdentifier").expect("an authority key identifier");
    assert_eq!((critical, &signed_by), (false, &extensions(signer)["subjectKeyIdentifier"].1), "{profile}");
    let entry = |(name, critical, value): &(&str, bool, Value)| ((*name).to_owned(), (*critical, value.clone()));
    assert_eq!(found, expected.extensions.iter().map(entry).collect(), "{profile}");
}

fn authority_extensions(path_length: Option<u32>) -> Vec<(&'static str, bool, Value)> {
    vec![
        ("basicConstraints", true, json!({"ca": true, "path_length": path_length})),
        ("keyUsage", true, json!(["key_cert_sign", "crl_sign"])),
    ]
}

fn leaf_extensions(usage: &str, names: &[&str]) -> Vec<(&'static str, bool, Value)> {
    vec![
        ("basicConstraints", true, json!({"ca": false, "path_length": null})),
        ("keyUsage", true, json!(["digital_signature"])),
        ("extendedKeyUsage", false, json!([usage])),
        ("subjectAltName", false, json!(names)),
    ]
}

#[test]
fn every_certificate_has_exactly_its_profile_and_no_other_extension() {
    for (algorithm, project) in projects().iter() {
        let Some(root) = profiles(&file(project, "root", "ca")) else {
            return skip("certificates-profile", "no .venv: run tests/setup");
        };
        let root = &root[0];
        let inter = &profiles(&project.path("inter/cert.pem")).unwrap()[0];
        let made = created(project, "ROOT");
        let of_root = Expected { made, backdate: 3_600, days: 3_650, extensions: &authority_extensions(None) };
        assert_profile(algorithm, root, root, &of_root);

        let mut constrained = authority_extensions(Some(0));
        constrained.push(("extendedKeyUsage", false, json!(["serverAuth", "clientAuth"])));
        let permitted = ["dns:judged.test", "dns:localhost", "ip:127.0.0.0/8", "ip:::1/128"];
        constrained.push(("nameConstraints", true, json!({"permitted": permitted, "excluded": []})));
        let of_inter = Expected { made, backdate: 3_600, days: 1_825, extensions: &constrained };
        assert_profile(algorithm, inter, root, &of_inter);

        for (certificate, role) in [(root, "root"), (inter, "issuing")] {
            assert_eq!(certificate["subject"]["O"], "vault-kit judged");
            let name = certificate["subject"]["CN"].as_str().unwrap();
            let date = chrono::DateTime::from_timestamp(made, 0).unwrap().format("%Y-%m-%d");
            let tail = name.strip_prefix(&format!("judged dev {role} {date} ")).expect(name);
            assert!(tail.len() == 4 && tail.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        }

        let server = leaf_extensions("serverAuth", &["dns:api.judged.test", "dns:localhost", "ip:127.0.0.1", "ip:::1"]);
        let client = leaf_extensions("clientAuth", &["dns:worker.judged.test", "uri:spiffe://judged.test/worker"]);
        for shape in SHAPES {
            for (usage, name, days, extensions) in
                [("server", "api.judged.test", 90, &server), ("client", "worker.judged.test", 30, &client)]
            {
                let secret = format!("{shape}_{usage}");
                let leaf = &profiles(&file(project, &secret, "cert")).unwrap()[0];
                let signer = match shape {
                    "by_root" => root,
                    "by_inter" => inter,
                    _ => leaf,
                };
                assert_profile(algorithm, leaf, signer, &Expected { made, backdate: 300, days, extensions });
                assert_eq!(leaf["subject"], json!({"CN": name}), "{algorithm} {secret}");

                // The leaf first, then what is between it and the root, never the root itself.
                let chain = profiles(&file(project, &secret, "fullchain")).unwrap();
                let expected = if shape == "by_inter" { vec![leaf, inter] } else { vec![leaf] };
                assert_eq!(chain.iter().collect::<Vec<_>>(), expected, "{algorithm} {secret}");
            }
        }
    }
}

/// The subject names nobody when no DNS name fits into it: then the alternative name must be critical (RFC 5280
/// §4.2.1.6).
#[test]
fn a_certificate_without_a_common_name_has_a_critical_alternative_name() {
    let long = format!("{}.judged.test", "a".repeat(60));
    for names in [r#"ip = ["127.0.0.1"]"#.to_owned(), format!("dns = [\"{long}\"]")] {
        let project = Project::initialised(&format!(
            "[project]\nname = \"judged\"\n[secrets.LEAF]\nkind = \"certificate\"\nissuer = \"self\"\n{names}\n\
             [outputs.tls]\nformat = \"pem\"\npath = \"tls/leaf\"\nsecrets = [\"LEAF\"]\n"
        ));
        let Some(leaf) = profiles(&file(&project, "leaf", "cert")) else {
            return skip("certificates-profile", "no .venv: run tests/setup");
        };
        assert_eq!(leaf[0]["subject"], json!({}));
        assert!(extensions(&leaf[0])["subjectAltName"].0, "{names}");
        let options = if names.starts_with("ip") { ["-verify_ip", "127.0.0.1"] } else { ["-verify_hostname", &long] };
        openssl_verify(&project, "leaf", &[&["-purpose", "sslserver"][..], &options].concat()).assert_code(0);
    }
}

/// nginx on a loopback port.
struct Nginx {
    _process: Server,
    port: u16,
    directory: TempDir,
}

impl Nginx {
    /// Serves `secret`, and takes clients' certificates of the same authority.
    fn serve(nginx: &Path, project: &Project, secret: &str) -> Self {
        let mut command = Command::new(nginx);
        let port = with_socket(&mut command);
        let directory = TempDir::new().unwrap();
        let tls = |name: &str| file(project, secret, name).display().to_string();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {name};")).concat();
        let configuration = format!(
            r#"
            daemon off;
            worker_processes 1;
            pid pid;
            events {{}}
            http {{
                access_log off;
                {temporary}
                server {{
                    listen 127.0.0.1:{port} ssl;
                    ssl_certificate {fullchain};
                    ssl_certificate_key {key};
                    ssl_protocols TLSv1.2 TLSv1.3;
                    ssl_client_certificate {ca};
                    ssl_verify_client optional;
                    location / {{ return 200 "$ssl_protocol $ssl_client_verify"; }}
                }}
            }}
            "#,
            fullchain = tls("fullchain"),
            key = tls("key"),
            ca = tls("ca"),
        );
        put(&directory.path().join("nginx.conf"), &configuration);
        command.arg("-p").arg(directory.path()).args(["-c", "nginx.conf", "-e", "log"]);
        let process = Server(command.spawn().unwrap());
        Self { _process: process, port, directory }
    }

    /// What curl gets for `https://host/`, with these options.
    fn curl(&self, curl: &Path, host: &str, options: &[&str]) -> Run {
        let mut command = Command::new(curl);
        command.args(["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "60"]).args(options);
        let port = self.port;
        Run::of(command.args(["--resolve", &format!("{host}:{port}:127.0.0.1"), &format!("https://{host}:{port}/")]))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "a file that the test brings along")]
fn put(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
}

#[test]
fn nginx_serves_every_certificate_and_curl_connects_to_the_right_host_only() {
    let (Some(nginx), Some(curl)) = (program("nginx"), program("curl")) else {
        return skip("certificates-nginx", "no nginx or curl: run tests/setup");
    };
    for (algorithm, project) in projects().iter() {
        for shape in SHAPES {
            let server = format!("{shape}_server");
            let ca = file(project, &server, "ca").display().to_string();
            let stranger = file(project, "stranger", "ca").display().to_string();
            let running = Nginx::serve(&nginx, project, &server);

            for version in ["1.2", "1.3"] {
                let only = [&format!("--tlsv{version}"), "--tls-max", version, "--cacert", &ca];
                for host in ["api.judged.test", "127.0.0.1"] {
                    let run = running.curl(&curl, host, &only);
                    let told = format!("TLSv{version} NONE");
                    assert!(
                        run.code == 0 && run.stdout == told,
                        "{algorithm} {server} {host}: {run:?}\n{}",
                        running.log()
                    );
                }
            }
            for (host, ca) in [("example.org", &ca), ("api.judged.test", &stranger)] {
                let run = running.curl(&curl, host, &["--cacert", ca]);
                assert_eq!(run.code, 60, "{algorithm} {server} {host}: {run:?}");
            }
            if shape == "by_itself" {
                continue;
            }
            let client = format!("{shape}_client");
            let piece = |name| file(project, &client, name).display().to_string();
            let identified = ["--cacert", &ca, "--cert", &piece("fullchain"), "--key", &piece("key")];
            let run = running.curl(&curl, "localhost", &identified);
            assert_eq!(run.stdout, "TLSv1.3 SUCCESS", "{algorithm} {client}: {run:?}\n{}", running.log());
        }
    }
}
