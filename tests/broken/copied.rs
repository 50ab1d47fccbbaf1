//! What `COPY` and `ADD` take out of a build context: each file with a secret is told where it is taken, and nothing else is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Project, Run, owner};

const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]

[secrets.DB_PASSWORD]
kind = "password"
[secrets.SIGNING_KEY]
kind = "keypair"

[outputs.env]
format = "dotenv"
path = "conf/app.env"
secrets = ["DB_PASSWORD"]
[outputs.files]
format = "docker-secrets"
path = "keys"
secrets = ["SIGNING_KEY"]

[deployment]
outside = ["DB_PASSWORD"]
"#;

/// What the one service is built from, its Dockerfile and what keeps files back; then what is told, and in which line of which file.
type Case =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str, u64)]);

const CASES: &[Case] = &[
    (".", "FROM a\nCOPY . .\n", &[], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nADD . /app\n", &[], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nCOPY [\"./\", \"/app/\"]\n", &[], &[("secret-in-image", "Dockerfile", 2)]),
    (
        ".",
        "FROM a\nCOPY --chown=1:1 conf/ /x\n",
        &[(".dockerignore", "keys\n")],
        &[("secret-in-image", "Dockerfile", 2)],
    ),
    (".", "FROM a\nCOPY conf/*.env /x\n", &[(".dockerignore", "keys/*\n")], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nCOPY c*f/app.?nv /x\n", &[(".dockerignore", "keys/**\n")], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nCOPY . .\n", &[(".dockerignore", "keys\n*.env\n")], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nCOPY . .\n", &[(".dockerignore", "keys\n**/*.env\n")], &[]),
    (".", "FROM a\nCOPY . .\n", &[(".dockerignore", "*\n!conf\nconf/*.env\n")], &[]),
    (".", "FROM a\nCOPY . .\n", &[(".dockerignore", "*\n!conf/\n")], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nCOPY src /x\n", &[(".dockerignore", "keys\n")], &[("secret-in-build-context", "compose.yml", 3)]),
    (".", "FROM a\nCOPY *.env /x\n", &[(".dockerignore", "keys\n")], &[("secret-in-build-context", "compose.yml", 3)]),
    // The file of a Dockerfile goes before that of the context.
    (".", "FROM a\nCOPY . .\n", &[(".dockerignore", ""), ("Dockerfile.dockerignore", "keys\nconf\n")], &[]),
    (
        ".",
        "FROM a\nCOPY . .\n",
        &[(".dockerignore", "keys\nconf\n"), ("Dockerfile.dockerignore", "src\n")],
        &[("secret-in-image", "Dockerfile", 2)],
    ),
    // What only a stage before has, and what comes from there.
    (
        ".",
        "FROM a AS build\nCOPY . .\nFROM b\nCOPY --from=build /srv /srv\n",
        &[],
        &[("secret-in-build-context", "compose.yml", 3)],
    ),
    (".", "FROM a AS build\nCOPY . .\nFROM build\nRUN make\n", &[], &[("secret-in-image", "Dockerfile", 2)]),
    (
        ".",
        "FROM a AS build\nWORKDIR /app\nCOPY . .\nFROM b\nCOPY --from=build /app /srv\n",
        &[],
        &[("secret-in-image", "Dockerfile", 5)],
    ),
    (
        ".",
        "FROM a AS build\nWORKDIR /app\nCOPY . .\nRUN make\nFROM b\nCOPY --from=build /app/dist /srv\n",
        &[],
        &[("secret-in-build-context", "compose.yml", 3)],
    ),
    (".", "FROM a AS base\nONBUILD COPY . /app\nFROM base\nRUN make\n", &[], &[("secret-in-image", "Dockerfile", 2)]),
    (".", "FROM a\nRUN --mount=type=bind,target=/src make\n", &[], &[("secret-in-build-context", "compose.yml", 3)]),
    // What a variable says.
    (".", "FROM a\nARG S=.\nCOPY ${S} /app\n", &[], &[("secret-in-image", "Dockerfile", 3)]),
    (".", "ARG S=.\nFROM a\nARG S\nCOPY [\"$S\", \"/app\"]\n", &[], &[("secret-in-image", "Dockerfile", 4)]),
    (".", "FROM a\nENV S=src\nCOPY ${S} /app\n", &[], &[("secret-in-build-context", "compose.yml", 3)]),
    (".", "FROM a\nCOPY --from=a . .\n", &[(".dockerignore", "keys\nconf\n")], &[]),
    // A context of its own has its own.
    ("src", "FROM a\nCOPY . .\n", &[], &[]),
    ("conf", "FROM a\nCOPY . .\n", &[(".dockerignore", "conf\n")], &[("secret-in-image", "conf/Dockerfile", 2)]),
    ("conf", "FROM a\nCOPY . .\n", &[("conf/.dockerignore", "app.env\n")], &[]),
];

/// What is told of images and contexts.
fn told(project: &Project, identity: Option<&str>) -> (BTreeSet<(String, String, u64)>, String) {
    let mut command = project.command(["check", "--at", "repo", "--json"]);
    if let Some(file) = identity {
        command.env("VAULT_KIT_IDENTITY_FILE", project.path(file));
    }
    let run = Run::of(command.envs(owner(project)));
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let ours = findings.filter(|it| text(&it["code"]).starts_with("secret-in-"));
    let told = ours.map(|it| (text(&it["code"]), text(&it["file"]), it["line"].as_u64().unwrap()));
    (told.collect(), run.stdout)
}

fn project(context: &str, dockerfile: &str) -> Project {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", format!("services:\n  a:\n    build: {context}\n"));
    project.write("src/main.c", "");
    let beneath = if context == "." { String::new() } else { format!("{context}/") };
    project.write(&format!("{beneath}Dockerfile"), dockerfile);
    project
}

#[test]
fn what_is_copied_is_told_where_it_is_copied() {
    for (context, dockerfile, kept_back, expected) in CASES {
        let project = project(context, dockerfile);
        for (file, text) in *kept_back {
            project.write(file, text);
        }
        let (found, report) = told(&project, None);
        let expected = expected.iter().map(|(code, file, line)| ((*code).to_owned(), (*file).to_owned(), *line));
        assert_eq!(found, expected.collect(), "{dockerfile:?} {kept_back:?} {report}");
    }
}

#[test]
fn stores_and_the_identity_are_kept_out_of_images_where_they_are_there() {
    let project = project(".", "FROM a\nCOPY . .\n");
    let ignored = "keys\nconf\n";
    project.write(".dockerignore", ignored);
    assert!(told(&project, None).0.is_empty());
    project.run(["init"]).assert_code(0);
    // It wrote the lines that keep all of it back.
    assert!(told(&project, None).0.is_empty());
    project.write(".dockerignore", ignored);
    let (found, report) = told(&project, None);
    assert_eq!(found.len(), 1, "{report}");
    assert!(report.contains("copies `.vault-kit/dev.age` into the image"), "{report}");
    assert!(report.contains(r"printf '\\n%s\\n' .vault-kit/ >> .dockerignore"), "{report}");
    project.write(".dockerignore", "keys\nconf\n.vault-kit/\n");
    project.write("id.txt", std::fs::read(project.identity()).unwrap());
    // Whoever's it is, it can be told by what is in it, and one's own without that.
    assert!(told(&project, None).1.contains("copies `id.txt` into the image"));
    project.write("id.txt", "");
    assert!(told(&project, None).0.is_empty());
    let (_, report) = told(&project, Some("id.txt"));
    assert!(report.contains("copies `id.txt` into the image"), "{report}");
}

const TOKEN: &str = "//registry.npmjs.org/:_authToken=npm_hunter2hunter2hunter2\n";
const PEM: &str =
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
const ACCOUNT: &str = r#"{"type": "service_account", "private_key":
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n"}"#;
const CERTIFICATE: &str =
    "-----BEGIN CERTIFICATE-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n";

/// What takes files of others, those that lie in the context and what keeps some back; then the files that are told.
type Other = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const OTHERS: &[Other] = &[
    ("COPY . .", &[("a/id_rsa", KEY), ("web/.npmrc", TOKEN)], &["a/id_rsa", "web/.npmrc"]),
    ("COPY . .", &[("web/.npmrc", "save-exact=true\n"), ("web/.env.production", "VITE_URL=https://a.example\n")], &[]),
    ("COPY . .", &[("web/.env.production", "API_KEY=hunter2hunter2\n")], &["web/.env.production"]),
    ("COPY . .", &[("a/prod.env.example", "API_KEY=hunter2hunter2\n"), ("a/id_rsa.pub", "ssh-rsa AAAA\n")], &[]),
    (
        "COPY . .",
        &[("a/tls-key.pem", "-----BEGIN CERTIFICATE-----\n"), ("a/ca.key", "-----BEGIN PUBLIC KEY-----\n")],
        &[],
    ),
    ("COPY . .", &[("a/node_modules/x/id_rsa", KEY), ("a/.git/id_rsa", KEY)], &[]),
    ("COPY a/ /x/", &[("a/b/id_rsa", KEY), ("c/id_rsa", KEY)], &["a/b/id_rsa"]),
    ("COPY a/*.key c/*/ /x/", &[("a/x.key", KEY), ("a/b/y.key", KEY), ("c/d/id_rsa", KEY)], &["a/x.key", "c/d/id_rsa"]),
    ("COPY . .", &[("a/id_rsa", KEY), (".dockerignore", "keys\nconf\n**/id_*\n")], &[]),
    ("COPY . .", &[("a/id_rsa", KEY), (".dockerignore", "*\n!a\n")], &["a/id_rsa"]),
    ("COPY . .", &[("a/id_rsa", KEY), (".dockerignore", "*\n!src\n!compose.yml\n")], &[]),
    ("COPY --exclude=id_rsa a /x", &[("a/id_rsa", KEY), ("a/b/id_rsa", KEY)], &["a/b/id_rsa"]),
    ("COPY --exclude=**/id_rsa . /x", &[("a/id_rsa", KEY), ("a/x.key", KEY)], &["a/x.key"]),
    // By what is in it, whatever it is called.
    (
        "COPY . .",
        &[("tls.pem", PEM), ("a/deploy_key", PEM), ("privkey1.pem.old", PEM)],
        &["a/deploy_key", "privkey1.pem.old", "tls.pem"],
    ),
    ("COPY . .", &[("account.json", ACCOUNT), ("a.yml", "token: ${TOKEN}\n")], &["account.json"]),
    (
        "COPY . .",
        &[("fullchain.pem", CERTIFICATE), ("tests/key.json", r#"{"private_key": "-----BEGIN PRIVATE KEY-----"}"#)],
        &[],
    ),
    (
        "COPY . .",
        &[("a.rs", PEM), ("README.md", PEM), ("a/tls.pem.example", PEM), (".dockerignore", "keys\nconf\n")],
        &[],
    ),
    (
        "COPY . .",
        &[
            (".streamlit/secrets.toml", "[db]\npassword = \"hunter2hunter2\"\n"),
            ("appsettings.Production.json", r#"{"ConnectionStrings": {"Db": "Server=db;Password=hunter2hunter2"}}"#),
            ("config/database.yml", "production:\n  password: hunter2hunter2\n"),
            ("secrets.yml", "api_key: hunter2hunter2\n"),
        ],
        &[".streamlit/secrets.toml", "appsettings.Production.json", "config/database.yml", "secrets.yml"],
    ),
    (
        "COPY . .",
        &[
            ("appsettings.json", r#"{"Logging": {"LogLevel": {"Default": "Information"}}}"#),
            ("config/database.yml", "production:\n  password: <%= ENV['DB_PASSWORD'] %>\n"),
            ("config/secrets.example.yml", "api_key: hunter2hunter2\n"),
            ("secrets.toml", "# put yours here\n"),
        ],
        &[],
    ),
    ("COPY secrets.yml /x", &[], &[]),
    ("COPY a/ca.pem /x", &[("a/ca.pem", CERTIFICATE), ("tls.pem", PEM)], &[]),
    ("COPY tls.pem /x", &[("tls.pem", PEM)], &["tls.pem"]),
    ("COPY . .", &[("tls.pem", PEM), (".dockerignore", "keys\nconf\n*.pem\n")], &[]),
    // By its name, and then by what is in it if it is there.
    ("COPY a/.npmrc /x", &[], &["a/.npmrc"]),
    ("COPY a/.npmrc /x", &[("a/.npmrc", TOKEN)], &["a/.npmrc"]),
    ("COPY a/.npmrc /x", &[("a/.npmrc", "//a.example/:_authToken=${NPM_TOKEN}\n")], &[]),
];

#[test]
fn well_known_files_with_secrets_are_told_where_they_are_copied() {
    for (instruction, files, expected) in OTHERS {
        let project = project(".", &format!("FROM a\n{instruction}\n"));
        project.write(".dockerignore", "keys\nconf\n");
        for (file, text) in *files {
            project.write(file, text);
        }
        let (found, report) = told(&project, None);
        let paths: Vec<String> = expected.iter().map(|it| format!("`{it}`")).collect();
        let message = format!("copies {} into the image", paths.join(", "));
        assert_eq!(
            (found.len(), report.contains(&message)),
            if paths.is_empty() { (0, false) } else { (1, true) },
            "{instruction:?} {files:?} {report}"
        );
        assert!(!report.contains("hunter2"), "{report}");
        // All of them, so that one paste is enough.
        let fix = format!(r"printf '\\n%s\\n' {} >> .dockerignore", expected.join(" "));
        assert_eq!(report.contains(&fix), !paths.is_empty(), "{report}");
    }
}

#[test]
fn a_file_with_a_value_of_ours_is_told_whatever_it_is_called() {
    let project = project(".", "FROM a\nCOPY . .\n");
    project.run(["init"]).assert_code(0);
    let value = String::from_utf8(project.get("DB_PASSWORD")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, value.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let sql = format!("INSERT INTO users VALUES ('app', '{value}');\n");
    let encoded = data_encoding::BASE64.encode(value.as_bytes());
    // More than is read of a file that is judged by its name.
    let large = [&vec![b'\n'; 2 << 20][..], value.as_bytes()].concat();
    assert!(told(&project, None).0.is_empty());
    for (name, content) in [
        ("data.bin", &[b"\0\x01", value.as_bytes()].concat()[..]),
        ("dump.sql", sql.as_bytes()),
        ("dump.sql.gz", &packed),
        ("table.csv", format!("app,{value}\n").as_bytes()),
        ("prod.env.example", format!("DB_PASSWORD={value}\n").as_bytes()),
        ("src/app.py", encoded.as_bytes()),
        ("large", &large),
    ] {
        project.write(name, content);
        let (found, report) = told(&project, None);
        assert_eq!(
            found,
            BTreeSet::from([("secret-in-image".to_owned(), "Dockerfile".to_owned(), 2)]),
            "{name}: {report}"
        );
        let message = format!("copies `{name}` into the image, with the value of `DB_PASSWORD`");
        assert!(report.contains(&message) && !report.contains(&value), "{name}: {report}");
        project.write(".vault-kit-ignore", "");
        let line = project.run(["scan", name, "--json"]).stdout;
        let line: Value = serde_json::from_str(&line).unwrap();
        project.write(".vault-kit-ignore", line["findings"][0]["ignore"].as_str().unwrap());
        assert!(told(&project, None).0.is_empty(), "{name}: {line}");
        project.write(".vault-kit-ignore", "");
        std::fs::remove_file(project.path(name)).unwrap();
    }
    // What is kept back, and what nothing takes.
    let ignored = project.read(".dockerignore");
    project.write("dump.sql", sql.as_bytes());
    project.write(".dockerignore", format!("{ignored}\n*.sql\n"));
    assert!(told(&project, None).0.is_empty());
    project.write(".dockerignore", ignored);
    project.write("Dockerfile", "FROM a\nCOPY src /src\n");
    assert!(told(&project, None).0.is_empty());
}

#[test]
fn what_nobody_can_look_into_is_said_not_to_be_looked_at() {
    let project = project(".", "FROM a\nCOPY . .\n");
    project.run(["init"]).assert_code(0);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut bomb, &vec![0; 200 << 20]).unwrap();
    for (name, content) in [("dump.sql.bz2", b"BZh91AY&SY\x12\x34".to_vec()), ("dump.gz", bomb.finish().unwrap())] {
        project.write(name, content);
        let (found, report) = told(&project, None);
        assert!(found.is_empty(), "{report}");
        let report: Value = serde_json::from_str(&report).unwrap();
        let unseen = not_checked(&report);
        assert!(unseen.iter().any(|(_, why)| why.starts_with(&format!("`{name}`: "))), "{name}: {unseen:?}");
        std::fs::remove_file(project.path(name)).unwrap();
    }
    // In a clone nobody knows what to look for.
    let clone = Project::empty();
    for file in ["vault-kit.toml", "compose.yml", "Dockerfile", ".dockerignore"] {
        clone.write(file, project.bytes(file));
    }
    let (_, report) = told(&clone, None);
    assert!(report.contains("none of the declared values is known here"), "{report}");
}

#[test]
fn a_clone_knows_what_is_copied_by_the_fingerprints() {
    let prints =
        "[outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n[secrets.TOKEN_KEY]\nkind = \"random\"\n";
    let project = project(".", "FROM a\nCOPY . .\n");
    let manifest =
        MANIFEST.replace("[\"DB_PASSWORD\"]\n\n[deployment]", "[\"DB_PASSWORD\", \"TOKEN_KEY\"]\n\n[deployment]");
    project.write("vault-kit.toml", format!("{manifest}\n{prints}"));
    project.run(["init"]).assert_code(0);
    project.write("dump.sql", project.get("TOKEN_KEY"));
    let clone = Project::empty();
    for file in ["vault-kit.toml", "prints.json", "compose.yml", "Dockerfile", ".dockerignore", "dump.sql"] {
        clone.write(file, project.bytes(file));
    }
    let (found, report) = told(&clone, None);
    assert_eq!(found.len(), 1, "{report}");
    assert!(report.contains("copies `dump.sql` into the image, with the value of `TOKEN_KEY`"), "{report}");
    // A list that is damaged is none, and that is said.
    clone.write("prints.json", "{");
    let (found, report) = told(&clone, None);
    assert!(found.is_empty() && report.contains("`prints.json:1` breaks off"), "{report}");
}

#[test]
fn the_line_that_keeps_a_file_back_does_so_whatever_its_name() {
    for name in ["a/[id]/id_rsa", "#x.key", "!y.key", "a*b?c/x.key", r"d\e.key", " f.key"] {
        let project = project(".", "FROM a\nCOPY . .\n");
        project.write(".dockerignore", "keys\nconf\n");
        project.write(name, KEY);
        let (found, report) = told(&project, None);
        assert_eq!(found.len(), 1, "{name}: {report}");
        let report: Value = serde_json::from_str(&report).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let fix = findings.filter(|it| it["code"] == "secret-in-image").map(|it| it["fix"].as_str().unwrap()).next();
        let pasted = std::process::Command::new("sh").args(["-c", fix.unwrap()]).current_dir(project.root()).status();
        assert!(pasted.unwrap().success(), "{name}");
        let (found, report) = told(&project, None);
        assert!(found.is_empty(), "{name}: {report} {}", project.read(".dockerignore"));
    }
}

/// Compose files whose build takes something by a variable or out of a further context.
fn built(build: &str, dockerfile: &str) -> (Project, BTreeSet<(String, String, u64)>, Value) {
    let project = project(".", dockerfile);
    project.write("compose.yml", format!("services:\n  a:\n    build: {{ context: src, {build} }}\n"));
    project.write("src/Dockerfile", dockerfile);
    let (found, report) = told(&project, None);
    (project, found, serde_json::from_str(&report).unwrap())
}

fn not_checked(report: &Value) -> Vec<(&str, &str)> {
    let all = report["not_checked"].as_array().unwrap().iter();
    let all = all.map(|it| (it["what"].as_str().unwrap(), it["why"].as_str().unwrap()));
    all.filter(|(what, _)| what.contains("`COPY`")).collect()
}

/// Why something is not looked at, but for the values, of which these projects have none.
fn not_followed(report: &Value) -> Vec<&str> {
    let why = not_checked(report).into_iter().map(|it| it.1);
    why.filter(|why| !why.starts_with("none of the declared values is known here")).collect()
}

#[test]
fn a_variable_says_what_is_copied_or_that_is_said_not_to_be_looked_at() {
    const TAKES: &str = "FROM a\nARG S\nCOPY ${S} /app\n";
    let at = BTreeSet::from([("secret-in-image".to_owned(), "src/Dockerfile".to_owned(), 3)]);
    let key = |build: &str| {
        let (project, ..) = built(build, TAKES);
        project.write("src/deep/tls.pem", PEM);
        let (found, report) = told(&project, None);
        (found, serde_json::from_str::<Value>(&report).unwrap())
    };
    assert_eq!(key("args: { S: deep }").0, at);
    assert_eq!(key("args: [S=.]").0, at);
    assert_eq!(key("args: { S: other }").0, BTreeSet::new());
    for build in ["args: []", "args: { S: \"${UNKNOWN}\" }", "args: { S: }"] {
        let (found, report) = key(build);
        assert!(found.is_empty(), "{report}");
        let why = "`src/Dockerfile:3` takes what `S` says, which has no value here";
        assert_eq!(not_checked(&report), [("what `COPY` takes of the build context of `a`", why)], "{build}");
    }
    // A stage that the image is not made of takes nothing.
    let (_, _, report) = built("args: []", "FROM b AS test\nCOPY $S /app\nFROM a\n");
    assert!(not_checked(&report).is_empty(), "{report}");
}

#[test]
fn what_comes_out_of_a_further_context_is_told_with_the_file_that_keeps_it_back() {
    for named in ["additional_contexts: { more: conf }", "additional_contexts: [more=conf]"] {
        let (project, found, report) = built(named, "FROM a\nCOPY --from=more . /srv\n");
        assert_eq!(found, BTreeSet::from([("secret-in-image".to_owned(), "src/Dockerfile".to_owned(), 2)]), "{report}");
        let report = report.to_string();
        assert!(report.contains("copies `app.env` out of `more` into the image"), "{report}");
        assert!(report.contains("app.env >> conf/.dockerignore"), "{report}");
        project.write("conf/.dockerignore", "app.env\n");
        assert!(told(&project, None).0.is_empty());
        project.write("conf/tls.pem", PEM);
        assert!(told(&project, None).1.contains("copies `tls.pem` out of `more` into the image"));
    }
    let (_, found, report) = built("additional_contexts: { more: conf }", "FROM a\nCOPY --from=more x /srv\n");
    assert!(found.is_empty(), "{report}");
    let (_, found, report) = built("additional_contexts: { more: conf }", "FROM a\nCOPY . /srv\n");
    assert!(found.is_empty(), "{report}");
}

#[test]
fn a_symlink_in_a_context_is_not_followed() {
    let project = project(".", "FROM a\nCOPY . .\n");
    project.write(".dockerignore", "keys\nconf\nother\n");
    project.write("other/id_rsa", KEY);
    std::os::unix::fs::symlink("other/id_rsa", project.path("id_rsa")).unwrap();
    std::os::unix::fs::symlink("other", project.path("src/other")).unwrap();
    let (found, report) = told(&project, None);
    assert!(found.is_empty(), "{report}");
}

#[test]
fn what_is_copied_by_a_symlink_is_said_not_to_be_looked_at() {
    for (instruction, link) in
        [("COPY id_rsa /x", "id_rsa"), ("COPY ./linked/id_rsa /x", "linked/id_rsa"), ("COPY linked/*.pem /x", "linked")]
    {
        let project = project(".", &format!("FROM a\n{instruction}\n"));
        project.write(".dockerignore", "keys\nconf\n");
        project.write("other/id_rsa", KEY);
        std::os::unix::fs::symlink("other/id_rsa", project.path("id_rsa")).unwrap();
        std::os::unix::fs::symlink("other", project.path("linked")).unwrap();
        let report = serde_json::from_str(&told(&project, None).1).unwrap();
        let why = format!("`{link}` is behind a symlink, and is not looked at");
        assert_eq!(not_checked(&report), [("what `COPY` takes of the build context of `a`", &*why)], "{instruction}");
        // What is kept back is not there to be copied.
        project.write(".dockerignore", "keys\nconf\nid_rsa\nlinked\nlinked/**\n");
        let report = serde_json::from_str(&told(&project, None).1).unwrap();
        assert!(not_checked(&report).is_empty(), "{report}");
    }
}

#[test]
fn a_pattern_hides_no_symlink_that_is_copied() {
    for (instructions, links) in [
        ("COPY package*.json ./\nCOPY id_rsa /x", &["id_rsa"][..]),
        ("COPY package*.json ./\nCOPY linked/id_rsa /x", &["linked/id_rsa"]),
        ("COPY id_* /x", &["id_rsa"]),
        ("COPY s*/* /x", &["src/linked"]),
        // One in a directory is copied as a link.
        ("COPY . /x", &[]),
        ("COPY s* /x", &[]),
        ("COPY package*.json ./", &[]),
    ] {
        let project = project(".", &format!("FROM a\n{instructions}\n"));
        project.write(".dockerignore", "keys\nconf\n");
        project.write("other/id_rsa", KEY);
        std::os::unix::fs::symlink("other/id_rsa", project.path("id_rsa")).unwrap();
        std::os::unix::fs::symlink("other", project.path("linked")).unwrap();
        std::os::unix::fs::symlink("../other/id_rsa", project.path("src/linked")).unwrap();
        let report = serde_json::from_str(&told(&project, None).1).unwrap();
        let told: Vec<&str> = not_followed(&report);
        let expected: Vec<String> =
            links.iter().map(|link| format!("`{link}` is behind a symlink, and is not looked at")).collect();
        assert_eq!(told, expected, "{instructions}");
    }
}

#[test]
fn what_a_step_may_put_elsewhere_is_said_not_to_be_followed() {
    for (dockerfile, line) in [
        ("FROM a\nRUN --mount=type=bind,target=/src cp -r /src/deep /app\n", Some(2)),
        ("FROM a\nRUN --mount=source=deep/tls.pem,target=/k install /k /etc/k\n", Some(2)),
        ("FROM a AS b\nCOPY . /src\nRUN mv /src/deep/*.pem /out/\nFROM c\nCOPY --from=b /out /out\n", Some(3)),
        ("FROM a\nRUN --mount=type=bind,target=/src make -C /src\n", None),
        ("FROM a AS b\nCOPY . /src\nRUN cp /src/package.json /out/\nFROM c\nCOPY --from=b /out /out\n", None),
    ] {
        let project = project("src", dockerfile);
        project.write("src/Dockerfile", dockerfile);
        project.write("src/deep/tls.pem", PEM);
        let (found, report) = told(&project, None);
        assert!(found.is_empty(), "{report}");
        let report: Value = serde_json::from_str(&report).unwrap();
        let why =
            line.map(|line| format!("`src/Dockerfile:{line}` may put `deep/tls.pem` elsewhere, which is not followed"));
        assert_eq!(not_followed(&report), Vec::from_iter(why), "{dockerfile}");
    }
}

#[test]
fn a_context_that_is_too_large_to_be_looked_through_is_said_not_to_be() {
    let project = project(".", "FROM a\nCOPY . .\n");
    project.write(".dockerignore", "keys\nconf\n");
    project.write(&format!("src/{}id_rsa", "a/".repeat(20)), KEY);
    let (found, report) = told(&project, None);
    assert!(found.is_empty(), "{report}");
    let why = "its directories are too deep to be looked through";
    assert!(report.contains(why) && report.contains("what `COPY` takes of the build context of `a`"), "{report}");
    // Nor is what no instruction takes.
    project.write("Dockerfile", "FROM a\nCOPY compose.yml .\n");
    assert!(!told(&project, None).1.contains(why));
}

/// What of a build is no credential, and what is one all the same.
const BUILD_STEPS: [(&str, bool); 64] = [
    // What stays behind: in the builder's cache, and in no layer.
    ("ARG NPM_TOKEN\nRUN make\nFROM b\nCOPY --from=0 /x /x", false),
    ("ARG NPM_TOKEN\nENV NPM_TOKEN=$NPM_TOKEN\nFROM b\nCOPY --from=0 /x /x", false),
    ("ARG NPM_TOKEN\nRUN make", true),
    ("ARG DB_PASSWORD\nFROM b\nCOPY --from=0 /x /x", true),
    ("ARG NPM_TOKEN=hunter2hunter2\nFROM b\nCOPY --from=0 /x /x", true),
    ("RUN make\nFROM b\nARG NPM_TOKEN", true),
    ("RUN make\nFROM a AS base\nARG NPM_TOKEN\nFROM base", true),
    // What browsers are meant to get, and what they are not.
    ("ARG VITE_STRIPE_KEY=pk_live_51H7Jt9QfYkP3mVbX2nRzLh8C", false),
    ("ENV NEXT_PUBLIC_SENTRY_DSN=https://6f1ed002ab5595859014ebf0951522d9@o1.ingest.sentry.io/42", false),
    ("ENV NEXT_PUBLIC_CLIENT_SECRET=hunter2hunter2", true),
    ("ENV SESSION_KEY=sid", false),
    ("ENV SESSION_KEY=hunter2", true),
    ("RUN DB_PASSWORD= make", false),
    ("RUN make DB_PASSWORD='' && go", false),
    ("RUN SECRET_KEY_BASE=dummy rails assets:precompile", false),
    ("RUN SECRET_KEY_BASE_DUMMY=1 rails assets:precompile", false),
    ("RUN export API_KEY=fake-key; make", false),
    ("RUN <<EOF\nSECRET_KEY=dummy make\nEOF", false),
    ("ENV SECRET_KEY=dummy", false),
    ("ENV DB_PASSWORD=dummy", false),
    ("ARG API_KEY=unused", false),
    ("RUN SECRET_KEY=placeholder python manage.py collectstatic", false),
    ("RUN SECRET_KEY=changeme python manage.py collectstatic", false),
    ("RUN SECRET_KEY=build-time-placeholder python manage.py collectstatic", false),
    ("RUN SECRET_KEY=example make", false),
    ("RUN SECRET_KEY=test make", false),
    ("RUN SECRET_KEY=x make", false),
    ("RUN SECRET_KEY=notasecret make", false),
    ("RUN SECRET_KEY=insecure make", false),
    ("RUN SECRET_KEY=not-used make", false),
    ("RUN DATABASE_URL=\"postgres://user:pass@localhost/db\" make", false),
    ("RUN DATABASE_URL=postgres://user:hunter2@localhost/db make", true),
    ("ARG SECRET_KEY=changeme", false),
    ("ARG DATABASE_URL=postgres://user:pass@localhost/db", false),
    ("ARG DATABASE_URL=postgres://user:hunter2@localhost/db", true),
    ("ENV SECRET_KEY=build-time-placeholder", false),
    ("ENV SECRET_KEY=not-used", false),
    (r#"RUN echo "//registry.npmjs.org/:_authToken=\${NPM_TOKEN}" > .npmrc"#, false),
    (r#"RUN echo "//registry.npmjs.org/:_authToken=\$hunter2hunter2" > .npmrc"#, true),
    // What says of itself that only the build needs it.
    ("ARG SECRET_KEY=not-needed", false),
    ("ENV SECRET_KEY=not-needed", false),
    ("ARG SECRET_KEY=build", false),
    ("ENV SECRET_KEY=build-only", false),
    ("ENV SECRET_KEY=buildtime", false),
    ("ENV SECRET_KEY=throwaway", false),
    ("ARG SECRET_KEY=dev-only", false),
    ("ARG SECRET_KEY=tmp", false),
    ("ENV SECRET_KEY=tmp\nRUN make\nFROM b\nCOPY --from=0 /x /x", false),
    ("ENV SECRET_KEY=tmp", true),
    ("RUN DJANGO_SECRET_KEY=collectstatic python manage.py collectstatic --noinput", false),
    ("RUN APP_KEY=base64:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= php artisan optimize", false),
    ("ARG DATABASE_URL=postgres://u:p@localhost/db", false),
    ("ENV DATABASE_URL=postgres://u:p@localhost:5432/db", false),
    ("ENV DATABASE_URL=postgres://u:hunter2@localhost:5432/db", true),
    ("ENV API_KEY=${API_KEY}", false),
    ("ENV API_KEY=$API_KEY", false),
    ("ARG API_KEY\nENV API_KEY=${API_KEY}", true),
    ("ENV API_KEY=${API_KEY:-hunter2}", true),
    ("ENV API_KEY=${OTHER}hunter2", true),
    // What the image is started with.
    ("ENV SECRET_KEY=changeme", true),
    ("RUN SECRET_KEY_BASE=hunter2 rails assets:precompile", true),
    ("RUN A_TOKEN=dummy B_TOKEN=hunter2 make", true),
    ("RUN A_TOKEN=dummy mysql -phunter2", true),
    ("CMD SECRET_KEY=dummy exec app", true),
];

#[test]
fn what_a_build_does_not_use_is_no_credential() {
    for (instruction, is_one) in BUILD_STEPS {
        let project = project(".", &format!("FROM a\n{instruction}\n"));
        project.write(".dockerignore", "keys\nconf\n");
        let (found, report) = told(&project, None);
        assert_eq!(!found.is_empty(), is_one, "{instruction}: {report}");
    }
}

#[test]
fn what_only_a_stage_has_that_stays_behind_is_not_told_to_be_in_the_image() {
    for (instruction, of) in
        [("RUN mysql -phunter2 -e 'select 1'", "`RUN`, which"), ("ENV A_TOKEN=hunter2", "`A_TOKEN`")]
    {
        let stays = |dockerfile: &str| {
            let project = project(".", dockerfile);
            project.write(".dockerignore", "keys\nconf\n");
            told(&project, None).1
        };
        let last = stays(&format!("FROM a\n{instruction}\n"));
        assert!(last.contains(&format!("{of} stays in the image, where everybody reads it")), "{last}");
        let behind = stays(&format!("FROM a\n{instruction}\nFROM b\nCOPY --from=0 /x /x\n"));
        assert!(
            behind.contains(&format!("{of} stays in the builder's cache")) && !behind.contains("hunter2"),
            "{behind}"
        );
    }
}
