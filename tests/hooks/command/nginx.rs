//! nginx, with clients that connect all the time and verify what they are shown.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::project;
use crate::proxies::{free_port, wait_for};
use crate::support::{Run, Server, program, python_judge, skip};

#[test]
fn no_handshake_fails_while_the_command_rotates_fifty_certificates() {
    let judge = python_judge("handshakes.py");
    let Some((nginx, mut clients)) = program("nginx").zip(judge) else {
        skip("hooks-nginx", "no nginx or no .venv: run tests/setup");
        return;
    };
    let port = free_port();
    let manifest = format!(
        "[project]\nname = \"shop\"\n[secrets.CA]\nkind = \"ca\"\n\
         [secrets.TLS]\nkind = \"certificate\"\nissuer = \"CA\"\ndns = [\"localhost\"]\n\
         [hooks.nginx]\nprogram = \"hooks/nginx\"\nsteps = [\"reload\"]\noutputs = [\"tls\"]\n\
         options = {{ conf = \"nginx.conf\", prefix = \".\", verify = \"127.0.0.1:{port}\", certificate = \"tls/cert.pem\" }}\n\
         [outputs.tls]\nformat = \"pem\"\npath = \"tls\"\nsecrets = [\"TLS\"]\natomic = true\n\
         files = {{ fullchain = \"cert.pem\", key = \"key.pem\" }}\n\
         [outputs.trust]\nformat = \"pem\"\npath = \"trust\"\nsecrets = [\"CA\"]\nfiles = {{ cert = \"ca.pem\" }}\n"
    );
    let shop = project(&manifest, &["nginx"], &[]);
    shop.write(
        "nginx.conf",
        format!(
            "daemon off; pid pid; error_log log;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path b; proxy_temp_path p; \
             fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\nserver {{ listen 127.0.0.1:{port} ssl; \
             ssl_certificate {0}/tls/cert.pem; ssl_certificate_key {0}/tls/key.pem; return 200 ok; }} }}\n",
            shop.root().display()
        ),
    );
    let mut server = Command::new(nginx);
    server.args(["-e", "log", "-c", "nginx.conf", "-p"]).arg(".").current_dir(shop.root());
    let _server = Server(server.stderr(Stdio::null()).spawn().unwrap());
    wait_for(port);
    clients.arg(port.to_string()).arg(shop.path("trust/ca.pem")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut clients = clients.spawn().unwrap();
    for _ in 0..50 {
        shop.run(["rotate", "TLS"]).assert_code(0);
    }
    drop(clients.stdin.take());
    let told = Run::from(clients.wait_with_output().unwrap()).assert_code(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["failed"], Value::Array(Vec::new()), "{told}");
    assert!(told["connections"].as_u64() > Some(500), "{told}");
    assert!(told["certificates"].as_u64() >= Some(45), "{told}");
}
