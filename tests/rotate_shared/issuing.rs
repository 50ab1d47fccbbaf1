//! An issuing CA that several hosts have is followed by another one, which all of them come to. Each host makes what is beneath it
//! anew, and whoever trusts the root accepts that, before and after. OpenSSL judges.

use std::process::Stdio;

use chrono::TimeDelta;
use vault_kit::secret::parts::Part;
use vault_kit::store::Stage;

use crate::aws::Fake;
use crate::deaths::is_killed_at;
use crate::fixture::{Host, manifest, pair, secret, there};
use crate::roots;
use crate::support::Run;

/// A root, the issuing CA, and a server's certificate that each host has for itself.
const ISSUING: &str = r#"
[secrets.ROOT]
kind = "ca"
aws = "root"
overlap = "2d"

[secrets.CA]
kind = "ca"
issuer = "ROOT"
aws = "ca"
rotate = "30d"

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
files = { ca = "ca.pem" }
"#;

/// Where it is.
const CA: &str = "/shop/dev/ca";

const DUE: [&str; 2] = ["rotate", "--due"];

/// The certificate of the issuing CA that signs.
fn signing(host: &Host) -> String {
    let store = host.project.store();
    let version = store.secrets[&secret("CA")].iter().find(|version| version.stage == Stage::Current).unwrap();
    version.parts.part(Part::Cert).unwrap().expose_text().unwrap().to_owned()
}

/// Every client accepts every server, whether it serves what is delivered now or what was before.
#[track_caller]
fn assert_accepted(hosts: &[&Host], before: &[String], point: &str) {
    let now = hosts.iter().map(|host| host.project.read("server/fullchain.pem"));
    let chains: Vec<String> = now.chain(before.iter().cloned()).collect();
    for client in hosts {
        for chain in &chains {
            client.project.write("judged/chain", chain);
            let judged = client.project.path("judged/chain");
            let mut command = roots::verification(&client.project.path("client/ca.pem"), &judged);
            let run = Run::of(command.arg(&judged));
            assert_eq!(run.code, 0, "{point}: {run:?}");
        }
    }
}

/// All hosts and AWS have one, nothing is on its way, and what each host serves is beneath it.
#[track_caller]
fn assert_agreed(fake: &Fake, hosts: &[&Host], point: &str) {
    let object: serde_json::Value = serde_json::from_str(&there(fake, CA)).unwrap();
    for host in hosts {
        assert!(host.is_still(), "{point}: {:?}", host.project.store().rotations);
        assert_eq!(object["cert"].as_str().unwrap(), signing(host), "{point}");
        assert!(host.project.read("server/fullchain.pem").contains(signing(host).trim()), "{point}");
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty(), "{point}");
        // The fixture's password has an owner that no hook told of its first value.
        host.run(["check", "--skip", "owner-untold"]).assert_code(0);
    }
    assert_eq!(fake.holder(CA, "AWSPENDING"), None, "{point}");
}

fn served(hosts: &[&Host]) -> Vec<String> {
    hosts.iter().map(|host| host.project.read("server/fullchain.pem")).collect()
}

#[test]
fn an_issuing_ca_is_replaced_on_all_hosts_by_one() {
    let (fake, _owner, first, second) = pair(ISSUING);
    let hosts = [&first, &second];
    assert_agreed(&fake, &hosts, "the beginning");
    let (old, before, versions) = (signing(&first), served(&hosts), fake.versions(CA).len());
    for host in hosts {
        host.age(&["CA"]);
    }
    let run = first.run(DUE).assert_code(0);
    assert!(run.stderr.contains("CA"), "{run:?}");
    assert_ne!(signing(&first), old);
    assert_accepted(&hosts, &before, "one host has it");
    // The other one finds it due, and done.
    second.run(DUE).assert_code(0);
    assert_eq!(fake.versions(CA).len(), versions + 1);
    assert_accepted(&hosts, &before, "both have it");
    assert_agreed(&fake, &hosts, "both have it");

    let before = served(&hosts);
    second.run(["rotate", "CA"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert_accepted(&hosts, &before, "it was pulled");
    assert_agreed(&fake, &hosts, "it was pulled");
}

fn deaths(is_applied: bool) {
    let (fake, _owner, first, second) = pair(ISSUING);
    let hosts = [&first, &second];
    for nth in 1..=8 {
        let point = format!("request {nth}, applied: {is_applied}");
        let (versions, before) = (fake.versions(CA).len(), served(&hosts));
        for host in hosts {
            host.age(&["CA"]);
        }
        let is_dead = is_killed_at(&first, &fake, DUE, (nth, is_applied));
        assert_accepted(&hosts, &before, &point);
        // By turns the one who died and another one come next.
        for host in if nth % 2 == 0 { [&first, &second] } else { [&second, &first] } {
            host.run(DUE).assert_code(0);
            assert_accepted(&hosts, &before, &point);
        }
        assert_agreed(&fake, &hosts, &point);
        assert_eq!(fake.versions(CA).len(), versions + 1, "{point}: exactly one new version");
        assert_eq!(is_dead, nth < 8, "there are seven requests");
    }
}

#[test]
fn whoever_dies_before_any_request_leaves_one_issuing_ca_to_all_hosts() {
    deaths(false);
}

#[test]
fn whoever_dies_after_any_request_leaves_one_issuing_ca_to_all_hosts() {
    deaths(true);
}

#[test]
fn of_hosts_that_begin_at_once_all_come_to_one_issuing_ca() {
    let (fake, owner, first, second) = pair(ISSUING);
    let third = Host::other(&fake, &manifest(&owner, ISSUING));
    let hosts = [&first, &second, &third];
    for round in 1..=3 {
        let (versions, before) = (fake.versions(CA).len(), served(&hosts));
        for host in hosts {
            host.age(&["CA"]);
        }
        let start = |host: &Host| host.command(DUE).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for mut run in hosts.map(start) {
            assert!(matches!(run.wait().unwrap().code(), Some(0 | 7)));
        }
        for host in hosts {
            host.run(DUE).assert_code(0);
        }
        let point = format!("round {round}");
        assert_accepted(&hosts, &before, &point);
        assert_agreed(&fake, &hosts, &point);
        assert_eq!(fake.versions(CA).len(), versions + 1, "{point}: exactly one new version");
    }
}

#[test]
fn an_abort_leaves_the_issuing_ca_that_signs() {
    let (fake, _owner, first, second) = pair(ISSUING);
    let (hosts, old) = ([&first, &second], signing(&first));
    // It dies with its claim made, before the value is in force.
    assert!(is_killed_at(&first, &fake, ["rotate", "CA"], (3, true)));
    second.run(["rotate", "abort", "CA"]);
    first.run(["rotate", "abort", "CA"]).assert_code(0);
    assert_eq!(signing(&first), old);
    assert_agreed(&fake, &hosts, "given up");
}

#[test]
fn an_issuing_ca_of_a_root_that_is_not_in_force_here_is_not_taken() {
    let shared = roots::ROOTS
        .replace("issuer = \"ROOT\"\n\n[secrets.INNER]", "issuer = \"ROOT\"\naws = \"ca\"\n\n[secrets.INNER]");
    let (fake, _owner, first, second) = pair(&shared);
    let hosts = [&first, &second];
    first.run(roots::PUBLISH).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    roots::pass(&hosts, TimeDelta::hours(73));
    first.run(["rotate", "--due"]).assert_code(0);
    // It dies with its claim made, so that the other one, which has another root in force, finds what is to follow.
    assert!(is_killed_at(&first, &fake, ["rotate", "CA"], (3, true)));
    let old = signing(&second);
    let run = second.run(["rotate", "CA"]).assert_code(1);
    let told = "not taken: what is to follow `/shop/dev/ca` was not made by the `ROOT` that is here";
    assert!(run.stderr.contains(told) && run.stderr.contains("`vault-kit sync pull ROOT`"), "{run:?}");
    assert_eq!((signing(&second), second.is_still()), (old, true));
    second.run(["sync", "pull", "ROOT"]).assert_code(0);
    // Either of the two goes on with what the dead one began.
    second.run(["rotate", "CA"]).assert_code(0);
    first.run(["rotate", "resume"]).assert_code(0);
    for host in hosts {
        host.run(["sync", "pull"]).assert_code(0);
        assert!(host.is_still() && host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    }
    assert_eq!(signing(&first), signing(&second));
}

#[test]
fn an_issuing_ca_that_leaked_is_replaced_on_all_hosts() {
    let (fake, _owner, first, second) = pair(ISSUING);
    let (hosts, old) = ([&first, &second], signing(&first));
    let run = first.run(["incident", "CA", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("on every other host `vault-kit sync pull --revoke CA`"), "{run:?}");
    assert_ne!(signing(&first), old);
    second.run(["sync", "pull", "--revoke", "CA"]).assert_code(0);
    assert_accepted(&hosts, &[], "it leaked");
    assert_agreed(&fake, &hosts, "it leaked");
}
