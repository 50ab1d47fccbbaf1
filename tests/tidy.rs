//! The rules of the source tree that no compiler knows: who may use what, how long a file is, and that every error has
//! its message tested. ARCHITECTURE.md says why.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// A word of code that may stand only in some places. A place is a module: `store` is `store.rs` and `store/`.
struct Only {
    words: &'static [&'static str],
    within: &'static [&'static str],
}

const ONLY: [Only; 22] = [
    Only { words: &["ring::"], within: &["generate", "secret", "token", "x509/key"] },
    Only { words: &["age::"], within: &["store"] },
    Only { words: &["rcgen::"], within: &["generate/certificate"] },
    Only { words: &["webpki::", "rustls_pki_types::"], within: &["x509"] },
    Only { words: &["jsonwebtoken::"], within: &["token"] },
    Only {
        words: &[
            "aws_config::",
            "aws_credential_types::",
            "aws_runtime::",
            "aws_sdk_secretsmanager::",
            "aws_sdk_sts::",
            "aws_smithy_http_client::",
            "aws_types::",
            "futures_util::",
            "tokio::",
        ],
        within: &["remote/aws"],
    },
    Only { words: &["clap::", "clap_complete::", "clap_mangen::"], within: &["cli"] },
    Only { words: &["toml::", "toml_edit::"], within: &["manifest"] },
    Only { words: &["saphyr_parser::"], within: &["compose/yaml"] },
    Only { words: &["rpassword::"], within: &["ui"] },
    Only {
        words: &[".exec()", ".spawn()", "signal_hook::", "kill_process_group"],
        within: &["hook", "containers/client", "cli/run", "cli/schedule/tool", "observe/git_changes", "scan/git"],
    },
    Only { words: &["aho_corasick::", "flate2::"], within: &["scan"] },
    Only { words: &["diceware_wordlists::"], within: &["words"] },
    Only { words: &["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout()", "stderr()"], within: &["ui"] },
    Only {
        words: &["File::create", "File::options", "OpenOptions", "fs::write", "set_permissions", "fs::rename"],
        within: &["private_file"],
    },
    Only {
        words: &["remove_file", "remove_dir", "create_dir", "fs::copy", "unlinkat", "mkdirat"],
        within: &["private_file"],
    },
    Only { words: &["tz::"], within: &["zone"] },
    Only { words: &["Utc::now", "SystemTime::now", "Local::now"], within: &["clock"] },
    Only { words: &["env::var", "env::set_var", "env::remove_var"], within: &["cli/context"] },
    Only { words: &["process::exit"], within: &["hardening"] },
    Only { words: &["unsafe", ".unwrap()", "todo!", "unimplemented!"], within: &[] },
    Only {
        words: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "rustix::net"],
        within: &[],
    },
];

/// A module that must do without some words.
struct Without {
    module: &'static str,
    words: &'static [&'static str],
    /// Modules in it that may.
    except: &'static [&'static str],
}

/// Disk, descriptors, environment.
const OUTSIDE: [&str; 6] = ["std::fs", "fs::", "File::open", "rustix::", "private_file", "std::env"];

const WITHOUT: [Without; 22] = [
    Without { module: "plan", words: &OUTSIDE, except: &[] },
    Without { module: "plan", words: &["random::", "SystemClock", "Secret", "expose", "expose_text"], except: &[] },
    Without { module: "manifest", words: &OUTSIDE, except: &[] },
    Without {
        module: "manifest",
        words: &["random::", "SystemClock", "crate::secret", "expose", "expose_text"],
        except: &[],
    },
    Without { module: "zone", words: &OUTSIDE, except: &[] },
    Without { module: "check", words: &OUTSIDE, except: &[] },
    // It judges the values of the process environment; every other value comes to `check` as a verdict or as bytes.
    Without {
        module: "check",
        words: &["random::", "SystemClock", "expose", "expose_text"],
        except: &["check/environment"],
    },
    Without { module: "image", words: &OUTSIDE, except: &[] },
    Without { module: "nginx", words: &OUTSIDE, except: &[] },
    Without { module: "compose", words: &OUTSIDE, except: &[] },
    Without { module: "emit", words: &OUTSIDE, except: &[] },
    Without { module: "generate", words: &OUTSIDE, except: &[] },
    Without { module: "token", words: &OUTSIDE, except: &[] },
    Without { module: "api_key", words: &OUTSIDE, except: &[] },
    // Time is a parameter: what is refused as expired must be so in a replay too.
    Without { module: "token", words: &["SystemClock", "Clock"], except: &[] },
    Without { module: "x509", words: &OUTSIDE, except: &[] },
    Without { module: "x509", words: &["random::", "SystemClock"], except: &[] },
    Without { module: "api_key", words: &["SystemClock", "Clock"], except: &[] },
    // Whoever decides what is rotated sees neither disk nor value; whoever does it has programs at hand, and no file.
    Without { module: "rotate", words: &["std::fs", "File::open", "rustix::", "std::env", "SystemClock"], except: &[] },
    Without { module: "rotate/next", words: &["Secret", "expose", "Clock"], except: &[] },
    Without { module: "rotate/schedule", words: &["Secret", "expose", "Clock"], except: &[] },
    Without { module: "rotate/select", words: &["Secret", "expose", "Clock"], except: &[] },
];

/// The most lines of code, tests and comments at their head included, that a reader should meet in one file.
const LONGEST: usize = 300;

/// Longer ones, and why they are one file.
const LONG: [(&str, &str); 6] = [
    ("check/explain", "one table: cause, risk and cure of each code"),
    ("check/finding", "one code after the other, each with its sentence"),
    ("manifest/model", "one type after the other, most of it documentation"),
    ("manifest/raw", "the mirror of everything that may be written in a manifest"),
    ("manifest/read", "one reader for each shape of value, and the words of its refusals"),
    ("manifest/validate/recipes", "one function for each kind of secret"),
];

/// Errors whose code is not written at `Error::new`: the file, and the codes that can come from there.
const INDIRECT: [(&str, &[&str]); 11] = [
    ("cli/run", &["command-not-found", "not-executable"]),
    ("emit/dotenv_block", &[]),
    ("emit/dotenv_read", &["dotenv-invalid", "json-invalid"]),
    ("error", &["permission-denied", "system-failed"]),
    ("generate/certificate", &[]),
    ("generate/issuer", &["issuer-expired", "issuer-not-yet-valid"]),
    ("private_file/fault", &["directory-writable-by-others", "hard-linked", "not-regular", "symlink"]),
    (
        "remote/failure",
        &[
            "bad-credentials",
            "no-credentials",
            "remote-conflict",
            "remote-denied",
            "remote-garbled",
            "remote-missing",
            "remote-refused",
            "remote-throttled",
            "remote-unreachable",
        ],
    ),
    ("rotate/yielding", &["remote-changed", "remote-pending"]),
    ("rotate", &["hook-failed", "hook-not-now", "hook-not-started", "hook-timed-out", "rotation-undeclared"]),
    ("store/agreement", &["account-changed", "recipients-changed"]),
];

/// Codes without a case in `tests/messages.rs` and `tests/messages_aws`, and why.
const UNTOLD: [(&str, &str); 26] = [
    ("bug", "whoever knows a command that leads there mends it"),
    ("changed-meanwhile", "a race with somebody who edits the very file; tests/rules loses it on purpose"),
    ("common-name-too-long", "the manifest is refused first"),
    ("duplicate-path", "the manifest is refused first"),
    ("durability-unknown", "a disk that fails; tests/private_file makes it fail"),
    ("exists", "a race between looking and making; tests/private_file loses it on purpose"),
    ("hook-changed", "a race with somebody who writes over a program; tests/hooks loses it on purpose"),
    ("interrupted", "needs somebody who interrupts; tests/rotate does"),
    ("invalid-name", "the manifest is refused first"),
    ("issuer-not-a-ca", "the manifest is refused first"),
    ("issuer-not-yet-valid", "needs a clock before the CA's day, which `clock-behind` refuses first"),
    ("issuer-signs-only-leaves", "the manifest is refused first"),
    ("mode-not-kept", "needs a file system without modes"),
    ("no-names", "the manifest is refused first"),
    ("no-randomness", "a system that has no random source"),
    ("no-recipients", "a store is made with a recipient, and no command takes the last one away"),
    ("not-confirmed", "is said on a terminal only"),
    ("path-escapes", "the manifest is refused first"),
    ("remote-pending", "a race with others that rotate it; tests/rotate_aws loses it on purpose"),
    ("recipient-invalid", "the manifest is refused first"),
    ("rotation-promoted", "a race with another host; tests/rotate_aws loses it on purpose"),
    ("rotation-superseded", "a race with another host; tests/rotate_shared loses it on purpose"),
    ("setting-signs", "the manifest is refused first"),
    ("store-changed", "a race that the lock prevents; tests/rules loses it on purpose"),
    ("untrusted-hook", "said of a program that changed; tests/hooks changes one"),
    ("vanished", "a race with somebody who removes files"),
];

/// A file of `src/` without its tests and comments.
struct Source {
    /// The path below `src/` without `.rs`.
    module: String,
    code: String,
}

impl Source {
    fn new(module: &str, text: &str) -> Self {
        Self { module: module.to_owned(), code: without_comments(without_tests(text)) }
    }

    fn is_in(&self, module: &str) -> bool {
        self.module == module || self.module.strip_prefix(module).is_some_and(|rest| rest.starts_with('/'))
    }

    fn uses(&self, word: &str) -> bool {
        self.code.match_indices(word).any(|(at, _)| {
            let is_part = |it: char| it.is_alphanumeric() || it == '_';
            // `crate::age::`, if there were one, is ours and no crate; `std::fs::` is still `fs::`.
            let before = self.code[..at].chars().next_back();
            let begins = !word.starts_with(is_part) || !before.is_some_and(is_part);
            let after = self.code[at + word.len()..].chars().next();
            let ends = !word.ends_with(is_part) || word.starts_with("env::") || !after.is_some_and(is_part);
            begins && ends
        })
    }
}

/// The text up to the module of tests at its end, and without the line that names one in another file.
fn without_tests(text: &str) -> &str {
    let module = Regex::new(r"(?m)^#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*(?:pub(?:\([^)]*\))? )?mod \w+ \{").unwrap();
    module.find(text).map_or(text, |found| &text[..found.start()])
}

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n")
}

/// What is against the rules in a file.
fn offences(source: &Source) -> Vec<String> {
    let mut offences = Vec::new();
    for rule in &ONLY {
        let may = rule.within.iter().any(|module| source.is_in(module));
        for word in rule.words.iter().filter(|word| !may && source.uses(word)) {
            offences.push(format!("src/{}.rs: `{word}` belongs to {:?} alone", source.module, rule.within));
        }
    }
    for rule in WITHOUT.iter().filter(|rule| source.is_in(rule.module)) {
        let may = rule.except.iter().any(|module| source.is_in(module));
        for word in rule.words.iter().filter(|word| !may && source.uses(word)) {
            offences.push(format!("src/{}.rs: `{}` does without `{word}`", source.module, rule.module));
        }
    }
    offences
}

fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every Rust file below `src/` with its text, by module.
fn texts() -> BTreeMap<String, String> {
    let root = support::root().join("src");
    let mut files = Vec::new();
    files_below(&root, &mut files);
    let module = |path: &Path| path.strip_prefix(&root).unwrap().with_extension("").to_str().unwrap().to_owned();
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .map(|path| (module(path), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// Whether a whole file is made of tests, or of what only they use.
fn is_test(module: &str) -> bool {
    module.split('/').any(|part| part == "tests" || part == "schema_tests" || part == "sample")
}

fn sources() -> Vec<Source> {
    texts().iter().filter(|(module, _)| !is_test(module)).map(|(module, text)| Source::new(module, text)).collect()
}

#[test]
fn every_module_uses_only_what_it_may() {
    let offences: Vec<String> = sources().iter().flat_map(offences).collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn each_of_these_rules_finds_what_breaks_it() {
    for rule in &ONLY {
        for word in rule.words {
            let planted = Source::new("apply", &format!("fn f() {{ x({word}) }}"));
            assert!(!offences(&planted).is_empty(), "`{word}` is not found");
            for module in rule.within {
                let allowed = Source::new(&format!("{module}/part"), &format!("fn f() {{ x({word}) }}"));
                assert!(offences(&allowed).iter().all(|it| !it.contains("alone")), "`{word}` in {module}");
            }
        }
    }
    for rule in &WITHOUT {
        for word in rule.words {
            let planted = Source::new(rule.module, &format!("fn f() {{ x({word}) }}"));
            assert!(!offences(&planted).is_empty(), "`{word}` is not found in {}", rule.module);
        }
    }
}

#[test]
fn these_rules_mind_neither_other_words_nor_comments_nor_tests() {
    for text in [
        "fn f() { String::new(); Storage::open(); Image::of() }",
        "/// As `std::fs` does, never `ring::` or `.unwrap()`.\nfn f() {}",
        "    // SystemTime::now() would be wrong here\n",
        "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() { f().unwrap(); println!() }\n}\n",
        "fn f() { option.unwrap_or_default(); unsafely() }",
    ] {
        assert_eq!(offences(&Source::new("plan", text)), [] as [String; 0], "{text}");
    }
    // The end of the tests' declaration in another file is not the end of the code.
    let text = "#[cfg(test)]\nmod tests;\n\nfn f() { x.unwrap() }\n";
    assert_eq!(offences(&Source::new("plan", text)).len(), 1);
}

#[test]
fn every_module_says_what_it_is() {
    for (module, text) in texts() {
        assert!(text.starts_with("//! "), "src/{module}.rs begins without a line of `//!`");
    }
    let mut files = Vec::new();
    files_below(&support::root().join("tests"), &mut files);
    for path in files.iter().filter(|path| path.extension().is_some_and(|it| it == "rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("//! "), "{} begins without a line of `//!`", path.display());
    }
}

#[test]
fn no_file_is_too_long_to_be_read_at_once() {
    let texts = texts();
    let length = |module: &str| without_tests(&texts[module]).lines().count();
    for module in texts.keys().filter(|module| !is_test(module)) {
        let excused = LONG.iter().any(|(name, _)| name == module);
        let length = length(module);
        assert!(length <= LONGEST || excused, "src/{module}.rs has {length} lines of code: {LONGEST} are the most");
    }
    for (module, reason) in LONG {
        assert!(length(module) > LONGEST && !reason.is_empty(), "src/{module}.rs needs no excuse any more");
    }
}

/// Every code that an error of a file can have, and whether one is made there whose code is not to be seen.
fn codes(source: &Source) -> (BTreeSet<String>, bool) {
    let made =
        Regex::new(r#"(?:\bError::new\([^,()]+(?:\(\))?|\bSelf::new\((?:\w+::)*Kind::\w+),\s*("[a-z-]+")?"#).unwrap();
    let mut codes = BTreeSet::new();
    let mut is_indirect = false;
    for found in made.captures_iter(&source.code) {
        match found.get(1) {
            Some(code) => {
                codes.insert(code.as_str().trim_matches('"').to_owned());
            }
            None => is_indirect = true,
        }
    }
    if source.code.contains("Error::usage(") {
        codes.insert("usage".to_owned());
    }
    (codes, is_indirect)
}

#[test]
fn every_error_code_has_its_message_tested() {
    let mut files = vec![support::root().join("tests/messages.rs")];
    files_below(&support::root().join("tests/messages_aws"), &mut files);
    let messages: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let case = Regex::new(r#"\btold\w*\(\s*"([a-z-]+)""#).unwrap();
    let told: BTreeSet<String> = case.captures_iter(&messages).map(|found| found[1].to_owned()).collect();
    let mut all: BTreeSet<String> =
        INDIRECT.iter().flat_map(|(_, codes)| *codes).map(|&code| code.to_owned()).collect();
    for source in sources() {
        let (codes, is_indirect) = codes(&source);
        let listed = INDIRECT.iter().any(|(module, _)| *module == source.module);
        assert!(!is_indirect || listed, "src/{}.rs makes an error whose code this test cannot see", source.module);
        all.extend(codes);
    }
    let untold: BTreeSet<String> = UNTOLD.iter().map(|(code, _)| (*code).to_owned()).collect();
    let silent: Vec<_> = all.iter().filter(|code| !told.contains(*code) && !untold.contains(*code)).collect();
    assert!(silent.is_empty(), "no case in tests/messages.rs or tests/messages_aws: {silent:?}");
    let needless: Vec<_> = untold.iter().filter(|code| told.contains(*code) || !all.contains(*code)).collect();
    assert!(needless.is_empty(), "these need no excuse any more: {needless:?}");
    let unknown: Vec<_> = told.iter().filter(|code| !all.contains(*code)).collect();
    assert!(unknown.is_empty(), "no error has this code: {unknown:?}");
}

/// `explain` knows every code, and with which exit codes it ends a command.
#[test]
#[expect(clippy::disallowed_methods, reason = "the environment tells whether the list is made anew")]
fn every_error_code_can_be_asked_for() {
    let kind = Regex::new(r#"Error::new\(\s*(?:\w+::)*Kind::(\w+),\s*"([a-z-]+)""#).unwrap();
    let indirect = INDIRECT.iter().flat_map(|(_, codes)| *codes).map(|&code| (code.to_owned(), BTreeSet::new()));
    let mut all: BTreeMap<String, BTreeSet<u8>> = indirect.collect();
    for source in sources() {
        for code in codes(&source).0 {
            all.entry(code).or_default();
        }
        for found in kind.captures_iter(&source.code) {
            all.entry(found[2].to_owned()).or_default().insert(exit_code(&found[1]));
        }
    }
    all.entry("usage".to_owned()).or_default().insert(2);
    let line = |(code, exits): (&String, &BTreeSet<u8>)| {
        exits.iter().fold(code.clone(), |line, exit| format!("{line} {exit}")) + "\n"
    };
    let list: String = all.iter().map(line).collect();
    let path = support::root().join("src/error/codes.list");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), list, "UPDATE_SCHEMAS=1 makes src/error/codes.list anew");
}

fn exit_code(kind: &str) -> u8 {
    use vault_kit::exit::Kind;
    match kind {
        "Bug" => Kind::Bug,
        "Conflict" => Kind::Conflict,
        "Findings" => Kind::Findings,
        "Incomplete" => Kind::Incomplete,
        "Manifest" => Kind::Manifest,
        "Permission" => Kind::Permission,
        "Remote" => Kind::Remote,
        "Store" => Kind::Store,
        "System" => Kind::System,
        "Usage" => Kind::Usage,
        other => panic!("{other} is no kind"),
    }
    .code()
}

#[test]
fn a_new_error_code_is_found_however_it_is_written() {
    let of = |code: &str| codes(&Source::new("x", code));
    let one = |code: &str| (BTreeSet::from([code.to_owned()]), false);
    assert_eq!(of("Error::new(Kind::Store, \"brand-new\", message)"), one("brand-new"));
    assert_eq!(of("Error::new(\n    Kind::Store,\n    \"brand-new\",\n    x)"), one("brand-new"));
    assert_eq!(of("Error::new(crate::exit::Kind::Store, \"brand-new\", x)"), one("brand-new"));
    assert_eq!(of("Error::usage(\"words\")"), one("usage"));
    assert_eq!(of("Error::new(kind, code, x)"), (BTreeSet::new(), true));
}

#[test]
fn the_changelog_tells_of_what_is_next() {
    let changelog = std::fs::read_to_string(support::root().join("CHANGELOG.md")).unwrap();
    let version = format!("\n## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains("\n## [Unreleased]\n"), "CHANGELOG.md has no section for what is not yet released");
    assert!(changelog.contains(&version), "CHANGELOG.md does not tell of {version}");
}

#[test]
fn no_file_names_a_directory_of_the_machine_that_it_was_written_on() {
    let here = format!("{}/", support::root().display());
    let home = ["/ro", "ot/"].concat();
    let mut files = Vec::new();
    for place in ["src", "tests", "examples", "schemas", "benches", ".ci"] {
        files_below(&support::root().join(place), &mut files);
    }
    files.retain(|path| {
        !path.components().any(|it| it.as_os_str() == "node_modules" || it.as_os_str() == "__pycache__")
    });
    files.extend(["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"].map(|it| support::root().join(it)));
    for path in files {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for machine in [&here, &home] {
            assert!(!text.contains(machine.as_str()), "{} names `{machine}`", path.display());
        }
    }
}

/// As deny.toml has them, which takes `cargo deny` to be looked at.
#[test]
fn no_crate_is_built_that_brings_another_implementation_of_cryptography() {
    let names = |file: &str| -> BTreeSet<String> {
        let text = std::fs::read_to_string(support::root().join(file)).unwrap();
        let name = if file == "Cargo.lock" { r#"(?m)^name = "([^"]+)""# } else { r#"\{ crate = "([^"]+)""# };
        Regex::new(name).unwrap().captures_iter(&text).map(|found| found[1].to_owned()).collect()
    };
    let (locked, denied) = (names("Cargo.lock"), names("deny.toml"));
    assert!(locked.contains("ring") && locked.len() > 100, "{}", locked.len());
    for name in ["rsa", "aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys"] {
        assert!(denied.contains(name), "deny.toml lets {name} in");
    }
    assert_eq!(locked.intersection(&denied).collect::<Vec<_>>(), [""; 0]);
}

/// Whether a line compares what could be a hash by an operator or a function that ends with the first difference.
fn compares_openly(line: &str) -> bool {
    let compares = ["==", "!=", ".eq(", ".ne(", ".cmp(", ".contains", "starts_with", "matches!", "expose("];
    line.contains("sha256") && compares.iter().any(|it| line.contains(it))
}

/// Whoever presents keys and looks at the time learns nothing of the hashes that are kept.
#[test]
fn the_hash_of_a_presented_key_is_compared_by_its_constant_time_function_alone() {
    let text = std::fs::read_to_string(support::root().join("src/api_key/verify.rs")).unwrap();
    let verify = Source::new("api_key/verify", &text);
    let compared: Vec<_> = verify.code.lines().filter(|line| line.contains("self.sha256")).map(str::trim).collect();
    assert_eq!(compared, ["let is_it = self.sha256.is(candidate.sha256.as_bytes());"]);
    let openly: Vec<_> = verify.code.lines().filter(|line| compares_openly(line)).collect();
    assert_eq!(openly, [""; 0]);
    assert!(compares_openly("if self.sha256.expose() == candidate.sha256.as_bytes() {"));
    assert!(compares_openly("issued.find(|it| it.sha256 == presented)"));
}
