//! The files that tell of incidents: rendered from the store, so that a run that died before it wrote one loses nothing.

use std::collections::BTreeMap;

use super::super::session::Session;
use super::traces;
use crate::error::Result;
use crate::gather::Gather;
use crate::incident::{progress, timeline};
use crate::private_file::WriteOptions;
use crate::store::Store;
use crate::store::incidents::Incident;
use crate::world::World;

/// The timelines that a command is about: the path of each, by the incident's id.
pub struct Timelines(BTreeMap<String, String>);

impl Timelines {
    /// Those of incidents of a store.
    pub fn of<'i>(store: &Store, ids: impl IntoIterator<Item = &'i String>) -> Self {
        let path = |id: &String| Some((id.clone(), timeline::path(id, store.incidents.get(id)?)));
        Self(ids.into_iter().filter_map(path).gather())
    }

    /// The incidents.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Ids and paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, path)| (id.as_str(), path.as_str()))
    }

    /// Finds what would keep what stands in them already from being read.
    pub fn expect_readable(&self, session: &Session<'_>, store: &Store) -> Result<()> {
        self.0.keys().try_for_each(|id| text(session, store, id).map(drop))
    }

    /// Whether there is a file of what is told as a timeline's path.
    pub fn is_there(session: &Session<'_>, path: &str) -> bool {
        session.root.facts(path).is_ok_and(|facts| facts.is_some())
    }

    /// Writes those that are not as they should be.
    pub fn write(&self, session: &Session<'_>, store: &Store) -> Result<()> {
        for (id, path) in &self.0 {
            let text = text(session, store, id)?;
            session.root.write(path, &text, &WriteOptions::default())?;
        }
        Ok(())
    }
}

/// Brings the timelines up to date of incidents that wait for a new value, after a rotation that may have brought it.
pub fn follow(session: &Session<'_>, world: &World<'_>) {
    if !session.root.path().join(timeline::DIRECTORY).is_dir() {
        return;
    }
    if let Err(error) = write_waiting(session, world) {
        let words = "the timeline of an incident does not have it yet: `vault-kit incident show ID` prints it";
        session.context.warn(&format!("{words} ({error})"));
    }
}

fn write_waiting(session: &Session<'_>, world: &World<'_>) -> Result<()> {
    let Some(store) = world.files.open(world.identities)? else { return Ok(()) };
    let waits = |incident: &Incident| incident.affected.iter().any(|it| it.successor.is_none());
    let waiting = store.incidents.iter().filter(|(_, incident)| waits(incident)).map(|(id, _)| id);
    let mut timelines = Timelines::of(&store, waiting);
    // One that somebody took away is not brought back.
    timelines.0.retain(|_, path| Timelines::is_there(session, path));
    timelines.write(session, &store)
}

/// An incident's timeline, with the notes that stand in its file.
fn text(session: &Session<'_>, store: &Store, id: &str) -> Result<Vec<u8>> {
    let Some(incident) = store.incidents.get(id) else { return Ok(Vec::new()) };
    let before = session.root.read(&timeline::path(id, incident))?;
    Ok(rendered(session, store, (id, incident), before.as_deref()))
}

/// The same for a person to read; without the notes where those cannot be.
pub fn shown(session: &Session<'_>, store: &Store, (id, incident): (&str, &Incident)) -> String {
    let before = session.root.read(&timeline::path(id, incident)).unwrap_or_else(|error| {
        session.context.ui.warn(&format!("its notes cannot be read: {error}"));
        None
    });
    String::from_utf8_lossy(&rendered(session, store, (id, incident), before.as_deref())).into_owned()
}

/// An incident as it is now, by what became of it and by what stands in the files.
pub fn current(session: &Session<'_>, store: &Store, id: &str, incident: &Incident) -> Incident {
    let mut incident = progress::since(&session.manifest, store, id, incident);
    incident.remains.extend(traces::left(session, store, &incident));
    incident
}

fn rendered(session: &Session<'_>, store: &Store, (id, incident): (&str, &Incident), before: Option<&[u8]>) -> Vec<u8> {
    let incident = current(session, store, id, incident);
    timeline::render(id, &incident, &session.manifest.project, &session.environment, before)
}
