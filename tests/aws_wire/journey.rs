//! The program's own way to AWS and back, with moto as the service, and boto3 and the aws command as the other party.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use super::moto::{Moto, moto};
use super::support::{Project, Run, python, skip};

/// How many secrets the hierarchy has besides those that are looked at one by one.
const MANY: usize = 1_000;

fn manifest() -> String {
    let mut text = String::from(
        r#"
[project]
name = "shop"
default_environment = "prod"

[environments.prod]
aws = { account = "123456789012", region = "eu-west-1", prefix = "/shop/prod/" }
"#,
    );
    for name in ["TEXT", "BINARY", "LONGEST", "THEIRS"] {
        let path = name.to_lowercase();
        let _ = write!(text, "[secrets.{name}]\nkind = \"external\"\noptional = true\naws = \"{path}\"\n");
    }
    text.push_str("[secrets.USER]\nkind = \"setting\"\nvalue = \"app\"\nbundle = \"app\"\n");
    text.push_str("[secrets.KEY]\nkind = \"random\"\nbundle = \"app\"\nbundle_key = \"key\"\n");
    for number in 0..MANY {
        let _ = write!(text, "[secrets.S{number:04}]\nkind = \"random\"\naws = \"many/{number:04}\"\n");
    }
    text
}

struct Host<'m> {
    project: Project,
    moto: &'m Moto,
}

impl Host<'_> {
    fn sync(&self, arguments: &[&str]) -> Run {
        let mut command = self.project.command([&["sync"], arguments].concat());
        command.env("AWS_ENDPOINT_URL", &self.moto.endpoint).env("AWS_EC2_METADATA_DISABLED", "true");
        Run::of(command.envs(super::KEYS))
    }

    fn set(&self, name: &str, value: &[u8]) {
        self.project.write("value", value);
        self.project.run(["set", name, "--from-file", "value"]).assert_code(0);
    }
}

#[test]
fn boto3_and_the_aws_command_find_what_we_push_and_we_find_what_they_write() {
    let Some(moto) = moto() else {
        return skip("boto3_and_the_aws_command_find_what_we_push_and_we_find_what_they_write", "there is no moto");
    };
    let host = |project| Host { project, moto: &moto };
    let first = host(Project::initialised(&manifest()));
    let longest = vec![b'x'; 65_536];
    first.set("TEXT", "v\u{e4}lue with $(id), \"quotes\"\nand lines \u{1f511}".as_bytes());
    first.set("BINARY", b"\xff\x00\xfe");
    first.set("LONGEST", &longest);
    first.sync(&["push"]).assert_code(0);
    they_find_it(&first, &moto);

    let [.., made] = moto.boto3(&[
        ("put_secret_value", json!({ "SecretId": "/shop/prod/text", "SecretString": "theirs: \u{fc}" })),
        (
            "put_secret_value",
            json!({ "SecretId": "/shop/prod/app", "SecretString": r#"{"more": 1, "key": "k\u00e9y", "USER": "app"}"# }),
        ),
        ("create_secret", json!({ "Name": "/shop/prod/theirs", "SecretString": "made by boto3" })),
    ]);
    assert!(made["error"].is_null(), "{made}");
    aws_command(
        &moto,
        &["put-secret-value", "--secret-id", "/shop/prod/many/0500", "--secret-string", "by-the-command"],
    );

    let second = host(Project::with_manifest(&manifest()));
    for host in [&first, &second] {
        host.sync(&["pull"]).assert_code(0);
        assert_eq!(host.project.get("TEXT"), "theirs: \u{fc}".as_bytes());
        assert_eq!(host.project.get("BINARY"), b"\xff\x00\xfe");
        assert!(host.project.get("LONGEST") == longest);
        assert_eq!(host.project.get("KEY"), "k\u{e9}y".as_bytes());
        assert_eq!(host.project.get("THEIRS"), b"made by boto3");
        assert_eq!(host.project.get("S0500"), b"by-the-command");
        let run = host.sync(&["diff"]).assert_code(0);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
    assert_eq!(second.project.get("S0999"), first.project.get("S0999"));
    a_deletion_is_told_and_taken_back(&second, &moto);
}

fn they_find_it(first: &Host<'_>, moto: &Moto) {
    let get = |path: &str| ("get_secret_value", json!({ "SecretId": format!("/shop/prod/{path}") }));
    let [text, binary, longest, bundle, one] =
        moto.boto3(&[get("text"), get("binary"), get("longest"), get("app"), get("many/0007")]);
    assert_eq!(text["SecretString"], "v\u{e4}lue with $(id), \"quotes\"\nand lines \u{1f511}");
    assert_eq!(binary["SecretBinary"], "/wD+");
    assert_eq!(longest["SecretString"].as_str().map(str::len), Some(65_536));
    let bundle: Value = serde_json::from_str(bundle["SecretString"].as_str().unwrap()).unwrap();
    let value = |name: &str| String::from_utf8(first.project.get(name)).unwrap();
    assert_eq!(bundle, json!({ "USER": "app", "key": value("KEY") }));
    assert_eq!(one["SecretString"], value("S0007"));
    let told = aws_command(moto, &["describe-secret", "--secret-id", "/shop/prod/many/0999"]);
    assert_eq!(told["Tags"], json!([{ "Key": "vault-kit:managed", "Value": "shop/prod" }]));
}

fn a_deletion_is_told_and_taken_back(host: &Host<'_>, moto: &Moto) {
    let deletion = json!({ "SecretId": "/shop/prod/text", "RecoveryWindowInDays": 7 });
    let [deleted] = moto.boto3(&[("delete_secret", deletion)]);
    assert!(deleted["error"].is_null(), "{deleted}");
    let run = host.sync(&["pull"]).assert_code(7);
    assert!(run.stderr.contains("`/shop/prod/text` is scheduled for deletion"), "{}", run.stderr);
    host.sync(&["restore", "TEXT"]).assert_code(0);
    host.sync(&["pull"]).assert_code(0);
    let [described] = moto.boto3(&[("describe_secret", json!({ "SecretId": "/shop/prod/text" }))]);
    assert!(described["DeletedDate"].is_null(), "{described}");
}

/// What the aws command answers; it is in the same virtual environment as boto3.
fn aws_command(moto: &Moto, arguments: &[&str]) -> Value {
    let program = python().unwrap();
    let mut command = Command::new(&program);
    command.arg(program.with_file_name("aws")).args(["--endpoint-url", &moto.endpoint, "secretsmanager"]);
    command.args(arguments).env("AWS_DEFAULT_REGION", "eu-west-1").envs(super::KEYS);
    let run = Run::of(&mut command).assert_code(0);
    serde_json::from_str(&run.stdout).unwrap()
}
