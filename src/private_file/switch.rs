//! Files that are replaced together: a directory of their own for each generation, and one link that is switched.
//!
//! As the Kubernetes `AtomicWriter` does it: `key.pem` → `..data/key.pem`, `..data` → `..0123456789abcdef`. Whoever
//! resolves `..data` once and reads beneath it gets files of one generation, whenever that is. These links are the only
//! ones that are followed here, and they lead nowhere but into that one directory.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rustix::fs::{AtFlags, Dir, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::facts::{FileKind, Status};
use super::{Batch, Root, WriteOptions, Written, fault, resolve, temporary};
use crate::error::Result;
use crate::secret::random;

/// The link that is switched.
pub(super) const DATA: &str = "..data";

/// A file of a switched directory.
#[derive(Debug)]
pub struct Member<'a> {
    /// Its plain name.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
    /// How it is written.
    pub options: WriteOptions,
}

impl Root {
    /// Replaces files of a directory together: at every instant, also after a crash, all of them are old or all are new.
    ///
    /// Plain files of these names become links, at first with what they hold. What killed writers left is removed.
    pub fn switch(&self, directory: &str, members: &[Member<'_>]) -> Result<Vec<Written>> {
        let Some(first) = members.first() else { return Ok(Vec::new()) };
        let names = resolve::names(directory).ok_or_else(|| fault::escapes(directory))?;
        let mut batch = Batch::new();
        let opened = resolve::make_directories(self, &names, first.options.directory_mode, &mut batch)?;
        batch.finish()?;
        let here = Directory { root: self, path: directory, opened, shown: self.path().join(directory) };
        here.switch(members)
    }

    /// Finds what [`Root::switch`] would refuse, before anything is written.
    pub fn preflight_switch(&self, directory: &str, name: &str, options: &WriteOptions) -> Result<()> {
        let names = resolve::names(directory).ok_or_else(|| fault::escapes(directory))?;
        // A name that nobody has, so that the directory alone is judged.
        self.preflight(&format!("{directory}/{}", new_generation()?), options)?;
        match resolve::open_directory(&self.directory, &names, resolve::TRAVERSE) {
            Ok(opened) => {
                let here = Directory { root: self, path: directory, opened, shown: self.path().join(directory) };
                here.generation()?;
                here.expect_replaceable(name)
            }
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(fault::failed("open", &self.path().join(directory), errno)),
        }
    }
}

/// Where one of our links leads, beneath its directory; `None` for what is none of ours.
pub fn destination(directory: impl AsFd, name: &OsStr) -> Option<[OsString; 2]> {
    let generation = read_link(&directory, OsStr::new(DATA)).ok()??;
    let is_ours = is_link(&directory, name) && is_generation(&generation);
    is_ours.then(|| [generation, name.to_owned()])
}

/// Whether a name is one of our links, wherever `..data` leads.
pub(super) fn is_link(directory: impl AsFd, name: &OsStr) -> bool {
    let target = read_link(&directory, name).ok().flatten();
    target.is_some_and(|target| target.as_bytes() == [DATA.as_bytes(), b"/", name.as_bytes()].concat())
}

/// What the system says about the file that one of our links leads to; `None` when there is none.
pub(super) fn status(directory: impl AsFd, name: &OsStr) -> rustix::io::Result<Option<Status>> {
    let Some([generation, name]) = destination(&directory, name) else { return Ok(None) };
    match resolve::open_directory(&directory, &[&generation], resolve::TRAVERSE) {
        Ok(generation) => Status::at(generation, &name),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// `None` where there is no link.
fn read_link(directory: impl AsFd, name: &OsStr) -> rustix::io::Result<Option<OsString>> {
    match retry_on_intr(|| rustix::fs::readlinkat(&directory, name, Vec::new())) {
        Ok(target) => Ok(Some(OsStr::from_bytes(target.as_bytes()).to_owned())),
        Err(Errno::NOENT | Errno::INVAL) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn new_generation() -> Result<String> {
    Ok(format!("..{}", HEXLOWER.encode(&random::array::<8>()?)))
}

pub(super) fn is_generation(name: &OsStr) -> bool {
    let random = name.as_bytes().strip_prefix(b"..");
    random.is_some_and(|it| it.len() == 16 && it.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// A directory whose files are switched.
pub(super) struct Directory<'a> {
    pub(super) root: &'a Root,
    pub(super) path: &'a str,
    pub(super) opened: OwnedFd,
    pub(super) shown: PathBuf,
}

impl Directory<'_> {
    fn switch(&self, members: &[Member<'_>]) -> Result<Vec<Written>> {
        let status = Status::of(&self.opened).map_err(|errno| fault::failed("examine", &self.shown, errno))?;
        status.expect_guarded(&self.shown)?;
        for member in members {
            self.expect_replaceable(member.name)?;
        }
        self.generation()?;
        let outcome = members.iter().map(|member| self.outcome(member)).collect::<Result<Vec<_>>>()?;
        let is_settled = outcome.iter().all(|it| *it == Written::Unchanged)
            && members.iter().all(|it| destination(&self.opened, OsStr::new(it.name)).is_some());
        if !is_settled {
            self.adopt(members)?;
            let generation = self.write_generation(members)?;
            self.link(DATA, &generation)?;
            for member in members {
                self.link_member(member.name)?;
            }
            self.sync()?;
        }
        self.remove_others()?;
        Ok(outcome)
    }

    /// The generation that the link leads to. A link or file of somebody else is refused.
    pub(super) fn generation(&self) -> Result<Option<OsString>> {
        let shown = self.shown.join(DATA);
        let failed = |errno| fault::failed("examine", &shown, errno);
        match Status::at(&self.opened, OsStr::new(DATA)).map_err(failed)? {
            None => Ok(None),
            Some(status) if status.kind == FileKind::Symlink => {
                let target = read_link(&self.opened, OsStr::new(DATA)).map_err(failed)?;
                target.filter(|target| is_generation(target)).map(Some).ok_or_else(|| fault::symlink(&shown))
            }
            Some(status) => status
                .expect_regular(&shown)
                .and_then(|()| Err(fault::refused("not-regular", &shown, "it is not a link"))),
        }
    }

    /// Refuses what stands in a link's place and is neither our link nor a plain file.
    fn expect_replaceable(&self, name: &str) -> Result<()> {
        let shown = self.shown.join(name);
        let status =
            Status::at(&self.opened, OsStr::new(name)).map_err(|errno| fault::failed("examine", &shown, errno))?;
        match status {
            Some(status) if status.kind == FileKind::Symlink => {
                if is_link(&self.opened, OsStr::new(name)) {
                    Ok(())
                } else {
                    Err(fault::symlink(&shown))
                }
            }
            Some(status) => status.expect_plain(&shown),
            None => Ok(()),
        }
    }

    /// What a switch will do to a file.
    fn outcome(&self, member: &Member<'_>) -> Result<Written> {
        let path = format!("{}/{}", self.path, member.name);
        let Some(facts) = self.root.facts(&path)?.filter(|facts| facts.kind == FileKind::Regular) else {
            return Ok(Written::Created);
        };
        if self.root.read(&path)?.is_none_or(|bytes| zeroize::Zeroizing::new(bytes).as_slice() != member.bytes) {
            return Ok(Written::Replaced);
        }
        let owner = [(member.options.uid, facts.uid), (member.options.gid, facts.gid)];
        let is_owned = owner.iter().all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == *is));
        let is_as_declared = is_owned && facts.mode == member.options.mode;
        Ok(if is_as_declared { Written::Unchanged } else { Written::Tightened })
    }

    /// Makes links of plain files, with what they hold: from here on there is something to switch from. One that somebody
    /// put in a link's place would stay behind when the others are switched.
    fn adopt(&self, members: &[Member<'_>]) -> Result<()> {
        let is_link = |member: &Member<'_>| destination(&self.opened, OsStr::new(member.name)).is_some();
        let mut held = Vec::new();
        let mut has_plain = false;
        for member in members {
            let path = format!("{}/{}", self.path, member.name);
            if self.root.facts(&path)?.is_some_and(|facts| facts.kind == FileKind::Regular)
                && let Some(bytes) = self.root.read(&path)?
            {
                has_plain |= !is_link(member);
                held.push((member, zeroize::Zeroizing::new(bytes)));
            }
        }
        if !has_plain {
            return Ok(());
        }
        let old = held.iter().map(|(member, bytes)| Member { bytes, options: member.options.clone(), ..**member });
        let generation = self.write_generation(&old.collect::<Vec<_>>())?;
        self.link(DATA, &generation)?;
        held.iter().try_for_each(|(member, _)| self.link_member(member.name))?;
        self.sync()
    }

    /// Writes the files into a directory of their own, on the disk when it returns.
    fn write_generation(&self, members: &[Member<'_>]) -> Result<String> {
        let generation = new_generation()?;
        let mut batch = Batch::new();
        for member in members {
            let path = format!("{}/{generation}/{}", self.path, member.name);
            batch.write(self.root, &path, member.bytes, &member.options)?;
        }
        batch.finish()?;
        Ok(generation)
    }

    fn link_member(&self, name: &str) -> Result<()> {
        if is_link(&self.opened, OsStr::new(name)) { Ok(()) } else { self.link(name, &format!("{DATA}/{name}")) }
    }

    pub(super) fn is_left_link(&self, name: &OsStr) -> rustix::io::Result<bool> {
        if !temporary::is_temporary_name(name.as_bytes()) {
            return Ok(false);
        }
        Ok(read_link(&self.opened, name)?.is_some_and(|target| leads_to_ours(&target)))
    }

    /// Puts a link in a name's place in one step.
    fn link(&self, name: &str, target: &str) -> Result<()> {
        let shown = self.shown.join(name);
        let failed = |errno| fault::failed("link", &shown, errno);
        let temporary = temporary::new_name()?;
        retry_on_intr(|| rustix::fs::symlinkat(target, &self.opened, &temporary)).map_err(failed)?;
        let renamed = retry_on_intr(|| rustix::fs::renameat(&self.opened, &temporary, &self.opened, name));
        renamed.map_err(|errno| {
            // Nothing more can be done; the next switch removes it.
            let _ = rustix::fs::unlinkat(&self.opened, &temporary, AtFlags::empty());
            failed(errno)
        })
    }

    pub(super) fn sync(&self) -> Result<()> {
        let failed = |error| fault::durability(&self.shown, error);
        let directory = self.opened.try_clone().map_err(failed)?;
        let mut batch = Batch::new();
        batch.touch(directory, &self.shown)?;
        batch.finish()
    }

    /// Removes the generations that the link does not lead to, with the keys in them, and links that took no name or lead
    /// nowhere any more.
    fn remove_others(&self) -> Result<()> {
        let current = self.generation()?;
        let failed = |errno| fault::failed("clean up", &self.shown, errno);
        for entry in retry_on_intr(|| Dir::read_from(&self.opened)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if is_generation(name) && current.as_deref() != Some(name) {
                remove_generation(&self.opened, name, &self.shown)?;
            }
            let leads_nowhere = is_link(&self.opened, name) && self.is_dangling(name);
            if leads_nowhere || self.is_left_link(name).map_err(failed)? {
                retry_on_intr(|| rustix::fs::unlinkat(&self.opened, name, AtFlags::empty())).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// By name and by where it leads.
fn leads_to_ours(target: &OsStr) -> bool {
    is_generation(target) || target.as_bytes().starts_with(b"..data/")
}

pub(super) fn remove_generation(directory: &OwnedFd, name: &OsStr, shown: &Path) -> Result<()> {
    let shown = shown.join(name);
    let failed = |errno| fault::failed("clean up", &shown, errno);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let old = resolve::open_directory(directory, &[name], flags).map_err(failed)?;
    for entry in retry_on_intr(|| Dir::read_from(&old)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            retry_on_intr(|| rustix::fs::unlinkat(&old, entry.file_name(), AtFlags::empty())).map_err(failed)?;
        }
    }
    retry_on_intr(|| rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)).map_err(failed)
}
