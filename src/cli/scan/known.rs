//! What is known of the values: the stores that can be opened here, and the fingerprints of the others.

use std::cell::LazyCell;
use std::path::PathBuf;

use super::super::context::read_identities;
use super::super::main_tree;
use super::super::session::{self, Session};
use super::files::Files;
use super::prints::{self, Prints};
use crate::check::NotChecked;
use crate::error::{Error, Kind, Result};
use crate::manifest::{Declaration, Format};
use crate::name::EnvName;
use crate::private_file::Root;
use crate::scan::Tokens;
use crate::store::Store;
use crate::store::files::StoreFiles;
use crate::store::identity::Identities;

/// What is known, of the environment that is named or of all.
#[derive(Default)]
pub(super) struct Sources {
    /// The stores that were opened.
    pub(super) stores: Vec<OpenedStore>,
    /// Fingerprints of what else there is.
    pub(super) tokens: Tokens,
    /// How many fingerprints are those of values.
    pub(super) fingerprints: usize,
    /// Whose values are not known, or not all of them.
    pub(super) not_checked: Vec<NotChecked>,
}

/// A store that was opened.
pub(super) struct OpenedStore {
    pub(super) store: Store,
    /// The project in the main work tree, where it is that one's.
    pub(super) main: Option<PathBuf>,
}

impl Sources {
    /// Everything that is known. Fails with `values-unknown` where nothing is and something should be.
    pub(super) fn open(project: Files<'_>) -> Result<Self> {
        let session = project.session;
        let identities = read_identities()?;
        let is_named = session.context.environment().is_some();
        let all = session.manifest.environments.keys();
        let mut sources = Self::default();
        let mut unknown = Vec::new();
        let mut is_any_known = false;
        let main = LazyCell::new(|| MainTree::of(session));
        for environment in all.filter(|name| !is_named || **name == session.environment) {
            let (prints, of_another) = prints::declared(project, environment)?;
            let opened = identities.as_ref().map(|identities| {
                let own = StoreFiles::new(&session.root, session.state.clone(), environment).open(identities)?;
                // A linked work tree has none: it shares the history with the main one, and so what may not get into it.
                match own {
                    Some(store) => Ok(Some(OpenedStore { store, main: None })),
                    None => main.as_ref().map_or(Ok(None), |main| main.open(environment, identities)),
                }
            });
            let why = match opened {
                Some(Ok(Some(opened))) => {
                    let store = &opened.store;
                    for prints in prints {
                        prints.expect_all_of(store)?;
                        let others = prints.into_document().map(|document| document.of_others(store));
                        sources.fingerprints += others.map_or(0, |others| sources.tokens.add(others));
                    }
                    is_any_known = true;
                    sources.fingerprints += sources.tokens.add_gone(store);
                    sources.stores.push(opened);
                    continue;
                }
                Some(Ok(None)) => "its store is not here".to_owned(),
                None => "there is no identity to open its store with".to_owned(),
                // Of an environment that nobody named it is enough to say so.
                Some(Err(error)) if error.kind() == Kind::Store && !is_named => error.to_string(),
                Some(Err(error)) => return Err(error),
            };
            let why = match of_another {
                Some(list) => format!("{why}, and {list}"),
                None => why,
            };
            let has_prints = sources.add_fingerprints(prints)?;
            is_any_known |= has_prints;
            let which = if has_prints { " that have no public fingerprint" } else { "" };
            let what = format!("the values of {environment}{which}");
            if session.manifest.secrets_in(environment).any(Declaration::is_stored) {
                unknown.push((environment.clone(), why.clone()));
            }
            sources.not_checked.push(NotChecked { what, why });
        }
        if is_any_known || unknown.is_empty() || prints::is_new(&project) {
            return Ok(sources);
        }
        Err(nothing_known(project, &unknown))
    }

    /// Adds the fingerprints that were delivered for an environment; tells whether there are any.
    fn add_fingerprints(&mut self, prints: Vec<Prints<'_>>) -> Result<bool> {
        let mut is_there = false;
        for prints in prints {
            if let Some(document) = prints.expect_whole()? {
                self.fingerprints += self.tokens.add(document);
                is_there = true;
            }
        }
        Ok(is_there)
    }
}

/// What a clone or another work tree lacks: a search for nothing finds nothing.
fn nothing_known(project: Files<'_>, unknown: &[(EnvName, String)]) -> Error {
    let why: Vec<String> = unknown.iter().map(|(environment, why)| format!("{environment}: {why}")).collect();
    let message =
        format!("none of the declared values is known here, so that no leak could be found ({})", why.join("; "));
    let session = project.session;
    let is_declared = session.manifest.outputs.values().any(|it| it.format == Format::Fingerprints);
    let error = Error::new(Kind::Store, "values-unknown", message);
    let prints =
        "an output of `format = \"fingerprints\"`, committed, is what clones and other work trees know the values by";
    let error = if is_declared { error } else { error.hint(prints) };
    error.hint(
        "where there are no values yet, `vault-kit init`; `--rules-only` looks for other people's credentials alone",
    )
}

/// The project in the work tree that has the stores, where this is a linked one.
struct MainTree {
    root: Root,
    state: Option<PathBuf>,
}

impl MainTree {
    /// `None` where this is no linked work tree, or no other has a store.
    fn of(session: &Session<'_>) -> Option<Self> {
        let root = Root::open(&main_tree::find(session.root.path(), None)?.directory).ok()?;
        let state = session::state_directory(session.context, root.path()).ok()?;
        Some(Self { root, state })
    }

    fn open(&self, environment: &EnvName, identities: &Identities) -> Result<Option<OpenedStore>> {
        let store = StoreFiles::new(&self.root, self.state.clone(), environment).open(identities)?;
        Ok(store.map(|store| OpenedStore { store, main: Some(self.root.path().to_owned()) }))
    }
}
