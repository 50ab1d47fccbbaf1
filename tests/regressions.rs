//! What once went wrong, or nearly did: each of these was a way to lose a value, to deliver the wrong one, or to be told
//! that all is well.

mod support;

use std::fs;

use support::{Project, set_mode};

const ENV: &str = "[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";

fn manifest(rest: &str) -> String {
    format!("[project]\nname = \"shop\"\n{rest}")
}

fn env_of(secrets: &str) -> String {
    manifest(&format!("{secrets}{ENV}"))
}

const RANDOM: &str = "[secrets.AUTH_KEY]\nkind = \"random\"\n";

const TOKEN: &str = "[secrets.SERVICE_TOKEN]\nkind = \"token\"\nsigned_by = \"AUTH_KEY\"\nrole = \"service\"\n";

/// A value that a person could have made: strong, and no placeholder.
const VALUE: &str = "Zq7vKx2mPw9sTb4nRc6hJd8fLg3yWk5e";

#[test]
fn a_private_key_is_never_delivered_as_what_its_secret_was_changed_to() {
    let project = Project::initialised(&manifest(
        "[secrets.SITE]\nkind = \"certificate\"\nissuer = \"self\"\ndns = [\"localhost\"]\n",
    ));
    let key = project.run(["get", "SITE", "--part", "key"]).assert_code(0).stdout;
    assert!(key.contains("PRIVATE KEY"));
    project.write("vault-kit.toml", env_of("[secrets.SITE]\nkind = \"external\"\n"));
    assert!(!project.run(["get", "SITE"]).assert_code(1).both().contains("PRIVATE KEY"));
    project.run(["run", "--", "/bin/sh", "-c", "touch started"]).assert_code(1);
    project.run(["render"]).assert_code(1);
    assert!(!project.path("started").exists() && !project.path(".env").exists());
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("declaration-changed  SITE"), "{}", check.stdout);
    project.run_with_stdin(["set", "SITE"], VALUE.as_bytes()).assert_code(0);
    assert_eq!(project.get("SITE"), VALUE.as_bytes());
}

#[test]
fn a_single_value_stays_when_only_the_way_to_make_it_changes() {
    let project = Project::initialised(&env_of(RANDOM));
    let before = project.get("AUTH_KEY");
    project.write("vault-kit.toml", env_of("[secrets.AUTH_KEY]\nkind = \"password\"\n"));
    project.run(["init"]).assert_code(0);
    assert_eq!(project.get("AUTH_KEY"), before);
}

#[test]
fn a_block_from_another_host_is_not_replaced_by_new_values() {
    let here = Project::initialised(&env_of(RANDOM));
    let there = Project::with_manifest(&env_of(RANDOM));
    there.write(".env", here.bytes(".env"));
    let refused = there.run(["init"]).assert_code(7);
    assert!(refused.stderr.contains("vault-kit import --replace .env"), "{}", refused.stderr);
    assert_eq!(there.bytes(".env"), here.bytes(".env"));
    there.run(["import", "--replace", ".env"]).assert_code(0);
    there.run(["init"]).assert_code(0);
    assert_eq!(there.get("AUTH_KEY"), here.get("AUTH_KEY"));
}

#[test]
fn a_token_that_was_imported_dies_with_its_key_too() {
    let project = Project::with_manifest(&env_of(&format!("{RANDOM}{TOKEN}")));
    project.write("old.env", format!("AUTH_KEY={VALUE}\nSERVICE_TOKEN=eyJhbGciOiJIUzI1NiJ9.e30.{VALUE}\n"));
    project.run(["import", "old.env"]).assert_code(0);
    let imported = project.get("SERVICE_TOKEN");
    let reversed: String = VALUE.chars().rev().collect();
    project.run_with_stdin(["set", "AUTH_KEY"], reversed.as_bytes()).assert_code(0);
    assert_ne!(project.get("SERVICE_TOKEN"), imported);
}

#[test]
fn import_replaces_what_the_store_has_only_when_it_is_asked_to() {
    let project = Project::initialised(&env_of(RANDOM));
    let before = project.get("AUTH_KEY");
    project.write("old.env", format!("AUTH_KEY={VALUE}\n"));
    project.run(["import", "old.env"]).assert_code(0);
    assert_eq!(project.get("AUTH_KEY"), before);
    project.run(["import", "--replace", "old.env"]).assert_code(0);
    assert_eq!(project.get("AUTH_KEY"), VALUE.as_bytes());
}

#[test]
fn a_yes_to_new_values_is_none_to_another_environment_s_files() {
    let environments = "[environments.dev]\n[environments.prod]\n";
    let project = Project::initialised(&env_of(&format!("{environments}{RANDOM}")));
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    let prod = project.bytes(".env");
    project.run(["generate", "--replace", "AUTH_KEY", "--yes"]).assert_code(7);
    assert_eq!(project.bytes(".env"), prod);
}

#[test]
fn a_file_that_no_output_has_any_more_is_not_forgotten() {
    let docker =
        |path: &str| manifest(&format!("{RANDOM}[outputs.d]\nformat = \"docker-secrets\"\npath = \"{path}\"\n"));
    let project = Project::initialised(&docker(".secrets"));
    project.write("vault-kit.toml", docker(".other"));
    project.run(["render"]).assert_code(0);
    for _ in 0..2 {
        let check = project.run(["check"]).assert_code(1);
        assert!(check.stdout.contains("orphaned") && check.stdout.contains("rm .secrets/auth_key"), "{}", check.stdout);
        project.run(["render"]).assert_code(0);
    }
    fs::remove_file(project.path(".secrets/auth_key")).unwrap();
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_store_that_others_can_read_and_a_manifest_that_they_can_write_are_found() {
    let project = Project::initialised(&env_of(RANDOM));
    set_mode(&project.path(".vault-kit/dev.age"), 0o644);
    set_mode(&project.path("vault-kit.toml"), 0o666);
    let check = project.run(["check"]).assert_code(1);
    for found in ["mode-too-open  .vault-kit/dev.age", "mode-too-open  vault-kit.toml"] {
        assert!(check.stdout.contains(found), "{}", check.stdout);
    }
}

#[test]
fn an_env_file_that_cannot_be_read_back_is_a_finding() {
    let project = Project::initialised(&env_of(RANDOM));
    let text = project.read(".env");
    project.write(".env", format!("{text}AUTH_KEY=another-value-that-wins\n"));
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("stale"), "{}", check.stdout);
}

#[test]
fn a_command_that_leaves_an_old_value_behind_says_so() {
    let project = Project::initialised(&env_of(RANDOM));
    let second = format!("{RANDOM}[secrets.STRIPE_KEY]\nkind = \"external\"\n");
    project.write("vault-kit.toml", env_of(&second));
    let before = project.bytes(".env");
    project.run(["generate", "--replace", "AUTH_KEY", "--yes"]).assert_code(8);
    assert_eq!(project.bytes(".env"), before);
}

#[test]
fn our_own_variables_cannot_be_declared() {
    let project = Project::with_manifest(&env_of("[secrets.VAULT_KIT_IDENTITY]\nkind = \"external\"\n"));
    let refused = project.run(["init"]).assert_code(3);
    assert!(refused.stderr.contains("`vault-kit.toml:3`: `secrets.VAULT_KIT_IDENTITY`"), "{}", refused.stderr);
}

#[test]
fn many_files_need_few_descriptors() {
    let secrets: Vec<String> = (0..300).map(|index| format!("[secrets.S{index}]\nkind = \"uuid\"\n")).collect();
    let output = "[outputs.d]\nformat = \"docker-secrets\"\npath = \".secrets\"\n";
    let project = Project::with_manifest(&manifest(&(secrets.concat() + output)));
    let run =
        support::Run::of(&mut project.command_under(["/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"], ["init"]));
    run.assert_code(0);
    assert_eq!(fs::read_dir(project.path(".secrets")).unwrap().count(), 300);
}

#[test]
fn every_file_of_an_example_comes_with_its_preset() {
    for name in ["docker-mcp", "e2i", "sutra"] {
        let project = Project::preset(name);
        let example = support::root().join("examples").join(name);
        let mut open = vec![example.clone()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                let relative = path.strip_prefix(&example).unwrap();
                let ours = relative.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
                if path.is_dir() && !ours {
                    open.push(path);
                } else if !ours && relative.as_os_str() != "README.md" {
                    assert!(project.root().join(relative).exists(), "{name}: {}", relative.display());
                }
            }
        }
    }
}

#[test]
fn a_file_that_the_limit_on_sizes_forbids_is_an_error_and_not_a_signal() {
    let project = Project::initialised(&env_of(RANDOM));
    for more in ["", "in_place = true\n"] {
        project.write("vault-kit.toml", env_of(RANDOM) + more);
        project.run(["render"]).assert_code(0);
        let before = project.contents();
        let limited = ["/bin/sh", "-c", "ulimit -f 0; exec \"$@\"", "sh"];
        let replace = ["generate", "--replace", "AUTH_KEY", "--yes"];
        let run = support::Run::of(&mut project.command_under(limited, replace)).assert_code(9);
        assert!(run.stderr.contains("File too large") && run.stderr.contains("ulimit -f unlimited"), "{}", run.stderr);
        assert_eq!(project.contents(), before);
    }
}

#[test]
fn who_only_looks_does_not_say_that_nothing_was_changed() {
    let project = Project::initialised(&env_of(&format!("{RANDOM}{TOKEN}")));
    for reader in [
        ["cert", "verify", "no-such-file", "--ca", "neither"].as_slice(),
        &["cert", "inspect", "no-such-file"],
        &["token", "verify", "--jwks", "no-such-file", "--issuer", "i", "--audience", "a"],
    ] {
        let run = project.run(reader).assert_code(2);
        assert!(run.stderr.contains("there is no file `no-such-file`"), "{reader:?}: {}", run.stderr);
        assert!(!run.stderr.contains("nothing was changed"), "{reader:?}: {}", run.stderr);
    }
    let writer = project.run(["set", "AUTH_KEY", "--from-file", "no-such-file"]).assert_code(2);
    assert!(writer.stderr.contains("hint: nothing was changed"), "{}", writer.stderr);
}

#[test]
fn what_is_proposed_for_a_file_of_somebody_else_works_from_elsewhere() {
    let project = Project::with_manifest(&manifest(&format!(
        "{RANDOM}[outputs.json]\nformat = \"json\"\npath = \"a b.json\"\nsecrets = [\"AUTH_KEY\"]\n"
    )));
    project.write("a b.json", "{}");
    let root = project.root().to_str().unwrap().to_owned();
    let mut init = project.command(["-C", &root, "init"]);
    let refused = support::Run::of(init.current_dir("/")).assert_code(7);
    let line = refused.stderr.lines().find(|line| line.contains("`mv ")).unwrap();
    let command = line.split('`').nth(1).unwrap();
    support::Run::of(std::process::Command::new("sh").args(["-c", command]).current_dir("/")).assert_code(0);
    assert_eq!(project.read(".vault-kit/a b.json.old"), "{}");
    project.run(["init"]).assert_code(0);
}

const JWKS: &str = "[outputs.jwks]\nformat = \"jwks\"\npath = \"auth/public/jwks.json\"\nsecrets = [\"SIGNER\"]\n";

#[test]
fn a_directory_is_as_open_as_a_public_file_in_it_needs_whatever_is_written_first() {
    let signer = "[secrets.SIGNER]\nkind = \"keypair\"\n";
    let private = |name: &str, more: &str| {
        let path = format!("path = \"auth/{name}\"\nsecrets = [\"AUTH_KEY\"]\n{more}");
        format!("[outputs.{name}]\nformat = \"json\"\n{path}")
    };
    let deep = "[outputs.deep]\nformat = \"json\"\npath = \"auth/deep/own/x\"\nsecrets = [\"AUTH_KEY\"]\n";
    let secrets = format!("{RANDOM}{signer}");
    let modes = |outputs: &[&str]| {
        let project = Project::initialised(&manifest(&format!("{secrets}{}", outputs.concat())));
        project.run(["check"]).assert_code(0);
        ["auth", "auth/public", "auth/deep", "auth/deep/own"]
            .map(|path| if project.path(path).exists() { project.mode(path) } else { 0 })
    };
    // Outputs are written in the order of their names.
    for name in ["a", "z"] {
        assert_eq!(modes(&[&private(name, ""), JWKS, deep]), [0o755, 0o755, 0o700, 0o700], "{name}");
        let declared = private(name, "directory_mode = \"0750\"\n");
        assert_eq!(modes(&[&declared, JWKS, deep]), [0o750, 0o755, 0o700, 0o700], "{name}");
    }
    let narrow = format!("{JWKS}mode = \"0600\"\n");
    assert_eq!(modes(&[&narrow]), [0o700, 0o700, 0, 0]);
}

#[test]
fn a_public_file_that_comes_later_finds_its_directory_open() {
    let supplied = "[secrets.SIGNER]\nkind = \"external\"\n[secrets.SITE]\nkind = \"external\"\noptional = true\n";
    let later = "[outputs.site]\nformat = \"docker-secrets\"\npath = \"auth/public/site\"\nsecrets = [\"SITE\"]\n\
                 directory_mode = \"0755\"\n";
    let first = "[outputs.a]\nformat = \"json\"\npath = \"auth/a.json\"\nsecrets = [\"AUTH_KEY\"]\n";
    let project = Project::initialised(&manifest(&format!("{RANDOM}{supplied}{later}{first}")));
    assert_eq!((project.mode("auth"), project.path("auth/public").exists()), (0o755, false));
    project.run_with_stdin(["set", "SITE"], VALUE.as_bytes()).assert_code(0);
    assert_eq!((project.mode("auth/public"), project.mode("auth/public/site")), (0o755, 0o755));
}

#[test]
fn a_file_that_its_reader_cannot_open_is_not_called_clean() {
    let shared = "[outputs.json]\nformat = \"json\"\npath = \"all.json\"\nmode = \"0640\"\n";
    let project = Project::initialised(&env_of(&format!("{RANDOM}{shared}")));
    project.run(["check", "--strict"]).assert_code(0);
    for (path, mode, declared) in [(".env", 0o000, "0600"), ("all.json", 0o600, "0640")] {
        set_mode(&project.path(path), mode);
        let check = project.run(["check", "--strict"]).assert_code(1);
        assert!(check.stdout.starts_with(&format!("mode-too-narrow  {path}  ")), "{}", check.stdout);
        assert!(check.stdout.contains(&format!("fix: chmod {declared} {path}")), "{}", check.stdout);
        set_mode(&project.path(path), u32::from_str_radix(declared, 8).unwrap());
    }
    project.run(["check", "--strict"]).assert_code(0);
}
