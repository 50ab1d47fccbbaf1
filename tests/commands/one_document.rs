//! `--json`: whatever a command does, a program that reads its stdout finds one document there.

use std::collections::BTreeSet;

use crate::support::Project;

/// Those whose stdout is the thing itself, whatever form is asked for.
const RAW: [&str; 11] = [
    // The exact bytes of a value, a certificate or a list.
    "get",
    "cert ca",
    "cert crl",
    // What another program reads.
    "completions",
    "man",
    "schedule print",
    "token forward-auth",
    "token jwks",
    "schema",
    // The stdout of the command that it becomes.
    "run",
    // It says nothing when nothing is due: what a scheduler mails.
    "rotate --due",
];

/// A line of each of the others, and its exit code. Errors are documents too; what changes something is rehearsed first.
const LINES: &[(&str, i32)] = &[
    ("init", 0),
    ("import nowhere.env", 2),
    ("check", 0),
    ("explain weak", 0),
    ("status", 0),
    ("generate", 0),
    ("set NOWHERE", 2),
    ("remove NOWHERE", 2),
    ("render", 0),
    ("rotate plan", 0),
    ("rotate status", 0),
    ("rotate resume", 0),
    ("rotate abort SUTRA_AUTH_SECRET", 2),
    ("rotate rollback NOWHERE", 2),
    ("rotate tell NOWHERE", 2),
    ("rotate hook NOWHERE", 2),
    ("sync status", 3),
    ("sync diff", 3),
    ("sync apply", 2),
    ("sync push", 3),
    ("sync pull", 3),
    ("sync adopt", 2),
    ("sync prune", 3),
    ("sync restore", 2),
    ("cert import STORAGE_TLS --fullchain nowhere.pem --key nowhere.pem", 2),
    ("cert inspect .secrets/tls/fullchain.pem", 0),
    ("cert verify .secrets/tls/fullchain.pem --ca .secrets/tls/ca.pem --host localhost", 0),
    ("cert lint .secrets/tls/fullchain.pem", 0),
    ("cert needs-renewal STORAGE_TLS", 0),
    ("cert issue", 0),
    ("cert renew", 0),
    ("cert revoke NOWHERE", 2),
    ("trust --dry-run", 0),
    ("trust", 0),
    ("store recover --dry-run", 0),
    ("store recover", 0),
    ("recipients list", 0),
    ("recipients apply --dry-run", 0),
    ("recipients apply", 0),
    ("token mint", 2),
    ("token revoke", 2),
    ("token list", 0),
    ("token verify", 1),
    ("token inspect", 1),
    ("apikey new KEY", 0),
    ("apikey verify", 1),
    ("apikey revoke NOWHERE", 2),
    ("apikey list", 0),
    ("audit show", 0),
    ("audit verify", 0),
    ("scan .secrets/tls/ca.pem", 0),
    ("hooks install --dry-run", 0),
    ("hooks install", 0),
    ("hooks status", 0),
    ("hooks remove --dry-run", 0),
    ("hooks remove", 0),
    ("incident list", 0),
    ("incident show nothing", 2),
    ("incident close nothing", 2),
    ("schedule install --dry-run", 0),
    ("schedule remove --dry-run", 0),
    ("iam policy", 2),
];

/// The commands below a command, as its help lists them.
fn below(project: &Project, words: &[&str]) -> Vec<String> {
    let help = project.run([words, &["--help"]].concat()).assert_code(0).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let named = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    named.filter_map(|line| line.split(' ').next()).filter(|&it| it != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_answers_with_one_document() {
    let project = Project::preset("sutra");
    let git = std::process::Command::new("git").args(["init", "-q"]).current_dir(project.root()).status();
    assert!(git.unwrap().success());
    let mut unlisted = BTreeSet::new();
    for verb in below(&project, &[]) {
        let leaves: Vec<String> = below(&project, &[&verb]).iter().map(|leaf| format!("{verb} {leaf}")).collect();
        unlisted.extend(if leaves.is_empty() { vec![verb] } else { leaves });
    }
    assert!(unlisted.len() > 50, "{unlisted:?}");
    let begins = |line: &str, words: &str| line == words || line.starts_with(&format!("{words} "));
    unlisted.retain(|leaf| !RAW.contains(&leaf.as_str()) && !LINES.iter().any(|(line, _)| begins(line, leaf)));
    assert_eq!(unlisted, BTreeSet::new(), "a command has neither a line here nor a reason");

    for (line, code) in LINES {
        let run = project.run(line.split(' ').chain(["--json"]));
        assert_eq!(run.code, *code, "{line}: {}", run.both());
        let document: Result<serde_json::Value, _> = serde_json::from_str(&run.stdout);
        let document = document.unwrap_or_else(|error| panic!("{line}: {error}: {}", run.both()));
        let is_told = document.is_object() && (*code == 0 || document.get("errors").is_some());
        assert!(is_told, "{line}: {document}");
    }
}

#[test]
fn trust_recipients_and_recovery_say_what_they_changed_or_would() {
    let elsewhere = Project::empty();
    let far = elsewhere.root().canonicalize().unwrap().join("far.json");
    let text = format!(
        "project.name = \"p\"\nsecrets.A.kind = \"random\"\n[outputs.far]\nformat = \"json\"\npath = \"{}\"\n",
        far.display()
    );
    let project = Project::with_manifest(&text);
    let told = |line: &str| {
        let run = project.run(line.split(' ').chain(["--json"])).assert_code(0);
        let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!((&told["schema_version"], &told["dry_run"]), (&1.into(), &line.contains(" -n").into()), "{told}");
        told
    };
    for (line, changed) in [("trust -n", true), ("trust --yes", true), ("trust", false)] {
        let told = told(line);
        assert_eq!(told["changed"], changed, "{line}");
        assert_eq!(told["items"].as_array().map(Vec::len), Some(1), "{line}");
    }
    project.run(["init"]).assert_code(0);

    let key_of = |project: &Project| {
        let run = project.run(["recipients", "list", "--json"]).assert_code(0);
        serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["you"][0].as_str().unwrap().to_owned()
    };
    let (own, other) = (key_of(&project), key_of(&Project::initialised("project.name = \"q\"\n")));
    project.write(
        "vault-kit.toml",
        format!("{text}[environments.dev]\nrecipients = {{ me = \"{own}\", ci = \"{other}\" }}\n"),
    );
    for (line, changed) in
        [("recipients apply -n", true), ("recipients apply --yes", true), ("recipients apply", false)]
    {
        let told = told(line);
        assert_eq!((&told["changed"], &told["aws_changed"]), (&changed.into(), &false.into()), "{line}");
        let added = if changed { serde_json::json!({ "ci": other }) } else { serde_json::json!({}) };
        assert_eq!((&told["added"], &told["removed"]), (&added, &serde_json::json!({})), "{line}");
    }

    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    for (line, outcome) in
        [("store recover -n", "store-restored"), ("store recover", "store-restored"), ("store recover", "nothing")]
    {
        assert_eq!(told(line)["outcome"], outcome, "{line}");
    }
}
