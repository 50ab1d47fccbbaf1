//! A root CA that several hosts have is followed by another one, which every bundle of every host has before it signs. OpenSSL
//! judges after each step, between clients and servers of all hosts, also those that have the delivery of before.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use vault_kit::secret::parts::Part;
use vault_kit::store::Stage;

use crate::aws::Fake;
use crate::deaths::is_killed_at;
use crate::fixture::{Host, alone, manifest, pair, secret, there};
use crate::support::{Run, program};

/// A root, a server's certificate right beneath it, and one beneath an issuing CA that each host has for itself.
pub(crate) const ROOTS: &str = r#"
[secrets.ROOT]
kind = "ca"
aws = "root"
overlap = "2d"

[secrets.TLS]
kind = "certificate"
issuer = "ROOT"
dns = ["api.shop.test"]

[secrets.CA]
kind = "ca"
issuer = "ROOT"

[secrets.INNER]
kind = "certificate"
issuer = "CA"
dns = ["api.shop.test"]

[outputs.server]
format = "pem"
path = "server"
secrets = ["TLS"]

[outputs.inner]
format = "pem"
path = "inner"
secrets = ["INNER"]

[outputs.client]
format = "pem"
path = "client"
secrets = ["ROOT"]
files = { ca = "ca.pem", crl = "crl.pem" }
"#;

/// Where it is.
const ROOT: &str = "/shop/dev/root";

/// What the clients and servers of a host hold.
#[derive(Clone, PartialEq, Eq)]
struct Delivery {
    bundle: String,
    lists: String,
    served: String,
    inner: String,
}

impl Delivery {
    fn of(host: &Host) -> Self {
        let read = |path: &str| host.project.read(path);
        let bundle = read("client/ca.pem");
        assert_eq!((&bundle, &bundle), (&read("server/ca.pem"), &read("inner/ca.pem")));
        let (served, inner) = (read("server/fullchain.pem"), read("inner/fullchain.pem"));
        Self { bundle, lists: read("client/crl.pem"), served, inner }
    }

    /// Whether a client with this bundle accepts a server with that one's certificates, with revocation lists too.
    #[track_caller]
    fn expect_accepts(&self, host: &Host, server: &Self) {
        for (chain, lists) in [(&server.served, Some(&self.lists)), (&server.inner, None)] {
            host.project.write("judged/bundle", &self.bundle);
            host.project.write("judged/chain", chain);
            let mut command = verification(&host.project.path("judged/bundle"), &host.project.path("judged/chain"));
            if let Some(lists) = lists {
                host.project.write("judged/lists", lists);
                command.arg("-crl_check_all").arg("-CRLfile").arg(host.project.path("judged/lists"));
            }
            Run::of(command.arg(host.project.path("judged/chain"))).assert_code(0);
        }
    }
}

/// OpenSSL, which judges a server's chain by the roots of a bundle; what it is to judge comes last.
pub(crate) fn verification(bundle: &Path, chain: &Path) -> Command {
    let mut command = Command::new(program("openssl").expect("openssl is installed: run tests/setup"));
    command.args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "api.shop.test"]);
    command.args(["-no-CApath", "-no-CAstore"]).arg("-CAfile").arg(bundle).arg("-untrusted").arg(chain);
    command
}

/// What all hosts hold now, and held before the last step.
struct Watch<'h> {
    hosts: &'h [&'h Host],
    before: Vec<Delivery>,
    now: Vec<Delivery>,
}

impl<'h> Watch<'h> {
    fn of(hosts: &'h [&'h Host]) -> Self {
        let now: Vec<_> = hosts.iter().map(|host| Delivery::of(host)).collect();
        Self { hosts, before: now.clone(), now }
    }

    /// After a step: every client accepts every server, where one of the two may not have loaded yet what is new.
    #[track_caller]
    fn look(&mut self) {
        self.before = std::mem::replace(&mut self.now, self.hosts.iter().map(|host| Delivery::of(host)).collect());
        for (clients, servers) in [(&self.now, &self.now), (&self.before, &self.now), (&self.now, &self.before)] {
            for (client, server) in clients.iter().flat_map(|client| servers.iter().map(move |server| (client, server)))
            {
                client.expect_accepts(self.hosts[0], server);
            }
        }
    }

    /// A step of a host, which is done.
    #[track_caller]
    fn step<'a>(&mut self, host: &Host, words: impl IntoIterator<Item = &'a str>) -> Run {
        let run = host.run(words).assert_code(0);
        self.look();
        run
    }
}

/// The roots that the clients of a host trust.
fn trusted(host: &Host) -> BTreeSet<String> {
    let text = host.project.read("client/ca.pem");
    text.split_inclusive("-----END CERTIFICATE-----\n").map(str::to_owned).collect()
}

/// The certificate of a host's root in a stage.
fn root(host: &Host, stage: Stage) -> Option<String> {
    let store = host.project.store();
    let version = store.secrets[&secret("ROOT")].iter().find(|version| version.stage == stage)?;
    Some(version.parts.part(Part::Cert)?.expose_text()?.to_owned())
}

fn signing(host: &Host) -> String {
    root(host, Stage::Current).unwrap()
}

/// The certificate of the root that AWS has as the one that signs next.
fn next_there(fake: &Fake) -> Option<String> {
    let object: Value = serde_json::from_str(&there(fake, ROOT)).unwrap();
    let next: Value = serde_json::from_str(object["next"].as_str()?).unwrap();
    Some(next["cert"].as_str().unwrap().to_owned())
}

/// Lets time pass, by moving everything that happened to the root and its bundles into the past.
pub(crate) fn pass(hosts: &[&Host], time: TimeDelta) {
    for host in hosts {
        host.project.edit_store(|store| {
            let back = |at: &mut Option<DateTime<Utc>>| *at = at.map(|at| at - time);
            for version in store.secrets.get_mut(&secret("ROOT")).unwrap() {
                back(&mut version.life.published);
                back(&mut version.life.replaced);
            }
        });
        for path in ["client/ca.pem", "server/ca.pem", "inner/ca.pem"] {
            // What was written within a second counts from its end on.
            host.project.age(path, (time + TimeDelta::seconds(1)).to_std().unwrap());
        }
    }
}

#[track_caller]
fn assert_agreed(fake: &Fake, hosts: &[&Host]) {
    for host in hosts {
        assert!(host.is_still(), "{:?}", host.project.store().rotations);
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
        assert_eq!((signing(host), trusted(host)), (signing(hosts[0]), trusted(hosts[0])));
    }
    assert_eq!(fake.holder(ROOT, "AWSPENDING"), None);
}

/// A command that every host runs, one after the other.
#[track_caller]
fn everywhere(hosts: &[&Host], words: &[&str]) {
    for host in hosts {
        host.run(words.iter().copied()).assert_code(0);
    }
}

pub(crate) const PUBLISH: [&str; 3] = ["rotate", "ROOT", "--yes"];
const DUE: [&str; 2] = ["rotate", "--due"];

#[test]
fn a_root_is_in_every_bundle_before_it_signs_and_every_client_accepts_every_server_meanwhile() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let hosts = [&first, &second];
    let (mut watch, old) = (Watch::of(&hosts), signing(&first));
    let refused = first.run(["rotate", "ROOT"]).assert_code(2);
    assert!(refused.stderr.contains("publish a new root `ROOT`") && next_there(&fake).is_none(), "{refused:?}");
    let run = watch.step(&first, PUBLISH);
    assert!(run.stderr.contains("published     ROOT") && run.stderr.contains("waiting       ROOT"), "{run:?}");
    let new = next_there(&fake).unwrap();
    assert_eq!(fake.versions(ROOT).len(), 2, "one new version, which has both");
    watch.step(&second, ["sync", "pull", "ROOT"]);
    for host in hosts {
        assert_eq!(
            (host.stages("ROOT"), host.stages("TLS")),
            (vec![Stage::Current, Stage::Next], vec![Stage::Current])
        );
        assert_eq!(trusted(host), BTreeSet::from([old.clone(), new.clone()]));
    }
    assert_agreed(&fake, &hosts);

    // Nobody activates it before a day has passed in which all hosts take it, and the overlap in which their clients do.
    pass(&hosts, TimeDelta::minutes(72 * 60 - 5));
    for words in [&["render", "-q"][..], &["generate", "-q"], &DUE, &PUBLISH, &["sync", "pull"]] {
        everywhere(&hosts, words);
    }
    pass(&hosts, TimeDelta::minutes(5));
    for words in [["render", "-q"], ["generate", "-q"], ["sync", "push"]] {
        everywhere(&hosts, &words);
    }
    assert!(hosts.iter().all(|host| host.stages("ROOT") == [Stage::Current, Stage::Next]), "no host does so alone");
    let report = first.run(["check"]).assert_code(1);
    assert!(report.stdout.contains("could sign since") && report.both().contains("rotate --due"), "{report:?}");

    let run = first.run(["rotate", "--due", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would activate ROOT"), "{run:?}");
    let run = watch.step(&first, DUE);
    assert!(run.stderr.contains("activated     ROOT") && run.stderr.contains("made          TLS"), "{run:?}");
    assert_eq!((next_there(&fake), signing(&first), signing(&second)), (None, new.clone(), old.clone()));
    watch.step(&second, DUE);
    for host in hosts {
        assert_eq!(host.stages("ROOT"), [Stage::Previous, Stage::Current]);
        assert_eq!((signing(host), host.stages("INNER").len()), (new.clone(), 2));
        assert_eq!(trusted(host), BTreeSet::from([old.clone(), new.clone()]));
    }
    assert_agreed(&fake, &hosts);
    assert!(hosts.iter().all(|host| host.run(DUE).assert_code(0).both().is_empty()));

    // What another host signed for others nobody here knows: the old root stays as long as that may live.
    pass(&hosts, TimeDelta::days(825) + TimeDelta::hours(23));
    everywhere(&hosts, &["render"]);
    assert!(hosts.iter().all(|host| trusted(host).len() == 2));
    pass(&hosts, TimeDelta::hours(1));
    for host in hosts {
        watch.step(host, ["render"]);
        assert_eq!(trusted(host), BTreeSet::from([new.clone()]));
    }
    assert_agreed(&fake, &hosts);
}

#[test]
fn what_is_beneath_it_and_in_aws_too_follows_on_all_hosts_without_a_person() {
    let beneath = [("TLS", "tls"), ("CA", "ca"), ("INNER", "inner")];
    let with_aws = |text: String, (name, path): (&str, &str)| {
        text.replace(&format!("[secrets.{name}]\n"), &format!("[secrets.{name}]\naws = \"{path}\"\n"))
    };
    let (fake, _owner, first, second) = pair(&beneath.into_iter().fold(ROOTS.to_owned(), with_aws));
    let hosts = [&first, &second];
    let mut watch = Watch::of(&hosts);
    for is_sent_before in [true, false] {
        let old = signing(&first);
        watch.step(&first, PUBLISH);
        watch.step(&second, ["sync", "pull"]);
        pass(&hosts, TimeDelta::hours(73));
        let run = watch.step(&first, DUE);
        assert!(run.stderr.contains("sync push"), "{run:?}");
        let sent = |watch: &mut Watch<'_>| drop(watch.step(&first, ["sync", "push"]));
        if is_sent_before {
            sent(&mut watch);
        }
        watch.step(&second, DUE);
        if !is_sent_before {
            sent(&mut watch);
        }
        watch.step(&second, ["sync", "pull"]);
        assert!(
            signing(&first) != old
                && watch.now[0] == Delivery { lists: watch.now[0].lists.clone(), ..watch.now[1].clone() }
        );
        assert_agreed(&fake, &hosts);
    }
}

#[test]
fn who_knows_that_nobody_serves_beneath_the_old_root_drops_it() {
    let (fake, owner, host) = alone(ROOTS);
    let old = signing(&host);
    host.run(PUBLISH).assert_code(0);
    pass(&[&host], TimeDelta::hours(73));
    host.run(DUE).assert_code(0);
    let another = Host::other(&fake, &manifest(&owner, ROOTS));
    assert!(trusted(&host).contains(&old) && !trusted(&another).contains(&old), "a new host knows the one in force");
    host.run(["sync", "pull", "--revoke", "ROOT"]).assert_code(0);
    assert_agreed(&fake, &[&host, &another]);
    Watch::of(&[&host, &another]).look();
}

#[test]
fn whether_it_is_time_is_told_by_the_clock_of_aws() {
    let (fake, _owner, first, second) = pair(ROOTS);
    first.run(PUBLISH).assert_code(0);
    second.run(["sync", "pull", "ROOT"]).assert_code(0);
    pass(&[&first, &second], TimeDelta::hours(73));
    fake.clock_behind(Duration::from_hours(2));
    first.run(DUE).assert_code(0);
    first.run(PUBLISH).assert_code(0);
    assert_eq!((first.stages("ROOT"), next_there(&fake).is_some()), (vec![Stage::Current, Stage::Next], true));
    fake.heal();
    first.run(DUE).assert_code(0);
    assert_eq!(first.stages("ROOT"), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_host_whose_bundle_lacks_it_does_not_activate_it() {
    let (fake, _owner, host) = alone(ROOTS);
    let old = signing(&host);
    host.run(PUBLISH).assert_code(0);
    pass(&[&host], TimeDelta::hours(73));
    host.project.write("client/ca.pem", &old);
    host.run(DUE).assert_code(0);
    assert_eq!((signing(&host), trusted(&host).len(), next_there(&fake).is_some()), (old.clone(), 2, true));
    pass(&[&host], TimeDelta::hours(71));
    host.run(DUE).assert_code(0);
    assert_eq!(signing(&host), old, "it waits anew");
    pass(&[&host], TimeDelta::hours(1));
    host.run(DUE).assert_code(0);
    assert_ne!(signing(&host), old);
}

#[test]
fn a_host_that_slept_while_it_was_published_takes_the_one_that_signs() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let (hosts, old) = ([&first, &second], signing(&first));
    first.run(PUBLISH).assert_code(0);
    pass(&[&first], TimeDelta::hours(73));
    first.run(DUE).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_ne!(signing(&second), old);
    assert!(trusted(&second).contains(&old));
    Watch::of(&hosts).look();
    assert_agreed(&fake, &hosts);
}

#[test]
fn what_is_published_is_taken_back_on_all_hosts() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let (hosts, old) = ([&first, &second], signing(&first));
    let mut watch = Watch::of(&hosts);
    watch.step(&first, PUBLISH);
    watch.step(&second, ["sync", "pull"]);
    let run = second.run(["rotate", "abort", "ROOT", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would withdraw ROOT") && next_there(&fake).is_some(), "{run:?}");
    let run = watch.step(&second, ["rotate", "abort", "ROOT"]);
    assert!(run.stderr.contains("withdrawn     ROOT") && next_there(&fake).is_none(), "{run:?}");
    assert_eq!(second.run(["rotate", "abort", "ROOT"]).code, 2, "there is nothing to give up any more");
    // A host that would activate it finds that it is not to.
    pass(&[&first], TimeDelta::hours(73));
    watch.step(&first, DUE);
    for host in hosts {
        assert_eq!((host.stages("ROOT"), trusted(host)), (vec![Stage::Current], BTreeSet::from([old.clone()])));
    }
    assert_agreed(&fake, &hosts);
    // The next one is another one, and waits as long again.
    watch.step(&first, PUBLISH);
    first.run(DUE).assert_code(0);
    assert_eq!(first.stages("ROOT"), [Stage::Current, Stage::Next]);
}

#[test]
fn what_another_host_began_to_activate_is_not_taken_back_any_more() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let (hosts, old) = ([&first, &second], signing(&first));
    first.run(PUBLISH).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    pass(&hosts, TimeDelta::hours(73));
    assert!(is_killed_at(&first, &fake, DUE, (3, true)), "it was sent, and is not in force");
    let run = second.run(["rotate", "abort", "ROOT"]).assert_code(7);
    assert!(run.stderr.contains("another host was faster: the next `ROOT` signs already"), "{run:?}");
    first.run(DUE).assert_code(0);
    assert_ne!(signing(&first), old);
    Watch::of(&hosts).look();
    assert_agreed(&fake, &hosts);
}

#[test]
fn what_is_made_here_alone_is_in_every_bundle_before_it_signs() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let hosts = [&first, &second];
    first.project.run(["generate", "--replace", "ROOT", "--yes"]).assert_code(0);
    pass(&[&first], TimeDelta::hours(73));
    first.project.run(["render"]).assert_code(0);
    assert_eq!(first.stages("ROOT"), [Stage::Current, Stage::Next], "other hosts do not know it");
    for words in [&PUBLISH[..], &DUE] {
        let run = first.run(words.iter().copied()).assert_code(7);
        assert!(run.stderr.contains("`ROOT` changed here") && run.stderr.contains("sync push ROOT"), "{run:?}");
    }
    assert!(next_there(&fake).is_none());
    first.run(["sync", "push", "ROOT"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!((trusted(&second).len(), trusted(&second)), (2, trusted(&first)));
    // It is known to others only since it was sent.
    first.run(DUE).assert_code(0);
    assert_eq!(first.stages("ROOT"), [Stage::Current, Stage::Next]);
    pass(&hosts, TimeDelta::hours(73));
    let mut watch = Watch::of(&hosts);
    watch.step(&second, DUE);
    watch.step(&first, DUE);
    assert_eq!(first.stages("ROOT"), [Stage::Previous, Stage::Current]);
    assert_agreed(&fake, &hosts);
}

#[test]
fn the_one_that_follows_a_root_which_ended_is_activated_by_all_and_waits_for_nothing() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let hosts = [&first, &second];
    first.run(PUBLISH).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    let new = next_there(&fake).unwrap();
    for host in hosts {
        host.project.edit_store(|store| {
            let versions = store.secrets.get_mut(&secret("ROOT")).unwrap();
            versions.iter_mut().filter(|it| it.stage == Stage::Current).for_each(|it| it.expires = Some(it.created));
        });
        host.run(["render"]).assert_code(0);
        assert_eq!(host.stages("ROOT"), [Stage::Current, Stage::Next], "no host does so alone");
    }
    // The clock of AWS tells whole seconds, and files when they were written to the fraction.
    pass(&hosts, TimeDelta::seconds(1));
    everywhere(&hosts, &DUE);
    assert!(hosts.iter().all(|host| signing(host) == new) && next_there(&fake).is_none());
    assert_agreed(&fake, &hosts);
}

#[test]
fn another_declaration_makes_no_host_replace_what_all_published() {
    let (fake, owner, first, second) = pair(ROOTS);
    let hosts = [&first, &second];
    first.run(PUBLISH).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    let new = next_there(&fake).unwrap();
    let text = manifest(&owner, ROOTS).replace("overlap = \"2d\"", "overlap = \"2d\"\nttl = \"3000d\"");
    for host in hosts {
        host.project.write("vault-kit.toml", &text);
        host.run(["render"]).assert_code(0);
        host.run(DUE).assert_code(0);
        assert_eq!(root(host, Stage::Next), Some(new.clone()));
    }
    assert_agreed(&fake, &hosts);
}

#[test]
fn of_a_stolen_root_nobody_waits_for_anything() {
    let (fake, _owner, first, second) = pair(ROOTS);
    let (hosts, stolen) = ([&first, &second], signing(&first));
    first.run(PUBLISH).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    first.run(["generate", "--replace", "ROOT", "--revoke", "--yes"]).assert_code(0);
    first.run(["sync", "push", "ROOT"]).assert_code(0);
    second.run(["sync", "pull", "--revoke", "ROOT"]).assert_code(0);
    assert!(hosts.iter().all(|host| !trusted(host).contains(&stolen)));
    Watch::of(&hosts).look();
    assert_agreed(&fake, &hosts);
    // Nor is a rotation begun of one that is known to have leaked, or the root put in force that was published for it.
    first.run(PUBLISH).assert_code(0);
    let next = next_there(&fake).unwrap();
    first.run(["incident", "ROOT", "--yes"]).assert_code(0);
    first.run(["sync", "push", "ROOT"]).assert_code(0);
    second.run(["sync", "pull", "--revoke", "ROOT"]).assert_code(0);
    assert!(hosts.iter().all(|host| trusted(host).len() == 1 && !trusted(host).contains(&next)));
    Watch::of(&hosts).look();
    assert_agreed(&fake, &hosts);
}

#[test]
fn whoever_dies_before_any_request_leaves_one_root_to_the_next_run() {
    deaths(false);
}

#[test]
fn whoever_dies_after_any_request_leaves_one_root_to_the_next_run() {
    deaths(true);
}

fn deaths(is_applied: bool) {
    let (fake, _owner, host) = alone(ROOTS);
    let hosts = [&host];
    for nth in 1..=7 {
        let (point, old) = (format!("{nth}, {is_applied}"), signing(&host));
        let mut watch = Watch::of(&hosts);
        is_killed_at(&host, &fake, PUBLISH, (nth, is_applied));
        assert_eq!(signing(&host), old, "{point}");
        watch.step(&host, PUBLISH);
        let next = root(&host, Stage::Next).unwrap();
        assert_eq!((signing(&host), next_there(&fake)), (old.clone(), Some(next.clone())), "{point}");
        assert!(trusted(&host).is_superset(&BTreeSet::from([old.clone(), next.clone()])), "{point}");
        assert_agreed(&fake, &hosts);
        pass(&hosts, TimeDelta::hours(73));
        is_killed_at(&host, &fake, DUE, (nth, is_applied));
        watch.step(&host, DUE);
        assert_eq!((signing(&host), next_there(&fake)), (next.clone(), None), "{point}");
        assert!(trusted(&host).is_superset(&BTreeSet::from([old, next])), "{point}");
        assert_agreed(&fake, &hosts);
    }
}

#[test]
fn of_hosts_that_begin_at_once_all_come_to_one_root() {
    let (fake, owner, first, second) = pair(ROOTS);
    let third = Host::other(&fake, &manifest(&owner, ROOTS));
    let hosts = [&first, &second, &third];
    let mut watch = Watch::of(&hosts);
    let at_once = |words: &[&str]| {
        let start = |host: &&Host| {
            let mut command = host.command(words.iter().copied());
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let codes: Vec<_> =
            hosts.map(|host| start(&host)).into_iter().map(|mut it| it.wait().unwrap().code()).collect();
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 7))), "{codes:?}");
    };
    for round in 1..=2 {
        let (old, versions) = (signing(&first), fake.versions(ROOT).len());
        at_once(&PUBLISH);
        watch.look();
        everywhere(&hosts, &["sync", "pull"]);
        assert_eq!(fake.versions(ROOT).len(), versions + 1, "round {round}: one is published");
        assert!(hosts.iter().all(|host| root(host, Stage::Next) == next_there(&fake) && signing(host) == old));
        assert_agreed(&fake, &hosts);
        watch.look();
        pass(&hosts, TimeDelta::hours(73));
        at_once(&DUE);
        watch.look();
        everywhere(&hosts, &DUE);
        assert_eq!(fake.versions(ROOT).len(), versions + 2, "round {round}: one is activated");
        assert!(signing(&first) != old && next_there(&fake).is_none());
        assert_agreed(&fake, &hosts);
        watch.look();
    }
}
