//! What Compose files add to a first manifest: names, who uses them, and the files of secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::propose::speaks;
use super::{EXAMPLES, key, quoted};
use crate::compose::Location;
use crate::compose::needs::{EnvFileNeed, FileNeed, Needs, VariableNeed};
use crate::credential;
use crate::name::SecretName;
use crate::project::MANIFEST;

/// What stands beside a secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub(super) lines: Vec<String>,
    /// Whether Compose does without it.
    pub(super) is_optional: bool,
}

/// What Compose files ask for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    notes: BTreeMap<SecretName, Notes>,
    /// The outputs that env files are, by path.
    env_files: BTreeMap<String, EnvFile>,
    /// Whether a service reads the `.env` as its env file.
    reads_env: bool,
    /// Settings that stand with several values, of which a manifest has one.
    several: Vec<SecretName>,
    /// Names that only files deliver.
    only_files: BTreeSet<SecretName>,
    /// File names by secret, by directory.
    directories: BTreeMap<String, BTreeMap<SecretName, String>>,
    /// Names with defaults.
    left_out: Vec<SecretName>,
    /// Secrets whose files are outside the project.
    outside: Vec<SecretName>,
    /// How many variables are called as if they were pieces of values.
    odd: usize,
    /// Files that are there or come, so that no other output may write them: the manifest, the Compose files, the `.env`, the
    /// directory of fingerprints.
    kept: Vec<String>,
}

/// An env file that an output is to write.
#[derive(Debug)]
struct EnvFile {
    users: String,
    raw: bool,
    names: Vec<SecretName>,
}

/// The values that run, as far as Compose files and the env files of their services say.
pub(super) fn running(needs: &Needs) -> impl Iterator<Item = (&str, &str)> {
    let literals = needs.variables.iter().filter_map(|(name, it)| Some((name.as_str(), it.literal.as_ref()?.as_str())));
    let lines = needs.env_files.values().filter(|it| it.found).flat_map(|it| &it.lines);
    literals.chain(lines.map(|(name, it)| (name.as_str(), it.as_str())))
}

/// Where Compose looks for variables by itself.
const BESIDE: &str = ".env";

impl Asked {
    /// Adds to the entries of an example the names that the Compose files ask for.
    pub(super) fn new<'a>(files: &[String], needs: &'a Needs, entries: &mut Vec<(SecretName, &'a str)>) -> Self {
        let kept =
            [MANIFEST, BESIDE, "fingerprints"].map(str::to_owned).into_iter().chain(files.iter().cloned()).collect();
        let mut asked = Self { kept, ..Self::default() };
        for (name, need) in &needs.variables {
            let is_named = || entries.iter().any(|(known, _)| known.as_str() == name.as_str());
            match SecretName::new(name.as_str()) {
                // A manifest is committed: what may be a part of a password must not come into it.
                Ok(_) if is_piece(name) || need.is_piece && !is_named() => asked.odd += 1,
                Ok(name) => asked.variable(name, need, entries),
                Err(_) => {}
            }
        }
        for (secret, need) in &needs.files {
            asked.file(secret, need, entries);
        }
        // What the example has and Compose does not put in, a service reads from its env file.
        let read: Vec<SecretName> =
            entries.iter().map(|(name, _)| name).filter(|it| !asked.notes.contains_key(*it)).cloned().collect();
        for (path, need) in &needs.env_files {
            asked.env_file(path, need, &read, entries);
        }
        asked
    }

    fn variable(&mut self, name: SecretName, need: &VariableNeed, entries: &mut Vec<(SecretName, &str)>) {
        let is_known = entries.iter().any(|(known, _)| *known == name);
        if !is_known && need.has_default && !speaks(&name) {
            self.left_out.push(name);
            return;
        }
        let mut lines = vec![format!("Used{}.", users(&need.users, &need.at))];
        if need.required {
            lines.push("Compose refuses to start without it.".to_owned());
        }
        if need.literal.is_some() {
            lines.push(format!("Its value stands there as text: write ${{{name}}} instead."));
        }
        if !is_known {
            entries.push((name.clone(), ""));
        }
        self.notes.insert(name, Notes { lines, is_optional: need.has_default });
    }

    fn file(&mut self, secret: &str, need: &FileNeed, entries: &mut Vec<(SecretName, &str)>) {
        let upper = secret.to_ascii_uppercase().replace(['-', '.'], "_");
        let name = need.variable.clone().unwrap_or(upper);
        let Ok(name) = SecretName::new(name.as_str()) else { return };
        let (directory, file) = need.parts();
        let is_taken = self.directories.get(directory).is_some_and(|files| files.values().any(|it| it == file));
        let is_kept = self.kept.iter().any(|it| overlap(it, directory));
        if is_taken || is_kept || directory.is_empty() || !directory.split('/').all(is_plain) || !is_plain(file) {
            self.outside.push(name);
            return;
        }
        let notes = self.notes.entry(name.clone()).or_default();
        notes.lines.push(format!("Mounted as a file{}.", users(&need.users, &need.at)));
        if !entries.iter().any(|(known, _)| *known == name) {
            entries.push((name.clone(), ""));
            self.only_files.insert(name.clone());
        }
        self.directories.entry(directory.to_owned()).or_default().insert(name, file.to_owned());
    }

    /// Of a file that is there the credentials, whose lines an output takes over; of one that is not, all that its example has.
    fn env_file<'a>(
        &mut self,
        path: &str,
        need: &'a EnvFileNeed,
        read: &[SecretName],
        entries: &mut Vec<(SecretName, &'a str)>,
    ) {
        if !self.can_write(path) || !need.found && !need.required && need.lines.is_empty() {
            return;
        }
        let mut names = Vec::new();
        for (name, value) in need.lines.iter().filter(|(name, it)| !need.found || is_credential(name, it.as_str())) {
            let (Ok(name), value) = (SecretName::new(name.as_str()), value.as_str()) else { continue };
            let known = entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            if known.is_some_and(|it| it != value && !speaks(&name)) {
                self.several.push(name);
                continue;
            }
            if known.is_none() {
                entries.push((name.clone(), value));
                self.left_out.retain(|it| *it != name);
                if path != BESIDE {
                    self.only_files.insert(name.clone());
                }
            }
            let notes = self.notes.entry(name.clone()).or_default();
            notes.lines.push(format!("In the env file `{path}`{}.", users(&need.users, &need.at)));
            names.push(name);
        }
        if path == BESIDE {
            self.reads_env = true;
        } else if !names.is_empty() || !need.found {
            let names = if need.lines.is_empty() { read.to_vec() } else { names };
            let users = users(&need.users, &need.at);
            self.env_files.insert(path.to_owned(), EnvFile { users, raw: need.raw, names });
        }
    }

    /// Whether an output can write an env file: beneath the project, not where another one writes, and not over an example
    /// or a file that is kept.
    fn can_write(&self, path: &str) -> bool {
        let mut taken = self.kept.iter().chain(self.directories.keys()).chain(self.env_files.keys());
        path == BESIDE
            || path.split('/').all(is_plain)
                && !EXAMPLES.iter().any(|it| path.ends_with(it))
                && !taken.any(|it| overlap(it, path))
    }

    /// What stands beside a secret.
    pub(super) fn notes_of(&self, name: &SecretName) -> Notes {
        self.notes.get(name).cloned().unwrap_or_default()
    }

    /// What was left out, and why.
    pub(super) fn push_left_out(&self, text: &mut String) {
        for (names, why) in [
            (&self.left_out, "Compose has defaults for these, so they are left out"),
            (&self.several, "These have other values in other files, so that they stay where they are there"),
            (&self.outside, "The files of these are where no output of this manifest can write them"),
        ] {
            if !names.is_empty() {
                let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
                // Writing to a String cannot fail.
                let _ = write!(text, "\n# {why}: {}.\n", names.join(", "));
            }
        }
        self.push_odd(text);
    }

    /// Says of variables that may be none, without their names.
    fn push_odd(&self, text: &mut String) {
        if self.odd > 0 {
            let _ = write!(
                text,
                "\n# Variables that may be a piece of a value, and are left out: {}. For a dollar in a value write `$$`, for a variable `${{NAME}}`.\n",
                self.odd
            );
        }
    }

    /// The outputs: a `.env`, and a directory of files for each that Compose takes secrets from.
    pub(super) fn push_outputs(&self, text: &mut String, entries: &[(SecretName, &str)]) {
        let names: Vec<&SecretName> = entries.iter().map(|(name, _)| name).collect();
        let lines: Vec<&SecretName> = names.iter().filter(|name| !self.only_files.contains(**name)).copied().collect();
        if !lines.is_empty() || names.is_empty() || self.reads_env {
            let (what, which) = if self.only_files.is_empty() {
                ("All of the above", "[\"*\"]".to_owned())
            } else {
                ("What is read as a variable,", list(&lines))
            };
            let _ = write!(text, "\n# {what} as `NAME=value` lines that every reader understands.\n");
            let _ = write!(text, "[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\nsecrets = {which}\n");
        }
        for (number, (path, file)) in (2..).zip(&self.env_files) {
            let names: Vec<&SecretName> = file.names.iter().collect();
            let what = if names.is_empty() { "Nothing says yet what is" } else { "What is" };
            let _ = write!(text, "\n# {what} read from this env file{}.\n[outputs.env-{number}]\n", file.users);
            let dialect = if file.raw { "dialect = \"docker-run\"\n" } else { "" };
            let _ = write!(text, "format = \"dotenv\"\n{dialect}path = {}\nsecrets = {}\n", quoted(path), list(&names));
        }
        for (number, (directory, files)) in (1..).zip(&self.directories) {
            let output = if number == 1 { "docker".to_owned() } else { format!("docker-{number}") };
            let names: Vec<&SecretName> = files.keys().collect();
            let renamed = files.iter().filter(|(name, file)| name.as_str().to_ascii_lowercase() != **file);
            let renamed: Vec<String> =
                renamed.map(|(name, file)| format!("{} = {}", key(name), quoted(file))).collect();
            let _ = write!(text, "\n# One file a secret, for `secrets:` of the Compose file.\n[outputs.{output}]\n");
            let _ =
                writeln!(text, "format = \"docker-secrets\"\npath = {}\nsecrets = {}", quoted(directory), list(&names));
            if !renamed.is_empty() {
                let _ = writeln!(text, "files = {{ {} }}", renamed.join(", "));
            }
        }
    }
}

fn list(names: &[&SecretName]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name.as_str())).collect();
    format!("[{}]", names.join(", "))
}

/// Whether a line of an env file is a credential, or has room for one.
fn is_credential(name: &str, value: &str) -> bool {
    let has_room = || value.is_empty() && SecretName::new(name).is_ok_and(|it| speaks(&it));
    credential::is_literal(name, value) || has_room()
}

/// Who uses it, and where; of many the first ones.
fn users(users: &BTreeSet<String>, at: &Location) -> String {
    const SHOWN: usize = 5;
    let plain = users.iter().filter(|name| is_plain(name)).map(String::as_str);
    let mut shown: Vec<&str> = plain.take(SHOWN).collect();
    if users.len() > shown.len() {
        shown.push("…");
    }
    let by = if shown.is_empty() { String::new() } else { format!(" by {}", shown.join(", ")) };
    let is_path = at.file.split('/').all(is_plain);
    if is_path { format!("{by} ({}:{})", at.file, at.line) } else { by }
}

/// Whether the name of a variable may be what stands behind a dollar in a password: `kJ8shd$Gh2sLq`.
fn is_piece(name: &str) -> bool {
    let has = |is: fn(&u8) -> bool| name.bytes().any(|byte| is(&byte));
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) || credential::looks_random(name)
}

/// Whether two paths are the same, or one is below the other.
fn overlap(one: &str, other: &str) -> bool {
    let is_below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(|it| it.starts_with('/'));
    one == other || is_below(one, other) || is_below(other, one)
}

/// Whether a name of somebody else's can stand in a comment and in a path.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let lower = name.to_ascii_lowercase();
    let is_ours = lower.starts_with(".vault-kit") || lower == ".git";
    !name.is_empty() && name.len() <= 100 && !is_ours && !matches!(name, "." | "..") && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::from_sources;
    use super::*;
    use crate::compose::needs::needs;
    use crate::compose::{Request, resolve};
    use crate::manifest::parse;

    fn manifest(compose: &str, entries: &[(&str, &str)]) -> String {
        let files = ["compose.yaml".to_owned()];
        let texts = BTreeMap::from([("compose.yaml".to_owned(), compose.as_bytes().to_vec())]);
        let request = Request { files: &files, variables: &BTreeMap::new(), env_files: None, directory: "shop" };
        let needs = needs(&resolve(&request, &texts).project);
        let entries: Vec<_> = entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        from_sources("shop", &entries, Some((&files, &needs)), &BTreeMap::new())
    }

    const SHOP: &str = "\
services:
  api:
    image: shop/api:${TAG:-latest}
    environment:
      JWT_SECRET: ${JWT_SECRET:?run vault-kit init}
      LOG_LEVEL: ${LOG_LEVEL}
      SENTRY_DSN: ${SENTRY_DSN:-}
      POSTGRES_PASSWORD_FILE: /run/secrets/db_pw
      ADMIN_PASSWORD: hunter2
      MODE: fast
    secrets: [db_pw, legacy]
  db:
    image: postgres:16
    environment: [OPENAI_API_KEY, POSTGRES_PASSWORD_FILE=/run/secrets/db_pw]
    secrets: [db_pw]
secrets:
  db_pw: {file: ./.secrets/db_pw}
  session-key: {file: ./.secrets/session_key}
  legacy: {file: /etc/legacy}
";

    #[test]
    fn names_users_and_files_of_a_compose_file_become_a_manifest() {
        let text = manifest(SHOP, &[("LOG_LEVEL", "info")]);
        let (_, own) = text.split_once("[project]").unwrap();
        insta::assert_snapshot!(own, @r#"
        name = "shop"
        compose = ["compose.yaml"]

        # Not secret: it lives here, with the example's value.
        # Used by api (compose.yaml:6).
        [secrets.LOG_LEVEL]
        kind = "setting"
        value = "info"

        # Made by vault-kit: only this deployment's own services need to know it.
        # Used by api (compose.yaml:9).
        # Its value stands there as text: write ${ADMIN_PASSWORD} instead.
        [secrets.ADMIN_PASSWORD]
        kind = "password"

        # Made by vault-kit: random bytes that sign or salt.
        # Used by api (compose.yaml:5).
        # Compose refuses to start without it.
        [secrets.JWT_SECRET]
        kind = "random"

        # a person must supply this: vault-kit set OPENAI_API_KEY
        # Used by db (compose.yaml:14).
        [secrets.OPENAI_API_KEY]
        kind = "external"
        obtain = "the console of OpenAI"

        # a person must supply this: vault-kit set SENTRY_DSN
        # Used by api (compose.yaml:7).
        [secrets.SENTRY_DSN]
        kind = "external"
        obtain = "the console of Sentry"
        optional = true

        # Made by vault-kit: only this deployment's own services need to know it.
        # Mounted as a file by api, db (compose.yaml:17).
        [secrets.POSTGRES_PASSWORD]
        kind = "password"

        # Made by vault-kit: random bytes that sign or salt.
        # Mounted as a file (compose.yaml:18).
        [secrets.SESSION_KEY]
        kind = "random"

        # Compose has defaults for these, so they are left out: TAG.

        # The files of these are where no output of this manifest can write them: LEGACY.

        # What is read as a variable, as `NAME=value` lines that every reader understands.
        [outputs.env]
        format = "dotenv"
        path = ".env"
        secrets = ["LOG_LEVEL", "ADMIN_PASSWORD", "JWT_SECRET", "OPENAI_API_KEY", "SENTRY_DSN"]

        # One file a secret, for `secrets:` of the Compose file.
        [outputs.docker]
        format = "docker-secrets"
        path = ".secrets"
        secrets = ["POSTGRES_PASSWORD", "SESSION_KEY"]
        files = { POSTGRES_PASSWORD = "db_pw" }

        # Hashes of the values that are made here; none leads to its value. Commit this file: by it `scan` and the git
        # hooks find a leak in every clone and in CI.
        [outputs.fingerprints-dev]
        format = "fingerprints"
        environments = ["dev"]
        path = "fingerprints/dev.json"
        "#);
        let manifest = parse(&text, MANIFEST).unwrap();
        assert_eq!(manifest.compose.unwrap(), ["compose.yaml"]);
        assert!(!text.contains("hunter2") && !text.contains("fast"));
    }

    #[test]
    fn what_only_is_called_like_a_secret_is_none_and_what_check_would_tell_is_one() {
        let text = manifest(
            "\
services:
  api:
    image: a
    environment:
      CACHE_KEY_PREFIX: app
      PRIMARY_KEY: id
      REDIS_KEY: app:sessions
      AUTH_URL: https://auth.example.com
      ALLOW_EMPTY_PASSWORD: 'yes'
      BASIC_AUTH: bob:hunter2
      QUEUE: ${QUEUE_KEY_PREFIX:-jobs}
",
            &[],
        );
        assert_eq!(
            parse(&text, MANIFEST).unwrap().secrets.keys().map(crate::name::SecretName::as_str).collect::<Vec<_>>(),
            ["BASIC_AUTH"]
        );
        assert!(text.contains("left out: QUEUE_KEY_PREFIX.") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn what_stands_in_several_env_files_with_several_values_is_taken_once() {
        let text = |text: &str| crate::compose::Text::new(text, Location { file: "x".into(), line: 1 }, Vec::new());
        let need = |lines: &[(&str, &str)]| EnvFileNeed {
            at: Location { file: "compose.yaml".into(), line: 4 },
            users: std::iter::once("api".to_owned()).collect(),
            required: true,
            raw: false,
            found: false,
            lines: lines.iter().map(|&(name, value)| (name.to_owned(), text(value))).collect(),
        };
        let mut needs = Needs::default();
        needs.env_files.insert("a.env".into(), need(&[("JWT_SECRET", "changeme"), ("PORT", "80")]));
        needs.env_files.insert("b.env".into(), need(&[("JWT_SECRET", ""), ("PORT", "81")]));
        needs.env_files.insert("../c.env".into(), need(&[("FAR_SECRET", "")]));
        needs.env_files.insert("d.env.example".into(), need(&[("FAR_SECRET", "")]));
        needs.env_files.insert(".env".into(), need(&[]));
        let text = from_sources("shop", &[], Some((&["compose.yaml".to_owned()], &needs)), &BTreeMap::new());
        let manifest = parse(&text, MANIFEST).unwrap();
        assert_eq!(manifest.secrets.len(), 2, "{text}");
        let outputs = manifest.outputs.values().map(|it| (it.path.as_str(), it.secrets.len())).collect::<Vec<_>>();
        assert_eq!(outputs, [(".env", 0), ("a.env", 2), ("b.env", 1), ("fingerprints/dev.json", 0)], "{text}");
        assert!(
            text.contains("value = \"80\"")
                && text.contains("other files, so that they stay where they are there: PORT.")
        );
    }

    #[test]
    fn a_piece_of_a_password_is_no_name() {
        let text = manifest(
            "services: {a: {image: a, environment: {DB_PASSWORD: 'kJ8shd$Gh2sLq', API_KEY: 'x$abcdefgh1234567890', TAG: $TAG, U: $user}}}",
            &[],
        );
        assert!(!text.contains("Gh2sLq") && !text.contains("1234567890"), "{text}");
        assert!(
            text.contains("are left out: 2. For a dollar in a value write `$$`, for a variable `${NAME}`.\n"),
            "{text}"
        );
        let manifest = parse(&text, MANIFEST).unwrap();
        assert_eq!(manifest.secrets.keys().map(SecretName::as_str).collect::<Vec<_>>(), ["TAG", "user"]);
    }

    #[test]
    fn an_upper_case_piece_is_told_from_a_variable_by_where_it_stands() {
        let compose = "services: {a: {image: a, environment: [\"URL=postgres://u:pa$WORD@h\", 'DB_PASSWORD=x$PIECE', 'B_PASSWORD=$REAL', 'C_PASSWORD=x${BRACED}', 'D_PASSWORD=x$KNOWN', 'E_PASSWORD=x$ELSEWHERE', 'F=$ELSEWHERE']}}";
        let text = manifest(compose, &[("KNOWN", "")]);
        assert!(!text.contains("WORD\n") && !text.contains("PIECE") && text.contains("are left out: 2."), "{text}");
        let manifest = parse(&text, MANIFEST).unwrap();
        let names: Vec<_> = manifest.secrets.keys().map(SecretName::as_str).collect();
        assert_eq!(names, ["BRACED", "ELSEWHERE", "KNOWN", "REAL"]);
    }

    #[test]
    fn a_password_with_a_dollar_in_an_env_file_is_declared() {
        let files = ["compose.yaml".to_owned()];
        let compose = "services: {a: {image: a, env_file: prod.env}}";
        let env = "PROD_PASSWORD=kJ8shd2Qe9$Rt5\nURL=http://$HOST/\nOTHER_PASSWORD=x${BRACED}\n";
        let texts = BTreeMap::from([
            ("compose.yaml".to_owned(), compose.as_bytes().to_vec()),
            ("prod.env".to_owned(), env.as_bytes().to_vec()),
        ]);
        let request = Request { files: &files, variables: &BTreeMap::new(), env_files: None, directory: "shop" };
        let needs = needs(&resolve(&request, &texts).project);
        let lines = &needs.env_files["prod.env"].lines;
        assert_eq!(
            lines.iter().map(|(name, it)| (name.as_str(), it.as_str())).collect::<Vec<_>>(),
            [("PROD_PASSWORD", "kJ8shd2Qe9$Rt5")]
        );
        let text = from_sources("shop", &[], Some((&files, &needs)), &BTreeMap::new());
        assert!(text.contains("[secrets.PROD_PASSWORD]") && !text.contains("Rt5") && !text.contains("kJ8"), "{text}");
    }

    #[test]
    fn no_output_writes_what_the_manifest_is_made_of_or_below_a_file() {
        let text = manifest(
            "\
services:
  api:
    image: a
    env_file: [.env, .env/env, vault-kit.toml, compose.yaml, vault-kit.toml/env, one, one/two]
    secrets: [a_key, b_key, c_key, d_key, e_key]
secrets:
  a_key: {file: vault-kit.toml/a_key}
  b_key: {file: compose.yaml/b/b_key}
  c_key: {file: keys/c_key}
  d_key: {file: .env/d_key}
  e_key: {file: fingerprints/e_key}
",
            &[],
        );
        let manifest = parse(&text, MANIFEST).unwrap();
        let paths: Vec<&str> = manifest.outputs.values().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["keys", ".env", "one", "fingerprints/dev.json"], "{text}");
    }

    #[test]
    fn a_compose_file_that_asks_for_nothing_makes_a_manifest_too() {
        parse(&manifest("services: {a: {image: a}}", &[]), MANIFEST).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn whatever_compose_asks_for_the_manifest_parses(
            names in prop::collection::vec("[A-Z]{1,3}(_KEY|_PASSWORD|_FILE|\\.x)?", 0..5),
            secrets in prop::collection::vec(("[a-zA-Z.-]{1,4}", "(\\./|\\.\\./|/)?([a-z.]{1,9}/)?[A-Za-z. {}\"]{1,6}"), 0..4),
            service in "[a-z\\]\\[\"#. ]{1,6}",
            env_files in prop::collection::vec("(\\./|\\.\\./|/)?([a-z.]{1,4}/)?([a-b]|[A-Za-z. {}\"]{1,4}|\\.env|vault-kit\\.toml|compose\\.yaml)(/[ab])?", 0..4),
        ) {
            let json = |text: &str| serde_json::to_string(text).unwrap();
            let environment: Vec<String> = names.iter().map(|name| json(&format!("{name}=${{{name}}}"))).collect();
            let secrets: Vec<String> =
                secrets.iter().map(|(name, file)| format!("{}: {{file: {}}}", json(name), json(file))).collect();
            let env_files: Vec<String> = env_files.iter().map(|it| json(it)).collect();
            let text = manifest(
                &format!(
                    "services: {{{}: {{image: a, environment: [{}], env_file: [{}]}}}}\nsecrets: {{{}}}\n",
                    json(&service), environment.join(", "), env_files.join(", "), secrets.join(", "),
                ),
                &[],
            );
            prop_assert!(parse(&text, MANIFEST).is_ok(), "{text}");
        }

        #[test]
        fn a_value_of_a_compose_file_is_never_copied(name in "[A-Z]{1,4}_(SECRET|PASSWORD|URL|PORT)") {
            let text = manifest(&format!("services: {{a: {{image: a, environment: {{{name}: hunter2canary}}}}}}"), &[]);
            prop_assert!(!text.contains("hunter2canary"));
        }
    }
}
