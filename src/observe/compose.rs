//! Compose files and what they refer to, from the disk: regular files beneath the project's directory, of a bounded size, through no
//! symlink. One reader, for `init` and for `check`.

use std::cell::{RefCell, RefMut};
use std::io;
use std::path::Path;

use super::file::Tree;
use super::staged::lying;
use crate::check::deployed::Unread;
use crate::compose::{Files, NAMES, Unreadable};

/// What is said of a path that is not beneath the project.
pub(super) const OUTSIDE: &str = "lies outside of the project, where nothing is read";

/// Brings the files of a project.
#[derive(Debug)]
pub struct Disk {
    tree: RefCell<Tree>,
}

impl Disk {
    /// A reader of the manifest's directory.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self { tree: RefCell::new(Tree::open(root)?) })
    }

    /// The file that Compose would find by itself in the project's directory.
    pub fn found(&self) -> Option<String> {
        NAMES.into_iter().find(|name| !matches!(self.content(name), Ok(None))).map(str::to_owned)
    }

    /// A file beneath the project; `None` = there is none, `Err` = why it was not read, as the end of a sentence.
    pub(super) fn content(&self, path: &str) -> Result<Option<Vec<u8>>, Unread> {
        if path.is_empty() || is_outside(path) {
            return Err(Unread::elsewhere(OUTSIDE));
        }
        let content = lying(&mut self.tree(), path)?;
        Ok(content.map(|bytes| bytes.to_vec()))
    }

    /// The directory, for other looks at it.
    pub(super) fn tree(&self) -> RefMut<'_, Tree> {
        self.tree.borrow_mut()
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        self.content(path).map_err(|Unread { why, fix, .. }| Unreadable { why, fix })
    }
}

/// Whether a path leads out of the project by its letters.
pub(super) fn is_outside(path: &str) -> bool {
    path == ".." || path.starts_with("../") || path.starts_with(['/', '~'])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compose::{LARGEST, ProblemKind, Request, resolve};

    fn disk() -> (tempfile::TempDir, Disk) {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::open(directory.path()).unwrap();
        (directory, disk)
    }

    #[expect(clippy::disallowed_methods, reason = "tests make the files that are to be refused")]
    fn write(directory: &tempfile::TempDir, path: &str, bytes: &[u8]) {
        std::fs::write(directory.path().join(path), bytes).unwrap();
    }

    fn why(disk: &Disk, path: &str) -> String {
        disk.read(path).unwrap_err().why
    }

    #[test]
    fn a_project_is_read_from_the_disk() {
        let (directory, disk) = disk();
        write(&directory, "docker-compose.yml", b"services: {a: {image: $X}}");
        write(&directory, ".env", b"X=a:1");
        let files = [disk.found().unwrap()];
        let resolved =
            resolve(&Request { files: &files, variables: &BTreeMap::new(), env_files: None, directory: "p" }, &disk);
        assert_eq!(resolved.problems, []);
        assert_eq!(resolved.project.services["a"].image.as_ref().unwrap().as_str(), "a:1");
    }

    #[test]
    fn links_fifos_directories_and_giants_are_refused() {
        let (directory, disk) = disk();
        let path = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink("loop", path("loop")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
        std::os::unix::fs::symlink(".", path("here")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
        std::fs::create_dir(path("directory")).unwrap();
        write(&directory, "giant", b"");
        std::fs::File::options().write(true).open(path("giant")).unwrap().set_len(100 << 20).unwrap();
        write(&directory, "largest", &vec![b'\n'; LARGEST]);
        for name in ["loop", "link", "here/largest"] {
            assert_eq!(why(&disk, name), "is a symlink or behind one, and is not followed", "{name}");
        }
        for name in ["fifo", "directory"] {
            assert_eq!(why(&disk, name), "is not a regular file", "{name}");
        }
        assert_eq!(why(&disk, "giant"), "is larger than 1 MiB, and is not read");
        assert_eq!(disk.read("largest").unwrap().unwrap().len(), LARGEST);
        for name in ["", "..", "../x", "/etc/passwd", "~/x"] {
            assert!(why(&disk, name).starts_with("lies outside"), "{name}");
        }
        assert_eq!(disk.read("none/x"), Ok(None));
    }

    #[test]
    fn what_is_refused_is_told_where_it_is_named() {
        let (directory, disk) = disk();
        write(&directory, "compose.yaml", b"include:\n  - loop\n  - ../up.yaml\nservices: {a: {image: a}}\n");
        std::os::unix::fs::symlink("loop", directory.path().join("loop")).unwrap();
        let files = ["compose.yaml".to_owned()];
        let request = Request { files: &files, variables: &BTreeMap::new(), env_files: None, directory: "p" };
        let problems = resolve(&request, &disk).problems;
        let told: Vec<_> = problems.iter().map(|it| (it.at.line, it.kind, it.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (2, ProblemKind::NotRead, "`loop` is a symlink or behind one, and is not followed"),
                (3, ProblemKind::Elsewhere, "`../up.yaml` lies outside of the project, where nothing is read"),
            ]
        );
    }
}
