//! `http-probe` as the `test` of a rotation, of a password that nginx asks for.

use std::process::{Command, Stdio};

use super::project_with;
use crate::proxies::{free_port, wait_for};
use crate::support::{Project, Server, program, skip};

/// Has nginx accept the new password and no other, unless a file says that it is to come later.
const OWNER: &str = r#"#!/bin/sh
new=$(sed -n 's/.*"new":{[^{}]*"value":"\([^"]*\)".*/\1/p')
[ -n "$new" ] && printf 'app:{PLAIN}%s\n' "$new" >told && { [ -e late ] || cp told users; }
"#;

/// A shop whose password nginx asks for, and nginx, which reads the list of users at each request.
fn shop(more: &str) -> Option<(Project, Server)> {
    let Some(nginx) = program("nginx") else {
        skip("hooks-http-probe", "no nginx: run tests/setup");
        return None;
    };
    let port = free_port();
    let manifest = format!(
        "[project]\nname = \"shop\"\n[secrets.PASSWORD]\nkind = \"random\"\nhooks = [\"owner\", \"probe\"]\n\
         [hooks.owner]\nprogram = \"hooks/owner\"\nsteps = [\"set\"]\n\
         [hooks.probe]\nprogram = \"hooks/http-probe\"\nsteps = [\"test\"]\n\
         options = {{ url = \"http://127.0.0.1:{port}/\", user = \"app\"{more} }}\n\
         [outputs.app]\nformat = \"docker-secrets\"\npath = \"app\"\nsecrets = [\"PASSWORD\"]\n"
    );
    let shop = project_with(&manifest, &["http-probe"], &[], &[("owner", OWNER)]);
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    shop.write(
        "nginx.conf",
        format!(
            "{user} daemon off; pid pid; error_log log;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path b; \
             proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n\
             server {{ listen 127.0.0.1:{port}; root {0}/www; auth_basic shop; auth_basic_user_file {0}/users; }} }}\n",
            shop.root().display()
        ),
    );
    shop.write("www/index.html", "ok");
    shop.write("users", "");
    let mut server = Command::new(nginx);
    server.args(["-e", "log", "-c", "nginx.conf", "-p"]).arg(".").current_dir(shop.root());
    let server = Server(server.stderr(Stdio::null()).spawn().unwrap());
    wait_for(port);
    Some((shop, server))
}

#[test]
fn a_password_is_promoted_once_nginx_accepts_it_and_not_before() {
    let Some((shop, _server)) = shop(", refuse = \"401\"") else { return };
    let first = shop.get("PASSWORD");
    shop.run(["rotate", "PASSWORD"]).assert_code(0);
    let second = shop.get("PASSWORD");
    assert!(first != second && shop.read("users").as_bytes().ends_with(&[&second[..], b"\n"].concat()));

    shop.write("late", "");
    let run = shop.run(["rotate", "PASSWORD"]).assert_code(8);
    assert!(run.stderr.contains("http-probe: the answer is 401, not 200"), "{run:?}");
    assert_eq!((shop.get("PASSWORD"), shop.bytes("app/password")), (second.clone(), second.clone()));
    shop.write("users", shop.bytes("told"));
    shop.run(["rotate", "resume"]).assert_code(0);
    let third = shop.get("PASSWORD");
    assert!(third != second && shop.bytes("app/password") == third);
}

#[test]
fn a_server_that_lets_everybody_in_proves_nothing() {
    let Some((shop, _server)) = shop(", refuse = \"403\"") else { return };
    let first = shop.get("PASSWORD");
    let run = shop.run(["rotate", "PASSWORD"]).assert_code(8);
    assert!(run.stderr.contains("without the value the answer is 401, not 403"), "{run:?}");
    assert_eq!(shop.get("PASSWORD"), first);
}
