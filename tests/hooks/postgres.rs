//! `hooks/postgres` with a real server: nobody is refused while users alternate, and how long one user is.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vault_kit::hook::{Status, Step};

use crate::scene::{Of, Scene, chmod};
use crate::support::{Server, program, skip};

pub(crate) const SHIPPED: &str = include_str!("../../hooks/postgres");

/// The user that the server runs as where the tests are root's: it refuses root.
const NOBODY: u32 = 65_534;

pub(crate) const ADMIN: &str = "adm1n:\\'\"pass";

/// A server that wants SCRAM of everybody, on a socket in its directory.
pub(crate) struct Postgres {
    _server: Server,
    pub(crate) directory: TempDir,
}

impl Postgres {
    pub(crate) fn start() -> Option<Self> {
        let (Some(initdb), Some(postgres), Some(_)) = (binary("initdb"), binary("postgres"), program("psql")) else {
            skip("hooks-postgres", "no PostgreSQL: run tests/setup");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("vault-kit-pg-").tempdir_in("/tmp").unwrap();
        chmod(directory.path(), 0o755);
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(directory.path().join("password"), ADMIN).unwrap();
        for path in [directory.path(), &data, &directory.path().join("password")] {
            if rustix::process::geteuid().is_root() {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let made = as_nobody(&initdb)
            .args(["-A", "scram-sha-256", "-U", "postgres", "--no-sync", "-D"])
            .arg(&data)
            .arg(format!("--pwfile={}", directory.path().join("password").display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let server = as_nobody(&postgres)
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "log_statement=all", "-k"])
            .arg(directory.path())
            .stderr(std::fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let postgres = Self { _server: Server(server), directory };
        let until = Instant::now() + Duration::from_secs(30);
        while !postgres.logs_in("postgres", ADMIN) {
            assert!(Instant::now() < until, "{}", postgres.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(postgres)
    }

    /// The directory of its socket.
    pub(crate) fn host(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    fn psql(&self, user: &str, password: &str, statement: &str) -> Command {
        // Not what Debian puts on `PATH`: that is a script in Perl, which takes longer than the login.
        let mut command = Command::new(binary("psql").unwrap());
        command.args(["-X", "-q", "-w", "-c", statement, "postgres"]);
        command
            .env("PGHOST", self.directory.path())
            .env("PGUSER", user)
            .env("PGPASSFILE", self.password_file(password));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// In a file, for a test beside this one looks through the environments of all processes for what it must not find.
    fn password_file(&self, password: &str) -> std::path::PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = self.directory.path().join(format!("pgpass-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        writeln!(file, "*:*:*:*:{}", password.replace('\\', "\\\\").replace(':', "\\:")).unwrap();
        path
    }

    pub(crate) fn logs_in(&self, user: &str, password: &str) -> bool {
        self.psql(user, password, "SELECT 1").status().unwrap().success()
    }

    pub(crate) fn execute(&self, statement: &str) {
        assert!(self.psql("postgres", ADMIN, statement).status().unwrap().success(), "{statement}");
    }

    fn scene(&self) -> Scene {
        let host = self.directory.path().display();
        let scene = Scene::new(SHIPPED, &format!("options = {{ host = \"{host}\", user = \"app\" }}"));
        scene.trust();
        scene
    }
}

/// Debian keeps the server's programs where no `PATH` looks.
fn binary(name: &str) -> Option<std::path::PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<_> = versions.map(|it| it.unwrap().path().join("bin").join(name)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found.pop().or_else(|| program(name))
}

fn as_nobody(program: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[track_caller]
fn step(scene: &Scene, step: Step, new: Of<'_>, old: Option<Of<'_>>) {
    let ended = scene.start(step, scene.input(step, new, old, ADMIN).to_vec()).wait().unwrap();
    assert_eq!(ended.status, Status::Done, "{step:?}: {}", ended.redacted(&[]));
}

fn password(number: u32) -> String {
    format!("p{number}:\\'\"${{x}} `ls` %s-{}", "a".repeat(20))
}

#[test]
fn nobody_is_refused_while_fifty_passwords_of_alternating_users_are_rotated() {
    let Some(postgres) = Postgres::start() else { return };
    let users = ["app \"a\"", "app\\b'; DROP ROLE postgres"];
    postgres.execute(&format!(
        "CREATE ROLE {}",
        users.map(|user| format!("\"{}\"", user.replace('"', "\"\""))).join("; CREATE ROLE ")
    ));
    let scene = postgres.scene();
    let (first, done) = (password(0), AtomicBool::new(false));
    step(&scene, Step::Set, Of(Some(users[0]), &first), None);
    // What is delivered: clients read it right before they log in.
    let current = std::sync::RwLock::new((users[0], first));
    let (logins, refused) = std::thread::scope(|scope| {
        let client = || {
            let (mut logins, mut refused) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let held = current.read().unwrap();
                logins += 1;
                refused += u32::from(!postgres.logs_in(held.0, &held.1));
                drop(held);
                std::thread::sleep(Duration::from_millis(20));
            }
            (logins, refused)
        };
        let clients = [scope.spawn(client), scope.spawn(client)];
        for number in 1..=50u32 {
            let (user, value) = (users[number as usize % 2], password(number));
            let (old_user, old_value) = current.read().unwrap().clone();
            let (new, old) = (Of(Some(user), &value), Some(Of(Some(old_user), &old_value)));
            // Each step twice now and then: a crash behind it repeats it.
            for what in [Step::Set, Step::Test].into_iter().cycle().take(if number % 10 == 0 { 4 } else { 2 }) {
                step(&scene, what, new, old);
            }
            *current.write().unwrap() = (user, value.clone());
            step(&scene, Step::Retire, new, old);
            if number % 10 == 0 {
                step(&scene, Step::Retire, new, old);
                assert!(!postgres.logs_in(old_user, &old_value), "the old password is still accepted");
            }
        }
        done.store(true, Ordering::Relaxed);
        clients.into_iter().map(|it| it.join().unwrap()).fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
    });
    assert!(logins > 50, "{logins}");
    assert_eq!(refused, 0, "of {logins} logins");
    let log = postgres.log();
    assert!(log.contains("ALTER ROLE") && !log.contains(&"a".repeat(20)), "the server's log shows a password");
}

#[test]
#[expect(clippy::print_stderr, reason = "a figure for whoever decides between one user and two")]
fn one_user_is_refused_from_set_until_the_new_password_is_delivered() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.execute("CREATE ROLE app");
    let scene = postgres.scene();
    let (old, new) = (password(1), password(2));
    step(&scene, Step::Set, Of(None, &old), None);
    assert!(postgres.logs_in("app", &old));
    let started = Instant::now();
    for what in [Step::Set, Step::Set, Step::Test, Step::Test] {
        step(&scene, what, Of(None, &new), Some(Of(None, &old)));
    }
    let gap = started.elapsed();
    assert!(!postgres.logs_in("app", &old) && postgres.logs_in("app", &new));
    step(&scene, Step::Retire, Of(None, &new), Some(Of(None, &old)));
    assert!(postgres.logs_in("app", &new));
    eprintln!("one user: {} ms from the first `set` to the end of the second `test`", gap.as_millis());
    // `abort`: the old value is set again, and the new one is not accepted any more.
    step(&scene, Step::Set, Of(None, &old), Some(Of(None, &new)));
    assert!(postgres.logs_in("app", &old) && !postgres.logs_in("app", &new));
}

#[test]
fn a_wrong_password_fails_the_test_and_stands_nowhere() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.execute("CREATE ROLE app");
    let scene = postgres.scene();
    step(&scene, Step::Set, Of(None, &password(1)), None);
    let wrong = format!("wrong-{}", password(3));
    let running = scene.start(Step::Test, scene.input(Step::Test, Of(None, &wrong), None, ADMIN).to_vec());
    let seen = crate::watch::processes(&[&wrong, ADMIN], Duration::from_millis(300));
    let ended = running.wait().unwrap();
    assert_eq!(ended.status, Status::Failed(1));
    assert!(!ended.redacted(&[]).contains("wrong-"), "{}", ended.redacted(&[]));
    assert_eq!(seen, [] as [String; 0]);
}
