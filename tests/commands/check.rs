//! `check`: each kind of finding, by a project that has it.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::changed_deployment::deployment;
use crate::shop::{KEY, SHOP, complete, json, shop};
use crate::support::{self, Project, Run};

/// The codes of the findings about a secret or file, and that the exit code and the fixes go with them.
fn findings(project: &Project, arguments: &[&str]) -> Vec<(String, String)> {
    let run = project.run([&["check", "--json"], arguments].concat());
    let report = json(&run);
    let found = report["findings"].as_array().unwrap();
    assert_eq!(run.code, i32::from(!found.is_empty()), "{}", run.both());
    let subject = |it: &serde_json::Value| {
        assert!(it["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{it}");
        assert!(it["message"].as_str().is_some_and(|message| !message.is_empty()), "{it}");
        let subject = if it["file"].is_null() { &it["secret"] } else { &it["file"] };
        (it["code"].as_str().unwrap().to_owned(), subject.as_str().unwrap().to_owned())
    };
    let found: Vec<_> = found.iter().map(subject).collect();
    let words = project.run([&["check"], arguments].concat());
    for (code, subject) in &found {
        let is_told = |line: &str| line.starts_with(code.as_str()) && line.contains(subject.as_str());
        assert!(words.stdout.lines().any(is_told), "{code} {subject}: {}", words.stdout);
    }
    found
}

#[track_caller]
fn assert_found(project: &Project, arguments: &[&str], expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(code, it)| ((*code).to_owned(), (*it).to_owned())).collect();
    assert_eq!(findings(project, arguments), expected);
}

fn chmod(project: &Project, path: &str, mode: u32) {
    std::fs::set_permissions(project.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A project with one value that a person supplies, delivered as a file.
fn one(extra: &str) -> Project {
    Project::initialised(&format!(
        "[project]\nname = \"one\"\n[environments.dev]\n[environments.prod]\n[secrets.A]\nkind = \"external\"\n{extra}\n\
         [outputs.files]\nformat = \"docker-secrets\"\npath = \".secrets\"\n"
    ))
}

#[test]
fn nothing_is_found_in_a_complete_project_and_the_identity_is_not_needed() {
    let project = complete();
    assert_found(&project, &[], &[]);
    std::fs::remove_file(project.identity()).unwrap();
    let before = project.contents();
    assert_found(&project, &[], &[]);
    assert_found(&project, &["--strict"], &[]);
    assert_eq!(project.contents(), before);
}

#[test]
fn a_missing_value_and_a_missing_file() {
    let project = shop();
    std::fs::remove_file(project.path(".secrets/auth")).unwrap();
    assert_found(&project, &[], &[("missing", ".secrets/auth"), ("missing", "extra.json"), ("missing", "STRIPE")]);
}

#[test]
fn without_a_store_everything_is_missing() {
    let project = Project::with_manifest("[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n");
    assert_found(&project, &[], &[("missing", "A")]);
}

#[test]
fn a_weak_value_one_that_does_not_match_and_one_that_an_example_shows() {
    // `set` refuses the second; what the store got under an older manifest is found all the same.
    let project = one("");
    project.run_with_stdin(["set", "A"], b"hunter2hunter2").assert_code(0);
    assert_found(&project, &[], &[("weak", "A")]);
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("[outputs", "pattern = \"^sk_\"\n[outputs"));
    project.run(["render"]).assert_code(0);
    let found = findings(&project, &[]);
    assert!(found.contains(&("pattern-mismatch".into(), "A".into())), "{found:?}");

    let example = Project::with_manifest(SHOP);
    example.write(".env.example", format!("STRIPE={KEY}\n"));
    example.run(["init"]).assert_code(0);
    example.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    assert_found(&example, &[], &[("example-value", "STRIPE")]);
}

#[test]
fn a_recipe_that_draws_weak_values_is_told_by_its_field_wherever_one_looks_and_longer_values_are_the_cure() {
    let text = "project.name = \"p\"\n[secrets.LEGACY_PASSWORD]\nkind = \"password\"\nlength = 8\n\
        [outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";
    let project = Project::initialised(text);
    let told = [("weak-recipe", "LEGACY_PASSWORD")];
    assert_found(&project, &[], &told);
    assert_found(&project, &["--at", "repo"], &told);
    let run =
        project.run(["run", "--", env!("CARGO_BIN_EXE_vault-kit"), "check", "--at", "env", "--json"]).assert_code(1);
    let finding = &json(&run)["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&"weak-recipe".into(), &"warning".into()));
    let message = "`secrets.LEGACY_PASSWORD.length` of 8 draws passwords of 47 bits, 64 are the least";
    assert_eq!(finding["message"], message);
    let fix = "in [secrets.LEGACY_PASSWORD] of vault-kit.toml: length = 11    # then: vault-kit generate --replace LEGACY_PASSWORD";
    assert_eq!(finding["fix"], fix);

    project.write("vault-kit.toml", text.replace("length = 8", "length = 11"));
    assert_found(&project, &[], &[("weak", "LEGACY_PASSWORD")]);
    project.run(["generate", "--replace", "LEGACY_PASSWORD", "--yes"]).assert_code(0);
    assert_found(&project, &["--strict"], &[]);

    // The other side may take no longer one: that is a decision, with a reason and an end.
    let until = (chrono::Utc::now() + chrono::TimeDelta::days(90)).format("%Y-%m-%d");
    let allow = format!(
        "[[check.allow]]\ncode = \"weak-recipe\"\nsecret = \"LEGACY_PASSWORD\"\nuntil = \"{until}\"\nreason = \"the old mainframe\"\n"
    );
    let project = Project::initialised(&format!("{text}{allow}"));
    assert_found(&project, &["--strict"], &[]);
}

#[test]
fn a_pattern_that_changed_is_judged_with_the_identity_and_named_without() {
    let project = one("pattern = \"^sk_\"");
    project.run_with_stdin(["set", "A"], KEY.as_bytes()).assert_code(0);
    assert_found(&project, &["--strict"], &[]);
    let before = project.read("vault-kit.toml");
    project.write("vault-kit.toml", before.replace("^sk_", "^pk_"));
    assert_found(&project, &[], &[("pattern-mismatch", "A")]);
    std::fs::rename(project.identity(), project.home().join("aside.txt")).unwrap();
    assert_found(&project, &[], &[]);
    let report = json(&project.run(["check", "--json"]));
    assert_eq!(report["not_checked"][0]["what"], "pattern of A");
    assert!(report["not_checked"][0]["why"].as_str().unwrap().contains("`vault-kit render`"));
    // What was judged by a pattern that is gone says nothing any more.
    std::fs::rename(project.home().join("aside.txt"), project.identity()).unwrap();
    project.run(["render"]).assert_code(0);
    std::fs::rename(project.identity(), project.home().join("aside.txt")).unwrap();
    assert_found(&project, &[], &[("pattern-mismatch", "A")]);
    project.write("vault-kit.toml", before.replace("pattern = \"^sk_\"\n", ""));
    assert_found(&project, &["--strict"], &[]);
}

#[test]
fn a_file_that_was_written_in_another_dialect_or_format() {
    let project = complete();
    let before = project.read("vault-kit.toml");
    let systemd = "format = \"dotenv\"\ndialect = \"systemd\"\n";
    project.write("vault-kit.toml", before.replace("format = \"dotenv\"\n", systemd));
    assert_found(&project, &[], &[("stale", ".env")]);
    let run = project.run(["check"]);
    assert!(run.stdout.contains("was written as `dotenv, portable`, and the manifest declares"), "{}", run.stdout);
    project.run(["render"]).assert_code(0);
    assert_found(&project, &[], &[]);
    project.write("vault-kit.toml", before.replace("format = \"dotenv\"\n", "format = \"json\"\n"));
    assert!(findings(&project, &[]).contains(&("stale".into(), ".env".into())));
}

/// No hash of a value that a person chose may be public; the stores have to be opened for these.
#[test]
fn a_value_that_a_person_gave_to_two_environments() {
    let project = one("[secrets.B]\nkind = \"external\"\noptional = true");
    let set = |environment: &str, name: &str, value: &str| {
        project.run_with_stdin(["-e", environment, "set", name], value.as_bytes()).assert_code(0);
    };
    project.write("vault-kit.toml", format!("{}environments = [\"dev\"]\n", project.read("vault-kit.toml")));
    project.run(["-e", "prod", "init"]).assert_code(0);
    set("prod", "B", KEY);
    set("prod", "A", "another-Zk3vYq8mT1xWc5Rb");
    assert_found(&project, &["--strict"], &[("missing", "A")]);
    set("dev", "A", KEY);
    assert_found(&project, &["--strict"], &[("reused", "A")]);
    let run = project.run(["check"]);
    assert!(run.stdout.contains("has the same value as `B` of environment `prod`"), "{}", run.stdout);

    let not_checked = |run: &Run| json(run)["not_checked"][0].clone();
    std::fs::rename(project.identity(), project.home().join("aside.txt")).unwrap();
    assert_found(&project, &[], &[]);
    let unseen = not_checked(&project.run(["check", "--json"]));
    assert_eq!(unseen["what"], "reuse in environment prod of `A`");
    assert!(unseen["why"].as_str().unwrap().contains("only the identity can"), "{unseen}");
    project.run(["check", "--strict"]).assert_code(1);

    // A store that this identity does not open is named, and hides nothing else.
    std::fs::rename(project.home().join("aside.txt"), project.identity()).unwrap();
    let me = json(&project.run(["recipients", "list", "--json"]))["you"][0].as_str().unwrap().to_owned();
    let (identity, colleague) = project.stranger("colleague.txt");
    let declared = format!("[environments.dev]\nrecipients = {{ me = \"{me}\", colleague = \"{colleague}\" }}\n");
    project.write("vault-kit.toml", project.read("vault-kit.toml").replace("[environments.dev]\n", &declared));
    project.run(["recipients", "apply", "--yes"]).assert_code(0);
    let mut check = project.command(["check", "--json"]);
    let unseen = not_checked(&Run::of(check.env("VAULT_KIT_IDENTITY_FILE", identity)).assert_code(0));
    assert!(
        unseen["why"].as_str().unwrap().contains("is not among the recipients of `.vault-kit/prod.age`"),
        "{unseen}"
    );
}

#[test]
fn a_placeholder_that_came_into_the_store_by_another_way() {
    let test = "a_placeholder_that_came_into_the_store_by_another_way";
    if support::program("age").is_none() {
        return support::skip(test, "no age");
    }
    let project = one("");
    project.run_with_stdin(["set", "A"], KEY.as_bytes()).assert_code(0);
    let age = |arguments: &[&str], input: &[u8]| {
        let mut age = Command::new("age");
        age.args(arguments).current_dir(project.root());
        let output = age_output(&mut age, input);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let identity = project.identity();
    let payload = age(&["-d", "-i", identity.to_str().unwrap()], &project.bytes(".vault-kit/dev.age"));
    let payload = String::from_utf8(payload).unwrap();
    assert!(payload.contains(KEY));
    let recipient = json(&project.run(["recipients", "list", "--json"]))["you"][0].as_str().unwrap().to_owned();
    let sealed = age(&["-r", &recipient], payload.replace(KEY, "your-api-key-here").as_bytes());
    project.write(".vault-kit/dev.age", sealed);
    let found = findings(&project, &[]);
    assert!(found.contains(&("placeholder".into(), "A".into())), "{found:?}");
}

fn age_output(command: &mut Command, input: &[u8]) -> std::process::Output {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("age runs");
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_file_that_is_too_open_or_another_users() {
    let project = complete();
    chmod(&project, ".env", 0o640);
    assert_found(&project, &[], &[("mode-too-open", ".env")]);
    chmod(&project, ".env", 0o400);
    assert_found(&project, &[], &[]);
    if !rustix::process::geteuid().is_root() {
        return support::skip("a_file_that_is_too_open_or_another_users", "only root can give a file away");
    }
    std::os::unix::fs::chown(project.path(".secrets/token"), Some(12345), None).unwrap();
    assert_found(&project, &[], &[("wrong-owner", ".secrets/token")]);
}

#[test]
fn the_store_s_directory_and_the_identity_that_others_can_read() {
    let project = complete();
    chmod(&project, ".vault-kit", 0o755);
    assert_found(&project, &[], &[("mode-too-open", ".vault-kit")]);
    chmod(&project, ".vault-kit", 0o777);
    assert_found(&project, &[], &[("directory-writable-by-others", ".vault-kit")]);
    assert!(project.run(["check"]).stdout.contains("fix: chmod go-rwx .vault-kit\n"));
    chmod(&project, ".vault-kit", 0o700);

    let identity = project.identity();
    let path = identity.to_str().unwrap();
    std::fs::set_permissions(&identity, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_found(&project, &[], &[("mode-too-open", path)]);
    assert_found(&project, &["--at", "repo"], &[]);
    let run = project.run(["check"]);
    assert!(run.stdout.contains(&format!("fix: chmod go-rwx {path}\n")), "{}", run.stdout);
    assert_eq!(run.stderr, "", "told once");
    std::fs::set_permissions(&identity, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_found(&project, &[], &[]);
}

#[test]
fn a_store_that_belongs_to_somebody_else() {
    let project = complete();
    if !rustix::process::geteuid().is_root() {
        return support::skip("a_store_that_belongs_to_somebody_else", "only root can give a file away");
    }
    for path in [".vault-kit", ".vault-kit/dev.age"] {
        std::os::unix::fs::chown(project.path(path), Some(12345), None).unwrap();
        assert_found(&project, &[], &[("wrong-owner", path)]);
        std::os::unix::fs::chown(project.path(path), Some(0), None).unwrap();
    }
}

#[test]
fn a_directory_that_others_can_write_in() {
    let project = complete();
    chmod(&project, ".secrets", 0o777);
    assert_found(&project, &[], &[("directory-writable-by-others", ".secrets")]);
}

#[test]
fn a_symlink_or_a_directory_where_a_file_should_be() {
    let project = complete();
    let moved = project.path("elsewhere");
    std::fs::rename(project.path(".secrets/auth"), &moved).unwrap();
    std::os::unix::fs::symlink(&moved, project.path(".secrets/auth")).unwrap();
    std::fs::remove_file(project.path(".secrets/token")).unwrap();
    std::fs::create_dir(project.path(".secrets/token")).unwrap();
    assert_found(&project, &[], &[("symlink", ".secrets/auth"), ("not-a-file", ".secrets/token")]);
}

#[test]
fn a_file_that_does_not_hold_what_the_store_holds() {
    let project = complete();
    let env = project.read(".env");
    project.write(".env", env.replace("AUTH=", "AUTH=x"));
    project.write(".secrets/token", "something else");
    let expected = [("stale", ".env"), ("stale", ".secrets/token")];
    assert_found(&project, &[], &expected);
    project.run(["render"]).assert_code(0);
    assert_found(&project, &[], &[]);
    // Without the identity a generated value is known by its fingerprint.
    project.write(".secrets/auth", "something else");
    std::fs::remove_file(project.identity()).unwrap();
    assert_found(&project, &[], &[("stale", ".secrets/auth")]);
}

#[test]
fn a_setting_that_changed_and_a_declaration_that_changed() {
    let project = complete();
    project.write("vault-kit.toml", SHOP.replace("8080", "9090"));
    let found = findings(&project, &[]);
    assert!(found.contains(&("stale".into(), ".env".into())), "{found:?}");
    project.write("vault-kit.toml", SHOP.replace("dns = [\"localhost\"]", "dns = [\"localhost\", \"shop\"]"));
    assert_found(&project, &[], &[("declaration-changed", "TLS")]);
}

fn git(project: &Project, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]);
    let output = git.args(arguments).current_dir(project.root()).env("HOME", project.home()).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_file_that_git_tracks_or_would_take() {
    if support::program("git").is_none() {
        return support::skip("a_file_that_git_tracks_or_would_take", "no git");
    }
    let project = complete();
    git(&project, &["init", "--quiet"]);
    assert_found(&project, &[], &[]);
    assert_found(&project, &["--at", "repo", "--strict"], &[]);
    git(&project, &["add", "--force", ".env"]);
    for place in ["host", "repo"] {
        assert_found(&project, &["--at", place], &[("tracked-by-git", ".env")]);
    }
    git(&project, &["rm", "--quiet", "--cached", ".env"]);
    let ignored = project.read(".gitignore").replace("/.env\n", "");
    project.write(".gitignore", ignored);
    assert_found(&project, &["--at", "repo"], &[("not-ignored", ".env")]);
}

/// A self-signed certificate that is valid between two days from now.
fn certificate(from: i64, to: i64) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let day = |days: i64| time::OffsetDateTime::from_unix_timestamp(chrono::Utc::now().timestamp() + days * 86_400);
    (params.not_before, params.not_after) = (day(from).unwrap(), day(to).unwrap());
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn a_certificate_that_has_expired() {
    let project = one("");
    project.write("cert.pem", certificate(-90, -1));
    project.run(["set", "A", "--from-file", "cert.pem"]).assert_code(0);
    assert_found(&project, &[], &[("expired", "A")]);
    project.write("cert.pem", certificate(-1, 90));
    project.run(["set", "A", "--from-file", "cert.pem"]).assert_code(0);
    assert_found(&project, &[], &[]);
}

#[test]
fn a_token_that_has_expired() {
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let token = |exp: i64| {
        let payload = format!("{{\"sub\":\"a\",\"exp\":{exp}}}");
        format!(
            "{}.{}.{}",
            encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
            encode(&payload),
            "Q7nV2xK9pLr4TzB8wYc1JdF6hGs3AeU5oXiNqZtRvMw"
        )
    };
    let now = chrono::Utc::now().timestamp();
    let project = one("");
    project.run_with_stdin(["set", "A"], token(now - 3600).as_bytes()).assert_code(0);
    assert_found(&project, &[], &[("expired", "A")]);
    project.run_with_stdin(["set", "A"], token(now + 400 * 86_400).as_bytes()).assert_code(0);
    assert_found(&project, &[], &[]);
}

/// Sets a date in the ledger: what the calendar does to a value in time.
fn set_date(project: &Project, name: &str, field: &str, to: chrono::DateTime<chrono::Utc>) {
    let date = to.format("%Y-%m-%dT%H:%M:%SZ");
    let of_secret = format!("{{\"name\":\"{name}\"");
    let change = |line: &str| {
        if !line.starts_with(&of_secret) {
            return line.to_owned();
        }
        let start = line.find(&format!("\"{field}\":\"")).expect("the field") + field.len() + 4;
        let end = start + line[start..].find('"').expect("its end");
        format!("{}{date}{}", &line[..start], &line[end..])
    };
    let ledger = project.read(".vault-kit/dev.ledger.jsonl");
    let changed: String = ledger.lines().map(|line| change(line) + "\n").collect();
    assert!(changed.contains(&format!("\"{field}\":\"{date}\"")));
    project.write(".vault-kit/dev.ledger.jsonl", changed);
}

#[test]
fn what_is_about_to_expire() {
    let now = chrono::Utc::now();
    let days = chrono::TimeDelta::days;
    for name in ["TOKEN", "TLS"] {
        let project = complete();
        // A certificate is due up to a twentieth of its life after two thirds of it, by its serial.
        for (expires, found) in [(40, None), (20, Some("expiring")), (-1, Some("expired"))] {
            set_date(&project, name, if name == "TLS" { "not_before" } else { "created" }, now - days(60));
            set_date(&project, name, "expires", now + days(expires));
            let expected: Vec<_> = found.into_iter().map(|code| (code, name)).collect();
            assert_found(&project, &[], &expected);
        }
    }
}

#[test]
fn a_clock_that_stands_behind_the_store() {
    let project = complete();
    let updated = project.ledger().header.updated;
    for (minutes, found) in [(4, None), (60, Some(("clock-behind", ".vault-kit/dev.age")))] {
        let ahead = updated + chrono::TimeDelta::minutes(minutes);
        let mut ledger = project.ledger();
        ledger.header.updated = ahead;
        project.write(".vault-kit/dev.ledger.jsonl", ledger.to_bytes().unwrap());
        assert_found(&project, &[], &found.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_rotation_that_is_due() {
    let project = one("rotate = \"90d\"");
    project.run_with_stdin(["set", "A"], KEY.as_bytes()).assert_code(0);
    assert_found(&project, &[], &[]);
    set_date(&project, "A", "created", chrono::Utc::now() - chrono::TimeDelta::days(91));
    assert_found(&project, &[], &[("rotation-due", "A")]);
}

#[test]
fn a_value_that_two_environments_share() {
    let project = complete();
    let auth = project.get("AUTH");
    project.write("auth", &auth);
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    project.run(["-e", "prod", "--yes", "set", "AUTH", "--from-file", "auth"]).assert_code(0);
    let run = project.run(["-e", "prod", "check", "--json"]).assert_code(1);
    let report = json(&run);
    let reused = report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "reused");
    let reused = reused.unwrap_or_else(|| panic!("nothing is reused in {report}"));
    assert_eq!(reused["secret"], "AUTH");
    assert!(reused["fix"].as_str().unwrap().contains("-e prod"), "{reused}");
}

#[test]
fn the_process_environment_is_judged_without_a_store() {
    let project = Project::with_manifest(SHOP);
    let with = |variables: &[(&str, &str)]| {
        let mut command = project.command(["check", "--at", "env", "--json"]);
        command.envs(variables.iter().copied());
        let run = Run::of(&mut command);
        assert!(!run.both().contains("hunter2"), "{}", run.both());
        let report = json(&run);
        assert_eq!(report["places"][0], "env");
        let found = report["findings"].as_array().unwrap().iter();
        let found: Vec<_> =
            found.map(|it| format!("{} {}", it["code"].as_str().unwrap(), it["secret"].as_str().unwrap())).collect();
        assert_eq!(run.code, i32::from(!found.is_empty()));
        found
    };
    assert_eq!(with(&[]), ["missing AUTH", "missing DB_URL", "missing PORT"]);
    let good = ("DB_URL", "postgres://app:Wq8zKv2mXs6bNd1yLc4jHf7pUa9e@db/app");
    let auth = ("AUTH", "wR5tGv8zKq2mXs6bNd1yLc4jHf7pUa9eTo3iVx0rBnQ");
    assert_eq!(with(&[good, auth, ("PORT", "8080")]), Vec::<String>::new());
    assert_eq!(with(&[good, ("AUTH", "changeme"), ("PORT", "8080")]), ["placeholder AUTH"]);
    assert_eq!(with(&[good, ("AUTH", "hunter2"), ("PORT", "8080")]).len(), 1);
}

/// What `check` finds in a job with these variables, as code and secret.
fn in_job(project: &Project, environment: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = project.command(["-e", environment, "check", "--at", "env", "--json"]);
    command.envs(variables.iter().copied());
    let report = json(&Run::of(&mut command));
    let found = report["findings"].as_array().unwrap().iter();
    found.map(|it| format!("{} {}", it["code"].as_str().unwrap(), it["secret"].as_str().unwrap())).collect()
}

#[test]
fn every_origin_is_refused_to_production_by_whatever_brings_it() {
    let manifest = "[project]\nname = \"shop\"\ndefault_environment = \"dev\"\n[environments.dev]\n[environments.prod]\n\
         [secrets.CORS_ORIGINS]\nkind = \"external\"\n[secrets.ORIGINS]\nkind = \"setting\"\nvalue = \"https://a.example\"\n\
         [outputs.env]\nformat = \"dotenv\"\npath = \".env\"\nsecrets = [\"*\"]\n";
    let project = Project::with_manifest(manifest);
    let both = [("CORS_ORIGINS", "https://a.example,*"), ("ORIGINS", "*")];
    assert_eq!(in_job(&project, "prod", &both), ["wildcard-origin CORS_ORIGINS", "wildcard-origin ORIGINS"]);
    let named = [("CORS_ORIGINS", "https://*.a.example"), ("ORIGINS", "https://a.example")];
    assert_eq!(in_job(&project, "prod", &named), Vec::<String>::new());
    for (environment, value, is_refused) in
        [("dev", "[\"*\"]", false), ("prod", "https://app.example.com:8443", false), ("prod", "[\"*\"]", true)]
    {
        let arguments = ["-e", environment, "--yes", "set", "CORS_ORIGINS"];
        project.run(["-e", environment, "init", "--yes"]);
        project.run_with_stdin(arguments, value.as_bytes()).assert_code(0);
        let report = json(&project.run(["-e", environment, "check", "--json"]));
        let found = report["findings"].as_array().unwrap().iter();
        let found: Vec<_> = found.filter(|it| it["code"] == "wildcard-origin").map(|it| &it["secret"]).collect();
        assert_eq!(found, if is_refused { vec!["CORS_ORIGINS"] } else { vec![] }, "{environment} {value}: {report}");
    }
}

#[test]
fn a_jobs_variable_is_as_long_as_its_services_ask() {
    let project = Project::preset("sutra");
    let of_secret = |value: &str| {
        let found = in_job(&project, "dev", &[("SUTRA_AUTH_SECRET", value)]);
        found.into_iter().filter(|it| it.ends_with(" SUTRA_AUTH_SECRET")).collect::<Vec<_>>()
    };
    assert_eq!(of_secret("wR5tGv8zKq2mXs6bNd1yLc4jHf7pUa9e"), Vec::<String>::new());
    assert_eq!(of_secret("wR5tGv8zKq2mXs6bNd1yLc4jHf7pUa9"), ["pattern-mismatch SUTRA_AUTH_SECRET"]);
}

#[test]
fn a_line_that_compose_expands_has_another_value_than_its_text() {
    let manifest = "[project]\nname = \"shop\"\n[secrets.DB]\nkind = \"external\"\n\
         [outputs.env]\nformat = \"dotenv\"\ndialect = \"compose\"\npath = \".env\"\nsecrets = [\"DB\"]\n";
    let project = Project::with_manifest(manifest);
    project.run(["init"]);
    project.run_with_stdin(["set", "DB"], b"wR5tG$v8zKq2mXs6bNd1yLc4").assert_code(0);
    let written = project.read(".env");
    assert!(written.contains("'wR5tG$v8zKq2mXs6bNd1yLc4'"), "{written}");
    project.run(["check"]).assert_code(0);
    // Somebody put it into other quotes.
    project.write(".env", written.replace('\'', "\""));
    chmod(&project, ".env", 0o600);
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("DB") && run.stdout.contains("vault-kit render"), "{run:?}");
    project.run(["render", "--yes"]).assert_code(0);
    assert_eq!(project.read(".env"), written);
}

#[test]
fn strict_fails_for_what_could_not_be_looked_at() {
    let project = complete();
    std::fs::remove_file(project.identity()).unwrap();
    // Only the store can tell whether a certificate is the right one.
    let tls =
        project.snapshot().into_keys().find(|path| path.starts_with("tls/") && path.ends_with("key.pem")).unwrap();
    let bytes = project.bytes(&tls);
    std::fs::remove_file(project.path(&tls)).unwrap();
    project.write(&tls, bytes);
    chmod(&project, &tls, 0o600);
    let run = project.run(["check", "--json"]).assert_code(0);
    let report = json(&run);
    assert!(report["findings"].as_array().unwrap().is_empty());
    assert!(report["not_checked"][0]["what"].as_str().unwrap().contains(&tls), "{report}");
    project.run(["check", "--strict"]).assert_code(1);
}

#[test]
fn the_report_is_what_its_schema_says() {
    let test = "the_report_is_what_its_schema_says";
    let Some(python) = support::python() else { return support::skip(test, "no Python with the judges' packages") };
    let projects = [(complete(), 0), (shop(), 1), (Project::with_manifest(SHOP), 1), (deployment(), 1)];
    for (project, code) in projects {
        let report = project.run(["check", "--json", "--at", "host", "--at", "repo", "--at", "env"]);
        assert!(report.code >= code, "{}", report.both());
        project.write("report.json", &report.stdout);
        let judge = Command::new(&python)
            .arg(support::root().join("tests/judges/validate_json.py"))
            .arg(support::root().join("schemas/check-report.schema.json"))
            .arg(project.path("report.json"))
            .output()
            .unwrap();
        assert!(judge.status.success(), "{}", String::from_utf8_lossy(&judge.stderr));
        assert_eq!(judge.stdout, b"valid\n");
    }
}

#[test]
fn where_git_has_no_work_tree_nobody_is_told_to_begin() {
    let project = Project::empty();
    git(&project, &["init", "--quiet", "--bare", "shop.git"]);
    let run = project.run(["-C", "shop.git", "check"]).assert_code(3);
    assert!(run.stderr.contains("`shop.git` is a git repository without a work tree"), "{run:?}");
    assert!(run.stderr.contains("git clone /") && !run.stderr.contains("vault-kit init"), "{run:?}");
    let run = project.run(["check"]).assert_code(3);
    assert!(run.stderr.contains("vault-kit init"), "{run:?}");
}

#[test]
fn a_repository_that_cannot_be_asked_is_told_and_none_is_not() {
    let project = one("");
    let told = |run: &Run| {
        let unseen = json(run)["not_checked"].as_array().unwrap().clone();
        let git = unseen.iter().find(|it| it["what"] == "git");
        git.map(|it| it["why"].as_str().unwrap().to_owned())
    };
    let check = |variables: &[(&str, &std::path::Path)]| {
        let mut command = project.command(["check", "--at", "repo", "--strict", "--json"]);
        Run::of(command.envs(variables.iter().copied()))
    };
    assert_eq!(told(&check(&[]).assert_code(0)), None);
    // A directory of that name may be anything.
    std::fs::create_dir(project.path(".git")).unwrap();
    assert_eq!(told(&check(&[]).assert_code(0)), None);
    let elsewhere = Project::empty();
    for place in [&project, &elsewhere] {
        let mut git = std::process::Command::new("git");
        Run::of(git.args(["init", "-q"]).current_dir(place.root())).assert_code(0);
    }
    assert_eq!(told(&check(&[]).assert_code(0)), None);
    assert_eq!(told(&check(&[("GIT_DIR", &project.path(".git"))]).assert_code(0)), None);
    let run = check(&[("GIT_DIR", &elsewhere.path(".git"))]).assert_code(1);
    assert!(told(&run).is_some_and(|why| why.contains("`unset GIT_DIR`")), "{run:?}");
    let head = project.read(".git/HEAD");
    for damage in ["", "garbage\n", "ref: main\n"] {
        project.write(".git/HEAD", damage);
        let run = check(&[]).assert_code(1);
        assert!(told(&run).is_some_and(|why| why.contains("damaged")), "{run:?}");
    }
    std::fs::remove_file(project.path(".git/HEAD")).unwrap();
    assert!(told(&check(&[]).assert_code(1)).is_some_and(|why| why.contains("no HEAD")));
    project.write(".git/HEAD", head);
    std::fs::remove_dir_all(project.path(".git/objects")).unwrap();
    assert!(told(&check(&[]).assert_code(1)).is_some_and(|why| why.contains("damaged")));
}
