//! Directories in memory: taken, compared, and put back for the next fault.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::Project;

/// A file with its content, or a directory without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) mode: u32,
    pub(crate) content: Option<Vec<u8>>,
}

/// Everything in a project and its home, by absolute path.
pub(crate) type Tree = BTreeMap<PathBuf, Node>;

/// What is there now.
pub(crate) fn take(project: &Project) -> Tree {
    let mut tree = Tree::new();
    for directory in [project.root(), project.home()] {
        collect(directory, &mut tree);
    }
    tree
}

fn collect(directory: &Path, tree: &mut Tree) {
    for item in fs::read_dir(directory).unwrap() {
        let path = item.unwrap().path();
        let facts = fs::symlink_metadata(&path).unwrap();
        let content = facts.is_file().then(|| fs::read(&path).unwrap());
        tree.insert(path.clone(), Node { mode: facts.permissions().mode() & 0o7777, content });
        if facts.is_dir() {
            collect(&path, tree);
        }
    }
}

/// Makes it as it was.
#[expect(clippy::disallowed_methods, reason = "the test's own files")]
pub(crate) fn put_back(project: &Project, tree: &Tree) {
    for directory in [project.root(), project.home()] {
        for item in fs::read_dir(directory).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.unwrap();
        }
    }
    for (path, node) in tree {
        match &node.content {
            Some(content) => fs::write(path, content).unwrap(),
            None => fs::create_dir(path).unwrap(),
        }
        fs::set_permissions(path, fs::Permissions::from_mode(node.mode)).unwrap();
    }
}
