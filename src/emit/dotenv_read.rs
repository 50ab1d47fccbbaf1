//! Existing `.env` files → names and values, tolerant of every dialect that we write and of most that others do.
//!
//! Nothing is expanded and nothing is executed: `$VAR` and `$(…)` stay text. Errors tell the line and the name, never the text.

use std::collections::BTreeMap;
use std::ops::Range;

use super::dotenv_lines::without_replaced;
use crate::error::{Error, Kind, Result};
use crate::manifest::model::Dialect;
use crate::secret::Secret;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One assignment of a file.
#[derive(Debug)]
pub struct Entry {
    /// The name as it stands there.
    pub name: String,
    /// The value with its quotes taken off.
    pub value: Secret,
    /// Whether Compose puts something else in its place: there is a `$` outside single quotes that a name, a brace or another one
    /// follows.
    pub expands: bool,
    /// Line, from 1.
    pub line: usize,
    /// The bytes of the whole assignment, up to and with its line break.
    pub span: Range<usize>,
}

impl Entry {
    /// Whether all who read the file read this value.
    pub fn says(&self, value: &Secret) -> bool {
        !self.expands && self.value == *value
    }
}

/// Reads a `.env` file with quotes, comments and `export`. A name that is assigned twice is an error.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    without_duplicates(scan(bytes, 0..bytes.len())?, "dotenv-invalid")
}

/// As [`read`], of a file that an output of this dialect writes: for `docker run --env-file` everything after `=` is the value,
/// quotes and all. What a person wrote beside our block goes before what we wrote in it under the same name.
pub fn read_as(dialect: Dialect, bytes: &[u8]) -> Result<Vec<Entry>> {
    let entries = scan_as(dialect)(bytes, 0..bytes.len())?;
    without_duplicates(without_replaced(bytes, entries), "dotenv-invalid")
}

/// How a dialect's assignments are found in a stretch of a file that begins at a line, duplicates and all.
pub(super) fn scan_as(dialect: Dialect) -> fn(&[u8], Range<usize>) -> Result<Vec<Entry>> {
    match dialect {
        Dialect::DockerRun => scan_raw,
        Dialect::Systemd => scan_literal,
        Dialect::Compose | Dialect::Portable | Dialect::Shell => scan,
    }
}

/// As [`scan`], for a reader that puts nothing into values.
fn scan_literal(file: &[u8], stretch: Range<usize>) -> Result<Vec<Entry>> {
    let entries = scan(file, stretch)?.into_iter();
    Ok(entries.map(|entry| Entry { expands: false, ..entry }).collect())
}

fn scan(file: &[u8], stretch: Range<usize>) -> Result<Vec<Entry>> {
    let mut reader = Reader::new(file, stretch);
    let mut entries = Vec::new();
    while let Some(start) = reader.next_line() {
        entries.extend(reader.assignment(start)?);
    }
    Ok(entries)
}

fn scan_raw(file: &[u8], stretch: Range<usize>) -> Result<Vec<Entry>> {
    let mut reader = Reader::new(file, stretch);
    let mut entries = Vec::new();
    while let Some(start) = reader.next_line() {
        let line = reader.line;
        let name = reader.name()?;
        let assigned = reader.take(b'=');
        let value = reader.rest_of_line();
        if assigned {
            let value = Secret::copy_of(value.strip_suffix(b"\r").unwrap_or(value));
            entries.push(Entry { name, value, expands: false, line, span: start..reader.at });
        } else if !value.trim_ascii().is_empty() {
            return Err(invalid(line, None, "`=` is missing"));
        }
    }
    Ok(entries)
}

/// A place in a file.
struct Reader<'a> {
    file: &'a [u8],
    at: usize,
    end: usize,
    line: usize,
    /// Of the value that is being read.
    expands: bool,
}

impl<'a> Reader<'a> {
    fn new(file: &'a [u8], stretch: Range<usize>) -> Self {
        let line = 1 + line_breaks(&file[..stretch.start]);
        let bom = if stretch.start == 0 && file[stretch.clone()].starts_with(BOM) { BOM.len() } else { 0 };
        Self { file, at: stretch.start + bom, end: stretch.end, line, expands: false }
    }

    fn peek(&self) -> Option<u8> {
        (self.at < self.end).then(|| self.file[self.at])
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Goes to the first byte that is not blank of the next line that is neither empty nor a comment; tells where that line begins.
    fn next_line(&mut self) -> Option<usize> {
        loop {
            let start = self.at;
            self.skip_blanks();
            match self.peek()? {
                b'\n' => drop(self.next()),
                b'\r' if self.is_line_end() => drop(self.rest_of_line()),
                b'#' => drop(self.rest_of_line()),
                _ => return Some(start),
            }
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Whether only a line break follows, or nothing.
    fn is_line_end(&self) -> bool {
        matches!(&self.file[self.at..self.end], [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..])
    }

    /// The rest of the line without its `\n`; goes past it.
    fn rest_of_line(&mut self) -> &'a [u8] {
        let rest = &self.file[self.at..self.end];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.at += length;
        self.take(b'\n');
        &rest[..length]
    }

    /// `[export] NAME[=value] [# comment]`; a name alone assigns nothing.
    fn assignment(&mut self, start: usize) -> Result<Option<Entry>> {
        let line = self.line;
        let mut name = self.name()?;
        if name == "export" && matches!(self.peek(), Some(b' ' | b'\t')) {
            self.skip_blanks();
            name = self.name()?;
        }
        self.skip_blanks();
        if !self.take(b'=') {
            return self.only_a_comment_follows(line, None, "`=` is missing").map(|()| None);
        }
        self.skip_blanks();
        let value = match self.peek() {
            Some(b'\'' | b'"') => self.quoted(line, &name)?,
            _ => self.unquoted(),
        };
        let expands = std::mem::take(&mut self.expands);
        Ok(Some(Entry { name, value, expands, line, span: start..self.at }))
    }

    fn name(&mut self) -> Result<String> {
        let rest = &self.file[self.at..self.end];
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let length = rest.iter().position(|byte| !in_name(byte)).unwrap_or(rest.len());
        let name = &rest[..length];
        if !name.first().is_some_and(|&byte| byte.is_ascii_alphabetic() || byte == b'_') {
            return Err(invalid(self.line, None, "a name must stand at the beginning of the line"));
        }
        self.at += length;
        Ok(name.iter().map(|&byte| char::from(byte)).collect())
    }

    /// Up to the end of the line or a `#` after a blank, without blanks around it.
    fn unquoted(&mut self) -> Secret {
        let text = self.rest_of_line();
        let is_comment = |at: &usize| text[*at] == b'#' && (*at == 0 || matches!(text[at - 1], b' ' | b'\t'));
        let length = (0..text.len()).find(is_comment).unwrap_or(text.len());
        let value = text[..length].trim_ascii();
        self.expands = (0..value.len()).any(|at| is_expanded(&value[at..]));
        Secret::copy_of(value)
    }

    /// One or more quoted pieces, joined as a shell does (`'it'\''s'`).
    fn quoted(&mut self, line: usize, name: &str) -> Result<Secret> {
        let mut value = Vec::with_capacity(self.quoted_bound());
        loop {
            match self.peek() {
                Some(quote @ (b'\'' | b'"')) => {
                    self.next();
                    self.piece(quote, &mut value)
                        .ok_or_else(|| invalid(line, Some(name), "the quote is never closed"))?;
                }
                Some(b'\\') if self.file[self.at..self.end].starts_with(br"\'") => {
                    self.at += 2;
                    value.push(b'\'');
                }
                _ => break,
            }
        }
        let value = Secret::new(value);
        self.only_a_comment_follows(line, Some(name), "text follows the closing quote")?;
        Ok(value)
    }

    /// No value is longer than what is left; most are no longer than their line.
    fn quoted_bound(&self) -> usize {
        let rest = &self.file[self.at..self.end];
        rest.windows(2).position(|pair| matches!(pair, b"'\n" | b"\"\n")).unwrap_or(rest.len())
    }

    fn piece(&mut self, quote: u8, value: &mut Vec<u8>) -> Option<()> {
        loop {
            match self.next()? {
                byte if byte == quote => return Some(()),
                b'\\' if quote == b'"' => self.escape(value)?,
                byte => {
                    self.expands |= quote == b'"' && is_expanded(&self.file[self.at - 1..self.end]);
                    value.push(byte);
                }
            }
        }
    }

    /// Unknown escapes stay as they stand, as nearly every reader keeps them.
    fn escape(&mut self, value: &mut Vec<u8>) -> Option<()> {
        match self.next()? {
            b'n' => value.push(b'\n'),
            b'r' => value.push(b'\r'),
            b't' => value.push(b'\t'),
            byte @ (b'"' | b'\\' | b'$' | b'`') => value.push(byte),
            byte => value.extend_from_slice(&[b'\\', byte]),
        }
        Some(())
    }

    /// Ends the line, if it holds nothing more than blanks and a comment.
    fn only_a_comment_follows(&mut self, line: usize, name: Option<&str>, otherwise: &'static str) -> Result<()> {
        let rest = self.rest_of_line();
        let is_comment = matches!(rest, [b' ' | b'\t', ..]) && rest.trim_ascii_start().first() == Some(&b'#');
        if is_comment || rest.trim_ascii().is_empty() { Ok(()) } else { Err(invalid(line, name, otherwise)) }
    }
}

/// Whether a text begins with what Compose puts something else in the place of.
fn is_expanded(text: &[u8]) -> bool {
    matches!(text, [b'$', b'$' | b'{' | b'_' | b'a'..=b'z' | b'A'..=b'Z', ..])
}

/// The entries, if no name stands twice among them; `code` is the error's.
pub(super) fn without_duplicates(entries: Vec<Entry>, code: &'static str) -> Result<Vec<Entry>> {
    let mut lines = BTreeMap::new();
    for entry in &entries {
        if let Some(first) = lines.insert(entry.name.as_str(), entry.line) {
            let message = format!("`{}` is assigned twice, on lines {first} and {}", entry.name, entry.line);
            return Err(Error::new(Kind::Usage, code, message).hint("keep the one that is in use"));
        }
    }
    Ok(entries)
}

/// How many lines end in a text.
#[expect(clippy::naive_bytecount, reason = "counted once or twice a file: not worth a dependency")]
pub(super) fn line_breaks(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'\n').count()
}

/// The name is told only if it looks like a variable: the rest of a broken value may stand where a name is due.
fn invalid(line: usize, name: Option<&str>, what: &str) -> Error {
    let name =
        name.filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'));
    let at = name.map_or_else(|| format!("line {line}"), |name| format!("line {line} (`{name}`)"));
    Error::new(Kind::Usage, "dotenv-invalid", format!("{at}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, String)> {
        let text_of = |entry: Entry| (entry.name, entry.value.expose_text().unwrap().to_owned());
        read(text.as_bytes()).unwrap().into_iter().map(text_of).collect()
    }

    fn value(text: &str) -> String {
        entries(text).remove(0).1
    }

    fn problem(text: &str) -> String {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Usage, "dotenv-invalid"));
        error.to_string()
    }

    #[test]
    fn an_unquoted_value_ends_at_a_comment_and_keeps_inner_hashes() {
        assert_eq!(value("A=abc # note"), "abc");
        assert_eq!(value("A=abc#d"), "abc#d");
        assert_eq!(value("A=#x"), "");
        assert_eq!(value("A =  a b\t \r\n"), "a b");
        assert_eq!(value("A="), "");
    }

    #[test]
    fn quotes_come_off_and_only_double_quotes_know_escapes() {
        assert_eq!(value(r"A='a\n\' # note"), r"a\n\");
        assert_eq!(value(r#"A="\n\t\r\"\\\$\`\x""#), "\n\t\r\"\\$`\\x");
        assert_eq!(value("A='it'\\''s'"), "it's");
        assert_eq!(value("A=\"a\nb=c\n\"\nB=1"), "a\nb=c\n");
    }

    #[test]
    fn nothing_is_expanded() {
        assert_eq!(value("A=\"$HOME $(id) ${X:-y}\""), "$HOME $(id) ${X:-y}");
        assert_eq!(value("A=$(id)"), "$(id)");
    }

    #[test]
    fn what_compose_puts_something_into_is_told() {
        for (text, expected) in [
            (r#""pa$$w0rd""#, true),
            ("Xyq7${DB}-k9", true),
            ("tok-$UNSET_zz-99", true),
            (r#"'it'"$X""#, true),
            (r#""\\$_x""#, true),
            (r"\$X", true),
            (r#""pa\$w0rd\${X}""#, false),
            (r"'pa$$w0rd ${DB} $X'", false),
            ("a$1b$-c$ $(id) d$", false),
            (r#""$""#, false),
            ("plain # $X", false),
        ] {
            for text in [format!("A={text}"), format!("A={text}\nB='$X'\n")] {
                assert_eq!(read(text.as_bytes()).unwrap()[0].expands, expected, "{text}");
                assert!(read(text.as_bytes()).unwrap()[1..].iter().all(|it| !it.expands), "{text}");
                for dialect in [Dialect::DockerRun, Dialect::Systemd] {
                    let entries = read_as(dialect, text.as_bytes()).into_iter().flatten();
                    assert!(entries.into_iter().all(|it| !it.expands), "{text}");
                }
            }
        }
    }

    #[test]
    fn comments_export_byte_order_mark_and_windows_lines_are_understood() {
        let text = "\u{feff}# note\r\n\r\nexport A='1'\r\n  B=2\r\nC\r\n";
        assert_eq!(entries(text), [("A".into(), "1".into()), ("B".into(), "2".into())]);
    }

    #[test]
    fn an_entry_knows_its_line_and_the_bytes_it_takes() {
        let text = "# x\nA=\"1\n2\"\n\nB=3";
        let entries = read(text.as_bytes()).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(&text[entries[0].span.clone()], "A=\"1\n2\"\n");
        assert_eq!(&text[entries[1].span.clone()], "B=3");
    }

    #[test]
    fn errors_tell_line_and_name_and_never_the_text() {
        assert_eq!(problem("X=1\nA='hunter2"), "line 2 (`A`): the quote is never closed");
        assert_eq!(problem("A=\"hunter2\"x"), "line 1 (`A`): text follows the closing quote");
        assert_eq!(problem("\nhunter2 x"), "line 2: `=` is missing");
        assert_eq!(problem("+hunter2=1"), "line 1: a name must stand at the beginning of the line");
        assert_eq!(problem("hunter2='x"), "line 1: the quote is never closed");
    }

    #[test]
    fn what_stands_beside_the_block_goes_before_what_is_in_it() {
        let block = "# >>> vault-kit: managed, do not edit inside >>>\nA=1\nB=2\n# <<< vault-kit <<<\n";
        for file in [format!("A=3\nC=4\n{block}"), format!("{block}C=4\nA=3\n")] {
            let entries = read_as(Dialect::Compose, file.as_bytes()).unwrap();
            let mut told: Vec<_> = entries.iter().map(|it| (it.name.as_str(), it.value.expose())).collect();
            told.sort_unstable();
            assert_eq!(told, [("A", &b"3"[..]), ("B", b"2"), ("C", b"4")], "{file}");
        }
        assert!(read_as(Dialect::Compose, format!("{block}A=3\nA=4\n").as_bytes()).is_err());
    }

    #[test]
    fn a_name_that_is_assigned_twice_is_told_with_both_lines() {
        assert_eq!(problem("A=1\nB=2\nA=3"), "`A` is assigned twice, on lines 1 and 3");
    }

    #[test]
    fn raw_lines_keep_quotes_blanks_and_hashes() {
        let entries = read_as(Dialect::DockerRun, b"# note\nA= 'x' # y \nB\nC=\r\n").unwrap();
        let values: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.value.expose())).collect();
        assert_eq!(values, [("A", &b" 'x' # y "[..]), ("C", b"")]);
        assert_eq!(read_as(Dialect::DockerRun, b"A B=1").unwrap_err().to_string(), "line 1: `=` is missing");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_panic_and_without_their_text(
            bytes in proptest::collection::vec(proptest::sample::select(&b"A=b'\"\\ \t\n\r#$`\xff\xef\xbb\xbf\0"[..]), 0..60),
        ) {
            for entry in read(&bytes).into_iter().chain(read_as(Dialect::DockerRun, &bytes)).flatten() {
                proptest::prop_assert!(entry.span.end <= bytes.len() && entry.value.len() <= entry.span.len());
            }
        }
    }
}
