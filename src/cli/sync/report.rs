//! How the verbs of `sync` tell what they found and did.

use serde::Serialize;

use super::super::context::Context;
use super::super::paste::Paste;
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

/// What a verb found or did.
#[derive(Debug)]
pub struct Report<'a> {
    /// The environment.
    pub environment: &'a EnvName,
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
        self.answer_if(!context.ui.quiet, context)
    }

    /// Tells what was asked for, also with `-q`.
    pub fn answer(self, context: &Context) -> Result<Exit> {
        self.answer_if(true, context)
    }

    fn answer_if(self, is_wanted: bool, context: &Context) -> Result<Exit> {
        let ui = context.ui;
        let paste = Paste::new(context);
        let problems: Vec<Error> = self.problems.into_iter().map(|it| paste.error(it)).collect();
        let kind = Kind::most_severe(problems.iter().map(Error::kind));
        if ui.json {
            let problem = |it: &Error| Problem { code: it.code(), message: it.to_string(), fix: it.hints().to_vec() };
            ui.object(&Document {
                schema_version: SCHEMA_VERSION,
                environment: self.environment,
                dry_run: self.dry_run,
                unchanged: self.unchanged,
                items: &self.rows,
                problems: problems.iter().map(problem).collect(),
            })?;
        } else {
            if is_wanted {
                ui.print(&words(&self.rows))?;
            }
            let total = self.rows.len() + self.unchanged + problems.len();
            ui.say(&format!("environment `{}`: {} of {total} unchanged", self.environment, self.unchanged));
        }
        for problem in &problems {
            ui.problem(problem);
        }
        Ok(kind.map_or(Exit::DONE, Exit::from))
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
