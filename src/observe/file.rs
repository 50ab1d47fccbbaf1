//! Metadata and content of files, without following a symlink in any component below the project.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, CWD, Dir, DirEntry, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::check::facts::FileFact;
use crate::private_file;

/// More than this is not read.
const LARGEST: u64 = 64 << 20;

/// Entries of a directory that are looked at.
const MOST_NAMES: usize = 10_000;

/// Directories that are kept open at once.
const MOST_OPEN: usize = 256;

/// The bit that keeps others from replacing files of which they are not the owner.
const STICKY: u32 = 0o1000;

/// Where a walk to a file ends when a directory above it is not what it should be.
type Blocked = FileFact;

/// The project's directory, and those below it that were walked through.
#[derive(Debug)]
pub(super) struct Tree {
    root: Rc<OwnedFd>,
    opened: HashMap<String, Result<Rc<OwnedFd>, Blocked>>,
    /// Directories that another account can write in, with their mode.
    pub(super) open_directories: BTreeMap<String, u32>,
    /// Owner of the project's directory.
    pub(super) owner: u32,
}

impl Tree {
    /// Opens the project's directory.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = openat(CWD, root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let stat = fstat(&root)?;
        let mut tree =
            Self { root: Rc::new(root), opened: HashMap::new(), open_directories: BTreeMap::new(), owner: stat.st_uid };
        tree.note_if_open(".", &stat);
        Ok(tree)
    }

    /// Looks at a file: `Ok` is a regular one.
    pub(super) fn stat(&mut self, path: &str) -> Result<Stat, FileFact> {
        let (directory, name) = split(path);
        let directory = self.directory(directory)?;
        let stat = statat(&*directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(blocked)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(stat),
            FileType::Symlink => match switched(&directory, path) {
                Some(path) => self.stat(&path),
                None => Err(FileFact::Symlink(path.to_owned())),
            },
            _ => Err(FileFact::NotAFile),
        }
    }

    /// Whether a path is a symlink, or behind one.
    pub(super) fn is_linked(&mut self, path: &str) -> bool {
        matches!(self.stat(path), Err(FileFact::Symlink(_)))
    }

    /// Looks at a directory; `None` when there is none that can be opened without following a symlink.
    pub(super) fn stat_directory(&mut self, path: &str) -> Option<Stat> {
        fstat(&*self.directory(path).ok()?).ok()
    }

    /// Reads a regular file.
    pub(super) fn read(&mut self, path: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let (directory, name) = split(path);
        let directory = self.directory(directory).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        if let Some(path) = switched(&directory, path) {
            return self.read(&path);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&*directory, name, flags, Mode::empty())?;
        let stat = fstat(&file)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no regular file"));
        }
        if size > LARGEST {
            return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
        }
        // One byte more than the size, so that the buffer that holds the values need not grow and leave a copy.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
        File::from(file).take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The names of what is in a directory, in their order, hidden ones left out; `None` when it cannot be opened.
    pub(super) fn names(&mut self, path: &str) -> Option<Vec<String>> {
        let directory = self.directory(path).ok()?;
        let entries = Dir::read_from(&*directory).ok()?.filter_map(Result::ok).take(MOST_NAMES);
        let names = entries.filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort_unstable();
        Some(names)
    }

    /// What is in a directory, in its order, and what each is; what is neither a directory nor a regular file nor a symlink is left
    /// out. `None` when it cannot be opened.
    pub(super) fn entries(&mut self, path: &str, most: usize) -> Option<Vec<(String, FileType)>> {
        let directory = self.directory(path).ok()?;
        let entry = |it: DirEntry| {
            let kind = match it.file_type() {
                FileType::Unknown => {
                    let stat = statat(&*directory, it.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
                    FileType::from_raw_mode(stat.st_mode)
                }
                known => known,
            };
            let name = it.file_name().to_str().ok().filter(|name| !matches!(*name, "." | ".."))?;
            matches!(kind, FileType::Directory | FileType::RegularFile | FileType::Symlink)
                .then(|| (name.to_owned(), kind))
        };
        let entries = Dir::read_from(&*directory).ok()?.filter_map(Result::ok);
        let mut entries: Vec<(String, FileType)> = entries.filter_map(entry).take(most).collect();
        entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Some(entries)
    }

    fn directory(&mut self, path: &str) -> Result<Rc<OwnedFd>, Blocked> {
        if path.is_empty() || path == "." {
            return Ok(Rc::clone(&self.root));
        }
        if let Some(known) = self.opened.get(path) {
            return known.clone();
        }
        let opened = self.open_directory(path);
        if self.opened.len() >= MOST_OPEN {
            self.opened.clear();
        }
        self.opened.insert(path.to_owned(), opened.clone());
        opened
    }

    fn open_directory(&mut self, path: &str) -> Result<Rc<OwnedFd>, Blocked> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = if path.starts_with('/') {
            // Only a trusted manifest names absolute paths; the system's own symlinks (`/var/run`) are followed.
            openat(CWD, path, flags, Mode::empty()).map_err(blocked)?
        } else {
            let (above, name) = split(path);
            let above = self.directory(above)?;
            openat(&*above, name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| {
                let is_symlink = statat(&*above, name, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
                if is_symlink { FileFact::Symlink(path.to_owned()) } else { blocked(error) }
            })?
        };
        let stat = fstat(&opened).map_err(blocked)?;
        self.note_if_open(path, &stat);
        Ok(Rc::new(opened))
    }

    fn note_if_open(&mut self, path: &str, stat: &Stat) {
        let mode = permissions(stat);
        // Where every user has a group of their own, its number is theirs, and its members are they alone.
        let is_private_group = stat.st_gid == stat.st_uid;
        let others = if is_private_group { 0o002 } else { 0o022 };
        if mode & others != 0 && mode & STICKY == 0 {
            self.open_directories.insert(path.to_owned(), mode);
        }
    }
}

/// The permission bits with setuid, setgid and sticky.
pub(super) fn permissions(stat: &Stat) -> u32 {
    #[allow(clippy::useless_conversion, reason = "modes have 16 bits on macOS")]
    u32::from(Mode::from_raw_mode(stat.st_mode).bits())
}

/// How many names a file has.
pub(super) fn links(stat: &Stat) -> u64 {
    #[allow(clippy::unnecessary_cast, reason = "the count has 16 bits on macOS")]
    let links = stat.st_nlink as u64;
    links
}

/// The invoking user; under root also the owner of the project.
pub(super) fn owners(project: u32) -> BTreeSet<u32> {
    let user = rustix::process::geteuid();
    let mut owners = BTreeSet::from([user.as_raw()]);
    if user.is_root() {
        owners.insert(project);
    }
    owners
}

/// Modification time in nanoseconds since 1970.
pub(super) fn modified(stat: &Stat) -> i128 {
    i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec)
}

/// Where one of the links that `private_file` makes leads.
fn switched(directory: &OwnedFd, path: &str) -> Option<String> {
    let (above, name) = split(path);
    let [generation, name] = private_file::destination(directory, name.as_ref())?;
    Some(format!("{above}/{}/{}", generation.to_str()?, name.to_str()?))
}

fn split(path: &str) -> (&str, &str) {
    match path.rfind('/') {
        Some(0) => ("/", &path[1..]),
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => ("", path),
    }
}

fn blocked(error: Errno) -> FileFact {
    match error {
        Errno::NOENT => FileFact::Absent,
        Errno::NOTDIR => FileFact::NotAFile,
        _ => FileFact::Unreadable(format!("it cannot be looked at: {}", io::Error::from(error))),
    }
}
