//! Hosts that share a password, which an owner has to accept, and a bundle.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::TimeDelta;
use tempfile::TempDir;
use vault_kit::name::SecretName;
use vault_kit::store::{Stage, Store};

use crate::aws::{ACCOUNT, Fake};
use crate::support::{Project, Run, set_mode};

/// The prefix of all remote names.
pub(crate) const PREFIX: &str = "/shop/dev/";

/// The remote secret that has an owner.
pub(crate) const DB: &str = "/shop/dev/db";

/// The bundle.
pub(crate) const APP: &str = "/shop/dev/app";

/// The owner, as a program tells it: `current` has what it accepted last, `accepted/` everything that it accepts, or by the name of
/// each user its password, of which a user has one; `log` what it was told. An input that ends early is that of a host which died.
const PROGRAM: &str = r#"#!/bin/sh
input=$(cat)
case $input in *'}') ;; *) exit 1 ;; esac
field() { printf %s "$input" | sed -n "s/.*\"$1\":{[^}]*\"$2\":\"\([^\"]*\)\".*/\1/p"; }
at=$(printf %s "$input" | sed -n 's/.*"at":"\([^"]*\)".*/\1/p')
new=$(field new value); old=$(field old value)
user=$(field new username); before=$(field old username)
[ -e "$at/fail-$1" ] && exit 1
[ -e "$at/die-$1" ] && { rm "$at/die-$1"; kill -9 "$PPID"; exit 0; }
printf '%s %s\n' "$1" "$new" >> "$at/log"
while [ -e "$at/wait-$1" ]; do sleep 0.02; done
case $1 in
set) printf %s "$new" > "$at/next.$$"; mv "$at/next.$$" "$at/accepted/${user:-$new}"; printf %s "$new" > "$at/current.$$"; mv "$at/current.$$" "$at/current" ;;
test) [ "$(cat "$at/current")" = "$new" ] ;;
retire) [ -n "$user" ] && [ "$before" = "$user" ] || rm -f "$at/accepted/${before:-$old}" ;;
esac
did=$?
[ -e "$at/die-after-$1" ] && { rm "$at/die-after-$1"; kill -9 "$PPID"; }
exit $did
"#;

/// Whoever accepts the password, beside all hosts.
pub(crate) struct Owner {
    directory: TempDir,
}

impl Owner {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::create_dir(directory.path().join("accepted")).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Accepts a value that nobody told it of.
    #[expect(clippy::disallowed_methods, reason = "an owner of the test's own")]
    pub(crate) fn accept(&self, value: &str) {
        std::fs::write(self.path("accepted").join(value), "").unwrap();
        std::fs::write(self.path("current"), value).unwrap();
    }

    /// Makes a step fail, wait or kill whoever asks for it.
    #[expect(clippy::disallowed_methods, reason = "an owner of the test's own")]
    pub(crate) fn does(&self, what: &str) {
        std::fs::write(self.path(what), "").unwrap();
    }

    pub(crate) fn stops(&self, what: &str) {
        std::fs::remove_file(self.path(what)).unwrap();
    }

    pub(crate) fn accepts(&self, value: &str) -> bool {
        self.path("accepted").join(value).exists()
    }

    /// Lets a user in with a password that nobody told it of.
    #[expect(clippy::disallowed_methods, reason = "an owner of the test's own")]
    pub(crate) fn let_in(&self, user: &str, password: &str) {
        std::fs::write(self.path("accepted").join(user), password).unwrap();
    }

    /// Whether it lets a user in.
    pub(crate) fn lets_in(&self, user: &str, password: &str) -> bool {
        std::fs::read_to_string(self.path("accepted").join(user)).is_ok_and(|it| it == password)
    }

    /// What it was told last.
    pub(crate) fn current(&self) -> String {
        std::fs::read_to_string(self.path("current")).unwrap()
    }

    /// The steps that it was asked for, each with the new value.
    pub(crate) fn log(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        let line = |line: &str| line.split_once(' ').map(|(step, new)| (step.to_owned(), new.to_owned())).unwrap();
        text.lines().map(line).collect()
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.log().into_iter().map(|(step, _)| step).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "an owner of the test's own")]
    pub(crate) fn forget(&self) {
        std::fs::write(self.path("log"), "").unwrap();
    }
}

/// `DB` with its owner, what is made of it, two keys of a bundle, one that nobody shares, and `more`.
pub(crate) fn manifest(owner: &Owner, more: &str) -> String {
    let at = owner.path("").display().to_string();
    let at = at.trim_end_matches('/');
    format!(
        r#"
[project]
name = "shop"

[environments.dev]
aws = {{ account = "{ACCOUNT}", region = "eu-west-1", prefix = "{PREFIX}" }}

[secrets.DB]
kind = "random"
encoding = "hex"
rotate = "30d"
aws = "db"
hooks = ["owner"]

[secrets.URL]
kind = "template"
template = "postgres://app:${{DB}}@db/app"

[secrets.SESSION]
kind = "random"
encoding = "hex"
rotate = "30d"
bundle = "app"

[secrets.SIGNING]
kind = "random"
encoding = "hex"
rotate = "30d"
bundle = "app"

[secrets.LOCAL]
kind = "random"
encoding = "hex"
rotate = "30d"

[hooks.owner]
program = "hooks/owner"
steps = ["set", "test", "retire"]
options = {{ at = "{at}" }}

[hooks.server]
program = "hooks/owner"
steps = ["reload"]
outputs = ["env"]
options = {{ at = "{at}" }}

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["*"]
{more}"#
    )
}

/// A host: a project, a home and an identity of its own.
pub(crate) struct Host {
    pub(crate) project: Project,
    environment: Vec<(&'static str, String)>,
}

impl Host {
    /// A manifest with its hook, of which nothing is trusted yet.
    pub(crate) fn untouched(fake: &Fake, manifest: &str) -> Self {
        let project = Project::with_manifest(manifest);
        project.write("hooks/owner", PROGRAM);
        set_mode(&project.path("hooks"), 0o755);
        set_mode(&project.path("hooks/owner"), 0o755);
        Self { project, environment: fake.environment() }
    }

    /// One without a store.
    pub(crate) fn bare(fake: &Fake, manifest: &str) -> Self {
        let host = Self::untouched(fake, manifest);
        host.project.run(["trust", "--yes"]).assert_code(0);
        host
    }

    /// One that made the values and sent them, with an owner that accepts its `DB`.
    pub(crate) fn first(fake: &Fake, manifest: &str, owner: &Owner) -> Self {
        let host = Self::bare(fake, manifest);
        host.project.run(["init"]).assert_code(0);
        host.run(["sync", "push"]).assert_code(0);
        owner.accept(&host.get("DB"));
        host
    }

    /// One that took them from there.
    pub(crate) fn other(fake: &Fake, manifest: &str) -> Self {
        let host = Self::bare(fake, manifest);
        host.run(["sync", "pull"]).assert_code(0);
        host.project.run(["generate"]).assert_code(0);
        host
    }

    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.project.command(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// The same with another program in front of it.
    pub(crate) fn command_under<'a>(
        &self,
        wrapper: impl IntoIterator<Item = &'a str>,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = self.project.command_under(wrapper, arguments);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// A value in force here.
    pub(crate) fn get(&self, name: &str) -> String {
        String::from_utf8(self.project.get(name)).unwrap()
    }

    /// A value in force, read without a run of ours, which could repair something.
    pub(crate) fn stored(&self, name: &str) -> String {
        let store = self.project.store();
        let value = store.current(&secret(name)).and_then(|it| it.parts.primary()).unwrap();
        value.expose_text().unwrap().to_owned()
    }

    /// What was made of a value for the database, in the file or read from the store: whose it is, and the value.
    pub(crate) fn logins(&self) -> [(String, String); 2] {
        [self.delivered("URL"), self.stored("URL")].map(|url| {
            let login = url.strip_prefix("postgres://").and_then(|it| it.strip_suffix("@db/app")).unwrap();
            login.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned())).unwrap()
        })
    }

    /// A value in the file.
    pub(crate) fn delivered(&self, name: &str) -> String {
        self.in_file(name).unwrap()
    }

    fn in_file(&self, name: &str) -> Option<String> {
        let text = self.project.read(".env");
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name}=")))?;
        Some(value.trim_matches(['\'', '"']).to_owned())
    }

    /// Forty days pass for what these were made on.
    pub(crate) fn age(&self, names: &[&str]) {
        self.project.edit_store(|store| age(store, names));
    }

    /// The stages of a secret's versions.
    pub(crate) fn stages(&self, name: &str) -> Vec<Stage> {
        self.project.store().secrets[&secret(name)].iter().map(|version| version.stage).collect()
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_still(&self) -> bool {
        let store = self.project.store();
        store.rotations.running.is_empty() && store.rotations.reloads.is_empty()
    }

    /// Waits until no program that a killed run of this host started is alive: it would tell the owner later.
    pub(crate) fn wait_for_orphans(&self) {
        let root = std::fs::canonicalize(self.project.root()).unwrap();
        while is_anybody_in(&root) {
            std::thread::yield_now();
        }
    }
}

fn is_anybody_in(directory: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|it| std::fs::read_link(it.path().join("cwd")).ok()).any(|cwd| cwd == directory)
}

pub(crate) fn age(store: &mut Store, names: &[&str]) {
    for name in names {
        let versions = store.secrets.get_mut(&secret(name)).unwrap();
        for version in versions {
            version.created -= TimeDelta::days(40);
        }
    }
}

pub(crate) fn secret(name: &str) -> SecretName {
    SecretName::new(name).unwrap()
}

/// A remote value as text.
pub(crate) fn there(fake: &Fake, name: &str) -> String {
    String::from_utf8(fake.value(name)).unwrap()
}

/// A key of the bundle.
pub(crate) fn key(fake: &Fake, key: &str) -> String {
    let bundle: serde_json::Value = serde_json::from_str(&there(fake, APP)).unwrap();
    bundle[key].as_str().unwrap().to_owned()
}

/// One host, an owner, and the double.
pub(crate) fn alone(more: &str) -> (Fake, Owner, Host) {
    let (fake, owner) = (Fake::start(), Owner::new());
    let host = Host::first(&fake, &manifest(&owner, more), &owner);
    (fake, owner, host)
}

/// Two hosts.
pub(crate) fn pair(more: &str) -> (Fake, Owner, Host, Host) {
    let (fake, owner, first) = alone(more);
    let second = Host::other(&fake, &manifest(&owner, more));
    (fake, owner, first, second)
}

/// Whoever asks AWS, the store of a host or its file can log in with what they get at this moment.
#[track_caller]
pub(crate) fn assert_accepted(fake: &Fake, owner: &Owner, hosts: &[&Host], point: &str) {
    assert!(owner.accepts(&there(fake, DB)), "{point}: what is in force in AWS is refused");
    for host in hosts {
        assert!(owner.accepts(&host.stored("DB")), "{point}: what a store has in force is refused");
        let url = host.delivered("URL");
        let in_url = url.strip_prefix("postgres://app:").and_then(|it| it.strip_suffix("@db/app")).unwrap().to_owned();
        let in_file = [Some(host.delivered("DB")), host.in_file("DB_PREVIOUS"), Some(in_url)];
        assert!(in_file.iter().flatten().all(|it| owner.accepts(it)), "{point}: what a file has is refused");
    }
}

/// Both sides and the owner have one value of `DB`, and so do the files.
#[track_caller]
pub(crate) fn assert_one(fake: &Fake, owner: &Owner, hosts: &[&Host], point: &str) {
    let there = there(fake, DB);
    for host in hosts {
        assert_eq!((host.get("DB"), host.delivered("DB")), (there.clone(), there.clone()), "{point}");
        assert!(host.delivered("URL").contains(&there), "{point}");
        assert!(host.is_still(), "{point}: {:?}", host.project.store().rotations);
    }
    assert_eq!(owner.current(), there, "{point}: the owner accepts another one");
    assert!(owner.accepts(&there), "{point}: the owner was told to refuse what is in force");
    assert_eq!(fake.holder(DB, "AWSPENDING"), None, "{point}");
}
