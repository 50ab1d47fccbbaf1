//! A configuration file of nginx as its own parser sees it: directives, their arguments and blocks. Opens nothing: what an `include`
//! names is brought by whoever asks.

use std::sync::Arc;

/// Includes within includes.
const DEEPEST: usize = 8;

/// The directives of a file, each after the one whose block it is in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// In the order of the file.
    pub directives: Vec<Directive>,
    /// What it includes and nobody could read: sentences.
    pub unread: Vec<String>,
}

/// One directive.
#[derive(Debug, PartialEq, Eq)]
pub struct Directive {
    /// Such as `ssl_protocols`.
    pub name: String,
    /// What follows it, without quotes.
    pub arguments: Vec<String>,
    /// Line, from 1.
    pub line: u32,
    /// The directive whose block it is in, by its place in [`Configuration::directives`].
    pub block: Option<usize>,
    /// The file that it was included from; `None` = it stands in the file itself.
    pub file: Option<Arc<str>>,
}

/// What an `include` brings.
#[derive(Debug, Default)]
pub struct Included {
    /// The files by their paths.
    pub files: Vec<(Arc<str>, Configuration)>,
    /// Sentences on those which nobody could read.
    pub unread: Vec<String>,
}

/// The line on which a text stops being a configuration file.
#[derive(Debug, PartialEq, Eq)]
pub struct NotNginx(pub u32);

impl Configuration {
    /// Reads the text of a configuration file.
    pub fn parse(text: &str) -> Result<Self, NotNginx> {
        let mut parser = Parser { directives: Vec::new(), open: Vec::new(), words: Vec::new(), began: 1 };
        let mut line = 1;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let taken = match letter {
                '#' => rest.find('\n').unwrap_or(rest.len()),
                ';' | '{' | '}' => {
                    parser.mark(letter, line)?;
                    1
                }
                _ if letter.is_ascii_whitespace() => 1,
                _ => {
                    let (word, length) = word(rest).ok_or(NotNginx(line))?;
                    parser.word(word, line);
                    length
                }
            };
            line += count_lines(&rest[..taken]);
            rest = &rest[taken..];
        }
        if parser.open.is_empty() && parser.words.is_empty() {
            Ok(Self { directives: parser.directives, unread: Vec::new() })
        } else {
            Err(NotNginx(line))
        }
    }

    /// The same with what is included in the place of each `include`. One whose files are not all brought by `load` stays behind those
    /// that are; `None` = nobody knows which they are.
    #[must_use]
    pub fn with_included(self, load: &mut dyn FnMut(&Directive) -> Option<Included>) -> Self {
        let mut whole = Self::default();
        whole.take(self, None, None, 0, load);
        whole
    }

    fn take(
        &mut self,
        part: Self,
        file: Option<&Arc<str>>,
        outer: Option<usize>,
        depth: usize,
        load: &mut dyn FnMut(&Directive) -> Option<Included>,
    ) {
        let mut places = Vec::with_capacity(part.directives.len());
        for directive in part.directives {
            // A block stands before what is in it.
            let block = directive.block.map_or(outer, |block| places.get(block).copied());
            let directive = Directive { block, file: file.cloned(), ..directive };
            places.push(self.directives.len());
            let included = if directive.name == "include" && depth < DEEPEST { load(&directive) } else { None };
            let is_whole = included.as_ref().is_some_and(|it| it.unread.is_empty());
            let Included { files, unread } = included.unwrap_or_default();
            for (file, it) in files {
                self.take(it, Some(&file), block, depth + 1, load);
            }
            self.unread.extend(unread);
            if !is_whole {
                self.directives.push(directive);
            }
        }
    }

    /// The places of the directives of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.directives.iter().filter(move |directive| directive.name == name)
    }

    /// The directives of blocks in which, or around which, a directive of this name stands: by their places, whether it is so.
    /// Outside of all blocks is told by the second.
    pub fn in_force(&self, name: &str) -> (Vec<bool>, bool) {
        let outside = self.named(name).any(|directive| directive.block.is_none());
        let mut blocks = vec![false; self.directives.len()];
        for directive in self.named(name) {
            if let Some(block) = directive.block {
                blocks[block] = true;
            }
        }
        // A block stands after the one that it is in.
        for (at, directive) in self.directives.iter().enumerate() {
            blocks[at] |= directive.block.map_or(outside, |block| blocks[block]);
        }
        (blocks, outside)
    }
}

struct Parser {
    directives: Vec<Directive>,
    /// The directives whose blocks are open.
    open: Vec<usize>,
    words: Vec<String>,
    /// The line of the first of the `words`.
    began: u32,
}

impl Parser {
    fn word(&mut self, word: String, line: u32) {
        if self.words.is_empty() {
            self.began = line;
        }
        self.words.push(word);
    }

    fn mark(&mut self, mark: char, line: u32) -> Result<(), NotNginx> {
        if mark == '}' {
            return if self.words.is_empty() && self.open.pop().is_some() { Ok(()) } else { Err(NotNginx(line)) };
        }
        let mut words = self.words.drain(..);
        let name = words.next().ok_or(NotNginx(line))?;
        let directive = Directive {
            name,
            arguments: words.collect(),
            line: self.began,
            block: self.open.last().copied(),
            file: None,
        };
        if mark == '{' {
            self.open.push(self.directives.len());
        }
        self.directives.push(directive);
        Ok(())
    }
}

/// The word that a text begins with, without quotes, and how many bytes it takes; `None` = a quote that is not closed.
fn word(text: &str) -> Option<(String, usize)> {
    let mut word = String::new();
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    let mut letters = text.char_indices().skip(usize::from(quote.is_some())).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
            _ if Some(letter) == quote => return Some((word, at + 1)),
            // `${name}` is part of a word, and its brace no block.
            '$' if quote.is_none() && letters.next_if(|(_, next)| *next == '{').is_some() => {
                word.push_str("${");
                for (_, letter) in letters.by_ref() {
                    word.push(letter);
                    if letter == '}' {
                        break;
                    }
                }
            }
            _ if quote.is_none() && (letter.is_ascii_whitespace() || matches!(letter, ';' | '{')) => {
                return Some((word, at));
            }
            _ => word.push(letter),
        }
    }
    quote.is_none().then_some((word, text.len()))
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"# ssl_protocols TLSv1;
http {
    log_format main '$remote_addr "$request" {x}';
    map $http_upgrade $connection { default upgrade; '' close; }
    server {
        listen 443 ssl;
        ssl_protocols TLSv1.2
                      "TLSv1.3";
        location ~ "^/a{2};" { return 301 https://${host}$request_uri; }
    }
    server { listen 80; }
}
"#;

    #[test]
    fn directives_have_their_arguments_line_and_block() {
        let read = Configuration::parse(TEXT).unwrap();
        let protocols = read.named("ssl_protocols").next().unwrap();
        assert_eq!((protocols.arguments.join(" ").as_str(), protocols.line), ("TLSv1.2 TLSv1.3", 7));
        assert_eq!(read.directives[protocols.block.unwrap()].name, "server");
        let returned = read.named("return").next().unwrap();
        assert_eq!(returned.arguments[1], "https://${host}$request_uri");
        assert_eq!(read.named("log_format").next().unwrap().arguments[1], "$remote_addr \"$request\" {x}");
        let (blocks, outside) = read.in_force("ssl_protocols");
        let servers: Vec<bool> = read.named("listen").map(|listen| blocks[listen.block.unwrap()]).collect();
        assert_eq!((servers.as_slice(), outside), (&[true, false][..], false));
        let around = "http { ssl_protocols TLSv1.3; server { listen 443 ssl; } } stream { listen 8443 ssl; }";
        let around = Configuration::parse(around).unwrap();
        assert_eq!(around.in_force("ssl_protocols").0, [true, true, true, true, false, false]);
        assert_eq!(read.named("default").next().unwrap().arguments, ["upgrade"]);
    }

    #[test]
    fn what_is_included_stands_in_the_block_of_its_include() {
        let text =
            "http {\n include a;\n include none;\n server {\n listen 443 ssl;\n include b;\n }\n}\ninclude again;";
        let mut load = |include: &Directive| {
            let text = match include.arguments[0].as_str() {
                "a" => "server {\n listen 8443 ssl; }",
                "b" => "ssl_protocols TLSv1.3;",
                "again" => "include again;",
                _ => return None,
            };
            let file = (include.arguments[0].as_str().into(), Configuration::parse(text).unwrap());
            Some(Included { files: vec![file], unread: Vec::new() })
        };
        let read = Configuration::parse(text).unwrap().with_included(&mut load);
        let (blocks, _) = read.in_force("ssl_protocols");
        let listens = read.named("listen").map(|it| (it.file.as_deref(), it.line, blocks[it.block.unwrap()]));
        assert_eq!(listens.collect::<Vec<_>>(), [(Some("a"), 2, false), (None, 5, true)]);
        let left: Vec<&str> = read.named("include").map(|it| it.arguments[0].as_str()).collect();
        assert_eq!(left, ["none", "again"], "what includes itself comes to an end");
    }

    #[test]
    fn what_is_not_closed_or_not_opened_is_not_a_configuration() {
        for (text, line) in
            [("http {\n", 2), ("}\n", 1), ("listen 80\n}", 2), ("a 'b\n", 1), ("a b", 1), (";", 1), ("\n{", 2)]
        {
            assert_eq!(Configuration::parse(text), Err(NotNginx(line)), "{text:?}");
        }
        assert_eq!(Configuration::parse("").unwrap().directives, []);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z ;{}\"'\\\\$#\n]{0,80}|\\PC*") {
            if let Ok(read) = Configuration::parse(&text) {
                prop_assert_eq!(read.in_force("a").0.len(), read.directives.len());
            }
        }
    }
}
