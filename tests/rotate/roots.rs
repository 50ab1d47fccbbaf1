//! A new root CA: trusted before it signs, and the old one for as long as somebody may serve beneath it. OpenSSL judges every
//! instant, also with a client that has the delivery of before.

use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use vault_kit::rotate::What;
use vault_kit::rotate::select::Order;
use vault_kit::store::Stage;
use vault_kit::store::certificates::Issued;

use crate::fixture::{Ground, Stagehand, names, stages};
use crate::support::{Project, Run, program};

const MANIFEST: &str = r#"
[project]
name = "shop"
[secrets.ROOT]
kind = "ca"
overlap = "2d"
[secrets.CA]
kind = "ca"
issuer = "ROOT"
[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["api.shop.test"]
[outputs.server]
format = "pem"
path = "server"
secrets = ["TLS"]
[outputs.client]
format = "pem"
path = "client"
secrets = ["ROOT"]
files = { ca = "ca.pem", crl = "crl.pem" }
"#;

/// A key that is published before it signs.
const KEYS: &str = "[secrets.SIGNER]\nkind = \"keypair\"\n[outputs.keys]\nformat = \"jwks\"\npath = \"keys.json\"\n\
                    secrets = [\"SIGNER\"]\nmax_age = \"1h\"\n";

/// What a client and a server hold.
#[derive(Clone, PartialEq, Eq)]
struct Delivery {
    bundle: String,
    lists: String,
    chain: String,
}

struct Scene {
    project: Project,
    ground: Ground,
    hand: Stagehand,
    start: DateTime<Utc>,
    /// Each delivery that differs from the one before it.
    deliveries: Vec<Delivery>,
}

impl Scene {
    fn new(manifest: &str) -> Self {
        let project = Project::initialised(manifest);
        let (ground, hand) = (Ground::of(&project), Stagehand::without_owner(&project));
        let start = hand.now.get();
        let mut scene = Self { project, ground, hand, start, deliveries: Vec::new() };
        scene.note();
        scene
    }

    fn run(&mut self, order: &Order) {
        let report = self.ground.machine(&self.hand, |machine| machine.run(order, true)).unwrap().unwrap();
        assert!(report.problems.is_empty());
        self.note();
    }

    fn note(&mut self) {
        let read = |path: &str| self.project.read(path);
        let bundle = read("client/ca.pem");
        assert_eq!(bundle, read("server/ca.pem"));
        let delivery = Delivery { bundle, lists: read("client/crl.pem"), chain: read("server/fullchain.pem") };
        if self.deliveries.last() != Some(&delivery) {
            self.deliveries.push(delivery);
        }
    }

    fn verify(&self, client: &Delivery, server: &Delivery, with_lists: bool) -> Run {
        for (file, text) in [("bundle", &client.bundle), ("lists", &client.lists), ("chain", &server.chain)] {
            self.project.write(file, text);
        }
        let mut command = Command::new(program("openssl").expect("openssl is installed: run tests/setup"));
        command.args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "api.shop.test"]);
        command.args(["-no-CApath", "-no-CAstore", "-attime", &self.hand.now.get().timestamp().to_string()]);
        command.arg("-CAfile").arg(self.project.path("bundle")).arg("-untrusted").arg(self.project.path("chain"));
        if with_lists {
            command.arg("-crl_check_all").arg("-CRLfile").arg(self.project.path("lists"));
        }
        Run::of(command.arg(self.project.path("chain")))
    }

    /// Client and server have what is delivered now, or one of them what was delivered before.
    fn verify_all(&self, with_lists: bool) {
        let [.., last] = self.deliveries.as_slice() else { unreachable!() };
        let before = self.deliveries.iter().rev().nth(1).unwrap_or(last);
        for (client, server) in [(last, last), (before, last), (last, before)] {
            let run = self.verify(client, server, with_lists);
            assert_eq!(run.code, 0, "{} after the start: {run:?}", self.hand.now.get() - self.start);
        }
    }

    fn roots(&self) -> usize {
        self.deliveries.last().unwrap().bundle.matches("BEGIN CERTIFICATE").count()
    }

    /// Hours of a schedule that runs every few of them; how many roots were in the bundle from which hour on.
    fn pass(&mut self, hours: i64, with_lists: bool) -> Vec<(i64, usize, usize)> {
        let mut phases = Vec::new();
        for hour in (0..hours).step_by(7) {
            self.hand.now.set(self.start + TimeDelta::hours(hour));
            let order = if hour == 7 { Order::Now(names(["ROOT"])) } else { Order::Due };
            self.run(&order);
            self.verify_all(with_lists);
            let serial = stages(&self.project, "TLS").len();
            if phases.last().is_none_or(|(_, roots, leaves)| (*roots, *leaves) != (self.roots(), serial)) {
                phases.push((hour, self.roots(), serial));
            }
        }
        phases
    }
}

#[test]
fn at_every_instant_of_a_root_s_rotation_every_client_accepts_every_server() {
    let mut scene = Scene::new(MANIFEST);
    // Published in hour 7, in force two days later, and the old one is gone after two more.
    assert_eq!(scene.pass(119, false), [(0, 1, 1), (7, 2, 1), (56, 2, 2), (105, 1, 2)]);
    assert_eq!(stages(&scene.project, "ROOT"), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_client_that_insists_on_revocation_lists_accepts_them_too() {
    let manifest = MANIFEST.replace("[secrets.CA]\nkind = \"ca\"\nissuer = \"ROOT\"\n", "");
    let mut scene = Scene::new(&manifest.replace("issuer = \"CA\"", "issuer = \"ROOT\""));
    let phases = scene.pass(119, true);
    assert_eq!(phases, [(0, 1, 1), (7, 2, 1), (56, 2, 2), (105, 1, 2)]);
}

#[test]
fn the_end_of_a_root_s_overlap_is_told_once() {
    let scene = Scene::new(MANIFEST);
    let told = |hours: i64, order: Order| {
        scene.hand.now.set(scene.start + TimeDelta::hours(hours));
        let report = scene.ground.machine(&scene.hand, |machine| machine.run(&order, true)).unwrap().unwrap();
        report.events.into_iter().filter(|it| it.what == What::LeftBundles).map(|it| it.secret.to_string()).collect()
    };
    let ended: Vec<Vec<String>> = vec![
        told(1, Order::Now(names(["ROOT"]))),
        told(50, Order::Due),
        told(51, Order::Due),
        told(99, Order::Due),
        told(100, Order::Due),
    ];
    assert_eq!(ended, [vec![], vec![], vec![], vec!["ROOT".to_owned()], vec![]]);
    assert_eq!(scene.project.read("client/ca.pem").matches("BEGIN").count(), 1);
}

#[test]
fn the_day_from_which_on_a_published_key_signs_is_told_as_it_stays() {
    let project = Project::initialised(&format!("{MANIFEST}{KEYS}"));
    let signs = || {
        let run = project.run(["rotate", "ROOT", "SIGNER", "--yes", "--json"]).assert_code(0);
        serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["publishing"].clone()
    };
    let (first, second) = (signs(), signs());
    assert_eq!(first.as_array().map(Vec::len), Some(2), "{first}");
    assert_eq!(first, second);
    let due = project.ledger().header.due.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert!(first.to_string().contains(&due), "{first}, {due}");
}

#[test]
fn without_an_overlap_a_new_root_is_one_delivery_and_a_cut() {
    let mut scene = Scene::new(&MANIFEST.replace("overlap = \"2d\"\n", ""));
    scene.run(&Order::Now(names(["ROOT"])));
    let [old, new] = scene.deliveries.as_slice() else { panic!() };
    assert_eq!(scene.verify(new, new, false).code, 0);
    assert_ne!(scene.verify(old, new, false).code, 0);
    assert_ne!(scene.verify(new, old, false).code, 0);
}

#[test]
fn an_old_root_stays_until_what_it_signed_for_others_has_ended() {
    let mut scene = Scene::new(MANIFEST);
    scene.project.edit_store(|store| {
        let issuer = store.current(&"CA".parse_name()).unwrap().id;
        let expires = store.updated + TimeDelta::hours(130);
        let partner = Issued { issuer, serial: "40".into(), subject: "partner".into(), expires };
        store.certificates.record_issued(partner, store.updated);
    });
    assert_eq!(scene.pass(154, false), [(0, 1, 1), (7, 2, 1), (56, 2, 2), (133, 1, 2)]);
}

#[test]
fn a_root_that_ends_soon_is_in_force_by_then_and_one_that_has_ended_is_replaced_at_once() {
    let in_store = |hours: i64| {
        let mut scene = Scene::new(MANIFEST);
        scene.project.edit_store(|store| {
            let end = store.updated + TimeDelta::hours(hours);
            store.secrets.get_mut(&"ROOT".parse_name()).unwrap()[0].expires = Some(end);
        });
        scene.hand.pass(TimeDelta::hours(2));
        scene.run(&Order::Now(names(["ROOT"])));
        scene
    };
    let mut scene = in_store(24);
    assert_eq!(stages(&scene.project, "ROOT"), [Stage::Current, Stage::Next]);
    scene.hand.pass(TimeDelta::hours(23));
    scene.run(&Order::Due);
    assert_eq!(stages(&scene.project, "ROOT"), [Stage::Previous, Stage::Current]);
    assert_eq!(stages(&in_store(1).project, "ROOT"), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_bundle_that_never_came_to_hold_the_next_root_makes_it_wait() {
    let mut scene = Scene::new(MANIFEST);
    let old = scene.project.read("client/ca.pem");
    scene.run(&Order::Now(names(["ROOT"])));
    scene.project.write("client/ca.pem", old);
    scene.hand.pass(TimeDelta::hours(60));
    scene.run(&Order::Due);
    assert_eq!(stages(&scene.project, "ROOT"), [Stage::Current, Stage::Next], "it is published again");
    scene.hand.pass(TimeDelta::hours(47));
    scene.run(&Order::Due);
    assert_eq!(stages(&scene.project, "ROOT"), [Stage::Current, Stage::Next]);
    scene.hand.pass(TimeDelta::hours(2));
    scene.run(&Order::Due);
    assert_eq!(stages(&scene.project, "ROOT"), [Stage::Previous, Stage::Current]);
}

#[test]
fn whoever_rotates_a_root_is_told_by_when_to_read_the_bundle_or_in_which_order_to_restart() {
    let project = Project::initialised(MANIFEST);
    let run = project.run(["rotate", "ROOT", "-n"]).assert_code(0);
    for words in [
        "would publish ROOT",
        "who trusts `ROOT` reads its bundle again before 2",
        "`client/ca.pem` (output client), `server/ca.pem` (output server)",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let run = project.run(["rotate", "ROOT"]).assert_code(2);
    assert!(run.stderr.contains("publish a new root `ROOT` beside the current one"), "{}", run.stderr);
    project.run(["rotate", "ROOT", "--yes"]).assert_code(0);
    assert_eq!(stages(&project, "TLS"), [Stage::Current]);
    project.run(["check", "--strict"]).assert_code(0);
    assert_eq!(project.run(["cert", "ca"]).assert_code(0).stdout, project.read("client/ca.pem"));
    let status = project.run(["status"]).assert_code(0).stdout;
    assert!(status.lines().any(|line| line.starts_with("ROOT") && line.contains(" next ")), "{status}");
    // A second one would be a third.
    let run = project.run(["rotate", "ROOT", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("its next key signs with the first write from 2"), "{}", run.stderr);
    assert_eq!(stages(&project, "ROOT"), [Stage::Current, Stage::Next]);
    // Whoever stole the old key must not sign for two more days.
    let run = project.run(["generate", "--replace", "ROOT", "--revoke", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("a hard cut: "), "{}", run.stderr);
    assert_eq!(stages(&project, "ROOT"), [Stage::Previous, Stage::Current]);
    assert_eq!(project.read("client/ca.pem").matches("BEGIN").count(), 1);

    let project = Project::initialised(&MANIFEST.replace("overlap = \"2d\"\n", ""));
    let run = project.run(["rotate", "ROOT", "-n"]).assert_code(0);
    for words in [
        "a hard cut: from now on who trusts only one of the old and the new `ROOT` refuses what the other signed;",
        "  1. who trusts `ROOT`: `client/ca.pem` (output client), `server/ca.pem` (output server)",
        "  2. who serves: `server/fullchain.pem` (output server)",
        "`overlap = \"30d\"` on `ROOT`",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn whoever_names_a_root_whose_next_one_is_published_is_asked_nothing() {
    let project = Project::initialised(MANIFEST);
    for words in [&["rotate", "ROOT"][..], &["cert", "renew", "ROOT", "--force"]] {
        let dry = project.run([words, &["-n"]].concat()).assert_code(0);
        assert!(dry.stderr.contains("would ask first: publish a new root `ROOT`"), "{dry:?}");
        project.run(words).assert_code(2);
    }
    project.run(["rotate", "ROOT", "--yes"]).assert_code(0);
    let published = project.read("client/ca.pem");
    for words in [&["rotate", "ROOT"][..], &["cert", "renew", "ROOT", "--force"]] {
        let dry = project.run([words, &["-n"]].concat()).assert_code(0);
        assert!(!dry.stderr.contains("would ask"), "{dry:?}");
        project.run(words).assert_code(0);
    }
    assert_eq!(project.read("client/ca.pem"), published);
    // To cut the old one off is another question.
    let cut = ["generate", "--replace", "ROOT", "--revoke"];
    let dry = project.run([&cut[..], &["-n"]].concat()).assert_code(0);
    assert!(dry.stderr.contains("would ask first: "), "{dry:?}");
    project.run(cut).assert_code(2);
}

#[test]
fn what_is_published_is_taken_back_before_it_signs() {
    let project = Project::initialised(&format!("{MANIFEST}{KEYS}"));
    let files = || ["client/ca.pem", "server/ca.pem", "keys.json"].map(|path| project.read(path));
    let before = files();
    project.run(["rotate", "ROOT", "SIGNER", "--yes"]).assert_code(0);
    let published = project.contents();
    assert!(files().iter().zip(&before).all(|(now, before)| now != before));
    for name in ["ROOT", "SIGNER"] {
        let run = project.run(["rotate", "rollback", name]).assert_code(2);
        assert!(run.stderr.contains(&format!("`vault-kit rotate abort {name}`")), "{run:?}");
    }
    let told = |run: &Run, verbs: [&str; 2]| {
        let lines = ["ROOT", "SIGNER"].map(|name| (verbs[0], name)).into_iter();
        for (verb, what) in lines.chain(["client/ca.pem", "server/ca.pem", "keys.json"].map(|path| (verbs[1], path))) {
            let is_it = |line: &str| line.strip_prefix(verb).is_some_and(|rest| rest.trim_start().starts_with(what));
            assert!(run.stderr.lines().any(is_it), "{verb} {what}: {run:?}");
        }
    };
    let abort = ["rotate", "abort", "ROOT", "SIGNER"];
    let dry = project.run([&abort[..], &["-n"]].concat()).assert_code(0);
    told(&dry, ["would withdraw ", "would write "]);
    assert_eq!(project.contents(), published);
    told(&project.run(abort).assert_code(0), ["withdrawn ", "wrote "]);
    assert_eq!(files(), before);
    assert_eq!([stages(&project, "ROOT"), stages(&project, "SIGNER")], [[Stage::Current], [Stage::Current]]);
    project.run(["check", "--strict"]).assert_code(0);
    project.run(["audit", "verify"]).assert_code(0);
    let run = project.run(abort).assert_code(2);
    assert!(run.stderr.contains("`ROOT` is not being rotated"), "{run:?}");
    // Another one is published as ever.
    project.run(["rotate", "ROOT", "--yes"]).assert_code(0);
    assert_eq!(stages(&project, "ROOT"), [Stage::Current, Stage::Next]);
}

trait ParseName {
    fn parse_name(&self) -> vault_kit::name::SecretName;
}

impl ParseName for str {
    fn parse_name(&self) -> vault_kit::name::SecretName {
        vault_kit::name::SecretName::new(self).unwrap()
    }
}
