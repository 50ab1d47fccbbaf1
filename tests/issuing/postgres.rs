//! The layout of `postgres`, served: the names are its defaults, and it refuses a key that others can read.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use crate::MANIFEST;
use crate::support::{Project, Run, Server, program, skip};

/// The user that the server runs as where the tests are root's: it refuses root.
const NOBODY: u32 = 65_534;

/// Debian keeps the server's programs where no `PATH` looks.
fn binary(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> = versions.map(|it| it.unwrap().path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found.pop().or_else(|| program(name))
}

fn as_nobody(program: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null());
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn give_to_nobody(path: &Path) {
    if geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// A server on a port that was free a moment ago; it says so and ends where it is not any more.
fn start(postgres: &Path, data: &Path) -> (Child, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = std::fs::File::options().create(true).append(true).open(data.with_file_name("log")).unwrap();
    let mut command = as_nobody(postgres);
    command.arg("-D").arg(data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
    command.args(["-c", "unix_socket_directories=", "-c", "ssl=on", "-c", "ssl_ca_file=root.crt"]);
    (command.stdout(Stdio::null()).stderr(log).spawn().unwrap(), port)
}

#[test]
fn postgresql_serves_its_layout_to_a_client_that_verifies_all_of_it() {
    let (Some(initdb), Some(postgres), Some(psql)) = (binary("initdb"), binary("postgres"), binary("psql")) else {
        return skip("issuing-postgres", "no PostgreSQL: run tests/setup");
    };
    let project = Project::initialised(&(MANIFEST.to_owned() + "layout = \"postgres\"\n"));
    let place = tempfile::Builder::new().prefix("vault-kit-pg-").tempdir_in("/tmp").unwrap();
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    give_to_nobody(place.path());
    give_to_nobody(&data);
    let mut made = as_nobody(&initdb);
    Run::of(made.args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"]).arg(&data)).assert_code(0);
    for name in ["server.crt", "server.key", "root.crt"] {
        // With its mode.
        std::fs::copy(project.path(&format!("tls/{name}")), data.join(name)).unwrap();
        give_to_nobody(&data.join(name));
    }
    let authority = project.path("tls/root.crt");
    let ask = |port: u16, host: &str| {
        let mut client = Command::new(&psql);
        let address = format!(
            "host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=verify-full sslrootcert={}",
            authority.display()
        );
        client.args(["-X", "-A", "-t", "-w", "-c", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"]);
        Run::of(client.arg(address).env("HOME", project.home()))
    };
    let until = Instant::now() + Duration::from_mins(1);
    let (child, mut port) = start(&postgres, &data);
    let mut server = Server(child);
    loop {
        let run = ask(port, "api.shop.test");
        if run.code == 0 {
            assert_eq!(run.stdout, "t\n");
            break;
        }
        let log = std::fs::read_to_string(place.path().join("log")).unwrap();
        assert!(Instant::now() < until && !log.contains("private key"), "{run:?}\n{log}");
        if log.contains("Address already in use") {
            std::fs::remove_file(place.path().join("log")).unwrap();
            let (child, another) = start(&postgres, &data);
            (server, port) = (Server(child), another);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let other = ask(port, "www.shop.test");
    assert!(other.code != 0 && other.stderr.contains("does not match host name"), "{other:?}");
    drop(server);
}
