//! Where the client goes, as whom, and whom it trusts.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use vault_kit::remote::aws::{Patience, Settings, connect};
use vault_kit::remote::{Cause, Remote};

use super::server::{Reply, Server};
use super::{KEYS, client, client_of, is_inside, within};

/// What `connect` says to these settings, as the code of its error.
pub(crate) fn refusal(settings: &Settings) -> Option<&'static str> {
    connect(settings, Arc::new(|_| {})).err().map(|error| error.code())
}

pub(crate) fn in_region() -> Settings {
    Settings { region: Some("eu-west-1".into()), ..Settings::default() }
}

/// Profile, region and keys in the way that `credentials` tells.
fn profile(name: &str, credentials: &str) -> String {
    format!("[profile {name}]\nregion = eu-west-1\n{credentials}\n")
}

pub(crate) fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(".aws").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Everything that is asked for credentials, and Secrets Manager.
fn aws() -> Server {
    Server::new(|asked| {
        let path = asked.head.split(' ').nth(1).unwrap_or_default().to_owned();
        let role = |action: &str| {
            Reply::Status(
                200,
                format!(
                    "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
                     <AccessKeyId>AKID{action}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t\
                     </SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser>\
                     <AssumedRoleId>i</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/n</Arn>\
                     </AssumedRoleUser></{action}Result></{action}Response>"
                ),
            )
        };
        if asked.text.contains("denied-role") {
            let error = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>s3cr3t</Message>";
            return Reply::Status(403, format!("{error}</Error><RequestId>1</RequestId></ErrorResponse>"));
        }
        let has = |header: &str| asked.head.lines().any(|line| line.eq_ignore_ascii_case(header));
        match asked.operation.as_str() {
            "ListSecrets" => Reply::json(&json!({ "SecretList": [] })),
            _ if asked.text.contains("Action=AssumeRoleWithWebIdentity&") => role("AssumeRoleWithWebIdentity"),
            _ if asked.text.contains("Action=AssumeRole&") => role("AssumeRole"),
            _ if asked.text.contains("Action=GetCallerIdentity&") => {
                let account = "<Account>123456789012</Account><Arn>a</Arn><UserId>u</UserId>";
                let body = format!("<GetCallerIdentityResult>{account}</GetCallerIdentityResult>");
                Reply::Status(200, format!("<GetCallerIdentityResponse>{body}</GetCallerIdentityResponse>"))
            }
            _ if path.starts_with("/federation/credentials") => Reply::json(&json!({
                "roleCredentials": { "accessKeyId": "AKIDsso", "secretAccessKey": "s", "sessionToken": "t",
                                     "expiration": 4_070_908_800_000_i64 },
            })),
            _ if path == "/latest/api/token" => Reply::Status(200, "t".into()),
            // IMDSv2: nothing is told to whoever did not ask for a token first.
            _ if path.starts_with("/latest/") && !has("x-aws-ec2-metadata-token: t") => {
                Reply::Status(401, String::new())
            }
            _ if path.starts_with("/pod") && !has("authorization: token-of-the-pod") => {
                Reply::Status(401, String::new())
            }
            _ if path.starts_with("/pod") => Reply::json(&json!({
                "AccessKeyId": "AKIDpod", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z",
            })),
            _ if path == "/latest/meta-data/placement/region" => Reply::Status(200, "eu-west-1".into()),
            _ if path.ends_with("/iam/security-credentials/") => Reply::Status(200, "r".into()),
            _ if path.ends_with("/iam/security-credentials/r") => Reply::json(&json!({
                "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "AKIDinstance", "SecretAccessKey": "s",
                "Token": "t", "Expiration": "2099-01-01T00:00:00Z", "LastUpdated": "2020-01-01T00:00:00Z",
            })),
            _ if path.starts_with("/container") => Reply::json(&json!({
                "AccessKeyId": "AKIDcontainer", "SecretAccessKey": "s", "Token": "t",
                "Expiration": "2099-01-01T00:00:00Z",
            })),
            _ => Reply::Status(404, String::new()),
        }
    })
}

/// The access key that the last request was signed with.
fn key(server: &Server) -> String {
    let asked = server.asked();
    let head = &asked.last().unwrap().head;
    let (_, rest) = head.split_once("Credential=").unwrap();
    rest.split_once('/').unwrap().0.to_owned()
}

#[test]
fn without_a_region_nothing_is_asked() {
    let config = profile("placed", "");
    within("configuration::without_a_region_nothing_is_asked", &KEYS, &config, |_| {
        assert_eq!(refusal(&Settings::default()), Some("region-missing"));
        assert_eq!(refusal(&in_region()), None);
        let elsewhere = Settings { region: Some("x.example.com/".into()), ..Settings::default() };
        assert_eq!(refusal(&elsewhere), Some("region-invalid"));
        assert_eq!(refusal(&Settings { profile: Some("placed".into()), ..Settings::default() }), None);
    });
}

#[test]
fn plain_http_to_another_machine_is_refused_wherever_it_is_said() {
    let services = "[services plain]\nsecrets_manager =\n  endpoint_url = http://10.0.0.1\n\
                    [services hyphen]\nsecrets-manager =\n  endpoint_url = http://10.0.0.1\n\
                    [services token]\nsts =\n  endpoint_url = http://10.0.0.1\n\
                    [services person]\nsso =\n  endpoint_url = http://10.0.0.1\n";
    let mut config = profile("all", "endpoint_url = http://10.0.0.1") + services;
    for name in ["plain", "hyphen", "token", "person"] {
        config += &profile(name, &format!("services = {name}"));
    }
    let test = "configuration::plain_http_to_another_machine_is_refused_wherever_it_is_said";
    within(test, &KEYS, &config, |_| {
        for name in ["all", "plain", "hyphen", "token", "person"] {
            let settings = Settings { profile: Some(name.into()), ..Settings::default() };
            assert_eq!(refusal(&settings), Some("endpoint-not-encrypted"), "{name}");
        }
        let at = |endpoint: &str| refusal(&Settings { endpoint: Some(endpoint.into()), ..in_region() });
        assert_eq!(at("http://secrets.example.com"), Some("endpoint-not-encrypted"));
        assert_eq!(at("secrets.example.com"), Some("endpoint-invalid"));
        assert_eq!(at("https://secrets.example.com"), None);
        assert_eq!(at("http://127.0.0.1:1"), None);
    });
}

#[test]
fn plain_http_in_the_environment_is_refused_too() {
    let environment = [KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets.example.com")];
    within("configuration::plain_http_in_the_environment_is_refused_too", &environment, "", |_| {
        assert_eq!(refusal(&in_region()), Some("endpoint-not-encrypted"));
        // What the manifest says goes first, and is what is used.
        assert_eq!(refusal(&Settings { endpoint: Some("http://127.0.0.1:1".into()), ..in_region() }), None);
    });
}

#[test]
fn a_service_of_a_profile_may_be_spelled_as_boto3_does() {
    within("configuration::a_service_of_a_profile_may_be_spelled_as_boto3_does", &KEYS, "", |home| {
        let keys = "aws_access_key_id = AKIDp\naws_secret_access_key = s";
        for (name, other) in
            [("secrets_manager", ""), ("secrets-manager", ""), ("secrets_manager", "http://127.0.0.1:1")]
        {
            let server = aws();
            let other = if other.is_empty() { String::new() } else { format!("\nendpoint_url = {other}") };
            let service = format!("[services s]\n{name} =\n  endpoint_url = {}\n", server.endpoint);
            write(home, "config", &(profile("p", &format!("{keys}{other}\nservices = s")) + &service));
            let settings = Settings { profile: Some("p".into()), ..Settings::default() };
            assert_eq!(client_of(&settings).0.list("/p/"), Ok(vec![]), "{name}");
            assert_eq!(key(&server), "AKIDp");
        }
    });
}

#[test]
fn whoever_names_a_profile_gets_its_credentials_and_not_those_of_the_environment() {
    let test = "configuration::whoever_names_a_profile_gets_its_credentials_and_not_those_of_the_environment";
    within(test, &KEYS, "", |home| {
        let server = aws();
        let endpoint = format!("endpoint_url = {}\n", server.endpoint);
        let keys = "aws_access_key_id = AKIDkeys\naws_secret_access_key = s\n";
        let said = r#"{"Version": 1, "AccessKeyId": "AKIDprocess", "SecretAccessKey": "s"}"#;
        let process = format!("credential_process = echo '{said}'\n");
        let role = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = keys\n";
        let denied = "role_arn = arn:aws:iam::123456789012:role/denied-role\nsource_profile = keys\n";
        let sso = "sso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n";
        let session = "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n";
        let mut config = session.to_owned();
        for (name, credentials) in
            [("keys", keys), ("process", &process), ("role", role), ("denied", denied), ("sso", sso), ("none", "")]
        {
            config += &profile(name, &format!("{credentials}{endpoint}"));
        }
        write(home, "config", &config);
        let token = json!({ "accessToken": "t", "expiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-1",
                            "startUrl": "https://x.awsapps.com/start" });
        // SHA-1 of the session's name.
        write(home, "sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json", &token.to_string());

        let listed = |name: &str, role: Option<&str>| {
            let settings = Settings {
                profile: Some(name.into()),
                role_arn: role.map(|it| format!("arn:aws:iam::123456789012:role/{it}")),
                ..Settings::default()
            };
            client_of(&settings).0.list("/p/").map(|_| key(&server)).map_err(|it| (it.cause, it.code))
        };
        assert_eq!(listed("keys", None), Ok("AKIDkeys".into()));
        assert_eq!(listed("process", None), Ok("AKIDprocess".into()));
        assert_eq!(listed("role", None), Ok("AKIDAssumeRole".into()));
        assert_eq!(listed("sso", None), Ok("AKIDsso".into()));
        assert_eq!(listed("process", Some("r")), Ok("AKIDAssumeRole".into()));
        let denied = Err((Cause::Denied, Some("AccessDenied".to_owned())));
        assert_eq!(listed("denied", None), denied);
        assert_eq!(listed("keys", Some("denied-role")), denied);

        let asked = server.asked().len();
        for name in ["none", "unheard-of"] {
            let settings = Settings { profile: Some(name.into()), ..in_region() };
            let failure = client_of(&settings).0.list("/p/").unwrap_err();
            assert_eq!(failure.cause, Cause::NoCredentials, "{name}");
        }
        // A login that has ended.
        write(home, "sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json", "{}");
        assert_eq!(listed("sso", None), Err((Cause::BadCredentials, None)));
        assert_eq!(server.asked().len(), asked);
    });
}

#[test]
fn without_credentials_nothing_is_asked() {
    within("configuration::without_credentials_nothing_is_asked", &[], "", |_| {
        let server = aws();
        let (aws, notices) = client(&server.endpoint, Patience::Unattended);
        assert_eq!(aws.list("/p/").unwrap_err().cause, Cause::NoCredentials);
        assert_eq!(aws.account().unwrap_err().cause, Cause::NoCredentials);
        assert!(server.asked().is_empty() && notices.lock().unwrap().is_empty());
    });
}

#[test]
fn an_emulator_answers_for_sts_as_well_and_no_proxy_sees_it() {
    let environment = [KEYS[0], KEYS[1], ("HTTP_PROXY", "http://127.0.0.1:1"), ("http_proxy", "http://127.0.0.1:1")];
    let test = "configuration::an_emulator_answers_for_sts_as_well_and_no_proxy_sees_it";
    within(test, &environment, "", |_| {
        let server = aws();
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        assert_eq!(aws.account(), Ok("123456789012".into()));
        assert_eq!(aws.list("/p/"), Ok(vec![]));
        assert_eq!(key(&server), "AKIDENVIRONMENT");
    });
}

#[test]
fn a_pod_takes_its_role_by_its_token() {
    let environment =
        [("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/null"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")];
    within("configuration::a_pod_takes_its_role_by_its_token", &environment, "", |home| {
        let server = aws();
        write(home, "config", &format!("[default]\nendpoint_url = {}\n", server.endpoint));
        assert_eq!(client_of(&in_region()).0.list("/p/"), Ok(vec![]));
        assert_eq!(key(&server), "AKIDAssumeRoleWithWebIdentity");
    });
}

#[test]
fn containers_and_instances_get_their_roles_from_where_they_run() {
    let test = "configuration::containers_and_instances_get_their_roles_from_where_they_run";
    let server = aws();
    let container = format!("{}/container", server.endpoint);
    let environments = [
        ("AKIDcontainer", ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str()), "true"),
        ("AKIDinstance", ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.endpoint.as_str()), "false"),
    ];
    for (expected, variable, disabled) in environments {
        let places = [variable, ("AWS_ENDPOINT_URL", &server.endpoint), ("AWS_EC2_METADATA_DISABLED", disabled)];
        within(test, &places, "", |_| {
            // An instance knows its region too.
            let is_instance = std::env::var_os("AWS_EC2_METADATA_SERVICE_ENDPOINT").is_some();
            let settings = if is_instance { Settings::default() } else { in_region() };
            assert_eq!(client_of(&settings).0.list("/p/"), Ok(vec![]));
        });
        if is_inside() {
            return;
        }
        assert_eq!(key(&server), expected);
    }
}

#[test]
fn a_pod_proves_itself_by_the_token_in_a_file() {
    let test = "configuration::a_pod_proves_itself_by_the_token_in_a_file";
    let server = aws();
    let directory = tempfile::TempDir::new().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "token-of-the-pod").unwrap();
    let (token, pod) = (token.display().to_string(), format!("{}/pod", server.endpoint));
    let environment = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", pod.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
        ("AWS_ENDPOINT_URL", &server.endpoint),
    ];
    within(test, &environment, "", |_| assert_eq!(client_of(&in_region()).0.list("/p/"), Ok(vec![])));
    if !is_inside() {
        assert_eq!(key(&server), "AKIDpod");
    }
}

#[test]
fn a_container_whose_role_nobody_gives_is_worth_a_retry() {
    let test = "configuration::a_container_whose_role_nobody_gives_is_worth_a_retry";
    let environment = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/container")];
    within(test, &environment, "", |_| {
        let server = aws();
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        assert_eq!(aws.list("/p/").unwrap_err().cause, Cause::Unreachable);
        assert!(server.asked().is_empty());
    });
}
