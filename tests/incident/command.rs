//! `incident`: one run replaces, bans, revokes and tells; the same run again completes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use vault_kit::name::SecretName;

use crate::support::{Entry, Project, Run};
use crate::{KEY, findings, json, shop};

const NEW_KEY: &[u8] = b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N";

/// The one timeline, and where it is.
fn timeline(project: &Project) -> (String, String) {
    let names: Vec<String> = fs::read_dir(project.path(".vault-kit/incidents"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let path = format!(".vault-kit/incidents/{}", names[0]);
    (project.read(&path), path)
}

/// Every value that the store has, in every version.
fn values(project: &Project) -> Vec<String> {
    let store = project.store();
    let pieces = store.secrets.values().flatten().flat_map(|version| version.parts.iter());
    pieces.filter_map(|(_, piece)| piece.expose_text().map(str::to_owned)).collect()
}

#[track_caller]
fn assert_value_free(project: &Project, text: &str) {
    for value in values(project).iter().filter(|value| !value.is_empty()) {
        assert!(!text.contains(value.as_str()), "a value stands in:\n{text}");
    }
}

/// Names what was touched: the files themselves would fill the screen.
#[track_caller]
fn assert_untouched(project: &Project, before: &BTreeMap<String, Entry>) {
    let after = project.snapshot();
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let touched: Vec<_> = paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(touched.is_empty(), "{touched:?}");
}

fn declare(project: &Project, arguments: &[&str]) -> Run {
    project.run([&["incident", "--yes"], arguments].concat())
}

#[test]
fn a_key_is_replaced_without_an_overlap_and_what_it_signed_with_it() {
    let project = shop();
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(project.read(".env").contains("AUTH_PREVIOUS"));
    let (old, old_token) = (project.get("AUTH"), project.get("TOKEN"));
    let jti = project.store().current(&SecretName::new("TOKEN").unwrap()).unwrap().facts["jti"].clone();

    let run = declare(&project, &["AUTH", "--reason", "in a paste"]).assert_code(0);
    assert!(project.get("AUTH") != old && project.get("TOKEN") != old_token);
    assert!(!project.read(".env").contains("AUTH_PREVIOUS") && !project.path(".secrets/auth_previous").exists());
    assert_eq!(project.bytes(".secrets/token"), project.get("TOKEN"));
    assert!(project.read("revoked.json").contains(&jti));
    assert_eq!(findings(&project), []);
    for value in [&old, &old_token] {
        project.run_with_stdin(["set", "STRIPE"], value).assert_code(7);
    }
    project.run_with_stdin(["token", "verify"], &old_token).assert_code(1);

    let (text, path) = timeline(&project);
    assert_eq!((project.mode(&path), project.mode(".vault-kit/incidents")), (0o600, 0o700));
    for part in [
        "AUTH-",
        "`AUTH` (random)",
        "`TOKEN` (token, made from `AUTH`)",
        "delivered in `.env` (output env, dotenv, portable, 0600)",
        "delivered in `.secrets/auth_previous` (output docker, docker-secrets, 0600, an older version)",
        "- reason: in a paste",
        "`generate` by uid",
        "2 tokens revoked by id",
        "restart who reads `.env`",
    ] {
        assert!(text.contains(part) || path.contains(part), "{part}\n{text}");
    }
    assert_value_free(&project, &format!("{text}{}", run.both()));
    let last = project.read(".vault-kit/audit.jsonl");
    assert!(last.lines().last().unwrap().contains("\"action\":\"incident\""), "{last}");
}

#[test]
fn the_same_command_again_replaces_nothing_and_keeps_a_person_s_notes() {
    let project = shop();
    declare(&project, &["AUTH"]).assert_code(0);
    let (_, path) = timeline(&project);
    project.write(&path, format!("{}called the bank\n", project.read(&path)));
    super::support::set_mode(&project.path(&path), 0o600);
    let before = project.snapshot();
    let run = declare(&project, &["AUTH"]).assert_code(0);
    assert_untouched(&project, &before);
    assert!(run.stderr.contains("--again"), "{}", run.stderr);

    let value = project.get("AUTH");
    let answer = json(&declare(&project, &["AUTH", "--again", "--json"]).assert_code(0));
    assert_eq!((&answer["declared"], answer["made"].as_array().unwrap().len()), (&true.into(), 2));
    assert_ne!(project.get("AUTH"), value);
    assert_eq!(project.store().incidents.len(), 2);
    assert!(project.read(&path).ends_with("## Notes\ncalled the bank\n"));
}

#[test]
fn what_was_declared_before_is_named_also_beside_what_was_not() {
    let project = shop();
    declare(&project, &["AUTH"]).assert_code(0);
    let id = project.store().incidents.keys().next().unwrap().clone();
    let value = project.get("AUTH");
    let run = declare(&project, &["AUTH", "DB_PASSWORD"]).assert_code(0);
    let told = format!(
        "`AUTH` was declared before, in incident {id}, and is not replaced twice; if its new value leaked too: "
    );
    assert!(run.stderr.contains(&format!("{told}`vault-kit incident AUTH --again`\n")), "{run:?}");
    assert!(!run.stderr.contains("`DB_PASSWORD` was declared before") && project.get("AUTH") == value, "{run:?}");
}

#[test]
fn what_a_day_later_is_in_force_leaked_anew() {
    let project = shop();
    declare(&project, &["AUTH"]).assert_code(0);
    project.edit_store(|store| {
        for incident in store.incidents.values_mut() {
            incident.at -= chrono::TimeDelta::hours(25);
        }
    });
    let value = project.get("AUTH");
    declare(&project, &["AUTH"]).assert_code(0);
    assert_ne!(project.get("AUTH"), value);
    assert_eq!(project.store().incidents.len(), 2);
}

#[test]
fn a_run_that_died_behind_the_store_is_completed() {
    let project = shop();
    let old = project.read(".env");
    declare(&project, &["DB_PASSWORD"]).assert_code(0);
    let (text, path) = timeline(&project);
    let (value, new) = (project.get("DB_PASSWORD"), project.read(".env"));
    assert!(!new.contains("DB_URL_PREVIOUS"), "what is made from it leaked with it");
    fs::remove_file(project.path(&path)).unwrap();
    project.write(".env", old);
    super::support::set_mode(&project.path(".env"), 0o600);
    declare(&project, &["DB_PASSWORD"]).assert_code(0);
    assert!((project.get("DB_PASSWORD"), project.read(".env")) == (value, new));
    assert_eq!(timeline(&project), (text, path));
}

#[test]
fn what_a_person_supplies_is_banned_and_check_fails_until_there_is_another() {
    let project = shop();
    let run = declare(&project, &["STRIPE"]).assert_code(8);
    for part in ["payments", "dashboard.stripe.com", "`vault-kit set STRIPE`"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let error = "vault-kit: error: the value of `STRIPE` that leaked is still in force\n\
                 vault-kit: hint: have it revoked by who issued it, and supply a new one: `vault-kit set STRIPE`\n";
    assert!(run.stderr.contains(error) && run.stdout.is_empty(), "{run:?}");
    let banned = |name: &str| ("banned".to_owned(), name.to_owned());
    assert_eq!(findings(&project), ["STRIPE", "STRIPE_URL"].map(banned));
    let listed = json(&project.run(["incident", "list", "--json"]).assert_code(0));
    assert_eq!(listed["incidents"][0]["waits_for"], serde_json::json!(["STRIPE"]));
    let before = project.snapshot();
    declare(&project, &["STRIPE"]).assert_code(8);
    assert_untouched(&project, &before);

    project.run_with_stdin(["set", "STRIPE"], NEW_KEY).assert_code(0);
    assert!(!project.read(".env").contains(KEY) && !project.read(".env").contains("_PREVIOUS"));
    assert_eq!(findings(&project), []);
    assert!(project.run(["incident", "list"]).assert_code(0).stdout.contains("replaced"));
    declare(&project, &["STRIPE"]).assert_code(0);
    assert_eq!((project.get("STRIPE"), project.store().incidents.len()), (NEW_KEY.to_vec(), 1));
}

#[test]
fn a_certificate_is_revoked_and_the_new_list_says_so() {
    let project = shop();
    let name = SecretName::new("TLS").unwrap();
    let store = project.store();
    let old = store.current(&name).unwrap();
    let (serial, signer) = (old.facts["serial"].clone(), *old.inputs.values().next().unwrap());
    let list = project.bytes("tls/crl.pem");
    let run = declare(&project, &["TLS"]).assert_code(0);
    let store = project.store();
    assert!(store.certificates.is_revoked(signer, &serial), "{}", run.stderr);
    assert_ne!(store.current(&name).unwrap().facts["serial"], serial);
    assert_ne!(project.bytes("tls/crl.pem"), list);
    assert_eq!(findings(&project), []);
}

#[test]
fn a_ca_takes_its_certificates_with_it() {
    let project = shop();
    let (ca, leaf) = (project.bytes("tls/ca.pem"), project.bytes("tls/fullchain.pem"));
    let run = declare(&project, &["CA"]).assert_code(0);
    assert!(project.bytes("tls/ca.pem") != ca && project.bytes("tls/fullchain.pem") != leaf);
    assert!(run.stderr.contains("trusts the old root of `CA`"), "{}", run.stderr);
    assert_eq!(findings(&project), []);
}

#[test]
fn a_dry_run_tells_the_reach_and_changes_nothing() {
    let project = shop();
    let before = project.snapshot();
    let run = project.run(["incident", "AUTH", "STRIPE", "-n"]).assert_code(8);
    assert_untouched(&project, &before);
    for part in
        ["leaked", "falls too", "made from `AUTH`", ".secrets/token", "who can open the store: ", "left to do 1"]
    {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let answer = json(&project.run(["incident", "AUTH", "-n", "--json"]).assert_code(0));
    assert_eq!((&answer["dry_run"], &answer["made"]), (&true.into(), &serde_json::json!(["AUTH", "TOKEN"])));
    assert_value_free(&project, &format!("{}{answer}", run.both()));
}

#[test]
fn what_cannot_leak_or_is_not_there_is_refused_and_changes_nothing() {
    let project = shop();
    project.run(["remove", "STRIPE", "--yes"]).assert_code(0);
    project.write("empty.json", r#"{"schema_version": 1, "findings": []}"#);
    project.write("rules.json", r#"{"schema_version": 1, "findings": [{"rule": "jwt", "path": "a"}]}"#);
    let before = project.snapshot();
    let value = String::from_utf8(project.get("AUTH")).unwrap();
    let encodings = [&BASE64, &BASE64URL_NOPAD, &HEXLOWER, &HEXUPPER];
    let dressed = encodings.map(|it| format!("in a log, as {}", it.encode(value.as_bytes())));
    for (arguments, code, exit) in [
        (vec!["incident", "PORT"], "usage", 2),
        (vec!["incident", "NOPE"], "usage", 2),
        (vec!["incident"], "usage", 2),
        (vec!["incident", "STRIPE"], "missing", 1),
        (vec!["incident", "AUTH"], "confirmation-needed", 2),
        (vec!["incident", "DATA_KEY"], "confirmation-needed", 2),
        (vec!["incident", "AUTH", "--yes", "--reason", &value], "usage", 2),
        (vec!["incident", "AUTH", "--yes", "--reason", &dressed[0]], "usage", 2),
        (vec!["incident", "AUTH", "--yes", "--reason", &dressed[1]], "usage", 2),
        (vec!["incident", "AUTH", "--yes", "--reason", &dressed[2]], "usage", 2),
        (vec!["incident", "AUTH", "--yes", "--reason", &dressed[3]], "usage", 2),
        (vec!["incident", "show", "ffffffff"], "usage", 2),
    ] {
        let run = project.run([&arguments[..], &["--json"]].concat()).assert_code(exit);
        let answer = json(&run);
        assert_eq!(answer["errors"][0]["code"], code, "{arguments:?}");
        assert_value_free(&project, &run.both());
    }
    for report in ["empty.json", "rules.json"] {
        let run = project.run(["incident", "--from-scan", report]).assert_code(0);
        let told = format!("`{report}` has no finding of a value of ours: it declares nothing\n");
        assert!(run.stderr == told && run.stdout.is_empty(), "{run:?}");
    }
    assert_untouched(&project, &before);
}

#[test]
fn a_scan_s_findings_decide_by_version_and_their_places_are_told() {
    let project = shop();
    let version = || project.store().current(&SecretName::new("AUTH").unwrap()).unwrap().id;
    let report = |places: &[(&str, u32)], version: &str| {
        let finding = |&(path, line): &(&str, u32)| serde_json::json!({"secret": "AUTH", "version": version, "path": path, "line": line, "rule": "ours"});
        let findings: Vec<_> = places.iter().map(finding).collect();
        project.write("scan.json", serde_json::json!({"schema_version": 1, "findings": findings}).to_string());
    };
    let old = version().to_string();
    report(&[("src/app.py", 3)], &old);
    declare(&project, &["--from-scan", "scan.json"]).assert_code(0);
    let new = version();
    assert_ne!(new.to_string(), old);
    // The same version found elsewhere is the same incident.
    report(&[("src/app.py", 3), ("docs/run.md", 14)], &old);
    declare(&project, &["--from-scan", "scan.json"]).assert_code(0);
    assert_eq!(version(), new);
    let (text, _) = timeline(&project);
    for part in
        ["`src/app.py:3`", "`docs/run.md:14`", "found in 1 place", "take the values out of `docs/run.md`, `src/app.py`"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // What took its place is another one, without `--again`.
    report(&[("src/app.py", 3)], &new.to_string());
    declare(&project, &["--from-scan", "scan.json"]).assert_code(0);
    assert_ne!(version(), new);
    let ids: BTreeSet<String> = project.store().incidents.into_keys().collect();
    assert_eq!(ids.len(), 2);
    let shown = project.run(["incident", "show", ids.first().unwrap()]).assert_code(0).stdout;
    assert!(shown.starts_with("# Incident ") && shown.contains("src/app.py:3"), "{shown}");
}

#[test]
fn a_version_that_the_store_does_not_know_means_the_one_in_force_and_is_replaced_once() {
    let project = shop();
    let old = project.get("AUTH");
    let version = "0a7b9c1e-7c55-4f0e-9c3a-2f4f6d0c1b2a";
    let finding =
        serde_json::json!({"secret": "AUTH", "version": version, "path": "src/app.py", "line": 3, "rule": "ours"});
    project.write("scan.json", serde_json::json!({"schema_version": 1, "findings": [finding]}).to_string());
    let run = declare(&project, &["--from-scan", "scan.json"]).assert_code(0);
    assert!(run.stderr.contains("`AUTH` was found in a version that the store does not know"), "{run:?}");
    let new = project.get("AUTH");
    assert!(new != old);
    declare(&project, &["--from-scan", "scan.json"]).assert_code(0);
    assert!(project.get("AUTH") == new && project.store().incidents.len() == 1);
}

#[test]
fn of_two_incidents_within_a_second_a_name_means_the_later_one() {
    let project = shop();
    declare(&project, &["AUTH"]).assert_code(0);
    let first = project.store().incidents.keys().next().unwrap().clone();
    declare(&project, &["AUTH", "--again"]).assert_code(0);
    project.edit_store(|store| {
        let at = store.incidents[&first].at;
        store.incidents.values_mut().for_each(|it| it.at = at);
    });
    let later = project.store().incidents.into_keys().find(|id| *id != first).unwrap();
    let told = declare(&project, &["AUTH"]).assert_code(0).stderr;
    assert!(told.contains(&format!("`AUTH` was declared before, in incident {later},")), "{told}");
}

#[test]
fn a_report_of_another_environment_replaces_nothing_in_this_one() {
    let manifest =
        "[project]\nname = \"shop\"\n[environments.dev]\n[environments.prod]\n[secrets.AUTH]\nkind = \"random\"\n";
    let project = Project::with_manifest(manifest);
    for environment in ["dev", "prod"] {
        project.run(["-e", environment, "init"]).assert_code(0);
    }
    let report = |environments: &[&str]| {
        let finding = |it: &&str| serde_json::json!({"secret": "AUTH", "environment": it, "path": "a.txt"});
        let findings: Vec<_> = environments.iter().map(finding).collect();
        project.write("rep.json", serde_json::json!({"schema_version": 1, "findings": findings}).to_string());
    };
    let value = |environment: &str| project.run(["-e", environment, "get", "AUTH"]).assert_code(0).stdout;
    let old = [value("dev"), value("prod")];
    report(&["prod"]);
    let there = "vault-kit -e prod incident --from-scan rep.json";
    for how in ["-n", "--yes"] {
        let run = project.run(["incident", "--from-scan", "rep.json", how, "--json"]).assert_code(2);
        let error = &json(&run)["errors"][0];
        assert!(error["message"].as_str().unwrap().contains("is about `prod`, and this is `dev`"), "{error}");
        assert!(error["fix"].to_string().contains(there), "{error}");
    }
    report(&["canary"]);
    let run = project.run(["incident", "--from-scan", "rep.json", "--yes"]).assert_code(2);
    assert!(run.stderr.contains("that the manifest does not declare") && !run.stderr.contains("canary"), "{run:?}");
    assert_eq!([value("dev"), value("prod")], old);

    // A search of all environments: each has its own part of it.
    report(&["dev", "prod"]);
    let run = project.run(["incident", "--from-scan", "rep.json", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("warning: ") && run.stderr.contains(there), "{run:?}");
    assert!(value("dev") != old[0] && value("prod") == old[1]);
    project.run(["-e", "prod", "incident", "--from-scan", "rep.json", "--yes"]).assert_code(0);
    assert_ne!(value("prod"), old[1]);
}

#[test]
fn a_path_that_has_a_value_in_it_is_told_as_that_alone_and_a_line_may_be_unknown() {
    let project = shop();
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    let paths =
        [format!("logs/{KEY}.txt"), format!("a/{}", BASE64URL_NOPAD.encode(auth.as_bytes())), "src/app.py".to_owned()];
    let findings: Vec<_> = paths.iter().map(|path| serde_json::json!({"secret": "AUTH", "path": path})).collect();
    project.write("scan.json", serde_json::json!({"schema_version": 1, "findings": findings}).to_string());
    let told = project.run(["incident", "--from-scan", "scan.json", "-n"]).assert_code(0);
    let run = declare(&project, &["--from-scan", "scan.json"]).assert_code(0);
    let answer = declare(&project, &["--from-scan", "scan.json", "--json"]).assert_code(0);
    let (text, _) = timeline(&project);
    let whole = format!("{}{}{}{text}", told.both(), run.both(), answer.both());
    assert_value_free(&project, &whole);
    assert!(!whole.contains(&paths[0]) && !whole.contains(&paths[1]), "{whole}");
    for part in ["- `src/app.py`: `AUTH`", "- `a path that has a value in it`: `AUTH`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn notes_that_are_no_text_are_kept_byte_by_byte() {
    let project = shop();
    declare(&project, &["AUTH"]).assert_code(0);
    let (_, path) = timeline(&project);
    let notes = b"called M\xfcller\n";
    project.write(&path, [project.read(&path).as_bytes(), notes].concat());
    super::support::set_mode(&project.path(&path), 0o600);
    declare(&project, &["AUTH"]).assert_code(0);
    assert!(project.bytes(&path).ends_with(notes));
    let id = project.store().incidents.keys().next().unwrap().clone();
    let shown = project.run(["incident", "show", &id]).assert_code(0);
    assert!(shown.stdout.ends_with("called M\u{fffd}ller\n") && shown.stderr.is_empty(), "{shown:?}");
}

#[test]
fn notes_whose_heading_somebody_took_away_are_kept() {
    let project = shop();
    declare(&project, &["AUTH"]).assert_code(0);
    let (text, path) = timeline(&project);
    let notes = "called the bank\n\n- and the police\n";
    project.write(&path, format!("{}{notes}", text.replace("\n## Notes\n", "\n")));
    declare(&project, &["AUTH"]).assert_code(0);
    assert_eq!(project.read(&path), format!("{text}\n{notes}"));
    // Once more, and nothing comes twice.
    declare(&project, &["AUTH"]).assert_code(0);
    assert_eq!(project.read(&path), format!("{text}\n{notes}"));
}

#[test]
fn another_environment_with_the_same_value_is_named() {
    let manifest =
        "[project]\nname = \"shop\"\n[environments.dev]\n[environments.prod]\n[secrets.STRIPE]\nkind = \"external\"\n";
    let project = Project::with_manifest(manifest);
    for environment in ["dev", "prod"] {
        project.run(["-e", environment, "init"]).assert_code(0);
        project.run_with_stdin(["-e", environment, "set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    }
    let run = declare(&project, &["STRIPE"]).assert_code(8);
    assert!(run.stderr.contains("`vault-kit -e prod incident STRIPE`"), "{}", run.stderr);
}

#[test]
fn another_secret_with_the_same_value_is_named_until_it_is_declared_or_has_another_one() {
    let project = Project::initialised(
        "[project]\nname = \"shop\"\n[secrets.STRIPE]\nkind = \"external\"\n[secrets.BILLING]\nkind = \"external\"\n\
         [secrets.OTHER]\nkind = \"external\"\n[secrets.SAME]\nkind = \"template\"\ntemplate = \"${STRIPE}\"\n",
    );
    for name in ["STRIPE", "BILLING"] {
        project.run_with_stdin(["set", name], KEY.as_bytes()).assert_code(0);
    }
    project.run_with_stdin(["set", "OTHER"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    let left = "`BILLING` has the same value: `vault-kit incident BILLING`";
    for words in [&["incident", "STRIPE", "-n"][..], &["incident", "STRIPE", "--yes"]] {
        let run = project.run(words);
        assert!(run.stderr.contains("the same value is `BILLING`") && run.stderr.contains(left), "{run:?}");
        assert!(!run.stderr.contains("incident SAME") && !run.stderr.contains("incident OTHER"), "{run:?}");
    }
    let is_left = || timeline(&project).0.contains(left);
    assert!(is_left());
    project.run(["incident", "BILLING", "--yes"]).assert_code(8);
    let told = project.run(["incident", "list", "--json"]).assert_code(0).stdout;
    assert!(!told.contains("has the same value"), "{told}");
}

#[test]
fn a_template_that_leaked_means_what_it_is_made_of() {
    let project = shop();
    let (password, url) = (project.get("DB_PASSWORD"), project.get("DB_URL"));
    let run = declare(&project, &["DB_URL"]).assert_code(0);
    assert!(run.stderr.contains("`DB_URL` is made of `DB_PASSWORD`: that is what leaked"), "{run:?}");
    assert!(project.get("DB_PASSWORD") != password && project.get("DB_URL") != url);
    project.run_with_stdin(["set", "STRIPE"], &url).assert_code(7);
    assert_eq!(findings(&project), []);
}

/// The shop whose `.env` a person wrote anew, without the markers of our block.
fn with_env_by_hand() -> Project {
    let project = shop();
    let lines = project.read(".env");
    let lines: String = lines.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
    project.write(".env", lines);
    project
}

#[test]
fn what_stands_against_the_files_keeps_nothing_from_being_banned() {
    let project = with_env_by_hand();
    let (old, before) = (project.get("AUTH"), project.snapshot());
    let foretold = project.run(["incident", "AUTH", "STRIPE", "-n"]).assert_code(8);
    assert_untouched(&project, &before);
    assert!(foretold.stderr.contains("leaked        AUTH"), "it is told all the same: {foretold:?}");
    let answer = json(&project.run(["incident", "AUTH", "STRIPE", "-n", "--json"]).assert_code(8));
    assert_eq!((&answer["errors"][0]["code"], &answer["dry_run"]), (&"name-outside-block".into(), &true.into()));

    let run = declare(&project, &["AUTH", "STRIPE"]).assert_code(8);
    let refusal = |run: &Run| run.stderr.lines().find(|it| it.contains("error:")).unwrap().to_owned();
    assert_eq!((refusal(&run), run.stdout.as_str()), (refusal(&foretold), ""));
    assert!(run.stderr.contains("what leaked is banned") && !run.stderr.contains("nothing was changed"), "{run:?}");
    assert!(run.stderr.contains("`vault-kit incident AUTH STRIPE --yes`"), "{run:?}");
    project.run_with_stdin(["set", "DB_PASSWORD"], &old).assert_code(7);
    let (text, path) = timeline(&project);
    assert!(text.contains("values banned") && text.contains("`AUTH` has a new value"), "{text}");
    // Nobody is told twice, and nothing is replaced twice, before the file is put right.
    let new = project.get("AUTH");
    assert!(new != old);
    declare(&project, &["AUTH", "STRIPE"]).assert_code(8);
    project.run(["init", "--adopt", "--yes"]).assert_code(0);
    declare(&project, &["AUTH", "STRIPE"]).assert_code(8);
    assert_eq!((project.get("AUTH") == new, project.store().incidents.len()), (true, 1));
    assert!(project.read(".env").contains(std::str::from_utf8(&new).unwrap()) && project.path(&path).exists());
    let banned = |name: &str| ("banned".to_owned(), name.to_owned());
    assert_eq!(findings(&project), ["STRIPE", "STRIPE_URL"].map(banned));
}

#[test]
fn what_is_printed_for_a_file_that_was_written_by_hand_works() {
    for adopt in ["init", "check"] {
        let project = with_env_by_hand();
        let run = declare(&project, &["AUTH"]).assert_code(8);
        assert!(
            run.stderr.contains("`vault-kit init --adopt --yes`") && !run.stderr.contains("`vault-kit import .env`"),
            "{run:?}"
        );
        assert!(run.stderr.contains("`vault-kit import --replace .env`, which refuses what leaked"), "{run:?}");
        let report = json(&project.run(["check", "--json"]).assert_code(1));
        let fixes: BTreeSet<&str> =
            report["findings"].as_array().unwrap().iter().map(|it| it["fix"].as_str().unwrap()).collect();
        let fix = "vault-kit render --adopt --yes    # drops what .env has for `AUTH`, which leaked";
        assert_eq!(fixes, BTreeSet::from([fix]), "{report}");
        let words = if adopt == "init" { "init --adopt --yes" } else { "render --adopt --yes" };
        project.run(words.split(' ')).assert_code(0);
        declare(&project, &["AUTH"]).assert_code(0);
        assert_eq!(findings(&project), []);
    }
}

#[test]
fn lines_of_others_that_have_what_leaked_are_told_until_they_have_not() {
    let project = shop();
    let (old, own) = (String::from_utf8(project.get("AUTH")).unwrap(), project.read(".env"));
    let foreign = format!("export X={old}\nOTHER=1\nBACKUP=\"{old}\"\n#PLAIN={old}\n");
    project.write(".env", format!("{foreign}{own}"));
    let left = "take what leaked out of lines 1, 3 and 4 of `.env`, which vault-kit did not write";
    let told = project.run(["incident", "AUTH", "-n"]).assert_code(0);
    let run = declare(&project, &["AUTH"]).assert_code(0);
    let again = declare(&project, &["AUTH", "--json"]).assert_code(0);
    for text in [&told.stderr, &run.stderr, &again.stdout, &timeline(&project).0] {
        assert!(text.contains(left), "{text}");
    }
    assert_value_free(&project, &format!("{}{}{}{}", told.both(), run.both(), again.both(), timeline(&project).0));
    let report = json(&project.run(["check", "--json"]).assert_code(1));
    let [found] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&found["code"], &found["file"], &found["line"]), (&"banned".into(), &".env".into(), &1.into()));
    assert_eq!(found["fix"], left);
    assert_value_free(&project, &report.to_string());
    let hidden = project.home().join("identity");
    std::fs::rename(project.identity(), &hidden).unwrap();
    let unseen = json(&project.run(["check", "--json"]).assert_code(0))["not_checked"].to_string();
    assert!(unseen.contains("lines of `.env` that vault-kit did not write"), "{unseen}");
    std::fs::rename(&hidden, project.identity()).unwrap();
    project.write(".env", project.read(".env").replace(&foreign, &format!("OTHER=1\n#PLAIN={old}\n")));
    let run = declare(&project, &["AUTH"]).assert_code(0);
    assert!(run.stderr.contains("take what leaked out of line 2 of `.env`"), "{run:?}");
    project.write(".env", project.read(".env").replace(&format!("#PLAIN={old}\n"), ""));
    declare(&project, &["AUTH"]).assert_code(0);
    assert!(!timeline(&project).0.contains("take what leaked"), "{}", timeline(&project).0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn what_a_person_supplied_is_not_waited_for_any_more() {
    let project = shop();
    declare(&project, &["STRIPE"]).assert_code(8);
    let id = project.store().incidents.keys().next().unwrap().clone();
    let listed = || {
        let list = json(&project.run(["incident", "list", "--json"]).assert_code(0));
        list["incidents"][0]["remains"].to_string()
    };
    assert!(listed().contains("`vault-kit set STRIPE`"), "{}", listed());
    let shown = || project.run(["incident", "show", &id]).assert_code(0).stdout;
    assert!(shown().contains("`vault-kit set STRIPE`"), "{}", shown());
    project.run_with_stdin(["set", "STRIPE"], NEW_KEY).assert_code(0);
    let text = shown();
    assert!(
        !text.contains("vault-kit set STRIPE") && text.contains("`STRIPE`, `STRIPE_URL`: another value is in force"),
        "{text}"
    );
    assert!(text.contains("have the leaked value of `STRIPE` revoked by who issued it (payments)"), "{text}");
    assert_eq!(timeline(&project).0, text, "the file says it too");
    assert!(
        !listed().contains("vault-kit set STRIPE") && listed().contains("revoked by who issued it"),
        "{}",
        listed()
    );
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_0Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op").assert_code(0);
    assert_eq!(shown().matches("another value is in force").count(), 1, "of what did not leak it says nothing");
}

#[test]
fn who_removes_a_secret_is_not_told_to_remove_what_others_have_in_the_file() {
    let project = shop();
    let own = project.read(".env");
    project.write(".env", format!("OTHER=1\n{own}"));
    let line = project.read(".env").lines().position(|it| it.starts_with("STRIPE=")).unwrap() + 1;
    let run = project.run(["remove", "STRIPE", "--yes"]).assert_code(0);
    let told = format!("`.env` still holds the value, beside what is not its own: take line {line} out of it");
    assert!(run.stderr.contains(&told) && !run.stderr.contains("rm .env"), "{run:?}");

    let manifest = "[project]\nname = \"shop\"\n[secrets.STRIPE]\nkind = \"external\"\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";
    let alone = Project::initialised(manifest);
    alone.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    let run = alone.run(["remove", "STRIPE", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`.env` still holds the value: `rm .env`"), "{run:?}");
}

#[test]
fn a_directory_that_is_none_keeps_nothing_from_being_banned() {
    let project = shop();
    let old = project.get("AUTH");
    fs::rename(project.path(".secrets"), project.path("elsewhere")).unwrap();
    project.write(".secrets", "no directory");
    let run = declare(&project, &["AUTH"]).assert_code(8);
    assert!(run.stderr.contains(".secrets") && run.stderr.contains("`vault-kit incident AUTH --yes`"), "{run:?}");
    fs::remove_file(project.path(".secrets")).unwrap();
    fs::rename(project.path("elsewhere"), project.path(".secrets")).unwrap();
    project.run_with_stdin(["set", "DB_PASSWORD"], &old).assert_code(7);
    declare(&project, &["AUTH"]).assert_code(0);
    assert_eq!(project.bytes(".secrets/auth"), project.get("AUTH"));
    assert_eq!(findings(&project), []);
}

#[test]
fn a_link_where_timelines_or_files_are_to_be_keeps_nothing_from_being_banned() {
    for directory in [".vault-kit/incidents", ".secrets"] {
        let project = shop();
        let old = project.get("AUTH");
        let _ = fs::remove_dir_all(project.path(directory));
        fs::create_dir(project.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(project.path("elsewhere"), project.path(directory)).unwrap();
        let before = project.contents();
        let rehearsal = project.run(["incident", "AUTH", "-n"]).assert_code(8);
        assert!(rehearsal.stderr.contains("what leaked would be banned all the same"), "{rehearsal:?}");
        assert!(project.contents() == before && rehearsal.stdout.is_empty());
        let run = declare(&project, &["AUTH"]).assert_code(8);
        assert!(run.stderr.contains("symlink") && run.stdout.is_empty(), "{run:?}");
        assert!(run.stderr.contains(": `vault-kit incident AUTH --yes`"), "{run:?}");
        let list = project.run(["incident", "list"]).assert_code(0).stdout;
        let waits = "replaced, and still in files until `vault-kit render`: ";
        assert_eq!(list.contains(waits), directory == ".secrets", "{list}");
        assert_eq!(fs::read_dir(project.path("elsewhere")).unwrap().count(), 0, "{directory}");
        fs::remove_file(project.path(directory)).unwrap();
        project.run_with_stdin(["set", "DB_PASSWORD"], &old).assert_code(7);
        declare(&project, &["AUTH"]).assert_code(0);
        assert!(project.get("AUTH") != old && timeline(&project).0.contains("`AUTH` has a new value"));
        let list = project.run(["incident", "list"]).assert_code(0).stdout;
        assert!(list.trim_end().ends_with("replaced"), "{list}");
    }
}

#[test]
fn a_timeline_that_cannot_be_written_keeps_nothing_from_being_banned() {
    let project = shop();
    let old = project.get("AUTH");
    project.write(".vault-kit/incidents", "no directory");
    let run = declare(&project, &["AUTH"]).assert_code(8);
    assert!(run.stderr.contains("error:") && run.stderr.contains("/.vault-kit/incidents/"), "{run:?}");
    assert!(run.stderr.contains("the timeline comes with the same command once more"), "{run:?}");
    assert!(project.get("AUTH") != old && !run.stderr.contains("vault-kit render"), "{run:?}");
    assert!(!run.stderr.contains("\ntimeline "), "there is none: {run:?}");
    project.run_with_stdin(["set", "DB_PASSWORD"], &old).assert_code(7);
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    assert!(list.contains("replaced; without a timeline: something stands in the place of"), "{list}");
    let id = project.store().incidents.keys().next().unwrap().clone();
    let shown = project.run(["incident", "show", &id]).assert_code(0);
    assert!(
        shown.stdout.contains("`AUTH` has a new value") && shown.stderr.contains("notes cannot be read"),
        "{shown:?}"
    );
    let answer = json(&declare(&project, &["AUTH", "--json"]).assert_code(8));
    assert_eq!((&answer["declared"], answer["errors"].as_array().unwrap().len()), (&false.into(), 1));
    fs::remove_file(project.path(".vault-kit/incidents")).unwrap();
    let run = declare(&project, &["AUTH"]).assert_code(0);
    assert!(timeline(&project).0.contains("`AUTH` has a new value") && run.stderr.contains("\ntimeline "), "{run:?}");
    assert!(project.run(["incident", "list"]).assert_code(0).stdout.ends_with("  replaced\n"));
}

#[test]
fn a_certificate_is_told_with_its_own_mode_and_its_key_with_that_of_the_output() {
    let project = shop();
    let told = project.run(["incident", "TLS", "-n"]).assert_code(0).stderr;
    for (file, mode) in [("fullchain.pem", "0644"), ("key.pem", "0600"), ("ca.pem", "0644")] {
        assert_eq!(project.mode(&format!("tls/{file}")), u32::from_str_radix(mode, 8).unwrap());
        assert!(told.contains(&format!("in `tls/{file}` (output tls, pem {mode})")), "{told}");
    }
}
