//! What is left of files that were switched together once they are no more: the values stay in the generations after
//! their links have gone.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Dir, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::facts::Status;
use super::switch::{self, DATA, Directory};
use super::{Root, fault, resolve};
use crate::error::Result;

impl Root {
    /// Whether a path is a link of a directory that is switched.
    pub fn is_switched(&self, path: &str) -> Result<bool> {
        let route = self.route(path)?;
        let directory = resolve::open_directory(&self.directory, route.directories(), resolve::TRAVERSE);
        Ok(directory.is_ok_and(|directory| switch::is_link(directory, route.name())))
    }

    /// The paths that have to be removed for nothing to be left of a delivered file: its own, and those of its content in a
    /// directory that is or was switched.
    pub fn remains(&self, path: &str) -> Result<Vec<String>> {
        let route = self.route(path)?;
        let is_there = self.facts(path)?.is_some();
        if is_there && !self.is_switched(path)? {
            return Ok(vec![path.to_owned()]);
        }
        let mut remains: Vec<String> = is_there.then(|| path.to_owned()).into_iter().collect();
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        // A directory that cannot be listed is none that we wrote to.
        let Ok(Some(here)) = self.switched(above) else { return Ok(remains) };
        let within = |name: &OsString| format!("{above}/{}/{}", name.to_string_lossy(), route.name().to_string_lossy());
        for name in here.names()?.iter().filter(|name| switch::is_generation(name)) {
            let generation = resolve::open_directory(&here.opened, &[name], resolve::TRAVERSE);
            if generation.is_ok_and(|it| Status::at(it, route.name()).is_ok_and(|status| status.is_some())) {
                remains.push(within(name));
            }
        }
        Ok(remains)
    }

    /// Removes what a directory was switched by, with the values in it, once none of its links is left.
    pub fn end_switching(&self, directory: &str) -> Result<()> {
        match self.switched(directory)? {
            Some(here) if matches!(here.generation(), Ok(Some(_))) => here.end(),
            // Whatever else stands there is none of ours.
            _ => Ok(()),
        }
    }

    /// `None` where there is no such directory.
    fn switched<'a>(&'a self, directory: &'a str) -> Result<Option<Directory<'a>>> {
        let names = resolve::names(directory).ok_or_else(|| fault::escapes(directory))?;
        let shown = self.path().join(directory);
        match resolve::open_directory(&self.directory, &names, OFlags::RDONLY) {
            Ok(opened) => Ok(Some(Directory { root: self, path: directory, opened, shown })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(fault::failed("open", &shown, errno)),
        }
    }
}

impl Directory<'_> {
    fn names(&self) -> Result<Vec<OsString>> {
        let failed = |errno| fault::failed("list", &self.shown, errno);
        let entries = retry_on_intr(|| Dir::read_from(&self.opened)).map_err(failed)?;
        let name = |entry: rustix::io::Result<rustix::fs::DirEntry>| {
            entry.map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
        };
        entries.map(name).collect::<rustix::io::Result<_>>().map_err(failed)
    }

    /// The link that says that there are generations goes last: whoever is killed before it is followed by one who goes on.
    fn end(&self) -> Result<()> {
        let names = self.names()?;
        let is_link = |name: &OsString| switch::is_link(&self.opened, name);
        if names.iter().any(|name| is_link(name) && !self.is_dangling(name)) {
            return Ok(());
        }
        for name in &names {
            if switch::is_generation(name) {
                switch::remove_generation(&self.opened, name, &self.shown)?;
            } else if is_link(name) || self.is_left_link(name).unwrap_or(false) {
                self.remove(name)?;
            }
        }
        self.remove(OsStr::new(DATA))?;
        self.sync()
    }

    pub(super) fn is_dangling(&self, name: &OsStr) -> bool {
        matches!(switch::status(&self.opened, name), Ok(None))
    }

    fn remove(&self, name: &OsStr) -> Result<()> {
        let removed = retry_on_intr(|| rustix::fs::unlinkat(&self.opened, name, AtFlags::empty()));
        removed.map_err(|errno| fault::failed("remove", &self.shown.join(name), errno))
    }
}
