//! `hooks/redis` with a real server: both passwords serve from `set` to `retire`.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vault_kit::hook::{Status, Step};

use crate::scene::{Of, Scene};
use crate::support::{Server, program, skip};

const SHIPPED: &str = include_str!("../../hooks/redis");
pub(crate) const ADMIN: &str = "the-admin's-own-password";

pub(crate) struct Redis {
    _server: Server,
    directory: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Option<Self> {
        let Some((server, _)) = program("redis-server").zip(program("redis-cli")) else {
            skip("hooks-redis", "no Redis: run tests/setup");
            return None;
        };
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        let users = format!("user default on >{ADMIN} ~* +@all\nuser app on ~* +@read +ping\n");
        std::fs::write(path("users.acl"), users).unwrap();
        let command = Command::new(server)
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(path("socket"))
            .arg("--aclfile")
            .arg(path("users.acl"))
            .arg("--dir")
            .arg(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self { _server: Server(command), directory };
        let until = Instant::now() + Duration::from_secs(20);
        while !redis.logs_in("default", ADMIN) {
            assert!(Instant::now() < until, "redis does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(redis)
    }

    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("socket")
    }

    pub(crate) fn logs_in(&self, user: &str, password: &str) -> bool {
        let mut cli = Command::new(program("redis-cli").unwrap())
            .arg("-s")
            .arg(self.directory.path().join("socket"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        cli.stdin.take().unwrap().write_all(format!("AUTH {user} \"{password}\"\n").as_bytes()).unwrap();
        cli.wait_with_output().unwrap().stdout.starts_with(b"OK")
    }
}

#[track_caller]
fn step(scene: &Scene, step: Step, new: &str, old: Option<&str>) {
    let input = scene.input(step, Of(None, new), old.map(|old| Of(None, old)), ADMIN);
    let ended = scene.start(step, input.to_vec()).wait().unwrap();
    assert_eq!(ended.status, Status::Done, "{step:?}: {}", ended.redacted(&[]));
}

#[test]
fn nobody_is_refused_while_fifty_passwords_are_rotated() {
    let Some(redis) = Redis::start() else { return };
    let options =
        format!("options = {{ socket = \"{}\", user = \"app\" }}", redis.directory.path().join("socket").display());
    let scene = Scene::new(SHIPPED, &options);
    scene.trust();
    let value = |number: u32| format!("p{number}-'{}' {{}}", "b".repeat(20));
    step(&scene, Step::Set, &value(0), None);
    let (current, done) = (std::sync::RwLock::new(value(0)), AtomicBool::new(false));
    let (logins, refused) = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let (mut logins, mut refused) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let held = current.read().unwrap();
                logins += 1;
                refused += u32::from(!redis.logs_in("app", &held));
            }
            (logins, refused)
        });
        for number in 1..=50 {
            let (new, old) = (value(number), value(number - 1));
            for what in [Step::Set, Step::Test].into_iter().cycle().take(if number % 10 == 0 { 4 } else { 2 }) {
                step(&scene, what, &new, Some(&old));
            }
            assert!(number % 10 != 0 || redis.logs_in("app", &old), "the old password ends before `retire`");
            current.write().unwrap().clone_from(&new);
            step(&scene, Step::Retire, &new, Some(&old));
            if number % 10 == 0 {
                step(&scene, Step::Retire, &new, Some(&old));
                assert!(!redis.logs_in("app", &old), "the old password is still accepted");
            }
        }
        done.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    assert!(logins > 20, "{logins}");
    assert_eq!(refused, 0, "of {logins} logins");
    let kept = std::fs::read_to_string(redis.directory.path().join("users.acl")).unwrap();
    assert!(kept.contains("user app") && !kept.contains("bbbb"), "{kept}");
    let running = scene.start(Step::Test, scene.input(Step::Test, Of(None, "wrong-value"), None, ADMIN).to_vec());
    assert_eq!(crate::watch::processes(&["wrong-value", ADMIN], Duration::from_millis(200)), [] as [String; 0]);
    assert_eq!(running.wait().unwrap().status, Status::Failed(1));
}
