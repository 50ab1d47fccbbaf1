//! How the verbs of `sync` tell what they found and did.

use serde::Serialize;

use super::super::context::Context;
use super::super::paste::Paste;
use super::super::session::Session;
use super::super::table::table;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::{EnvName, SecretName};
use crate::ui::SCHEMA_VERSION;

/// One remote secret in a report.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// Its full name.
    pub name: String,
    /// What of ours is in it.
    pub secrets: Vec<&'a SecretName>,
    /// What was found or done: one word, or several joined by dashes.
    pub state: String,
    /// The version in force there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that both sides agreed on last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_version: Option<String>,
    /// Why it must not be written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hindrance: Option<String>,
    /// What each key of a bundle came to, where that differs from key to key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<(String, String)>,
}

impl<'a> Row<'a> {
    /// One about which its state says enough.
    pub fn plain(name: &str, secrets: Vec<&'a SecretName>, state: &str) -> Self {
        let state = state.to_owned();
        Self {
            name: name.to_owned(),
            secrets,
            state,
            version: None,
            base_version: None,
            hindrance: None,
            keys: Vec::new(),
        }
    }
}

/// The states in which there is nothing to do.
const SETTLED: [&str; 3] = ["absent", "advance", "same"];

/// What a verb found or did.
#[derive(Debug)]
pub struct Report<'a> {
    /// Where it was found or done.
    pub session: &'a Session<'a>,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The remote secrets, in the order of their names.
    pub rows: Vec<Row<'a>>,
    /// How many more there are, about which there is nothing to say.
    pub unchanged: usize,
    /// What could not be done.
    pub problems: Vec<Error>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    dry_run: bool,
    unchanged: usize,
    items: &'a [Row<'a>],
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    code: &'static str,
    message: String,
    fix: Vec<String>,
}

impl Report<'_> {
    /// Tells what was done, which `-q` keeps to itself. The exit code is that of the gravest problem.
    pub fn tell(self, context: &Context) -> Result<Exit> {
        let is_wanted = !context.ui.quiet;
        self.answer_if(is_wanted, false, context)
    }

    /// Tells what was asked for, also with `-q`.
    pub fn answer(self, context: &Context) -> Result<Exit> {
        self.answer_if(true, true, context)
    }

    fn answer_if(self, is_wanted: bool, is_answer: bool, context: &Context) -> Result<Exit> {
        let ui = context.ui;
        let paste = Paste::new(context);
        let Self { session, dry_run, unchanged, .. } = self;
        let environment = &session.environment;
        let region = session.manifest.aws(environment).and_then(|aws| aws.region.as_deref());
        let problems = self.problems.into_iter().map(|it| paste.error(it).map_hints(&|hint| in_region(hint, region)));
        let problems: Vec<Error> = problems.collect();
        let kind = Kind::most_severe(problems.iter().map(Error::kind));
        if ui.json {
            let problem = |it: &Error| Problem { code: it.code(), message: it.to_string(), fix: it.hints().to_vec() };
            ui.object(&Document {
                schema_version: SCHEMA_VERSION,
                environment,
                dry_run,
                unchanged,
                items: &self.rows,
                problems: problems.iter().map(problem).collect(),
            })?;
        } else {
            if is_wanted {
                ui.print(&words(&self.rows))?;
            }
            let is_settled = |row: &&Row<'_>| SETTLED.contains(&row.state.as_str());
            let settled = self.rows.iter().filter(is_settled).count();
            let done = match (is_answer, dry_run) {
                (true, _) => "differ",
                (false, true) => "to do",
                (false, false) => "done",
            };
            let counts =
                [(self.rows.len() - settled, done), (unchanged + settled, "unchanged"), (problems.len(), "failed")];
            let counts: Vec<String> =
                counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
            let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
            ui.say(&format!("environment `{environment}`: {counts}"));
        }
        for problem in &problems {
            ui.problem(problem);
        }
        Ok(kind.map_or(Exit::DONE, Exit::from))
    }
}

/// A command of AWS in a hint does what it says in the environment's region, wherever it is pasted.
pub fn in_region(hint: &str, region: Option<&str>) -> String {
    const COMMAND: &str = "`aws secretsmanager ";
    match region {
        Some(region) => hint.replace(COMMAND, &format!("`aws --region {region} secretsmanager ")),
        None => hint.to_owned(),
    }
}

fn words(rows: &[Row<'_>]) -> String {
    let mut lines = Vec::new();
    for row in rows {
        let secrets: Vec<&str> = row.secrets.iter().map(|name| name.as_str()).collect();
        let state = row.state.replace('-', " ");
        let hindrance = row.hindrance.as_ref().map(|it| format!("({it})")).unwrap_or_default();
        lines.push([state, row.name.clone(), secrets.join(","), hindrance]);
        for (key, state) in &row.keys {
            lines.push([String::new(), format!("  {key}"), state.replace('-', " "), String::new()]);
        }
    }
    table(&lines)
}
