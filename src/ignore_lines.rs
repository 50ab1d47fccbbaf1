//! The lines by which `.gitignore` and `.dockerignore` keep secrets out. Bytes in, bytes out.

use crate::store::DIRECTORY;

/// Stands once above the first line that is added.
const HEADER: &str = "# vault-kit: secrets";

/// The line for one path, and no other: its letters stand for themselves.
///
/// A letter that no line can hold where it is, such as a blank at an end, is a class or a wildcard.
pub fn line_of(path: &str) -> String {
    let last = path.chars().count().saturating_sub(1);
    let mut line = String::with_capacity(path.len() + 4);
    for (at, letter) in path.chars().enumerate() {
        match letter {
            _ if letter.is_control() => line.push('?'),
            _ if letter.is_whitespace() && (at == 0 || at == last) => line.extend(['[', letter, ']']),
            '!' | '#' if at == 0 => line.extend(['\\', letter]),
            _ if ['*', '?', '[', ']', '\\'].contains(&letter) => line.extend(['\\', letter]),
            _ => line.push(letter),
        }
    }
    line
}

/// Where a file can be moved aside: what is beneath the project's `.vault-kit` is in no commit and no image, and open to nobody else.
pub fn aside(path: &str) -> String {
    if path.starts_with('/') {
        return format!("{path}.old");
    }
    format!("{DIRECTORY}/{}.old", path.trim_start_matches("./").replace('/', "-"))
}

/// The file with the lines that it lacks added at its end; `None` when it lacks none.
///
/// Every byte that was there stays. A line counts as present unless a later one takes it back (`!line`).
pub fn with_lines(existing: Option<&[u8]>, lines: &[&str]) -> Option<Vec<u8>> {
    let existing = existing.unwrap_or_default();
    let mut missing: Vec<&str> = Vec::new();
    for line in lines {
        if !is_in_force(existing, line) && !missing.contains(line) {
            missing.push(line);
        }
    }
    if missing.is_empty() {
        return None;
    }
    let mut file = existing.to_vec();
    if !file.is_empty() && !file.ends_with(b"\n") {
        file.push(b'\n');
    }
    let header = (last_position(existing, HEADER.as_bytes()).is_none()).then_some(HEADER);
    for line in header.into_iter().chain(missing) {
        file.extend_from_slice(line.as_bytes());
        file.push(b'\n');
    }
    Some(file)
}

fn is_in_force(file: &[u8], line: &str) -> bool {
    let taken_back = last_position(file, format!("!{line}").as_bytes());
    last_position(file, line.as_bytes()).is_some_and(|position| taken_back.is_none_or(|back| back < position))
}

/// Where a line stands for the last time; blanks at the end do not matter.
fn last_position(file: &[u8], line: &[u8]) -> Option<usize> {
    let lines: Vec<&[u8]> = file.split(|&byte| byte == b'\n').collect();
    lines.iter().rposition(|candidate| candidate.trim_ascii_end() == line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(file: Option<Vec<u8>>) -> String {
        String::from_utf8(file.unwrap()).unwrap()
    }

    #[test]
    fn a_missing_file_gets_the_header_and_the_lines() {
        assert_eq!(text(with_lines(None, &[".env", ".vault-kit/"])), "# vault-kit: secrets\n.env\n.vault-kit/\n");
    }

    #[test]
    fn a_last_line_without_newline_is_ended_first() {
        assert_eq!(text(with_lines(Some(b"target"), &[".env"])), "target\n# vault-kit: secrets\n.env\n");
    }

    #[test]
    fn the_header_is_written_once() {
        let first = with_lines(None, &[".env"]).unwrap();
        assert_eq!(text(with_lines(Some(&first), &[".env", "tls/"])), "# vault-kit: secrets\n.env\ntls/\n");
    }

    #[test]
    fn lines_that_are_there_are_left_alone_whatever_their_line_end() {
        assert_eq!(with_lines(Some(b".env\r\n.vault-kit/  \n"), &[".env", ".vault-kit/"]), None);
        assert_eq!(with_lines(None, &[]), None);
    }

    #[test]
    fn a_line_that_is_taken_back_later_is_added_again() {
        assert_eq!(text(with_lines(Some(b".env\n!.env\n"), &[".env"])), ".env\n!.env\n# vault-kit: secrets\n.env\n");
        assert_eq!(with_lines(Some(b"!.env\n.env\n"), &[".env"]), None);
    }

    proptest! {
        #[test]
        fn the_line_of_a_path_keeps_it_back_and_no_other(path in "[ !#*?a\\[\\]^\\\\.-]{1,9}", other in "[ !#*?a\\[\\]^\\\\.-]{1,9}") {
            prop_assume!(!["", ".", ".."].contains(&path.as_str()) && !["", ".", ".."].contains(&other.as_str()));
            let ignored = crate::image::Ignored::parse(&line_of(&path));
            prop_assert!(ignored.keeps_back(&path));
            prop_assert_eq!(ignored.keeps_back(&other), other == path);
        }
    }

    #[test]
    fn the_line_of_a_path_has_its_letters_stand_for_themselves() {
        for (path, line) in [
            (".env", ".env"),
            ("app/[id]/.env", r"app/\[id\]/.env"),
            ("#keys.pem", r"\#keys.pem"),
            ("!a#b!.pem", r"\!a#b!.pem"),
            (r"a*b?c\d", r"a\*b\?c\\d"),
            (" a b ", "[ ]a b[ ]"),
            ("a\nb", "a?b"),
        ] {
            assert_eq!(line_of(path), line, "{path:?}");
            assert!(crate::image::Ignored::parse(line).keeps_back(path), "{path:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_byte_stays_and_a_second_run_adds_nothing(existing in "[a-z!.#\r\n ]{0,40}") {
            let lines = [".env", ".vault-kit/", ".env"];
            let file = with_lines(Some(existing.as_bytes()), &lines).unwrap();
            prop_assert!(file.starts_with(existing.as_bytes()));
            prop_assert_eq!(with_lines(Some(&file), &lines), None);
        }
    }
}
