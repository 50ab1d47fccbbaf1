//! Which files of a build context a `.dockerignore` keeps back, as Docker's own matcher decides it.
//!
//! Unlike in `.gitignore` a pattern is always from the context's root, and what lies below an ignored directory can be taken back.

use regex_lite::Regex;

/// The patterns of a `.dockerignore`.
#[derive(Debug, Default)]
pub struct Ignored {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    glob: Glob,
    takes_back: bool,
}

/// A pattern, or a path without any wildcard, as most lines are.
#[derive(Debug)]
enum Glob {
    Path(String),
    Expression(Regex),
}

/// What makes a pattern of a path.
const WILD: [char; 5] = ['*', '?', '[', ']', '\\'];

/// A pattern that is longer is none.
const LONGEST: usize = 1000;

impl Ignored {
    /// Reads the text of a `.dockerignore`. A pattern that is none keeps nothing back: Docker refuses to build with it.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { patterns: text.lines().filter_map(Pattern::parse).collect() }
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether it keeps nothing back.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a file, by its path relative to the context, stays behind. The last pattern that matches it or a directory above
    /// it decides.
    pub fn keeps_back(&self, path: &str) -> bool {
        self.patterns
            .iter()
            .rev()
            .find(|pattern| pattern.glob.end(path).is_some())
            .is_some_and(|pattern| !pattern.takes_back)
    }

    /// Whether a directory stays behind with all that is in it.
    pub fn keeps_back_all_of(&self, path: &str) -> bool {
        self.keeps_back(path) && !self.patterns.iter().any(|it| it.takes_back)
    }
}

/// The part of a path that lies below what a pattern of `COPY` takes, or the name of the file that it takes itself; `None` = it takes
/// neither the file nor a directory above it. `.` takes everything.
pub(super) fn taken<'p>(source: &str, path: &'p str) -> Option<&'p str> {
    let source = clean(source);
    let end = if source.is_empty() { 0 } else { Glob::new(source)?.end(path)? };
    let rest = path[end..].trim_start_matches('/');
    Some(if rest.is_empty() { path.rsplit('/').next().unwrap_or(path) } else { rest })
}

/// Whether a pattern of `COPY` says a path itself, and does not name it.
pub fn is_matched(source: &str, path: &str) -> bool {
    let source = clean(source);
    let depth = |path: &str| path.split('/').count();
    source.contains(WILD) && depth(&source) == depth(path) && taken(&source, path).is_some()
}

/// Where what a pattern of `COPY` takes lies, as far as that is plain text: a file or a directory; empty for the context's root.
pub fn literal_start(source: &str) -> String {
    let source = clean(source);
    let plain = source.split('/').take_while(|part| !part.contains(WILD));
    plain.collect::<Vec<_>>().join("/")
}

impl Glob {
    fn new(pattern: String) -> Option<Self> {
        // An expression is made of the others, at a cost.
        if !pattern.contains(WILD) {
            return Some(Self::Path(pattern));
        }
        Some(pattern).filter(|it| it.len() <= LONGEST).and_then(|it| expression(&it)).map(Self::Expression)
    }

    /// The end of what it matches: of a file, or of a directory above it.
    fn end(&self, path: &str) -> Option<usize> {
        match self {
            Self::Path(own) => {
                let rest = path.strip_prefix(own.as_str())?;
                (rest.is_empty() || rest.starts_with('/')).then_some(own.len())
            }
            Self::Expression(expression) => {
                let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                ends.find(|&end| expression.is_match(&path[..end]))
            }
        }
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let line = line.trim();
        let (takes_back, line) = line.strip_prefix('!').map_or((false, line), |line| (true, line.trim()));
        let pattern = clean(line);
        if pattern.is_empty() {
            return None;
        }
        Some(Self { glob: Glob::new(pattern)?, takes_back })
    }
}

/// Without `.` and doubled slashes, `..` resolved, relative to the context: what Go's `filepath.Clean` makes of it.
pub(super) fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(component),
        }
    }
    kept.join("/")
}

/// The pattern as an expression: `*` and `?` stay within a component, `**` does not.
fn expression(pattern: &str) -> Option<Regex> {
    let mut text = String::with_capacity(pattern.len() + 16);
    text.push_str("^(?s:");
    let mut letters = pattern.chars().peekable();
    let mut is_in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                letters.next_if_eq(&'/');
                text.push_str(if letters.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => text.push_str("[^/]*"),
            '?' => text.push_str("[^/]"),
            '[' | ']' => {
                is_in_class = letter == '[';
                text.push(letter);
            }
            '-' | '^' if is_in_class => text.push(letter),
            '\\' => literal(&mut text, letters.next()?),
            _ => literal(&mut text, letter),
        }
    }
    text.push_str(")$");
    Regex::new(&text).ok()
}

fn literal(text: &mut String, letter: char) {
    if letter.is_ascii_punctuation() {
        text.push('\\');
    }
    text.push(letter);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::dockerfile::Copied;

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a/*?!\\[\\]^\\\\.\n-]{0,40}|\\PC*", path in "[a./]{1,12}") {
            let ignored = Ignored::parse(&text);
            prop_assert_eq!(ignored.is_empty() && ignored.keeps_back(&path), false);
            taken(&text, &path);
        }
    }

    /// Cases of Docker's own matcher (moby/patternmatcher, `TestMatches` and the documentation of `.dockerignore`).
    #[test]
    fn a_pattern_keeps_back_what_it_does_in_docker() {
        for (patterns, path, expected) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/*", "dir/dir2/dir2/file", true),
            ("**file", "file", true),
            ("**file", "dir/file", true),
            ("**/file", "dir/dir/file", true),
            ("**/file*", "dir/dir/file.txt", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/file*.txt*", "dir/dir/file.txt", true),
            ("a**", "a", true),
            ("a**/b", "a/b", true),
            ("a.*", "abc", false),
            ("a.*", "a.b", true),
            ("a*/b", "a/b", true),
            ("a*/b", "ac/b", true),
            ("a*/b", "a/c/b", false),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcZdef", false),
            ("abc?def", "abcZdef", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("[a-d]x", "bx", true),
            ("[^a-d]x", "bx", false),
            ("**/foo/bar", "foo/bar", true),
            ("**/foo/bar", "dir/dir2/foo/bar", true),
            ("abc/**", "abc", false),
            ("/.env", ".env", true),
            ("./.env/", ".env", true),
            (".env", "app/.env", false),
            ("**/.env", "app/.env", true),
            ("*\n!.env", ".env", false),
            ("*\n!.env\n.env", ".env", true),
            (".secrets\n!.secrets/tls", ".secrets/tls/key.pem", false),
            ("!.env\n*", ".env", true),
            ("# .env\n", ".env", false),
            ("  .env  ", ".env", true),
            ("! .env\n", ".env", false),
            ("x/../.env", ".env", true),
            (".env*", ".env.local", true),
            ("", ".env", false),
            ("[", ".env", false),
        ] {
            assert_eq!(Ignored::parse(patterns).keeps_back(path), expected, "{patterns:?} and {path:?}");
        }
    }

    #[test]
    fn a_copy_takes_files_directories_and_what_patterns_say() {
        for (source, path, expected) in [
            (".", ".env", true),
            ("./", "a/.env", true),
            ("/", ".env", true),
            (".env", ".env", true),
            (".env*", ".env", true),
            ("app", "app/tls/key.pem", true),
            ("app/", "app2/key.pem", false),
            ("*.pem", "key.pem", true),
            ("*.pem", "tls/key.pem", false),
            ("package*.json", ".env", false),
        ] {
            assert_eq!(taken(source, path).is_some(), expected, "{source:?} and {path:?}");
        }
    }

    #[test]
    fn a_copy_leaves_out_what_it_excludes_below_what_it_takes() {
        for (source, excluded, path, expected) in [
            (".", ".env", ".env", false),
            (".", ".env", "app/.env", true),
            (".", "**/.env", "app/.env", false),
            ("app/", ".env", "app/.env", false),
            ("app", "app/.env", "app/.env", true),
            ("a*", "tls", "app/tls/key.pem", false),
            ("*.pem", "key.*", "key.pem", false),
            ("*.pem", "k.pem", "key.pem", true),
        ] {
            let copied =
                Copied { sources: vec![source.to_owned()], excluded: vec![excluded.to_owned()], ..Copied::default() };
            assert_eq!(!copied.places(path, "").is_empty(), expected, "{source:?} without {excluded:?} and {path:?}");
        }
    }
}
