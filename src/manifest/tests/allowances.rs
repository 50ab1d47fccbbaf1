//! The allow-list of `check`.

use super::Refusal;
use crate::manifest::parse;

pub(super) const ALLOWANCES: &[Refusal] = &[(
    r#"[project]
name = "p"
[environments.dev]
[[check.allow]]
code = "rotation-du"
secret = "A"
reason = "x"
until = "2026-12-31"
[[check.allow]]
code = "expired"
reason = "x"
until = "2026-13-31"
[[check.allow]]
code = "allow-unused"
file = ".env"
reason = " "
until = 2026-12-31T00:00:00
environments = ["prd"]
[[check.allow]]
secret = "A B"
"#,
    &[
        (5, "`check.allow.code` is not a code", "did you mean `rotation-due`?"),
        (
            9,
            "`check.allow` names neither `secret` nor `file`",
            "say which finding is meant, so that no other is allowed with it",
        ),
        (12, "`check.allow.until` is not a day", "write it as year, month and day, such as `\"2026-12-31\"`"),
        (
            14,
            "`check.allow.code` names a finding about `check.allow` itself",
            "take the entry out that it is about, or give it another `until`",
        ),
        (16, "`check.allow.reason` is empty or holds a control character", ""),
        (17, "`check.allow.until` is not a day", "write it as year, month and day, such as `\"2026-12-31\"`"),
        (18, "`check.allow.environments` names an environment that is not declared", "the environments are `dev`"),
        (19, "`check.allow.code` is missing", "add `code = \"rotation-due\"`"),
        (19, "`check.allow.reason` is missing", "add `reason = \"the provider replaces it in March\"`"),
        (19, "`check.allow.until` is missing", "add `until = \"2026-12-31\"`"),
        (
            20,
            "the secret's name is not valid",
            "a name begins with a letter or `_`, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 128 long",
        ),
    ],
)];

#[test]
fn an_entry_says_what_why_until_when_and_where() {
    let text = "[project]\nname = \"p\"\n[environments.dev]\n[environments.prod]\n[[check.allow]]\ncode = \"expired\"\n\
                secret = \"A\"\nfile = \"./a/.env\"\nreason = \"why\"\nuntil = 2026-12-31\nenvironments = [\"prod\"]\n";
    let manifest = parse(text, "m.toml").unwrap();
    let [it] = &manifest.allowances[..] else { panic!("{:?}", manifest.allowances) };
    assert_eq!((it.code.text(), it.subject().as_str(), it.reason.as_str()), ("expired", "`A` in `a/.env`", "why"));
    assert_eq!((it.until.to_string().as_str(), it.line, manifest.file.as_str()), ("2026-12-31", 5, "m.toml"));
    let names: Vec<_> = manifest.environments.keys().map(|name| it.is_in(name)).collect();
    assert_eq!(names, [false, true]);
}
