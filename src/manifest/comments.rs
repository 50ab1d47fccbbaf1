//! What somebody wrote into the comments of a manifest, which is committed with them.

use crate::credential::has_credential;

/// The lines, from 1, whose comments have a credential in them.
pub(super) fn with_credential(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    let typed = lines.filter(|(_, line)| comment(line).is_some_and(|it| has_credential(it.trim())));
    typed.map(|(index, _)| index + 1).collect()
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
            assert_eq!(with_credential(text), expected, "{text}");
        }
    }
}
