//! Whether git ignores a path: the usual patterns of gitignore(5), and "do not know" for the others.
//!
//! The user's own `core.excludesFile` is left out on purpose: it does not protect a colleague's clone.

use std::collections::HashMap;

/// More wildcards than this in one pattern are not tried: each multiplies the work.
const MOST_WILDCARDS: usize = 6;

/// The patterns of a work tree, read as they are needed.
pub(super) struct Ignores<R> {
    /// Brings a file by its path from the top: empty where there is none, `None` where nobody knows what it says.
    read: R,
    exclude: Vec<Pattern>,
    by_directory: HashMap<String, Vec<Pattern>>,
    directories: HashMap<String, Option<bool>>,
}

#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "gitignore(5) has four independent marks")]
struct Pattern {
    line: usize,
    glob: Vec<u8>,
    negated: bool,
    directories_only: bool,
    anchored: bool,
    understood: bool,
}

impl<R: Fn(&str) -> Option<Vec<u8>>> Ignores<R> {
    /// Those of `info/exclude`, and of the files that `read` brings.
    pub(super) fn new(exclude: Option<&[u8]>, read: R) -> Self {
        Self { read, exclude: patterns(exclude), by_directory: HashMap::new(), directories: HashMap::new() }
    }

    /// Whether the file at a path, relative to the top, is ignored; `None` = a pattern that is not understood may decide.
    pub(super) fn is_ignored(&mut self, path: &str) -> Option<bool> {
        match self.is_directory_ignored(parent(path)) {
            Some(false) => self.decide(path, false),
            decided => decided,
        }
    }

    /// A file below an ignored directory cannot be taken back.
    fn is_directory_ignored(&mut self, path: &str) -> Option<bool> {
        if path.is_empty() {
            return Some(false);
        }
        if let Some(&known) = self.directories.get(path) {
            return known;
        }
        let decided = match self.is_directory_ignored(parent(path)) {
            Some(false) => self.decide(path, true),
            decided => decided,
        };
        self.directories.insert(path.to_owned(), decided);
        decided
    }

    /// The last pattern that matches decides: `info/exclude` first, then each `.gitignore` from the top down.
    fn decide(&mut self, path: &str, is_directory: bool) -> Option<bool> {
        let mut decision = Some(false);
        decide(&mut decision, &self.exclude, path, is_directory);
        let ends = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        for end in ends {
            let patterns = self.patterns_in(&path[..end]);
            decide(&mut decision, patterns, &path[end..], is_directory);
        }
        decision
    }

    /// The `.gitignore` below the top, and its line, that take a path back which is not ignored, where one does.
    pub(super) fn taken_back(&mut self, path: &str) -> Option<(String, usize)> {
        let mut found = None;
        for (end, _) in path.match_indices('/') {
            let (directory, below) = path.split_at(end + 1);
            let patterns = self.patterns_in(directory);
            let last = patterns.iter().rev().find(|it| !it.directories_only && it.matches(below));
            found = last.map_or(found, |it| it.negated.then(|| (format!("{directory}.gitignore"), it.line)));
        }
        found
    }

    fn patterns_in(&mut self, directory: &str) -> &[Pattern] {
        if !self.by_directory.contains_key(directory) {
            let text = (self.read)(&format!("{directory}.gitignore"));
            self.by_directory.insert(directory.to_owned(), patterns(text.as_deref()));
        }
        &self.by_directory[directory]
    }
}

fn decide(decision: &mut Option<bool>, patterns: &[Pattern], path: &str, is_directory: bool) {
    for pattern in patterns.iter().filter(|pattern| is_directory || !pattern.directories_only) {
        if !pattern.understood {
            *decision = None;
        } else if pattern.matches(path) {
            *decision = Some(!pattern.negated);
        }
    }
}

fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |end| &path[..end])
}

fn patterns(text: Option<&[u8]>) -> Vec<Pattern> {
    let Some(text) = text else { return vec![Pattern::unknown()] };
    let lines = text.split(|&byte| byte == b'\n').zip(1..);
    lines.filter_map(|(text, line)| Pattern::parse(text, line)).collect()
}

impl Pattern {
    /// Any pattern at all.
    fn unknown() -> Self {
        Self { line: 1, glob: Vec::new(), negated: false, directories_only: false, anchored: false, understood: false }
    }

    fn parse(text: &[u8], line: usize) -> Option<Self> {
        let text = text.strip_suffix(b"\r").unwrap_or(text).trim_ascii_end();
        if text.is_empty() || text[0] == b'#' {
            return None;
        }
        let (negated, text) = text.strip_prefix(b"!").map_or((false, text), |rest| (true, rest));
        let (directories_only, text) = text.strip_suffix(b"/").map_or((false, text), |rest| (true, rest));
        let anchored = text.contains(&b'/');
        let glob = text.strip_prefix(b"/").unwrap_or(text).to_vec();
        let wildcards = glob.split(|&byte| byte == b'*').count() - 1;
        let understood = !has_class(&glob) && wildcards <= MOST_WILDCARDS;
        Some(Self { line, glob, negated, directories_only, anchored, understood })
    }

    fn matches(&self, path: &str) -> bool {
        let path = if self.anchored { path } else { &path[path.rfind('/').map_or(0, |slash| slash + 1)..] };
        glob(&self.glob, path.as_bytes())
    }
}

/// Whether there is a class such as `[a-z]`, or a backslash with nothing behind it that it would have stand for itself.
fn has_class(glob: &[u8]) -> bool {
    match glob {
        [] => false,
        [b'\\'] | [b'[', ..] => true,
        [b'\\', _, rest @ ..] | [_, rest @ ..] => has_class(rest),
    }
}

/// `*` and `?` stop at a slash, `**/` stands for any directories, `/**` for everything inside.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            glob(rest, text) || (1..text.len()).any(|at| text[at - 1] == b'/' && glob(rest, &text[at..]))
        }
        [b'*', b'*'] => !text.is_empty(),
        [b'*', rest @ ..] => {
            let end = text.iter().position(|&byte| byte == b'/').unwrap_or(text.len());
            (0..=end).any(|at| glob(rest, &text[at..]))
        }
        [b'?', rest @ ..] => text.first().is_some_and(|&byte| byte != b'/') && glob(rest, &text[1..]),
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes files as a user would")]
    fn we_agree_with_git_check_ignore() {
        let directory = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            std::process::Command::new("git").arg("-C").arg(directory.path()).args(arguments).output().unwrap()
        };
        git(&["init", "-q"]);
        let files = [
            (
                ".gitignore",
                "# env\n.env\n*.pem\n/.secrets/\n!keep.pem\nbuild/**\n**/deep/x?\ndocs/*.key\nlogs \n\\#a\n\\!b\n/c\\[d\\]/\\*\n",
            ),
            ("sub/.gitignore", "local\n/only-here\n!.env\n"),
        ];
        std::fs::create_dir(directory.path().join("sub")).unwrap();
        for (path, text) in files {
            std::fs::write(directory.path().join(path), text).unwrap();
        }
        let mut ignores = Ignores::new(Some(b"excluded\n"), |path| {
            Some(std::fs::read(directory.path().join(path)).unwrap_or_default())
        });
        std::fs::write(directory.path().join(".git/info/exclude"), "excluded\n").unwrap();
        for path in [
            ".env",
            "a/.env",
            "sub/.env",
            "a.pem",
            "x/a.pem",
            "keep.pem",
            ".secrets/a",
            "x/.secrets/a",
            "build/a/b",
            "build",
            "deep/xy",
            "q/deep/xy",
            "q/deep/xyz",
            "docs/a.key",
            "docs/b/a.key",
            "sub/local",
            "local",
            "sub/only-here",
            "sub/x/only-here",
            "excluded",
            "a/excluded",
            "logs",
            ".env.prod",
            "#a",
            "!b",
            "c[d]/*",
            "c[d]/e",
            "cd/*",
            "other",
        ] {
            let expected = git(&["check-ignore", "-q", "--no-index", path]).status.success();
            assert_eq!(ignores.is_ignored(path), Some(expected), "{path}");
        }
        assert_eq!(ignores.taken_back("sub/.env"), Some(("sub/.gitignore".to_owned(), 3)));
        assert_eq!(ignores.taken_back("sub/local"), None);
        assert_eq!(ignores.taken_back("sub/other"), None, "nothing ignored it");
    }

    #[test]
    fn what_we_do_not_understand_is_not_decided() {
        let mut ignores = Ignores::new(Some(b"[a-z]*\n"), |_| Some(Vec::new()));
        assert_eq!(ignores.is_ignored("x"), None);
        let mut ignores = Ignores::new(Some(b"[a-z]*\n.env\n"), |_| Some(Vec::new()));
        assert_eq!(ignores.is_ignored(".env"), Some(true));
        let mut ignores = Ignores::new(Some(b"\\[a\\]b[c]\n"), |_| Some(Vec::new()));
        assert_eq!(ignores.is_ignored("x"), None);
        let mut ignores = Ignores::new(None, |_| Some(b".env\n".to_vec()));
        assert_eq!((ignores.is_ignored(".env"), ignores.is_ignored("x")), (Some(true), None));
        let mut ignores = Ignores::new(Some(b".env\n"), |_| None);
        assert_eq!(ignores.is_ignored(".env"), None, "what nobody reads may take it back");
    }
}
