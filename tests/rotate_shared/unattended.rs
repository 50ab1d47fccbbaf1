//! `rotate --due` as the units of `schedule` run it: on the file system that their own lines leave, with nothing in its
//! environment, with no other system calls than they allow, and with the identity as a credential.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::aws::{Fake, REGION};
use crate::fixture::{DB, Host, Owner, alone, manifest, there};
use crate::support::{self, Run, program, set_mode, skip};

/// Who runs it, by whose service manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Account {
    /// Root, by the system's.
    Root,
    /// Somebody who called sudo, by the system's.
    Caller,
    /// Somebody, by their own.
    Own,
    /// The same, with a hook that is root's.
    OwnWithRoots,
}

impl Account {
    fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::OwnWithRoots)
    }
}

/// Whoever is not root.
const UID: u32 = 4711;

/// The users of the machine.
const USERS: &str = "root:x:0:0:root:/root:/bin/sh\ndeploy:x:4711:4711::/home:/bin/sh\n";

/// Puts the project at `/srv`, its outputs beside it at `/mnt`, and the home where it belongs: what is in a temporary directory a
/// unit is not kept from.
const BOOT: &str = r#"
set -e
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/bin /run/credentials /run/user/4711
touch /run/bin/vault-kit /run/bin/run_unit.py
mount --bind "$1" /run/bin/vault-kit
mount --bind "$2" /run/bin/run_unit.py
chown 4711:4711 /run/user/4711
mount --bind "$3" /srv
mount --bind "$4" /srv/owner
mount --bind "$5" /mnt
mount --bind "$6" /etc/passwd
mount --bind "$7" "$8"
: > /run/nginx.pid
for it in /var/log/nginx /var/lib/nginx; do [ ! -d "$it" ] || mount -t tmpfs tmpfs "$it"; done
cp /srv/hooks/owner /run/bin/pager
chmod 755 /run/bin/pager
shift 8
cd /srv
exec "$@"
"#;

/// Where Debian's and others' write to.
const NGINX: &str = "pid /run/nginx.pid;\nerror_log /var/log/nginx/error.log;\nevents {}\nhttp {\n  \
                     access_log /var/log/nginx/access.log;\n  server { listen unix:/srv/nginx.sock; }\n}\n";

/// A service that accepts whatever it is asked with; its port.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    port
}

/// A machine of its own as far as files go.
struct Machine {
    host: Host,
    owner: Owner,
    elsewhere: TempDir,
    account: Account,
}

impl Machine {
    #[expect(clippy::disallowed_methods, reason = "a machine of the test's own")]
    fn start(fake: &Fake, account: Account) -> Self {
        let owner = Owner::new();
        let text = manifest(&owner, MORE).replace(owner.path("").to_str().unwrap().trim_end_matches('/'), "/srv/owner");
        let text =
            text.replace("[secrets.LOCAL]", "[secrets.LOCAL]\nhooks = [\"neighbour\", \"probe\"]\noverlap = \"1h\"");
        let text = text.replace("PORT", &serve().to_string());
        // What another one may change is no hook of a user's, so that it matters whose it is.
        let text = if account == Account::Own { text.replace("/run/bin/pager", "hooks/owner") } else { text };
        let machine = Self { host: Host::untouched(fake, &text), owner, elsewhere: TempDir::new().unwrap(), account };
        let project = &machine.host.project;
        for hook in ["http-probe", "nginx"] {
            project.write(&format!("hooks/{hook}"), std::fs::read(support::root().join("hooks").join(hook)).unwrap());
            set_mode(&project.path(&format!("hooks/{hook}")), 0o755);
        }
        project.write("nginx.conf", NGINX);
        std::fs::create_dir(project.path("owner")).unwrap();
        std::fs::create_dir_all(machine.owner.path("neighbour/accepted")).unwrap();
        std::fs::create_dir(machine.elsewhere.path().join("shop")).unwrap();
        std::fs::write(machine.elsewhere.path().join("passwd"), USERS).unwrap();
        std::fs::create_dir(project.home().join(".aws")).unwrap();
        let endpoint = fake.environment().into_iter().find(|(name, _)| name.starts_with("AWS_ENDPOINT")).unwrap().1;
        let profile = format!(
            "[default]\nregion = {REGION}\nendpoint_url = {endpoint}\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
             aws_secret_access_key = a-secret-access-key-of-a-test\n"
        );
        std::fs::write(project.home().join(".aws/config"), profile).unwrap();
        machine.give_away();
        for words in [&["trust", "--yes"][..], &["init"], &["sync", "push"]] {
            machine.run(words).assert_code(0);
        }
        machine.owner.accept(&machine.host.stored("DB"));
        machine
    }

    /// Everything belongs to who runs it, also what this test wrote.
    fn give_away(&self) {
        let uid = if self.account == Account::Root { 0 } else { UID };
        let places = [self.host.project.root(), self.host.project.home(), &self.owner.path(""), self.elsewhere.path()];
        Run::of(Command::new("chown").arg("-R").arg(format!("{uid}:{uid}")).args(places)).assert_code(0);
    }

    /// A command of root's on the machine.
    fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Command {
        let project = &self.host.project;
        let home = if self.account == Account::Root { "/root" } else { "/home" };
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", BOOT, "boot", env!("CARGO_BIN_EXE_vault-kit")]);
        command.arg(support::root().join("tests/judges/run_unit.py"));
        command.arg(project.root()).arg(self.owner.path("")).arg(self.elsewhere.path());
        command.arg(self.elsewhere.path().join("passwd")).arg(project.home()).arg(home).args(words);
        command.env_clear().env("PATH", support::search_path()).env("HOME", home).stdin(Stdio::null());
        if self.account.is_own() {
            command.env("XDG_STATE_HOME", "/mnt/state");
        }
        command
    }

    /// What a person types.
    fn run(&self, words: &[&str]) -> Run {
        let who = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", "--"];
        let who = if self.account == Account::Root { &[][..] } else { &who };
        Run::of(&mut self.command([who, &["/run/bin/vault-kit"], words].concat()))
    }

    /// The text of the service.
    fn unit(&self) -> (String, String) {
        let printed = match self.account {
            Account::Caller => {
                let mut command = self.command(["/run/bin/vault-kit", "schedule", "print"]);
                Run::of(
                    command
                        .env("SUDO_UID", UID.to_string())
                        .env("HOME", "/root")
                        .env("VAULT_KIT_IDENTITY_FILE", "/home/.config/vault-kit/identity.txt"),
                )
            }
            Account::Root | Account::Own | Account::OwnWithRoots => self.run(&["schedule", "print"]),
        };
        let printed = printed.assert_code(0).stdout;
        let (service, _) = printed.split_once("\n# vault-kit-shop-dev-").unwrap();
        let (name, text) = service.strip_prefix("# ").unwrap().split_once('\n').unwrap();
        (name.to_owned(), text.to_owned())
    }

    /// Runs a unit once, as its timer would.
    #[expect(clippy::disallowed_methods, reason = "a unit of the test's own")]
    fn trigger(&self, name: &str, text: &str) -> Run {
        std::fs::write(self.elsewhere.path().join(name), text).unwrap();
        let path = format!("/mnt/{name}");
        let judge = ["/usr/bin/python3", "/run/bin/run_unit.py", &path];
        let manager: &[&str] = if self.account.is_own() { &["deploy"] } else { &[] };
        Run::of(&mut self.command([&judge, manager].concat()))
    }

    /// Forty days pass.
    fn age(&self) {
        self.host.age(&["DB", "LOCAL"]);
        self.give_away();
    }
}

/// The owner of what no other host has, a service that is asked whether it accepts that, whom to tell of failures, a file elsewhere,
/// and a server whose files never change.
const MORE: &str = r#"
[hooks.neighbour]
program = "hooks/owner"
steps = ["set", "test", "retire"]
options = { at = "/srv/owner/neighbour" }

[hooks.probe]
program = "hooks/http-probe"
steps = ["test"]
options = { url = "http://127.0.0.1:PORT/" }

[hooks.nginx]
program = "hooks/nginx"
steps = ["reload"]
outputs = ["still"]

[secrets.STILL]
kind = "random"

[outputs.still]
format = "docker-secrets"
path = "still"
secrets = ["STILL"]

[hooks.pager]
program = "/run/bin/pager"
steps = ["notify"]
options = { at = "/srv/owner" }

[outputs.elsewhere]
format = "docker-secrets"
path = "/mnt/shop"
secrets = ["DB"]
"#;

fn works_as(test: &str, account: Account) {
    let test = format!("unattended::{test}");
    let tries = ["unshare --mount mount -t tmpfs tmpfs /run", "systemd-analyze --version", "ls /usr/bin/python3"];
    let can = |line: &&str| {
        let mut words = line.split(' ');
        let run = Command::new(words.next().unwrap()).args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|it| it.success())
    };
    if let Some(lack) = tries.iter().find(|it| !can(it)) {
        return skip(&test, &format!("needs root and systemd's own tables: `{lack}` fails"));
    }
    let fake = Fake::start();
    let machine = Machine::start(&fake, account);
    let (name, unit) = machine.unit();
    let old = ["DB", "LOCAL"].map(|name| machine.host.stored(name));
    machine.owner.forget();
    machine.age();
    let run = machine.trigger(&name, &unit).assert_code(0);
    let lines = run.both();
    assert!(lines.lines().all(|line| line.starts_with('{')), "{account:?}: a journal has events alone: {lines}");
    let new = ["DB", "LOCAL"].map(|name| machine.host.stored(name));
    assert!(old[0] != new[0] && old[1] != new[1], "{run:?}");
    assert_eq!(new, ["DB", "LOCAL"].map(|name| machine.host.delivered(name)));
    assert_eq!(machine.host.delivered("LOCAL_PREVIOUS"), old[1]);
    assert_eq!(there(&fake, DB), new[0]);
    assert_eq!(std::fs::read_to_string(machine.elsewhere.path().join("shop/db")).unwrap(), new[0]);
    assert!(machine.owner.accepts(&new[0]) && !machine.owner.accepts(&old[0]));
    assert_eq!(std::fs::read_to_string(machine.owner.path("neighbour/current")).unwrap(), new[1]);
    let steps: BTreeSet<String> = machine.owner.steps().into_iter().collect();
    assert_eq!(steps.iter().map(String::as_str).collect::<Vec<_>>(), ["reload", "retire", "set", "test"]);
    // It is quiet where nothing is due, and somebody hears of what fails.
    let run = machine.trigger(&name, &unit).assert_code(0);
    assert_eq!(run.both(), "");
    machine.age();
    machine.owner.does("fail-test");
    machine.trigger(&name, &unit).assert_code(8);
    assert!(machine.owner.steps().iter().any(|step| step == "notify"));
    machine.owner.stops("fail-test");
    machine.run(&["rotate", "resume"]).assert_code(0);
    machine.run(&["check"]).assert_code(0);
    if account == Account::Root && program("nginx").is_some() {
        // What the hook calls before it has the server read its files.
        let test = "ExecStart=/usr/sbin/nginx -t -q -c /srv/nginx.conf";
        let swap = |line: &str| if line.starts_with("ExecStart=") { test.to_owned() } else { line.to_owned() };
        let tests: Vec<String> = unit.lines().map(swap).collect();
        machine.trigger(&name, &tests.join("\n")).assert_code(0);
        let narrower: Vec<String> = tests.into_iter().filter(|line| !line.ends_with("/run/nginx.pid")).collect();
        machine.trigger(&name, &narrower.join("\n")).assert_code(1);
    }
    // The judge does keep it from what the lines do not leave it.
    machine.age();
    for (line, instead) in [
        ("ReadWritePaths=-/srv\n", ""),
        ("LoadCredential=identity", "LoadCredential=other"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@basic-io @file-system"),
    ] {
        if account == Account::OwnWithRoots && line.starts_with("ReadWritePaths=") {
            continue;
        }
        let spoilt = unit.replace(line, instead);
        assert_ne!(spoilt, unit);
        assert_ne!(machine.trigger(&name, &spoilt).code, 0, "{account:?}, without {line}");
    }
}

#[test]
fn a_service_of_the_system_that_is_root_s_rotates() {
    works_as("a_service_of_the_system_that_is_root_s_rotates", Account::Root);
}

#[test]
fn a_service_of_the_system_that_is_a_user_s_rotates() {
    works_as("a_service_of_the_system_that_is_a_user_s_rotates", Account::Caller);
}

#[test]
fn a_service_of_a_user_s_own_manager_rotates() {
    works_as("a_service_of_a_user_s_own_manager_rotates", Account::Own);
}

#[test]
fn a_service_of_a_user_s_own_manager_calls_a_hook_that_is_root_s() {
    works_as("a_service_of_a_user_s_own_manager_calls_a_hook_that_is_root_s", Account::OwnWithRoots);
}

/// The system calls in each set, as `systemd-analyze` lists them.
fn sets(analyze: &Path) -> BTreeMap<String, Vec<String>> {
    let listing = Run::of(Command::new(analyze).arg("syscall-filter")).assert_code(0).stdout;
    let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut set = None;
    for line in listing.lines() {
        match (line.strip_prefix("    "), &set) {
            (Some(word), Some(name)) if !word.starts_with('#') => {
                sets.entry(String::clone(name)).or_default().push(word.to_owned());
            }
            (None, _) => set = Some(line.to_owned()).filter(|line| line.starts_with('@')),
            _ => {}
        }
    }
    sets
}

fn members(sets: &BTreeMap<String, Vec<String>>, word: &str) -> BTreeSet<String> {
    match sets.get(word) {
        Some(words) => words.iter().flat_map(|word| members(sets, word)).collect(),
        None => BTreeSet::from([word.to_owned()]),
    }
}

#[test]
fn a_rotation_with_its_programs_makes_no_system_call_that_its_unit_refuses() {
    let test = "unattended::a_rotation_with_its_programs_makes_no_system_call_that_its_unit_refuses";
    let (Some(analyze), Some(_)) = (program("systemd-analyze"), program("strace")) else {
        return skip(test, "no systemd-analyze or no strace");
    };
    let (_fake, owner, host) =
        alone("[hooks.pager]\nprogram = \"hooks/owner\"\nsteps = [\"notify\"]\noptions = { at = \"/none\" }\n");
    let sets = sets(&analyze);
    let unit = host.run(["schedule", "print"]).assert_code(0).stdout;
    let words = unit.lines().find_map(|line| line.strip_prefix("SystemCallFilter=")).unwrap();
    let allowed: BTreeSet<String> =
        ["@default"].into_iter().chain(words.split(' ')).flat_map(|word| members(&sets, word)).collect();
    let log = owner.path("strace").display().to_string();
    let strace = ["strace", "-f", "-qq", "-c", "-o", &log];
    let mut made = BTreeSet::new();
    for (fails, code) in [(true, 8), (false, 0)] {
        host.age(&["DB", "LOCAL", "SESSION"]);
        if fails {
            owner.does("fail-test");
        }
        let run = Run::of(
            &mut host.command_under(strace, ["--log", "json", "--non-interactive", "--quiet", "rotate", "--due"]),
        );
        run.assert_code(code);
        let table = std::fs::read_to_string(&log).unwrap();
        let rows = table.lines().filter(|line| line.trim_start().starts_with(|first: char| first.is_ascii_digit()));
        made.extend(rows.filter_map(|row| row.split_whitespace().last().map(str::to_owned)));
        if fails {
            owner.stops("fail-test");
            host.run(["rotate", "resume"]).assert_code(0);
        }
    }
    assert!(["connect", "execve", "fsync", "renameat", "flock"].iter().all(|it| made.contains(*it)), "{made:?}");
    made.remove("total");
    let refused: Vec<&String> = made.difference(&allowed).collect();
    assert!(refused.is_empty(), "{refused:?}");
}
