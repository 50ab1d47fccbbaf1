//! `HAProxy`, with clients that connect all the time and verify what they are shown.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::project;
use crate::proxies::{free_port, wait_for};
use crate::support::{Run, Server, counted, program, python_judge, skip};

#[test]
fn no_handshake_fails_while_the_command_rotates_the_certificate_of_haproxy() {
    let judge = python_judge("handshakes.py");
    let Some((haproxy, mut clients)) = program("haproxy").zip(judge) else {
        return skip("hooks-haproxy", "no haproxy or no .venv: run tests/setup");
    };
    let port = free_port();
    let manifest = format!(
        "[project]\nname = \"shop\"\n[secrets.CA]\nkind = \"ca\"\n\
         [secrets.TLS]\nkind = \"certificate\"\nissuer = \"CA\"\ndns = [\"localhost\"]\n\
         [hooks.haproxy]\nprogram = \"hooks/haproxy\"\nsteps = [\"reload\"]\noutputs = [\"tls\"]\n\
         options = {{ conf = \"haproxy.cfg\", master = \"master\", verify = \"127.0.0.1:{port}\", certificate = \"tls/site.pem\" }}\n\
         [outputs.tls]\nformat = \"pem\"\npath = \"tls\"\nsecrets = [\"TLS\"]\natomic = true\n\
         files = {{ fullchain = \"site.pem\", key = \"site.pem.key\" }}\n\
         [outputs.trust]\nformat = \"pem\"\npath = \"trust\"\nsecrets = [\"CA\"]\nfiles = {{ cert = \"ca.pem\" }}\n"
    );
    let shop = project(&manifest, &["haproxy"], &[]);
    // Beside the certificate HAProxy looks for its key by itself.
    let configuration = format!(
        "global\n  stats socket {0}/stats expose-fd listeners\n\
         defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 5s\n\
         frontend f\n  bind 127.0.0.1:{port} ssl crt {0}/tls/site.pem\n  http-request return status 200\n",
        shop.root().display()
    );
    shop.write("haproxy.cfg", configuration);
    let mut server = Command::new(haproxy);
    server.args(["-W", "-f", "haproxy.cfg", "-S", "unix@master"]).current_dir(shop.root());
    let _server = Server(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for(port);
    clients.arg(port.to_string()).arg(shop.path("trust/ca.pem")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut clients = clients.spawn().unwrap();
    for _ in 0..10 {
        shop.run(["rotate", "TLS"]).assert_code(0);
    }
    drop(clients.stdin.take());
    let told = Run::from(clients.wait_with_output().unwrap()).assert_code(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    counted(&format!("10 certificates of HAProxy: {} handshakes, {} failed", told["connections"], told["failed"]));
    assert_eq!(told["failed"], Value::Array(Vec::new()), "{told}");
    assert!(told["connections"].as_u64() > Some(100), "{told}");
    assert!(told["certificates"].as_u64() >= Some(9), "{told}");
    // One that HAProxy does not take is not served, and is told of.
    shop.write("haproxy.cfg", "nonsense\n");
    let run = shop.run(["rotate", "TLS"]).assert_code(8);
    assert!(run.stderr.contains("haproxy") && run.stderr.contains("vault-kit rotate resume"), "{run:?}");
}
