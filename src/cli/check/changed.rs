//! What `--changed-since` leaves: what is declared otherwise than in a git revision, and the files that differ from it.

use crate::check::{Changed, ExpectedFile};
use crate::cli::context::{INHERITED_BY_GIT, variables};
use crate::cli::session::Session;
use crate::error::Result;
use crate::manifest::changes::Changes;
use crate::name::SecretName;
use crate::observe::git_changes::Revision;

/// Whether findings about other files may hang from a file: a line in one Compose file takes effect in another, what `.dockerignore`
/// no longer keeps back is told at the Dockerfile, and whatever lies in a context may be copied.
fn is_wiring(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_ignore_file = name == ".gitignore" || name.ends_with(".dockerignore");
    let is_of_compose = [".yaml", ".yml", ".env"].iter().any(|it| name.ends_with(it)) || name.starts_with(".env");
    is_ignore_file || is_of_compose || name.contains("Dockerfile") || name.contains("Containerfile")
}

/// What changed since a revision.
pub struct Since {
    changes: Changes,
    wanted: Changed,
}

impl Since {
    /// Compares with a revision.
    pub fn find(session: &Session<'_>, revision: &str) -> Result<Self> {
        let environment = variables(INHERITED_BY_GIT.into_iter());
        let revision = Revision::find(session.root.path(), revision, &environment)?;
        let file = &session.manifest.file;
        let now = session.root.read(file)?.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        let changes = session.manifest.changes_since(&now, revision.text(file)?.as_deref());
        let wanted = Changed { secrets: changes.secrets.clone(), files: revision.changed_files()? };
        Ok(Self { changes, wanted })
    }

    /// Adds the files that hold what changed, which git does not know; `None` = so much changed that all is about it.
    pub fn with_outputs(mut self, session: &Session<'_>, expected: &[ExpectedFile]) -> Option<Changed> {
        if self.changes.everything
            || !self.changes.outputs.is_empty()
            || self.wanted.files.iter().any(|it| is_wiring(it))
        {
            return None;
        }
        let holds = |name: &SecretName| self.changes.secrets.contains(name);
        let is_touched = |it: &&ExpectedFile| {
            let output = session.manifest.outputs.get(&it.output);
            self.changes.outputs.contains(&it.output) || output.is_some_and(|output| output.secrets.iter().any(holds))
        };
        let files: Vec<String> = expected.iter().filter(is_touched).map(|it| it.path.clone()).collect();
        self.wanted.files.extend(files);
        Some(self.wanted)
    }
}
