//! What `GnuTLS`, NSS, node, `HAProxy` and Caddy say, and nginx while its certificate is renewed a hundred times.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{file, projects, put};
use crate::support::{Project, Run, Server, program, skip, with_socket};

/// A leaf of an issuing CA, on P-256, which every judge takes.
const SECRET: &str = "by_inter_server";

#[test]
fn openssl_refuses_a_certificate_the_day_after_its_last() {
    let (_, project) = &projects()[0];
    for (days, is_good) in [(89, true), (91, false)] {
        let time = (super::created(project, "ROOT") + days * super::DAY).to_string();
        let run = super::openssl_verify(project, SECRET, &["-purpose", "sslserver", "-attime", &time]);
        assert_eq!(run.code == 0, is_good, "{days}: {run:?}");
        assert!(is_good || run.both().contains("certificate has expired"), "{run:?}");
    }
}

#[test]
fn gnutls_accepts_the_chain_for_its_host_and_no_other() {
    let Some(certtool) = program("certtool") else {
        return skip("certificates-gnutls", "no certtool: run tests/setup");
    };
    let (_, project) = &projects()[0];
    let verify = |authority: &str, host: &str| {
        let mut command = Command::new(&certtool);
        command.args(["--verify", "--verify-hostname", host, "--load-ca-certificate"]);
        command.arg(file(project, authority, "ca")).arg("--infile").arg(file(project, SECRET, "fullchain"));
        Run::of(&mut command)
    };
    let run = verify(SECRET, "api.judged.test");
    assert!(run.code == 0 && run.both().contains("Chain verification output: Verified"), "{run:?}");
    for (authority, host) in [(SECRET, "example.org"), ("stranger", "api.judged.test")] {
        assert_ne!(verify(authority, host).code, 0, "{authority} {host}");
    }
}

#[test]
fn nss_accepts_the_chain_under_a_root_that_it_trusts() {
    let Some(certutil) = program("certutil") else {
        return skip("certificates-nss", "no certutil: run tests/setup");
    };
    let (_, project) = &projects()[0];
    for (authority, code) in [(SECRET, 0), ("stranger", 255)] {
        let database = TempDir::new().unwrap();
        let certutil = |arguments: &[&str]| {
            let place = format!("sql:{}", database.path().display());
            Run::of(Command::new(&certutil).args(["-d", &place]).args(arguments))
        };
        certutil(&["-N", "--empty-password"]).assert_code(0);
        for (name, trust, path) in [
            ("root", "C,,", file(project, authority, "ca")),
            ("inter", ",,", file(project, SECRET, "chain")),
            ("leaf", ",,", file(project, SECRET, "cert")),
        ] {
            certutil(&["-A", "-n", name, "-t", trust, "-i", path.to_str().unwrap()]).assert_code(0);
        }
        certutil(&["-V", "-n", "leaf", "-u", "V"]).assert_code(code);
    }
}

/// A loopback port that is free when it is asked for, and likely a moment later: for who takes no socket from others.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What curl gets from `api.judged.test` at a port, which may be refused: nothing is tried again.
fn curl(port: u16, authority: &Path, options: &[&str]) -> Run {
    let curl = program("curl").expect("curl is installed: run tests/setup");
    let mut command = Command::new(curl);
    command.args(["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", "--cacert"]).arg(authority);
    command.args(["--resolve", &format!("api.judged.test:{port}:127.0.0.1")]).args(options);
    Run::of(command.arg(format!("https://api.judged.test:{port}/")))
}

/// The same of a server that may not listen yet.
fn curl_once_it_listens(port: u16, authority: &Path) -> Run {
    curl(port, authority, &["--retry-connrefused", "--retry", "20", "--retry-delay", "1"])
}

/// nginx with these directives in its one server.
fn nginx(program: &Path, place: &Path, directives: &str) -> (Server, u16) {
    let mut command = Command::new(program);
    let port = with_socket(&mut command);
    let configuration = format!(
        "daemon off; worker_processes 1; pid pid; error_log log notice; events {{}}\nhttp {{ access_log off;\n\
         client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;\n\
         server {{ listen 127.0.0.1:{port} ssl; {directives} }} }}\n"
    );
    put(&place.join("nginx.conf"), &configuration);
    command.arg("-p").arg(place).args(["-c", "nginx.conf", "-e", "log"]);
    (Server(command.spawn().unwrap()), port)
}

/// Serves a certificate, and tells whether the right host and a wrong one are taken for what they are.
const SCRIPT: &str = r#"
    const [ca, cert, key] = process.argv.slice(1).map((path) => require("fs").readFileSync(path));
    const server = require("https").createServer({ cert, key }, (_, answer) => answer.end("ok"));
    const get = (servername) => new Promise((done) => {
      const options = { host: "127.0.0.1", port: server.address().port, servername, ca, agent: false };
      require("https").get(options, (answer) => { answer.resume(); done(`${answer.socket.authorized}`); })
        .on("error", (error) => done(error.code));
    });
    server.listen(0, "127.0.0.1", async () => {
      console.log(await get("api.judged.test"), await get("example.org"));
      process.exit(0);
    });
"#;

#[test]
fn node_connects_to_the_right_host_only() {
    let Some(node) = program("node") else {
        return skip("certificates-node", "no node: run tests/setup");
    };
    let (_, project) = &projects()[0];
    let mut command = Command::new(node);
    command.args(["-e", SCRIPT]).arg(file(project, SECRET, "ca"));
    let run = Run::of(command.arg(file(project, SECRET, "fullchain")).arg(file(project, SECRET, "key")));
    assert_eq!(run.stdout, "true ERR_TLS_CERT_ALTNAME_INVALID\n", "{run:?}");
}

/// A server's layout of one certificate.
fn layout(layout: &str, more: &str) -> Project {
    Project::initialised(&format!(
        r#"
        [project]
        name = "judged"
        [secrets.ROOT]
        kind = "ca"
        [secrets.CA]
        kind = "ca"
        issuer = "ROOT"
        [secrets.TLS]
        kind = "certificate"
        issuer = "CA"
        dns = ["api.judged.test"]
        [outputs.tls]
        format = "pem"
        path = "tls"
        secrets = ["TLS"]
        layout = "{layout}"
        {more}
        "#
    ))
}

#[test]
fn haproxy_serves_its_layout() {
    let Some(haproxy) = program("haproxy") else {
        return skip("certificates-haproxy", "no haproxy: run tests/setup");
    };
    let project = layout("haproxy", "");
    let port = free_port();
    let configuration = format!(
        "defaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 60s\n\
         frontend it\n bind 127.0.0.1:{port} ssl crt {}\n http-request return status 200 content-type text/plain string ok\n",
        project.path("tls/site.pem").display()
    );
    put(&project.path("haproxy.cfg"), &configuration);
    let mut command = Command::new(haproxy);
    command.args(["-db", "-q", "-f"]).arg(project.path("haproxy.cfg")).stdin(Stdio::null());
    let _server = Server(command.spawn().unwrap());
    let run = curl_once_it_listens(port, &project.path("tls/ca.pem"));
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok"), "{run:?}");
}

#[test]
fn caddy_serves_what_nginx_serves() {
    let Some(caddy) = program("caddy") else {
        return skip("certificates-caddy", "no caddy: run tests/setup");
    };
    let project = layout("nginx", "");
    let port = free_port();
    let (cert, key) = (project.path("tls/fullchain.pem"), project.path("tls/key.pem"));
    let site = format!(
        "{{\n admin off\n auto_https off\n}}\nhttps://api.judged.test:{port} {{\n tls {} {}\n respond ok\n}}\n",
        cert.display(),
        key.display()
    );
    put(&project.path("Caddyfile"), &site);
    let mut command = Command::new(caddy);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(project.path("Caddyfile"));
    command.env("HOME", project.home()).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Server(command.spawn().unwrap());
    let run = curl_once_it_listens(port, &project.path("tls/ca.pem"));
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok"), "{run:?}");
}

/// The certificate that a server shows in a handshake that OpenSSL takes for good.
fn shown(port: u16, authority: &Path) -> String {
    let mut command = super::openssl();
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-servername", "api.judged.test"]);
    command.args(["-verify_hostname", "api.judged.test", "-verify_return_error", "-CAfile"]).arg(authority);
    leaf(&Run::of(command.stdin(Stdio::null())).assert_code(0).stdout)
}

/// The first certificate of a text.
fn leaf(text: &str) -> String {
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    rest.split_once("-----END CERTIFICATE-----").unwrap().0.trim().to_owned()
}

#[test]
fn no_handshake_fails_while_a_certificate_is_renewed_a_hundred_times() {
    let Some(program) = program("nginx") else {
        return skip("certificates-nginx", "no nginx or curl: run tests/setup");
    };
    let project = layout("nginx", "atomic = true");
    let (place, tls) = (TempDir::new().unwrap(), project.path("tls"));
    let (server, port) = nginx(
        &program,
        place.path(),
        &format!(
            "ssl_certificate {0}/fullchain.pem; ssl_certificate_key {0}/key.pem; location / {{ return 200 ok; }}",
            tls.display()
        ),
    );
    let authority = tls.join("ca.pem");
    assert_eq!(curl(port, &authority, &[]).stdout, "ok");

    let done = AtomicBool::new(false);
    let mut seen = BTreeSet::from([shown(port, &authority)]);
    let handshakes = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut handshakes = 0;
            while !done.load(Ordering::Relaxed) {
                let run = curl(port, &authority, &[]);
                assert_eq!((run.code, run.stdout.as_str()), (0, "ok"), "after {handshakes}: {run:?}");
                handshakes += 1;
            }
            handshakes
        });
        // Whatever fails in here, the client is to end.
        let renewed = catch_unwind(AssertUnwindSafe(|| {
            for renewal in 0..100 {
                project.run(["cert", "renew", "TLS", "--force", "-q"]).assert_code(0);
                kill_process(Pid::from_child(&server.0), Signal::HUP).unwrap();
                let wanted = leaf(&project.read("tls/fullchain.pem"));
                let until = Instant::now() + Duration::from_mins(1);
                while shown(port, &authority) != wanted {
                    assert!(Instant::now() < until, "renewal {renewal} is not served");
                }
                seen.insert(wanted);
            }
        }));
        done.store(true, Ordering::Relaxed);
        renewed.unwrap_or_else(|panic| resume_unwind(panic));
        client.join().unwrap()
    });
    assert!(handshakes > 20, "{handshakes}");
    assert_eq!(seen.len(), 101);
    let log = std::fs::read_to_string(place.path().join("log")).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("[emerg]")).count(), 0, "{log}");
}

#[test]
fn nginx_refuses_a_client_that_our_lists_call_revoked_and_no_other() {
    let Some(program) = program("nginx") else {
        return skip("certificates-nginx", "no nginx or curl: run tests/setup");
    };
    let project = Project::initialised(
        r#"
        [project]
        name = "judged"
        [secrets.ROOT]
        kind = "ca"
        [secrets.CA]
        kind = "ca"
        issuer = "ROOT"
        [secrets.SERVER]
        kind = "certificate"
        issuer = "CA"
        dns = ["api.judged.test"]
        [secrets.CLIENT]
        kind = "certificate"
        issuer = "CA"
        usage = "client"
        dns = ["worker.judged.test"]
        [outputs.server]
        format = "pem"
        path = "server"
        secrets = ["SERVER"]
        files = { fullchain = "fullchain.pem", key = "key.pem", ca = "ca.pem", crl = "crl.pem" }
        [outputs.client]
        format = "pem"
        path = "client"
        secrets = ["CLIENT"]
        files = { fullchain = "fullchain.pem", key = "key.pem" }
        "#,
    );
    for name in ["fullchain", "key"] {
        project.write(&format!("old/{name}.pem"), project.read(&format!("client/{name}.pem")));
    }
    let answer = |client: &str| {
        let place = TempDir::new().unwrap();
        let (_server, port) = nginx(
            &program,
            place.path(),
            &format!(
                "ssl_certificate {0}/fullchain.pem; ssl_certificate_key {0}/key.pem; ssl_client_certificate {0}/ca.pem; \
                 ssl_crl {0}/crl.pem; ssl_verify_client on; error_log log info; location / {{ return 200 $ssl_client_verify; }}",
                project.path("server").display()
            ),
        );
        let piece = |name: &str| project.path(&format!("{client}/{name}.pem")).display().to_string();
        let identified = ["--cert", &piece("fullchain"), "--key", &piece("key"), "--write-out", " %{http_code}"];
        let run = curl(port, &project.path("server/ca.pem"), &identified);
        assert_eq!(run.code, 0, "{run:?}");
        let told = std::fs::read_to_string(place.path().join("log")).unwrap();
        (run.stdout, told.contains("client SSL certificate verify error: (23:certificate revoked)"))
    };
    assert_eq!(answer("old"), ("SUCCESS 200".to_owned(), false));
    project.run(["cert", "revoke", "CLIENT", "--yes"]).assert_code(0);
    let (text, is_revoked) = answer("old");
    assert!(text.ends_with(" 400") && is_revoked, "{text}");
    assert_eq!(answer("client"), ("SUCCESS 200".to_owned(), false));
}
