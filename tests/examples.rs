//! The shipped systems: from an empty directory, and from their folder of `examples/`, to what each of them deploys.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use support::{Project, Run, program, python_judge, root, skip};

const NAMES: [&str; 5] = ["docker-mcp", "e2i", "mcp-rag", "omni2", "sutra"];

/// Values that a person would supply: not real, and strong enough for `check`.
const SUPPLIED: [(&str, &str); 4] = [
    ("SUPABASE_URL", "https://qzxvkjwpmtrbnhdgfsly.supabase.test"),
    ("SUPABASE_KEY", "w7Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT6iWoBqMy"),
    ("SUPABASE_SERVICE_KEY", "Zr4Hc8NvTq2LxWm7YpKd9FbJs3GuAe5RiXoCtQkV"),
    ("ANTHROPIC_API_KEY", "sk-ant-Pq8Zt3NcWv6LyRm2XhKd7FbJs9GuAe4TiYoCr5Q"),
];

/// A folder of `examples/` as a clean checkout has it, in a directory of its own.
fn checkout(name: &str) -> Project {
    let project = Project::empty();
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root().join("examples").join(name)).output();
    for file in String::from_utf8(listed.unwrap().stdout).unwrap().split_terminator('\0') {
        project.write(file, std::fs::read(root().join("examples").join(name).join(file)).unwrap());
    }
    project
}

/// A preset with everything that a person must supply.
fn supplied(name: &str) -> Project {
    let project = Project::preset(name);
    if name == "e2i" {
        for (name, value) in SUPPLIED {
            project.run_with_stdin(["set", name], value.as_bytes()).assert_code(0);
        }
    }
    project
}

/// Every path that did not come with the preset, and its mode.
fn made(project: &Project) -> BTreeMap<String, u32> {
    let came = [
        "auth",
        "auth/Dockerfile",
        "auth/auth_service.py",
        "docker",
        "docker-compose.swarm.yml",
        "docker-compose.yml",
        "docker/docker-compose.secure.yml",
        "docker/nginx",
        "docker/nginx/nginx.conf",
        "iam",
        "iam/prod-ci-check.json",
        "iam/prod-reader.json",
        "iam/prod-rotator.json",
        "iam/staging-ci-check.json",
        "iam/staging-reader.json",
        "iam/staging-rotator.json",
        "k8s",
        "k8s/prod",
        "k8s/prod/application.yaml",
        "k8s/prod/database-credentials.yaml",
        "k8s/secret-store.yaml",
        "k8s/service-account.yaml",
        "nginx",
        "nginx/nginx.conf",
        "traefik",
        "traefik/tls.yml",
        "vault-kit.toml",
        // With a checkout only.
        ".env.example",
        "README.md",
    ];
    let is_ours = |path: &String| !came.contains(&path.as_str());
    project.snapshot().into_iter().filter(|(path, _)| is_ours(path)).map(|(path, entry)| (path, entry.mode)).collect()
}

/// What each system's description demands, beside the store.
fn demanded(name: &str) -> BTreeMap<String, u32> {
    let own: &[(&str, u32)] = match name {
        "sutra" => &[
            (".secrets", 0o700),
            (".secrets/tokens", 0o700),
            (".secrets/tokens/service_token.txt", 0o600),
            (".secrets/tokens/admin_token.txt", 0o600),
            (".secrets/tls", 0o700),
            (".secrets/tls/fullchain.pem", 0o644),
            (".secrets/tls/ca.pem", 0o644),
            (".secrets/tls/key.pem", 0o600),
        ],
        "e2i" => {
            &[("docker/nginx/ssl", 0o700), ("docker/nginx/ssl/cert.pem", 0o644), ("docker/nginx/ssl/key.pem", 0o600)]
        }
        "mcp-rag" => &[("nginx/ssl", 0o700), ("nginx/ssl/cert.pem", 0o644), ("nginx/ssl/key.pem", 0o600)],
        "omni2" => &[
            (".secrets", 0o700),
            (".secrets/auth", 0o700),
            (".secrets/auth/signing_key.pem", 0o600),
            ("public", 0o755),
            ("public/jwks.json", 0o644),
            ("public/revoked.json", 0o644),
            ("traefik/tls", 0o700),
            ("traefik/tls/cert.pem", 0o644),
            ("traefik/tls/key.pem", 0o600),
        ],
        _ => &[
            (".secrets", 0o700),
            (".secrets/postgres_password", 0o600),
            (".secrets/api_keys", 0o600),
            ("nginx/ssl", 0o700),
            ("nginx/ssl/cert.pem", 0o644),
            ("nginx/ssl/key.pem", 0o600),
        ],
    };
    let common = [
        (".env", 0o600),
        (".gitignore", 0o644),
        (".dockerignore", 0o644),
        (".vault-kit", 0o700),
        (".vault-kit/audit.jsonl", 0o600),
        (".vault-kit/dev.age", 0o600),
        (".vault-kit/dev.ledger.jsonl", 0o600),
        (".vault-kit/lock", 0o600),
        ("fingerprints", 0o755),
        ("fingerprints/dev.json", 0o644),
    ];
    own.iter().chain(&common).map(|(path, mode)| ((*path).to_owned(), *mode)).collect()
}

/// The lines of a delivered `.env`.
fn variables(project: &Project) -> BTreeMap<String, String> {
    let text = project.read(".env");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Their names, without the numbers that everybody but root has there for the containers to run as.
fn settled(variables: &BTreeMap<String, String>) -> Vec<&str> {
    variables.keys().map(String::as_str).filter(|name| !name.ends_with("_UID") && !name.ends_with("_GID")).collect()
}

#[test]
fn every_manifest_that_ships_parses_without_a_warning() {
    for name in NAMES {
        let text = std::fs::read_to_string(root().join("examples").join(name).join("vault-kit.toml")).unwrap();
        let manifest = vault_kit::manifest::parse(&text, name).unwrap();
        assert!(manifest.warnings.is_empty(), "{name}: {:?}", manifest.warnings);
        assert_eq!(manifest.project, name);
        let run = Project::with_manifest(&text).run(["init", "--dry-run"]).assert_code(0);
        assert!(!run.both().contains("warning"), "{name}: {run:?}");
    }
}

#[test]
fn every_manifest_that_ships_is_what_its_json_schema_describes() {
    let test = "every_manifest_that_ships_is_what_its_json_schema_describes";
    let Some(python) = support::python() else { return skip(test, "there is no Python with its packages") };
    let schema = root().join("schemas/manifest.schema.json");
    let judge = |file: &Path| {
        let mut judge = Command::new(&python);
        Run::of(judge.arg(root().join("tests/judges/validate_json.py")).arg(&schema).arg(file))
    };
    for name in NAMES {
        let run = judge(&root().join("examples").join(name).join("vault-kit.toml")).assert_code(0);
        assert_eq!(run.stdout, "valid\n", "{name}");
    }
    // The judge sees a field that there is not.
    let wrong = Project::with_manifest("project.name = \"p\"\n[secrets.A]\nkind = \"random\"\nbytess = 32\n");
    let run = judge(&wrong.path("vault-kit.toml"));
    assert!(run.code != 0 && run.stderr.contains("bytess"), "{run:?}");
}

#[test]
fn init_leaves_exactly_the_files_that_the_system_needs_with_their_modes() {
    for name in NAMES {
        assert_eq!(made(&supplied(name)), demanded(name), "{name}");
    }
}

#[test]
fn a_clean_checkout_of_an_example_becomes_the_same_as_its_preset() {
    for name in NAMES {
        let project = checkout(name);
        project.run(["init"]).assert_code(0);
        let preset = Project::preset(name);
        assert_eq!(made(&project), made(&preset), "{name}");
        // What the deployment reads comes with the preset too; what explains it stays in the repository.
        for (path, entry) in checkout(name).snapshot() {
            if entry.mode & 0o111 == 0 && path != "README.md" && path != ".env.example" {
                assert!(preset.path(&path).exists(), "the preset {name} lacks {path}");
                assert_eq!(preset.bytes(&path), entry.bytes, "{name}: {path}");
            }
        }
    }
}

#[test]
fn a_clone_without_the_store_knows_the_values_of_each_system_and_a_second_developer_gets_own_ones() {
    for name in NAMES {
        let project = Project::preset(name);
        let git = |place: &Project, arguments: &[&str]| {
            let mut command = Command::new("git");
            command
                .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"])
                .args(arguments);
            command.current_dir(place.root()).env_clear().env("PATH", support::search_path()).env("HOME", place.home());
            Run::of(&mut command).assert_code(0)
        };
        git(&project, &["init", "-q"]);
        git(&project, &["add", "."]);
        project.run(["scan", "--staged"]).assert_code(0);
        git(&project, &["commit", "-q", "-m", "Begin"]);
        let clone = Project::empty();
        git(&clone, &["clone", "-q", project.root().to_str().unwrap(), "."]);
        // Of omni2 every value is a key pair, a certificate or a setting, none of which has a public hash.
        let drawn = json_of(&clone.read("fingerprints/dev.json"))["values"][0]["secret"].as_str().map(str::to_owned);
        assert_eq!(drawn.is_none(), name == "omni2", "{name}");
        if let Some(drawn) = drawn {
            clone.write("leak.txt", project.get(&drawn));
            git(&clone, &["add", "leak.txt"]);
            let run = clone.run(["scan", "--staged"]).assert_code(1);
            assert!(run.stdout.contains(&format!("value of `{drawn}`")), "{name}: {run:?}");
            git(&clone, &["rm", "-q", "--cached", "leak.txt"]);
        }
        clone.write("note.txt", "clean\n");
        git(&clone, &["add", "note.txt"]);
        clone.run(["scan", "--staged"]).assert_code(0);
        clone.run(["init"]).assert_code(0);
        clone.run(["scan", "--staged"]).assert_code(0);
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn check_finds_nothing_once_a_person_supplied_what_only_a_person_can() {
    for name in NAMES {
        let project = supplied(name);
        // The containers run as the owner of the files, as the READMEs say.
        let check = Run::of(project.command(["check", "--strict"]).envs(support::owner(&project)));
        assert!(check.stdout.contains("no problem found"), "{name}: {check:?}");
        assert_eq!(check.code, 0, "{name}: {check:?}");
    }
}

#[test]
fn before_that_e2i_says_of_each_value_what_to_do_and_writes_no_half_of_its_env() {
    let project = Project::preset("e2i");
    assert!(!project.path(".env").exists());
    let check = project.run(["check", "--json"]).assert_code(1);
    let report: Value = serde_json::from_str(&check.stdout).unwrap();
    for (name, _) in SUPPLIED {
        let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["secret"] == name);
        let finding = finding.unwrap_or_else(|| panic!("{name}: {}", check.stdout));
        assert_eq!(finding["code"], "missing");
        assert!(finding["fix"].as_str().unwrap().starts_with(&format!("vault-kit set {name}")), "{finding}");
    }
    let wrong = project.run_with_stdin(["set", "ANTHROPIC_API_KEY"], b"key-Pq8Zt3NcWv6LyRm2XhKd7FbJs9").assert_code(1);
    assert!(wrong.stderr.contains("does not match the pattern of `ANTHROPIC_API_KEY`"), "{wrong:?}");
}

#[test]
fn a_second_init_of_a_complete_system_changes_no_byte_no_time_and_no_inode() {
    for name in NAMES {
        let project = supplied(name);
        let (before, home) = (project.snapshot(), project.home_snapshot());
        assert!(home.len() > 3, "{home:?}");
        for arguments in [&["init"][..], &["init", "--preset", name], &["render"], &["generate"]] {
            let again = project.run(arguments).assert_code(0);
            assert_eq!(project.snapshot(), before, "{name} {arguments:?}: {again:?}");
            assert_eq!(project.home_snapshot(), home, "{name} {arguments:?}: {again:?}");
        }
    }
}

#[test]
fn git_takes_what_belongs_to_the_repository_and_nothing_secret() {
    for name in NAMES {
        let project = supplied(name);
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            let config = ["-c", "core.excludesFile=/dev/null", "-c", "core.autocrlf=false"];
            Run::of(command.current_dir(project.root()).args(config).args(arguments)).assert_code(0).stdout
        };
        git(&["init", "--quiet"]);
        git(&["add", "--all"]);
        let files = git(&["ls-files"]);
        let taken: BTreeSet<&str> = files.lines().collect();
        let ours = made(&project);
        let secret: Vec<_> = taken.iter().filter(|path| ours.contains_key(**path)).collect();
        assert_eq!(secret, [&".dockerignore", &".gitignore", &"fingerprints/dev.json"], "{name}");
        assert!(taken.contains("vault-kit.toml"));
        project.run(["check", "--at", "repo", "--strict"]).assert_code(0);
    }
}

#[test]
fn sutra_s_tokens_verify_with_its_one_secret() {
    let project = Project::preset("sutra");
    let variables = variables(&project);
    assert_eq!(settled(&variables), ["SUTRA_AUTH_SECRET"]);
    let key = &variables["SUTRA_AUTH_SECRET"];
    assert!(key.len() >= 32);
    for (file, subject, role, days) in
        [("service_token.txt", "svc:internal", "service", 365), ("admin_token.txt", "admin:ops", "admin", 90)]
    {
        let token = project.read(&format!(".secrets/tokens/{file}"));
        let ask = |key: &str| {
            let asked = json!({
                "token": token, "key": key, "algorithm": "HS256", "audience": "sutra", "issuer": "sutra",
            });
            Some(Run::with_stdin(&mut python_judge("verify_jwt.py")?, asked.to_string().as_bytes()))
        };
        let Some(run) = ask(key) else { return skip("examples-pyjwt", "no .venv: run tests/setup") };
        let told: Value = serde_json::from_str(&run.assert_code(0).stdout).unwrap();
        let claims = &told["claims"];
        assert_eq!((&claims["sub"], &claims["role"]), (&json!(subject), &json!(role)));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), days * 86_400);
        ask("another-secret-of-thirty-two-or-more-characters").unwrap().assert_code(1);
    }
}

#[test]
fn the_certificates_of_development_verify_for_the_names_that_their_services_have() {
    let Some(openssl) = program("openssl") else { return skip("examples-openssl", "no openssl: run tests/setup") };
    let cases: [(&str, &str, &str, &[&str], i64); 5] = [
        ("mcp-rag", "nginx/ssl/cert.pem", "nginx/ssl/cert.pem", &["localhost"], 365),
        ("omni2", "traefik/tls/cert.pem", "traefik/tls/cert.pem", &["localhost"], 90),
        (
            "sutra",
            ".secrets/tls/ca.pem",
            ".secrets/tls/fullchain.pem",
            &["storage-server", "grid-event-storage", "sutra-api", "localhost"],
            90,
        ),
        ("e2i", "docker/nginx/ssl/cert.pem", "docker/nginx/ssl/cert.pem", &["localhost"], 365),
        ("docker-mcp", "nginx/ssl/cert.pem", "nginx/ssl/cert.pem", &["localhost"], 90),
    ];
    for (name, ca, cert, hosts, days) in cases {
        let project = Project::preset(name);
        for host in hosts {
            let mut verify = Command::new(&openssl);
            verify.args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host]);
            Run::of(verify.arg("-CAfile").arg(project.path(ca)).arg(project.path(cert))).assert_code(0);
        }
        let Some(mut profile) = python_judge("print_profile.py") else {
            return skip("examples-profile", "no .venv: run tests/setup");
        };
        let told = Run::of(profile.arg(project.path(cert))).assert_code(0);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(told[0]["lifetime"], days * 86_400 - 1, "{name}");
    }
}

#[test]
fn docker_mcp_s_passwords_are_so_many_random_bytes_and_its_list_holds_its_keys() {
    let project = Project::preset("docker-mcp");
    let variables = variables(&project);
    let expected = ["CORS_ORIGINS", "GRAFANA_ADMIN_PASSWORD", "UI_API_KEY"];
    assert_eq!(settled(&variables), expected, "no variable holds the database's password");
    let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap().len();
    assert_eq!(bytes(&project.read(".secrets/postgres_password")), 32);
    assert_eq!(bytes(&variables["GRAFANA_ADMIN_PASSWORD"]), 16);
    let keys = project.read(".secrets/api_keys");
    let (api, ui) = keys.split_once(',').unwrap();
    assert_eq!((api.as_bytes(), ui), (&*project.get("MCP_API_KEY"), &*variables["UI_API_KEY"]));

    project.run(["generate", "--replace", "MCP_API_KEY", "--yes"]).assert_code(0);
    let list = project.read(".secrets/api_keys");
    assert!(list != keys && list.ends_with(&format!(",{ui}")), "the list follows its keys");
}

#[test]
fn docker_mcp_refuses_an_origin_of_everybody() {
    for origin in ["value = \"*\"", "value = \"http://localhost:8501\"\nvalues = { prod = \"https://*\" }"] {
        let project = checkout("docker-mcp");
        let manifest = project.read("vault-kit.toml");
        let from = manifest.find("value = \"http").unwrap();
        let to = from + manifest[from..].find("# the origins").unwrap();
        project.write("vault-kit.toml", format!("{}{origin}   {}", &manifest[..from], &manifest[to..]));
        let run = project.run(["-e", "prod", "init"]).assert_code(3);
        assert!(run.stderr.contains("CORS_ORIGINS"), "{run:?}");
        assert!(!project.path(".env").exists());
    }
}

const RUNNING_PASSWORD: &str = "k3Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT";

/// The `.env` of e2i as somebody keeps it by hand today.
fn running_env() -> String {
    let mut text = format!("# by hand\nREDIS_PASSWORD={RUNNING_PASSWORD}\nOTHER=1\n");
    for (name, value) in SUPPLIED {
        text.extend([name, "=", value, "\n"]);
    }
    text
}

#[test]
fn e2i_takes_over_a_running_env_and_keeps_the_rest_of_it() {
    let project = checkout("e2i");
    let running = running_env();
    project.write(".env", &running);
    project.run(["import", ".env"]).assert_code(0);
    assert_eq!(project.read(".env"), running, "what runs stays as it is");
    project.run(["init", "--adopt"]).assert_code(0);
    let adopted = project.read(".env");
    assert!(adopted.starts_with("# by hand\n") && adopted.ends_with("\nOTHER=1\n"), "{adopted}");
    for (name, value) in SUPPLIED.into_iter().chain([("REDIS_PASSWORD", RUNNING_PASSWORD)]) {
        assert_eq!(adopted.matches(&format!("{name}={value}\n")).count(), 1, "{name}");
        assert_eq!(adopted.matches(&format!("{name}=")).count(), 1, "{name}");
    }
    assert_eq!(project.mode(".env"), 0o600);
    project.run(["check"]).assert_code(0);
}

/// `init` before `import` made a password of its own: the one that Redis runs with must not vanish unseen.
#[test]
fn e2i_s_running_password_is_not_replaced_by_one_that_init_made_before() {
    let project = Project::preset("e2i");
    let running = running_env();
    project.write(".env", &running);
    project.run(["import", ".env"]);
    let adopt = project.run(["init", "--adopt"]);
    assert!(adopt.code == 7 && adopt.stderr.contains("REDIS_PASSWORD"), "{adopt:?}");
    assert_eq!(project.read(".env"), running);
}

/// A certificate for `host` that its own key signed, and that key: what one line of OpenSSL makes.
fn self_signed(openssl: &Path, project: &Project, host: &str) -> (PathBuf, PathBuf) {
    let (cert, key) = (project.home().join("fullchain.pem"), project.home().join("privkey.pem"));
    let mut command = Command::new(openssl);
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90"]);
    command.args(["-subj", &format!("/CN={host}"), "-addext", &format!("subjectAltName=DNS:{host}")]);
    Run::of(command.arg("-keyout").arg(&key).arg("-out").arg(&cert)).assert_code(0);
    (cert, key)
}

#[test]
fn production_delivers_the_certificate_that_was_issued_elsewhere() {
    let Some(openssl) = program("openssl") else { return skip("examples-openssl", "no openssl: run tests/setup") };
    let cases = [
        ("docker-mcp", "NGINX_TLS_FULLCHAIN", "NGINX_TLS_KEY", "nginx/ssl/cert.pem", "nginx/ssl/key.pem"),
        ("sutra", "STORAGE_TLS_FULLCHAIN", "STORAGE_TLS_KEY", ".secrets/tls/fullchain.pem", ".secrets/tls/key.pem"),
    ];
    for (name, fullchain, privkey, cert_file, key_file) in cases {
        let project = Project::empty();
        project.run(["-e", "prod", "init", "--preset", name]).assert_code(0);
        assert!(!project.path(".vault-kit/dev.age").exists() && !project.path(key_file).exists(), "{name}");
        project.run(["-e", "prod", "check"]).assert_code(1);
        let (cert, key) = issued_by_ca(&openssl, &project, "app.example.com");
        for (secret, file) in [(fullchain, &cert), (privkey, &key)] {
            let file = file.to_str().unwrap();
            project.run(["-e", "prod", "set", secret, "--from-file", file]).assert_code(0);
        }
        for (delivered, file) in [(cert_file, &cert), (key_file, &key)] {
            assert_eq!(project.bytes(delivered), std::fs::read(file).unwrap(), "{name}: {delivered}");
            assert_eq!(project.mode(delivered), 0o600, "{name}: {delivered}");
        }
        let swapped = project.run(["-e", "prod", "set", privkey, "--from-file", cert.to_str().unwrap()]);
        assert_eq!(swapped.code, 1, "{name}: a certificate is not a key");
        Run::of(project.command(["-e", "prod", "check", "--strict"]).envs(support::owner(&project))).assert_code(0);

        let origins = variables(&project).get("CORS_ORIGINS").cloned();
        let expected = match name {
            "docker-mcp" => Some("https://mcp.example.com".to_owned()),
            _ => None,
        };
        assert_eq!(origins, expected, "{name}");
        let before = project.snapshot();
        project.run(["-e", "prod", "init"]).assert_code(0);
        assert_eq!(project.snapshot(), before, "{name}");
        // Production's files are not replaced by those of development, nor the other way round.
        project.run(["init"]).assert_code(7);
        assert_eq!(project.bytes(key_file), std::fs::read(&key).unwrap(), "{name}");
    }
}

/// A leaf with its issuer's certificate behind it, as Let's Encrypt's `fullchain.pem` is, and its key.
fn issued_by_ca(openssl: &Path, project: &Project, host: &str) -> (PathBuf, PathBuf) {
    let file = |name: &str| project.home().join(name);
    let make = |name: &str, words: &[&str]| {
        let mut command = Command::new(openssl);
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        command.args(words).arg("-keyout").arg(file(&format!("{name}.key"))).arg("-out");
        Run::of(command.arg(file(&format!("{name}.pem"))).current_dir(project.home())).assert_code(0);
        std::fs::read_to_string(file(&format!("{name}.pem"))).unwrap()
    };
    let authority =
        ["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "basicConstraints=critical,CA:TRUE"];
    make("root", &[&["-subj", "/CN=root"][..], &authority].concat());
    let by_root = ["-subj", "/CN=issuing", "-CA", "root.pem", "-CAkey", "root.key"];
    let issuing = make("issuing", &[&by_root[..], &authority].concat());
    let (subject, name) = (format!("/CN={host}"), format!("subjectAltName=DNS:{host}"));
    let by_issuing =
        ["-subj", &subject, "-days", "90", "-CA", "issuing.pem", "-CAkey", "issuing.key", "-addext", &name];
    let leaf = ["-addext", "extendedKeyUsage=serverAuth", "-addext", "basicConstraints=critical,CA:FALSE"];
    let leaf = make("leaf", &[&by_issuing[..], &leaf].concat());
    project.write("fullchain.pem", leaf + &issuing);
    (project.path("fullchain.pem"), file("leaf.key"))
}

#[test]
fn e2i_s_production_takes_in_what_lets_encrypt_issued_and_nothing_less() {
    let Some(openssl) = program("openssl") else { return skip("examples-openssl", "no openssl: run tests/setup") };
    let project = Project::empty();
    let init = project.run(["-e", "prod", "init", "--preset", "e2i"]).assert_code(0);
    assert!(init.stderr.contains("vault-kit -e prod cert import LETSENCRYPT"), "{init:?}");
    for (name, value) in SUPPLIED {
        project.run_with_stdin(["-e", "prod", "set", name], value.as_bytes()).assert_code(0);
    }
    let (cert_file, key_file) = ("docker/nginx/ssl/cert.pem", "docker/nginx/ssl/key.pem");
    assert!(!project.path(key_file).exists());
    let import = |(cert, key): &(PathBuf, PathBuf), host: &str| {
        let mut command = project.command(["-e", "prod", "cert", "import", "LETSENCRYPT", "--host", host]);
        Run::of(command.arg("--fullchain").arg(cert).arg("--key").arg(key))
    };
    let own = import(&self_signed(&openssl, &project, "e2i.example.com"), "e2i.example.com").assert_code(1);
    assert!(own.stdout.contains("self-signed") && own.stdout.contains("ca-as-leaf"), "{own:?}");
    assert!(!project.path(key_file).exists());
    let pair = issued_by_ca(&openssl, &project, "e2i.example.com");
    import(&pair, "other.example.com").assert_code(1);
    import(&pair, "e2i.example.com").assert_code(0);
    assert_eq!(project.bytes(cert_file), std::fs::read(&pair.0).unwrap());
    assert_eq!(project.bytes(key_file), std::fs::read(&pair.1).unwrap());
    assert_eq!((project.mode(cert_file), project.mode(key_file)), (0o644, 0o600));
    project.run(["-e", "prod", "check", "--strict"]).assert_code(0);
    project.run(["-e", "prod", "cert", "needs-renewal"]).assert_code(0);
    assert_eq!(variables(&project)["CORS_ORIGINS"], "https://e2i.example.com");
    // Production's files are not replaced by those of development, nor the other way round.
    project.run(["init"]).assert_code(7);
    assert_eq!(project.bytes(key_file), std::fs::read(&pair.1).unwrap());
}

/// A system's Compose file as Docker Compose understands it; `None`, said aloud, without Compose.
fn compose(project: &Project, options: &[&str]) -> Option<Value> {
    let Some(mut command) = python_judge("compose_config.py") else {
        skip("examples-compose", "no .venv: run tests/setup");
        return None;
    };
    let run = Run::of(command.arg(project.root()).args(options));
    if run.code == 77 {
        skip("examples-compose", "no Docker Compose v2: run tests/setup");
        return None;
    }
    assert!(run.stderr.is_empty(), "Compose has nothing to warn of: {}", run.stderr);
    Some(serde_json::from_str(&run.assert_code(0).stdout).unwrap())
}

fn compose_options(name: &str) -> &'static [&'static str] {
    if name == "e2i" { &["--env-file", ".env", "-f", "docker/docker-compose.secure.yml"] } else { &[] }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn compose_finds_every_file_and_variable_that_its_file_names() {
    for name in NAMES {
        let project = supplied(name);
        let Some(config) = compose(&project, compose_options(name)) else { return };
        let secrets = object(&config["secrets"]).map(|(_, secret)| &secret["file"]);
        let mounts = object(&config["services"]).flat_map(|(_, service)| items(&service["volumes"]));
        let is_file = |mount: &&Value| mount["type"] == "bind" && mount["source"] != "/var/run/docker.sock";
        let mounts = mounts.filter(is_file).map(|mount| &mount["source"]);
        let mut count = 0;
        for path in secrets.chain(mounts) {
            assert!(Path::new(path.as_str().unwrap()).exists(), "{name}: {path} does not exist after init");
            count += 1;
        }
        assert!(count > 1, "{name}");
        for (service, secret) in
            object(&config["services"]).flat_map(|(service, it)| items(&it["secrets"]).map(move |it| (service, it)))
        {
            assert!(config["secrets"].get(secret["source"].as_str().unwrap()).is_some(), "{name} {service}");
        }
    }
}

#[test]
fn compose_refuses_to_start_a_system_without_its_secrets() {
    for name in NAMES {
        let project = checkout(name);
        project.write(".env", "");
        let Some(mut command) = python_judge("compose_config.py") else {
            return skip("examples-compose", "no .venv: run tests/setup");
        };
        let run = Run::of(command.arg(project.root()).args(compose_options(name)));
        if run.code == 77 {
            return skip("examples-compose", "no Docker Compose v2: run tests/setup");
        }
        assert!(run.code != 0 && run.stderr.contains("run vault-kit"), "{name}: {run:?}");
    }
}

/// Who is on which network.
fn networks(config: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    object(&config["services"])
        .map(|(service, it)| (service.as_str(), object(&it["networks"]).map(|(name, _)| name.as_str()).collect()))
        .collect()
}

/// The networks that have no way out.
fn internal(config: &Value) -> BTreeSet<&str> {
    object(&config["networks"]).filter(|(_, it)| it["internal"] == true).map(|(name, _)| name.as_str()).collect()
}

/// Published ports as `address:published>target`, by service.
fn published(config: &Value) -> BTreeMap<&str, BTreeSet<String>> {
    let port = |port: &Value| {
        let address = port["host_ip"].as_str().map(|address| format!("{address}:")).unwrap_or_default();
        format!("{address}{}>{}", port["published"].as_str().unwrap(), port["target"])
    };
    object(&config["services"])
        .filter(|(_, it)| it.get("ports").is_some())
        .map(|(service, it)| (service.as_str(), items(&it["ports"]).map(port).collect()))
        .collect()
}

fn expected<'a, const N: usize>(rows: &[(&'a str, [&'a str; N])]) -> BTreeMap<&'a str, BTreeSet<String>> {
    let named = |it: &[&str; N]| it.iter().filter(|it| !it.is_empty()).map(|it| (*it).to_owned()).collect();
    rows.iter().map(|(service, it)| (*service, named(it))).collect()
}

#[test]
fn e2i_s_services_are_on_exactly_the_networks_of_its_matrix_and_only_nginx_publishes() {
    let Some(config) = compose(&supplied("e2i"), compose_options("e2i")) else { return };
    let matrix = "
        nginx         yes yes no  no  no
        frontend      no  yes no  no  no
        api           no  yes yes yes yes
        redis         no  no  yes no  yes
        falkordb      no  no  yes no  no
        mlflow        no  yes no  yes no
        opik          no  yes no  yes no
        worker-light  no  no  yes yes yes
        worker-heavy  no  no  yes yes yes
        scheduler     no  no  no  no  yes";
    let rows = matrix.trim().lines().map(|line| {
        let mut cells = line.split_whitespace();
        let service = cells.next().unwrap();
        let on = ["public", "app", "data", "monitoring", "celery"].into_iter().zip(cells);
        (service, on.filter(|(_, cell)| *cell == "yes").map(|(network, _)| network).collect())
    });
    assert_eq!(networks(&config), rows.collect());
    assert_eq!(internal(&config), BTreeSet::from(["data", "celery"]));
    let icc = &config["networks"]["public"]["driver_opts"]["com.docker.network.bridge.enable_icc"];
    assert_eq!(icc, "false");
    assert_eq!(published(&config), expected(&[("nginx", ["80>80", "443>443"])]));
    let services = &config["services"];
    for (service, secret) in [("frontend", "SUPABASE_SERVICE_KEY"), ("scheduler", "ANTHROPIC_API_KEY")] {
        assert!(services[service]["environment"].get(secret).is_none(), "{service} does not need {secret}");
    }
}

#[test]
fn sutra_s_public_and_internal_services_are_apart_and_all_hold_the_same_secret() {
    let project = Project::preset("sutra");
    let Some(config) = compose(&project, &[]) else { return };
    let inside = "storage-server grid-event-storage grid-master grid-agent-1 grid-agent-2 embedding-ha bulk-ingester";
    let networks = networks(&config);
    for service in inside.split(' ') {
        assert_eq!(networks[service], BTreeSet::from(["sutra-internal"]), "{service}");
    }
    let public = ["sutra-api", "sutra-hybrid", "sutra-client", "sutra-control"];
    assert_eq!(networks.len(), inside.split(' ').count() + public.len());
    assert!(public.iter().all(|service| networks[service].contains("sutra-public")));
    assert_eq!(internal(&config), BTreeSet::from(["sutra-internal"]));
    for (network, subnet) in [("sutra-internal", "172.20.0.0/24"), ("sutra-public", "172.21.0.0/24")] {
        assert_eq!(config["networks"][network]["ipam"]["config"], json!([{"subnet": subnet}]));
    }
    let ports = expected(&[
        ("sutra-api", ["8000>8000"]),
        ("sutra-hybrid", ["8001>8001"]),
        ("sutra-client", ["8080>8080"]),
        ("sutra-control", ["127.0.0.1:9000>9000"]),
    ]);
    assert_eq!(published(&config), ports, "the administrators' port only on this host");
    let exposed = [
        ("storage-server", json!(["50051"])),
        ("grid-event-storage", json!(["50051"])),
        ("grid-master", json!(["7001", "7002"])),
        ("grid-agent-1", json!(["8001"])),
        ("grid-agent-2", json!(["8001"])),
        ("embedding-ha", json!(["8888"])),
        ("bulk-ingester", json!(["8005"])),
    ];
    for (service, ports) in exposed {
        assert_eq!(config["services"][service]["expose"], ports, "{service}");
    }
    let secret = &variables(&project)["SUTRA_AUTH_SECRET"];
    for (service, it) in object(&config["services"]) {
        let held = it["environment"].get("SUTRA_AUTH_SECRET");
        let needs_none = ["sutra-client", "embedding-ha"].contains(&service.as_str());
        assert_eq!(held, (!needs_none).then_some(&json!(secret)), "{service}");
        let mounted = it["secrets"].to_string() + &it["volumes"].to_string();
        assert!(!mounted.contains("admin_token"), "{service}: the admin token is for people");
    }
}

#[test]
fn docker_mcp_publishes_only_its_gateway_and_swarm_takes_the_secrets_from_outside() {
    let project = Project::preset("docker-mcp");
    let Some(config) = compose(&project, &[]) else { return };
    let networks = networks(&config);
    for service in ["postgres", "qdrant", "model-runner"] {
        assert_eq!(networks[service], BTreeSet::from(["backend"]), "{service}");
    }
    assert_eq!(networks["prometheus"], BTreeSet::from(["monitoring"]));
    assert_eq!(internal(&config), BTreeSet::from(["backend", "monitoring"]));
    let ports = expected(&[("nginx", ["80>80", "443>443"]), ("grafana", ["127.0.0.1:3000>3000", ""])]);
    assert_eq!(published(&config), ports);
    for service in ["mcp-api", "worker", "postgres"] {
        let service = &config["services"][service];
        assert_eq!(service["environment"]["POSTGRES_PASSWORD_FILE"], "/run/secrets/postgres_password");
        assert!(service["environment"].get("POSTGRES_PASSWORD").is_none());
        let mount = json!({"source": "postgres_password", "target": "/run/secrets/postgres_password"});
        assert!(items(&service["secrets"]).any(|it| *it == mount), "{service}");
    }
    let swarm = compose(&project, &["-f", "docker-compose.yml", "-f", "docker-compose.swarm.yml"]).unwrap();
    for name in ["postgres_password", "api_keys"] {
        let secret = &swarm["secrets"][name];
        assert!(secret["external"] == true && secret.get("file").is_none(), "{secret}");
    }
}

#[test]
fn omni2_publishes_only_its_gateway_and_strips_the_headers_of_clients_first() {
    let project = Project::preset("omni2");
    let Some(config) = compose(&project, &[]) else { return };
    let networks = networks(&config);
    for (service, on) in [("auth-service", "backend"), ("omni2-bridge", "backend"), ("docker-proxy", "docker-api")] {
        assert_eq!(networks[service], BTreeSet::from([on]), "{service}");
    }
    assert_eq!(internal(&config), BTreeSet::from(["backend", "docker-api"]));
    let ports = ["127.0.0.1:8090>8090", "127.0.0.1:8443>8443", "127.0.0.1:8091>8091"];
    assert_eq!(published(&config), expected(&[("traefik", ports)]));
    for (service, it) in object(&config["services"]) {
        assert_eq!(items(&it["secrets"]).count(), usize::from(service == "auth-service"), "{service} and the key");
    }
    let labels = &config["services"]["omni2-bridge"]["labels"];
    let ours = project.run(["token", "forward-auth", "labels", "--address", "http://auth-service:9000/verify"]);
    for line in ours.assert_code(0).stdout.lines() {
        let (name, value) = line.split_once('=').unwrap();
        assert_eq!(labels[name], value, "{name}");
    }
    for (router, priority) in [("status", "200"), ("api", "100"), ("health", "50")] {
        assert_eq!(labels[format!("traefik.http.routers.{router}.priority")], priority);
    }
    // A spelling that nobody strips reaches the backend by any route that asks nobody.
    let routes = object(labels).filter_map(|(name, _)| name.strip_suffix(".rule"));
    let routes: Vec<_> = routes.collect();
    assert_eq!(routes.len(), 3);
    for route in routes {
        assert_eq!(labels[format!("{route}.middlewares")], "auth", "{route}");
    }
}

#[test]
fn mcp_rag_s_policies_and_external_secrets_are_what_its_manifest_makes() {
    let project = checkout("mcp-rag");
    for environment in ["staging", "prod"] {
        for role in ["reader", "rotator", "ci-check"] {
            let policy = project.run(["-e", environment, "iam", "policy", "--role", role]).assert_code(0).stdout;
            assert_eq!(project.read(&format!("iam/{environment}-{role}.json")), policy);
        }
    }
    let external = ["k8s/prod/application.yaml", "k8s/prod/database-credentials.yaml"];
    let committed = external.map(|path| project.read(path));
    for path in external {
        std::fs::remove_file(project.path(path)).unwrap();
    }
    project.run(["-e", "prod", "init"]).assert_code(0);
    assert_eq!(external.map(|path| project.read(path)), committed);
    // The trap: a pattern without the leading slash matches no name that begins with one.
    let reader = project.read("iam/prod-reader.json");
    for name in [
        "database/url",
        "database/password",
        "redis/url",
        "api-keys/openai",
        "api-keys/anthropic",
        "application/jwt-secret",
    ] {
        let arn = format!("\"arn:aws:secretsmanager:us-east-1:222222222222:secret:/mcp-demo/prod/{name}-??????\"");
        assert!(reader.contains(&arn), "{name}");
    }
}

#[test]
fn mcp_rag_s_objects_are_what_kubernetes_takes_and_name_each_other() {
    let read = |path: &str, schema: &str| -> Option<Value> {
        let schema = root().join("tests/fixtures/kubernetes").join(schema);
        let text = std::fs::read(root().join("examples/mcp-rag").join(path)).unwrap();
        let run = Run::with_stdin(python_judge("kubernetes.py")?.arg(schema), &text).assert_code(0);
        Some(serde_json::from_str(&run.stdout).unwrap())
    };
    let any = "any.json";
    let Some(external) = read("k8s/prod/database-credentials.yaml", "externalsecret-v1.json") else {
        return skip("examples-kubernetes", "no .venv: run tests/setup");
    };
    assert_eq!(external["metadata"], json!({ "name": "database-credentials", "namespace": "mcp-demo" }));
    assert_eq!(external["spec"]["refreshInterval"], "1h");
    assert_eq!(
        external["spec"]["data"],
        json!([{ "secretKey": "url", "remoteRef": { "key": "/mcp-demo/prod/database/url" } }])
    );
    let (store, account) =
        (read("k8s/secret-store.yaml", any).unwrap(), read("k8s/service-account.yaml", any).unwrap());
    assert_eq!(external["spec"]["secretStoreRef"], json!({ "kind": store["kind"], "name": store["metadata"]["name"] }));
    let aws = &store["spec"]["provider"]["aws"];
    assert_eq!((&aws["service"], &aws["region"]), (&json!("SecretsManager"), &json!("us-east-1")));
    assert_eq!(aws["auth"]["jwt"]["serviceAccountRef"]["name"], account["metadata"]["name"]);
    let role = account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].as_str().unwrap();
    assert!(role.starts_with("arn:aws:iam::222222222222:role/"), "{role}");
    assert!([&store, &account].iter().all(|it| it["metadata"]["namespace"] == "mcp-demo"));
}

#[test]
fn mcp_rag_s_url_follows_its_password_and_its_keys_are_asked_of_their_owner() {
    let project = Project::preset("mcp-rag");
    let before = variables(&project);
    assert_eq!(before["DATABASE_URL"], format!("postgresql://mcp:{}@postgres:5432/mcp", before["DATABASE_PASSWORD"]));
    project.run(["generate", "--replace", "DATABASE_PASSWORD", "--yes"]).assert_code(0);
    let after = variables(&project);
    assert_ne!(before["DATABASE_PASSWORD"], after["DATABASE_PASSWORD"]);
    assert_eq!(after["DATABASE_URL"], format!("postgresql://mcp:{}@postgres:5432/mcp", after["DATABASE_PASSWORD"]));

    let status = project.run(["status", "--json"]).assert_code(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let mut rotating = items(&status["secrets"]).filter(|it| it["kind"] != "certificate");
    assert!(rotating.all(|it| it["due"].is_null()), "development never rotates: {status}");

    let text = project.read("vault-kit.toml");
    let manifest = vault_kit::manifest::parse(&text, "m").unwrap();
    let days = |name: &str| match manifest.secrets[name].rotate {
        Some(vault_kit::manifest::model::Rotate::Every(period)) => period.seconds() / 86_400,
        _ => 0,
    };
    let names = ["DATABASE_PASSWORD", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "JWT_SECRET"];
    assert_eq!(names.map(days), [90, 90, 90, 180]);
    assert!(["OPENAI_API_KEY", "ANTHROPIC_API_KEY"].iter().all(|name| manifest.secrets[*name].owner.is_some()));

    let Some(config) = compose(&project, &[]) else { return };
    assert_eq!(internal(&config), BTreeSet::from(["backend"]));
    assert_eq!(published(&config), expected(&[("nginx", ["127.0.0.1:8443>8443"])]));
}

#[test]
fn every_container_is_hardened_and_limited() {
    for name in NAMES {
        let Some(config) = compose(&supplied(name), compose_options(name)) else { return };
        for (service, it) in object(&config["services"]) {
            assert!(items(&it["security_opt"]).any(|it| it == "no-new-privileges:true"), "{name} {service}");
            let limits = &it["deploy"]["resources"]["limits"];
            assert!(limits["cpus"].is_number() && limits["memory"].is_string(), "{name} {service}: {limits}");
            // Only databases that write where they please are not.
            let writes = ["falkordb", "opik"].contains(&service.as_str());
            assert_eq!(it["read_only"] == true, !writes, "{name} {service}");
            assert!(it.get("privileged").is_none() && it.get("network_mode").is_none(), "{name} {service}");
            let sees_docker = it["volumes"].to_string().contains("docker.sock");
            assert_eq!(sees_docker, service == "docker-proxy", "{name} {service}");
        }
    }
}
