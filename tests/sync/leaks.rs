//! No value, of either side, leaves by a door that is not its own, and nothing that AWS says reaches a terminal as it is.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use crate::aws::{ANY, Fake, Trouble};
use crate::shop::{Host, manifest, name};
use crate::support::{Run, program};

const HERE: &str = "zK8+vQ/2m\"R=7xW9%tJ4pL&nB3-here";
const THERE: &str = "hT5+cY/8w\"G=1qM6%sD0kV&fX2-there";
const KEY_HERE: &str = "eN3+bU/7j\"A=4yO9%rP6gZ&iL1-key-here";
const KEY_THERE: &str = "oQ2+xF/5d\"C=8uH3%vK7mS&tE9-key-there";
const BINARY: &[u8] = b"aW6+lJ/1r\"B=5pN2%yG4oT&kD7-binary\xff\xfe";
const SAID: &str = "mX9+qS/4f\"V=2iR8%eU3cY&wH6-said\u{1b}[31m";

/// Pages that are none, with a value and an escape code in each.
const PAGES: [&str; 4] = [
    "mX9+qS/4f\"V=2iR8%eU3cY&wH6-said\u{1b}[31m",
    "{\"SecretList\": \"mX9+qS/4f\\\"V=2iR8%eU3cY&wH6-said\\u001b[31m\"}",
    "{\"SecretList\": [{\"ARN\": \"a\", \"Name\": \"mX9+qS/4f\\\"V=2iR8%eU3cY&wH6-said\\u001b[31m\"}]}",
    "{\"SecretValues\": [{\"ARN\": \"a\", \"Name\": \"n\", \"VersionId\": \"v\", \"SecretString\": 7, \
     \"mX9+qS/4f\\\"V=2iR8%eU3cY&wH6-said\": 1}], \"SecretList\": [], \"ARN\": \"mX9+qS/4f\\\"V=2iR8%eU3cY&wH6-said\"}",
];

const FLAGS: [&[&str]; 3] = [&[], &["-v"], &["--json"]];

const VERBS: [&[&str]; 18] = [
    &["sync", "status", "--wait", "0s"],
    &["sync", "diff", "--wait", "0s"],
    &["sync", "push", "--wait", "0s", "-n"],
    &["sync", "pull", "--wait", "0s", "-n"],
    &["sync", "push", "--wait", "0s", "--plan-out", "push-plan"],
    &["sync", "pull", "--wait", "0s", "--plan-out", "pull-plan"],
    &["sync", "apply", "--wait", "0s", "-n", "push-plan"],
    &["sync", "apply", "--wait", "0s", "pull-plan"],
    &["sync", "push", "--wait", "0s"],
    &["sync", "pull", "--wait", "0s"],
    &["sync", "push", "--wait", "0s", "-n", "--ours", "DB_PASSWORD", "SESSION_KEY", "BLOB", "TLS"],
    &["sync", "pull", "--wait", "0s", "-n", "--theirs", "DB_PASSWORD", "SESSION_KEY", "BLOB", "TLS"],
    &["sync", "adopt", "--wait", "0s", "--yes", "DB_PASSWORD"],
    &["sync", "restore", "--wait", "0s", "DB_PASSWORD"],
    &["sync", "prune", "--wait", "0s", "--yes"],
    &["check", "--at", "remote"],
    &["iam", "policy", "--role", "reader"],
    &["status"],
];

/// The shop with bytes and a certificate.
fn text() -> String {
    manifest("").replace(
        "[outputs.env]",
        "[secrets.BLOB]\nkind = \"external\"\noptional = true\naws = \"blob\"\n\n[secrets.TLS]\nkind = \"certificate\"\n\
         issuer = \"self\"\ndns = [\"shop.example\"]\naws = \"tls\"\n\n[outputs.env]",
    )
    .replace("secrets = [\"*\"]", "secrets = [\"DB_PASSWORD\", \"SESSION_KEY\"]")
}

/// Every form in which a value, or its inner half, could appear.
fn forms(value: &[u8]) -> Vec<String> {
    let lossy = String::from_utf8_lossy(value).into_owned();
    let inner: String = lossy.chars().skip(4).take(14).collect();
    let json = serde_json::to_string(&lossy).unwrap();
    let mut forms =
        vec![lossy, inner, json.trim_matches('"').to_owned(), HEXLOWER.encode(value), HEXUPPER.encode(value)];
    for shift in 0..3 {
        // Whole groups of three bytes, so that what stands around does not matter.
        let whole = &value[shift..];
        let whole = &whole[..whole.len() / 3 * 3];
        forms.extend([BASE64.encode(whole), BASE64URL_NOPAD.encode(whole)]);
    }
    forms
}

/// A host, and everything that nobody may learn.
struct Guard<'f> {
    host: Host<'f>,
    values: Vec<Vec<u8>>,
    has_strace: bool,
}

impl<'f> Guard<'f> {
    /// Values on both sides, that were the same once.
    fn new(fake: &'f Fake) -> Self {
        let host = Host::with(fake, &text());
        host.project.run(["init"]).assert_code(0);
        host.set("DB_PASSWORD", HERE);
        host.set("SESSION_KEY", KEY_HERE);
        host.project.write("blob", BINARY);
        host.project.run(["set", "BLOB", "--from-file", "blob"]).assert_code(0);
        host.project.run(["render"]).assert_code(0);
        let key = host.project.run(["get", "TLS", "--part", "key"]).assert_code(0).stdout;
        let key = key.lines().nth(1).unwrap().as_bytes().to_vec();
        let texts = [HERE, THERE, KEY_HERE, KEY_THERE, SAID.strip_suffix("\u{1b}[31m").unwrap()];
        let values = texts.iter().map(|it| it.as_bytes().to_vec()).chain([BINARY.to_vec(), key]).collect();
        let guard = Self { host, values, has_strace: program("strace").is_some() };
        assert_eq!(guard.run(&["sync", "push"]), 0);
        guard
    }

    #[track_caller]
    fn assert_silent(&self, what: &str, text: &str) {
        for value in &self.values {
            for form in forms(value) {
                assert!(!text.contains(&form), "{what}: {} came out\n{text}", String::from_utf8_lossy(value));
            }
        }
    }

    /// Runs a command as it is, with `-v` and with `--json`, and looks at all that it says and writes down.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> i32 {
        let codes = FLAGS.map(|flags| self.once(&[flags, arguments].concat()));
        codes[0]
    }

    #[track_caller]
    fn once(&self, arguments: &[&str]) -> i32 {
        let what = arguments.join(" ");
        let log = self.host.project.home().join("strace");
        let mut command = if self.has_strace {
            let strace = ["strace", "-f", "-qq", "-s", "65535", "-e", "trace=execve", "-o", log.to_str().unwrap()];
            self.host.project.command_under(strace, arguments)
        } else {
            self.host.project.command(arguments)
        };
        let run = Run::of(command.envs(self.host.environment()));
        self.assert_silent(&what, &run.both());
        let is_plain = |it: char| !it.is_control() || it == '\n';
        assert!(run.both().chars().all(is_plain), "{what}: {run:?}");
        assert!(![70, 101, 134].contains(&run.code), "{what}: {run:?}");
        for (path, (_, content)) in self.host.project.contents() {
            // Delivered files hold values, and only they; the store is sealed.
            if path.starts_with(".vault-kit/")
                || path.ends_with("-plan")
                || path.starts_with('~')
                || path.ends_with("ignore")
            {
                self.assert_silent(&format!("{path} after {what}"), &String::from_utf8_lossy(&content));
            }
        }
        run.code
    }

    /// Every verb, as far as the state lets it come, each with all flags.
    fn every_verb(&self) {
        for verb in VERBS {
            self.run(verb);
        }
    }

    /// Every verb once, with another flag in each round.
    fn every_verb_once(&self, round: usize) {
        for (number, verb) in VERBS.iter().enumerate() {
            self.once(&[FLAGS[(number + round) % FLAGS.len()], verb].concat());
        }
    }

    /// Somebody changes every value there, and we others of them here.
    fn conflict(&self, fake: &Fake) {
        fake.put(&name("database/password"), THERE);
        let bundle = serde_json::json!({ "SESSION_KEY": KEY_THERE, "log_level": THERE, "theirs": KEY_THERE });
        fake.put(&name("app"), bundle.to_string());
        fake.put(&name("blob"), [BINARY, b"more"].concat());
        self.host.set("DB_PASSWORD", &format!("{HERE}-anew"));
        self.host.set("SESSION_KEY", &format!("{KEY_HERE}-anew"));
    }
}

#[test]
fn a_value_is_seen_in_every_form() {
    for value in [HERE.as_bytes(), BINARY] {
        let lossy = String::from_utf8_lossy(value);
        for text in [
            format!("x{lossy}y"),
            serde_json::json!({ "a": lossy }).to_string(),
            BASE64.encode(&[b"x", value, b"y"].concat()),
            BASE64.encode(&[b"xy", value, b"y"].concat()),
            HEXLOWER.encode(&[b"x", value].concat()),
        ] {
            assert!(forms(value).iter().any(|form| text.contains(form)), "{text}");
        }
    }
}

#[test]
fn no_verb_tells_a_value_of_either_side() {
    let fake = Fake::start();
    let guard = Guard::new(&fake);
    guard.every_verb();
    guard.conflict(&fake);
    guard.every_verb();
    let (bundle, whole) = (name("app"), name("tls"));
    let key = String::from_utf8_lossy(guard.values.last().unwrap()).into_owned();
    // A bundle that is none ends a command before other secrets are looked at.
    fake.put(&whole, format!("{{\"key\": [\"{key}\"], \"cert\": \"{key}\"}}"));
    guard.every_verb_once(0);
    let malformed = [KEY_THERE.to_owned(), format!("{{\"SESSION_KEY\": \"{KEY_THERE}"), format!("[{KEY_THERE}]")];
    for (round, malformed) in malformed.into_iter().enumerate() {
        fake.put(&bundle, malformed);
        guard.every_verb_once(round);
    }
    guard.conflict(&fake);
    assert_eq!(guard.run(&["sync", "push", "--ours", "SESSION_KEY", "TLS", "BLOB"]), 0);
    guard.conflict(&fake);
    assert_eq!(guard.run(&["sync", "pull", "--theirs", "DB_PASSWORD"]), 0);
    assert_eq!(guard.host.get("DB_PASSWORD"), THERE);
}

#[test]
fn no_answer_of_somebody_who_is_not_aws_comes_out() {
    let fake = Fake::start();
    let guard = Guard::new(&fake);
    guard.conflict(&fake);
    let pages = PAGES.map(Trouble::Page);
    let troubles = [Trouble::Says(SAID), Trouble::Throttling, Trouble::Denied, Trouble::Truncated, Trouble::Garbage];
    for (round, trouble) in pages.into_iter().chain(troubles).enumerate() {
        fake.fail(ANY, usize::MAX, trouble);
        guard.every_verb_once(round);
        fake.heal();
    }
    for operation in ["BatchGetSecretValue", "PutSecretValue", "GetCallerIdentity", "DescribeSecret"] {
        for trouble in [Trouble::Says(SAID), Trouble::Page(PAGES[3]), Trouble::Truncated] {
            fake.fail(operation, usize::MAX, trouble);
            guard.once(&["-v", "sync", "diff", "--wait", "0s"]);
            guard.once(&["-v", "sync", "push", "--wait", "0s", "--ours", "BLOB"]);
            guard.once(&["sync", "pull", "-n", "--wait", "0s"]);
            fake.heal();
        }
    }
}

#[test]
fn nothing_that_aws_tells_of_a_secret_writes_to_the_terminal() {
    const ESCAPES: &str = "\u{1b}[2J\u{7}\u{9b}31m\r";
    let fake = Fake::start();
    let guard = Guard::new(&fake);
    let password = name("database/password");
    guard.host.set("DB_PASSWORD", &format!("{HERE}-anew"));
    fake.tag(&password, "vault-kit:managed", ESCAPES);
    fake.tag(&password, ESCAPES, ESCAPES);
    guard.every_verb_once(0);
    fake.owning_service(&password, ESCAPES);
    guard.every_verb_once(1);
    fake.replica_of(&password, ESCAPES);
    guard.every_verb_once(2);
    fake.put_labelled(&password, THERE, &["AWSCURRENT", ESCAPES]);
    guard.every_verb_once(3);
    fake.put(&name(ESCAPES), THERE);
    guard.every_verb_once(4);
}
