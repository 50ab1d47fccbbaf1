//! The lines of a Dockerfile as its parser sees them: continued ones joined, comments passed over, here-documents set apart.

/// The logical lines with the number of their first, and the character that continues a line.
pub(super) struct Lines {
    pub(super) logical: Vec<Logical>,
    pub(super) escape: char,
}

/// An instruction.
pub(super) struct Logical {
    /// Its first line, from 1.
    pub(super) line: u32,
    pub(super) text: String,
    /// The lines of its here-documents.
    pub(super) documents: Vec<(u32, String)>,
}

pub(super) fn logical(text: &str) -> Lines {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape(text);
    let mut logical = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let mut joined = String::new();
        let mut is_continued = false;
        let mut current = Some(line);
        while let Some(line) = current.take() {
            let trimmed = line.trim_start();
            // A comment, or an empty line, within a continued instruction does not end it.
            if !(trimmed.starts_with('#') || trimmed.is_empty()) {
                let begun = line.trim_end().strip_suffix(escape).filter(|begun| !begun.ends_with(escape));
                joined.push_str(begun.unwrap_or(line));
                is_continued = begun.is_some();
            }
            if is_continued {
                current = lines.next().map(|(line, _)| line);
            }
        }
        let joined = joined.trim().to_owned();
        if joined.is_empty() {
            continue;
        }
        let mut documents = Vec::new();
        for end in here_documents(&joined) {
            for (line, number) in lines.by_ref() {
                let line = if end.strips_tabs { line.trim_start_matches('\t') } else { line };
                if line == end.word {
                    break;
                }
                documents.push((number, line.to_owned()));
            }
        }
        logical.push(Logical { line: number, text: joined, documents });
    }
    Lines { logical, escape }
}

/// `# escape=` among the parser directives, which end at the first line that is none.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some((name, value)) = line.trim().strip_prefix('#').and_then(|line| line.split_once('=')) else { break };
        if name.trim().eq_ignore_ascii_case("escape") {
            return if value.trim() == "`" { '`' } else { '\\' };
        }
        if name.trim().contains(char::is_whitespace) {
            break;
        }
    }
    '\\'
}

/// What ends a here-document.
struct End {
    word: String,
    strips_tabs: bool,
}

/// The here-documents that an instruction begins: only `RUN`, `COPY` and `ADD` can.
fn here_documents(line: &str) -> Vec<End> {
    let keyword = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !["RUN", "COPY", "ADD"].contains(&keyword.as_str()) {
        return Vec::new();
    }
    let mut ends = Vec::new();
    for word in line.split_whitespace() {
        // A file descriptor may stand before it.
        let Some(word) = word.trim_start_matches(|it: char| it.is_ascii_digit()).strip_prefix("<<") else { continue };
        let (strips_tabs, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
        let word = word.trim_matches(['"', '\'']);
        let is_name = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
        if !word.is_empty() && is_name {
            ends.push(End { word: word.to_owned(), strips_tabs });
        }
    }
    ends
}
