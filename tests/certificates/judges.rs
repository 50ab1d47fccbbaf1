//! What `GnuTLS`, NSS, node, `HAProxy` and Caddy say, and nginx while its certificate is renewed a hundred times.

use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{TcpListener, file, projects, put};
use crate::support::{Project, Run, Server, program, skip};

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

/// A loopback port of our own, as descriptor 0 of whoever is started with it.
fn socket() -> (TcpListener, u16) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// What curl gets from `api.judged.test` at a port.
fn curl(port: u16, authority: &std::path::Path) -> Run {
    let curl = program("curl").expect("curl is installed: run tests/setup");
    let mut command = Command::new(curl);
    command.args(["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", "--retry-connrefused"]);
    command.args(["--retry", "20", "--retry-delay", "1", "--cacert"]).arg(authority);
    command.args(["--resolve", &format!("api.judged.test:{port}:127.0.0.1")]);
    Run::of(command.arg(format!("https://api.judged.test:{port}/")))
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
    // HAProxy and Caddy take no socket from others: the port is free when it is asked for, and likely a moment later.
    let port = socket().1;
    let configuration = format!(
        "defaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 60s\n\
         frontend it\n bind 127.0.0.1:{port} ssl crt {}\n http-request return status 200 content-type text/plain string ok\n",
        project.path("tls/site.pem").display()
    );
    put(&project.path("haproxy.cfg"), &configuration);
    let mut command = Command::new(haproxy);
    command.args(["-db", "-q", "-f"]).arg(project.path("haproxy.cfg")).stdin(Stdio::null());
    let _server = Server(command.spawn().unwrap());
    let run = curl(port, &project.path("tls/ca.pem"));
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok"), "{run:?}");
}

#[test]
fn caddy_serves_what_nginx_serves() {
    let Some(caddy) = program("caddy") else {
        return skip("certificates-caddy", "no caddy: run tests/setup");
    };
    let project = layout("nginx", "");
    let port = socket().1;
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
    let run = curl(port, &project.path("tls/ca.pem"));
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok"), "{run:?}");
}

#[test]
fn no_handshake_fails_while_a_certificate_is_renewed_a_hundred_times() {
    let Some(nginx) = program("nginx") else {
        return skip("certificates-nginx", "no nginx or curl: run tests/setup");
    };
    let project = layout("nginx", "atomic = true");
    let (socket, port) = socket();
    let configuration = format!(
        "daemon off; worker_processes 1; pid pid; error_log log notice; events {{}}\nhttp {{ access_log off;\n\
         client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;\n\
         server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {tls}/fullchain.pem; ssl_certificate_key {tls}/key.pem;\n\
         location / {{ return 200 ok; }} }} }}\n",
        tls = project.path("tls").display()
    );
    let place = TempDir::new().unwrap();
    put(&place.path().join("nginx.conf"), &configuration);
    let mut command = Command::new(nginx);
    command.arg("-p").arg(place.path()).args(["-c", "nginx.conf", "-e", "log"]);
    let server = Server(command.env("NGINX", "0;").stdin(OwnedFd::from(socket)).spawn().unwrap());
    let authority = project.path("tls/ca.pem");
    assert_eq!(curl(port, &authority).stdout, "ok");

    let done = AtomicBool::new(false);
    let handshakes = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut handshakes = 0;
            while !done.load(Ordering::Relaxed) {
                let run = curl(port, &authority);
                assert_eq!((run.code, run.stdout.as_str()), (0, "ok"), "after {handshakes}: {run:?}");
                handshakes += 1;
            }
            handshakes
        });
        for _ in 0..100 {
            project.run(["cert", "renew", "TLS", "--force", "-q"]).assert_code(0);
            kill_process(Pid::from_child(&server.0), Signal::HUP).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    assert!(handshakes > 20, "{handshakes}");
    let log = std::fs::File::open(place.path().join("log")).unwrap();
    let reloads = BufReader::new(log).lines().filter(|line| line.as_ref().unwrap().contains("reconfiguring")).count();
    assert!(reloads > 20, "{reloads}");
}
