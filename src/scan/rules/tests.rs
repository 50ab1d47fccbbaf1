//! Each rule with what it finds and what only looks like it. The credentials are put together here, so that no file has one.

use super::*;
use crate::generate::api_key::draw;

/// Characters that do not repeat soon.
fn varied(length: usize) -> String {
    "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8cF0".chars().cycle().take(length).collect()
}

fn upper(length: usize) -> String {
    "Q2PZ7RY3XG5FTV4DW6SJNKHCEMUAL".chars().cycle().take(length).collect()
}

/// A signature of 32 bytes, as it stands in a URL or as it is.
fn signature(is_escaped: bool) -> String {
    let plain = data_encoding::BASE64.encode(&(0..32).map(|it: u8| it.wrapping_mul(37) ^ 0xa5).collect::<Vec<u8>>());
    if is_escaped { plain.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D") } else { plain }
}

/// A credential of each rule.
fn credentials() -> Vec<(&'static str, String)> {
    let github = draw("").unwrap().expose_text().unwrap().to_owned();
    let own = draw("shop_dev_").unwrap().expose_text().unwrap().to_owned();
    let lines = format!("{}\n{}\n", varied(64), varied(64));
    let part = |json: &str| data_encoding::BASE64URL_NOPAD.encode(json.as_bytes());
    let age: String = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".chars().cycle().take(58).collect();
    vec![
        ("age-identity", format!("AGE-SECRET-KEY-1{age}")),
        ("anthropic-key", format!("sk-ant-api03-{}", varied(90))),
        ("api-key", own),
        ("aws-key", format!("AKIA{}", upper(16))),
        ("aws-key", format!("aws_secret_access_key = {}", varied(40))),
        ("aws-key", format!("\"SecretAccessKey\": \"{}\"", varied(40))),
        (
            "azure-signature",
            format!("https://a.blob.core.windows.net/b?sv=2022-11-02&se=2027-01-01&sig={}", signature(true)),
        ),
        ("azure-signature", format!("SharedAccessSignature sr=a&sig={}", signature(false))),
        ("discord-webhook", format!("https://discord.com/api/webhooks/{}/{}", "1".repeat(19), varied(68))),
        ("discord-webhook", format!("https://discordapp.com/api/v10/webhooks/{}/{}", "1".repeat(18), varied(68))),
        ("github-token", format!("ghp_{github}")),
        ("github-token", format!("github_pat_{}_{}", varied(22), varied(59))),
        ("gitlab-token", format!("glpat-{}", varied(20))),
        ("google-key", format!("AIza{}", varied(35))),
        ("jwt", format!("{}.{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(r#"{"sub":"1"}"#), varied(43))),
        ("npm-token", format!("npm_{}", varied(36))),
        ("openai-key", format!("sk-proj-{}", varied(48))),
        ("openai-key", format!("sk-{}T3BlbkFJ{}", varied(20), varied(20))),
        ("private-key", format!("-----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----")),
        ("private-key", format!("-----BEGIN OPENSSH PRIVATE KEY-----\\n{}", lines.replace('\n', "\\n"))),
        ("private-key", format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{lines}")),
        ("putty-key", format!("PuTTY-User-Key-File-3: ssh-ed25519\nPublic-Lines: 2\n{lines}Private-Lines: 1\n{lines}")),
        ("pypi-token", format!("pypi-AgEIcHlwaS5vcmc{}", varied(100))),
        ("slack-token", format!("xoxb-{}-{}", "1234567890", varied(24))),
        ("slack-token", format!("https://hooks.slack.com/services/T{}/B{}/{}", upper(8), upper(8), varied(24))),
        ("stripe-key", format!("sk_live_{}", varied(24))),
        ("telegram-token", format!("{}:AAH{}", "1234567890", varied(32))),
        ("telegram-token", format!("https://api.telegram.org/bot{}:AAE{}", "123456789", varied(32))),
    ]
}

fn found(text: &str) -> Vec<&'static str> {
    let rules = Rules::new(&Declared::default(), &["shop_dev_".to_owned()]);
    let bytes = text.as_bytes();
    let found = rules.find(bytes, &(0..bytes.len()));
    // Where there are no such instructions, the same is found.
    let slow = Rules { searcher: None, ..rules };
    assert_eq!(slow.find(bytes, &(0..bytes.len())), found);
    found.into_iter().map(|it| it.rule).collect()
}

#[test]
fn each_rule_finds_what_it_is_about_wherever_it_stands() {
    for (rule, credential) in credentials() {
        for text in [credential.clone(), format!("key = \"{credential}\"\n"), format!("# x\n\nT={credential}\nU=1\n")] {
            assert_eq!(found(&text), [rule], "{text}");
        }
    }
    // What a Compose file has written out is judged by the same forms.
    let new = credentials()
        .into_iter()
        .filter(|(rule, _)| ["azure-signature", "discord-webhook", "telegram-token"].contains(rule));
    new.for_each(|(_, credential)| assert!(crate::credential::is_literal("ADDRESS", &credential), "{credential}"));
    let tested: std::collections::BTreeSet<&str> = credentials().iter().map(|(rule, _)| *rule).collect();
    assert_eq!(tested, RULES.iter().map(|(rule, _)| *rule).collect());
}

#[test]
fn what_only_looks_like_it_is_let_pass() {
    for text in [
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_owned(),
        "strip `-----BEGIN RSA PRIVATE KEY-----` and `-----END RSA PRIVATE KEY-----`".to_owned(),
        format!("-----BEGIN PUBLIC KEY-----\n{}\n", varied(64)),
        format!("-----BEGIN CERTIFICATE-----\n{}\n", varied(64)),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("AKIA{}", upper(17)),
        format!("XAKIA{}", upper(16)),
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        "aws_secret_access_key = os.environ[\"AWS_SECRET_ACCESS_KEY\"]".to_owned(),
        format!("ghp_{}", varied(36)),
        format!("ghp_{}", "x".repeat(36)),
        format!("shop_dev_{}", varied(36)),
        "task-force sk-proj-rename eyJhbGciOi npm_config_registry glpat-xxxxxxxxxxxxxxxxxxxx".to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned(),
        "sk_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxx xoxb-not-a-token AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX".to_owned(),
        "AGE-SECRET-KEY-1...".to_owned(),
        "https://a.blob.core.windows.net/b?sv=2022-11-02&sig=<signature> ?sig=sha256 &sig=%3D".to_owned(),
        format!("xsig={}", signature(true)),
        format!("?sig={}", "A".repeat(43) + "="),
        format!(
            "https://discord.com/api/webhooks/ID/TOKEN https://example.com/webhooks/{}/{}",
            "1".repeat(19),
            varied(68)
        ),
        format!("https://discord.com/api/webhooks/{}/{}", "1".repeat(19), "x".repeat(68)),
        format!("12:AAH{} 1234567890:AAH{}", varied(32), varied(33)),
        format!("1234567890:AAH{}", "x".repeat(32)),
    ] {
        assert_eq!(found(&text), [] as [&str; 0], "{text}");
    }
}

#[test]
fn nothing_that_a_rule_meets_makes_it_fail() {
    let rules = Rules::new(&Declared::default(), &["shop_dev_".to_owned()]);
    for (_, credential) in credentials() {
        for cut in 0..credential.len() {
            for text in [&credential.as_bytes()[..cut], &credential.as_bytes()[cut..]] {
                rules.find(text, &(0..text.len()));
            }
        }
    }
}
