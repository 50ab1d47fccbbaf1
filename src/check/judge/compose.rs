//! The Compose files: what each service needs is declared and delivered, and nothing secret stands where others read it.

mod exposed;
mod files;
mod readable;
mod unused;
mod variables;

use super::Bench;
use super::fix::in_table;
use crate::check::delivered::Delivered;
use crate::check::finding::{Code, Finding};
use crate::compose::{Location, Problem, ProblemKind, Project};
use crate::name::SecretName;
use crate::shell;

impl<'a> Bench<'a> {
    /// Everything that the Compose files of the environment say.
    pub(super) fn compose(&mut self) {
        let deployed = &self.facts.deployed;
        let Some(project) = &deployed.compose else { return self.unnamed() };
        self.verdict.looked_at.services += project.services.len();
        let mut delivered = Delivered::new(self.manifest, self.environment);
        delivered.read(self.manifest, self.environment, &project.variable_files);
        self.problems(project, &deployed.problems);
        self.variables_of_services(project, &delivered);
        self.shell();
        self.files_of_services(project, &delivered);
        self.readable(project, &delivered);
        self.exposed(project);
        if self.compose_is_whole() {
            self.unused(project, &delivered);
        } else {
            self.not_checked("what no service uses", "not all of the Compose files could be read");
        }
    }

    /// A Compose file that the manifest does not name.
    fn unnamed(&mut self) {
        let Some(file) = &self.facts.deployed.unnamed else { return };
        let message = "lies beside the manifest, which does not name it: nothing of it is judged";
        let fix = in_table("project", format!("compose = [\"{file}\"]"));
        self.about_file(Code::ComposeUnnamed, file, message, fix);
    }

    /// Whether all of the Compose files were read, so that what is not in them is not there.
    pub(super) fn compose_is_whole(&self) -> bool {
        let deployed = &self.facts.deployed;
        deployed.compose.as_ref().is_some_and(|project| deployed.problems.iter().all(|it| is_of_one_value(project, it)))
    }

    /// What Compose would refuse, and what was not read.
    fn problems(&mut self, project: &Project, problems: &[Problem]) {
        for problem in problems {
            let (file, line) = (&*problem.at.file, problem.at.line);
            match problem.kind {
                // The judges of variables and files know more of it.
                _ if is_told_elsewhere(project, problem) => {}
                ProblemKind::Elsewhere | ProblemKind::Unvalued => {
                    self.not_checked(format!("{file}:{line}"), &problem.message);
                }
                ProblemKind::NotRead | ProblemKind::Missing | ProblemKind::Refused => {
                    let is_unread = problem.kind == ProblemKind::NotRead;
                    let code = if is_unread { Code::ComposeUnreadable } else { Code::ComposeInvalid };
                    let fix = problem.hint.clone().unwrap_or_else(|| self.ask_compose());
                    let finding = Finding::new(code, &problem.message, fix);
                    self.verdict.findings.push(finding.of_file(file).at_line(line));
                }
            }
        }
    }

    /// What tells more of a file that Compose refuses.
    fn ask_compose(&self) -> String {
        let files = self.manifest.compose_in(self.environment).iter();
        let files: Vec<String> = files.map(|file| format!("-f {}", shell::path(file))).collect();
        format!("docker compose {} config --quiet    # says what Compose wants there", files.join(" "))
    }

    /// About a line of a Compose file.
    fn at(&mut self, code: Code, at: &Location, message: impl Into<String>, fix: impl Into<String>) -> &mut Finding {
        let finding = Finding::new(code, message, fix).of_file(&at.file).at_line(at.line);
        self.verdict.findings.push(finding);
        // One was pushed just now.
        self.verdict.findings.last_mut().expect("a finding")
    }

    /// The declared secret of a name, settings left out.
    fn stored(&self, name: &str) -> Option<&'a SecretName> {
        self.manifest.secret(name).filter(|it| it.is_stored()).map(|it| &it.name)
    }
}

/// What takes nothing but a value away.
fn is_of_one_value(project: &Project, problem: &Problem) -> bool {
    problem.kind == ProblemKind::Unvalued || is_told_elsewhere(project, problem)
}

/// A variable or env file that is missing here.
fn is_told_elsewhere(project: &Project, problem: &Problem) -> bool {
    let is_variable = || project.uses.iter().any(|it| it.at == problem.at && !it.known);
    let is_env_file = || {
        let mut files = project.services.values().flat_map(|it| &it.env_files);
        files.any(|it| !it.found && it.path.text.at == problem.at)
    };
    problem.kind == ProblemKind::Missing && (is_variable() || is_env_file())
}

/// Names in backticks, the first ones.
fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", names[..SHOWN].join(", ")),
        _ => names.join(", "),
    }
}
