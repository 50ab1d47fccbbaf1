//! Environments and secrets in AWS Secrets Manager.

use super::Refusal;

pub(super) const AWS: &[Refusal] = &[
    (
        r#"[project]
name = "p"
[environments.prod.aws]
account = "123456789012"
prefix = "/app/prod"
region = "US East"
replicas = ["eu-west-1", "eu-west-1", "x"]
recovery_window = "6d"
stale_after = "soon"
"#,
        &[
            (
                5,
                "`environments.prod.aws.prefix` does not end in `/`",
                "write whole components with a `/` behind each, such as `/my-project/prod/`",
            ),
            (6, "`environments.prod.aws.region` is not a region", "such as `us-east-1`"),
            (7, "`environments.prod.aws.replicas` names a region twice", "take one out"),
            (7, "`environments.prod.aws.replicas` has an entry that is not a region", "such as `eu-west-1`"),
            (
                8,
                "`environments.prod.aws.recovery_window` must be from 7 to 30 whole days",
                "write `\"30d\"`, for example",
            ),
            (
                9,
                "`environments.prod.aws.stale_after` is not a length of time",
                r#"write a number and a unit in quotes, such as `"30d"` or `"12h"`"#,
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[environments]
a.aws = { account = "123456789012", region = "eu-west-1", replicas = ["eu-west-1"], recovery_window = "169h" }
b.aws = { account = "123456789012", prefix = "/" }
c.aws = { account = "123456789012", prefix = "a//b/" }
d.aws = { account = "123456789012", prefix = "/a b/" }
e.aws = { account = "123456789012", replica = [] }
"#,
        &[
            (4, "`environments.a.aws.recovery_window` must be from 7 to 30 whole days", "write `\"30d\"`, for example"),
            (
                4,
                "`environments.a.aws.replicas` has the region that the secrets are in already",
                "take it out: a replica is in another region",
            ),
            (
                5,
                "`environments.b.aws.prefix` names nothing",
                "write whole components with a `/` behind each, such as `/my-project/prod/`",
            ),
            (
                6,
                "`environments.c.aws.prefix` has an empty component",
                "write whole components with a `/` behind each, such as `/my-project/prod/`",
            ),
            (
                7,
                "`environments.d.aws.prefix` has a character that no name in AWS has",
                "write whole components with a `/` behind each, such as `/my-project/prod/`",
            ),
            (8, "`environments.e.aws.replica` is not a field", "did you mean `replicas`?"),
        ],
    ),
    (
        r#"[project]
name = "p"
[environments.prod.aws]
account = "123456789012"
[environments.prod.aws.tags]
"AWS:x" = "a"
"vault-kit:managed" = "a"
"a*b" = "a"
team = "a<b"
"#,
        &[
            (
                6,
                "a key of `environments.prod.aws.tags` begins with `aws:`, which is for AWS itself",
                "give it another name",
            ),
            (
                7,
                "a key of `environments.prod.aws.tags` begins with `vault-kit:`, by which vault-kit knows what is its own",
                "give it another name",
            ),
            (
                8,
                "a key of `environments.prod.aws.tags` is not one that a tag can have",
                "letters, digits, blanks and `+ - = . _ : / @`; a key has at most 128 characters, a value at most 256",
            ),
            (
                9,
                "a value of `environments.prod.aws.tags` is not one that a tag can have",
                "letters, digits, blanks and `+ - = . _ : / @`; a key has at most 128 characters, a value at most 256",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
aws = "a"
bundle = "b"
[secrets.B]
kind = "uuid"
bundle_key = "k"
[secrets.C]
kind = "uuid"
bundle = "b"
bundle_key = "a b"
[secrets.D]
kind = "keypair"
bundle = "b"
[secrets.E]
kind = "uuid"
bundel = "b"
[secrets.F]
kind = "password"
usernames = ["a", "b"]
bundle = "b"
"#,
        &[
            (
                6,
                "`secrets.A` has both `aws` and `bundle`",
                "keep `aws` for a secret of its own, or `bundle` for a key of a JSON object",
            ),
            (
                9,
                "`secrets.B.bundle_key` stands without `bundle`",
                "add the JSON object that it is a key of, `bundle = \"app\"`",
            ),
            (13, "`secrets.C.bundle_key` is not a key", "it has 1 to 128 of A–Z a–z 0–9 `_` `.` `/` `-`"),
            (
                16,
                "`secrets.D.bundle`: a `keypair` has several parts, and a key has one value",
                "write `aws = \"…\"` instead: there it is a JSON object of its parts",
            ),
            (19, "`secrets.E.bundel` is not a field of kind `uuid`", "did you mean `bundle`?"),
            (
                23,
                "`secrets.F.bundle`: a key has one value, and no place for the user that it belongs to",
                "write `aws = \"…\"` instead: there it is a JSON object of `username` and `password`",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
aws = "/database/url"
[secrets.B]
kind = "uuid"
aws = "database//url"
[secrets.C]
kind = "uuid"
aws = "database/url-a1B2c3"
[secrets.D]
kind = "uuid"
bundle = "a:b"
[secrets.E]
kind = "uuid"
aws = ""
"#,
        &[
            (
                5,
                "`secrets.A.aws` begins with `/`",
                "write what stands behind the environment's prefix, such as `database/url`",
            ),
            (8, "`secrets.B.aws` has an empty component", COMPONENTS),
            (
                11,
                "`secrets.C.aws` ends like an ARN, in `-` and six characters",
                "write the name without the characters that AWS put behind it; readers of partial ARNs would look for that",
            ),
            (14, "`secrets.D.bundle` has a character that no name in AWS has", COMPONENTS),
            (17, "`secrets.E.aws` is empty", COMPONENTS),
        ],
    ),
    (
        r#"[project]
name = "p"
[secrets.A]
kind = "uuid"
aws = "a/b"
[secrets.B]
kind = "uuid"
aws = "a/b"
[secrets.C]
kind = "uuid"
aws = "A/b"
[secrets.D]
kind = "uuid"
aws = "a/b-secret"
[secrets.E]
kind = "uuid"
bundle = "a/b"
[secrets.F]
kind = "uuid"
bundle = "app"
bundle_key = "k"
[secrets.G]
kind = "uuid"
bundle = "App"
bundle_key = "k"
[secrets.H]
kind = "uuid"
bundle = "app"
bundle_key = "k"
"#,
        &[
            (
                8,
                "`secrets.B.aws` is the name of `A` too",
                "give each a name of its own, or make both keys of a `bundle`",
            ),
            (
                11,
                "`secrets.C.aws` differs from the name of `A` only in the case of its letters",
                "write both alike, or rename one",
            ),
            (
                14,
                "`secrets.D.aws` is the name of `A`, `-` and six characters, like its ARN",
                "rename one of them: a partial ARN would mean both",
            ),
            (
                17,
                "`secrets.E.bundle` is the name of `A`, which is a secret of its own",
                "give the bundle a name of its own",
            ),
            (
                24,
                "`secrets.G.bundle` differs from the name of `F` only in the case of its letters",
                "write both alike, or rename one",
            ),
            (28, "`secrets.H` has the key of `F` in their bundle", "give one of them another `bundle_key`"),
        ],
    ),
];

const COMPONENTS: &str = "components of A–Z a–z 0–9 `_` `+` `=` `.` `@` `-` with a `/` between, such as `database/url`";
