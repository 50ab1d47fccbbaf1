//! Reads the paths out of git's index (gitformat-index(5), versions 2 to 4), without git.

/// Why an index cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

/// Bytes of an entry before its object id: times, device, inode, mode, owner and size.
const STAT: usize = 40;

/// The flag of an entry that says that 16 more flags follow (versions 3 and 4).
const EXTENDED: u16 = 0x4000;

/// Calls `visit` with every tracked path, relative to the top of the work tree.
///
/// `id_length` is 20 in a SHA-1 repository and 32 in a SHA-256 one. An index that does not list every path itself is
/// refused: one that is split over two files, and one that leaves out what is below a directory.
pub fn visit(index: &[u8], id_length: usize, mut visit: impl FnMut(&[u8])) -> Result<(), Unreadable> {
    let mut reader = Reader { bytes: index, at: 0 };
    if reader.take(4)? != b"DIRC" {
        return Err(Unreadable("it is not an index"));
    }
    let version = reader.number()?;
    if !(2..=4).contains(&version) {
        return Err(Unreadable("its version is not 2, 3 or 4"));
    }
    let mut path = Vec::new();
    for _ in 0..reader.number()? {
        reader.entry(version, id_length, &mut path)?;
        visit(&path);
    }
    reader.extensions(id_length)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let end = self.at.checked_add(length).ok_or(SHORT)?;
        let taken = self.bytes.get(self.at..end).ok_or(SHORT)?;
        self.at = end;
        Ok(taken)
    }

    /// 32 bits, big-endian.
    fn number(&mut self) -> Result<u32, Unreadable> {
        let bytes = self.take(4)?.first_chunk().ok_or(SHORT)?;
        Ok(u32::from_be_bytes(*bytes))
    }

    fn flags(&mut self) -> Result<u16, Unreadable> {
        let bytes = self.take(2)?.first_chunk().ok_or(SHORT)?;
        Ok(u16::from_be_bytes(*bytes))
    }

    /// Bytes up to a NUL, which is taken too.
    fn text(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.bytes[self.at..].iter().position(|&byte| byte == 0).ok_or(SHORT)?;
        let text = self.take(length)?;
        self.take(1)?;
        Ok(text)
    }

    /// Replaces `path`, which holds the path of the entry before, by that of the next entry.
    fn entry(&mut self, version: u32, id_length: usize, path: &mut Vec<u8>) -> Result<(), Unreadable> {
        let start = self.at;
        self.take(STAT + id_length)?;
        if self.flags()? & EXTENDED != 0 {
            self.take(2)?;
        }
        if version == 4 {
            let dropped = self.offset()?;
            path.truncate(path.len().checked_sub(dropped).ok_or(SHORT)?);
            path.extend_from_slice(self.text()?);
            return Ok(());
        }
        path.clear();
        path.extend_from_slice(self.text()?);
        // One to eight NULs make the entry a multiple of eight; `text` took the first.
        let length = self.at - start;
        self.take(length.next_multiple_of(8) - length)?;
        Ok(())
    }

    /// A length in git's offset encoding: seven bits a byte, high ones first, each further byte adds one.
    fn offset(&mut self) -> Result<usize, Unreadable> {
        let mut byte = self.take(1)?[0];
        let mut value = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.take(1)?[0];
            value = value.checked_add(1).and_then(|value| value.checked_mul(128)).ok_or(SHORT)?;
            value += usize::from(byte & 0x7f);
        }
        Ok(value)
    }

    /// Steps over the extensions. One whose name does not begin with a capital letter changes what the entries mean:
    /// `link` says that most of them are in another file, `sdir` that a directory stands for all that is below it.
    fn extensions(&mut self, id_length: usize) -> Result<(), Unreadable> {
        while self.bytes.len() - self.at > id_length {
            match self.take(4)? {
                b"link" => return Err(Unreadable("it is a split index")),
                b"sdir" => return Err(Unreadable("it is a sparse index")),
                name if !name[0].is_ascii_uppercase() => {
                    return Err(Unreadable("it has an extension that is not known"));
                }
                _ => {}
            }
            let length = usize::try_from(self.number()?).map_err(|_| SHORT)?;
            self.take(length)?;
        }
        Ok(())
    }
}

const SHORT: Unreadable = Unreadable("it is damaged");

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("git").arg("-C").arg(directory).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes files as a user would")]
    fn repository() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        git(directory.path(), &["init", "-q"]);
        for path in ["a", "a.env", "dir/one", "dir/one two", "dir/sub/ü", "zz", &"long/".repeat(60)] {
            let path = directory.path().join(path).join("file");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        git(directory.path(), &["add", "."]);
        directory
    }

    fn index(directory: &Path) -> Vec<u8> {
        std::fs::read(directory.join(".git/index")).unwrap()
    }

    fn paths(index: &[u8]) -> Result<Vec<Vec<u8>>, Unreadable> {
        let mut paths = Vec::new();
        visit(index, 20, |path| paths.push(path.to_vec()))?;
        Ok(paths)
    }

    #[test]
    fn we_see_what_git_ls_files_sees() {
        let repository = repository();
        for version in ["2", "4"] {
            git(repository.path(), &["update-index", "--index-version", version]);
            let listed = git(repository.path(), &["ls-files", "-z"]);
            let expected: Vec<&[u8]> = listed.split(|&byte| byte == 0).filter(|path| !path.is_empty()).collect();
            let index = index(repository.path());
            assert_eq!(index[7].to_string(), version);
            assert_eq!(paths(&index).unwrap(), expected);
        }
        git(repository.path(), &["update-index", "--index-version", "2"]);
        git(repository.path(), &["update-index", "--skip-worktree", "zz/file"]);
        let index = index(repository.path());
        assert_eq!(index[7], 3, "an extended flag needs version 3");
        assert_eq!(paths(&index).unwrap().len(), 7);
    }

    #[test]
    fn a_split_index_is_refused_rather_than_half_read() {
        let repository = repository();
        git(repository.path(), &["update-index", "--split-index"]);
        assert_eq!(paths(&index(repository.path())), Err(Unreadable("it is a split index")));
    }

    #[test]
    fn a_sparse_index_is_refused_rather_than_half_read() {
        let repository = repository();
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        git(repository.path(), &[&identity[..], &["commit", "-q", "-m", "x"]].concat());
        git(repository.path(), &["sparse-checkout", "set", "--cone", "--sparse-index", "a"]);
        let listed = git(repository.path(), &["ls-files", "--sparse"]);
        assert!(
            String::from_utf8(listed).unwrap().lines().any(|line| line == "dir/"),
            "git collapses what is left out"
        );
        assert_eq!(paths(&index(repository.path())), Err(Unreadable("it is a sparse index")));
    }

    #[test]
    fn an_extension_that_may_not_be_ignored_is_refused_and_others_are_stepped_over() {
        let repository = repository();
        let whole = index(repository.path());
        let (entries, checksum) = whole.split_at(whole.len() - 20);
        let with = |name: &[u8]| [entries, name, &[0, 0, 0, 1, b'x'], checksum].concat();
        assert_eq!(paths(&with(b"XTRA")).unwrap().len(), 7);
        assert_eq!(paths(&with(b"xtra")), Err(Unreadable("it has an extension that is not known")));
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let repository = repository();
        let two = index(repository.path());
        git(repository.path(), &["update-index", "--index-version", "4"]);
        let four = index(repository.path());
        proptest::proptest!(|(at in 0..two.len(), byte: u8, length in 0..two.len())| {
            for whole in [&two, &four] {
                let mut damaged = whole.clone();
                let at = at % damaged.len();
                damaged[at] = byte;
                let _ = paths(&damaged);
                let _ = paths(&whole[..length % whole.len()]);
            }
        });
    }
}
