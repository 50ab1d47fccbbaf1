//! Compose files as the reference implementation understands them: the same services, variables, secrets, ports, networks, volumes,
//! and the same refusals.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod cases;
mod described;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use cases::Case;
use vault_kit::compose::{ProblemKind, Request, Resolved, resolve};

fn resolved(case: &Case) -> Resolved {
    let (variables, env_files) = (BTreeMap::new(), case.env_files());
    let env_files = env_files.as_deref();
    resolve(&Request { files: &case.compose, variables: &variables, env_files, directory: "project" }, &case.files)
}

#[test]
fn every_file_is_read_as_the_reference_reads_it() {
    let cases = Case::all();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut differences = Vec::new();
    for case in &cases {
        let Resolved { project, problems } = resolved(case);
        assert!(!problems.iter().any(|it| it.kind == ProblemKind::NotRead), "{}: {problems:?}", case.name);
        match case.expected() {
            None if problems.is_empty() => differences.push(format!("{}: the reference refuses it", case.name)),
            None => {}
            Some(_) if !problems.is_empty() => differences.push(format!("{}: {problems:#?}", case.name)),
            Some(config) => {
                let theirs = described::theirs(&config);
                let ours = described::used(described::ours(&project), &theirs);
                differences.extend(described::differences(&case.name, &ours, &theirs));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_is_committed_is_what_the_reference_says_today() {
    for case in Case::all() {
        let Some(config) = case.judged() else { return };
        if cases::updates() {
            case.update(config.as_ref());
        }
        assert_eq!(config, case.expected(), "{}: UPDATE_COMPOSE=1 makes it anew", case.name);
    }
}

/// A field of a service on each line, behind what the reference says of it.
#[test]
fn a_field_is_refused_where_the_reference_refuses_it() {
    let path = support::root().join("tests/fixtures/compose/fields.list");
    let mut differences = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let (verdict, field) = line.split_at(8);
        let image = if field.starts_with("image") { "" } else { "image: a, " };
        let compose = format!("services:\n  a: {{{image}{field}}}\n");
        let mut case = Case::of("field".to_owned(), &format!("-- compose.yaml --\n{compose}"));
        let is_refused = !resolved(&case).problems.is_empty();
        case.name = field.to_owned();
        if cases::runs_all() {
            let judged = if case.judged().flatten().is_some() { "fine" } else { "refused" };
            if judged != verdict.trim() {
                differences.push(format!("the reference says today: {judged} {field}"));
            }
        }
        if is_refused != (verdict.trim() == "refused") {
            differences.push(line.to_owned());
        }
    }
    assert!(differences.is_empty(), "we do not say so: {differences:#?}");
}
