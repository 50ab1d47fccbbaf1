//! Messages of commits and tags: the one that is to be made, and those that git has.

use std::io::{self, Cursor};

use super::finding::{Finding, Within};
use super::stream::{Found, Place, Search, Worker};

/// What findings call the message of the commit that is to be made.
pub const NEXT: &str = "(the commit message)";

/// What the line has in it below which git puts what it does not take, as with `git commit --verbose`.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// Looks through the message of the commit that is to be made, as git hands it to its `commit-msg` hook.
pub fn scan(text: &[u8], search: &Search<'_>) -> io::Result<Found> {
    let mut worker = Worker::new(search);
    worker.found.looked_at.files = 1;
    worker.stream(&mut Cursor::new(taken(text)), Place { file: NEXT, commit: None, within: Within::Commit })?;
    Ok(worker.found)
}

/// What git takes of it. Lines of comments are looked at: whether it takes those depends on how it was called.
fn taken(text: &[u8]) -> &[u8] {
    let cut = memchr::memmem::find_iter(text, SCISSORS).find(|at| {
        let line = &text[memchr::memrchr(b'\n', &text[..*at]).map_or(0, |newline| newline + 1)..*at];
        // The sign of a comment, which can be configured.
        (1..=8).contains(&line.len())
            && text[at + SCISSORS.len()..].first().is_none_or(|&it| it == b'\n' || it == b'\r')
    });
    &text[..cut.unwrap_or(text.len())]
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
    fn what_stands_below_the_scissors_is_not_taken() {
        let line = String::from_utf8_lossy(SCISSORS);
        for sign in ["#", ";", "//"] {
            let text = format!("Begin\n# a comment\n{sign}{line}\n-gone\n");
            assert_eq!(taken(text.as_bytes()), format!("Begin\n# a comment\n{sign}").as_bytes());
        }
        for whole in ["", "Begin", "a >8 b", &format!("Begin{line}, as it says\nmore")] {
            assert_eq!(taken(whole.as_bytes()), whole.as_bytes());
        }
    }
}
