//! Debian's `age` reads our store and our identity, and we read what it sealed.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use support::{Project, Run, program, skip};

const STORE: &str = ".vault-kit/dev.age";

const MANIFEST: &str = r#"
[project]
name = "judged"
[secrets.PASSWORD]
kind = "password"
[secrets.TLS]
kind = "certificate"
issuer = "self"
dns = ["localhost"]
[secrets.GIVEN]
kind = "external"
optional = true
[secrets.BINARY]
kind = "external"
optional = true
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["PASSWORD"]
"#;

/// Debian's programs.
struct Age {
    age: PathBuf,
    keygen: PathBuf,
}

impl Age {
    /// `None`, said aloud, where they are not to be had.
    fn found() -> Option<Self> {
        let found = program("age").zip(program("age-keygen"));
        if found.is_none() {
            skip("age", "no age: run tests/setup");
        }
        found.map(|(age, keygen)| Self { age, keygen })
    }

    /// `age --decrypt` with an identity file.
    fn open(&self, identity: &Path, sealed: &Path) -> Run {
        Run::of(Command::new(&self.age).arg("--decrypt").arg("--identity").arg(identity).arg(sealed))
    }

    /// `age --encrypt` of a text with these options.
    fn seal(&self, options: &[&str], text: &str) -> Vec<u8> {
        let directory = TempDir::new().unwrap();
        let sealed = directory.path().join("sealed");
        let mut command = Command::new(&self.age);
        Run::with_stdin(command.arg("--output").arg(&sealed).args(options), text.as_bytes()).assert_code(0);
        std::fs::read(sealed).unwrap()
    }

    /// A new identity file, and its recipient.
    fn identity(&self, path: &Path) -> String {
        Run::of(Command::new(&self.keygen).arg("-o").arg(path)).assert_code(0);
        self.recipient(path)
    }

    /// What `age-keygen -y` tells of an identity file.
    fn recipient(&self, path: &Path) -> String {
        let run = Run::of(Command::new(&self.keygen).arg("-y").arg(path)).assert_code(0);
        run.stdout.trim_end().to_owned()
    }
}

/// The store as `age` opens it.
fn opened(age: &Age, project: &Project) -> Value {
    let run = age.open(&project.identity(), &project.path(STORE)).assert_code(0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// A piece of the newest version of a secret.
fn newest<'a>(store: &'a Value, name: &str, part: &str) -> &'a Value {
    &store["secrets"][name].as_array().unwrap().last().unwrap()["parts"][part]
}

/// The program with this identity file.
fn run_as(project: &Project, identity: &Path, arguments: &[&str]) -> Run {
    Run::of(project.command(arguments).env("VAULT_KIT_IDENTITY_FILE", identity))
}

/// A project that is sealed to two people, made by the first; their identity files, and that of a stranger.
fn of_two_people(age: &Age) -> (Project, [PathBuf; 3]) {
    let project = Project::empty();
    let identities = ["alice", "bob", "eve"].map(|who| project.home().join(who));
    let [alice, bob, _] = identities.each_ref().map(|identity| age.identity(identity));
    project.write(
        "vault-kit.toml",
        format!("{MANIFEST}\n[environments.dev]\nrecipients = {{ alice = \"{alice}\", bob = \"{bob}\" }}\n"),
    );
    run_as(&project, &identities[0], &["init"]).assert_code(0);
    (project, identities)
}

#[test]
fn age_opens_our_store_and_finds_readable_json_with_every_value() {
    let Some(age) = Age::found() else { return };
    let project = Project::initialised(MANIFEST);
    let given = "grüße \"quoted\" \\ $HOME\nsecond line\u{1f511}";
    let binary = [0, 0xff, 0xfe, b'\n'];
    project.write("given", given);
    project.write("binary", binary);
    project.run(["set", "GIVEN", "--from-file", "given"]).assert_code(0);
    project.run(["set", "BINARY", "--from-file", "binary"]).assert_code(0);

    assert!(project.bytes(STORE).starts_with(b"age-encryption.org/v1\n-> X25519 "));
    let store = opened(&age, &project);
    assert_eq!((&store["project"], &store["environment"]), (&json!("judged"), &json!("dev")));
    let password = String::from_utf8(project.get("PASSWORD")).unwrap();
    assert_eq!(newest(&store, "PASSWORD", "value"), &json!(password));
    assert!(project.read(".env").contains(&format!("PASSWORD={password}\n")));
    assert_eq!(newest(&store, "GIVEN", "value"), &json!(given));
    assert_eq!(newest(&store, "BINARY", "value"), &json!({"base64": "AP/+Cg=="}));
    for part in ["cert", "key"] {
        assert!(newest(&store, "TLS", part).as_str().unwrap().starts_with("-----BEGIN "), "{part}");
    }
}

#[test]
fn we_go_on_with_a_store_that_age_sealed_anew_binary_or_armored() {
    let Some(age) = Age::found() else { return };
    for armor in [&["--armor"][..], &[]] {
        let project = Project::initialised(MANIFEST);
        let password = project.get("PASSWORD");
        let recipient = age.recipient(&project.identity());
        let payload = age.open(&project.identity(), &project.path(STORE)).assert_code(0).stdout;
        let sealed = age.seal(&[armor, &["--recipient", &recipient]].concat(), &payload);
        assert_eq!(sealed.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"), !armor.is_empty());
        project.write(STORE, &sealed);

        assert_eq!(project.get("PASSWORD"), password);
        // The ledger is of the old bytes; who holds the identity derives it anew.
        project.run(["check"]).assert_code(0);
        project.run_with_stdin(["set", "GIVEN"], b"a-value-of-ours-4711-long-enough-for-check").assert_code(0);
        let store = opened(&age, &project);
        assert_eq!(newest(&store, "GIVEN", "value"), "a-value-of-ours-4711-long-enough-for-check");
        assert_eq!(newest(&store, "PASSWORD", "value").as_str().unwrap().as_bytes(), password);
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn we_take_the_values_that_a_person_edited_between_age_and_age() {
    let Some(age) = Age::found() else { return };
    let project = Project::initialised(MANIFEST);
    let mut store = opened(&age, &project);
    let recipient = age.recipient(&project.identity());
    store["secrets"]["PASSWORD"][0]["parts"]["value"] = json!("edited-by-hand-4711");
    let pretty = serde_json::to_string_pretty(&store).unwrap();
    project.write(STORE, age.seal(&["--recipient", &recipient], &pretty));
    assert_eq!(project.get("PASSWORD"), b"edited-by-hand-4711");
    project.run(["render"]).assert_code(0);
    assert!(project.read(".env").contains("PASSWORD=edited-by-hand-4711\n"));
}

#[test]
fn each_of_several_recipients_opens_the_store_and_nobody_else_does() {
    let Some(age) = Age::found() else { return };
    let (project, [alice, bob, eve]) = of_two_people(&age);
    let store = |identity: &Path| age.open(identity, &project.path(STORE));
    let value = run_as(&project, &alice, &["get", "PASSWORD"]).assert_code(0).stdout;
    for identity in [&alice, &bob] {
        let payload: Value = serde_json::from_str(&store(identity).assert_code(0).stdout).unwrap();
        assert_eq!(newest(&payload, "PASSWORD", "value"), &json!(value));
        assert_eq!(run_as(&project, identity, &["get", "PASSWORD"]).assert_code(0).stdout, value);
    }
    // Whoever writes, it stays sealed to both.
    run_as(&project, &bob, &["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
    let replaced = run_as(&project, &alice, &["get", "PASSWORD"]).assert_code(0).stdout;
    assert_ne!(replaced, value);

    assert_eq!(store(&eve).code, 1);
    let before = project.contents();
    for arguments in [&["get", "PASSWORD"][..], &["render"], &["set", "GIVEN"], &["run", "--", "true"], &["init"]] {
        let mut command = project.command(arguments);
        let run = Run::with_stdin(
            command.env("VAULT_KIT_IDENTITY_FILE", &eve),
            b"a-value-of-ours-4711-long-enough-for-check",
        )
        .assert_code(4);
        assert!(run.stderr.contains("this identity is not among the recipients"), "{arguments:?}: {run:?}");
        assert!(run.stdout.is_empty());
    }
    assert_eq!(project.contents(), before);
}

#[test]
fn a_store_that_age_sealed_to_somebody_else_is_refused_and_left_alone() {
    let Some(age) = Age::found() else { return };
    let project = Project::initialised(MANIFEST);
    let eve = project.home().join("eve");
    let recipient = age.identity(&eve);
    let payload = age.open(&project.identity(), &project.path(STORE)).assert_code(0).stdout;
    project.write(STORE, age.seal(&["--recipient", &recipient], &payload));
    let before = project.contents();
    for arguments in
        [&["get", "PASSWORD"][..], &["render"], &["init"], &["generate"], &["check"], &["store", "recover"]]
    {
        let run = project.run(arguments).assert_code(4);
        assert!(run.stderr.contains("this identity is not among the recipients"), "{arguments:?}: {run:?}");
    }
    assert_eq!(project.contents(), before);
}

#[test]
fn an_identity_of_age_keygen_makes_a_project_and_age_keygen_reads_ours() {
    let Some(age) = Age::found() else { return };
    let project = Project::with_manifest(MANIFEST);
    let theirs = project.home().join("theirs");
    let recipient = age.identity(&theirs);
    run_as(&project, &theirs, &["init"]).assert_code(0);
    assert!(!project.identity().exists(), "no second identity is made");
    age.open(&theirs, &project.path(STORE)).assert_code(0);
    // The same as text in the environment: the file as it is, comments and all, or the line alone.
    let text = std::fs::read_to_string(&theirs).unwrap();
    for inline in [text.as_str(), text.lines().last().unwrap()] {
        let mut command = project.command(["get", "PASSWORD"]);
        Run::of(command.env("VAULT_KIT_IDENTITY", inline)).assert_code(0);
    }
    let told = run_as(&project, &theirs, &["recipients", "list", "--json"]).assert_code(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["you"], &told["store"]), (&json!([recipient]), &json!({"me": recipient})));

    let ours = Project::initialised(MANIFEST);
    let told: Value = serde_json::from_str(&ours.run(["recipients", "list", "--json"]).assert_code(0).stdout).unwrap();
    let recipient = age.recipient(&ours.identity());
    assert_eq!((&told["you"], &told["store"]), (&json!([recipient]), &json!({"me": recipient})));
    let comment = ours.home().join(".config/vault-kit/identity.txt");
    let comment = std::fs::read_to_string(comment).unwrap();
    assert!(comment.contains(&format!("# public key: {recipient}\n")), "the comment that age-keygen writes too");
}

#[test]
fn several_identities_in_one_text_open_what_any_of_them_opens() {
    let Some(age) = Age::found() else { return };
    let (project, [alice, _, eve]) = of_two_people(&age);
    let both = format!("{}\n{}", std::fs::read_to_string(eve).unwrap(), std::fs::read_to_string(alice).unwrap());
    let run = Run::with_stdin(project.command(["get", "PASSWORD"]).env("VAULT_KIT_IDENTITY", both), b"").assert_code(0);
    assert_eq!(run.stdout.len(), 32);
}

#[test]
fn a_store_that_age_sealed_to_a_passphrase_is_refused_without_asking() {
    let Some(age) = Age::found() else { return };
    let Some(script) = program("script") else { return skip("age-passphrase", "no script(1) to type a passphrase") };
    let project = Project::initialised(MANIFEST);
    // `age --passphrase` asks the terminal, which script(1) provides; an empty answer lets it invent one.
    let sealed = project.home().join("sealed");
    let line = format!("{} -p -o {} {}", age.age.display(), sealed.display(), project.path("vault-kit.toml").display());
    let mut command = Command::new(script);
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    Run::with_stdin(&mut command, b"\n").assert_code(0);
    project.write(STORE, std::fs::read(sealed).unwrap());
    let run = project.run(["get", "PASSWORD"]).assert_code(4);
    assert!(run.stderr.contains(STORE) && run.stdout.is_empty(), "{run:?}");
}
