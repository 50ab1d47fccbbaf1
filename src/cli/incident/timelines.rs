//! The files that tell of incidents: rendered from the store, so that a run that died before it wrote one loses nothing.

use std::collections::BTreeMap;

use super::super::session::Session;
use crate::error::Result;
use crate::gather::Gather;
use crate::incident::{remains, timeline};
use crate::private_file::WriteOptions;
use crate::store::Store;

/// The timelines that a command is about: the path of each, by the incident's id.
pub struct Timelines(BTreeMap<String, String>);

impl Timelines {
    /// Those of incidents of a store.
    pub fn of<'i>(store: &Store, ids: impl IntoIterator<Item = &'i String>) -> Self {
        let path = |id: &String| Some((id.clone(), timeline::path(id, store.incidents.get(id)?)));
        Self(ids.into_iter().filter_map(path).gather())
    }

    /// Ids and paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, path)| (id.as_str(), path.as_str()))
    }

    /// Finds what would keep them from being written.
    pub fn preflight(&self, session: &Session<'_>) -> Result<()> {
        self.0.values().try_for_each(|path| session.root.preflight(path, &WriteOptions::default()))
    }

    /// Writes those that are not as they should be.
    pub fn write(&self, session: &Session<'_>, store: &Store) -> Result<()> {
        for (id, path) in &self.0 {
            let text = text(session, store, id)?;
            session.root.write(path, text.as_bytes(), &WriteOptions::default())?;
        }
        Ok(())
    }
}

/// An incident's timeline, with the notes that stand in its file.
pub fn text(session: &Session<'_>, store: &Store, id: &str) -> Result<String> {
    let Some(incident) = store.incidents.get(id) else { return Ok(String::new()) };
    let before = session.root.read(&timeline::path(id, incident))?.and_then(|bytes| String::from_utf8(bytes).ok());
    let incident = &remains::since(&session.manifest, store, incident);
    Ok(timeline::render(id, incident, &session.manifest.project, &session.environment, before.as_deref()))
}
