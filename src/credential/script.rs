//! A script of a shell as the commands that it is made of, as far as that tells what is handed to whom. Nothing is put in: what a
//! variable or another command brings keeps its `$`.

/// Scripts within scripts within scripts.
const DEEPEST: usize = 3;

/// A command and its arguments.
#[derive(Default)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// Whether it reads what the command before it writes.
    pub(super) is_fed: bool,
    /// What it reads, where that stands behind `<<<`.
    pub(super) input: Vec<Word>,
}

/// A word of a command line, without the quotes in it.
#[derive(Clone)]
pub(super) struct Word {
    pub(super) text: String,
    /// The argument that it stands in.
    pub(super) argument: usize,
    /// As [`super::Argument`] has it.
    pub(super) is_whole: bool,
}

/// The commands of a script, and those of the scripts in its words. All words get the place of `of`.
pub(super) fn commands(text: &str, of: &Word) -> Vec<Command> {
    let mut all = Vec::new();
    read(text, of, 0, &mut all);
    all
}

fn read(text: &str, of: &Word, depth: usize, all: &mut Vec<Command>) {
    let mut reader =
        Reader { of, rest: text, word: None, to: To::Words, commands: vec![Command::default()], inner: vec![] };
    reader.read();
    let Reader { mut commands, mut inner, .. } = reader;
    let words = commands.iter().flat_map(|it| &it.words);
    inner.extend(words.map(|it| it.text.clone()).filter(|it| it.contains(char::is_whitespace)));
    all.append(&mut commands);
    if depth < DEEPEST {
        for text in inner {
            read(&text, of, depth + 1, all);
        }
    }
}

/// What becomes of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Words,
    Input,
    /// It names a file.
    Nowhere,
}

struct Reader<'t> {
    of: &'t Word,
    rest: &'t str,
    word: Option<String>,
    to: To,
    /// Never empty.
    commands: Vec<Command>,
    /// Scripts whose output is put into a word.
    inner: Vec<String>,
}

impl<'t> Reader<'t> {
    fn read(&mut self) {
        while let Some(letter) = self.rest.chars().next() {
            let behind = &self.rest[letter.len_utf8()..];
            match letter {
                '\n' | ';' | '(' | ')' => self.end_command(behind, false),
                '|' if behind.starts_with('|') => self.end_command(&behind[1..], false),
                '|' => self.end_command(behind.strip_prefix('&').unwrap_or(behind), true),
                '&' if behind.starts_with('>') => self.rest = behind,
                '&' => self.end_command(behind.strip_prefix('&').unwrap_or(behind), false),
                '<' | '>' => self.redirect(),
                _ if letter.is_whitespace() => {
                    self.end_word();
                    self.rest = behind;
                }
                '\'' => match behind.split_once('\'') {
                    Some((quoted, behind)) => self.push(quoted, behind),
                    None => self.push("'", behind),
                },
                '"' => self.double_quoted(behind),
                '\\' => {
                    let end = behind.chars().next().map_or(0, char::len_utf8);
                    self.push(behind[..end].trim_matches('\n'), &behind[end..]);
                }
                '$' | '`' => self.put_in(),
                _ => self.push(&self.rest[..letter.len_utf8()], behind),
            }
        }
        self.end_word();
    }

    fn push(&mut self, text: &str, behind: &'t str) {
        self.word.get_or_insert_default().push_str(text);
        self.rest = behind;
    }

    fn double_quoted(&mut self, inner: &'t str) {
        self.word.get_or_insert_default();
        self.rest = inner;
        while let Some(letter) = self.rest.chars().next() {
            let behind = &self.rest[letter.len_utf8()..];
            match letter {
                '"' => return self.rest = behind,
                '\\' if behind.starts_with(['"', '\\', '$', '`']) => self.push(&behind[..1], &behind[1..]),
                '$' | '`' => self.put_in(),
                _ => self.push(&self.rest[..letter.len_utf8()], behind),
            }
        }
    }

    /// `$(…)`, `${…}` and what stands between backticks, as a whole.
    fn put_in(&mut self) {
        let rest = self.rest;
        let end = match rest.as_bytes() {
            [b'`', ..] => rest[1..].find('`').map(|at| at + 2),
            [b'$', b'{', ..] => rest.find('}').map(|at| at + 1),
            [b'$', b'(', ..] => closing(rest),
            _ => None,
        };
        let Some(end) = end else { return self.push(&rest[..1], &rest[1..]) };
        if !rest.starts_with("${") {
            self.inner.push(rest[..end - 1].trim_start_matches(['$', '(', '`']).to_owned());
        }
        self.push(&rest[..end], &rest[end..]);
    }

    /// A file that is written or read, and what stands there to be read.
    fn redirect(&mut self) {
        // The number of what is redirected.
        if self.word.as_ref().is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        let behind = self.rest.strip_prefix("<<<");
        self.to = if behind.is_some() { To::Input } else { To::Nowhere };
        self.rest = behind.unwrap_or_else(|| self.rest.trim_start_matches(['<', '>', '&', '|', '-']));
    }

    fn end_word(&mut self) {
        let Some(text) = self.word.take() else { return };
        let word = Word { text, ..self.of.clone() };
        match (self.commands.last_mut(), self.to) {
            (Some(command), To::Words) => command.words.push(word),
            (Some(command), To::Input) => command.input.push(word),
            _ => {}
        }
        self.to = To::Words;
    }

    fn end_command(&mut self, behind: &'t str, feeds: bool) {
        self.end_word();
        self.to = To::Words;
        self.rest = behind;
        match self.commands.last_mut() {
            Some(command) if command.words.is_empty() => command.is_fed |= feeds,
            _ => self.commands.push(Command { is_fed: feeds, ..Command::default() }),
        }
    }
}

/// Behind the parenthesis that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' if open == 1 => return Some(at + 1),
            b')' => open -= 1,
            _ => {}
        }
    }
    None
}
