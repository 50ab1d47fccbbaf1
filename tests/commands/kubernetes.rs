//! Objects for Kubernetes, read by `PyYAML` and held against the schemas of the API.

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::support::{Project, Run, python_judge, root, set_mode, skip};

const MANIFEST: &str = r#"
[project]
name = "shop"
[environments.dev]
[environments.prod]
aws = { account = "111111111111", region = "us-east-1", prefix = "/live/" }

[secrets.PASSWORD]
kind = "password"
overlap = "1d"
bundle = "app"
[secrets.GIVEN]
kind = "external"
aws = "given/value"
[secrets.PORT]
kind = "setting"
value = "80"
bundle = "app"
bundle_key = "http.port"
[secrets.yes]
kind = "uuid"
aws = "yes"
[secrets.LOGIN]
kind = "password"
usernames = ["a", "b"]
aws = "login"
[secrets.SIGN]
kind = "keypair"
aws = "sign"
[secrets.ROOT]
kind = "ca"
aws = "root"
[secrets.ISSUING]
kind = "ca"
issuer = "ROOT"
[secrets.TLS]
kind = "certificate"
issuer = "ISSUING"
dns = ["localhost"]
aws = "tls"

[outputs.app]
format = "kubernetes-secret"
path = "k8s/app.yaml"
namespace = "shop"
labels = { "app.kubernetes.io/name" = "shop", number = "1" }
annotations = { "example.org/note" = "on: é # \"no\"\n- two" }
secrets = ["PASSWORD", "GIVEN", "PORT", "yes", "SIGN", "ROOT"]
keys = { PASSWORD = "db-password" }
[outputs.tls]
format = "kubernetes-secret"
path = "k8s/tls.yaml"
secrets = ["TLS"]

[outputs.from_aws]
format = "external-secret"
path = "k8s/external.yaml"
namespace = "shop"
labels = { team = "data" }
store = "aws-secrets-manager"
store_kind = "ClusterSecretStore"
refresh_interval = "1d"
environments = ["prod"]
secrets = ["PASSWORD", "GIVEN", "PORT", "yes", "LOGIN", "SIGN", "ROOT"]
keys = { GIVEN = "given" }
[outputs.tls_from_aws]
format = "external-secret"
path = "k8s/external-tls.yaml"
store = "aws-secrets-manager"
environments = ["prod"]
secrets = ["TLS"]
"#;

/// Bytes that are no text, and look like YAML.
const GIVEN: &[u8] = b"\xff\0: *a\n- \"'";

fn project(environment: &str) -> Project {
    let project = Project::with_manifest(MANIFEST);
    project.run(["-e", environment, "init"]).assert_code(0);
    project.run_with_stdin(["-e", environment, "set", "GIVEN"], GIVEN).assert_code(0);
    project
}

/// The document as `PyYAML` reads it, once it is what the API takes.
fn judged(project: &Project, path: &str, schema: &str) -> Option<Value> {
    let schema = root().join("tests/fixtures/kubernetes").join(schema);
    let mut judge = python_judge("kubernetes.py")?;
    let run = Run::with_stdin(judge.arg(schema), &project.bytes(path)).assert_code(0);
    serde_json::from_str(&run.stdout).ok()
}

#[test]
fn a_secret_holds_every_byte_under_its_key() {
    let project = project("dev");
    assert_eq!(project.mode("k8s/app.yaml"), 0o600);
    project.run(["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
    let Some(object) = judged(&project, "k8s/app.yaml", "secret-v1.json") else {
        return skip("a_secret_holds_every_byte_under_its_key", "no .venv with PyYAML and jsonschema");
    };
    assert_eq!(
        (&object["apiVersion"], &object["kind"], &object["type"]),
        (&json!("v1"), &json!("Secret"), &json!("Opaque"))
    );
    assert_eq!(
        object["metadata"],
        json!({
            "name": "app",
            "namespace": "shop",
            "labels": { "app.kubernetes.io/name": "shop", "number": "1" },
            "annotations": { "example.org/note": "on: é # \"no\"\n- two" },
        })
    );
    let keys: Vec<&str> = object["data"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["GIVEN", "PORT", "SIGN.key", "SIGN.public", "ca.crt", "db-password", "db-password_previous", "yes"];
    assert_eq!(keys, expected);
    let data = |key: &str| BASE64.decode(object["data"][key].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!((data("GIVEN").as_slice(), data("PORT").as_slice()), (GIVEN, &b"80"[..]));
    assert_eq!((data("db-password"), data("yes")), (project.get("PASSWORD"), project.get("yes")));
    assert_ne!(data("db-password"), data("db-password_previous"));
    assert!(data("SIGN.key").starts_with(b"-----BEGIN PRIVATE KEY-----"));
    assert!(data("ca.crt").starts_with(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn a_certificate_is_a_secret_of_its_own_type() {
    let project = project("dev");
    let Some(object) = judged(&project, "k8s/tls.yaml", "secret-v1.json") else {
        return skip("a_certificate_is_a_secret_of_its_own_type", "no .venv with PyYAML and jsonschema");
    };
    assert_eq!(object["type"], "kubernetes.io/tls");
    let data = |key: &str| {
        String::from_utf8(BASE64.decode(object["data"][key].as_str().unwrap().as_bytes()).unwrap()).unwrap()
    };
    let count = |key: &str| data(key).matches("-----BEGIN CERTIFICATE-----").count();
    assert_eq!((count("tls.crt"), count("ca.crt")), (2, 1), "the leaf and the issuing CA; the root");
    assert!(data("tls.key").contains("PRIVATE KEY"));
}

#[test]
fn an_external_secret_names_what_is_in_aws_and_holds_no_value() {
    let project = project("prod");
    assert_eq!(project.mode("k8s/external.yaml"), 0o644);
    let ignored = project.read(".gitignore");
    assert!(ignored.contains("/k8s/app.yaml") && !ignored.contains("external"), "{ignored}");
    let Some(object) = judged(&project, "k8s/external.yaml", "externalsecret-v1.json") else {
        return skip(
            "an_external_secret_names_what_is_in_aws_and_holds_no_value",
            "no .venv with PyYAML and jsonschema",
        );
    };
    assert_eq!((&object["apiVersion"], &object["kind"]), (&json!("external-secrets.io/v1"), &json!("ExternalSecret")));
    assert_eq!(object["metadata"], json!({ "name": "from-aws", "namespace": "shop", "labels": { "team": "data" } }));
    let spec = &object["spec"];
    assert_eq!(spec["refreshInterval"], "24h");
    assert_eq!(spec["secretStoreRef"], json!({ "kind": "ClusterSecretStore", "name": "aws-secrets-manager" }));
    assert_eq!(spec["target"], json!({ "name": "from-aws" }));
    let entry = |key: &str, remote: &str, property: Option<&str>| {
        let mut reference = json!({ "key": remote });
        if let Some(property) = property {
            reference["property"] = json!(property);
        }
        json!({ "secretKey": key, "remoteRef": reference })
    };
    assert_eq!(
        spec["data"],
        json!([
            entry("PASSWORD", "/live/app", Some("PASSWORD")),
            entry("given", "/live/given/value", None),
            entry("PORT", "/live/app", Some("http.port")),
            entry("yes", "/live/yes", None),
            entry("LOGIN", "/live/login", Some("password")),
            entry("SIGN.key", "/live/sign", Some("key")),
            entry("SIGN.public", "/live/sign", Some("public")),
            entry("ca.crt", "/live/root", Some("ca")),
        ])
    );
}

#[test]
fn an_external_certificate_is_put_together_from_its_parts() {
    let project = project("prod");
    let Some(object) = judged(&project, "k8s/external-tls.yaml", "externalsecret-v1.json") else {
        return skip("an_external_certificate_is_put_together_from_its_parts", "no .venv with PyYAML and jsonschema");
    };
    let spec = &object["spec"];
    assert_eq!(spec["refreshInterval"], "1h");
    assert_eq!(spec["secretStoreRef"]["kind"], "SecretStore");
    assert_eq!(spec["dataFrom"], json!([{ "extract": { "key": "/live/tls" } }]));
    let template = &spec["target"]["template"];
    assert_eq!((&template["type"], &template["engineVersion"]), (&json!("kubernetes.io/tls"), &json!("v2")));
    assert_eq!(template["data"]["tls.crt"], "{{ .cert | trim }}\n{{ index . \"chain\" | default \"\" }}");
}

#[test]
fn an_external_secret_waits_for_no_value_and_is_the_same_in_every_clone() {
    let first = Project::with_manifest(MANIFEST);
    first.run(["-e", "prod", "init"]).assert_code(0);
    let second = project("prod");
    assert!(!first.path("k8s/app.yaml").exists(), "one that holds values waits for them");
    for path in ["k8s/external.yaml", "k8s/external-tls.yaml"] {
        assert_eq!(first.read(path), second.read(path));
    }
}

/// The previous value's time is over: the next writer takes it out of what holds values, and an `ExternalSecret` holds none.
#[test]
fn an_external_secret_minds_no_rotation() {
    let project = Project::with_manifest(&MANIFEST.replace("overlap = \"1d\"", "overlap = \"1s\""));
    project.run(["-e", "prod", "init"]).assert_code(0);
    project.run_with_stdin(["-e", "prod", "set", "GIVEN"], GIVEN).assert_code(0);
    let before = project.bytes("k8s/external.yaml");
    project.run(["-e", "prod", "generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let check = project.run(["-e", "prod", "check"]).assert_code(1).stdout;
    assert!(check.contains("k8s/app.yaml") && !check.contains("external.yaml"), "{check}");
    project.run(["-e", "prod", "render"]).assert_code(0);
    project.run(["-e", "prod", "check"]).assert_code(0);
    assert_eq!(project.bytes("k8s/external.yaml"), before);
}

#[test]
fn check_finds_an_external_secret_that_the_manifest_left_behind() {
    let project = project("prod");
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("refresh_interval = \"1d\"", "refresh_interval = \"90m\""));
    let check = project.run(["-e", "prod", "check"]).assert_code(1).stdout;
    assert!(check.contains("k8s/external.yaml  does not say what the manifest says now"), "{check}");
    assert!(!check.contains("external-tls.yaml"), "{check}");
    project.run(["-e", "prod", "render"]).assert_code(0);
    assert!(project.read("k8s/external.yaml").contains("refreshInterval: \"90m\""));
    project.run(["-e", "prod", "check"]).assert_code(0);
}

#[test]
fn check_finds_an_object_that_is_open_or_says_something_else() {
    let project = project("prod");
    project.run(["-e", "prod", "check"]).assert_code(0);
    set_mode(&project.path("k8s/app.yaml"), 0o644);
    assert!(project.run(["-e", "prod", "check"]).assert_code(1).stdout.contains("k8s/app.yaml"));
    project.run(["-e", "prod", "render"]).assert_code(0);
    for path in ["k8s/app.yaml", "k8s/external.yaml"] {
        let changed = project.read(path).replace("\"shop\"", "\"elsewhere\"");
        project.write(path, changed);
        let run = project.run(["-e", "prod", "check"]).assert_code(1);
        assert!(run.stdout.contains(path), "{run:?}");
        project.run(["-e", "prod", "render"]).assert_code(0);
        project.run(["-e", "prod", "check"]).assert_code(0);
    }
}
