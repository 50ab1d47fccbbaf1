//! Whom the client trusts.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Command, Stdio};

use vault_kit::remote::aws::{Authorities, Patience, Settings};
use vault_kit::remote::{Cause, Remote};

use super::configuration::{in_region, refusal, write};
use super::support::{self, Project, Run, program, skip};
use super::{KEYS, client_of, within};

/// A host that speaks TLS with the certificate in argv, and answers every request with an empty listing.
const TLS_HOST: &str = r#"
import http.server, ssl, sys

class Host(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"SecretList": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;

const AUTHORITIES: &str = r#"
[project]
name = "shop"
default_environment = "prod"

[environments.prod]
aws = { region = "eu-west-1" }

[secrets.THEIRS]
kind = "external"
optional = true
aws = "theirs"

[secrets.CA]
kind = "ca"

[secrets.OTHER_CA]
kind = "ca"

[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["localhost"]
ip = ["127.0.0.1"]

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
files = { fullchain = "cert.pem", key = "key.pem", ca = "ca.pem" }

[outputs.other]
format = "pem"
path = "other"
secrets = ["OTHER_CA"]
files = { ca = "ca.pem" }
"#;

/// That host with a certificate of the project's, and where it is; `None` where there is no Python.
fn host(project: &Project) -> Option<(support::Server, String)> {
    let mut command = Command::new(program("python3")?);
    command.args(["-c", TLS_HOST]).arg(project.path("tls/cert.pem")).arg(project.path("tls/key.pem"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    Some((support::Server(child), format!("https://localhost:{}", port.trim())))
}

#[test]
fn the_authorities_of_a_bundle_are_trusted_and_no_others() {
    let test = "trust::the_authorities_of_a_bundle_are_trusted_and_no_others";
    within(test, &KEYS, "", |home| {
        let project = Project::initialised(AUTHORITIES);
        let Some((_host, endpoint)) = host(&project) else { return skip(test, "there is no python3") };
        let with = |bundle: &Path| Settings {
            endpoint: Some(endpoint.clone()),
            authorities: Authorities::Bundle(bundle.to_owned()),
            patience: Patience::Unattended,
            ..in_region()
        };
        assert_eq!(client_of(&with(&project.path("tls/ca.pem"))).0.list("/p/"), Ok(vec![]));
        let (aws, notices) = client_of(&with(&project.path("other/ca.pem")));
        let failure = aws.list("/p/").unwrap_err();
        assert_eq!((failure.cause, failure.code.as_deref()), (Cause::Unreachable, Some("TlsFailed")));
        assert!(notices.lock().unwrap().is_empty(), "a certificate does not get better by waiting");

        let bundle = |text: &str| {
            write(home, "bundle.pem", text);
            refusal(&with(&home.join(".aws/bundle.pem")))
        };
        assert_eq!(bundle(""), Some("ca-bundle-invalid"));
        assert_eq!(bundle("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), Some("ca-bundle-invalid"));
        assert_eq!(bundle(&project.read("tls/key.pem")), Some("ca-bundle-invalid"));
        assert_eq!(refusal(&with(&home.join("none.pem"))), Some("ca-bundle-invalid"));
    });
}

#[test]
fn the_systems_own_bundle_is_a_bundle() {
    let test = "trust::the_systems_own_bundle_is_a_bundle";
    within(test, &KEYS, "", |_| {
        let bundle = Path::new("/etc/ssl/certs/ca-certificates.crt");
        if !bundle.exists() {
            return skip(test, "there is no /etc/ssl/certs/ca-certificates.crt");
        }
        assert_eq!(refusal(&Settings { authorities: Authorities::Bundle(bundle.to_owned()), ..in_region() }), None);
    });
}

#[test]
fn a_command_trusts_whom_the_environment_names() {
    let test = "trust::a_command_trusts_whom_the_environment_names";
    within(test, &[], "", |_| {
        let project = Project::initialised(AUTHORITIES);
        let Some((_host, endpoint)) = host(&project) else { return skip(test, "there is no python3") };
        let [ours, others] = ["tls/ca.pem", "other/ca.pem"].map(|it| project.path(it).display().to_string());
        let directory = project.path("authorities");
        std::fs::create_dir(&directory).unwrap();
        std::fs::copy(&ours, directory.join("ours.pem")).unwrap();
        let directory = directory.display().to_string();
        let code = |variables: &[(&str, &str)]| {
            let mut command = project.command(["sync", "status"]);
            command.envs(KEYS).env("AWS_ENDPOINT_URL", &endpoint).envs(variables.iter().copied());
            Run::of(&mut command).code
        };
        assert_eq!(code(&[("AWS_CA_BUNDLE", &ours)]), 0);
        assert_eq!(code(&[("SSL_CERT_FILE", &ours)]), 0);
        assert_eq!(code(&[("SSL_CERT_DIR", &directory)]), 0);
        assert_eq!(code(&[("AWS_CA_BUNDLE", ""), ("SSL_CERT_FILE", &ours)]), 0);
        assert_eq!(code(&[("AWS_CA_BUNDLE", &others), ("SSL_CERT_FILE", &ours)]), 5);
        // Nobody told the system of this authority.
        assert_eq!(code(&[]), 5);
    });
}
