//! `hooks/nginx` and `hooks/haproxy` with real servers: the new certificate is served, and a broken configuration changes
//! nothing.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use vault_kit::hook::{Ended, Status, Step};

use crate::scene::Scene;
use crate::support::{Server, program, skip};

const NGINX: &str = include_str!("../../hooks/nginx");
const HAPROXY: &str = include_str!("../../hooks/haproxy");

/// A certificate and key in one file, by openssl.
fn make_certificate(openssl: &Path, file: &Path) {
    let made = Command::new(openssl)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-days",
            "2",
            "-keyout",
        ])
        .arg(file)
        .arg("-out")
        .arg(file.with_extension("crt"))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    let both = [std::fs::read(file.with_extension("crt")).unwrap(), std::fs::read(file).unwrap()].concat();
    std::fs::write(file, both).unwrap();
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn reload(scene: &Scene) -> Ended {
    let input = br#"{"schema_version":1,"step":"reload","project":"shop","environment":"prod","old":null,"secrets":{},"outputs":[],"changed":[],"options":OPTIONS}"#;
    let options = serde_json::to_string(&scene.hook().options).unwrap();
    let input = String::from_utf8_lossy(input).replace("OPTIONS", &options);
    scene.run(Step::Reload, input.into_bytes())
}

/// Both tools, or a skip by the test's name.
fn tools(name: &str, server: &str) -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    let tools = program(server).zip(program("openssl"));
    if tools.is_none() {
        skip(name, &format!("no {server} or openssl: run tests/setup"));
    }
    tools
}

/// The fingerprint of a certificate, by openssl.
fn fingerprint(openssl: &Path, pem: &[u8]) -> String {
    let words = ["x509", "-noout", "-fingerprint", "-sha256"];
    let mut child = Command::new(openssl).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(pem).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// That of the certificate that a client gets, by openssl's handshake. An old worker may take a connection for a moment.
fn assert_served(openssl: &Path, port: u16, expected: &str) {
    let mut served = String::new();
    for _ in 0..100 {
        let words = ["s_client", "-servername", "localhost", "-connect"];
        let mut client = Command::new(openssl);
        client.args(words).arg(format!("127.0.0.1:{port}")).stdin(Stdio::null()).stderr(Stdio::null());
        let shown = client.output().unwrap().stdout;
        // A handshake that a reload cut off shows none.
        if shown.windows(5).any(|it| it == b"BEGIN") {
            served = fingerprint(openssl, &shown);
        }
        if served == expected {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("clients get {served}, and not {expected}");
}

/// What both have in common: the hook is called for the first, for a new certificate, and with a broken configuration.
fn serves_what_is_new(scene: &Scene, (openssl, port): (&Path, u16), pem: &Path, configuration: &Path, broken: &str) {
    let of_file = || fingerprint(openssl, &std::fs::read(pem).unwrap());
    for _ in 0..2 {
        let ended = reload(scene);
        assert_eq!(ended.status, Status::Done, "{}", ended.redacted(&[]));
    }
    let first = of_file();
    assert_served(openssl, port, &first);
    make_certificate(openssl, pem);
    let second = of_file();
    assert_served(openssl, port, &first);
    let ended = reload(scene);
    assert_eq!(ended.status, Status::Done, "{}", ended.redacted(&[]));
    assert_served(openssl, port, &second);
    std::fs::write(configuration, broken).unwrap();
    make_certificate(openssl, pem);
    let ended = reload(scene);
    assert!(first != second && second != of_file());
    assert_served(openssl, port, &second);
    assert_eq!(ended.status, Status::Failed(1));
    assert!(ended.redacted(&[]).contains("goes on with the old one"), "{}", ended.redacted(&[]));
}

#[test]
fn nginx_serves_the_new_certificate_after_the_hook() {
    let Some((nginx, openssl)) = tools("hooks-nginx", "nginx") else { return };
    let directory = TempDir::new().unwrap();
    let (path, port) = (|name: &str| directory.path().join(name), free_port());
    make_certificate(&openssl, &path("tls.pem"));
    let (configuration, here) = (path("nginx.conf"), directory.path().display());
    let text = format!(
        "daemon off; pid {here}/pid; error_log {here}/log;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path {here}/b; \
         proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
         server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {here}/tls.pem; ssl_certificate_key {here}/tls.pem; }} }}\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let command = Command::new(nginx).arg("-c").arg(&configuration).stderr(Stdio::null()).spawn().unwrap();
    let _server = Server(command);
    wait_for(port);
    let options = format!(
        "options = {{ conf = \"{0}/nginx.conf\", verify = \"127.0.0.1:{port}\", certificate = \"{0}/tls.pem\" }}",
        directory.path().display()
    );
    serves_what_is_new(&Scene::new(NGINX, &options), (&openssl, port), &path("tls.pem"), &configuration, "nonsense");
}

#[test]
fn haproxy_serves_the_new_certificate_after_the_hook() {
    let Some((haproxy, openssl)) = tools("hooks-haproxy", "haproxy") else { return };
    let directory = TempDir::new().unwrap();
    let (path, port) = (|name: &str| directory.path().join(name), free_port());
    make_certificate(&openssl, &path("tls.pem"));
    let configuration = path("haproxy.cfg");
    let text = format!(
        "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\nfrontend f\n  \
         bind 127.0.0.1:{port} ssl crt {}\n  http-request return status 200\n",
        path("tls.pem").display()
    );
    std::fs::write(&configuration, text).unwrap();
    let command = Command::new(haproxy)
        .arg("-W")
        .arg("-f")
        .arg(&configuration)
        .arg("-S")
        .arg(path("master"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Server(command);
    wait_for(port);
    let options = format!(
        "options = {{ conf = \"{0}/haproxy.cfg\", master = \"{0}/master\", verify = \"127.0.0.1:{port}\", certificate = \"{0}/tls.pem\" }}",
        directory.path().display()
    );
    serves_what_is_new(
        &Scene::new(HAPROXY, &options),
        (&openssl, port),
        &path("tls.pem"),
        &configuration,
        "nonsense\n",
    );
}

pub(crate) fn wait_for(port: u16) {
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the server does not listen");
}
