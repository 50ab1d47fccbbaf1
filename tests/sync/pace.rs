//! How many requests it takes.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::aws::{ACCOUNT, Fake, Trouble};
use crate::shop::{self, Host, name};
use crate::support::{self, Run};

/// A manifest of so many values from outside, and those values in AWS.
fn many(fake: &Fake, count: usize) -> String {
    many_with(fake, count, "")
}

/// The same with more in its environment's place in AWS.
pub(crate) fn many_with(fake: &Fake, count: usize, more: &str) -> String {
    let mut text = format!(
        "[project]\nname = \"shop\"\ndefault_environment = \"prod\"\n[environments.prod]\n\
         aws = {{ account = \"{ACCOUNT}\", region = \"eu-west-1\", prefix = \"/shop/prod/\"{more} }}\n"
    );
    for number in 0..count {
        write!(text, "[secrets.S{number}]\nkind = \"external\"\noptional = true\naws = \"s/{number}\"\n").unwrap();
        fake.put(&name(&format!("s/{number}")), format!("value-number-{number}-of-many"));
    }
    text
}

fn operations(fake: &Fake) -> Vec<(&'static str, usize)> {
    let counted = ["BatchGetSecretValue", "GetSecretValue", "ListSecrets", "DescribeSecret", "GetCallerIdentity"];
    let counted: Vec<_> = counted.into_iter().map(|it| (it, fake.calls(it))).filter(|(_, count)| *count > 0).collect();
    assert_eq!(counted.iter().map(|(_, count)| count).sum::<usize>(), fake.all_calls());
    counted
}

#[test]
fn a_first_pull_of_a_thousand_makes_fifty_requests_and_a_second_one_ten() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 1_000));
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(operations(&fake), [("BatchGetSecretValue", 50)]);
    assert_eq!(host.get("S999"), "value-number-999-of-many");
    fake.forget();
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(operations(&fake), [("ListSecrets", 10)]);
    for verb in ["push", "status", "diff"] {
        fake.forget();
        host.run(["sync", verb]).assert_code(0);
        assert_eq!((operations(&fake), fake.values_read()), (vec![("ListSecrets", 10)], 0), "{verb}");
    }
    fake.put(&name("s/500"), "the-one-that-changed");
    fake.forget();
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(operations(&fake), [("BatchGetSecretValue", 1), ("ListSecrets", 10)]);
    assert_eq!((fake.values_read(), host.get("S500").as_str()), (1, "the-one-that-changed"));
}

/// Gives the values of these numbers a new version.
fn change(fake: &Fake, numbers: impl IntoIterator<Item = usize>) {
    numbers
        .into_iter()
        .for_each(|number| drop(fake.put(&name(&format!("s/{number}")), format!("changed-number-{number}-of-many"))));
    fake.forget();
}

#[test]
fn what_changed_is_read_while_the_listing_goes_on() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 1_000));
    host.run(["sync", "pull"]).assert_code(0);
    change(&fake, 0..1_000);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(operations(&fake), [("BatchGetSecretValue", 50), ("ListSecrets", 10)]);
    assert_eq!((fake.values_read(), host.get("S999").as_str()), (1_000, "changed-number-999-of-many"));
    // The last page is asked for once everything of the ninth is on its way, eight batches at a time at most.
    let log = fake.log();
    let last = log.iter().rposition(|entry| entry.operation == "ListSecrets").unwrap();
    let read = log[..last].iter().filter(|entry| entry.operation == "BatchGetSecretValue").count();
    assert!(read >= 37, "{read} batches before the last page");
    assert!(fake.most_in_flight() <= 9, "{}", fake.most_in_flight());
}

#[test]
fn of_a_few_changes_on_each_page_no_more_batches_are_made_and_nothing_else_is_read() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 300));
    host.run(["sync", "pull"]).assert_code(0);
    change(&fake, (0..300).step_by(23));
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(operations(&fake), [("BatchGetSecretValue", 1), ("ListSecrets", 3)]);
    assert_eq!(
        (fake.values_read(), host.get("S23"), host.get("S24")),
        (14, "changed-number-23-of-many".into(), "value-number-24-of-many".into())
    );
}

#[test]
fn what_changed_is_read_alone_where_batches_are_denied_and_what_is_throttled_again() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 150));
    host.run(["sync", "pull"]).assert_code(0);
    change(&fake, 0..150);
    fake.deny("BatchGetSecretValue").fail_nth("ListSecrets", 2, Trouble::Throttling);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!((fake.calls("ListSecrets"), fake.calls("GetSecretValue"), fake.values_read()), (3, 150, 150));
    assert_eq!(host.get("S149"), "changed-number-149-of-many");
}

#[test]
fn a_listing_that_breaks_off_leaves_everything_as_it_was() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 250));
    host.run(["sync", "pull"]).assert_code(0);
    change(&fake, 0..250);
    fake.fail_nth("ListSecrets", 3, Trouble::Garbage);
    let run = host.run(["sync", "pull"]).assert_code(5);
    assert!(run.stderr.contains("`/shop/prod/`"), "{}", run.stderr);
    assert_eq!(host.get("S0"), "value-number-0-of-many");
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("S0"), "changed-number-0-of-many");
}

#[test]
fn nothing_is_read_of_another_account() {
    let home = Fake::start();
    let manifest = many(&home, 3);
    let host = Host::with(&home, &manifest);
    host.run(["sync", "pull"]).assert_code(0);
    let other = Fake::start().account("999999999999");
    many(&other, 3);
    let mut command = host.project.command(["sync", "pull"]);
    let run = Run::of(command.envs(other.environment())).assert_code(6);
    assert!(run.stderr.contains("belongs to AWS account 123456789012"), "{}", run.stderr);
    assert_eq!(other.values_read(), 0);
}

#[test]
fn what_a_first_pull_cannot_read_is_told_by_one_listing() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 4));
    fake.delete(&name("s/0"));
    fake.schedule(&name("s/1"), 7);
    fake.delete(&name("s/2"));
    fake.put_valueless(&name("s/2"));
    let run = host.run(["sync", "pull"]).assert_code(7);
    assert!(run.stderr.contains("`/shop/prod/s/1` is scheduled for deletion"), "{}", run.stderr);
    assert!(run.stderr.contains("`/shop/prod/s/2` exists in AWS, and has no value"), "{}", run.stderr);
    assert!(!run.stderr.contains("s/0"), "{}", run.stderr);
    assert_eq!(fake.calls("ListSecrets"), 1);
    assert_eq!(host.get("S3"), "value-number-3-of-many");
}

#[test]
fn a_first_pull_that_may_read_nothing_says_so_and_makes_no_store() {
    let fake = Fake::start();
    let host = Host::with(&fake, &many(&fake, 3));
    (0..3).for_each(|number| fake.deny_reading(&name(&format!("s/{number}"))));
    let run = host.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("AWS denies access to `/shop/prod/s/1`"), "{}", run.stderr);
    assert!(!host.project.path(".vault-kit/prod.age").exists());
}

#[test]
fn a_first_pull_takes_nothing_from_another_account() {
    let other = Fake::start().account("999999999999");
    let first = Host::with(&other, &shop::manifest("").replace(ACCOUNT, "999999999999"));
    first.project.run(["init"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    let host = Host::new(&other);
    let run = host.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("belongs to AWS account 123456789012"), "{}", run.stderr);
    assert!(!host.project.path(".env").exists());
}

/// Runs a command line on a terminal that `script` makes.
fn on_terminal(fake: &Fake, host: &Host<'_>, line: &str) -> Run {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line.replace("vault-kit", env!("CARGO_BIN_EXE_vault-kit"))]);
    script.arg("/dev/null").current_dir(host.project.root()).env_clear().envs(fake.environment());
    script.env("PATH", support::search_path()).env("HOME", host.project.home()).env("TERM", "xterm");
    Run::of(script.stdin(Stdio::null()))
}

#[test]
fn long_work_is_watched_on_a_terminal_and_nowhere_else() {
    let test = "long_work_is_watched_on_a_terminal_and_nowhere_else";
    if support::program("script").is_none() || !cfg!(target_os = "linux") {
        return support::skip(test, "no script(1) of util-linux");
    }
    let fake = Fake::start();
    let manifest = many(&fake, 1_000);
    let hosts = [(); 4].map(|()| Host::with(&fake, &manifest));
    fake.latency(Duration::from_millis(250));
    let run = on_terminal(&fake, &hosts[0], "vault-kit sync pull").assert_code(0);
    assert!(run.stdout.contains("\r\u{1b}[Kreading ") && run.stdout.contains(" of 1,000"), "{}", run.stdout);
    let (_, after) = run.stdout.rsplit_once(" of 1,000").unwrap();
    assert!(after.starts_with("\r\u{1b}[K"), "what is said next takes its place: {after}");
    for (host, flag) in [(&hosts[1], "-q"), (&hosts[2], "--json")] {
        let run = on_terminal(&fake, host, &format!("vault-kit sync pull {flag}")).assert_code(0);
        assert!(!run.stdout.contains("reading "), "{flag}: {}", run.stdout);
    }
    let run = hosts[3].run(["sync", "pull"]).assert_code(0);
    assert!(!run.both().contains("reading "), "{}", run.both());
    fake.heal();
    let run = on_terminal(&fake, &hosts[0], "vault-kit sync pull").assert_code(0);
    assert!(!run.stdout.contains("listing "), "it is over within a second: {}", run.stdout);
}

#[test]
fn a_long_push_is_watched_as_a_pull_is() {
    let test = "a_long_push_is_watched_as_a_pull_is";
    if support::program("script").is_none() || !cfg!(target_os = "linux") {
        return support::skip(test, "no script(1) of util-linux");
    }
    let fake = Fake::start();
    let manifest = many(&fake, 40);
    (0..40).for_each(|number| fake.delete(&name(&format!("s/{number}"))));
    let host = Host::with(&fake, &manifest);
    host.project.run(["init"]).assert_code(0);
    let values: String = (0..40).fold(String::new(), |text, number| text + &format!("S{number}=value-of-{number}\n"));
    host.project.write("values.env", values);
    host.project.run(["import", "values.env"]).assert_code(0);
    fake.latency(Duration::from_millis(400));
    let run = on_terminal(&fake, &host, "vault-kit sync push").assert_code(0);
    assert!(run.stdout.contains("\r\u{1b}[Kcreating ") && run.stdout.contains(" of 40"), "{}", run.stdout);
    assert_eq!(fake.calls("CreateSecret"), 40);
}
