//! Compose files and what they refer to, from the disk: regular files beneath the project's directory, of a bounded size, through no
//! symlink.

use std::io::Read as _;

use crate::compose::{Files, LARGEST, NAMES, Unreadable};
use crate::error::Error;
use crate::private_file::Root;

/// Brings the files of a project.
#[derive(Debug)]
pub struct Disk<'a> {
    /// The manifest's directory.
    pub root: &'a Root,
}

impl Disk<'_> {
    /// The file that Compose would find by itself in the project's directory.
    pub fn found(&self) -> Option<String> {
        NAMES.into_iter().find(|name| !matches!(self.read(name), Ok(None))).map(str::to_owned)
    }
}

impl Files for Disk<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        if path.is_empty() || path.starts_with(['/', '~']) || path == ".." || path.starts_with("../") {
            return Err(unreadable("is outside the project's directory, where nothing is read"));
        }
        let Some((file, facts)) = self.root.open_file(path).map_err(|error| refused(&error))? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(usize::try_from(facts.size).map_or(0, |size| size.min(LARGEST) + 1));
        // A file can grow while it is read.
        let read = file.take(LARGEST as u64 + 1).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() > LARGEST => Err(unreadable("is larger than 1 MiB, and is not read")),
            Ok(_) => Ok(Some(bytes)),
            Err(_) => Err(unreadable("cannot be read")),
        }
    }
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(why.to_owned())
}

fn refused(error: &Error) -> Unreadable {
    unreadable(match error.code() {
        "symlink" => "is a symlink or behind one, and is not followed",
        "not-regular" => "is no regular file",
        "permission-denied" => "may not be read by this user",
        _ => "cannot be read",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compose::{ProblemKind, Request, resolve};

    fn root() -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        (directory, root)
    }

    #[expect(clippy::disallowed_methods, reason = "tests make the files that are to be refused")]
    fn write(directory: &tempfile::TempDir, path: &str, bytes: &[u8]) {
        std::fs::write(directory.path().join(path), bytes).unwrap();
    }

    fn why(root: &Root, path: &str) -> String {
        Disk { root }.read(path).unwrap_err().0
    }

    #[test]
    fn a_project_is_read_from_the_disk() {
        let (directory, root) = root();
        write(&directory, "docker-compose.yml", b"services: {a: {image: $X}}");
        write(&directory, ".env", b"X=a:1");
        let disk = Disk { root: &root };
        let files = [disk.found().unwrap()];
        let resolved =
            resolve(&Request { files: &files, variables: &BTreeMap::new(), env_files: None, directory: "p" }, &disk);
        assert_eq!(resolved.problems, []);
        assert_eq!(resolved.project.services["a"].image.as_ref().unwrap().as_str(), "a:1");
    }

    #[test]
    fn links_fifos_directories_and_giants_are_refused() {
        let (directory, root) = root();
        let path = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink("loop", path("loop")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
        std::os::unix::fs::symlink(".", path("here")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .unwrap();
        std::fs::create_dir(path("directory")).unwrap();
        write(&directory, "giant", b"");
        std::fs::File::options().write(true).open(path("giant")).unwrap().set_len(100 << 20).unwrap();
        write(&directory, "largest", &vec![b'\n'; LARGEST]);
        for name in ["loop", "link", "here/largest"] {
            assert_eq!(why(&root, name), "is a symlink or behind one, and is not followed", "{name}");
        }
        for name in ["fifo", "directory"] {
            assert_eq!(why(&root, name), "is no regular file", "{name}");
        }
        assert_eq!(why(&root, "giant"), "is larger than 1 MiB, and is not read");
        assert_eq!(Disk { root: &root }.read("largest").unwrap().unwrap().len(), LARGEST);
        for name in ["", "..", "../x", "/etc/passwd", "~/x"] {
            assert!(why(&root, name).starts_with("is outside"), "{name}");
        }
        assert_eq!(Disk { root: &root }.read("none/x"), Ok(None));
    }

    #[test]
    fn what_is_refused_is_told_where_it_is_named() {
        let (directory, root) = root();
        write(&directory, "compose.yaml", b"include:\n  - loop\n  - ../up.yaml\nservices: {a: {image: a}}\n");
        std::os::unix::fs::symlink("loop", directory.path().join("loop")).unwrap();
        let files = ["compose.yaml".to_owned()];
        let request = Request { files: &files, variables: &BTreeMap::new(), env_files: None, directory: "p" };
        let problems = resolve(&request, &Disk { root: &root }).problems;
        let told: Vec<_> = problems.iter().map(|it| (it.at.line, it.kind, it.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (2, ProblemKind::NotRead, "`loop` is a symlink or behind one, and is not followed"),
                (3, ProblemKind::Elsewhere, "`../up.yaml` is outside the project's directory, where nothing is read"),
            ]
        );
    }
}
