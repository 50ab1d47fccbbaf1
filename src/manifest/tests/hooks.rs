//! Hooks, and the users that versions belong to.

use std::collections::BTreeMap;

use super::Refusal;
use crate::manifest::hook::{Step, USERNAME};
use crate::manifest::period::Period;
use crate::manifest::{Manifest, parse};
use crate::name::{OutputName, SecretName};

const GOOD: &str = r#"
project.name = "p"
[secrets]
ADMIN = { kind = "password" }
DATA_KEY = { kind = "encryption-key", rotate = "1y", hooks = ["reencrypt"] }
OLD_KEY = { kind = "encryption-key" }
PASSWORD = { kind = "password", usernames = ["app_a", "app_b"], hooks = ["probe", "postgres"] }
URL = { kind = "template", template = "${PASSWORD | username | urlencode}:${PASSWORD}" }
[outputs]
env = { format = "dotenv", path = ".env" }
tls = { format = "json", path = "tls.json" }
[hooks.postgres]
program = "./hooks/postgres"
steps = ["retire", "set", "test"]
options = { host = "db", user = "app" }
secrets = ["ADMIN"]
environment = ["DOCKER_HOST"]
timeout = "5m"
[hooks.probe]
program = "/usr/local/bin/probe"
steps = ["test"]
[hooks.reencrypt]
program = "hooks/reencrypt"
steps = ["set"]
[hooks.nginx]
program = "hooks/nginx"
steps = ["reload"]
outputs = ["tls"]
[hooks.all]
program = "hooks/all"
steps = ["reload", "notify"]
"#;

fn good() -> Manifest {
    parse(GOOD, "vault-kit.toml").unwrap()
}

#[test]
fn a_hook_is_called_for_its_steps_in_the_order_that_the_secret_names() {
    let manifest = good();
    assert_eq!(manifest.warnings, []);
    let password = manifest.secret("PASSWORD").unwrap();
    let names = |step| manifest.hooks_for(password, step).map(|hook| hook.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(Step::Test), ["probe", "postgres"]);
    assert_eq!(names(Step::Set), ["postgres"]);
    assert_eq!(names(Step::Reload), [""; 0]);
    let postgres = &manifest.hooks["postgres"];
    assert_eq!((postgres.program.as_str(), postgres.timeout), ("hooks/postgres", Period::minutes(5)));
    assert_eq!(postgres.steps.iter().copied().collect::<Vec<_>>(), [Step::Set, Step::Test, Step::Retire]);
    assert_eq!(manifest.hooks["probe"].timeout, Period::minutes(1));
    assert_eq!(manifest.secrets_of(postgres).map(SecretName::as_str).collect::<Vec<_>>(), ["PASSWORD"]);
}

#[test]
fn programs_are_reloaded_by_the_outputs_that_they_read() {
    let manifest = good();
    let reloads = |output: &str| {
        let output = OutputName::new(output).unwrap();
        manifest.reloads(&output).map(|hook| hook.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((reloads("tls"), reloads("env")), (vec!["all".to_owned(), "nginx".to_owned()], vec!["all".to_owned()]));
    assert_eq!(manifest.notifiers().map(|hook| hook.name.as_str()).collect::<Vec<_>>(), ["all"]);
}

#[test]
fn an_encryption_key_can_rotate_where_a_hook_encrypts_anew() {
    let manifest = good();
    let can = |name: &str| manifest.can_rotate(manifest.secret(name).unwrap());
    assert_eq!((can("DATA_KEY"), can("OLD_KEY"), can("PASSWORD")), (true, false, true));
}

#[test]
fn each_version_takes_the_user_after_that_of_the_one_before() {
    let manifest = good();
    let password = manifest.secret("PASSWORD").unwrap();
    let of = |name: &str| BTreeMap::from([(USERNAME.to_owned(), name.to_owned())]);
    assert_eq!(password.next_username(None), Some("app_a"));
    assert_eq!(password.next_username(Some(&of("app_a"))), Some("app_b"));
    assert_eq!(password.next_username(Some(&of("app_b"))), Some("app_a"));
    // One from before `usernames` was declared is the first one's; one that is not declared any more is followed by it.
    assert_eq!(password.next_username(Some(&BTreeMap::new())), Some("app_b"));
    assert_eq!(password.next_username(Some(&of("gone"))), Some("app_a"));
    assert_eq!(password.username(&of("gone")), Some("gone"));
    assert_eq!(manifest.secret("ADMIN").unwrap().next_username(None), None);
}

#[test]
fn a_hook_that_nobody_calls_is_worth_a_word() {
    let text = "project.name = \"p\"\n[hooks.x]\nprogram = \"x\"\nsteps = [\"set\"]\n";
    let warnings = parse(text, "vault-kit.toml").unwrap().warnings;
    assert_eq!((warnings.len(), warnings[0].line), (1, 2));
    assert_eq!(warnings[0].message, "no secret names the hook `x`");
}

pub(super) const HOOKS: &[Refusal] = &[
    (
        r#"[project]
name = "p"
[hooks.a]
timout = "5s"
[hooks.b]
program = "../b"
steps = []
timeout = "2d"
[hooks.c]
program = "c"
steps = ["set", "set", "sett"]
options = { "a b" = "x", ok = "a\u0000b" }
secrets = ["NONE"]
environment = ["VAULT_KIT_IDENTITY", "PATH", "a b"]
outputs = ["none"]
[hooks.d]
program = "d"
steps = ["reload"]
outputs = []
secrets = ["PORT"]
[hooks."e e"]
program = "e"
steps = ["set"]
[secrets.PORT]
kind = "setting"
value = "80"
"#,
        &[
            (3, "`hooks.a.program` is missing", "add `program = \"hooks/postgres\"`"),
            (3, "`hooks.a.steps` is missing", "add `steps = [\"set\", \"test\", \"retire\"]`"),
            (4, "`hooks.a.timout` is not a field", "did you mean `timeout`?"),
            (
                6,
                "`hooks.b.program` leads out of its directory with `..`",
                "write the path of an executable file below the manifest's directory, such as `hooks/postgres`",
            ),
            (7, "`hooks.b.steps` is empty", "the steps are `set`, `test`, `retire`, `reload`, `notify`"),
            (8, "`hooks.b.timeout` must be at most `1d`", ""),
            (11, "`hooks.c.steps` must be one of `set`, `test`, `retire`, `reload`, `notify`", "did you mean `set`?"),
            (11, "`hooks.c.steps` names `set` twice", ""),
            (
                12,
                "`hooks.c.options` has a name that is not one",
                "it holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 64 long",
            ),
            (12, "`hooks.c.options` holds a NUL character", ""),
            (13, "`hooks.c.secrets` names a secret that is not declared", ""),
            (
                14,
                "`hooks.c.environment` names a variable of vault-kit's own, which no program inherits",
                "take it out: a hook needs no identity",
            ),
            (
                14,
                "`hooks.c.environment` names `PATH`, which is fixed for hooks",
                "let the program call others by their full path",
            ),
            (
                14,
                "`hooks.c.environment` holds something that is not the name of a variable",
                "write the name alone, such as `DOCKER_HOST`",
            ),
            (
                15,
                "`hooks.c.outputs` is for the step `reload`, which `steps` does not have",
                "take it out, or add `reload` to `steps`",
            ),
            (15, "`hooks.c.outputs` names an output that is not declared", ""),
            (19, "`hooks.d.outputs` is empty", "leave it out to mean any output"),
            (
                20,
                "`hooks.d.secrets` is for `set`, `test` and `retire`: no other step gets values",
                "take it out, or add the step to `steps`",
            ),
            (20, "`hooks.d.secrets` names `PORT`, which is a setting", "put its value into `options`"),
            (
                21,
                "the hook's name is not valid",
                "a name begins with a letter or `_`, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 128 long",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "external"
hooks = ["probe", "reload", "prob", "probe"]
usernames = ["a", "b"]
[secrets.B]
kind = "random"
usernames = ["a"]
[secrets.C]
kind = "random"
usernames = ["a", "a", ""]
[secrets.D]
kind = "encryption-key"
rotate = "90d"
hooks = ["probe"]
[secrets.E]
kind = "template"
template = "${D | username} ${C | json | username}"
[hooks.probe]
program = "probe"
steps = ["test"]
[hooks.reload]
program = "reload"
steps = ["reload"]
"#,
        &[
            (
                5,
                "`secrets.A.hooks` cannot be of kind `external`, which no rotation makes anew",
                "give the hook to a secret that it is made of, if any",
            ),
            (
                5,
                "`secrets.A.hooks` names `reload`, which has no step of a secret's own",
                "take it out: `reload` is called after outputs changed, and `notify` after any failure",
            ),
            (5, "`secrets.A.hooks` names a hook that is not declared", "did you mean `probe`?"),
            (5, "`secrets.A.hooks` names `probe` twice", ""),
            (
                6,
                "`secrets.A.usernames` cannot be of kind `external`",
                "users alternate with a `passphrase`, `password` or `random`",
            ),
            (
                9,
                "`secrets.B.usernames` has fewer than two",
                "the old user serves while the new one takes over: name both",
            ),
            (12, "`secrets.C.usernames` names a user twice", ""),
            (12, "`secrets.C.usernames` holds a name that is empty, too long, or not printable", ""),
            (
                15,
                "`secrets.D.rotate` would lose what the key encrypted",
                "declare a hook with the step `set` that encrypts it anew, or write `\"never\"`",
            ),
            (
                19,
                "`secrets.E.template` asks for the user of `D`, which has no `usernames`",
                "add `usernames = [\"app_a\", \"app_b\"]` to `secrets.D`",
            ),
            (
                19,
                "`secrets.E.template` has a filter before `username`",
                "write `username` first: it replaces the value",
            ),
        ],
    ),
];
