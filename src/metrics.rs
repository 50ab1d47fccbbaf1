//! What monitoring is told: a file in Prometheus' text format (version 0.0.4), for the textfile collector of `node_exporter`.
//!
//! Pure, and without a value in sight: names, dates and outcomes alone.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::name::{EnvName, SecretName};

/// The state of an environment.
#[derive(Debug)]
pub struct Metrics<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The environment.
    pub environment: &'a EnvName,
    /// When that was the state.
    pub now: DateTime<Utc>,
    /// Whether what is told of the secrets belongs to the store on disk.
    pub is_current: bool,
    /// The hooks whose programs have yet to read changed files, each with how often they failed to.
    pub reloads: Vec<(&'a str, u32)>,
    /// The secrets whose owners may still accept a value that leaked, each with its incident.
    pub leaks: Vec<(&'a str, &'a str)>,
    /// The secrets that have or should have a value.
    pub secrets: Vec<SecretMetrics<'a>>,
}

/// The state of a secret.
#[derive(Debug)]
pub struct SecretMetrics<'a> {
    /// Its name.
    pub name: &'a SecretName,
    /// Its kind as the manifest writes it.
    pub kind: &'a str,
    /// When its value was made; `None` = it has none.
    pub created: Option<DateTime<Utc>>,
    /// From when on its replacement is overdue.
    pub due: Option<DateTime<Utc>>,
    /// When its value stops being valid.
    pub expires: Option<DateTime<Utc>>,
    /// How its last rotation ended.
    pub last: Option<LastRotation>,
    /// Whether a rotation has begun and has not ended.
    pub in_flight: bool,
    /// How often the rotation in flight failed.
    pub failures: u32,
    /// Whether a hook has yet to tell its owner the value in use.
    pub is_untold: bool,
    /// Whether the value in use leaked.
    pub is_leaked: bool,
}

/// How a rotation ended, or failed last.
#[derive(Debug, Clone, Copy)]
pub struct LastRotation {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the new value is in use, and no step failed.
    pub is_success: bool,
    /// When one last was a success.
    pub success: Option<DateTime<Utc>>,
    /// From its beginning until then, in seconds.
    pub seconds: u64,
}

/// A metric of each secret: its name, what it tells, and its sample, if the secret has one.
type Family = (&'static str, &'static str, fn(&SecretMetrics<'_>, DateTime<Utc>) -> Option<i64>);

const FAMILIES: [Family; 13] = [
    ("secret_present", "Whether the secret has a value.", |it, _| Some(it.created.is_some().into())),
    ("secret_created_timestamp_seconds", "When the value in use was made.", |it, _| at(it.created)),
    ("secret_age_seconds", "How old the value in use was when this file was written.", |it, now| {
        it.created.map(|created| (now - created).num_seconds())
    }),
    ("secret_due_timestamp_seconds", "From when on the replacement of the value is overdue.", |it, _| at(it.due)),
    ("secret_expires_timestamp_seconds", "When the value stops being valid.", |it, _| at(it.expires)),
    ("rotation_last_timestamp_seconds", "When the last rotation ended, or failed last.", |it, _| {
        at(it.last.map(|last| last.at))
    }),
    (
        "rotation_last_success",
        "Whether the last rotation put a new value into use, and no step of it or of one since has failed.",
        |it, _| it.last.map(|last| last.is_success.into()),
    ),
    ("rotation_last_success_timestamp_seconds", "When a rotation last put a new value into use.", |it, _| {
        at(it.last.and_then(|last| last.success))
    }),
    ("rotation_last_duration_seconds", "How long the last rotation took.", |it, _| {
        it.last.and_then(|last| last.seconds.try_into().ok())
    }),
    ("rotation_in_flight", "Whether a rotation has begun and has not ended.", |it, _| Some(it.in_flight.into())),
    ("rotation_failures", "How often the rotation in flight failed.", |it, _| Some(it.failures.into())),
    ("owner_untold", "Whether a hook has yet to tell its owner the value in use.", |it, _| Some(it.is_untold.into())),
    ("secret_leaked", "Whether the value in use leaked.", |it, _| Some(it.is_leaked.into())),
];

/// The file's text.
pub fn text(metrics: &Metrics<'_>) -> String {
    let place =
        format!("project=\"{}\",environment=\"{}\"", escaped(metrics.project), escaped(metrics.environment.as_str()));
    let labels = |it: &SecretMetrics<'_>| {
        format!("{place},secret=\"{}\",kind=\"{}\"", escaped(it.name.as_str()), escaped(it.kind))
    };
    let labels: Vec<String> = metrics.secrets.iter().map(labels).collect();
    let mut text = String::new();
    let written = metrics.now.timestamp();
    family(&mut text, "written_timestamp_seconds", "When this file was written.", [(&place, written)]);
    let current = metrics.is_current.into();
    family(&mut text, "ledger_current", "Whether the ledger belongs to the store on disk.", [(&place, current)]);
    let hooks =
        metrics.reloads.iter().map(|(hook, failures)| (format!("{place},hook=\"{}\"", escaped(hook)), failures));
    let hooks: Vec<(String, i64)> = hooks.map(|(labels, failures)| (labels, (*failures).into())).collect();
    let owed = hooks.iter().map(|(labels, _)| (labels, 1));
    family(&mut text, "reload_owed", "Whether a program has yet to read changed files.", owed);
    let failures = hooks.iter().map(|(labels, failures)| (labels, *failures));
    family(&mut text, "reload_failures", "How often a program that has yet to read changed files failed to.", failures);
    let leaks = metrics.leaks.iter();
    let leaks =
        leaks.map(|(secret, id)| format!("{place},secret=\"{}\",incident=\"{}\"", escaped(secret), escaped(id)));
    let leaks: Vec<String> = leaks.collect();
    let help = "Whether an owner may still accept a value that leaked and was replaced.";
    family(&mut text, "leak_still_accepted", help, leaks.iter().map(|labels| (labels, 1)));
    for (name, help, sample) in FAMILIES {
        let samples = metrics.secrets.iter().zip(&labels);
        let samples = samples.filter_map(|(secret, labels)| Some((labels, sample(secret, metrics.now)?)));
        family(&mut text, name, help, samples);
    }
    text
}

/// The lines of a metric; none where it has no sample.
fn family<'a>(text: &mut String, name: &str, help: &str, samples: impl IntoIterator<Item = (&'a String, i64)>) {
    let mut samples = samples.into_iter().peekable();
    if samples.peek().is_none() {
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP vault_kit_{name} {help}\n# TYPE vault_kit_{name} gauge");
    for (labels, sample) in samples {
        let _ = writeln!(text, "vault_kit_{name}{{{labels}}} {sample}");
    }
}

/// A label's value between its quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn at(time: Option<DateTime<Utc>>) -> Option<i64> {
    time.map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn each_sample_has_its_help_its_type_and_its_labels() {
        let [name, absent] = ["DB_PASSWORD", "STRIPE_KEY"].map(|name| SecretName::new(name).unwrap());
        let environment = EnvName::new("prod").unwrap();
        let last = LastRotation { at: time(150), is_success: false, success: Some(time(100)), seconds: 12 };
        let there = SecretMetrics {
            name: &name,
            kind: "password",
            created: Some(time(100)),
            due: Some(time(300)),
            expires: None,
            last: Some(last),
            in_flight: true,
            failures: 2,
            is_untold: true,
            is_leaked: true,
        };
        let missing = SecretMetrics {
            name: &absent,
            kind: "external",
            created: None,
            due: None,
            expires: None,
            last: None,
            in_flight: false,
            failures: 0,
            is_untold: false,
            is_leaked: false,
        };
        let secrets = vec![there, missing];
        let project = "a\"b\\c\nd";
        let (reloads, leaks) = (vec![("nginx", 3)], vec![("OLD_PASSWORD", "0a1b2c3d4e5f")]);
        let metrics =
            Metrics { project, environment: &environment, now: time(200), is_current: true, reloads, leaks, secrets };
        insta::assert_snapshot!(text(&metrics), @r#"
        # HELP vault_kit_written_timestamp_seconds When this file was written.
        # TYPE vault_kit_written_timestamp_seconds gauge
        vault_kit_written_timestamp_seconds{project="a\"b\\c\nd",environment="prod"} 200
        # HELP vault_kit_ledger_current Whether the ledger belongs to the store on disk.
        # TYPE vault_kit_ledger_current gauge
        vault_kit_ledger_current{project="a\"b\\c\nd",environment="prod"} 1
        # HELP vault_kit_reload_owed Whether a program has yet to read changed files.
        # TYPE vault_kit_reload_owed gauge
        vault_kit_reload_owed{project="a\"b\\c\nd",environment="prod",hook="nginx"} 1
        # HELP vault_kit_reload_failures How often a program that has yet to read changed files failed to.
        # TYPE vault_kit_reload_failures gauge
        vault_kit_reload_failures{project="a\"b\\c\nd",environment="prod",hook="nginx"} 3
        # HELP vault_kit_leak_still_accepted Whether an owner may still accept a value that leaked and was replaced.
        # TYPE vault_kit_leak_still_accepted gauge
        vault_kit_leak_still_accepted{project="a\"b\\c\nd",environment="prod",secret="OLD_PASSWORD",incident="0a1b2c3d4e5f"} 1
        # HELP vault_kit_secret_present Whether the secret has a value.
        # TYPE vault_kit_secret_present gauge
        vault_kit_secret_present{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 1
        vault_kit_secret_present{project="a\"b\\c\nd",environment="prod",secret="STRIPE_KEY",kind="external"} 0
        # HELP vault_kit_secret_created_timestamp_seconds When the value in use was made.
        # TYPE vault_kit_secret_created_timestamp_seconds gauge
        vault_kit_secret_created_timestamp_seconds{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 100
        # HELP vault_kit_secret_age_seconds How old the value in use was when this file was written.
        # TYPE vault_kit_secret_age_seconds gauge
        vault_kit_secret_age_seconds{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 100
        # HELP vault_kit_secret_due_timestamp_seconds From when on the replacement of the value is overdue.
        # TYPE vault_kit_secret_due_timestamp_seconds gauge
        vault_kit_secret_due_timestamp_seconds{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 300
        # HELP vault_kit_rotation_last_timestamp_seconds When the last rotation ended, or failed last.
        # TYPE vault_kit_rotation_last_timestamp_seconds gauge
        vault_kit_rotation_last_timestamp_seconds{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 150
        # HELP vault_kit_rotation_last_success Whether the last rotation put a new value into use, and no step of it or of one since has failed.
        # TYPE vault_kit_rotation_last_success gauge
        vault_kit_rotation_last_success{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 0
        # HELP vault_kit_rotation_last_success_timestamp_seconds When a rotation last put a new value into use.
        # TYPE vault_kit_rotation_last_success_timestamp_seconds gauge
        vault_kit_rotation_last_success_timestamp_seconds{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 100
        # HELP vault_kit_rotation_last_duration_seconds How long the last rotation took.
        # TYPE vault_kit_rotation_last_duration_seconds gauge
        vault_kit_rotation_last_duration_seconds{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 12
        # HELP vault_kit_rotation_in_flight Whether a rotation has begun and has not ended.
        # TYPE vault_kit_rotation_in_flight gauge
        vault_kit_rotation_in_flight{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 1
        vault_kit_rotation_in_flight{project="a\"b\\c\nd",environment="prod",secret="STRIPE_KEY",kind="external"} 0
        # HELP vault_kit_rotation_failures How often the rotation in flight failed.
        # TYPE vault_kit_rotation_failures gauge
        vault_kit_rotation_failures{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 2
        vault_kit_rotation_failures{project="a\"b\\c\nd",environment="prod",secret="STRIPE_KEY",kind="external"} 0
        # HELP vault_kit_owner_untold Whether a hook has yet to tell its owner the value in use.
        # TYPE vault_kit_owner_untold gauge
        vault_kit_owner_untold{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 1
        vault_kit_owner_untold{project="a\"b\\c\nd",environment="prod",secret="STRIPE_KEY",kind="external"} 0
        # HELP vault_kit_secret_leaked Whether the value in use leaked.
        # TYPE vault_kit_secret_leaked gauge
        vault_kit_secret_leaked{project="a\"b\\c\nd",environment="prod",secret="DB_PASSWORD",kind="password"} 1
        vault_kit_secret_leaked{project="a\"b\\c\nd",environment="prod",secret="STRIPE_KEY",kind="external"} 0
        "#);
    }
}
