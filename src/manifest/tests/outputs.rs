//! Outputs.

use super::Refusal;

pub(super) const OUTPUTS: &[Refusal] = &[
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
dns = ["a.test"]
[secrets.B]
kind = "certificate"
issuer = "self"
dns = ["b.test"]
[outputs.a]
format = "pem"
path = "tls"
secrets = ["A"]
files = { fullchain = "a.pem", key = "a.key" }
atomic = true
[outputs.b]
format = "pem"
path = "tls"
secrets = ["B"]
files = { fullchain = "b.pem", key = "b.key" }
atomic = true
"#,
        &[(
            19,
            "`outputs.a` and `outputs.b` write the same file",
            "give each a `path` of its own, or `environments` that do not meet",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
[outputs.o]
format = "jwks"
path = "jwks.json"
secrets = ["A"]
"#,
        &[(
            8,
            "`outputs.o.secrets`: `jwks` cannot carry `A`, which has no public key, and a key set is for everybody to read",
            "list secrets of kind `keypair` alone; verifiers of a shared key need the key itself",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "keypair"
[outputs.o]
format = "revocations"
path = "revoked.json"
secrets = ["A"]
"#,
        &[(
            8,
            "`outputs.o.secrets`: `revocations` cannot carry `A`, which has no place in a list of revoked tokens",
            "leave `secrets` out",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
path = ".env"
"#,
        &[(5, "`outputs.o.format` is missing", r#"add `format = "dotenv"`"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotnev"
path = ".env"
"#,
        &[(
            6,
            "`outputs.o.format` must be one of `docker-secrets`, `dotenv`, `json`, `jwks`, `pem`, `api-keys`, `revocations`, `compose-override`, `docker-swarm`, `external-secret`, `fingerprints`, `kubernetes-secret`, `systemd-credentials`",
            "did you mean `dotenv`?",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
"#,
        &[(5, "`outputs.o.path` is missing", r#"add `path = ".env"`"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "api-keys"
secrets = ["A"]
"#,
        &[
            (5, "`outputs.o.path` is missing", r#"add `path = "api-keys.json"`"#),
            (
                7,
                "`outputs.o.secrets`: `api-keys` cannot carry `A`, which is a value",
                "take `secrets` out: it tells of the store's records and carries no value",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "json"
path = "a"
dialect = "shell"
"#,
        &[(8, "`outputs.o.dialect` is not a field of format `json`", "it belongs to format `dotenv`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = "../.bashrc"
"#,
        &[(
            7,
            "`outputs.o.path` leads out of its directory with `..`",
            "write a path below the manifest's directory, such as `.env` or `.secrets`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".vault-kit/dev.age"
"#,
        &[(
            7,
            "`outputs.o.path` leads into `.vault-kit` or `.git`",
            "write a path below the manifest's directory, such as `.env` or `.secrets`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = "vault-kit.toml"
"#,
        &[(7, "`outputs.o.path` is the manifest itself", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
mode = "0644"
"#,
        &[(
            8,
            "`outputs.o.mode` lets every user of the host read secrets",
            r#"write `"0600"`, or `"0640"` and a `gid` for a group that reads"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
mode = "0660"
"#,
        &[(
            8,
            "`outputs.o.mode` lets others than the owner write",
            r#"write `"0600"`, or `"0640"` for a group that reads"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
mode = 600
"#,
        &[(
            8,
            "`outputs.o.mode` is not a mode",
            r#"write the permission bits as octal digits in quotes, such as `"0600"`"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "docker-secrets"
path = "s"
directory_mode = "0777"
"#,
        &[(
            8,
            "`outputs.o.directory_mode` lets others than the owner replace files",
            r#"write `"0700"`, or `"0750"` for a group that reads"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "docker-secrets"
path = "s"
directory_mode = "0600"
"#,
        &[(8, "`outputs.o.directory_mode` locks out the owner", r#"write `"0700"`"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
secrets = ["B", "A", "A"]
"#,
        &[
            (8, "`outputs.o.secrets` names a secret that is not declared", "did you mean `A`?"),
            (8, "`outputs.o.secrets` names `A` twice", ""),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
secrets = ["*", "A"]
"#,
        &[(8, "`outputs.o.secrets` has names beside `*`", r#"write `["*"]` alone, or names alone"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "ca"
[outputs.o]
format = "dotenv"
path = ".env"
secrets = ["A"]
"#,
        &[(
            8,
            "`outputs.o.secrets`: `dotenv` cannot carry `A`, which is several files",
            "deliver it with a `pem` output",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.a-b]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
secrets = ["a-b"]
"#,
        &[(
            8,
            "`outputs.o.secrets`: `dotenv` cannot carry `a-b`, which has `.` or `-` in its name",
            "rename it with letters, digits and `_`, or deliver it with `docker-secrets`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "pem"
path = "tls"
secrets = ["A"]
"#,
        &[(
            8,
            "`outputs.o.secrets`: `pem` cannot carry `A`, which is one text",
            "deliver it with `dotenv`, `docker-secrets` or `json`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "ca"
[secrets.B]
kind = "ca"
[outputs.o]
format = "pem"
path = "tls"
files = { key = "k" }
"#,
        &[(10, "`outputs.o.files` needs exactly one secret in `secrets`", "write one output for each certificate")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "ca"
[outputs.o]
format = "pem"
path = "tls"
files = { public = "p", kye = "k" }
"#,
        &[
            (
                8,
                "`outputs.o.files` names a piece that `A` does not have",
                "`A` has `ca`, `cert`, `chain`, `combined`, `crl`, `fullchain`, `key`",
            ),
            (8, "`outputs.o.files` names a piece that `A` does not have", "did you mean `key`?"),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "docker-secrets"
path = "s"
files = { B = "b", A = "/etc/passwd" }
"#,
        &[
            (8, "`outputs.o.files` names a secret that is not in the output", "did you mean `A`?"),
            (
                8,
                "a file name in `outputs.o.files` must be relative to the output's `path`",
                "write a path below the output's `path`, such as `tokens/service.txt`",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = ".env"
[outputs.p]
format = "json"
path = "./.env"
"#,
        &[(
            10,
            "`outputs.o` and `outputs.p` write the same file",
            "give each a `path` of its own, or `environments` that do not meet",
        )],
    ),
    (
        r#"[project]
name = "p"
default_environment = "dev"
[environments.dev]
[environments.prod]
[secrets.A]
kind = "uuid"
[outputs.o]
format = "fingerprints"
path = "f.json"
environments = ["dev"]
[outputs.p]
format = "fingerprints"
path = "f.json"
environments = ["prod"]
"#,
        &[(
            14,
            "`outputs.o` and `outputs.p` write the same file",
            "give each a `path` of its own: a list of fingerprints is committed, and tells of one environment",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[secrets.a]
kind = "uuid"
[outputs.o]
format = "docker-secrets"
path = "s"
"#,
        &[(9, "two secrets of `outputs.o` write the same file", "give them names of their own with `files`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[outputs.o]
format = "dotenv"
path = "s"
[outputs.p]
format = "docker-secrets"
path = "s"
"#,
        &[(
            10,
            "`outputs.o` and `outputs.p` write a file where the other needs a directory",
            "give each a `path` of its own, or `environments` that do not meet",
        )],
    ),
    (
        r#"[project]
name = "p"
[environments.dev]
[environments.prod]
[secrets.A]
kind = "uuid"
environments = ["dev"]
[outputs.o]
format = "dotenv"
path = ".env"
secrets = ["A"]
environments = ["prod"]
"#,
        &[(
            11,
            "`outputs.o.secrets`: `A` exists in none of the output's environments",
            "take it out, or change the `environments` of one of them",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.CA]
kind = "ca"
[secrets.A]
kind = "certificate"
issuer = "CA"
dns = ["a.test"]
[outputs.one]
format = "pem"
path = "one"
secrets = ["CA"]
layout = "nginx"
[outputs.two]
format = "pem"
path = "two"
secrets = ["A"]
layout = "ngnix"
[outputs.three]
format = "pem"
path = "three"
secrets = ["A"]
layout = "nginx"
files = { key = "key.pem" }
[outputs.four]
format = "pem"
path = "four"
atomic = true
in_place = true
[outputs.five]
format = "pem"
path = "five"
secrets = ["A"]
files = { key = "private/key.pem" }
atomic = true
[outputs.six]
format = "json"
path = "six.json"
atomic = true
"#,
        &[
            (
                13,
                "`outputs.one.layout` needs exactly one certificate in `secrets`",
                "write one output for each certificate",
            ),
            (
                18,
                "`outputs.two.layout` must be one of `haproxy`, `kubernetes`, `nginx`, `postgres`, `traefik`",
                "did you mean `nginx`?",
            ),
            (24, "`outputs.three` has both `layout` and `files`", "write one of them"),
            (
                28,
                "`outputs.four` has both `atomic` and `in_place`",
                "`in_place` is for single files; mount the directory for `atomic`",
            ),
            (
                28,
                "`outputs.four.atomic` needs exactly one secret in `secrets`",
                "write one output for each certificate",
            ),
            (35, "`outputs.five.atomic` needs plain file names in `files`", "write names without `/`"),
            (39, "`outputs.six.atomic` is not a field of format `json`", "it belongs to format `pem`"),
        ],
    ),
    (
        r#"[project]
name = "shop"
[secrets.A]
kind = "random"
[environments.dev]
[environments.prod]
[outputs.one]
format = "json"
path = "auth/one.json"
directory_mode = "0750"
[outputs.two]
format = "docker-secrets"
path = "auth"
directory_mode = "0700"
[outputs.below]
format = "docker-secrets"
path = "auth/below"
directory_mode = "0755"
[outputs.same]
format = "json"
path = "auth/same.json"
directory_mode = "0750"
environments = ["dev"]
[outputs.elsewhere]
format = "json"
path = "auth/below/elsewhere.json"
directory_mode = "0700"
environments = ["dev"]
[outputs.prod]
format = "json"
path = "auth/below/prod.json"
directory_mode = "0755"
environments = ["prod"]
"#,
        &[
            (
                13,
                "`outputs.one` and `outputs.two` declare two modes for the directory `auth`",
                "give both one `directory_mode`, or each a directory of its own",
            ),
            (
                26,
                "`outputs.below` and `outputs.elsewhere` declare two modes for the directory `auth/below`",
                "give both one `directory_mode`, or each a directory of its own",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[environments.dev]
[environments.prod]
aws = { account = "111111111111", region = "us-east-1" }
[secrets.A]
kind = "uuid"
aws = "a"
[secrets.B]
kind = "uuid"
[outputs.o]
format = "external-secret"
path = "o.yaml"
secrets = ["A", "B"]
refresh_interval = "soon"
[outputs.none]
format = "external-secret"
path = "none.yaml"
store = "aws"
secrets = []
environments = ["prod"]
"#,
        &[
            (11, "`outputs.o.store` is missing", "add `store = \"aws-secrets-manager\"`"),
            (
                11,
                "`outputs.o` exists in environment `dev`, which is not in AWS",
                "write `environments = [\"prod\"]`, or declare its `aws`",
            ),
            (
                14,
                "`outputs.o.secrets`: `external-secret` cannot carry `B`, which is not in AWS",
                "say where it is there: `aws = \"database/url\"` or `bundle = \"app\"`",
            ),
            (
                15,
                "`outputs.o.refresh_interval` is not a length of time",
                r#"write a number and a unit in quotes, such as `"30d"` or `"12h"`"#,
            ),
            (16, "`outputs.none` has no secret in it", "name some in `secrets`"),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
[secrets.B]
kind = "uuid"
[secrets.TLS]
kind = "certificate"
issuer = "self"
dns = ["a.test"]
[outputs.o]
format = "kubernetes-secret"
path = "o.yaml"
name = "My_Secret"
namespace = "a.b"
labels = { "a b" = "x", team = "-x" }
annotations = { "a/b/c" = "x" }
secrets = ["A", "B"]
keys = { A = "..a", C = "c" }
[outputs.two]
format = "kubernetes-secret"
path = "two.yaml"
secrets = ["A", "B"]
keys = { A = "B" }
[outputs.tls]
format = "kubernetes-secret"
path = "tls.yaml"
secrets = ["A", "TLS"]
[outputs.edge_]
format = "kubernetes-secret"
path = "edge.yaml"
store = "aws"
secrets = ["A"]
"#,
        &[
            (14, "`outputs.o.name` is not a name in Kubernetes", NAME),
            (
                15,
                "`outputs.o.namespace` is not a name in Kubernetes",
                "a–z, 0–9 and `-`, a letter or digit at both ends, at most 63 characters",
            ),
            (16, "a key of `outputs.o.labels` is not one in Kubernetes", QUALIFIED),
            (16, "a value of `outputs.o.labels` is not one in Kubernetes", ""),
            (17, "a key of `outputs.o.annotations` is not one in Kubernetes", QUALIFIED),
            (19, "`outputs.o.keys` names a secret that is not in the output", "did you mean `A`?"),
            (
                19,
                "a key in `outputs.o.keys` is not one in Kubernetes",
                "1 to 253 of A–Z a–z 0–9 `-` `_` `.`, and not `..` at the beginning",
            ),
            (20, "`outputs.two`: `A` and `B` have one key", "give each its own in `keys = { … }`"),
            (
                25,
                "`outputs.tls` has the certificate `TLS` beside other secrets",
                "write an output for it alone: it is a Secret of type `kubernetes.io/tls`",
            ),
            (29, "`outputs.edge_` needs a `name`: its own is none in Kubernetes", NAME),
            (
                32,
                "`outputs.edge_.store` is not a field of format `kubernetes-secret`",
                "it belongs to format `external-secret`",
            ),
        ],
    ),
];

const NAME: &str = "a–z, 0–9, `-` and `.`, a letter or digit at both ends, at most 253 characters";
const QUALIFIED: &str = "such as `team` or `example.org/team`, at most 63 characters behind the `/`";
