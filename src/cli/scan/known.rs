//! What is known of the values: the stores that can be opened here, and the fingerprints of the others.

use super::super::context::read_identities;
use super::files::Files;
use crate::check::NotChecked;
use crate::error::{Kind, Result};
use crate::manifest::Format;
use crate::name::EnvName;
use crate::scan::Tokens;
use crate::scan::fingerprints::Document;
use crate::store::Store;
use crate::store::files::StoreFiles;

/// What is known, of the environment that is named or of all.
#[derive(Default)]
pub(super) struct Sources {
    /// The stores that were opened.
    pub(super) stores: Vec<Store>,
    /// Fingerprints of what else there is.
    pub(super) tokens: Tokens,
    /// How many fingerprints are those of values.
    pub(super) fingerprints: usize,
    /// Whose values are not known, or not all of them.
    pub(super) not_checked: Vec<NotChecked>,
}

impl Sources {
    pub(super) fn open(project: &Files<'_>) -> Result<Self> {
        let session = project.session;
        let identities = read_identities()?;
        let is_named = session.context.environment().is_some();
        let all = session.manifest.environments.keys();
        let mut sources = Self::default();
        for environment in all.filter(|name| !is_named || **name == session.environment) {
            let files = StoreFiles::new(&session.root, session.state.clone(), environment);
            let opened = identities.as_ref().map(|identities| files.open(identities));
            let why = match opened {
                Some(Ok(Some(store))) => {
                    sources.tokens.add_banned(&store);
                    sources.stores.push(store);
                    continue;
                }
                Some(Ok(None)) => "its store is not here".to_owned(),
                None => "there is no identity to open its store with".to_owned(),
                // Of an environment that nobody named it is enough to say so.
                Some(Err(error)) if error.kind() == Kind::Store && !is_named => error.to_string(),
                Some(Err(error)) => return Err(error),
            };
            let has_prints = sources.add_fingerprints(project, environment)?;
            let which = if has_prints { " that have no public fingerprint" } else { "" };
            let what = format!("the values of {environment}{which}");
            sources.not_checked.push(NotChecked { what, why });
        }
        Ok(sources)
    }

    /// Adds the fingerprints that were delivered for an environment; tells whether there are any.
    fn add_fingerprints(&mut self, project: &Files<'_>, environment: &EnvName) -> Result<bool> {
        let outputs = project.session.manifest.outputs_in(environment);
        let mut is_there = false;
        for output in outputs.filter(|it| it.format == Format::Fingerprints && !it.path.starts_with('/')) {
            let Some(bytes) = project.read(&output.path)? else { continue };
            let document = Document::parse(&bytes, &output.path)?;
            if document.environment == *environment {
                self.fingerprints += self.tokens.add(document);
                is_there = true;
            }
        }
        Ok(is_there)
    }
}
