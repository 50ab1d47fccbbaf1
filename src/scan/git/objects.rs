//! The formats of git's answers: raw differences (git-diff-tree(1)) and batches of objects (git-cat-file(1)).

use std::io::{self, BufRead as _, BufReader, Cursor, Read as _};

use super::Blob;
use crate::scan::archive;
use crate::scan::files::shown;
use crate::scan::finding::Within;
use crate::scan::message;
use crate::scan::stream::{Found, Place, Worker, fill};

/// A larger blob is not looked into, if it is an archive.
const HELD: u64 = 32 << 20;

/// Why it is not.
const LARGE: &str = "it is an archive of more than 32 MiB in git, and was not looked into: unpack it first";

/// A path whose content changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change<'a> {
    pub(super) mode: &'a [u8],
    pub(super) id: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) commit: Option<&'a [u8]>,
}

/// Calls `visit` with each change of a raw difference with `-z`; ids of commits stand before theirs.
pub(super) fn changes<'a>(raw: &'a [u8], mut visit: impl FnMut(Change<'a>)) {
    let mut fields = raw.split(|&it| it == 0);
    let mut commit = None;
    while let Some(field) = fields.next() {
        let parents = field.iter().take_while(|&&it| it == b':').count();
        if parents == 0 {
            commit = Some(field).filter(|it| !it.is_empty()).or(commit);
            continue;
        }
        let Some(path) = fields.next() else { return };
        // The modes of all sides, their ids, and a letter for each parent: ours is the last of each.
        let words: Vec<&[u8]> = field[parents..].split(|&it| it == b' ').collect();
        if let (Some(mode), Some(id)) = (words.get(parents), words.get(2 * parents + 1)) {
            visit(Change { mode, id, path, commit });
        }
    }
}

/// Adds the content of a change to what is looked at.
pub(super) fn add(change: &Change<'_>, prefix: &[u8], blobs: &mut Vec<Blob>, found: &mut Found) {
    let file = match change.path.strip_prefix(prefix) {
        Some(below) => shown(below),
        None => format!("{}{}", "../".repeat(memchr::memchr_iter(b'/', prefix).count()), shown(change.path)),
    };
    // What is gone has no content, and neither has what `git add --intent-to-add` noted.
    if change.id.iter().all(|&it| it == b'0') {
        return;
    }
    if change.mode == b"160000" {
        found.not_checked(file, "it is a submodule: run `scan` in it");
        return;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    blobs.push(Blob { id: text(change.id), file, commit: change.commit.map(text), within: Within::File });
}

/// Looks through the objects of a batch, which come in the order of `blobs`.
pub(super) fn read(stdout: impl io::Read, blobs: &[Blob], worker: &mut Worker<'_>) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(128 * 1024, stdout);
    let (mut header, mut content) = (Vec::new(), Vec::new());
    for blob in blobs {
        header.clear();
        reader.read_until(b'\n', &mut header)?;
        let place = Place { file: &blob.file, commit: blob.commit.as_deref(), within: blob.within };
        let mut words = header.trim_ascii_end().rsplit(|&it| it == b' ');
        let size = words.next().and_then(|it| std::str::from_utf8(it).ok()?.parse::<u64>().ok());
        let has_message = words.next().is_some_and(|kind| kind == b"commit" || kind == b"tag");
        let Some(size) = size else {
            if header.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            worker
                .found
                .not_checked(place.file, "git does not have its content here: the clone is partial, or damaged");
            continue;
        };
        let mut object = reader.by_ref().take(size);
        if size <= HELD {
            content.clear();
            object.read_to_end(&mut content)?;
            if has_message {
                message::object(&content, worker, place)?;
            } else {
                worker.file(&mut Cursor::new(&content), size, 1, place)?;
            }
        } else {
            worker.found.looked_at.files += 1;
            worker.name(place);
            let mut start = [0; archive::START];
            let (read, _) = fill(&mut object, &mut start)?;
            let mut content = start[..read].chain(&mut object);
            if archive::is_archive(&start[..read]) {
                worker.found.not_checked(place.file, LARGE);
                worker.unpacked(&mut content, place)?;
            } else {
                worker.stream(&mut content, place)?;
            }
            io::copy(&mut object, &mut io::sink())?;
        }
        reader.read_exact(&mut [0])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_of_the_commit_is_read_whatever_the_number_of_its_parents() {
        let raw = b"c1\0:000000 100644 000 aaa A\0a b\0::100644 100755 100644 o1 o2 bbb MM\0dir/\xff\n\0c2\0:100644 000000 ccc 000 D\0gone\0";
        let mut seen = Vec::new();
        changes(raw, |change| seen.push(change));
        let of = |mode: &'static [u8], id: &'static [u8], path: &'static [u8], commit: &'static [u8]| Change {
            mode,
            id,
            path,
            commit: Some(commit),
        };
        assert_eq!(
            seen,
            [
                of(b"100644", b"aaa", b"a b", b"c1"),
                of(b"100644", b"bbb", b"dir/\xff\n", b"c1"),
                of(b"000000", b"000", b"gone", b"c2"),
            ]
        );
    }
}
