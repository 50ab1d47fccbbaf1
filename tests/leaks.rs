//! A value never leaves by a door that is not its own: not in output, errors, records, argv, panics, `Debug` or cores.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use support::{Project, Run, program, skip};
use vault_kit::emit::{self, Value, dotenv_read, json_read};
use vault_kit::generate::Input;
use vault_kit::name::{EnvName, SecretName};
use vault_kit::secret::Secret;
use vault_kit::secret::parts::{Part, Parts};
use vault_kit::store::files::Opened;
use vault_kit::store::identity::{Identities, new_identity_file};
use vault_kit::store::{Life, Origin, Recipients, Stage, Store, Version};

/// Values of different origin, with characters that every encoding writes differently.
const SET: &str = "zK8+vQ/2m\"R=7xW9%tJ4pL&nB3-set";
const FROM_FILE: &str = "hT5+cY/8w\"G=1qM6%sD0kV&fX2-file";
const IMPORTED: &str = "eN3+bU/7j\"A=4yO9%rP6gZ&iL1-imported";
const BESIDE: &str = "oQ2+xF/5d\"C=8uH3%vK7mS&tE9-beside";
const AMBIENT: &str = "aW6+lJ/1r\"B=5pN2%yG4oT&kD7-ambient";
const MALFORMED: &str = "mX9+qS/4f\"V=2iR8%eU3cY&wH6-malformed";
const CANARIES: [&str; 6] = [SET, FROM_FILE, IMPORTED, BESIDE, AMBIENT, MALFORMED];

const MANIFEST: &str = r#"
[project]
name = "leaks"

[secrets.SESSION_KEY]
kind = "random"

[secrets.API_KEY]
kind = "external"
optional = true

[secrets.FILE_KEY]
kind = "external"
optional = true
pattern = "^hT5"

[secrets.IMPORTED_KEY]
kind = "external"
optional = true

[secrets.DATABASE_URL]
kind = "template"
template = "postgres://app:${SESSION_KEY | urlencode}@db:5432/app"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["SESSION_KEY", "API_KEY", "FILE_KEY", "IMPORTED_KEY", "DATABASE_URL"]

[outputs.files]
format = "docker-secrets"
path = ".secrets"
secrets = ["API_KEY"]
"#;

/// Every form in which a value, or its inner half, could appear.
fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![
        value.to_owned(),
        value[4..value.len() / 2 + 6].to_owned(),
        HEXLOWER.encode(value.as_bytes()),
        HEXUPPER.encode(value.as_bytes()),
        value
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") })
            .collect(),
        serde_json::to_string(value).unwrap().trim_matches('"').to_owned(),
        format!("{value:?}").trim_matches('"').to_owned(),
        // `{:?}` of bytes.
        value.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", "),
    ];
    for shift in 0..3 {
        // Whole groups of three bytes, so that what stands around does not matter.
        let inner = &value.as_bytes()[shift..];
        let inner = &inner[..inner.len() / 3 * 3];
        forms.push(BASE64.encode(inner));
        forms.push(BASE64URL_NOPAD.encode(inner));
    }
    forms
}

#[track_caller]
fn assert_no_canary(what: &str, text: &str) {
    for canary in CANARIES {
        for form in forms(canary) {
            assert!(!text.contains(&form), "{what}: {} came out as {form}\n{text}", &canary[canary.len() - 6..]);
        }
    }
}

/// Runs commands and looks at everything that they say, write down, and hand to other processes.
struct Guard {
    project: Project,
    scratch: tempfile::TempDir,
    has_strace: bool,
}

impl Guard {
    fn new(project: Project) -> Self {
        Self { project, scratch: tempfile::TempDir::new().unwrap(), has_strace: program("strace").is_some() }
    }

    /// Runs a command three times over: as it is, with `--json`, and with `-v`; tells how the first ended.
    #[track_caller]
    fn run(&self, arguments: &[&str], stdin: &str) -> i32 {
        let code = self.once(arguments, stdin, &[]);
        if arguments.first() != Some(&"run") {
            self.once(&[&["--json"], arguments].concat(), stdin, &[]);
            self.once(&[&["-v"], arguments].concat(), stdin, &[]);
        }
        code
    }

    #[track_caller]
    fn once(&self, arguments: &[&str], stdin: &str, variables: &[(&str, &str)]) -> i32 {
        let before = self.project.contents();
        let log = self.scratch.path().join("log");
        let mut command = if self.has_strace {
            let strace = ["strace", "-f", "-qq", "-s", "65535", "-e", "trace=execve", "-o", log.to_str().unwrap()];
            self.project.command_under(strace, arguments)
        } else {
            self.project.command(arguments)
        };
        let run = Run::with_stdin(command.envs(variables.iter().copied()), stdin.as_bytes());
        let what = arguments.join(" ");
        assert_no_canary(&what, &run.stdout);
        assert_no_canary(&what, &run.stderr);
        if self.has_strace {
            assert_no_canary(&format!("argv of {what}"), &fs::read_to_string(&log).unwrap());
        }
        assert_ne!(run.code, 70, "{what}: {}", run.stderr);
        self.assert_clean_records(&before, &what);
        run.code
    }

    /// Everything that a command wrote and that is no output: ledger, audit, records, ignore files, and sealed files.
    #[track_caller]
    fn assert_clean_records(&self, before: &BTreeMap<String, (u32, Vec<u8>)>, what: &str) {
        for (path, entry) in self.project.contents() {
            let is_ours = path.starts_with(".vault-kit/") || path.starts_with('~') || path.ends_with("ignore");
            // What the test damaged is kept aside as it was.
            let is_kept = before.get(&path) == Some(&entry) || path.contains(".replaced-");
            if is_ours && !is_kept {
                assert_no_canary(&format!("{path} after {what}"), &String::from_utf8_lossy(&entry.1));
            }
        }
    }
}

/// A project in which every canary that can be stored is stored.
fn planted() -> Guard {
    let guard = Guard::new(Project::with_manifest(MANIFEST));
    guard.project.write(".env", format!("BESIDE='{BESIDE}'\n"));
    assert_eq!(guard.run(&["init"], ""), 0);
    assert_eq!(guard.run(&["set", "API_KEY"], SET), 0);
    guard.project.write("key-file", FROM_FILE);
    assert_eq!(guard.run(&["set", "FILE_KEY", "--from-file", "key-file"], ""), 0);
    guard
        .project
        .write("old.env", format!("IMPORTED_KEY='{IMPORTED}'\nUNDECLARED='{IMPORTED}'\nAPI_KEY='{IMPORTED}'\n"));
    assert_eq!(guard.run(&["import", "old.env"], ""), 0);
    guard.project.run(["render"]).assert_code(0);
    for (name, value) in [("API_KEY", SET), ("FILE_KEY", FROM_FILE), ("IMPORTED_KEY", IMPORTED)] {
        assert_eq!(guard.project.get(name), value.as_bytes());
    }
    let env = guard.project.read(".env");
    assert!([SET, FROM_FILE, IMPORTED, BESIDE].iter().all(|canary| env.contains(canary)), "{env}");
    guard
}

#[test]
fn no_command_tells_a_value() {
    let guard = planted();
    let commands: [&[&str]; 29] = [
        &["init"],
        &["init", "--dry-run"],
        &["render"],
        &["render", "--dry-run"],
        &["status"],
        &["check"],
        &["check", "--strict"],
        &["check", "--at", "repo"],
        &["check", "--at", "env"],
        &["generate"],
        &["generate", "--dry-run"],
        &["generate", "--replace", "DATABASE_URL", "--yes"],
        &["generate", "--replace", "API_KEY", "--yes"],
        &["set", "API_KEY", "--dry-run"],
        &["set", "NO_SUCH_KEY"],
        &["set", "DATABASE_URL"],
        &["set", "FILE_KEY"],
        &["import", "old.env"],
        &["import", "old.env", "--dry-run"],
        &["import", ".env"],
        &["recipients", "list"],
        &["recipients", "apply"],
        &["trust"],
        &["store", "recover"],
        &["run", "--", "true"],
        &["run", "--clean", "--", "no-such-command"],
        &["schema", "manifest"],
        &["man"],
        &["remove", "API_KEY", "--yes"],
    ];
    for command in commands {
        guard.run(command, SET);
    }
    for command in [&["check", "--at", "env"][..], &["status"], &["init"], &["run", "--", "true"]] {
        guard.once(command, "", &[("API_KEY", AMBIENT), ("FILE_KEY", AMBIENT), ("OTHER", AMBIENT)]);
    }
}

/// A token is not known before it is minted: what came out is looked for everywhere else.
#[test]
fn a_minted_token_is_on_stdout_and_nowhere_else() {
    let project = Project::initialised("[project]\nname = \"leaks\"\n[secrets.KEY]\nkind = \"keypair\"\n");
    let mint = ["-v", "token", "mint", "--role", "admin", "--subject", "user:42", "--revocable"];
    let minted = project.run(mint).assert_code(0);
    let token = minted.stdout.strip_suffix('\n').unwrap();
    let signature = token.rsplit('.').next().unwrap();
    assert!(signature.len() == 86 && !minted.stderr.contains(signature), "{minted:?}");
    let jti = project.store().issued.tokens.into_keys().next().unwrap();
    let others: [&[&str]; 6] = [
        &["token", "list"],
        &["token", "list", "--json"],
        &["token", "revoke", &jti, "--dry-run"],
        &["token", "revoke", "--token", "token.txt", "--dry-run"],
        &["token", "revoke", "--token", "token.txt", "--json"],
        &["token", "revoke", "--subject", "user:42", "-v"],
    ];
    for command in others {
        project.write("token.txt", token);
        let run = project.run(command).assert_code(0);
        assert!(!run.both().contains(signature), "{command:?}: {run:?}");
        std::fs::remove_file(project.path("token.txt")).unwrap();
    }
    let sealed = format!("{:?}", project.store());
    assert!(!sealed.contains(signature));
    for (path, (_, content)) in project.contents() {
        assert!(!String::from_utf8_lossy(&content).contains(signature), "{path}");
    }
}

#[test]
fn no_failure_tells_a_value() {
    let guard = planted();
    let sealed = guard.project.bytes(".vault-kit/dev.age");
    let ledger = guard.project.read(".vault-kit/dev.ledger.jsonl");
    let commands: [&[&str]; 7] = [
        &["get", "SESSION_KEY"],
        &["render"],
        &["check"],
        &["status"],
        &["init"],
        &["run", "--", "true"],
        &["store", "recover"],
    ];
    let all = || {
        for command in commands {
            // `get` may still be right, and then its stdout is the value of a key that is no canary.
            guard.run(command, "");
        }
    };
    // A file that is too open, gone, or somebody else's content.
    guard.project.write(".env", format!("API_KEY='{BESIDE}'\nSESSION_KEY={BESIDE}\n"));
    all();
    for broken in [
        &sealed[..sealed.len() / 2],
        MALFORMED.as_bytes(),
        format!("age-encryption.org/v1\n-> X25519 {MALFORMED}\n").as_bytes(),
    ] {
        guard.project.write(".vault-kit/dev.age", broken);
        all();
    }
    guard.project.write(".vault-kit/dev.age", &sealed);
    for line in [MALFORMED.to_owned(), format!("{{\"name\":{}}}", serde_json::to_string(MALFORMED).unwrap())] {
        guard.project.write(".vault-kit/dev.ledger.jsonl", format!("{ledger}{line}\n"));
        all();
    }
    guard.project.write(".vault-kit/dev.ledger.jsonl", &ledger);
    for command in commands {
        guard.once(command, "", &[("VAULT_KIT_IDENTITY", MALFORMED)]);
        guard.once(command, "", &[("VAULT_KIT_IDENTITY", &format!("AGE-SECRET-KEY-1{MALFORMED}"))]);
        guard.once(command, "", &[("VAULT_KIT_IDENTITY", MALFORMED), ("VAULT_KIT_IDENTITY_FILE", "key-file")]);
        guard.once(command, "", &[("VAULT_KIT_IDENTITY_FILE", "key-file")]);
    }
}

#[test]
fn no_malformed_input_comes_back() {
    let guard = planted();
    let json = serde_json::to_string(MALFORMED).unwrap();
    let files = [
        ("x.env", format!("API_KEY={MALFORMED}\n{MALFORMED}\n")),
        ("x.env", format!("API_KEY=\"{MALFORMED}")),
        ("x.env", format!("API_KEY='{MALFORMED}\n\n")),
        ("x.env", format!("API_KEY='{MALFORMED}' {MALFORMED}\n")),
        ("x.env", format!("API KEY={MALFORMED}\n")),
        ("x.env", format!("API_KEY={MALFORMED}\0\n")),
        ("x.env", format!("API_KEY='{MALFORMED}'\nAPI_KEY='{MALFORMED}'\n")),
        ("x.json", format!("{{\"API_KEY\": {json}")),
        ("x.json", format!("{{\"API_KEY\": [{json}]}}")),
        ("x.json", format!("{{\"API_KEY\": {{\"a\": {json}}}}}")),
        ("x.json", format!("[{json}]")),
        ("x.json", json.clone()),
        ("x.json", format!("{{\"API_KEY\": {MALFORMED}}}")),
        ("x.json", format!("{{\"API_KEY\": {json}, \"API_KEY\": {json}}}")),
    ];
    for (name, content) in files {
        guard.project.write(name, content);
        let code = guard.run(&["import", name], "");
        assert!([0, 2, 3].contains(&code), "{name}: {code}");
    }
    let values = [
        format!("-----BEGIN PRIVATE KEY-----\n{MALFORMED}\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN CERTIFICATE-----\n{MALFORMED}\n-----END CERTIFICATE-----\n"),
        format!("eyJhbGciOiJIUzI1NiJ9.{MALFORMED}.{MALFORMED}"),
        format!(
            "eyJhbGciOiJIUzI1NiJ9.{}.{MALFORMED}",
            BASE64URL_NOPAD.encode(format!("{{\"exp\":{json}}}").as_bytes())
        ),
        format!("{MALFORMED}\0"),
    ];
    for value in values {
        // A person may supply anything, and is told of what looks damaged; what a file cannot hold, or the pattern does not
        // allow, changes nothing.
        let before = guard.project.contents();
        let is_held = !value.contains(['\0', '\n']);
        assert_eq!(guard.run(&["set", "API_KEY"], &value), if is_held { 0 } else { 3 });
        let told = guard.project.run_with_stdin(["set", "API_KEY"], value.as_bytes()).stderr;
        assert_eq!(told.contains("warning: the value of `API_KEY`"), !value.contains('\0'), "{told}");
        assert!(is_held || guard.project.contents() == before);
        let before = guard.project.contents();
        assert_eq!(guard.run(&["set", "FILE_KEY"], &value), 1);
        assert!(guard.project.contents() == before);
        guard.run(&["status"], "");
        guard.run(&["check"], "");
    }
    let toml = toml_text(MALFORMED);
    let lines = [
        format!("kind = \"external\"\nvalue = {toml}"),
        format!("kind = {toml}"),
        format!("kind = \"random\"\nbytes = {toml}"),
        format!("kind = \"random\"\nencoding = {toml}"),
        format!("kind = \"random\"\nrotate = {toml}"),
        format!("kind = \"password\"\nalphabet = {toml}\nlength = {toml}"),
        format!("kind = \"external\"\npattern = {}", toml_text(&format!("({MALFORMED}"))),
        format!("kind = \"template\"\ntemplate = {}", toml_text(&format!("{MALFORMED}${{"))),
        format!("kind = \"template\"\ntemplate = {}", toml_text(&format!("{MALFORMED}${{SESSION_KEY | nofilter}}"))),
        format!("kind = \"token\"\nsigned_by = \"SESSION_KEY\"\nttl = {toml}"),
        format!("kind = \"certificate\"\nissuer = \"self\"\ndns = [{toml}]\nip = [{toml}]"),
        format!("kind = \"setting\"\nvalue = [{toml}]"),
        format!("kind = \"external\"\nvalue = {MALFORMED}"),
        format!("kind = \"external\"\nvalue = \"{MALFORMED}"),
        format!("kind = \"external\"\n{MALFORMED}"),
    ];
    for line in lines {
        guard.project.write("vault-kit.toml", format!("{MANIFEST}\n[secrets.WRONG]\n{line}\n"));
        for command in [&["check"][..], &["init"], &["get", "API_KEY"]] {
            let code = guard.run(command, "");
            assert_eq!(code, 3, "{line}");
        }
    }
    for table in [
        format!("[outputs.wrong]\nformat = {toml}\npath = \"x\""),
        format!("[outputs.wrong]\nformat = \"dotenv\"\ndialect = {toml}\npath = \"x\""),
        format!("[outputs.wrong]\nformat = \"json\"\npath = \"x\"\nmode = {toml}"),
        format!("[environments.dev]\nrecipients = {{ me = {toml} }}"),
        format!("[environments.dev]\naws = {toml}"),
    ] {
        guard.project.write("vault-kit.toml", format!("{MANIFEST}\n{table}\n"));
        guard.run(&["check"], "");
        guard.run(&["init"], "");
    }
    let fresh = Guard::new(Project::empty());
    fresh.project.write(".env.example", format!("API_KEY=\"{MALFORMED}\n{MALFORMED}\n"));
    assert_eq!(fresh.run(&["init"], ""), 2);
}

#[test]
fn an_issued_key_is_on_stdout_and_nowhere_else() {
    let manifest = format!("{MANIFEST}\n[outputs.keys]\nformat = \"api-keys\"\npath = \"keys.json\"\n");
    let guard = Guard::new(Project::initialised(&manifest));
    let mut keys = Vec::new();
    // Anything may be told of a key but what is random in it; its last four characters are told on purpose.
    let assert_unseen = |keys: &[String], what: &str, text: &str| {
        for body in keys.iter().map(|key| &key[key.len() - 36..key.len() - 4]) {
            for form in forms(body).into_iter().chain([body[..8].to_owned(), body[24..].to_owned()]) {
                assert!(!text.contains(&form), "{what}: a key came out as {form}\n{text}");
            }
        }
    };
    for arguments in
        [&["apikey", "new", "acme"][..], &["--json", "apikey", "new", "acme"], &["-v", "apikey", "new", "b"]]
    {
        let run = guard.project.run(arguments).assert_code(0);
        let json: Option<serde_json::Value> = serde_json::from_str(&run.stdout).ok();
        let key = json.map_or(run.stdout.trim_end().to_owned(), |json| json["key"].as_str().unwrap().to_owned());
        assert_eq!(run.stdout.matches(&key).count(), 1);
        keys.push(key);
        assert_unseen(&keys, &arguments.join(" "), &run.stderr);
    }
    let log = guard.scratch.path().join("log");
    let commands: [&[&str]; 12] = [
        &["apikey", "list"],
        &["apikey", "verify"],
        &["apikey", "verify", "--require-role", "admin"],
        &["apikey", "verify", "--keys", "keys.json"],
        &["apikey", "verify", "--keys", "vault-kit.toml"],
        &["apikey", "new", "acme"],
        &["apikey", "new", "c", "--dry-run"],
        &["check"],
        &["render"],
        &["apikey", "revoke", "acme"],
        &["apikey", "revoke", "acme", "--all", "--yes"],
        &["apikey", "verify"],
    ];
    for command in commands {
        for flags in [&[][..], &["--json"], &["-v"]] {
            let arguments = [flags, command].concat();
            let mut process = if guard.has_strace {
                let strace = ["strace", "-f", "-qq", "-s", "65535", "-e", "trace=execve", "-o", log.to_str().unwrap()];
                guard.project.command_under(strace, &arguments)
            } else {
                guard.project.command(&arguments)
            };
            let run = Run::with_stdin(&mut process, keys[0].as_bytes());
            assert_ne!(run.code, 70, "{run:?}");
            assert_unseen(&keys, &arguments.join(" "), &run.both());
            if guard.has_strace {
                assert_unseen(&keys, "argv", &fs::read_to_string(&log).unwrap());
            }
        }
    }
    for (path, (_, bytes)) in guard.project.contents() {
        assert_unseen(&keys, &path, &String::from_utf8_lossy(&bytes));
    }
    // Nor in the store, once it is opened.
    let store =
        vault_kit::store::seal::open(&guard.project.bytes(".vault-kit/dev.age"), &guard.project.identities(), "s");
    assert_unseen(&keys, "the store", &format!("{:?}", store.unwrap().issued));
}

fn toml_text(value: &str) -> String {
    format!("'{value}'")
}

#[test]
fn no_panic_tells_what_it_was_about() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "panics_when_asked", "--nocapture"]).env("VAULT_KIT_TEST_PANIC", MALFORMED);
    let run = Run::of(&mut command);
    assert_eq!(run.code, 70, "{}", run.both());
    assert!(run.stdout.contains("panics now") && !run.stdout.contains("caught"), "{}", run.both());
    assert!(run.stderr.contains("vault-kit: error: something that cannot happen happened"), "{}", run.both());
    assert_no_canary("a panic", &run.both());
}

/// Only of use to the test above: a panic ends the process with all its tests.
#[test]
#[expect(clippy::disallowed_methods, reason = "the other test tells by the environment what to panic with")]
#[expect(clippy::print_stdout, reason = "the other test listens")]
fn panics_when_asked() {
    let Ok(canary) = std::env::var("VAULT_KIT_TEST_PANIC") else { return };
    vault_kit::run(["vault-kit", "--version"].map(Into::into));
    #[cfg(target_os = "linux")]
    assert_eq!(
        rustix::process::dumpable_behavior().unwrap(),
        rustix::process::DumpableBehavior::NotDumpable,
        "the process can be dumped"
    );
    assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Core).current, Some(0));
    println!("panics now");
    let _ = std::panic::catch_unwind(|| panic!("{canary}"));
    println!("caught");
}

#[test]
fn no_debug_tells_a_value() {
    let name = SecretName::new("API_KEY").unwrap();
    let secret = || Secret::from_text(SET.to_owned());
    let parts = || Parts::value(secret()).with(Part::Key, secret()).with(Part::Cert, secret());
    let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let version = || Version {
        kind: "random".into(),
        id: vault_kit::secret::random::version_id().unwrap(),
        stage: Stage::Current,
        origin: Origin::Set,
        created: now,
        expires: None,
        life: Life::default(),
        bits: None,
        recipe: None,
        inputs: BTreeMap::new(),
        facts: BTreeMap::new(),
        fingerprint: None,
        public: None,
        parts: parts(),
    };
    let recipients = Recipients { declared: false, keys: BTreeMap::new() };
    let mut store = Store::new("p", &EnvName::new("dev").unwrap(), recipients, now).unwrap();
    store.promote(&name, version());
    store.promote(&name, version());
    let fingerprint_key = String::from_utf8_lossy(store.fingerprint_key.expose()).into_owned();
    let key_form = HEXLOWER.encode(store.fingerprint_key.expose());
    let (identity, _) = new_identity_file(now);
    let identities = Identities::parse(&identity, "identity").unwrap();
    let private = identity.expose_text().unwrap().lines().last().unwrap().to_owned();
    let manifest = vault_kit::manifest::parse(MANIFEST, "vault-kit.toml").unwrap();
    let values = parts();
    let value = || Value { kind: &manifest.secrets["API_KEY"].kind, parts: &values, lists: None, roots: None };
    let output = manifest.outputs.values().find(|output| output.path == ".secrets").unwrap();
    let emission = emit::emit(output, &BTreeMap::from([(&name, value())]), &|_| Ok(None), false).unwrap();
    assert_eq!(emission.files[0].bytes.expose(), SET.as_bytes());
    let texts = [
        ("Secret", format!("{:?} {:#?}", secret(), secret())),
        ("Parts", format!("{:?} {:#?}", parts(), parts())),
        ("Version", format!("{:#?}", version())),
        ("Store", format!("{store:?} {store:#?}")),
        ("Emission", format!("{emission:?} {emission:#?}")),
        ("Value", format!("{:#?}", value())),
        ("Input", format!("{:#?}", Input::new(None, &parts()))),
        ("Entry", format!("{:#?}", dotenv_read::read(format!("A='{SET}'\n").as_bytes()).unwrap())),
        ("Entry", format!("{:#?}", json_read::read(serde_json::json!({ "A": SET }).to_string().as_bytes()).unwrap())),
        ("Identities", format!("{identities:#?}")),
        ("Opened", format!("{:#?}", Opened { store, digest: None })),
    ];
    for (what, text) in texts {
        assert_no_canary(what, &text);
        assert!(!text.contains(&private) && !text.contains(&private[20..40]), "{what}");
        assert!(!text.contains(&fingerprint_key) && !text.contains(&key_form), "{what}");
        assert!(!text.is_empty(), "{what}");
    }
    // The judge sees a leak: the same check finds a value that is printed.
    let leaked = format!("{:?}", secret().expose());
    assert!(forms(SET).iter().any(|form| leaked.contains(form)), "{leaked}");
}

#[cfg(target_os = "linux")]
#[test]
fn while_it_waits_for_a_value_it_can_neither_dump_nor_be_traced() {
    let test = "while_it_waits_for_a_value_it_can_neither_dump_nor_be_traced";
    if !rustix::process::geteuid().is_root() || program("setpriv").is_none() {
        return skip(test, "needs root and setpriv to become another user");
    }
    let guard = planted();
    for directory in [guard.project.root(), guard.project.home()] {
        assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(directory).status().unwrap().success());
    }
    let script = "ulimit -c unlimited; exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"";
    let mut command = guard.project.command_under(["sh", "-c", script, "sh"], ["set", "API_KEY"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = Waiting(child);
    let place = format!("/proc/{}", child.0.id());
    // 0 = read, of descriptor 0.
    let waits = |_: &u32| fs::read_to_string(format!("{place}/syscall")).is_ok_and(|it| it.starts_with("0 0x0 "));
    let is_waiting = (0..1_000_000).inspect(|_| std::thread::yield_now()).any(|it| waits(&it));
    assert!(is_waiting, "it never read stdin");
    let limits = fs::read_to_string(format!("{place}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let status = fs::read_to_string(format!("{place}/status")).unwrap();
    assert!(status.contains("\nUid:\t65534\t"), "{status}");
    // The kernel gives the files of a process that cannot be dumped to root.
    assert_eq!(fs::metadata(format!("{place}/mem")).unwrap().uid(), 0, "it can be dumped");
    drop(child.0.stdin.take());
    assert_eq!(child.0.wait().unwrap().code(), Some(2), "an empty value is refused");
}

/// A process that ends with its test.
#[cfg(target_os = "linux")]
struct Waiting(std::process::Child);

#[cfg(target_os = "linux")]
impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// `/proc` tells it.
#[cfg(target_os = "linux")]
#[test]
fn the_child_of_run_has_its_own_limits_signals_and_not_our_identity() {
    let guard = planted();
    let identity = fs::read_to_string(guard.project.identity()).unwrap();
    let private = identity.lines().last().unwrap().to_owned();
    let script = "ulimit -S -c 512; exec \"$@\"";
    let child =
        "ulimit -S -c; ulimit -H -c; grep -E 'SigIgn|SigBlk' /proc/self/status; tr '\\0' '\\n' </proc/self/environ";
    for (variable, value) in [
        ("VAULT_KIT_IDENTITY", private.as_str()),
        ("VAULT_KIT_IDENTITY_FILE", guard.project.identity().to_str().unwrap()),
    ] {
        for clean in [&[][..], &["--clean"]] {
            let arguments = [&["run"], clean, &["--", "/bin/sh", "-c", child]].concat();
            let mut command = guard.project.command_under(["sh", "-c", script, "sh"], arguments);
            let run = Run::of(command.env(variable, value)).assert_code(0);
            let mut lines = run.stdout.lines();
            assert_eq!(lines.next(), Some("512"), "the soft limit is not the caller's");
            assert_ne!(lines.next(), Some("0"), "the hard limit is not the caller's");
            for line in lines.by_ref().take(2) {
                let mask = u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap();
                assert_eq!(mask & (1 << (13 - 1)), 0, "SIGPIPE is not as it was: {line}");
            }
            assert!(!run.stdout.contains("VAULT_KIT_IDENTITY") && !run.stdout.contains(&private), "{variable}");
            assert!(run.stdout.contains(&format!("API_KEY={SET}")), "the child lacks its secrets");
            assert!(!run.stderr.contains(SET));
        }
    }
}
