//! What each error says: exit code, stdout and stderr of a command that meets it, and its code with `--json`.
//!
//! tests/tidy.rs fails when an error code of `src/` has no case here or, where it is about AWS, in `tests/messages_aws`.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::process::Command;
use std::time::Duration;

use chrono::TimeDelta;
use regex_lite::Regex;
use support::{Project, Run, program, set_mode, skip};
use vault_kit::few::Few;
use vault_kit::name::{EnvName, SecretName};
use vault_kit::private_file::Root;
use vault_kit::secret::Secret;
use vault_kit::secret::parts::{Part, Parts};
use vault_kit::store::certificates::Issued;
use vault_kit::store::rotations::{Operation, Step as RotationStep, Trouble};
use vault_kit::store::synced::Base;

/// One generated value in one `.env`.
const RANDOM: &str = "[secrets.API_KEY]\nkind = \"random\"\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";

/// A value that a person supplies.
const EXTERNAL: &str = "[secrets.API_KEY]\nkind = \"external\"\n";

/// A manifest of the project `shop`.
fn manifest(rest: &str) -> String {
    format!("[project]\nname = \"shop\"\n{rest}")
}

fn project(rest: &str) -> Project {
    Project::with_manifest(&manifest(rest))
}

fn initialised(rest: &str) -> Project {
    Project::initialised(&manifest(rest))
}

/// Everything that a command says, once it is proven to be about `code`.
#[track_caller]
fn told(code: &str, project: &Project, arguments: &[&str]) -> String {
    told_by(code, project, || project.command(arguments))
}

/// The same for a command that is prepared otherwise. `--json` is put right behind the command's name.
#[track_caller]
fn told_by(code: &str, project: &Project, command: impl Fn() -> Command) -> String {
    let run = Run::of(&mut command());
    assert!(!run.both().contains('\x1b'), "{run:?}");
    let mut as_json = command();
    as_json.arg("--json");
    // Behind `--` it would be the child's.
    if as_json.get_args().any(|it| it == "--") {
        as_json = with_json_first(&as_json);
    }
    let json = Run::of(&mut as_json);
    // The second run may begin in the next second: what differs from run to run is no difference.
    let words = |run: &Run| {
        let (code, stdout, stderr) = (run.code, String::new(), run.stderr.clone());
        shown(project, &Run { code, stdout, stderr })
    };
    assert_eq!(words(&json), words(&run));
    let answer: serde_json::Value =
        serde_json::from_str(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:?}"));
    assert_eq!(answer["schema_version"], 1);
    assert_eq!(answer["errors"][0]["code"], code, "{json:?}");
    shown(project, &run)
}

fn with_json_first(command: &Command) -> Command {
    let mut other = Command::new(command.get_program());
    other.arg("--json").args(command.get_args().filter(|it| *it != "--json"));
    other.current_dir(command.get_current_dir().unwrap()).env_clear();
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    other
}

/// Exit code, stdout and stderr, with what differs from run to run replaced.
fn shown(project: &Project, run: &Run) -> String {
    let mut text = format!("exit {}\n", run.code);
    for (name, stream) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !stream.is_empty() {
            text.extend(["--- ", name, "\n", stream]);
        }
    }
    for (path, name) in [(project.root(), "[project]"), (project.home(), "[home]")] {
        text = text.replace(path.to_str().unwrap(), name);
    }
    for (pattern, name) in [
        (r"age1[0-9a-z]{58}", "[recipient]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[time]"),
        (r"-inum \d+", "-inum [inode]"),
        (r"(by process|`ps -fp|`kill) \d+", "$1 [pid]"),
        (r"/state/vault-kit/[^/`]+/", "/state/vault-kit/[id]/"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

const AUTHORITY: &str =
    "[secrets.CA]\nkind = \"ca\"\n[secrets.TLS]\nkind = \"certificate\"\nissuer = \"CA\"\ndns = [\"localhost\"]\n";

/// Puts another CA in the place of the one that was made.
fn replace_authority(project: &Project, cert: &str, key: &str) {
    project.edit_store(|store| {
        let authority = store.secrets.get_mut(&SecretName::new("CA").unwrap()).unwrap();
        let mut parts = Parts::default();
        for (part, text) in [(Part::Cert, cert), (Part::Ca, cert), (Part::Key, key)] {
            parts.insert(part, Secret::copy_of(text.as_bytes()));
        }
        authority.last_mut().unwrap().parts = parts;
    });
}

#[test]
fn a_project_without_a_manifest() {
    let project = Project::empty();
    insta::assert_snapshot!(told("manifest-missing", &project, &["check"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: there is no vault-kit.toml in `.` or above it
    vault-kit: hint: make one with `vault-kit init`
    "#);
}

#[test]
fn a_commit_that_takes_the_manifest_away() {
    let project = Project::with_manifest(&manifest(""));
    for arguments in [
        &["init", "-q"][..],
        &["add", "vault-kit.toml"],
        &["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"],
        &["rm", "-q", "--cached", "vault-kit.toml"],
    ] {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(project.root()).env_clear().env("HOME", project.home());
        Run::of(git.env("GIT_CONFIG_NOSYSTEM", "1").env("PATH", support::search_path())).assert_code(0);
    }
    insta::assert_snapshot!(told("manifest-taken-away", &project, &["scan", "--staged"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: the next commit would take `vault-kit.toml` away, and with it all that tells what to look for
    vault-kit: hint: `git reset -- vault-kit.toml` puts it back
    vault-kit: hint: if that is meant: `vault-kit hooks remove`, or git's `--no-verify` once
    "#);
}

#[test]
fn a_named_manifest_that_is_not_there() {
    let project = Project::empty();
    insta::assert_snapshot!(told("manifest-not-found", &project, &["-f", "other.toml", "check"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: there is no manifest `./other.toml`
    vault-kit: hint: make one with `vault-kit init`, or name another with `-f`
    "#);
}

#[test]
fn a_manifest_with_several_mistakes() {
    let project = project("[secrets.A]\nkind = \"randon\"\n[secrets.B]\nkind = \"random\"\nbits = 5\n");
    insta::assert_snapshot!(told("manifest-invalid", &project, &["check"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `vault-kit.toml:4`: `secrets.A.kind` must be one of `api-key`, `ca`, `certificate`, `encryption-key`, `external`, `keypair`, `passphrase`, `password`, `random`, `setting`, `template`, `token`, `uuid`
    vault-kit: hint: did you mean `random`?
    vault-kit: error: `vault-kit.toml:7`: `secrets.B.bits` is not a field of kind `random`
    vault-kit: hint: the fields here are `bytes`, `encoding`, `rotate`, `overlap`, `window`, `group`, `owner`, `pattern`, `obtain`, `description`, `environments`, `hooks`, `usernames`, `aws`, `bundle`, `bundle_key`, `kind`
    "#);
}

#[test]
fn a_revision_that_git_does_not_know_and_a_repository_that_is_damaged() {
    let test = "a_revision_that_git_does_not_know_and_a_repository_that_is_damaged";
    if program("git").is_none() {
        return skip(test, "no git");
    }
    let project = initialised(RANDOM);
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        assert!(git.current_dir(project.root()).env("HOME", project.home()).output().unwrap().status.success());
    };
    git(&["init", "--quiet"]);
    insta::assert_snapshot!(told("unknown-revision", &project, &["check", "--changed-since", "main"]), @r"
    exit 2
    --- stderr
    vault-kit: error: `--changed-since` names no commit of this repository
    vault-kit: hint: a shallow clone has to fetch it first: `git fetch --depth=1 origin BRANCH`, then name `FETCH_HEAD`
    ");
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "x"]);
    project.write(".git/index", "damaged");
    insta::assert_snapshot!(told("git-failed", &project, &["check", "--changed-since", "HEAD"]), @r"
    exit 9
    --- stderr
    vault-kit: error: `git diff-index` fails in `[project]`: exit status: 128
    vault-kit: hint: `git status` tells what is wrong with the repository
    ");
}

#[test]
fn a_hook_whose_program_is_not_there() {
    let more = "[hooks.postgres]\nprogram = \"hooks/postgres\"\nsteps = [\"notify\"]\n[hooks.x]\nprogram = \"x\"\nsteps = [\"notify\"]\n";
    let project = project(more);
    insta::assert_snapshot!(told("hook-missing", &project, &["trust"]), @r"
    exit 3
    --- stderr
    vault-kit: error: there is no `hooks/postgres`, the program of the hook `postgres`
    vault-kit: hint: `vault-kit rotate hook postgres > hooks/postgres; chmod 755 hooks/postgres` writes the one that vault-kit ships
    vault-kit: error: there is no `x`, the program of the hook `x`
    vault-kit: hint: line 6 of the manifest names it
    ");
}

#[test]
fn a_hook_whose_program_others_can_change() {
    let project = project("[hooks.x]\nprogram = \"x\"\nsteps = [\"notify\"]\n");
    project.write("x", "#!/bin/sh\n");
    set_mode(&project.path("x"), 0o757);
    insta::assert_snapshot!(told("hook-refused", &project, &["trust"]), @r"
    exit 6
    --- stderr
    vault-kit: error: refusing to run `x` for the hook `x`: others than its owner may change it
    vault-kit: hint: `chmod go-w x`
    ");
}

#[test]
fn a_manifest_that_is_not_toml() {
    let project = project("[secrets.A\n");
    insta::assert_snapshot!(told("manifest-invalid", &project, &["check"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `vault-kit.toml:3`: not TOML: unclosed table, expected `]`
    vault-kit: hint: text stands in quotes, and no name stands twice
    "#);
}

#[test]
fn a_manifest_that_is_a_link() {
    let project = Project::empty();
    project.write("real.toml", manifest(RANDOM));
    symlink("real.toml", project.path("vault-kit.toml")).unwrap();
    insta::assert_snapshot!(told("manifest-not-regular", &project, &["check"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to read `[project]/vault-kit.toml`: a manifest is a regular file, not a link
    vault-kit: hint: put the file itself there, or name it with `-f`
    "#);
}

#[test]
fn a_manifest_of_another_user() {
    if !is_root() {
        return skip("a_manifest_of_another_user", "needs root to give a file away");
    }
    let project = project(RANDOM);
    fs::create_dir(project.path("below")).unwrap();
    chown(project.path("vault-kit.toml"), Some(4321), None).unwrap();
    let command = || {
        let mut command = project.command(["check"]);
        command.current_dir(project.path("below"));
        command
    };
    insta::assert_snapshot!(told_by("foreign-manifest", &project, command), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to use `[project]/vault-kit.toml`: it belongs to another user (uid 4321)
    vault-kit: hint: read it, then name it: `vault-kit -f [project]/vault-kit.toml …`
    "#);
}

#[test]
fn an_unknown_secret() {
    let project = initialised(EXTERNAL);
    insta::assert_snapshot!(told("usage", &project, &["get", "API_KYE"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: no secret `API_KYE` is declared in environment `dev`
    vault-kit: hint: did you mean `API_KEY`?
    "#);
}

#[test]
fn an_unknown_environment() {
    let project = initialised(EXTERNAL);
    insta::assert_snapshot!(told("usage", &project, &["-e", "prod", "check"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: the manifest declares no such environment
    vault-kit: hint: it declares: dev
    "#);
}

#[test]
fn a_setting_that_is_set() {
    let project = initialised("[secrets.MODE]\nkind = \"setting\"\nvalue = \"x\"\n");
    insta::assert_snapshot!(told("usage", &project, &["set", "MODE"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `MODE` is a setting
    vault-kit: hint: settings live in the manifest: edit its `value` there
    "#);
}

#[test]
fn an_argument_that_there_is_not() {
    let project = initialised(EXTERNAL);
    insta::assert_snapshot!(shown(&project, &project.run(["get", "API_KEY", "--twice"])), @r#"
    exit 2
    --- stderr
    vault-kit: error: unexpected argument '--twice' found

      tip: to pass '--twice' as a value, use '-- --twice'

    Usage: vault-kit get <NAME>

    For more information, try '--help'.
    "#);
}

#[test]
fn a_secret_without_a_value() {
    let project = initialised(EXTERNAL);
    insta::assert_snapshot!(told("missing", &project, &["get", "API_KEY"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: `API_KEY` has no value in environment `dev`
    vault-kit: hint: supply it with `vault-kit set API_KEY`
    "#);
}

#[test]
fn two_secrets_without_a_value() {
    let project = initialised("[secrets.A]\nkind = \"external\"\n[secrets.B]\nkind = \"external\"\n");
    insta::assert_snapshot!(told("missing", &project, &["run", "--", "true"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: `A` has no value in environment `dev`
    vault-kit: hint: supply it with `vault-kit set A`
    vault-kit: error: `B` has no value in environment `dev`
    vault-kit: hint: supply it with `vault-kit set B`
    "#);
}

#[test]
fn a_placeholder_as_a_value() {
    let project = initialised(EXTERNAL);
    project.write("value", "changeme");
    insta::assert_snapshot!(told("placeholder", &project, &["set", "API_KEY", "--from-file", "value"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: refusing a placeholder as the value of `API_KEY`
    vault-kit: hint: nothing was changed; supply the real value
    "#);
}

#[test]
fn a_value_that_does_not_match_its_pattern() {
    let project = initialised("[secrets.API_KEY]\nkind = \"external\"\npattern = \"^sk_\"\n");
    project.write("value", "pk_Zk3vYq8mT1xWc5RbLp");
    insta::assert_snapshot!(told("pattern-mismatch", &project, &["set", "API_KEY", "--from-file", "value"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: the value does not match the pattern of `API_KEY`
    vault-kit: hint: nothing was changed; is it the right value, without quotes around it?
    "#);
}

#[test]
fn no_identity() {
    let project = initialised(EXTERNAL);
    fs::remove_file(project.identity()).unwrap();
    insta::assert_snapshot!(told("identity-missing", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: there is no identity at `[home]/.config/vault-kit/identity.txt`
    vault-kit: hint: name the file that holds yours: `export VAULT_KIT_IDENTITY_FILE=/path/to/identity.txt`; where there is no store yet, `vault-kit init` makes one
    "#);
    // Beside a store `init` makes none, and does not send to itself.
    insta::assert_snapshot!(told("identity-missing", &project, &["init"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: there is no identity at `[home]/.config/vault-kit/identity.txt`
    vault-kit: hint: name the file that holds yours: `export VAULT_KIT_IDENTITY_FILE=/path/to/identity.txt`
    "#);
}

#[test]
fn an_identity_file_that_holds_none() {
    let project = initialised(EXTERNAL);
    project.write("other.txt", "# mine\nhunter2\n");
    let command = || {
        let mut command = project.command(["get", "API_KEY"]);
        command.env("VAULT_KIT_IDENTITY_FILE", project.path("other.txt"));
        command
    };
    set_mode(&project.path("other.txt"), 0o600);
    insta::assert_snapshot!(told_by("identity-invalid", &project, command), @r#"
    exit 4
    --- stderr
    vault-kit: error: `[project]/other.txt` holds no age identity (line 2)
    vault-kit: hint: an identity is a line that begins with AGE-SECRET-KEY-1; name the right file with VAULT_KIT_IDENTITY_FILE
    "#);
}

#[test]
fn an_identity_that_is_no_recipient() {
    let project = initialised(EXTERNAL);
    let (stranger, _) = project.stranger("stranger.txt");
    let command = || {
        let mut command = project.command(["get", "API_KEY"]);
        command.env("VAULT_KIT_IDENTITY_FILE", &stranger);
        command
    };
    insta::assert_snapshot!(told_by("not-a-recipient", &project, command), @r#"
    exit 4
    --- stderr
    vault-kit: error: this identity is not among the recipients of `.vault-kit/dev.age`
    vault-kit: hint: name another identity with VAULT_KIT_IDENTITY_FILE, or ask a recipient to add yours and run `vault-kit recipients apply`
    "#);
}

#[test]
fn no_store() {
    let project = initialised(EXTERNAL);
    fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    fs::remove_dir_all(project.state()).unwrap();
    insta::assert_snapshot!(told("store-missing", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: there is no `.vault-kit/dev.age`
    vault-kit: hint: make it with `vault-kit init`
    "#);
}

#[test]
fn a_store_of_which_only_the_copy_is_left() {
    let project = initialised(EXTERNAL);
    fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    insta::assert_snapshot!(told("store-missing", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.age` is gone, but its second copy is there
    vault-kit: hint: bring it back with `vault-kit store recover`
    vault-kit: hint: to begin anew without its values, move the copy aside: `mv [home]/.local/state/vault-kit/[id]/dev.copy [home]/.local/state/vault-kit/[id]/dev.copy.old`
    "#);
}

#[test]
fn a_damaged_store() {
    let project = initialised(EXTERNAL);
    let sealed = project.bytes(".vault-kit/dev.age");
    project.write(".vault-kit/dev.age", &sealed[..100]);
    insta::assert_snapshot!(told("store-damaged", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.age` is damaged or cut short
    vault-kit: hint: bring the second copy back with `vault-kit store recover`
    "#);
}

#[test]
fn a_store_that_a_later_version_wrote() {
    if program("age").is_none() {
        return skip("a_store_that_a_later_version_wrote", "no age");
    }
    let project = initialised(EXTERNAL);
    project.write("payload", "{\"vault_kit_store\": 99}\n");
    let mut age = Command::new("age");
    age.arg("-r").arg(&project.identities().recipients()[0]).arg("-o").arg(project.path(".vault-kit/dev.age"));
    Run::of(age.arg(project.path("payload"))).assert_code(0);
    insta::assert_snapshot!(told("store-too-new", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.age`: the store was written by a newer vault-kit
    vault-kit: hint: update vault-kit on this machine
    "#);
}

#[test]
fn a_store_that_went_back() {
    let project = initialised(RANDOM);
    let old = project.bytes(".vault-kit/dev.age");
    project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
    project.write(".vault-kit/dev.age", old);
    insta::assert_snapshot!(told("store-went-back", &project, &["render"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.age` is older than its second copy: an old file came back
    vault-kit: hint: take the newer one with `vault-kit store recover`
    vault-kit: hint: or keep the old one on purpose with `vault-kit store recover --accept-older`
    "#);
}

#[test]
fn a_damaged_second_copy() {
    let project = initialised(EXTERNAL);
    let copy = project.state().join("dev.copy");
    std::fs::File::options().write(true).open(copy).unwrap().set_len(20).unwrap();
    insta::assert_snapshot!(told("copy-damaged", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: the second copy of the store, `[home]/.local/state/vault-kit/[id]/dev.copy`, is damaged
    vault-kit: hint: if `.vault-kit/dev.age` is whole, make the copy anew: `rm [home]/.local/state/vault-kit/[id]/dev.copy`, then `vault-kit store recover`
    "#);
}

#[test]
fn the_store_of_another_environment() {
    let project = initialised(EXTERNAL);
    project.edit_store(|store| store.environment = EnvName::new("prod").unwrap());
    insta::assert_snapshot!(told("store-foreign", &project, &["get", "API_KEY"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.age` is the store of environment `prod`
    vault-kit: hint: put the right file back, or name the environment with `-e`
    "#);
}

#[test]
fn a_damaged_ledger() {
    let project = initialised(EXTERNAL);
    project.write(".vault-kit/dev.ledger.jsonl", "hunter2\n");
    insta::assert_snapshot!(told("ledger-damaged", &project, &["check"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.ledger.jsonl` is damaged at line 1
    vault-kit: hint: make it anew from the store with `vault-kit store recover`
    "#);
}

#[test]
fn a_clock_behind_the_store() {
    let project = initialised(RANDOM);
    project.edit_store(|store| store.updated += TimeDelta::hours(1));
    insta::assert_snapshot!(told("clock-behind", &project, &["render"]), @r#"
    exit 8
    --- stderr
    vault-kit: error: nothing was changed: the clock says [time], but the store was changed at [time]
    vault-kit: hint: is the clock wrong? set it, and nothing is lost: `timedatectl set-ntp true`
    vault-kit: hint: is it right, and was it ahead then? `vault-kit store recover --accept-clock`, once and for all
    "#);
}

#[test]
fn other_recipients_in_the_manifest() {
    let project = initialised(RANDOM);
    let (_, stranger) = project.stranger("stranger.txt");
    let environment = format!("[environments.dev]\nrecipients = {{ stranger = \"{stranger}\" }}\n");
    project.write("vault-kit.toml", manifest(&(environment + RANDOM)));
    insta::assert_snapshot!(told("recipients-changed", &project, &["render"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: the manifest and the store disagree on the recipients: refusing to write
    vault-kit: hint: look at both with `vault-kit recipients list`; accept with `vault-kit recipients apply`
    "#);
}

#[test]
fn another_account_in_the_manifest() {
    let project = initialised(RANDOM);
    let environment = "[environments.dev]\naws = { account = \"111122223333\", region = \"us-east-1\" }\n";
    project.write("vault-kit.toml", manifest(&(environment.to_owned() + RANDOM)));
    insta::assert_snapshot!(told("account-changed", &project, &["render"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: the manifest and the store disagree on the AWS account or prefix: refusing to write
    vault-kit: hint: accept with `vault-kit recipients apply`
    "#);
}

#[test]
fn recipients_without_oneself() {
    let project = initialised(RANDOM);
    let (_, stranger) = project.stranger("stranger.txt");
    let environment = format!("[environments.dev]\nrecipients = {{ stranger = \"{stranger}\" }}\n");
    project.write("vault-kit.toml", manifest(&(environment + RANDOM)));
    insta::assert_snapshot!(told("would-lock-out", &project, &["recipients", "apply", "--yes"]), @r#"
    exit 4
    --- stderr
    + stranger [recipient]
    - me [recipient]
    whoever is removed still knows every value up to now: make new ones with `vault-kit generate --replace`
    vault-kit: error: refusing to seal `.vault-kit/dev.age`: you could not open it again
    vault-kit: hint: add your own recipient to the manifest; `vault-kit recipients list` shows it
    "#);
}

#[test]
fn a_question_that_nobody_can_answer() {
    let project = initialised(RANDOM);
    insta::assert_snapshot!(told("confirmation-needed", &project, &["generate", "--replace", "API_KEY"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: make a new value for `API_KEY`; the old one stops working: this needs a yes
    vault-kit: hint: add `--yes` to say it
    "#);
}

#[test]
fn another_kind_of_value_than_nobody_could_make_again() {
    let project = initialised("[secrets.DATA_KEY]\nkind = \"encryption-key\"\n");
    project.write("vault-kit.toml", manifest("[secrets.DATA_KEY]\nkind = \"keypair\"\n"));
    insta::assert_snapshot!(told("confirmation-needed", &project, &["init"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `DATA_KEY` has a value as `encryption-key`, and is declared as `keypair`
    vault-kit: hint: nothing was changed; to keep the value, let the manifest call it what it was
    vault-kit: hint: to have a new one made in its place, add `--yes`
    "#);
}

#[test]
fn a_value_in_the_place_of_a_name() {
    let project = initialised(RANDOM);
    insta::assert_snapshot!(told("usage", &project, &["set", "API_KEY=value"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `API_KEY=…` is no name of a secret
    vault-kit: hint: a value is never an argument: `vault-kit set API_KEY` asks for it
    "#);
    insta::assert_snapshot!(told("usage", &project, &["set", "a value"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: there is no secret of such a name
    vault-kit: hint: `vault-kit status` lists them
    "#);
}

#[test]
fn a_lock_that_another_one_holds() {
    let project = initialised(RANDOM);
    let _lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    insta::assert_snapshot!(told("busy", &project, &["render", "--lock-timeout", "0"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: another vault-kit is at work here: it holds `[project]/.vault-kit/lock`
    vault-kit: hint: wait until it is done, or give it longer with `--lock-timeout 5m`
    "#);
}

#[test]
fn a_lock_whose_directory_takes_none() {
    if !is_root() || program("setpriv").is_none() {
        return skip("a_lock_whose_directory_takes_none", "needs root and setpriv to become another user");
    }
    let project = project(RANDOM);
    for path in [project.root(), project.home()] {
        chown(path, Some(4321), Some(4321)).unwrap();
    }
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    let run = || Run::of(&mut project.command_under(as_another, ["render"]));
    Run::of(&mut project.command_under(as_another, ["init"])).assert_code(0);
    std::fs::remove_file(project.path(".vault-kit/lock")).unwrap();
    set_mode(&project.path(".vault-kit"), 0o500);
    let told = run().assert_code(6);
    assert!(
        told.stderr.contains("cannot write in the directory `") && told.stderr.contains("hint: `chmod u+rwx "),
        "{told:?}"
    );
    set_mode(&project.path(".vault-kit"), 0o700);
    // As a run by root may have left it.
    project.write(".vault-kit/lock", "");
    set_mode(&project.path(".vault-kit/lock"), 0o600);
    let told = run().assert_code(6);
    assert!(told.stderr.contains("cannot lock `") && told.stderr.contains("hint: `sudo chown 4321 "), "{told:?}");
}

#[test]
fn a_hook_that_outlived_its_vault_kit() {
    let project = initialised(RANDOM);
    let _lock = Root::open(project.root()).unwrap().lock_for_hook(".vault-kit/hook.lock").unwrap();
    insta::assert_snapshot!(told("hook-outlived", &project, &["render", "--lock-timeout", "0"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: a hook outlived the vault-kit that started it, and may still be at work: `[project]/.vault-kit/hook.lock` is held by process [pid]
    vault-kit: hint: wait until it has ended, or give it longer with `--lock-timeout 5m`
    vault-kit: hint: `ps -fp [pid]` tells what it is, and `kill [pid]` ends it
    vault-kit: hint: if it is a service that the hook started: stop it, and start it from elsewhere
    "#);
}

#[test]
fn a_hook_that_calls_whoever_called_it() {
    let project = initialised(RANDOM);
    let _lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    let render = || {
        let mut command = project.command(["render"]);
        command.env("VAULT_KIT_HOOK_OF", project.root());
        command
    };
    insta::assert_snapshot!(told_by("within-hook", &project, render), @r#"
    exit 7
    --- stderr
    vault-kit: error: a hook cannot change the project that calls it: whoever started it waits for it, and holds the lock
    vault-kit: hint: nothing was changed; let the hook end first, and do this in the script that calls `vault-kit rotate`
    "#);
}

#[test]
fn a_file_of_another_environment() {
    let environments = "[environments.dev]\n[environments.prod]\n";
    let project = initialised(&format!("{environments}{RANDOM}"));
    insta::assert_snapshot!(told("other-environment", &project, &["-e", "prod", "init"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `.env` was last rendered for environment `dev`
    vault-kit: hint: name that one with `-e dev`, or replace its files with `vault-kit -e prod init --yes`
    "#);
}

#[test]
fn a_name_outside_the_block() {
    let project = initialised(RANDOM);
    project.write(".env", "API_KEY=mine\n");
    insta::assert_snapshot!(told("name-outside-block", &project, &["init"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `.env` assigns outside vault-kit's block what the manifest delivers: `API_KEY` (line 1)
    vault-kit: hint: `vault-kit import --replace .env` takes the values there into the store; `vault-kit init --adopt` then moves the lines into the block
    vault-kit: hint: `vault-kit init --adopt --yes` drops the values there, and has those of the store in the block
    "#);
}

#[test]
fn a_value_in_the_env_file_that_the_store_does_not_have() {
    let project = initialised(RANDOM);
    project.write(".env", "API_KEY=Zk3vYq8mT1xWc5RbLp\n");
    insta::assert_snapshot!(told("value-differs", &project, &["render", "--adopt"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `.env` assigns values that the store does not hold: `API_KEY` (line 1)
    vault-kit: hint: `vault-kit import --replace .env` takes the values there into the store; `vault-kit init --adopt` then moves the lines into the block
    vault-kit: hint: `vault-kit init --adopt --yes` drops the values there, and has those of the store in the block
    "#);
}

#[test]
fn a_file_that_somebody_else_wrote() {
    let secret = "[secrets.API_KEY]\nkind = \"random\"\n";
    let project = initialised(secret);
    let outputs = "[outputs.files]\nformat = \"docker-secrets\"\npath = \".secrets\"\n[outputs.more]\nformat = \"json\"\npath = \"more.json\"\n";
    project.write("vault-kit.toml", manifest(&format!("{secret}{outputs}")));
    project.write(".secrets/api_key", "Zk3vYq8mT1xWc5RbLp");
    project.write("more.json", "{}\n");
    insta::assert_snapshot!(told("foreign-file", &project, &["render"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `.secrets/api_key` is there already, and vault-kit did not write it
    vault-kit: hint: to keep what is in it, take it into the store: `vault-kit import --replace .secrets/api_key`
    vault-kit: hint: to keep it as a file, move it aside: `mv [project]/.secrets/api_key [project]/.vault-kit/.secrets-api_key.old`
    vault-kit: hint: to replace it, add `--yes` to `init` or `render`
    vault-kit: error: `more.json` is there already, and vault-kit did not write it
    vault-kit: hint: to keep it as a file, move it aside: `mv [project]/more.json [project]/.vault-kit/more.json.old`
    vault-kit: hint: to replace it, add `--yes` to `init` or `render`
    "#);
}

#[test]
fn a_block_without_an_end() {
    let project = initialised(RANDOM);
    let text = project.read(".env");
    let (text, _) = text.trim_end().rsplit_once('\n').unwrap();
    project.write(".env", text);
    insta::assert_snapshot!(told("block-damaged", &project, &["render"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `.env` line 1: a begin marker without its end marker of vault-kit's block
    vault-kit: hint: `vault-kit render --adopt` puts them right, and keeps every line that is not ours
    vault-kit: hint: or repair the two marker lines by hand: `# >>> vault-kit: managed, do not edit inside >>>` … `# <<< vault-kit <<<`
    "#);
}

#[test]
fn an_env_file_that_cannot_be_read() {
    let project = initialised(EXTERNAL);
    project.write("old.env", "API_KEY='hunter2\n");
    insta::assert_snapshot!(told("dotenv-invalid", &project, &["import", "old.env"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `old.env`: line 1 (`API_KEY`): the quote is never closed
    vault-kit: hint: nothing was changed; mend the line
    "#);
}

#[test]
fn a_json_file_that_cannot_be_read() {
    let project = initialised(EXTERNAL);
    project.write("old.json", "{\"API_KEY\": [\"hunter2\"]}\n");
    insta::assert_snapshot!(told("json-invalid", &project, &["import", "old.json"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `old.json`: line 1: `API_KEY` is a list, not a string, a number or a boolean
    vault-kit: hint: nothing was changed; mend the line
    "#);
}

#[test]
fn an_example_that_cannot_be_read() {
    let project = Project::empty();
    project.write(".env.example", "API_KEY='hunter2\n");
    insta::assert_snapshot!(told("example-invalid", &project, &["init"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `.env.example`: line 1 (`API_KEY`): the quote is never closed
    vault-kit: hint: mend the line, or move the file aside and run `vault-kit init` again
    "#);
}

#[test]
fn a_compose_file_that_compose_refuses() {
    let project = Project::empty();
    project.write("compose.yaml", "services:\n  api:\n    image: api\n    ports: [hunter2]\n    networks: [nowhere]\n");
    insta::assert_snapshot!(told("compose-invalid", &project, &["init"]), @r"
    exit 2
    --- stderr
    vault-kit: error: `compose.yaml:4`: `services.api.ports` has an entry that names no ports
    vault-kit: error: `compose.yaml:5`: service `api` refers to the network `nowhere`, which nobody declares
    vault-kit: hint: mend that, or move the file aside and run `vault-kit init` again
    ");
}

#[test]
fn a_value_that_a_dialect_cannot_carry() {
    let output = "[outputs.env]\nformat = \"dotenv\"\ndialect = \"docker-run\"\npath = \".env\"\n";
    let project = initialised(&format!("{EXTERNAL}{output}"));
    project.write("value", "two\nlines");
    insta::assert_snapshot!(told("not-portable", &project, &["set", "API_KEY", "--from-file", "value"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: output `env` cannot carry what its readers (dialect `docker-run`) would not read alike: `API_KEY` holds a line break
    vault-kit: hint: deliver it as a file: an output with `format = "docker-secrets"`, read through `NAME_FILE`
    vault-kit: hint: or deliver a template `${NAME | base64}` that the program decodes
    vault-kit: hint: or, if that is the only reader, `dialect = "portable"`
    "#);
}

#[test]
fn a_format_of_a_later_release() {
    let project = initialised(EXTERNAL);
    let output = "[outputs.keys]\nformat = \"systemd-credentials\"\npath = \"keys\"\n";
    project.write("vault-kit.toml", manifest(&format!("{EXTERNAL}{output}")));
    insta::assert_snapshot!(told("not-yet-available", &project, &["render"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: outputs of format `systemd-credentials` are not yet available
    vault-kit: hint: use `dotenv`, `docker-secrets`, `pem` or `json`, or take the output out of the manifest
    "#);
}

#[test]
fn an_environment_that_is_not_in_aws() {
    let project = project(EXTERNAL);
    insta::assert_snapshot!(told("not-in-aws", &project, &["check", "--at", "remote"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: environment `dev` has no place in AWS
    vault-kit: hint: give it one: `[environments.dev]` with `aws = { account = …, region = … }`
    "#);
}

#[test]
fn a_plan_of_another_environment_and_a_file_that_is_no_plan() {
    let project = project(EXTERNAL);
    let plan = r#"{"schema_version": 1, "project": "shop", "environment": "prod", "store_id": null,
        "account": "123456789012", "settings": {"region": null, "prefix": "/shop/prod/",
        "kms_key": null, "replicas": [], "tags": {}, "role_arn": null, "profile": null, "endpoint": null},
        "direction": "push", "prevails": false, "names": [], "items": []}"#;
    project.write("plan.json", plan);
    insta::assert_snapshot!(told("plan-stale", &project, &["sync", "apply", "plan.json"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: the plan is for environment `prod` of project `shop`, and this is `dev` of `shop`
    vault-kit: hint: name the environment: `vault-kit -e prod sync apply FILE`
    "#);
    project.write("plan.json", "{}");
    insta::assert_snapshot!(told("plan-invalid", &project, &["sync", "apply", "plan.json"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `plan.json` is no plan of `sync`
    vault-kit: hint: make one with `vault-kit sync push --plan-out FILE`; `vault-kit schema sync-plan` describes it
    "#);
}

#[test]
fn a_value_that_is_no_variable() {
    let project = initialised(EXTERNAL);
    project.write("value", b"Zk3vYq8m\0T1xWc5RbLp");
    project.run(["set", "API_KEY", "--from-file", "value"]).assert_code(0);
    insta::assert_snapshot!(told("not-a-variable", &project, &["run", "--", "true"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `API_KEY` cannot be an environment variable: its value holds a NUL byte
    vault-kit: hint: deliver it as a file: a `docker-secrets` or `pem` output
    "#);
}

#[test]
fn a_command_that_is_not_there() {
    let project = initialised(RANDOM);
    insta::assert_snapshot!(told("command-not-found", &project, &["run", "--", "no-such-command"]), @r#"
    exit 127
    --- stderr
    vault-kit: error: cannot find the command `no-such-command`
    vault-kit: hint: the command stands after `--`: `vault-kit run -- CMD ARGUMENTS`
    "#);
}

#[test]
fn a_command_that_cannot_be_executed() {
    let project = initialised(RANDOM);
    project.write("notes.txt", "not a program\n");
    insta::assert_snapshot!(told("not-executable", &project, &["run", "--", "./notes.txt"]), @r#"
    exit 126
    --- stderr
    vault-kit: error: cannot execute `./notes.txt`: permission denied
    vault-kit: hint: is it a program, and marked as one? `chmod +x` marks it
    "#);
}

#[test]
fn an_absolute_path() {
    let project = initialised(RANDOM);
    project.write("vault-kit.toml", manifest(&RANDOM.replace("\".env\"", "\"/nowhere/env\"")));
    insta::assert_snapshot!(told("untrusted-path", &project, &["render"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to write `/nowhere/env`: an absolute path needs your trust in this manifest
    vault-kit: hint: read the manifest, then run `vault-kit trust`
    "#);
}

#[test]
fn a_path_through_a_link() {
    let project = initialised(RANDOM);
    fs::remove_file(project.path(".env")).unwrap();
    symlink("elsewhere", project.path(".env")).unwrap();
    insta::assert_snapshot!(told("symlink", &project, &["render"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to touch `[project]/.env`: it is, or leads through, a symlink
    vault-kit: hint: put a regular file or directory in the link's place, or name the path that it points to
    "#);
}

#[test]
fn a_file_with_two_names() {
    let project = initialised(RANDOM);
    fs::hard_link(project.path(".env"), project.path("other")).unwrap();
    insta::assert_snapshot!(told("hard-linked", &project, &["render"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to touch `[project]/.env`: the same file has another name (hard link)
    vault-kit: hint: find it with `find / -xdev -inum [inode]`, and remove one of the two
    "#);
}

#[test]
fn a_directory_in_the_place_of_a_file() {
    let project = initialised(RANDOM);
    fs::remove_file(project.path(".env")).unwrap();
    fs::create_dir(project.path(".env")).unwrap();
    insta::assert_snapshot!(told("not-regular", &project, &["render"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to touch `[project]/.env`: it is a directory
    vault-kit: hint: move it aside, or give the output another `path`
    "#);
}

#[test]
fn a_file_of_gigabytes_in_the_place_of_a_manifest() {
    let project = initialised(RANDOM);
    fs::File::options().write(true).open(project.path("vault-kit.toml")).unwrap().set_len(2 << 30).unwrap();
    insta::assert_snapshot!(told("too-large", &project, &["check"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to read `[project]/vault-kit.toml`: it is larger than 16 MiB
    vault-kit: hint: move it aside, for nothing that belongs there is as large
    "#);
}

#[test]
fn a_directory_in_which_everybody_writes() {
    let project = initialised(RANDOM);
    set_mode(project.root(), 0o777);
    insta::assert_snapshot!(told("directory-writable-by-others", &project, &["render"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to touch `[project]`: everybody may write there
    vault-kit: hint: chmod o-w [project]
    "#);
}

#[test]
fn an_owner_that_cannot_be_set() {
    if !is_root() || program("setpriv").is_none() {
        return skip("an_owner_that_cannot_be_set", "needs root and setpriv to become another user");
    }
    let project = project(&format!("{RANDOM}uid = 0\n"));
    for path in [project.root(), project.home()] {
        chown(path, Some(4321), Some(4321)).unwrap();
    }
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    Run::of(&mut project.command_under(as_another, ["init"])).assert_code(6);
    insta::assert_snapshot!(told_by("cannot-set-owner", &project, || project.command_under(as_another, ["init"])), @r#"
    exit 6
    --- stderr
    vault-kit: error: cannot set the owner of `[project]/.env`: Operation not permitted (os error 1)
    vault-kit: hint: run `sudo VAULT_KIT_IDENTITY_FILE=[home]/.config/vault-kit/identity.txt vault-kit render`
    vault-kit: hint: or let the container run as you: `user: "4321:4321"` in the Compose file, without `uid`
    "#);
}

#[test]
fn a_file_of_another_user() {
    if !is_root() || program("setpriv").is_none() {
        return skip("a_file_of_another_user", "needs root and setpriv to become another user");
    }
    let project = project(RANDOM);
    for path in [project.root(), project.home()] {
        chown(path, Some(4321), Some(4321)).unwrap();
    }
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    Run::of(&mut project.command_under(as_another, ["init"])).assert_code(0);
    chown(project.path(".env"), Some(4322), None).unwrap();
    set_mode(&project.path(".env"), 0o644);
    insta::assert_snapshot!(told_by("foreign-owner", &project, || project.command_under(as_another, ["render"])), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to replace `[project]/.env`: it belongs to another user (uid 4322)
    vault-kit: hint: move it aside, or declare `uid = 4322` for its output and run `sudo VAULT_KIT_IDENTITY_FILE=[home]/.config/vault-kit/identity.txt vault-kit render`
    "#);
}

#[test]
fn an_identity_that_may_not_be_read() {
    if !is_root() || program("setpriv").is_none() {
        return skip("an_identity_that_may_not_be_read", "needs root and setpriv to become another user");
    }
    let project = initialised(RANDOM);
    set_mode(project.root(), 0o755);
    set_mode(project.home(), 0o755);
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    insta::assert_snapshot!(told_by("permission-denied", &project, || project.command_under(as_another, ["get", "API_KEY"])), @r#"
    exit 6
    --- stderr
    vault-kit: error: cannot read the identity `[home]/.config/vault-kit/identity.txt`: Permission denied (os error 13)
    vault-kit: hint: is it yours? name another with VAULT_KIT_IDENTITY_FILE
    "#);
}

#[test]
fn a_file_that_is_not_there() {
    let project = initialised(EXTERNAL);
    insta::assert_snapshot!(told("usage", &project, &["import", "no-such.env"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: there is no file `no-such.env`
    vault-kit: hint: nothing was changed
    "#);
}

#[test]
fn a_file_that_the_system_cannot_read() {
    let project = initialised(EXTERNAL);
    // The system refuses to read at its first address.
    insta::assert_snapshot!(told("system-failed", &project, &["import", "/proc/self/mem"]), @r#"
    exit 9
    --- stderr
    vault-kit: error: cannot read `/proc/self/mem`: Input/output error (os error 5)
    "#);
}

#[test]
fn no_home_to_remember_a_decision_in() {
    let project = project(&RANDOM.replace("\".env\"", "\"/nowhere/env\""));
    let command = || {
        let mut command = project.command(["trust", "--yes"]);
        command.env_remove("HOME");
        command
    };
    insta::assert_snapshot!(told_by("no-home", &project, command), @r#"
    exit 9
    --- stderr
    vault-kit: warning: there is no home directory: no second copy of the store is kept
    the manifest asks for outputs.env.path = /nowhere/env
    vault-kit: error: there is no home directory to keep the decision in
    vault-kit: hint: set HOME or XDG_STATE_HOME
    "#);
}

#[test]
fn a_signing_key_that_is_too_short() {
    let token = "[secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"API_KEY\"\n";
    let project = initialised(&format!("{EXTERNAL}{token}"));
    project.write("value", "Zk3vYq8mT1xWc5Rb");
    insta::assert_snapshot!(told("signing-key-too-short", &project, &["set", "API_KEY", "--from-file", "value"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: `API_KEY` is shorter than the 32 bytes that HS256 needs (RFC 7518 §3.2)
    vault-kit: hint: supply one of at least 32 bytes with `vault-kit set API_KEY`
    "#);
}

#[test]
fn a_value_that_a_filter_cannot_take() {
    let template = "[secrets.HASH]\nkind = \"template\"\ntemplate = \"${API_KEY | bcrypt}\"\n";
    let project = initialised(&format!("{EXTERNAL}{template}"));
    project.write("value", "Zk3vYq8mT1xWc5Rb".repeat(5));
    insta::assert_snapshot!(told("filter-unfit", &project, &["set", "API_KEY", "--from-file", "value"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: `HASH` cannot apply `bcrypt` to `API_KEY`, which is too long for bcrypt, which reads 72 bytes
    vault-kit: hint: make `API_KEY` fit, or take the filter out of the template of `HASH`
    "#);
}

#[test]
fn an_issuer_that_has_expired() {
    let project = initialised(AUTHORITY);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    let cert = params.self_signed(&key).unwrap();
    replace_authority(&project, &cert.pem(), &key.serialize_pem());
    insta::assert_snapshot!(told("issuer-expired", &project, &["generate", "--replace", "TLS", "--yes"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: `CA` has expired, so it cannot sign `TLS`
    vault-kit: hint: run `vault-kit cert renew CA`
    "#);
}

#[test]
fn an_issuer_that_cannot_be_read() {
    let project = initialised(AUTHORITY);
    replace_authority(&project, "hunter2", "hunter2");
    insta::assert_snapshot!(told("issuer-unreadable", &project, &["generate", "--replace", "TLS", "--yes"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: certificate and key of `CA` cannot be read, or do not belong together
    vault-kit: hint: run `vault-kit generate --replace CA`
    "#);
}

#[test]
fn a_name_that_the_ca_does_not_permit() {
    let permitted = AUTHORITY.replace("\"ca\"", "\"ca\"\npermitted_dns = [\"localhost\"]");
    let project = initialised(&permitted);
    project.write("vault-kit.toml", manifest(&permitted.replace("\"localhost\"", "\"example.com\"")));
    insta::assert_snapshot!(told("not-permitted-by-ca", &project, &["generate"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `dns[0]` of `TLS` is outside what its issuer `CA` permits
    vault-kit: hint: the CA was made before it was permitted: `vault-kit generate --replace CA`
    vault-kit: hint: or take it out of `TLS`
    "#);
}

#[test]
fn a_signing_key_that_cannot_be_read() {
    let pair = "[secrets.PAIR]\nkind = \"keypair\"\n[secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"PAIR\"\n";
    let project = initialised(pair);
    project.edit_store(|store| {
        let pair = store.secrets.get_mut(&SecretName::new("PAIR").unwrap()).unwrap();
        let mut parts = Parts::default();
        parts.insert(Part::Key, Secret::copy_of(b"hunter2"));
        pair.last_mut().unwrap().parts = parts;
    });
    insta::assert_snapshot!(told("signing-key-unreadable", &project, &["generate", "--replace", "TOKEN", "--yes"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: `PAIR` is not a PKCS#8 private key that `TOKEN` can be signed with
    vault-kit: hint: convert it with `openssl pkcs8 -topk8 -nocrypt -in key.pem`
    "#);
}

#[test]
fn a_preset_beside_another_project() {
    let project = initialised(RANDOM);
    insta::assert_snapshot!(told("another-project", &project, &["init", "--preset", "sutra"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: the manifest that is here is not that of preset `sutra`
    vault-kit: hint: begin in a directory of its own: `vault-kit -C sutra init --preset sutra`
    "#);
}

#[test]
fn a_second_manifest_beside_that_of_the_store() {
    let project = initialised(RANDOM);
    project.write("other.toml", "[project]\nname = \"other\"\n[secrets.KEY]\nkind = \"random\"\n");
    insta::assert_snapshot!(told("another-project", &project, &["-f", "other.toml", "init"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: the store that is here is that of project `shop`, which `vault-kit.toml` declares, and not of `other`
    vault-kit: hint: nothing was changed; move this manifest to a directory of its own, where `init` makes a store for it
    vault-kit: hint: or, if `other` is the new name of that project: `rm vault-kit.toml`
    "#);
}

#[test]
fn a_variable_that_decides_which_code_a_command_loads() {
    let project = initialised("[secrets.LD_PRELOAD]\nkind = \"setting\"\nvalue = \"/tmp/evil.so\"\n");
    insta::assert_snapshot!(told("untrusted-variable", &project, &["run", "--", "true"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: refusing to set `LD_PRELOAD`: it decides which code a command loads
    vault-kit: hint: read the manifest, then run `vault-kit trust`
    "#);
}

const SIGNED: &str = "[secrets.KEY]\nkind = \"keypair\"\n[secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"KEY\"\n";

#[test]
fn a_token_that_is_refused() {
    let project = initialised(SIGNED);
    insta::assert_snapshot!(told("token-refused", &project, &["token", "verify"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: the token is refused: malformed: it is not a signed token in compact form
    vault-kit: hint: pass the whole token on stdin, without `Bearer` and without line breaks
    "#);
}

#[test]
fn a_text_that_is_no_token_to_look_into() {
    let project = Project::empty();
    insta::assert_snapshot!(told("not-a-token", &project, &["token", "inspect"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: what is on stdin cannot be read: it is not a signed token in compact form
    vault-kit: hint: pass the whole token, without `Bearer` and without line breaks
    "#);
}

#[test]
fn a_key_set_with_a_private_key_in_it() {
    let project = Project::empty();
    project.write("keys.json", r#"{"keys": [{"kty": "oct", "kid": "a", "k": "hunter2hunter2"}]}"#);
    let arguments = ["token", "verify", "--jwks", "keys.json", "--issuer", "i", "--audience", "a"];
    insta::assert_snapshot!(told("jwks-invalid", &project, &arguments), @r#"
    exit 3
    --- stderr
    vault-kit: error: `keys.json` is not fit to verify with: key 1 is private or shared
    vault-kit: hint: `vault-kit token jwks` prints the public keys of a project in this form
    "#);
}

#[test]
fn a_list_of_revoked_tokens_that_is_damaged() {
    let project = Project::empty();
    project.write("revoked.json", r#"{"vault_kit_revocations": 1, "tokens": [], "tokens": [], "subjects": []}"#);
    insta::assert_snapshot!(told("revocations-invalid", &project, &["token", "verify", "--revoked", "revoked.json"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `revoked.json` is not one JSON object without repeated names
    vault-kit: hint: deliver it anew; `vault-kit schema revocations` describes it
    "#);
}

#[test]
fn a_certificate_or_revocation_list_that_cannot_be_read() {
    let project = Project::empty();
    project.write("cert.pem", "-----BEGIN CERTIFICATE-----\nhunter2\n");
    insta::assert_snapshot!(told("certificate-unreadable", &project, &["cert", "inspect", "cert.pem"]), @"
    exit 1
    --- stderr
    vault-kit: error: `cert.pem` has a block in line 1 that does not end
    vault-kit: hint: look at it with `openssl x509 -noout -text -in cert.pem`
    ");
    project.write("good.pem", include_str!("fixtures/certificate.pem"));
    let verify = ["cert", "verify", "good.pem", "--ca", "good.pem", "--crl", "good.pem"];
    insta::assert_snapshot!(told("crl-unreadable", &project, &verify), @"
    exit 1
    --- stderr
    vault-kit: error: `good.pem` holds no revocation list
    vault-kit: hint: look at it with `openssl crl -noout -text -in good.pem`
    ");
}

#[test]
fn a_ledger_that_is_older_than_its_store_tells_of_no_certificate() {
    let project = initialised(AUTHORITY);
    let old = project.bytes(".vault-kit/dev.ledger.jsonl");
    project.run(["generate", "--replace", "TLS", "--yes"]).assert_code(0);
    project.write(".vault-kit/dev.ledger.jsonl", old);
    std::fs::remove_file(project.identity()).unwrap();
    insta::assert_snapshot!(told("ledger-stale", &project, &["cert", "needs-renewal", "TLS"]), @"
    exit 4
    --- stderr
    vault-kit: error: `.vault-kit/dev.ledger.jsonl` belongs to another state of the store
    vault-kit: hint: make it anew with `vault-kit render`
    ");
}

#[test]
fn a_serial_of_a_ca_that_is_gone() {
    let project = initialised(AUTHORITY);
    project.edit_store(|store| {
        let (gone, now) = (vault_kit::secret::random::version_id().unwrap(), store.updated);
        let issued = Issued { issuer: gone, serial: "0abc".into(), subject: "shop.test".into(), expires: now };
        store.certificates.issued.push(issued);
        let version = store.secrets.get_mut(&SecretName::new("CA").unwrap()).unwrap().last_mut().unwrap();
        version.facts.insert("serial".into(), "4a".into());
    });
    let words = ["cert", "revoke", "--serial", "0abc", "--issuer", "CA", "--yes"];
    insta::assert_snapshot!(told("issuer-not-held", &project, &words), @r#"
    exit 1
    --- stderr
    vault-kit: error: another `CA` signed serial 0abc, one that the store does not hold any more
    vault-kit: hint: nothing was changed; of `CA` the store holds, by their own serials: 4a
    vault-kit: hint: whoever trusts that one has to stop trusting it
    "#);
}

/// A project with a CA, and in it a request that OpenSSL made with a key of that kind.
fn with_request(key: &str, names: &str) -> Project {
    let project = initialised("[secrets.CA]\nkind = \"ca\"\n");
    let openssl = program("openssl").expect("openssl is installed: run tests/setup");
    let mut command = Command::new(openssl);
    command.args(["req", "-new", "-nodes", "-subj", "/CN=hunter2", "-newkey", key, "-keyout"]);
    command.arg(project.path("their.key")).arg("-out").arg(project.path("their.csr"));
    if key == "ec" {
        command.args(["-pkeyopt", "ec_paramgen_curve:P-256"]);
    }
    if !names.is_empty() {
        command.args(["-addext", &format!("subjectAltName={names}")]);
    }
    Run::of(&mut command).assert_code(0);
    project
}

const SIGN: [&str; 6] = ["cert", "issue", "--csr", "their.csr", "--issuer", "CA"];

#[test]
fn a_request_that_is_none() {
    let project = with_request("ec", "DNS:shop.test");
    project.write("their.csr", "hunter2");
    insta::assert_snapshot!(told("csr-invalid", &project, &SIGN), @r#"
    exit 1
    --- stderr
    vault-kit: error: `their.csr`: the file is not one certificate signing request
    vault-kit: hint: make one with `openssl req -new -key key.pem -out request.csr`
    "#);
}

#[test]
fn a_request_for_a_name_that_the_ca_does_not_permit() {
    let project = with_request("ec", "DNS:shop.test");
    project.write("vault-kit.toml", manifest("[secrets.CA]\nkind = \"ca\"\npermitted_dns = [\"example.com\"]\n"));
    project.run(["generate", "--replace", "CA", "--yes"]).assert_code(0);
    insta::assert_snapshot!(told("csr-not-permitted", &project, &SIGN), @r#"
    exit 1
    --- stderr
    vault-kit: error: `their.csr`: DNS name 1 of the request is outside what `CA`, which is to sign it, permits
    vault-kit: hint: have them ask for permitted names, or give such by `--dns` and `--ip`
    vault-kit: hint: or widen `permitted_dns` of `CA` in vault-kit.toml, then `vault-kit generate --replace CA`
    "#);
}

#[test]
fn a_request_without_a_name() {
    insta::assert_snapshot!(told("csr-name", &with_request("ec", ""), &SIGN), @r#"
    exit 1
    --- stderr
    vault-kit: error: `their.csr`: the request asks for no name that a verifier looks at
    vault-kit: hint: give them by `--dns` and `--ip`; a common name alone is not one
    "#);
}

#[test]
fn a_request_with_a_key_that_is_too_short() {
    insta::assert_snapshot!(told("csr-key", &with_request("rsa:1024", "DNS:shop.test"), &SIGN), @r#"
    exit 1
    --- stderr
    vault-kit: error: `their.csr`: the request's key is of a kind that is not certified here
    vault-kit: hint: P-256, P-384, Ed25519 and RSA from 2048 bits are
    "#);
}

#[test]
fn a_request_that_another_key_signed() {
    let project = with_request("ec", "DNS:shop.test");
    let pem = project.read("their.csr");
    // The last bytes are the signature's.
    let (body, _) = pem.split_once("\n-----END").unwrap();
    let (at, _) = body.match_indices(|it: char| it.is_ascii_alphanumeric()).rev().nth(8).unwrap();
    let mut pem = pem.into_bytes();
    pem[at] = if pem[at] == b'A' { b'B' } else { b'A' };
    project.write("their.csr", pem);
    insta::assert_snapshot!(told("csr-not-proven", &project, &SIGN), @r#"
    exit 1
    --- stderr
    vault-kit: error: `their.csr`: the request's signature is not by the key that it names
    vault-kit: hint: make it anew with the key at hand: `openssl req -new -key key.pem -out request.csr`
    "#);
}

#[test]
fn a_third_key_of_one_name() {
    let project = initialised("");
    let first = project.run(["--json", "apikey", "new", "acme"]).assert_code(0).stdout;
    project.run(["apikey", "new", "acme"]).assert_code(0);
    let answer: serde_json::Value = serde_json::from_str(&first).unwrap();
    let told = told("too-many-keys", &project, &["apikey", "new", "acme"]);
    let told = told.replace(answer["id"].as_str().unwrap(), "[id]");
    insta::assert_snapshot!(told, @r#"
    exit 7
    --- stderr
    vault-kit: error: `acme` has two live keys, and a third is not issued
    vault-kit: hint: take the older one back: `vault-kit apikey revoke [id]`
    vault-kit: hint: or give the other user a name of its own
    "#);
}

#[test]
fn an_api_key_that_is_refused() {
    let project = initialised("");
    insta::assert_snapshot!(told("api-key-refused", &project, &["apikey", "verify"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: the key is refused: malformed: it does not look like a key
    vault-kit: hint: pass the whole key, without quotes, spaces and line breaks
    "#);
}

#[test]
fn a_list_of_api_keys_that_is_damaged() {
    let project = Project::empty();
    project.write("keys.json", r#"{"vault_kit_api_keys": 1, "keys": [], "keys": []}"#);
    project.write("key", vault_kit::generate::api_key::draw("k_").unwrap().expose());
    let told = told_by("api-keys-invalid", &project, || {
        let mut command = project.command(["apikey", "verify", "--keys", "keys.json"]);
        command.stdin(fs::File::open(project.path("key")).unwrap());
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 3
    --- stderr
    vault-kit: error: `keys.json` is not one JSON object without repeated names
    vault-kit: hint: deliver it anew with `vault-kit render`; `vault-kit schema api-keys` describes it
    "#);
}

#[test]
fn a_value_that_leaked() {
    let project = initialised(&format!("{EXTERNAL}optional = true\n"));
    project.write("key", "sk-9fQ2mZx7Lw4TtRb8Vc1Ka6Yp3Ns5Dh0G");
    project.run(["set", "API_KEY", "--from-file", "key"]).assert_code(0);
    project.edit_store(|store| {
        store.ban(
            &SecretName::new("API_KEY").unwrap(),
            chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            None,
        );
    });
    insta::assert_snapshot!(told("banned", &project, &["set", "API_KEY", "--from-file", "key"]), @r"
    exit 7
    --- stderr
    vault-kit: error: refusing a value for `API_KEY` that leaked: banned since 2023-11-14
    vault-kit: hint: nothing was changed; a value that leaked is never taken again: supply a new one
    ");
}

#[test]
fn a_report_of_a_scan_that_is_none() {
    let project = initialised(RANDOM);
    project
        .write("scan.json", r#"{"schema_version": 1, "findings": [{"secret": "API_KEY", "path": "a.py", "line": 0}]}"#);
    insta::assert_snapshot!(told("scan-invalid", &project, &["incident", "--from-scan", "scan.json"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: `scan.json`: finding 1: `line` is counted from 1
    vault-kit: hint: nothing was changed; `vault-kit scan --json` writes one
    vault-kit: hint: an incident reads `{"schema_version": 1, "findings": [{"secret": …, "path": …, "line": …}]}`
    "#);
}

#[test]
fn a_search_in_git_where_git_has_nothing() {
    let project = initialised(RANDOM);
    insta::assert_snapshot!(told("no-repository", &project, &["scan", "--staged"]), @r"
    exit 2
    --- stderr
    vault-kit: error: git has no repository at `[project]` that it trusts
    vault-kit: hint: run it in a clone, or begin with `git init`; in a clone of somebody else's: `git config --global --add safe.directory DIRECTORY`
    ");
    assert!(Command::new("git").args(["init", "-q"]).arg(project.root()).status().unwrap().success());
    insta::assert_snapshot!(told("range-unknown", &project, &["scan", "--range", "nowhere..HEAD"]), @r"
    exit 2
    --- stderr
    vault-kit: error: git does not know this range of commits
    vault-kit: hint: name two commits that are here, such as `origin/main..HEAD`; a shallow clone lacks older ones (`git fetch --unshallow` brings them), and none has what a forced push left behind: `HEAD` alone is all its history
    ");
    project.write(".git/index", "damaged");
    insta::assert_snapshot!(told("git-failed", &project, &["scan", "--staged"]), @r"
    exit 9
    --- stderr
    vault-kit: error: git fails to tell what is in the repository
    vault-kit: hint: `git fsck` tells more
    ");
}

#[test]
fn a_list_of_fingerprints_that_is_none() {
    let output = "[outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n";
    let project = project(&format!("{RANDOM}{output}"));
    project.write("prints.json", "{}");
    insta::assert_snapshot!(told("fingerprints-invalid", &project, &["scan"]), @r"
    exit 3
    --- stderr
    vault-kit: error: `prints.json:1` is no list of fingerprints
    vault-kit: hint: deliver it anew with `vault-kit render`; `vault-kit schema fingerprints` describes it
    ");
    project
        .write("prints.json", r#"{"vault_kit_fingerprints": 1, "project": "p", "environment": "dev", "values": []}"#);
    insta::assert_snapshot!(told("fingerprints-incomplete", &project, &["scan"]), @r"
    exit 3
    --- stderr
    vault-kit: error: `prints.json` has no fingerprint of `API_KEY`
    vault-kit: hint: where its store is: `vault-kit -e dev render`, then commit `prints.json`; `--rules-only` does without
    ");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        assert!(git.current_dir(project.root()).env("HOME", project.home()).output().unwrap().status.success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "x"]);
    std::fs::remove_file(project.path("prints.json")).unwrap();
    insta::assert_snapshot!(told("fingerprints-missing", &project, &["scan"]), @r"
    exit 3
    --- stderr
    vault-kit: error: `prints.json`, the fingerprints of dev, is not there
    vault-kit: hint: where its store is: `vault-kit -e dev render`, then commit `prints.json`; `--rules-only` does without
    ");
    project.write("vault-kit.toml", project.read("vault-kit.toml").replace(output, ""));
    insta::assert_snapshot!(told("values-unknown", &project, &["scan"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: none of the declared values is known here, so that no leak could be found (dev: there is no identity to open its store with)
    vault-kit: hint: an output of `format = "fingerprints"`, committed, is what clones and other work trees know the values by
    vault-kit: hint: where there are no values yet, `vault-kit init`; `--rules-only` looks for other people's credentials alone
    "#);
}

#[test]
fn a_second_store_in_a_linked_work_tree() {
    let test = "a_second_store_in_a_linked_work_tree";
    if program("git").is_none() {
        return skip(test, "no git");
    }
    let project = initialised(RANDOM);
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        assert!(git.current_dir(project.root()).env("HOME", project.home()).output().unwrap().status.success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "vault-kit.toml"]);
    git(&["commit", "--quiet", "-m", "x"]);
    git(&["worktree", "add", "--quiet", "linked"]);
    insta::assert_snapshot!(told("second-store", &project, &["-C", "linked", "init"]), @r"
    exit 7
    --- stderr
    vault-kit: error: this is a linked work tree: the store is that of another one, and a second would have other values
    vault-kit: hint: use that one: `vault-kit -C [project] run -- COMMAND`, `vault-kit -C [project] render`
    vault-kit: hint: values of its own belong to an environment of their own, in vault-kit.toml: `vault-kit -C linked -e NAME init`
    ");
    insta::assert_snapshot!(told("store-missing", &project, &["-C", "linked", "get", "API_KEY"]), @r"
    exit 4
    --- stderr
    vault-kit: error: there is no `.vault-kit/dev.age`
    vault-kit: hint: the store is that of another work tree: `vault-kit -C [project] …`
    ");
    project.run(["-C", "linked", "init", "-n"]).assert_code(7);
    project.write("values.env", "API_KEY=x\n");
    project.run(["-C", "linked", "import", "../values.env"]).assert_code(7);
    // Where there is no manifest yet, none is written either.
    git(&["-C", "linked", "rm", "--quiet", "vault-kit.toml"]);
    project.run(["-C", "linked", "init"]).assert_code(7);
    assert!(!project.path("linked/vault-kit.toml").exists() && !project.path("linked/.vault-kit").exists());
    git(&["-C", "linked", "reset", "--quiet", "--hard"]);
    // An environment that the main one has no store of may begin here.
    project.write("linked/vault-kit.toml", format!("{}\n[environments.other]\n", project.read("vault-kit.toml")));
    project.run(["-C", "linked", "-e", "other", "init"]).assert_code(0);
}

#[test]
fn git_hooks_beside_others() {
    let project = initialised(RANDOM);
    assert!(Command::new("git").args(["init", "-q"]).arg(project.root()).status().unwrap().success());
    project.write(".git/hooks/pre-commit", "#!/bin/sh\n");
    project.write(".git/hooks/pre-commit.before-vault-kit", "#!/bin/sh\n# of before\n");
    insta::assert_snapshot!(told("hooks-in-the-way", &project, &["hooks", "install"]), @r"
    exit 7
    --- stderr
    vault-kit: error: `[project]/.git/hooks/pre-commit` is not ours, and neither is `[project]/.git/hooks/pre-commit.before-vault-kit`
    vault-kit: hint: look into both, and leave one of them: `[project]/.git/hooks/pre-commit`
    ");
}

#[test]
fn git_hooks_where_git_calls_none() {
    let project = initialised(RANDOM);
    let git = |arguments: &[&str]| {
        assert!(Command::new("git").args(arguments).current_dir(project.root()).status().unwrap().success());
    };
    git(&["init", "-q"]);
    git(&["config", "core.hooksPath", ""]);
    insta::assert_snapshot!(told("hooks-disabled", &project, &["hooks", "status"]), @r"
    exit 7
    --- stderr
    vault-kit: error: git calls no hook here: `core.hooksPath` is no directory
    vault-kit: hint: where that is set: `git config --show-origin core.hooksPath`
    vault-kit: hint: take it out there, as with `git config --unset core.hooksPath`, and git calls those of this repository
    ");
    git(&["config", "core.hooksPath", "/dev/null"]);
    let run = project.run(["hooks", "install", "--yes"]).assert_code(7);
    assert!(run.stderr.contains("git calls no hook here"), "{run:?}");
    git(&["config", "--unset", "core.hooksPath"]);
    project.run(["hooks", "install"]).assert_code(0);
}

#[test]
fn a_line_that_lets_a_leak_pass_without_a_reason() {
    let project = initialised(RANDOM);
    project.write(".vault-kit-ignore", "# fine\njwt 0123456789abcdef a.txt\n");
    insta::assert_snapshot!(told("ignore-invalid", &project, &["scan", ".gitignore"]), @r"
    exit 3
    --- stderr
    vault-kit: error: `.vault-kit-ignore:2` has no reason behind ` # `
    vault-kit: hint: a line is `RULE FINGERPRINT [until=YYYY-MM-DD] PATH # REASON`, as `scan` prints it
    ");
}

#[test]
fn a_search_in_git_without_git() {
    let project = initialised(RANDOM);
    let without_git = || {
        let mut command = project.command(["scan", "--history"]);
        command.env("PATH", project.root());
        command
    };
    insta::assert_snapshot!(told_by("git-not-started", &project, without_git), @r"
    exit 9
    --- stderr
    vault-kit: error: git cannot be started: No such file or directory (os error 2)
    vault-kit: hint: install git, or name paths: `vault-kit scan PATH`
    ");
}

/// A key that signs, for less than three hours and, however early it is replaced, more than two; and what `token mint` needs at least.
const SIGNER: &str = "[secrets.KEY]\nkind = \"keypair\"\nrotate = \"10500s\"\n";
const MINT: [&str; 6] = ["token", "mint", "--role", "reader", "--subject", "user:42"];

#[test]
fn a_token_that_would_outlive_its_key() {
    let project = initialised(SIGNER);
    let arguments = [&MINT[..], &["--ttl", "3h"]].concat();
    insta::assert_snapshot!(told("key-ends-sooner", &project, &arguments), @r#"
    exit 1
    --- stderr
    vault-kit: error: `KEY` is to be replaced by [time], before the token would end
    vault-kit: hint: ask for less: `--ttl 2h`
    vault-kit: hint: replace the key first with `vault-kit generate --replace KEY`
    "#);
}

#[test]
fn a_token_that_would_be_born_revoked() {
    let project = initialised(SIGNER);
    project.edit_store(|store| {
        store.issued.revoked_subjects.insert("user:42".to_owned(), store.updated + TimeDelta::minutes(4));
    });
    let arguments = [&MINT[..], &["--ttl", "1m"]].concat();
    insta::assert_snapshot!(told("subject-revoked", &project, &arguments), @r#"
    exit 7
    --- stderr
    vault-kit: error: all tokens of this subject that are issued at this moment are revoked
    vault-kit: hint: somebody else is at it with `vault-kit token revoke`: try again in a second
    "#);
}

#[test]
fn a_directory_that_may_not_be_written_in() {
    if !is_root() || program("setpriv").is_none() {
        return skip("a_directory_that_may_not_be_written_in", "needs root and setpriv to become another user");
    }
    let project = project(&RANDOM.replace("\".env\"", "\"auth/.env\""));
    for path in [project.root(), project.home()] {
        chown(path, Some(4321), Some(4321)).unwrap();
    }
    project.write("auth/theirs", "");
    let as_another = ["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"];
    Run::of(&mut project.command_under(as_another, ["init"])).assert_code(6);
    let told = || told_by("permission-denied", &project, || project.command_under(as_another, ["init"]));
    insta::assert_snapshot!(told(), @r"
    exit 6
    --- stderr
    vault-kit: error: cannot write in the directory `[project]/auth`: Permission denied (os error 13)
    vault-kit: hint: `sudo chown 4321 [project]/auth` makes it yours
    vault-kit: hint: or run `sudo VAULT_KIT_IDENTITY_FILE=[home]/.config/vault-kit/identity.txt vault-kit render` where the files are to be root's
    ");
    chown(project.path("auth"), Some(4321), None).unwrap();
    set_mode(&project.path("auth"), 0o500);
    insta::assert_snapshot!(told(), @r"
    exit 6
    --- stderr
    vault-kit: error: cannot write in the directory `[project]/auth`: Permission denied (os error 13)
    vault-kit: hint: `chmod u+rwx [project]/auth`
    ");
    set_mode(&project.path("auth"), 0o300);
    insta::assert_snapshot!(told(), @r"
    exit 6
    --- stderr
    vault-kit: error: cannot open the directory `[project]/auth`: Permission denied (os error 13)
    vault-kit: hint: `chmod u+rwx [project]/auth`
    ");
}

#[test]
fn a_policy_for_an_environment_that_is_not_in_aws() {
    let project = project("[environments.dev]\n[secrets.A]\nkind = \"uuid\"\n");
    insta::assert_snapshot!(told("policy-impossible", &project, &["iam", "policy", "--role", "reader"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: environment `dev` is not in AWS
    vault-kit: hint: declare `aws = { account = "…", region = "…" }` in `[environments.dev]`, or name another with `-e`
    "#);
}

#[test]
fn a_policy_without_an_account() {
    let project =
        project("[environments.dev]\naws = { region = \"us-east-1\" }\n[secrets.A]\nkind = \"uuid\"\naws = \"a\"\n");
    insta::assert_snapshot!(told("policy-impossible", &project, &["iam", "policy", "--role", "ci-check"]), @r#"
    exit 3
    --- stderr
    vault-kit: warning: `vault-kit.toml:4`: `environments.dev.aws.account` is absent, so the account is not checked; add the twelve digits that `aws sts get-caller-identity` tells
    vault-kit: error: `environments.dev.aws.account` is absent, and ARNs need it
    vault-kit: hint: add `account = "123456789012"`
    "#);
}

/// A rotation of `A` that has come to `step`.
fn rotating(step: RotationStep) -> Project {
    let project = initialised("[secrets.A]\nkind = \"random\"\n");
    project.edit_store(|store| {
        let name = SecretName::new("A").unwrap();
        let (base, started, trouble) = (store.current(&name).unwrap().id, store.updated, Trouble::default());
        let operation = Operation {
            base,
            candidate: None,
            recipe: None,
            step,
            started,
            trouble,
            retire_at: None,
            remote: None,
            turn: None,
        };
        store.rotations.running.insert(name, operation);
    });
    project
}

#[test]
fn a_change_of_what_is_being_rotated() {
    let project = rotating(RotationStep::Set);
    insta::assert_snapshot!(told("rotation-in-flight", &project, &["generate", "--replace", "A", "--yes"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `A` is being rotated
    vault-kit: hint: nothing was changed; go on with it by `vault-kit rotate resume`
    vault-kit: hint: or give it up with `vault-kit rotate abort A`
    "#);
}

#[test]
fn giving_up_a_rotation_that_is_promoted_or_was_never_begun() {
    let project = rotating(RotationStep::Promoted);
    insta::assert_snapshot!(told("already-promoted", &project, &["rotate", "abort", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: the new value of `A` is in force: there is nothing to give up
    vault-kit: hint: to go back to the value before it, `vault-kit rotate rollback A`
    "#);
    let project = initialised("[secrets.A]\nkind = \"random\"\n");
    insta::assert_snapshot!(told("not-in-flight", &project, &["rotate", "abort", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` is not being rotated
    vault-kit: hint: `vault-kit rotate status` lists what is
    "#);
}

#[test]
fn a_rotation_of_an_encryption_key_that_nothing_encrypts_anew() {
    let project = initialised("[secrets.A]\nkind = \"encryption-key\"\n");
    insta::assert_snapshot!(told("encryption-key", &project, &["rotate", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` is not rotated: what it encrypted could not be read with a new value
    vault-kit: hint: declare a hook for it whose `set` encrypts the data anew
    vault-kit: hint: or, once nothing needs the old value, `vault-kit generate --replace A --yes`
    vault-kit: hint: nothing was changed
    "#);
}

#[test]
fn a_rotation_of_a_ca_that_other_hosts_trust_too() {
    let aws = "[environments.dev]\naws = { account = \"111122223333\", region = \"us-east-1\" }\n";
    let project = initialised(&format!("[secrets.A]\nkind = \"ca\"\naws = \"a\"\n{aws}"));
    insta::assert_snapshot!(told("rotation-published", &project, &["rotate", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` is not rotated: other hosts have it by way of AWS, and would trust others
    vault-kit: hint: give it an `overlap`, such as `overlap = "30d"`: then every host has the next `A` in its bundles before that signs
    vault-kit: hint: nothing was changed
    "#);
    project.edit_store(|store| drop(store.ban(&SecretName::new("A").unwrap(), store.updated, None)));
    insta::assert_snapshot!(told("rotation-published", &project, &["rotate", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` leaked: it is not rotated, since verifiers would go on with it until they know another
    vault-kit: hint: cut it off: `vault-kit generate --replace A --revoke`, then `vault-kit sync push A`
    vault-kit: hint: on the other hosts: `vault-kit sync pull --revoke A`
    vault-kit: hint: nothing was changed
    "#);
}

#[test]
fn a_rotation_of_a_key_that_hosts_publish_and_that_leaked() {
    let aws = "[environments.dev]\naws = { account = \"111122223333\", region = \"us-east-1\" }\n";
    let output = "[outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nsecrets = [\"A\"]\nmax_age = \"1h\"\n";
    let project = initialised(&format!("[secrets.A]\nkind = \"keypair\"\naws = \"a\"\n{aws}{output}"));
    project.edit_store(|store| {
        let base = Base { arn: "arn".into(), version: "v".into(), fields: Few::default(), attempt: None };
        store.synced.bases.insert("/shop/dev/a".into(), base);
        store.ban(&SecretName::new("A").unwrap(), store.updated, None);
    });
    insta::assert_snapshot!(told("rotation-published", &project, &["rotate", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` leaked: it is not rotated, since verifiers would go on with it until they know another
    vault-kit: hint: cut it off: `vault-kit generate --replace A --revoke`, then `vault-kit sync push A`
    vault-kit: hint: on the other hosts: `vault-kit sync pull --revoke A`
    vault-kit: hint: nothing was changed
    "#);
}

#[test]
fn a_rotation_of_what_somebody_else_supplies_or_of_nothing() {
    let project = initialised("[secrets.A]\nkind = \"external\"\noptional = true\nowner = \"payments\"\n");
    insta::assert_snapshot!(told("usage", &project, &["rotate", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` is not made by vault-kit: payments supplies it
    vault-kit: hint: once there is a new one, `vault-kit set A`
    vault-kit: hint: nothing was changed
    "#);
    insta::assert_snapshot!(told("usage", &project, &["rotate"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: which secrets are to be rotated?
    vault-kit: hint: name them, or a `--group`, or take what is due with `vault-kit rotate --due`
    vault-kit: hint: `vault-kit rotate plan` lists what will be, and when
    "#);
    insta::assert_snapshot!(told("usage", &project, &["rotate", "--group", "database"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: no secret of environment `dev` is in such a group
    vault-kit: hint: a secret says `group = "NAME"` in the manifest
    "#);
}

#[test]
fn going_back_to_a_value_that_is_not_kept() {
    let project = initialised("[secrets.A]\nkind = \"random\"\n");
    insta::assert_snapshot!(told("no-earlier-value", &project, &["rotate", "rollback", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: of `A` there is no earlier value
    vault-kit: hint: nothing was changed; `keep` in the manifest says how many are kept
    "#);
}

#[test]
fn a_plan_of_rotations_without_a_ledger() {
    let project = initialised("[secrets.A]\nkind = \"random\"\n");
    std::fs::remove_file(project.path(".vault-kit/dev.ledger.jsonl")).unwrap();
    insta::assert_snapshot!(told("ledger-missing", &project, &["rotate", "plan"]), @r#"
    exit 4
    --- stderr
    vault-kit: error: there is no ledger, which knows when each value was made
    vault-kit: hint: make it anew with `vault-kit render`
    "#);
}

/// A value whose owner is told by a program that ends as `ending` says.
fn told_by_hook(ending: &str) -> Project {
    let project = Project::with_manifest(&manifest(
        "[secrets.A]\nkind = \"random\"\nhooks = [\"owner\"]\n[hooks.owner]\nprogram = \"hooks/owner\"\nsteps = [\"set\"]\ntimeout = \"1s\"\n",
    ));
    project.write("hooks/owner", format!("#!/bin/sh\n{ending}\n"));
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    // The first run stages the value, which is no part of what is told.
    project.run(["rotate", "A"]).assert_code(8);
    project
}

#[test]
fn a_hook_that_fails() {
    let project = told_by_hook("echo no such role; exit 1");
    insta::assert_snapshot!(told("hook-failed", &project, &["rotate", "A"]), @r#"
    exit 8
    --- stderr
    owner: no such role
    vault-kit: error: `set` of hook `owner` failed for `A`: nothing was promoted: the old value is in force
    vault-kit: hint: once it can, go on with the same value: `vault-kit rotate resume`
    vault-kit: hint: or give it up: `vault-kit rotate abort A`
    vault-kit: hint: a scheduled run tries again from [time] on
    "#);
}

#[test]
fn a_hook_that_wants_to_be_asked_later() {
    let project = told_by_hook("exit 75");
    insta::assert_snapshot!(told("hook-not-now", &project, &["rotate", "A"]), @r#"
    exit 8
    --- stderr
    vault-kit: error: `set` of hook `owner` asked to be tried again later for `A`: nothing was promoted: the old value is in force
    vault-kit: hint: once it can, go on with the same value: `vault-kit rotate resume`
    vault-kit: hint: or give it up: `vault-kit rotate abort A`
    vault-kit: hint: a scheduled run tries again from [time] on
    "#);
}

#[test]
fn a_rotation_of_what_is_declared_no_more() {
    let project = told_by_hook("exit 1");
    let text = project.read("vault-kit.toml");
    project.write("vault-kit.toml", text.replace("secrets.A]", "secrets.B]"));
    insta::assert_snapshot!(told("rotation-undeclared", &project, &["rotate", "resume"]), @r#"
    exit 8
    --- stderr
    vault-kit: error: `A` is not declared any more as its rotation began: the old value is in force
    vault-kit: hint: give it up: `vault-kit rotate abort A`
    vault-kit: hint: or declare it and its hooks as they were, and go on with `vault-kit rotate resume`
    vault-kit: hint: a scheduled run tries again from [time] on
    "#);
}

#[test]
fn a_hook_that_takes_too_long() {
    let project = told_by_hook("sleep 60");
    insta::assert_snapshot!(told("hook-timed-out", &project, &["rotate", "A"]), @r#"
    exit 8
    --- stderr
    vault-kit: error: `set` of hook `owner` took too long and was stopped for `A`: nothing was promoted: the old value is in force
    vault-kit: hint: once it can, go on with the same value: `vault-kit rotate resume`
    vault-kit: hint: or give it up: `vault-kit rotate abort A`
    vault-kit: hint: a scheduled run tries again from [time] on
    "#);
}

#[test]
fn a_hook_that_cannot_be_started() {
    let project = told_by_hook("exit 75");
    project.write("hooks/owner", "#!/bin/sh\nexit 0\n");
    insta::assert_snapshot!(told("hook-not-started", &project, &["rotate", "resume"]), @r#"
    exit 8
    --- stderr
    owner: refusing to run the hook `owner`: you do not trust it as it is now
    owner: read `hooks/owner`, then run `vault-kit trust`
    vault-kit: error: `set` of hook `owner` was not started for `A`: nothing was promoted: the old value is in force
    vault-kit: hint: once it can, go on with the same value: `vault-kit rotate resume`
    vault-kit: hint: or give it up: `vault-kit rotate abort A`
    vault-kit: hint: a scheduled run tries again from [time] on
    "#);
}

#[test]
fn a_host_without_a_crontab() {
    let project = initialised(RANDOM);
    let told = told_by("scheduler-missing", &project, || {
        let mut command = project.command(["schedule", "install", "--cron"]);
        command.env("PATH", "/nonexistent");
        command
    });
    insta::assert_snapshot!(told, @r"
    exit 9
    --- stderr
    vault-kit: error: there is no program `crontab`
    vault-kit: hint: `vault-kit schedule print` shows what would be scheduled; `--cron` does with a crontab, no `--cron` with systemd
    ");
}

#[test]
fn a_crontab_that_refuses() {
    let project = initialised(RANDOM);
    project.write("crontab", "#!/bin/sh\necho 'you are not allowed to use this program' >&2\nexit 1\n");
    set_mode(&project.path("crontab"), 0o755);
    let told = told_by("scheduler-failed", &project, || {
        let mut command = project.command(["schedule", "install", "--cron"]);
        command.env("PATH", format!("{}:/usr/bin:/bin", project.root().display()));
        command
    });
    insta::assert_snapshot!(told, @r"
    exit 8
    --- stderr
    vault-kit: error: `crontab -l` failed: you are not allowed to use this program
    vault-kit: hint: run it yourself to see more; `vault-kit schedule install` can be run again
    ");
}

#[test]
fn a_unit_that_somebody_else_wrote() {
    let project = initialised(RANDOM);
    project.run(["schedule", "install", "--user"]).assert_code(0);
    let units = project.identity().ancestors().nth(2).unwrap().join("systemd/user");
    for unit in fs::read_dir(&units).unwrap() {
        project.write(unit.unwrap().path().to_str().unwrap(), "[Unit]\n");
    }
    let told = told("unit-not-ours", &project, &["schedule", "remove", "--user"]);
    let name = Regex::new("vault-kit-shop-dev-[0-9a-f]{8}").unwrap().replace_all(&told, "[unit]").into_owned();
    insta::assert_snapshot!(name, @r"
    exit 7
    --- stderr
    vault-kit: error: `[home]/.config/systemd/user/[unit].service` was not written by vault-kit
    vault-kit: hint: look into it, and move it away: mv [home]/.config/systemd/user/[unit].service [home]/.config/systemd/user/[unit].service.old
    ");
}

#[test]
fn forgetting_what_an_owner_is_yet_to_refuse() {
    let project = initialised(
        "[secrets.A]\nkind = \"random\"\nhooks = [\"db\"]\n[hooks.db]\nprogram = \"hooks/db\"\nsteps = [\"retire\"]\n",
    );
    project.edit_store(|store| {
        let name = SecretName::new("A").unwrap();
        let (base, started, trouble) = (store.current(&name).unwrap().id, store.updated, Trouble::default());
        let step = RotationStep::Retiring;
        let operation = Operation {
            base,
            candidate: None,
            recipe: None,
            step,
            started,
            trouble,
            retire_at: None,
            remote: None,
            turn: None,
        };
        store.rotations.running.insert(name, operation);
    });
    insta::assert_snapshot!(told("still-accepted", &project, &["remove", "A", "--yes"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: `A` is not forgotten: its owner may still accept the value before, and nobody could have it refused
    vault-kit: hint: have it refused first: `vault-kit rotate resume A`
    vault-kit: hint: or see to it by hand, and take the secret's `hooks` out of the manifest before
    "#);
}
