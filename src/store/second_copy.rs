//! The second sealed copy, in this user's state directory: what is left after `rm -rf .vault-kit` or `git clean -fdx`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DIRECTORY, LARGEST, Store};
use crate::error::{Error, Kind, Result};
use crate::name::{EnvName, VersionId};
use crate::private_file::{Root, WriteOptions};
use crate::secret::digest::sha256_hex;
use crate::shell;
use crate::work_tree::WorkTree;

/// The copy of one environment's store.
#[derive(Debug)]
pub(super) struct SecondCopy<'a> {
    project: &'a Root,
    /// This user's state directory for the project; `None` when there is no home.
    state: Option<PathBuf>,
    environment: &'a EnvName,
}

/// The first line of the second copy: what can be known of it without opening it. The sealed store follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CopyHeader {
    pub(super) store_id: VersionId,
    pub(super) generation: u64,
    pub(super) digest: String,
    /// In a linked work tree: which one. Git forgets it with the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

/// A project in a linked work tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The directory that all work trees of the repository share.
    pub repository: String,
    /// The top of the work tree.
    pub top: String,
    /// The project below that.
    pub below: String,
}

/// A second copy that is there, whole or not.
#[derive(Debug)]
pub struct Copy {
    /// The file.
    pub path: PathBuf,
    /// Whose store it is of.
    pub environment: EnvName,
    /// Where that was, if it was in a linked work tree.
    pub origin: Option<Origin>,
}

/// More than the first line of a copy ever takes, in bytes.
const LONGEST_HEADER: usize = 16 * 1024;

/// What follows the environment in the name of a copy.
const ENDING: &str = ".copy";

/// The second copies in a state directory: that of one environment, or all.
pub fn copies(state: &Path, environment: Option<&EnvName>) -> Vec<Copy> {
    let Ok(Some(root)) = Root::open_existing(state) else { return Vec::new() };
    let names =
        std::fs::read_dir(state).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut environments: Vec<EnvName> =
        names.filter_map(|name| EnvName::new(name.strip_suffix(ENDING)?).ok()).collect();
    environments.retain(|it| environment.is_none_or(|only| it == only));
    environments.sort_unstable();
    let copy = |environment: EnvName| {
        let name = format!("{environment}{ENDING}");
        let start = root.read_start(&name, LONGEST_HEADER).ok().flatten().unwrap_or_default();
        let origin = CopyHeader::split(&start).and_then(|(header, _)| header.origin);
        Copy { path: state.join(name), environment, origin }
    };
    environments.into_iter().map(copy).collect()
}

impl<'a> SecondCopy<'a> {
    pub(super) fn new(project: &'a Root, state: Option<PathBuf>, environment: &'a EnvName) -> Self {
        Self { project, state, environment }
    }

    fn root(&self) -> Result<Option<Root>> {
        self.state.as_deref().map_or(Ok(None), Root::open_existing)
    }

    /// The copy's first line; a copy that lacks a sound one is damaged, which is not the same as none.
    pub(super) fn header(&self) -> Result<Option<CopyHeader>> {
        let Some(root) = self.root()? else { return Ok(None) };
        let start = root.read_start(&self.path(), LONGEST_HEADER)?;
        start.map(|start| CopyHeader::split(&start).map(|(header, _)| header).ok_or_else(|| self.damaged())).transpose()
    }

    /// The sealed bytes of the copy.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>> {
        let Some(root) = self.root()? else { return Ok(None) };
        let Some(bytes) = root.read_at_most(&self.path(), LARGEST)? else { return Ok(None) };
        let (header, sealed) = CopyHeader::split(&bytes).ok_or_else(|| self.damaged())?;
        if sha256_hex(sealed) == header.digest { Ok(Some(sealed.to_vec())) } else { Err(self.damaged()) }
    }

    /// Refuses a copy that could not be brought back. `sealed` and its `digest` are the project's store, which the copy
    /// mostly is: comparing costs less than digesting.
    pub(super) fn expect_whole(&self, sealed: &[u8], digest: &str) -> Result<()> {
        let Some(root) = self.root()? else { return Ok(()) };
        let Some(bytes) = root.read_at_most(&self.path(), LARGEST)? else { return Ok(()) };
        let (header, copy) = CopyHeader::split(&bytes).ok_or_else(|| self.damaged())?;
        let is_the_same = header.digest == digest && copy == sealed;
        if is_the_same || sha256_hex(copy) == header.digest { Ok(()) } else { Err(self.damaged()) }
    }

    /// One file and one replacement: what is said of the copy and the copy itself cannot come apart.
    ///
    /// `digest` is the SHA-256 of the sealed bytes, in hex.
    pub(super) fn write(&self, store: &Store, sealed: &[u8], digest: &str) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let header = CopyHeader {
            store_id: store.store_id,
            generation: store.generation,
            digest: digest.to_owned(),
            origin: Origin::of(self.project.path()),
        };
        if self.header()?.is_some_and(|old| old.store_id != header.store_id) {
            self.set_aside()?;
        }
        let mut bytes =
            serde_json::to_vec(&header).map_err(|_| Error::bug("the copy's header cannot be written as JSON"))?;
        bytes.push(b'\n');
        bytes.extend_from_slice(sealed);
        Root::create(state, 0o700)?.write(&self.path(), &bytes, &WriteOptions::default())?;
        Ok(())
    }

    /// Finds what [`SecondCopy::write`] would be refused for.
    pub(super) fn preflight(&self) -> Result<()> {
        let preflight = |state: &PathBuf| Root::preflight_in(state, &self.path(), &WriteOptions::default());
        self.state.as_ref().map_or(Ok(()), preflight)
    }

    /// Whether there is a place for one.
    pub(super) fn is_wanted(&self) -> bool {
        self.state.is_some()
    }

    /// Keeps the copy under another name, a damaged one as it is; tells where.
    pub(super) fn set_aside(&self) -> Result<Option<PathBuf>> {
        let Some(root) = self.root()? else { return Ok(None) };
        let (copy, ending) = match self.read() {
            Err(error) if error.code() == "copy-damaged" => (root.read_at_most(&self.path(), LARGEST)?, "damaged"),
            copy => (copy?, "age"),
        };
        let Some(copy) = copy else { return Ok(None) };
        let aside = format!("{}.replaced-{}.{ending}", self.environment, &sha256_hex(&copy)[..8]);
        root.write(&aside, &copy, &WriteOptions::default())?;
        Ok(Some(root.path().join(aside)))
    }

    fn path(&self) -> String {
        format!("{}{ENDING}", self.environment)
    }

    /// Where the copy is, for a person.
    pub(super) fn place(&self) -> String {
        self.state.as_ref().map_or_else(String::new, |state| state.join(self.path()).display().to_string())
    }

    fn damaged(&self) -> Error {
        let place = self.place();
        Error::new(Kind::Store, "copy-damaged", format!("the second copy of the store, `{place}`, is damaged")).hint(
            format!(
                "if `{DIRECTORY}/{}.age` is whole, make the copy anew: `rm {}`, then `vault-kit store recover`",
                self.environment,
                shell::path(&place)
            ),
        )
    }
}

impl Origin {
    /// `None` where a directory is in no linked work tree.
    fn of(project: &Path) -> Option<Self> {
        let project = project.canonicalize().ok()?;
        let (top, tree) = WorkTree::around(&project)?;
        let tree = tree.ok().filter(WorkTree::is_linked)?;
        let text = |path: &Path| path.to_str().map(str::to_owned);
        Some(Self {
            repository: text(&tree.common.canonicalize().ok()?)?,
            top: text(top)?,
            below: text(project.strip_prefix(top).ok()?)?,
        })
    }
}

impl CopyHeader {
    pub(super) fn is_newer_than(&self, store: &Store) -> bool {
        self.store_id == store.store_id && self.generation > store.generation
    }

    /// A copy's first line, and what follows it.
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        Some((serde_json::from_slice(&bytes[..end]).ok()?, &bytes[end + 1..]))
    }
}
