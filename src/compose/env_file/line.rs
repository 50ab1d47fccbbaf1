//! The lines of an env file, as Compose's reader finds their ends.

use super::Bad;

pub(super) struct Cursor<'a> {
    rest: &'a str,
    /// From 1.
    pub line: u32,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    fn bad<T>(&self, why: &'static str) -> Result<T, Bad> {
        Err(Bad { line: self.line, why, too_much: false })
    }

    fn skip(&mut self, bytes: usize) {
        let skipped = &self.rest[..bytes];
        let breaks = memchr::memchr_iter(b'\n', skipped.as_bytes()).count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.rest = &self.rest[bytes..];
    }

    /// Goes to the next assignment, if there is one.
    pub(super) fn next_statement(&mut self) -> bool {
        loop {
            self.skip(self.rest.len() - self.rest.trim_start().len());
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    /// The name, and whether a value follows.
    pub(super) fn name(&mut self) -> Result<(String, bool), Bad> {
        if let Some(behind) = self.rest.strip_prefix("export").filter(|it| it.starts_with(char::is_whitespace)) {
            self.skip(self.rest.len() - behind.trim_start_matches(is_blank).len());
        }
        let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.' | '-' | '[' | ']') || is_blank(it);
        let end = self.rest.find(|it: char| !is_part(it));
        let (length, separator) = match end.map(|at| (at, self.rest.as_bytes()[at])) {
            Some((at, separator @ (b'=' | b':' | b'\n'))) => (at, separator),
            Some(_) => return self.bad("a name has a character that Compose does not take"),
            // A name alone that ends the file without a line break is the value of nothing to Compose.
            None => return Ok((String::new(), true)),
        };
        let name = self.rest[..length].trim_end().to_owned();
        if name.contains(' ') {
            return self.bad("a name has a blank");
        }
        self.skip(length + 1);
        self.skip(self.rest.len() - self.rest.trim_start_matches(is_blank).len());
        Ok((name, separator != b'\n'))
    }

    /// The value without its quotes, and whether variables are put into it.
    pub(super) fn value(&mut self) -> Result<(String, bool), Bad> {
        let Some(quote @ (b'"' | b'\'')) = self.rest.bytes().next() else {
            let line = &self.rest[..self.rest.find('\n').unwrap_or(self.rest.len())];
            let value = line.split_once(" #").map_or(line, |(value, _)| value).trim_end().to_owned();
            self.skip(line.len() + usize::from(line.len() < self.rest.len()));
            return Ok((value, true));
        };
        let Some((value, length)) = quoted(self.rest.as_bytes(), quote) else {
            return self.bad("the quote is never closed");
        };
        // What was UTF-8 stays so: only ASCII is taken out.
        let value = String::from_utf8(value).or_else(|_| self.bad("the file is not UTF-8"))?;
        self.skip(length);
        Ok(if quote == b'"' { (unescaped(&value), true) } else { (value, false) })
    }
}

/// Line breaks are no blanks.
fn is_blank(it: char) -> bool {
    matches!(it, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// What stands between the quotes, and how long it is with them. A backslash keeps the quote from ending it and goes; elsewhere it
/// stays.
fn quoted(text: &[u8], quote: u8) -> Option<(Vec<u8>, usize)> {
    let mut value = Vec::with_capacity(memchr::memchr(quote, &text[1..])?);
    let mut is_escaped = false;
    for (index, &byte) in text.iter().enumerate().skip(1) {
        match (byte, is_escaped) {
            (b'\\', false) => is_escaped = true,
            (byte, false) if byte == quote => return Some((value, index + 1)),
            (byte, _) => {
                if is_escaped && byte != quote {
                    value.push(b'\\');
                }
                value.push(byte);
                is_escaped = false;
            }
        }
    }
    None
}

/// The escapes within double quotes; `\$` becomes `$$`, which is a dollar when variables are put in.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (made, taken) = escape(behind);
        match made {
            Some(made) => out.push_str(&made),
            None => out.push_str(&rest[at..=at + taken]),
        }
        rest = &behind[taken..];
    }
    out.push_str(rest);
    out
}

/// What an escape stands for, if it is one, and how much of the text behind the backslash it takes.
fn escape(behind: &str) -> (Option<String>, usize) {
    let Some(first) = behind.chars().next() else { return (None, 0) };
    let made = match first {
        'a' => "\u{7}",
        'b' => "\u{8}",
        'f' => "\u{c}",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\u{b}",
        '$' => "$$",
        '"' => "\"",
        '\\' => "\\",
        '0' => return octal(behind),
        // `\c` is left as it is by Go, which does not know it.
        _ => return (None, first.len_utf8()),
    };
    (Some(made.to_owned()), 1)
}

/// `\0` and three digits are a byte; fewer lose the zero.
fn octal(behind: &str) -> (Option<String>, usize) {
    let digits = behind[1..].bytes().take(3).take_while(u8::is_ascii_digit).count();
    let digits = &behind[1..=digits];
    let byte = u8::from_str_radix(digits, 8).ok().filter(|_| digits.len() == 3);
    (Some(byte.map_or_else(|| format!("\\{digits}"), |byte| char::from(byte).to_string())), 1 + digits.len())
}
