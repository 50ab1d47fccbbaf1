//! What the parser takes, what it refuses, and in which words.

mod allowances;
mod aws;
mod deployment;
mod hooks;
mod outputs;
mod places;
mod project;
mod secrets;
mod windows;

use proptest::prelude::*;

use super::model::{Encoding, RandomBytes, TokenAlgorithm, Usage};
use super::period::Period;
use super::*;
use crate::name::{EnvName, SecretName};

impl Declaration {
    /// A name and a kind with nothing else declared.
    pub(crate) fn bare(name: &str, kind: Kind) -> Self {
        Self {
            name: SecretName::new(name).unwrap(),
            kind,
            rotate: None,
            overlap: None,
            windows: Vec::new(),
            group: None,
            owner: None,
            pattern: None,
            obtain: None,
            description: None,
            environments: None,
            optional: false,
            hooks: Vec::new(),
            usernames: Vec::new(),
            remote: None,
            line: 1,
        }
    }
}

const DESIGN: &str = r#"
[project]
name = "sutra"
default_environment = "dev"

[environments.dev]
rotate = "never"
[environments.prod]
recipients = { alice = "age1qqqq", deploy = "age1pppp" }
aws = { account = "123456789012", region = "us-east-1", prefix = "/sutra/prod/", kms_key = "alias/app" }

[secrets.SUTRA_AUTH_SECRET]
kind = "random"
rotate = "90d"
overlap = "24h"

[secrets.POSTGRES_PASSWORD]
kind = "password"

[secrets.SERVICE_TOKEN]
kind = "token"
signed_by = "SUTRA_AUTH_SECRET"
role = "service"
subject = "svc:api"
audience = ["sutra"]
ttl = "365d"

[secrets.DEV_CA]
kind = "ca"

[secrets.STORAGE_TLS]
kind = "certificate"
issuer = "DEV_CA"
dns = ["storage-server", "localhost"]
ip = ["127.0.0.1"]
ttl = "90d"

[secrets.DATABASE_URL]
kind = "template"
template = "postgres://app:${POSTGRES_PASSWORD | urlencode}@db:5432/app"

[secrets.OPENAI_API_KEY]
kind = "external"
owner = "ml-team"
pattern = "^sk-"
obtain = "provider console, project sutra-prod"
rotate = "90d"

[secrets.CORS_ORIGINS]
kind = "setting"
value = "http://localhost:3000"
values = { prod = "https://app.example.com" }

[outputs.env]
format = "dotenv"
dialect = "compose"
path = ".env"
secrets = ["SUTRA_AUTH_SECRET", "DATABASE_URL", "CORS_ORIGINS"]

[outputs.docker]
format = "docker-secrets"
path = ".secrets"
secrets = ["SERVICE_TOKEN"]
files = { SERVICE_TOKEN = "tokens/service_token.txt" }
mode = "0400"
environments = ["prod"]

[outputs.nginx]
format = "pem"
path = "docker/nginx/ssl"
secrets = ["STORAGE_TLS"]
files = { fullchain = "cert.pem", key = "key.pem" }
"#;

#[test]
fn the_manifest_of_the_design_parses() {
    let manifest = parse(DESIGN, "vault-kit.toml").unwrap();
    assert_eq!(manifest.secrets.len(), 8);
    assert_eq!(manifest.outputs.len(), 3);
    assert_eq!(manifest.default_environment.as_str(), "dev");
    assert_eq!(manifest.warnings, []);
}

/// A manifest, and the line, message and hint (empty = none) of each of its problems.
type Refusal = (&'static str, &'static [(usize, &'static str, &'static str)]);

#[test]
fn each_mistake_is_told_by_its_line_and_what_would_be_right() {
    for (text, expected) in [
        project::PROJECT,
        aws::AWS,
        secrets::SECRETS,
        outputs::OUTPUTS,
        hooks::HOOKS,
        windows::WINDOWS,
        deployment::DEPLOYMENT,
        allowances::ALLOWANCES,
    ]
    .concat()
    {
        let issues = parse(text, "vault-kit.toml").map(drop).unwrap_err().issues;
        let told: Vec<_> = issues
            .iter()
            .map(|issue| (issue.line, issue.message.as_str(), issue.hint.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(told, expected, "{text}");
    }
}

#[test]
fn many_mistakes_are_told_at_once_and_in_the_order_of_the_file() {
    let text = r#"
[project]
nmae = "x"
[environments.dev]
rotate = "soon"
[secrets.A]
kind = "random"
bytes = 1
[secrets.B]
kind = "token"
signed_by = "AA"
[secrets.C]
kind = "nothing"
[outputs.env]
format = "dotenv"
path = "/etc/../x"
mode = "0777"
secrets = ["Z", "A"]
"#;
    let issues = parse(text, "dir/vault-kit.toml").unwrap_err();
    let lines: Vec<usize> = issues.issues.iter().map(|issue| issue.line).collect();
    assert_eq!(lines, [2, 3, 5, 8, 11, 13, 16, 17, 18]);
    assert_eq!(issues.lines().next().unwrap(), "`dir/vault-kit.toml:2`: `project.name` is missing");
    assert_eq!(issues.summary().to_string(), "`dir/vault-kit.toml` has 9 problems");
    let error = Error::from(issues);
    assert_eq!((error.kind(), error.code()), (crate::exit::Kind::Manifest, "manifest-invalid"));
    assert_eq!(error.others().len(), 8);
}

/// Everything that could be shown of a refusal.
fn shown(text: &str) -> String {
    let issues = parse(text, "vault-kit.toml").map(drop).unwrap_err();
    let lines: Vec<String> = issues.lines().collect();
    let error = Error::from(issues);
    format!("{lines:?} {error} {error:?}")
}

#[test]
fn a_value_in_the_wrong_place_is_never_shown() {
    const CANARY: &str = "hunter2-canary";
    let frames = [
        "A = \"@\"",
        "[secrets.A]\nkind = \"@\"",
        "[secrets.A]\nkind = \"random\"\nbytes = \"@\"",
        "[secrets.A]\nkind = \"random\"\nbytes = @",
        "[secrets.A]\nkind = \"random\"\nvalue = \"@\"",
        "[secrets.A]\nkind = \"random\"\nencoding = \"@\"",
        "[secrets.A]\nkind = \"random\"\nrotate = \"@\"",
        "[secrets.A]\nkind = \"random\"\npattern = \"(@\"",
        "[secrets.A]\nkind = \"random\"\nenvironments = [\"@\"]",
        "[secrets.A]\nkind = \"password\"\nalphabet = \"@\"",
        "[secrets.A]\nkind = \"api-key\"\nprefix = \"@\"",
        "[secrets.A]\nkind = \"passphrase\"\nseparator = \"@@\"",
        "[secrets.A]\nkind = \"token\"\nsigned_by = \"@\"",
        "[secrets.A]\nkind = \"token\"\nscope = [\"@ @\"]\nsigned_by = \"A\"",
        "[secrets.A]\nkind = \"certificate\"\nissuer = \"@\"\ndns = [\"_@\"]\nip = [\"@\"]\nuri = [\"@\"]",
        "[secrets.A]\nkind = \"template\"\ntemplate = \"x${@}\"",
        "[secrets.A]\nkind = \"template\"\ntemplate = \"@${A | @}\"",
        "[secrets.A]\nkind = \"setting\"\nvalue = \"@\"\npattern = \"^$\"",
        "[secrets.A]\nkind = \"setting\"\nvalue = \"x\"\nvalues = { \"@\" = \"@\" }",
        "[secrets]\nA = \"@\"",
        "[secrets]\nA = [\"@\"]",
        "[secrets.\"@ @\"]\nkind = \"uuid\"",
        "[environments.dev.recipients]\nalice = \"age1@\"",
        "[environments.dev.recipients]\nalice = \"AGE-SECRET-KEY-1@\"",
        "[environments.dev.aws]\naccount = \"@\"\nregion = \"@\\n\"",
        "[environments.dev.aws]\nprefix = \"@\"\nreplicas = [\"@ @\"]\nstale_after = \"@\"\nrecovery_window = \"@\"",
        "[environments.dev.aws.tags]\n\"vault-kit:@\" = \"<@\"",
        "[secrets.A]\nkind = \"uuid\"\naws = \"@ @\"\nbundle = \"/@\"\nbundle_key = \"@ @\"",
        "[secrets.A]\nkind = \"keypair\"\nbundle = \"@\"\n[secrets.B]\nkind = \"uuid\"\naws = \"@\"",
        "[outputs.o]\nformat = \"@\"",
        "[hooks.\"@ @\"]\nprogram = \"x\"\nsteps = [\"set\"]",
        "[hooks.h]\nprogram = \"../@\"\nsteps = [\"@\"]\nsecrets = [\"@\"]\nenvironment = [\"@ @\"]\noutputs = [\"@\"]",
        "[secrets.A]\nkind = \"uuid\"\nhooks = [\"@\"]\nusernames = [\"@\"]",
        "[outputs.o]\nformat = \"dotenv\"\npath = \"../@\"\nmode = \"@\"\nsecrets = [\"@\"]\ndialect = \"@\"",
        "[deployment]\ninternal = [\"@ @\"]\npublic = { \"@ @\" = [\"@\"] }\nnginx = [\"../@\"]\noutside = [\"@\"]\nsubnets = { a = \"@\" }",
        "[secrets.A]\nkind = \"random\" @",
        "[secrets.A]\nkind = '@",
        "[secrets.A]\nkind = \"\"\"@",
        "[secrets.A]\nkind = [\"@\"",
        "[secrets.A]\nkind = { @ = \"@\", @",
        "[secrets.A]\n@",
        "[secrets.A\nkind = \"@\"",
        "[secrets.A]\nx = 2020-@",
        "[secrets.A]\nx = 0x@",
        "\"sk live @\" = 1",
    ];
    for frame in frames {
        let text = format!("[project]\nname = \"p\"\n{}", frame.replace('@', CANARY));
        assert!(!shown(&text).contains(CANARY), "{frame}");
        let doubled = text.replace(CANARY, &format!("{CANARY} = {CANARY}"));
        if parse(&doubled, "m").is_err() {
            assert!(!shown(&doubled).contains(CANARY), "{frame}");
        }
    }
}

/// Every kind and every format with as few words as possible.
const SMALL: &str = r#"
project.name = "my.app-2"
environments.dev.aws = { account = "111111111111", region = "us-east-1" }
[secrets]
CUSTOMER_KEY = { kind = "api-key" }
ROOT = { kind = "ca" }
SUB = { kind = "ca", issuer = "ROOT" }
LEAF = { kind = "certificate", issuer = "SUB", dns = ["Example.com"] }
OWN = { kind = "certificate", issuer = "self", ip = ["::1"] }
DATA_KEY = { kind = "encryption-key" }
GIVEN = { kind = "external", optional = true }
SIGN = { kind = "keypair", algorithm = "es384" }
PHRASE = { kind = "passphrase" }
PASSWORD = { kind = "password" }
SECRET = { kind = "random" }
PORT = { kind = "setting", value = "80" }
URL = { kind = "template", template = "x:${PASSWORD}" }
HMAC_TOKEN = { kind = "token", signed_by = "SECRET" }
ADMIN_TOKEN = { kind = "token", signed_by = "SIGN", role = "admin" }
ID = { kind = "uuid", aws = "id" }
"a.b" = { kind = "uuid" }
[outputs]
env = { format = "dotenv", path = ".env" }
docker = { format = "docker-secrets", path = ".secrets" }
tls = { format = "pem", path = "tls" }
json = { format = "json", path = "all.json" }
keys = { format = "api-keys", path = "api-keys.json" }
compose = { format = "compose-override" }
swarm = { format = "docker-swarm" }
eso = { format = "external-secret", path = "eso.yaml", store = "aws" }
prints = { format = "fingerprints", path = "prints.json" }
jwks = { format = "jwks", path = "jwks.json" }
k8s = { format = "kubernetes-secret", path = "secret.yaml" }
systemd = { format = "systemd-credentials" }
"#;

fn small() -> Manifest {
    parse(SMALL, "vault-kit.toml").unwrap()
}

fn kind<'a>(manifest: &'a Manifest, name: &str) -> &'a Kind {
    &manifest.secrets[name].kind
}

#[test]
fn what_is_left_out_has_its_default() {
    let manifest = small();
    assert_eq!((manifest.issuer.as_str(), manifest.keep), ("my.app-2", 5));
    assert_eq!(manifest.environments.keys().map(EnvName::as_str).collect::<Vec<_>>(), ["dev"]);
    assert!(matches!(kind(&manifest, "CUSTOMER_KEY"), Kind::ApiKey { prefix } if prefix == "my_app_2_"));
    assert!(matches!(kind(&manifest, "ROOT"), Kind::Ca(ca) if ca.ttl == Period::days(3650)));
    assert!(matches!(kind(&manifest, "SUB"), Kind::Ca(ca) if ca.ttl == Period::days(1825)));
    assert!(matches!(kind(&manifest, "ROOT"), Kind::Ca(ca) if !ca.is_constrained()));
    assert!(matches!(kind(&manifest, "LEAF"), Kind::Certificate(leaf)
        if leaf.ttl == Period::days(90) && leaf.dns == ["example.com"] && leaf.usage == Usage::Server));
    assert!(matches!(kind(&manifest, "OWN"), Kind::Certificate(leaf) if leaf.issuer.is_none()));
    let random = RandomBytes { bytes: 32, encoding: Encoding::Base64url };
    assert!(matches!(kind(&manifest, "SECRET"), Kind::Random(bytes) if *bytes == random));
    assert!(matches!(kind(&manifest, "DATA_KEY"), Kind::EncryptionKey(bytes) if *bytes == random));
    assert!(matches!(kind(&manifest, "PASSWORD"), Kind::Password(password)
        if password.length == 32 && password.alphabet.len() == 62 && password.classes.len() == 3));
    assert!(matches!(kind(&manifest, "PHRASE"), Kind::Passphrase { words: 8, separator } if separator == "-"));
    assert!(manifest.secrets["GIVEN"].optional);
    assert_eq!(manifest.secrets["SECRET"].line, 15);
}

#[test]
fn an_issuing_ca_permits_what_it_signs_and_this_machine_unless_it_says_otherwise() {
    let text = r#"
project.name = "p"
[secrets]
ROOT = { kind = "ca" }
OPEN = { kind = "ca", issuer = "ROOT" }
SAID = { kind = "ca", issuer = "ROOT", permitted_dns = ["y.test", "x.test"], permitted_ip = [] }
A = { kind = "certificate", issuer = "OPEN", dns = ["*.a.test", "b.a.test"], ip = ["10.0.0.7", "127.0.0.9"] }
B = { kind = "certificate", issuer = "OPEN", dns = ["c.test"], ip = ["10.0.0.7"] }
C = { kind = "certificate", issuer = "ROOT", dns = ["elsewhere.test"] }
D = { kind = "certificate", issuer = "SAID", dns = ["x.test"] }
"#;
    let manifest = parse(text, "m").unwrap();
    let permitted = |name: &str| {
        let Kind::Ca(ca) = kind(&manifest, name) else { panic!() };
        let ip: Vec<_> = ca.permitted_ip.iter().map(ToString::to_string).collect();
        (ca.permitted_dns.join(" "), ip.join(" "))
    };
    let open = ("a.test c.test localhost".to_owned(), "127.0.0.0/8 ::1/128 10.0.0.7/32".to_owned());
    assert_eq!(permitted("OPEN"), open);
    assert_eq!(permitted("SAID"), ("y.test x.test".to_owned(), String::new()));
}

#[test]
fn a_token_takes_its_algorithm_from_its_key_and_its_life_from_its_role() {
    let manifest = small();
    let Kind::Token(hmac) = kind(&manifest, "HMAC_TOKEN") else { panic!() };
    assert_eq!(
        (hmac.algorithm, hmac.ttl, hmac.subject.as_str()),
        (TokenAlgorithm::Hs256, Period::hours(1), "service:hmac_token")
    );
    let Kind::Token(admin) = kind(&manifest, "ADMIN_TOKEN") else { panic!() };
    assert_eq!(
        (admin.algorithm, admin.ttl, admin.subject.as_str()),
        (TokenAlgorithm::Es384, Period::days(90), "admin:admin_token")
    );
    assert_eq!((admin.audience.as_slice(), admin.issuer.as_str()), (&["my.app-2".to_owned()][..], "my.app-2"));
}

#[test]
fn a_star_takes_what_the_format_carries_and_no_private_key() {
    let manifest = small();
    let carried =
        |name: &str| manifest.outputs[name].secrets.iter().map(SecretName::as_str).collect::<Vec<_>>().join(" ");
    let texts = "CUSTOMER_KEY DATA_KEY GIVEN PHRASE PASSWORD SECRET";
    assert_eq!(carried("env"), format!("{texts} PORT URL HMAC_TOKEN ADMIN_TOKEN ID"));
    assert_eq!(carried("docker"), format!("{texts} URL HMAC_TOKEN ADMIN_TOKEN ID a.b"));
    assert_eq!(carried("json"), format!("{texts} PORT URL HMAC_TOKEN ADMIN_TOKEN ID a.b"));
    assert_eq!(carried("tls"), "ROOT SUB LEAF OWN SIGN");
    assert_eq!(carried("k8s"), format!("{texts} PORT URL HMAC_TOKEN ADMIN_TOKEN ID a.b"));
    assert_eq!(carried("eso"), "ID");
    assert_eq!(carried("keys"), "");
    assert_eq!((manifest.outputs["env"].mode, manifest.outputs["env"].directory_needs()), (0o600, 0o700));
}

#[test]
fn a_later_format_parses_and_is_refused_from_one_place() {
    assert_eq!(small().outputs["swarm"].format, Format::NotYet("docker-swarm"));
    let error = not_yet("docker-swarm");
    assert_eq!((error.kind(), error.code()), (crate::exit::Kind::Manifest, "not-yet-available"));
}

#[test]
fn the_order_is_that_of_the_file_but_for_references() {
    let text = r#"
project.name = "p"
[secrets]
URL = { kind = "template", template = "${Z}${B}" }
Z = { kind = "uuid" }
B = { kind = "uuid" }
A = { kind = "uuid" }
"#;
    let order = parse(text, "m").unwrap().order;
    assert_eq!(order.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Z", "B", "URL", "A"]);
}

#[test]
fn an_account_that_is_not_checked_is_a_warning() {
    let manifest = parse("project.name = \"p\"\n[environments.dev]\naws = { region = \"eu-west-1\" }\n", "m").unwrap();
    let [warning] = manifest.warnings.as_slice() else { panic!() };
    assert_eq!(
        (warning.line, warning.message.as_str()),
        (3, "`environments.dev.aws.account` is absent, so the account is not checked")
    );
}

#[test]
fn an_overlap_that_the_next_rotation_ends_is_a_warning() {
    let of = |environments: &str, secret: &str| {
        let text = format!("project.name = \"p\"\n{environments}\n[secrets.A]\nkind = \"random\"\n{secret}");
        let warnings = parse(&text, "m").unwrap().warnings.into_iter();
        warnings.map(|it| (it.line, it.message, it.hint.unwrap())).collect::<Vec<_>>()
    };
    let (rotate, overlap) = ("rotate = \"2d\"\n", "overlap = \"48h\"\n");
    let hint = "each rotation ends the overlap of the one before it, and a scheduled one waits for that end where a hook has the step \
                `retire`: make `overlap` shorter, or `rotate` longer";
    let warning = |what: &str| vec![(6, format!("`secrets.A.overlap`, {what}"), hint.to_owned())];
    assert_eq!(of("", &format!("{rotate}{overlap}")), warning("2d, is not shorter than its `rotate`, 2d"));
    assert_eq!(of("", &format!("{rotate}overlap = \"47h\"\n")), []);
    assert_eq!(of("", overlap), []);
    assert_eq!(of("environments.dev.rotate = \"never\"", &format!("{rotate}{overlap}")), []);
    assert_eq!(of("environments.dev.overlap = \"1h\"", &format!("{rotate}{overlap}")), []);
    assert_eq!(
        of("environments.dev.rotate = \"1d\"", "rotate = \"90d\"\noverlap = \"24h\"\n"),
        warning("1d in environment `dev`, is not shorter than its `rotate`, 1d")
    );
}

#[test]
fn the_default_environment_is_dev_or_the_first_of_the_file() {
    let default =
        |text: &str| parse(&format!("project.name = \"p\"\n{text}"), "m").unwrap().default_environment.to_string();
    assert_eq!(default("[environments.prod]\n[environments.dev]"), "dev");
    assert_eq!(default("[environments.prod]\n[environments.a]"), "prod");
    assert_eq!(default("project.default_environment = \"prod\""), "prod");
}

#[test]
fn a_ca_takes_the_name_of_no_file_that_it_does_not_write() {
    let manifest = "[project]\nname = \"p\"\n[secrets.CA]\nkind = \"ca\"\n[secrets.TLS]\nkind = \"certificate\"\n\
                    issuer = \"CA\"\ndns = [\"a.test\"]\n[outputs.ca]\nformat = \"pem\"\npath = \"tls\"\nsecrets = [\"CA\"]\n\
                    [outputs.tls]\nformat = \"pem\"\npath = \"tls\"\nsecrets = [\"TLS\"]\n";
    assert!(parse(manifest, "m").is_err(), "both write `ca.pem`");
    parse(&format!("{manifest}files = {{ fullchain = \"fullchain.pem\", key = \"key.pem\" }}\n"), "m").unwrap();
}

#[test]
fn outputs_of_environments_that_do_not_meet_may_share_a_path() {
    let text = r#"
project.name = "p"
[environments.dev]
[environments.prod]
[outputs.a]
format = "dotenv"
path = ".env"
environments = ["dev"]
[outputs.b]
format = "json"
path = ".env"
environments = ["prod"]
[outputs.public]
format = "dotenv"
path = "public.env"
mode = "0644"
secrets = ["PORT"]
[secrets.PORT]
kind = "setting"
value = "80"
"#;
    assert_eq!(parse(text, "m").unwrap().outputs.len(), 3);
}

#[test]
fn ten_thousand_secrets_parse() {
    use std::fmt::Write as _;
    let mut text = String::from("project.name = \"p\"\n");
    for number in 0..10_000 {
        writeln!(text, "[secrets.SECRET_{number}]\nkind = \"random\"\nrotate = \"90d\"").unwrap();
    }
    text.push_str("[outputs.docker]\nformat = \"docker-secrets\"\npath = \".secrets\"\n");
    let manifest = parse(&text, "m").unwrap();
    assert_eq!((manifest.order.len(), manifest.outputs["docker"].secrets.len()), (10_000, 10_000));
    assert_eq!(manifest.secrets["SECRET_9999"].line, 29_999);
    let broken = parse(&text.replace("\"random\"", "\"randum\""), "m").map(drop).unwrap_err();
    assert_eq!(broken.issues.len(), 10_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*|[\\[\\]{}=.,\"'a-z0-9\\n #\\\\]{0,80}") {
        let _ = parse(&text, "m");
    }

    #[test]
    fn no_mutation_of_a_manifest_makes_the_parser_panic(
        which in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..30_usize, "[\\[\\]{}=.,\"'\\n #$0-9a-zA-Zé\\\\/*-]{0,6}"), 1..6)
    ) {
        let mut text: Vec<char> = if which { DESIGN } else { SMALL }.chars().collect();
        for (place, removed, added) in edits {
            let start = place.index(text.len() + 1);
            let end = (start + removed).min(text.len());
            text.splice(start..end, added.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(issues) = parse(&text, "m") {
            prop_assert!(!issues.issues.is_empty());
            let last = text.matches('\n').count() + 1;
            prop_assert!(issues.issues.iter().all(|issue| (1..=last).contains(&issue.line)));
        }
    }
}
