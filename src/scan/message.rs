//! Messages of commits and tags: the one that is to be made, and those that git has.

use std::io::{self, Cursor};

use super::finding::{Finding, Within};
use super::stream::{Found, Place, Search, Worker};

/// What findings call the message of the commit that is to be made.
pub const NEXT: &str = "(the commit message)";

/// What the line has in it below which git puts a difference, as with `git commit --verbose`.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// What lines begin with of the difference that git writes below it.
const OF_DIFFERENCE: [&[u8]; 19] = [
    b" ",
    b"* Unmerged path ",
    b"+",
    b"-",
    b"@@",
    b"Binary files ",
    b"Submodule ",
    b"\\",
    b"copy ",
    b"deleted file mode ",
    b"diff ",
    b"dissimilarity index ",
    b"index ",
    b"mode ",
    b"new file mode ",
    b"new mode ",
    b"old mode ",
    b"rename ",
    b"similarity index ",
];

/// Looks through the message of the commit that is to be made, as git hands it to its `commit-msg` hook. With `is_edited`
/// git opened an editor for it.
pub fn scan(text: &[u8], is_edited: bool, search: &Search<'_>) -> io::Result<Found> {
    let mut worker = Worker::new(search);
    worker.found.looked_at.files = 1;
    let text = if is_edited { without_difference(text) } else { text };
    worker.stream(&mut Cursor::new(text), Place { file: NEXT, commit: None, within: Within::Commit })?;
    Ok(worker.found)
}

/// What git may take of a text that it had somebody edit. Lines of comments are looked at, and what stands below the scissors too:
/// whether git takes those depends on how it was called. The difference that git wrote there itself it never takes.
fn without_difference(text: &[u8]) -> &[u8] {
    let cut = memchr::memmem::find_iter(text, SCISSORS).find(|at| {
        // The sign of a comment, which can be configured.
        let sign = &text[memchr::memrchr(b'\n', &text[..*at]).map_or(0, |newline| newline + 1)..*at];
        let below = &text[at + SCISSORS.len()..];
        (1..=8).contains(&sign.len()) && below.first() == Some(&b'\n') && is_difference(&below[1..], sign)
    });
    &text[..cut.unwrap_or(text.len())]
}

/// Whether git wrote this below its scissors: what they are for, then a difference down to the end. Behind one that came along with
/// the message, git puts comments of its own.
fn is_difference(below: &[u8], sign: &[u8]) -> bool {
    let lines = || below.split(|&it| it == b'\n').filter(|line| !line.is_empty());
    let mut from_first = lines().skip_while(|line| line.starts_with(sign));
    from_first.next().is_some_and(|line| line.starts_with(b"diff ") || line.starts_with(b"Submodule "))
        && lines().all(|line| line.starts_with(sign) || OF_DIFFERENCE.iter().any(|it| line.starts_with(it)))
        && lines().next_back().is_some_and(|line| !line.starts_with(sign))
}

/// What the place begins with that is told for what stands above the message of a commit or tag.
const HEADER: &str = "(the header of";

impl Finding {
    /// Whether it is about what stands above the message of a commit: who made it.
    pub fn is_in_header(&self) -> bool {
        self.within == Within::Commit && self.file.starts_with(HEADER)
    }
}

/// Looks through a commit or a tag as git keeps it: what stands above the message, and the message with lines of its own.
pub(super) fn object(content: &[u8], worker: &mut Worker<'_>, place: Place<'_>) -> io::Result<()> {
    worker.found.looked_at.files += 1;
    let end = memchr::memmem::find(content, b"\n\n").map_or(content.len(), |at| at + 1);
    let (head, message) = content.split_at(end);
    let about = place.file.replacen("(the message of", HEADER, 1);
    worker.stream(&mut Cursor::new(head), Place { file: &about, ..place })?;
    worker.stream(&mut Cursor::new(message.get(1..).unwrap_or_default()), place)
}

/// A place as lines of `.vault-kit-ignore` name it: what may stand in a message may before its commit has a name, and
/// keeps that when the commit gets another one.
pub(super) fn known_as(file: &str) -> &str {
    if file.starts_with("(the message of commit ") && file.ends_with(')') { NEXT } else { file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_that_git_wrote_below_the_scissors_is_not_taken() {
        let line = String::from_utf8_lossy(SCISSORS);
        let difference = "diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +0,0 @@ f\n-gone\n";
        for sign in ["#", ";", "//"] {
            for rest in [difference.to_owned(), format!("{difference}{sign} Changes not staged\n{difference}")] {
                let text = format!("Begin\n{sign} a comment\n{sign}{line}\n{sign} Do not remove\n{rest}");
                let taken = format!("Begin\n{sign} a comment\n{sign}");
                assert_eq!(without_difference(text.as_bytes()), taken.as_bytes());
            }
        }
        for whole in [
            "",
            "Begin",
            "a >8 b",
            &format!("Begin{line}, as it says\nmore"),
            &format!("Begin\n#{line}\nmore"),
            &format!("Begin\n#{line}"),
            &format!("Begin\n#{line}\n# Do not remove\n{difference}\nmore"),
            &format!("Begin\n#{line}\n# Do not remove\n{difference}\n# Please enter the message\n"),
        ] {
            assert_eq!(without_difference(whole.as_bytes()), whole.as_bytes());
        }
    }
}
