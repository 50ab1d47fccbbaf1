//! Files of the disk: directories walked, each file read once, by as many threads as there are cores. Follows no symlink,
//! waits for no FIFO, reads no hole of a sparse file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags, SeekFrom as HoleSeek};

use super::finding::Within;
use super::stream::{Found, Place, Search, Worker};

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A directory with everything in it.
    Directory(PathBuf),
    /// A file.
    File(PathBuf),
    /// A file that somebody named: anything else than a file is told of.
    Named(PathBuf),
}

/// How files are named and which of them are left out.
pub struct Scope<'a> {
    /// Paths are shown relative to this directory, where they are beneath it.
    pub root: &'a Path,
    /// Files that are left out when a directory is walked: what we delivered, where values belong.
    pub left_out: &'a (dyn Fn(&Path) -> bool + Sync),
    /// How many archives within each other are looked into.
    pub depth: u32,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("root", &self.root).field("depth", &self.depth).finish_non_exhaustive()
    }
}

/// What waits to be done, and how many threads may still add to it.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: Vec<Item>,
    busy: usize,
}

impl Queue {
    fn take(&self) -> Option<Item> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(item) = state.waiting.pop() {
                state.busy += 1;
                return Some(item);
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, mut more: Vec<Item>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.append(&mut more);
        state.busy -= 1;
        drop(state);
        self.changed.notify_all();
    }
}

/// Looks through files and directories.
pub fn scan(items: Vec<Item>, scope: &Scope<'_>, search: &Search<'_>) -> Found {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = Queue { state: Mutex::new(State { waiting: items, busy: 0 }), changed: Condvar::new() };
    let work = || {
        let mut worker = Worker::new(search);
        while let Some(item) = queue.take() {
            let more = worker.item(&item, scope);
            queue.done(more);
        }
        worker.found
    };
    let mut found = Found::default();
    std::thread::scope(|threads_of| {
        let others: Vec<_> = (1..threads).map(|_| threads_of.spawn(work)).collect();
        found.merge(work());
        for other in others {
            match other.join() {
                Ok(theirs) => found.merge(theirs),
                // A bug of ours ends the command as one.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    found
}

impl Worker<'_> {
    fn item(&mut self, item: &Item, scope: &Scope<'_>) -> Vec<Item> {
        let path = match item {
            Item::Directory(path) | Item::File(path) | Item::Named(path) => path,
        };
        let file = display(path, scope.root);
        let result = match item {
            Item::Directory(path) => return self.directory(path, &file, scope),
            Item::File(path) => self.open(path, OFlags::NOFOLLOW, &file, scope),
            Item::Named(path) => self.open(path, OFlags::empty(), &file, scope),
        };
        match result {
            Ok(()) => {}
            // A tracked file that is not there, or a link, has nothing that could be read.
            Err(error) if matches!(item, Item::File(_)) && is_nothing(&error) => {}
            Err(error) => self.found.not_checked(file, format!("it cannot be read: {error}")),
        }
        Vec::new()
    }

    fn directory(&mut self, path: &Path, shown: &str, scope: &Scope<'_>) -> Vec<Item> {
        let mut items = Vec::new();
        let mut read = || -> io::Result<()> {
            for entry in std::fs::read_dir(path)? {
                let (kind, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())))?;
                if kind.is_dir() && path.file_name().is_none_or(|name| name != ".git") {
                    items.push(Item::Directory(path));
                } else if kind.is_file() && !(scope.left_out)(&path) {
                    items.push(Item::File(path));
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            self.found.not_checked(shown, format!("it cannot be listed: {error}"));
        }
        items
    }

    fn open(&mut self, path: &Path, flags: OFlags, shown: &str, scope: &Scope<'_>) -> io::Result<()> {
        // NONBLOCK: nobody may stand at the other end of a FIFO.
        let flags = flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let place = Place { file: shown, commit: None, within: Within::File };
        // In blocks of 512 bytes, whatever the file system's are.
        if facts.blocks() * 512 < facts.size() / 2 {
            return self.file(&mut Sparse { file, data_end: 0 }, facts.size(), scope.depth, place);
        }
        let mut file = file;
        self.file(&mut file, facts.size(), scope.depth, place)
    }
}

/// Whether a file is not there, or is something without content.
fn is_nothing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput)
        || [Errno::LOOP, Errno::NXIO].iter().any(|it| error.raw_os_error() == Some(it.raw_os_error()))
}

/// A file with holes: of each of them the first bytes are read, and the others stepped over, so that line numbers hold and
/// byte offsets do not.
struct Sparse {
    file: File,
    /// Up to where there is no hole.
    data_end: u64,
}

/// How much of a hole is read.
const HOLE: u64 = 64 * 1024;

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.file.stream_position()?;
        if at >= self.data_end {
            match rustix::fs::seek(&self.file, HoleSeek::Data(at)) {
                Ok(data) => {
                    self.data_end = rustix::fs::seek(&self.file, HoleSeek::Hole(data))?;
                    let start = if data - at > HOLE { data - HOLE } else { at };
                    self.file.seek(SeekFrom::Start(start))?;
                }
                // Nothing but a hole is left.
                Err(rustix::io::Errno::NXIO) => return Ok(0),
                // The file system knows no holes.
                Err(_) => {
                    self.data_end = u64::MAX;
                    self.file.seek(SeekFrom::Start(at))?;
                }
            }
        }
        self.file.read(buffer)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.data_end = 0;
        self.file.seek(to)
    }
}

/// A path as findings show it.
pub fn display(path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path);
    shown(path.as_os_str().as_bytes())
}

/// Bytes of a path as text: what a terminal would not show as escapes.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => text.push_str("\\n"),
                '\\' => text.push_str("\\\\"),
                it if it.is_control() => text.extend(it.escape_unicode()),
                it => text.push(it),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}
