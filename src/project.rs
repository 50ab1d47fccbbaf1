//! Finds the manifest, and with it the directory that everything else is relative to.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::manifest;
use crate::private_file::{FileKind, Root};
use crate::shell;

/// The name that is looked for.
pub const MANIFEST: &str = "vault-kit.toml";

/// More bytes than a manifest has: some hundred thousand secrets.
pub const LARGEST: u64 = 16 << 20;

/// A project on this machine.
#[derive(Debug)]
pub struct Project {
    /// The manifest's directory, held open.
    pub root: Root,
    /// The manifest's file name in it.
    pub manifest: String,
    /// The manifest, as it is shown to people.
    pub manifest_path: PathBuf,
}

impl Project {
    /// The manifest's bytes.
    pub fn read_manifest(&self) -> Result<Vec<u8>> {
        self.root.read_at_most(&self.manifest, LARGEST)?.ok_or_else(|| not_found(&self.manifest_path))
    }
}

/// Finds the project: at the manifest that is `named`, else by walking up from `start`; `None` when there is none.
///
/// The walk ends at a directory with a `.git`, at the home directory, and where another file system begins. What it
/// finds must belong to the user, to root, or to who called sudo (`foreign-manifest`).
pub fn find(start: &Path, named: Option<&Path>, home: Option<&Path>, sudo_uid: Option<u32>) -> Result<Option<Project>> {
    if let Some(named) = named {
        return open_named(&start.join(named)).map(Some);
    }
    let start = start.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Error::usage(format!("there is no directory `{}`", start.display()))
                .hint("name one that is there with `-C`")
        }
        _ => Error::io(format!("open `{}`", start.display()), error),
    })?;
    let Some(directory) = walk_up(&start, home) else { return Ok(None) };
    let project = open(directory, MANIFEST)?;
    expect_trusted_owner(&project, directory == start, sudo_uid)?;
    Ok(Some(project))
}

/// Refuses with `another-project` to work on the store of a project that another manifest of the directory declares: both would make
/// and remove what is in it. A project that was renamed has no such manifest.
pub fn refuse_another(root: &Root, of_store: &str, ours: &str) -> Result<()> {
    if of_store == ours {
        return Ok(());
    }
    let Some(theirs) = declaring(root, of_store) else { return Ok(()) };
    let message = format!(
        "the store that is here is that of project `{of_store}`, which `{theirs}` declares, and not of `{ours}`"
    );
    let place = root.path().join(theirs);
    let place = shell::path(&place.strip_prefix(".").unwrap_or(&place).to_string_lossy());
    Err(Error::new(Kind::Conflict, "another-project", message)
        .hint("nothing was changed; move this manifest to a directory of its own, where `init` makes a store for it")
        .hint(format!("or, if `{ours}` is the new name of that project: `rm {place}`")))
}

/// The manifest of a directory that declares a project of that name.
fn declaring(root: &Root, name: &str) -> Option<String> {
    let entries = std::fs::read_dir(root.path()).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    entries.filter(|file| Path::new(file).extension().is_some_and(|it| it == "toml")).find(|file| {
        let text = root.read(file).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| manifest::project_of(&text)).is_some_and(|it| it == name)
    })
}

fn open_named(path: &Path) -> Result<Project> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| not_found(path))?;
    open(path.parent().unwrap_or(Path::new("/")), name)
}

fn open(directory: &Path, name: &str) -> Result<Project> {
    let path = directory.join(name);
    if !directory.is_dir() {
        return Err(not_found(&path));
    }
    let root = Root::open(directory)?;
    match root.facts(name)?.map(|facts| facts.kind) {
        None => Err(not_found(&path)),
        Some(FileKind::Regular) => Ok(Project { root, manifest: name.to_owned(), manifest_path: path }),
        Some(_) => {
            let message = format!("refusing to read `{}`: a manifest is a regular file, not a link", path.display());
            Err(Error::new(Kind::Permission, "manifest-not-regular", message)
                .hint("put the file itself there, or name it with `-f`"))
        }
    }
}

/// The nearest directory that has a manifest, whatever it is.
fn walk_up<'a>(start: &'a Path, home: Option<&Path>) -> Option<&'a Path> {
    let home = home.and_then(|home| home.metadata().ok());
    let mut here = start.metadata().ok()?;
    for directory in start.ancestors() {
        if directory.join(MANIFEST).symlink_metadata().is_ok() {
            return Some(directory);
        }
        let above = directory.parent()?.metadata().ok()?;
        let is_home = home.as_ref().is_some_and(|home| is_same(home, &here));
        if is_home || above.dev() != here.dev() || directory.join(".git").symlink_metadata().is_ok() {
            return None;
        }
        here = above;
    }
    None
}

/// Whether a directory is what git keeps in `.git`, or a repository without a work tree: git's own test (`gitrepository-layout`).
pub fn is_bare_repository(directory: &Path) -> bool {
    let has = |name: &str, is: fn(&Metadata) -> bool| directory.join(name).metadata().is_ok_and(|it| is(&it));
    has("HEAD", Metadata::is_file) && has("objects", Metadata::is_dir) && has("refs", Metadata::is_dir)
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// A manifest decides what is written and what a program gets, so a stranger must not leave one in our way.
///
/// Whoever stands in a directory chose it: there the directory's owner is trusted too, unless everybody may write in it.
fn expect_trusted_owner(project: &Project, is_at_start: bool, sudo_uid: Option<u32>) -> Result<()> {
    let Some(facts) = project.root.facts(&project.manifest)? else { return Err(not_found(&project.manifest_path)) };
    let is_shared = facts.directory.mode & 0o002 != 0;
    let chosen = (is_at_start && !is_shared).then_some(facts.directory.uid);
    let trusted = [Some(rustix::process::geteuid().as_raw()), Some(0), sudo_uid, chosen];
    if trusted.contains(&Some(facts.uid)) {
        return Ok(());
    }
    let path = project.manifest_path.display();
    let message = format!("refusing to use `{path}`: it belongs to another user (uid {})", facts.uid);
    Err(Error::new(Kind::Permission, "foreign-manifest", message)
        .hint(format!("read it, then name it: `vault-kit -f {} …`", shell::path(&path.to_string()))))
}

fn not_found(path: &Path) -> Error {
    Error::new(Kind::Manifest, "manifest-not-found", format!("there is no manifest `{}`", path.display()))
        .hint("make one with `vault-kit init`, or name another with `-f`")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A tree of directories with a manifest in the topmost.
    fn tree(directories: &str) -> (TempDir, PathBuf) {
        let top = TempDir::new().unwrap();
        let deep = top.path().join(directories);
        std::fs::create_dir_all(&deep).unwrap();
        manifest_in(top.path());
        (top, deep)
    }

    #[expect(clippy::disallowed_methods, reason = "a test puts its material where it wants")]
    fn manifest_in(directory: &Path) {
        std::fs::write(directory.join(MANIFEST), "[project]\nname = \"p\"\n").unwrap();
    }

    fn found(start: &Path, home: Option<&Path>) -> Option<PathBuf> {
        find(start, None, home, None).unwrap().map(|project| project.manifest_path)
    }

    #[test]
    fn the_nearest_manifest_above_is_found() {
        let (top, deep) = tree("a/b");
        assert_eq!(found(&deep, None), Some(top.path().canonicalize().unwrap().join(MANIFEST)));
        manifest_in(&top.path().join("a"));
        assert_eq!(found(&deep, None), Some(top.path().canonicalize().unwrap().join("a").join(MANIFEST)));
    }

    #[test]
    fn the_walk_ends_at_a_git_directory_which_is_itself_looked_at() {
        let (top, deep) = tree("a/b");
        std::fs::create_dir(top.path().join("a/.git")).unwrap();
        assert_eq!(found(&deep, None), None);
        manifest_in(&top.path().join("a"));
        assert!(found(&deep, None).is_some());
    }

    #[test]
    fn the_walk_ends_at_the_home_directory_even_if_a_link_names_it() {
        let (top, deep) = tree("home/b");
        let link = top.path().join("link");
        symlink(top.path().join("home"), &link).unwrap();
        assert_eq!(found(&deep, Some(&link)), None);
        assert!(found(&deep, None).is_some());
    }

    #[test]
    fn a_link_in_the_manifests_place_is_refused() {
        let (top, deep) = tree("a");
        symlink(top.path().join(MANIFEST), deep.join(MANIFEST)).unwrap();
        assert_eq!(find(&deep, None, None, None).unwrap_err().code(), "manifest-not-regular");
    }

    #[test]
    fn a_named_manifest_is_relative_to_the_start_and_must_exist() {
        let (top, deep) = tree("a");
        let project = find(top.path(), Some(Path::new(MANIFEST)), None, None).unwrap().unwrap();
        assert!(project.read_manifest().unwrap().starts_with(b"[project]"));
        for missing in ["other.toml", "nowhere/x.toml", "/"] {
            let error = find(&deep, Some(Path::new(missing)), None, None).unwrap_err();
            assert_eq!(error.code(), "manifest-not-found", "{missing}");
        }
    }
}
