//! What vault-kit writes into `.env` files is read back by readers that nobody here wrote.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and tells how many values were read")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use vault_kit::emit::{Value, emit};
use vault_kit::manifest::model::Dialect;
use vault_kit::manifest::{Format, Kind, Output};
use vault_kit::name::SecretName;
use vault_kit::secret::Secret;
use vault_kit::secret::parts::Parts;

use support::{program, python, root, search_path, skip};

/// Seeds of the fuzz, and the values drawn from each.
const SEEDS: u64 = 8;
const VALUES: usize = 500;

/// The values that readers are known to stumble over.
const CORPUS: [&str; 47] = [
    "",
    "0123456789abcdef",
    "aGVsbG8gd29ybGQ=",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln-_",
    "postgres://app:p%40ss@db:5432/app?sslmode=require&x=1",
    " lead",
    "trail ",
    "\ttab\t",
    "a b",
    "a #b",
    "#a",
    "a$",
    "$HOME",
    "${HOME}",
    "${HOME:-x}",
    "$$",
    "$9",
    "$(touch executed)",
    "`touch executed`",
    "a`b",
    "say \"hi\"",
    "it's",
    "'",
    "\"",
    "''",
    "\"\"",
    "it's \"both\" `and` $HOME \\",
    r"C:\dir\new\table",
    r"a\\b",
    r"trailing\",
    r"a\'b",
    r"a\$b",
    "!bang!",
    "100%",
    "=",
    "==a",
    "a=\"b",
    "{\"a\": {\"b\": [1, \"x\"]}}",
    "{\n  \"a\": \"b$c\"\n}\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n",
    "a\nINJECTED=1",
    "\n",
    "a\r\nb",
    "grüße \u{1f511} 密钥",
    "\u{a0}nbsp\u{a0}",
    "~/x:~",
    "a;b&c|d<e>f(g)h*i?j[k]l",
];

/// A reader that prints `NAME=value`, NUL-separated.
struct Judge {
    name: &'static str,
    /// Reads a file; `None` = not to be had here.
    command: fn(&Path) -> Option<Command>,
    /// Whether the judge reads such a value of the portable dialect right, as was measured.
    carries: fn(&str) -> bool,
}

fn judge(script: &str) -> PathBuf {
    root().join("tests/judges").join(script)
}

fn shell(shell: &str, file: &Path) -> Option<Command> {
    let mut command = Command::new(program(shell)?);
    command.arg(judge("environ.sh")).arg(file);
    Some(command)
}

fn python_judge(script: &str, file: &Path) -> Option<Command> {
    let mut command = Command::new(python()?);
    command.arg(judge(script)).arg(file);
    Some(command)
}

fn compose(file: &Path, how: &str) -> Option<Command> {
    let mut command = python_judge("compose.py", file)?;
    command.arg(how);
    Some(command)
}

fn node_dotenv(file: &Path) -> Option<Command> {
    let mut command = Command::new(program("node")?);
    command.arg(judge("node_dotenv.js")).arg(file);
    judge("node_modules/dotenv").exists().then_some(command)
}

fn node_environ(file: &Path) -> Option<Command> {
    let mut command = Command::new(program("node")?);
    command.arg(format!("--env-file={}", file.display())).arg(judge("node_environ.js"));
    Some(command)
}

const BASH: Judge = Judge { name: "bash", command: |file| shell("bash", file), carries: |_| true };
const DASH: Judge = Judge { name: "dash", command: |file| shell("dash", file), carries: |_| true };
const ZSH: Judge = Judge { name: "zsh", command: |file| shell("zsh", file), carries: |_| true };
const PYTHON: Judge = Judge {
    name: "python-dotenv",
    command: |file| python_judge("python_dotenv.py", file),
    carries: |value| !value.contains("${") && !value.contains(r"\\") && !value.ends_with('\\'),
};
const NODE_DOTENV: Judge = Judge { name: "node-dotenv", command: node_dotenv, carries: |value| !value.ends_with('\\') };
const NODE: Judge = Judge { name: "node-env-file", command: node_environ, carries: |_| true };
const SYSTEMD: Judge =
    Judge { name: "systemd", command: |file| python_judge("systemd_environment_file.py", file), carries: |_| true };
const COMPOSE_FILE: Judge = Judge {
    name: "compose-env-file",
    command: |file| compose(file, "env_file"),
    carries: |value| !value.ends_with('\\'),
};
const COMPOSE_INTERPOLATION: Judge = Judge {
    name: "compose-interpolation",
    command: |file| compose(file, "interpolation"),
    carries: |value| !value.ends_with('\\'),
};
const DOCKER: Judge =
    Judge { name: "docker-run", command: |file| python_judge("docker_run.py", file), carries: |_| true };

/// xorshift64*: the same values in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(bits).expect("31 bits fit") % bound
    }

    fn value(&mut self) -> String {
        const PIECES: [&str; 34] = [
            "a", "Z", "9", "word", "_", "-", ".", "/", "=", "%", "+", "é", "密", "\u{a0}", " ", "  ", "\t", "#", " #",
            "!", "~", "&", ";", "{", "}", "(", "*", "=\"", "B=1", ":", "|", ",", "[", "@",
        ];
        const NASTY: [&str; 14] =
            ["'", "\"", "\\", "$", "`", "\n", "\r", "${A}", "$(id)", "\\n", "\\\\", "$$", "\n\n", "\\'"];
        // One kind of nastiness in most values, so that the rule lets them pass; a mixture in the others.
        let favourite = NASTY[self.below(NASTY.len())];
        let mixed = self.below(4) == 0;
        let length = 1 + self.below(10);
        let piece = |random: &mut Self| match random.below(3) {
            0 if mixed => NASTY[random.below(NASTY.len())],
            0 => favourite,
            _ => PIECES[random.below(PIECES.len())],
        };
        (0..length).map(|_| piece(self)).collect()
    }
}

/// The dotenv file that delivers the values as K0, K1, …; `None` when the dialect refuses one.
fn rendered(dialect: Dialect, values: &[impl AsRef<[u8]>]) -> Option<Secret> {
    let names: Vec<SecretName> = (0..values.len()).map(|index| SecretName::new(format!("K{index}")).unwrap()).collect();
    let parts: Vec<Parts> = values.iter().map(|value| Parts::value(Secret::copy_of(value.as_ref()))).collect();
    let output = Output {
        name: "env".parse().unwrap(),
        format: Format::Dotenv { dialect },
        path: ".env".into(),
        secrets: names.clone(),
        mode: 0o600,
        directory_mode: None,
        uid: None,
        gid: None,
        in_place: false,
        atomic: false,
        environments: None,
        line: 1,
    };
    let values = names
        .iter()
        .zip(&parts)
        .map(|(name, parts)| (name, Value { kind: &Kind::External, parts, lists: None, roots: None }))
        .collect();
    let emission = emit(&output, &values, &|_| Ok(None), false).ok()?;
    emission.files.into_iter().next().map(|file| file.bytes)
}

/// What the judge read, by name; `None` = the judge is not to be had here.
fn read_by(judge: &Judge, bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("judged.env");
    std::io::Write::write_all(&mut create(&file), bytes).unwrap();
    let mut command = (judge.command)(&file)?;
    command.current_dir(directory.path()).env_clear();
    let done = command.env("PATH", search_path()).output().unwrap();
    assert!(!directory.path().join("executed").exists(), "{} executed a value", judge.name);
    if done.status.code() == Some(77) {
        return None;
    }
    assert!(done.status.success(), "{}: {}", judge.name, String::from_utf8_lossy(&done.stderr));
    let entries = done.stdout.split(|&byte| byte == 0).filter_map(|entry| {
        let at = entry.iter().position(|&byte| byte == b'=')?;
        Some((String::from_utf8_lossy(&entry[..at]).into_owned(), entry[at + 1..].to_vec()))
    });
    Some(entries.collect())
}

#[expect(clippy::disallowed_methods, reason = "a file in a temporary directory of this test")]
fn create(path: &Path) -> std::fs::File {
    std::fs::File::create(path).unwrap()
}

/// Has the judge read all values in one file. Tells how many it read, all of them right.
fn convince(judge: &Judge, dialect: Dialect, values: &[String]) -> Option<usize> {
    let carried: Vec<&str> =
        values.iter().map(String::as_str).filter(|value| rendered(dialect, &[value]).is_some()).collect();
    let asked: Vec<&str> =
        carried.into_iter().filter(|value| dialect != Dialect::Portable || (judge.carries)(value)).collect();
    let found = read_by(judge, rendered(dialect, &asked).unwrap().expose())?;
    for (index, &value) in asked.iter().enumerate() {
        let read = found.get(&format!("K{index}")).map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(read.as_deref(), Some(value), "{} read {dialect:?} wrong", judge.name);
    }
    assert!(!found.contains_key("INJECTED") && !found.contains_key("B"), "{}: a value became a variable", judge.name);
    Some(asked.len())
}

/// Has every judge read the corpus and the fuzz, a seed at a time.
fn convince_all(test: &str, dialect: Dialect, judges: &[Judge]) {
    for judge in judges {
        let corpus = CORPUS.map(str::to_owned);
        let Some(mut read) = convince(judge, dialect, &corpus) else {
            skip(&format!("{test}-{}", judge.name), "the judge is not to be had here");
            continue;
        };
        for seed in 1..=SEEDS {
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let values: Vec<String> = (0..VALUES).map(|_| random.value()).collect();
            read += convince(judge, dialect, &values).expect("the judge was there a moment ago");
        }
        println!("{test}: {} read {read} of {read} values right", judge.name);
        assert!(read > 1_000, "{}: the fuzz must not be refused away, {read} values were left", judge.name);
    }
}

#[test]
fn portable_files_are_read_alike_by_shells_python_node_systemd_and_compose() {
    let judges = [BASH, DASH, ZSH, PYTHON, NODE_DOTENV, NODE, SYSTEMD, COMPOSE_FILE, COMPOSE_INTERPOLATION];
    convince_all("dotenv-portable", Dialect::Portable, &judges);
}

#[test]
fn shell_files_are_read_by_shells() {
    convince_all("dotenv-shell", Dialect::Shell, &[BASH, DASH, ZSH]);
}

#[test]
fn compose_files_are_read_by_compose() {
    convince_all("dotenv", Dialect::Compose, &[COMPOSE_FILE, COMPOSE_INTERPOLATION]);
}

#[test]
fn systemd_files_are_read_by_systemd() {
    convince_all("dotenv", Dialect::Systemd, &[SYSTEMD]);
}

#[test]
fn docker_run_files_are_read_by_docker_run() {
    convince_all("dotenv", Dialect::DockerRun, &[DOCKER]);
}

#[test]
fn a_plain_value_of_a_portable_file_is_read_by_docker_run_too() {
    let values = ["", "0a1b", "aGVsbG8=", "postgres://u:p@h:5432/db"];
    match read_by(&DOCKER, rendered(Dialect::Portable, &values).unwrap().expose()) {
        None => skip("dotenv-docker-run", "the judge is not to be had here"),
        Some(found) => {
            for (index, value) in values.iter().enumerate() {
                assert_eq!(found[&format!("K{index}")], value.as_bytes());
            }
        }
    }
}

#[test]
fn the_longest_line_that_we_write_for_docker_is_one_that_docker_reads() {
    let longest = (65_000..66_000)
        .rev()
        .map(|length| "x".repeat(length))
        .find(|value| rendered(Dialect::DockerRun, &[value]).is_some());
    let longest = longest.expect("65,000 bytes are carried");
    match read_by(&DOCKER, rendered(Dialect::DockerRun, &[&longest]).unwrap().expose()) {
        None => skip("dotenv-docker-run", "the judge is not to be had here"),
        Some(found) => assert_eq!(found["K0"], longest.as_bytes()),
    }
}

#[test]
fn bytes_that_are_not_text_pass_through_a_shell() {
    let value = b"\xff\xfe '$(touch executed)' \x80";
    for judge in [BASH, DASH] {
        match read_by(&judge, rendered(Dialect::Shell, &[value]).unwrap().expose()) {
            None => skip(&format!("dotenv-shell-{}", judge.name), "the judge is not to be had here"),
            Some(found) => assert_eq!(found["K0"], value, "{}", judge.name),
        }
    }
}
