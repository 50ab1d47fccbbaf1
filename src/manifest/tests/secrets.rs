//! Secrets.

use super::Refusal;

pub(super) const SECRETS: &[Refusal] = &[
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
overlap = "1h"
[secrets.A_PREVIOUS]
kind = "external"
"#,
        &[(
            6,
            "`secrets.A_PREVIOUS` has the name of the previous value of `A` during its overlap",
            "rename it, or take `overlap` out of `secrets.A`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secret.A]
kind = "uuid"
"#,
        &[(3, "`secret` is not a field", "did you mean `secrets`?")],
    ),
    (
        r#"[project]
name = "p"
[secrets]
A = "hunter2-canary"
"#,
        &[(
            4,
            "`secrets.A` must be a table, not text",
            r#"write `[secrets.A]` and beneath it `kind = "random"`; a secret's value never stands here"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets."a b"]
kind = "uuid"
"#,
        &[(
            3,
            "the secret's name is not valid",
            "a name begins with a letter or `_`, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 128 long",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
bytes = 32
"#,
        &[(3, "`secrets.A.kind` is missing", r#"add `kind = "random"`"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "randm"
"#,
        &[(
            4,
            "`secrets.A.kind` must be one of `api-key`, `ca`, `certificate`, `encryption-key`, `external`, `keypair`, `passphrase`, `password`, `random`, `setting`, `template`, `token`, `uuid`",
            "did you mean `random`?",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
bites = 32
"#,
        &[(5, "`secrets.A.bites` is not a field of kind `random`", "did you mean `bytes`?")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
length = 32
"#,
        &[(5, "`secrets.A.length` is not a field of kind `random`", "it belongs to kind `password`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
bytes = 8
"#,
        &[(5, "`secrets.A.bytes` must be from 16 to 1024", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
bytes = "32"
"#,
        &[(5, "`secrets.A.bytes` must be a whole number, not text", "take it out of the quotes")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
bytes = -1
"#,
        &[(5, "`secrets.A.bytes` must be from 16 to 1024", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
encoding = "base46"
"#,
        &[(5, "`secrets.A.encoding` must be one of `base64`, `base64url`, `hex`", "did you mean `base64`?")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
overlap = "1 day"
"#,
        &[(
            5,
            "`secrets.A.overlap` is not a length of time",
            r#"write a number and a unit in quotes, such as `"30d"` or `"12h"`"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
rotate = 90
"#,
        &[(
            5,
            "`secrets.A.rotate` is neither a length of time nor `never`",
            r#"write `"90d"`, for example, or `"never"`"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
optional = true
"#,
        &[(5, "`secrets.A.optional` is not a field of kind `random`", "it belongs to kind `external`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
environments = []
"#,
        &[(5, "`secrets.A.environments` is empty", "leave it out to mean all environments")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
environments = ["dve"]
"#,
        &[(5, "`secrets.A.environments` names an environment that is not declared", "did you mean `dev`?")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "random"
pattern = "("
"#,
        &[(
            5,
            "`secrets.A.pattern` is not a regular expression",
            "such as `'^sk-'`; single quotes keep backslashes as they are",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "external"
optional = "yes"
"#,
        &[(5, "`secrets.A.optional` must be `true` or `false`, not text", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "password"
length = 7
"#,
        &[(5, "`secrets.A.length` must be from 8 to 1024", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "password"
alphabet = "abc"
"#,
        &[(5, "`secrets.A.alphabet` must be at least 10 printable ASCII characters, each once", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "password"
alphabet = "aabcdefghijkl"
"#,
        &[(5, "`secrets.A.alphabet` must be at least 10 printable ASCII characters, each once", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "password"
classes = ["symbol"]
"#,
        &[(
            5,
            "`secrets.A.classes` asks for `symbol`, which the alphabet does not have",
            "add such characters to `secrets.A.alphabet`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "password"
classes = "digit"
"#,
        &[(5, "`secrets.A.classes` must be a list, not text", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "password"
length = 99999999999999999999
[secrets.B]
kind = "password"
length = -1
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["A"]
uid = -1
gid = 4294967295
"#,
        &[
            (5, "`secrets.A.length` must be from 8 to 1024", ""),
            (8, "`secrets.B.length` must be from 8 to 1024", ""),
            (13, "`outputs.env.uid` must be from 0 to 4294967294", ""),
            (14, "`outputs.env.gid` must be from 0 to 4294967294", ""),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "passphrase"
words = 3
"#,
        &[(5, "`secrets.A.words` must be from 6 to 64", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "passphrase"
separator = "\n"
"#,
        &[(5, "`secrets.A.separator` must be at most 16 printable ASCII characters", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "api-key"
prefix = "a-b"
"#,
        &[(5, "`secrets.A.prefix` must be at most 64 of A–Z a–z 0–9 `_`", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "keypair"
algorithm = "rsa"
"#,
        &[(
            5,
            "`secrets.A.algorithm` cannot be `rsa`: vault-kit makes no RSA keys",
            "RSA keys come by import in a later release; `es256` is understood everywhere",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
"#,
        &[(3, "`secrets.A.signed_by` is missing", r#"add `signed_by = "NAME_OF_THE_KEY"`"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
signed_by = "KEY"
"#,
        &[(
            5,
            "`secrets.A.signed_by` names a secret that is not declared",
            "declare it as a table of its own beneath `secrets`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
signed_by = "KYE"
[secrets.KEY]
kind = "random"
"#,
        &[(5, "`secrets.A.signed_by` names a secret that is not declared", "did you mean `KEY`?")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
signed_by = "KEY"
[secrets.KEY]
kind = "uuid"
"#,
        &[(
            5,
            "`secrets.A.signed_by` is `KEY`, of kind `uuid`, which signs no tokens",
            "sign with a `random` or `password` (HS256), or with a `keypair` (ES256, ES384, EdDSA)",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
signed_by = "KEY"
[secrets.KEY]
kind = "random"
bytes = 16
"#,
        &[(
            5,
            "`secrets.A.signed_by` is `KEY`, whose 22 characters are too short for HS256",
            "HS256 needs 32: raise `secrets.KEY.bytes`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
algorithm = "HS512"
signed_by = "KEY"
[secrets.KEY]
kind = "password"
"#,
        &[(
            6,
            "`secrets.A.signed_by` is `KEY`, whose 32 characters are too short for HS512",
            "HS512 needs 64: raise `secrets.KEY.length`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
algorithm = "ES256"
signed_by = "KEY"
[secrets.KEY]
kind = "random"
"#,
        &[(
            5,
            "`secrets.A.algorithm` needs a key pair, and `KEY` is text",
            "use `HS256`, or sign with a secret of kind `keypair`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
algorithm = "HS256"
signed_by = "KEY"
[secrets.KEY]
kind = "keypair"
algorithm = "es384"
"#,
        &[(5, "`secrets.A.algorithm` does not fit the key pair `KEY`", "leave it out or write `ES384`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
algorithm = "PS256"
signed_by = "KEY"
[secrets.KEY]
kind = "random"
"#,
        &[(
            5,
            "`secrets.A.algorithm` needs an RSA key, and `KEY` is made here",
            "vault-kit makes no RSA keys: declare the key as `external` and supply its PEM",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
algorithm = "PS256"
signed_by = "KEY"
[secrets.B]
kind = "token"
algorithm = "RS256"
signed_by = "KEY"
[secrets.KEY]
kind = "external"
"#,
        &[(
            10,
            "`secrets.B` is signed with RS256 by `KEY`, which signs `secrets.A` with PS256",
            "give each algorithm a key of its own",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
ttl = "366d"
signed_by = "KEY"
[secrets.KEY]
kind = "random"
"#,
        &[(5, "`secrets.A.ttl` must be at most `365d`", "a token is minted anew whenever its key rotates")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
role = "root"
signed_by = "KEY"
[secrets.KEY]
kind = "random"
"#,
        &[(5, "`secrets.A.role` must be one of `admin`, `reader`, `service`, `writer`", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
audience = []
signed_by = "KEY"
[secrets.KEY]
kind = "random"
"#,
        &[(5, "`secrets.A.audience` is empty", "leave it out to mean the project's name")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "token"
scope = ["a b"]
signed_by = "KEY"
[secrets.KEY]
kind = "random"
"#,
        &[(5, "`secrets.A.scope` has an entry that is not one word", "write each scope as an entry of its own")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "ca"
issuer = "self"
"#,
        &[(5, "`secrets.A.issuer` cannot be `self`", "a `ca` without `issuer` is a root")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "ca"
permitted_ip = ["10.0.0.1"]
permitted_dns = ["*.example.com"]
"#,
        &[
            (5, "an entry of `secrets.A.permitted_ip` is not an address range such as `10.0.0.0/8`", ""),
            (
                6,
                "an entry of `secrets.A.permitted_dns` has a wildcard",
                "a permitted name stands for all names below it already",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
"#,
        &[(
            3,
            "`secrets.A` names nothing that it is valid for",
            r#"add `dns`, `ip` or `uri`, such as `dns = ["localhost"]`"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
dns = ["localhost"]
"#,
        &[(3, "`secrets.A.issuer` is missing", r#"add `issuer = "self"`"#)],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "B"
dns = ["localhost"]
[secrets.B]
kind = "uuid"
"#,
        &[(5, "`secrets.A.issuer` is `B`, of kind `uuid`, not `ca`", "name a secret of kind `ca`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
ttl = "826d"
dns = ["localhost"]
"#,
        &[(6, "`secrets.A.ttl` must be at most `825d`", "verifiers refuse leaves that live longer; `90d` is usual")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
dns = [
  "a_b",
  "*.com",
  "bücher.example",
  "127.0.0.1",
  "-a",
]
"#,
        &[
            (7, "an entry of `secrets.A.dns` has an underscore, which no host name has", "write `-` instead"),
            (
                8,
                "an entry of `secrets.A.dns` has a wildcard that verifiers refuse",
                "a `*` is the whole leftmost label, with at least two labels below, such as `*.example.com`",
            ),
            (9, "an entry of `secrets.A.dns` is not ASCII", "write its A-label: `xn--bcher-kva.example`"),
            (10, "an entry of `secrets.A.dns` is an address, not a DNS name", "addresses belong in `ip`"),
            (
                11,
                "an entry of `secrets.A.dns` is not a DNS name",
                "labels have 1 to 63 of a–z, 0–9 and `-`, with no `-` at an edge",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
ip = ["localhost"]
uri = ["nothing"]
"#,
        &[
            (6, "an entry of `secrets.A.ip` is not an address such as `127.0.0.1` or `::1`", ""),
            (7, "an entry of `secrets.A.uri` is not a URI", "such as `spiffe://example.org/api`"),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
uri = [
  "spiffe://Example.org/api",
  "spiffe://example.org/api/",
]
"#,
        &[
            (7, "an entry of `secrets.A.uri` has a trust domain that is not one", "such as `spiffe://example.org/api`"),
            (
                7,
                "`secrets.A.uri` has a SPIFFE ID beside other URIs",
                "a SPIFFE ID stands alone: write a certificate for each",
            ),
            (8, "an entry of `secrets.A.uri` has a path that no SPIFFE ID has", "such as `spiffe://example.org/api`"),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.ROOT]
kind = "ca"
permitted_ip = ["10.0.0.0/8"]
[secrets.CA]
kind = "ca"
issuer = "ROOT"
permitted_dns = ["example.com"]
[secrets.A]
kind = "certificate"
issuer = "CA"
dns = ["a.example.com", "*.example.org"]
[secrets.B]
kind = "certificate"
issuer = "ROOT"
ip = ["10.1.2.3", "11.1.2.3"]
"#,
        &[
            (
                12,
                "`secrets.A.dns[1]` is outside what `CA`, which signs it, permits",
                "add it to `secrets.CA.permitted_dns`",
            ),
            (
                12,
                "`secrets.A.dns[0]` is outside what `ROOT`, which signs it, permits",
                "add it to `secrets.ROOT.permitted_dns`",
            ),
            (
                16,
                "`secrets.B.ip[1]` is outside what `ROOT`, which signs it, permits",
                "add it to `secrets.ROOT.permitted_ip`",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "template"
template = "${A}"
"#,
        &[(5, "secrets refer to each other in a circle: `A → A`", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "template"
template = "${B}"
[secrets.B]
kind = "template"
template = "x${A}"
"#,
        &[(5, "secrets refer to each other in a circle: `A → B → A`", "")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "template"
template = "${B"
"#,
        &[(5, "`secrets.A.template` has a `${` without its `}`", "write `$${` for a literal `${`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "template"
template = "${}"
"#,
        &[(
            5,
            "`secrets.A.template` has a `${…}` without a secret's name",
            "write `${NAME}`, or `$${` for a literal `${`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "template"
template = "${B | url}"
"#,
        &[
            (
                5,
                "`secrets.A.template` uses a filter that does not exist",
                "the filters are `base64`, `bcrypt`, `json`, `sha256`, `urlencode`, `username`",
            ),
            (5, "reference 1 of `secrets.A.template` is to a secret that is not declared", "did you mean `A`?"),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "template"
template = "${B}"
[secrets.B]
kind = "ca"
"#,
        &[(
            5,
            "`secrets.A.template` refers to `B`, which is several files, not one text",
            "deliver certificates with a `pem` output",
        )],
    ),
    (
        r#"[project]
name = "p"
[environments.dev]
[environments.prod]
[secrets.A]
kind = "template"
template = "${B}"
[secrets.B]
kind = "uuid"
environments = ["dev"]
"#,
        &[(
            7,
            "`secrets.A` exists in environments in which `B`, which it needs, does not",
            "give both the same `environments`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "setting"
"#,
        &[(
            3,
            "`secrets.A` has no value in environment `dev`",
            "add a `value`, or one for that environment in `values`",
        )],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "setting"
value = 3000
"#,
        &[(5, "`secrets.A.value` must be text, not a whole number", "put it in quotes")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "setting"
value = "a"
values = { prod = "b" }
"#,
        &[(6, "`secrets.A.values` names an environment that is not declared", "the environments are `dev`")],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "setting"
value = "hunter2"
pattern = "^x"
"#,
        &[(3, "a value of `secrets.A` does not match its `pattern`", "")],
    ),
    (
        r#"[project]
name = "p"
x = 
[secrets.A
kind = "uuid
"#,
        &[
            (
                3,
                "not TOML: string values must be quoted, expected literal string",
                "text stands in quotes, and no name stands twice",
            ),
            (4, "not TOML: unclosed table, expected `]`", "text stands in quotes, and no name stands twice"),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "certificate"
issuer = "self"
dns = "localhost"
"#,
        &[(6, "`secrets.A.dns` must be a list, not text", "")],
    ),
];
