//! Project, environments, and what is not TOML.

use super::Refusal;

pub(super) const PROJECT: &[Refusal] = &[
    ("", &[(1, "`project` is missing", "add `[project]`")]),
    (
        "[project]
",
        &[(1, "`project.name` is missing", r#"add `name = "my-project"`"#)],
    ),
    (
        r#"[project]
name = "my project"
"#,
        &[(
            2,
            "`project.name` is not a name",
            "it begins with a letter or digit, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 64 long",
        )],
    ),
    (
        r#"[project]
name = "p"
keep = 0
"#,
        &[(3, "`project.keep` must be from 1 to 100", "")],
    ),
    (
        r#"[project]
name = "p"
issuer = ""
"#,
        &[(3, "`project.issuer` is empty or holds a control character", "")],
    ),
    (
        r#"[project]
name = "p"
naem = "x"
"#,
        &[(3, "`project.naem` is not a field", "did you mean `name`?")],
    ),
    (
        r#"[project]
name = "p"
default_environment = "prd"
[environments.prod]
"#,
        &[(3, "`project.default_environment` names an environment that is not declared", "did you mean `prod`?")],
    ),
    (
        r#"[project]
name = "p"
[environments."a/b"]
"#,
        &[(
            3,
            "the environment's name is not valid",
            "a name begins with a letter or `_`, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 128 long",
        )],
    ),
    (
        r#"[project]
name = "p"
[environments.prod]
rotate = "monthly"
"#,
        &[(
            4,
            "`environments.prod.rotate` is neither a length of time nor `never`",
            r#"write `"90d"`, for example, or `"never"`"#,
        )],
    ),
    (
        r#"[project]
name = "p"
[environments.prod.recipients]
alice = "ssh-ed25519 AAAA"
"#,
        &[(
            4,
            "`environments.prod.recipients` holds something that is not an age recipient",
            "a recipient begins with `age1`; `age-keygen -y IDENTITY_FILE` prints it",
        )],
    ),
    (
        r#"[project]
name = "p"
[environments.prod.recipients]
alice = "AGE-SECRET-KEY-1QQQ"
"#,
        &[(
            4,
            "`environments.prod.recipients` holds an identity, which is private, where a recipient belongs",
            "put there what `age-keygen -y IDENTITY_FILE` prints, and replace that identity: it was in a file that is committed",
        )],
    ),
    (
        r#"[project]
name = "p"
[environments.prod.aws]
account = "1234"
"#,
        &[(4, "`environments.prod.aws.account` must be twelve digits in quotes", "")],
    ),
    (
        r#"[project]
name = "p"
[environments.prod.aws]
account = 123456789012
"#,
        &[(4, "`environments.prod.aws.account` must be text, not a whole number", "put it in quotes")],
    ),
    (
        r#"[project]
name = "p"
name = "q"
"#,
        &[(3, "not TOML: duplicate key", "text stands in quotes, and no name stands twice")],
    ),
];
