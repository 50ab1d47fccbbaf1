//! What somebody wrote into the comments of a manifest, which is committed with them.

use std::fmt;

use crate::credential::has_credential;

/// The comments by their lines, from 1. They are judged when somebody asks: every command reads a manifest, and `check` alone wants to
/// know.
#[derive(Default)]
pub struct Comments(Vec<(usize, String)>);

impl Comments {
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().zip(1..).filter(|(line, _)| line.contains('#'));
        Self(lines.filter_map(|(line, number)| Some((number, comment(line)?.trim().to_owned()))).collect())
    }

    /// The lines whose comments have a credential in them.
    pub fn with_credential(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter(|(_, text)| has_credential(text)).map(|(line, _)| *line)
    }
}

/// Nobody prints what may be a credential.
impl fmt::Debug for Comments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Comments({})", self.0.len())
    }
}

/// What stands behind the `#` of a line that is in no quotes. In a text of several lines a `#` is no comment, and is read all the same:
/// it is committed too.
fn comment(line: &str) -> Option<&str> {
    let (mut quote, mut is_escaped) = (None, false);
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (None, '#') => return Some(&line[at + 1..]),
            (None, '"' | '\'') => quote = Some(letter),
            (Some('"'), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_comments_are_known_by_their_lines() {
        for (text, expected) in [
            ("# was password=hunter2", &[1][..]),
            ("a = 1\n  # postgres://app:hunter2@db/app\n", &[2]),
            ("a = 'x' # password=hunter2", &[1]),
            (r##"a = "\"#" # password=hunter2"##, &[1]),
            ("a = 'c:\\' # password=hunter2", &[1]),
            ("# DB_PASSWORD = see the wiki\n# postgres://app:${PW}@db/app\n# ask for the password", &[]),
            ("a = '# password=hunter2'", &[]),
            ("a = \"it's # password=hunter2\"", &[]),
        ] {
            assert_eq!(Comments::of(text).with_credential().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
