//! A Dockerfile as far as it decides what ends up in an image: stages, variables, labels, copied files, the user.
//!
//! Follows the reference (docs.docker.com/reference/dockerfile): parser directives, continued lines, here-documents, the two forms
//! of `ENV`, `LABEL` and `COPY`. Nothing is expanded until [`Dockerfile::resolve`] does. What Docker would refuse is passed over: Docker says so itself.

mod copied;
mod lines;
mod variables;
mod words;

pub use copied::Copied;
pub(super) use copied::within;
pub use variables::Arguments;
use words::{Word, split};

/// The instructions that matter, in the order of the file.
#[derive(Debug, Default)]
pub struct Dockerfile {
    /// Its stages; the instructions before the first `FROM` belong to none.
    pub stages: Vec<Stage>,
    /// What the instructions say.
    pub instructions: Vec<Instruction>,
}

/// From one `FROM` to the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Stage {
    /// What it begins with: an image, or the name of an earlier stage.
    pub base: String,
    /// `AS name`.
    pub name: Option<String>,
    /// Line, from 1.
    pub line: u32,
}

/// One instruction, or one of the pairs that it sets.
#[derive(Debug)]
pub struct Instruction {
    /// The line on which the instruction begins, from 1.
    pub line: u32,
    /// Its stage, by its place in [`Dockerfile::stages`]; `None` before the first.
    pub stage: Option<usize>,
    /// Whether it is left to images, or stages, that begin with this one (`ONBUILD`).
    pub is_left: bool,
    /// What it does.
    pub does: Does,
}

/// What an instruction does.
pub enum Does {
    /// Declares a build argument.
    Argument(Setting),
    /// Sets a variable of the image.
    Variable(Setting),
    /// Sets a label of the image.
    Label(Setting),
    /// Copies files; those that come from a URL or a here-document are not listed.
    Copies(Copied),
    /// The working directory of what follows.
    Directory(String),
    /// Runs something: while the image is built, when a container starts, or to see how it does. Also what `ADD` fetches from an
    /// address, and each line of a file that stands in the Dockerfile.
    Runs(Program),
    /// The user that what follows runs as.
    User(String),
}

/// What an instruction runs.
pub struct Program {
    /// `RUN`, `CMD`, `ENTRYPOINT`, `HEALTHCHECK`, `ADD` or `COPY`.
    pub keyword: &'static str,
    /// One text if it is for a shell, else one a word. It may hold a secret: never to be shown.
    pub words: Vec<String>,
    /// What lies in the stage while it runs, and not afterwards (`--mount`).
    pub mounts: Vec<Copied>,
}

/// A name and what it is set to.
pub struct Setting {
    /// The name.
    pub name: String,
    /// The value without its quotes; `None` for an argument without a default. It may be a secret: never to be shown.
    pub value: Option<String>,
    /// Whether a `$` in it takes in another variable.
    pub expands: bool,
}

impl std::fmt::Debug for Setting {
    /// A value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Program {
    /// A word may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("keyword", &self.keyword).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Does {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Argument(it) => f.debug_tuple("Argument").field(it).finish(),
            Self::Variable(it) => f.debug_tuple("Variable").field(it).finish(),
            Self::Label(it) => f.debug_tuple("Label").field(it).finish(),
            Self::Copies(copied) => f.debug_tuple("Copies").field(copied).finish(),
            Self::Directory(path) => f.debug_tuple("Directory").field(path).finish(),
            Self::Runs(it) => f.debug_tuple("Runs").field(it).finish(),
            Self::User(user) => f.debug_tuple("User").field(user).finish(),
        }
    }
}

impl Dockerfile {
    /// Reads the text of a Dockerfile.
    pub fn parse(text: &str) -> Self {
        let mut file = Self::default();
        let lines::Lines { logical, escape } = lines::logical(text);
        for lines::Logical { line, text, documents } in logical {
            let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
            let (keyword, rest) = (keyword.to_ascii_uppercase(), rest.trim());
            file.take(line, &keyword, rest, (escape, false));
            for (line, text) in documents.into_iter().filter(|(_, text)| !text.trim_start().starts_with('#')) {
                if keyword == "RUN" {
                    file.take(line, &keyword, &text, (escape, false));
                } else {
                    let does = Does::Runs(Program { keyword: "COPY", words: vec![text], mounts: Vec::new() });
                    let stage = file.stages.len().checked_sub(1);
                    file.instructions.push(Instruction { line, stage, is_left: false, does });
                }
            }
        }
        file
    }

    /// The stages that the image of `target` is made of, which names a stage or its number; without one, of the last stage.
    pub fn stages_of(&self, target: Option<&str>) -> Vec<usize> {
        let last = match target {
            Some(target) => self.stage_named(target, self.stages.len()),
            None => self.stages.len().checked_sub(1),
        };
        last.map(|last| self.with_bases(last)).unwrap_or_default()
    }

    /// A stage, and those beneath it. Only an earlier stage can be the base, so that this ends.
    pub(super) fn with_bases(&self, stage: usize) -> Vec<usize> {
        std::iter::successors(Some(stage), |&stage| self.base_of(stage)).collect()
    }

    /// The stage that another one begins with.
    pub(super) fn base_of(&self, stage: usize) -> Option<usize> {
        self.stages[stage].base_among(&self.stages[..stage])
    }

    /// The stage of that name or number before another one.
    pub(super) fn stage_named(&self, name: &str, before: usize) -> Option<usize> {
        let by_name = self.stages[..before].iter().rposition(|it| it.is_called(name));
        by_name.or_else(|| name.parse().ok().filter(|&number: &usize| number < before))
    }

    /// Whether an instruction sets a variable to another one, or to itself, that has no value there: none of its stage nor of those
    /// beneath it has named it before. What a base of somebody else has is in that.
    pub fn takes_in_nothing(&self, instruction: &Instruction) -> bool {
        let (Does::Variable(it), Some(stage)) = (&instruction.does, instruction.stage) else { return false };
        let taken = it.value.as_deref().filter(|_| it.expands).and_then(|it| it.strip_prefix('$'));
        let Some(taken) = taken.map(|it| it.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(it)) else {
            return false;
        };
        let is_name = taken.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        let stages = self.with_bases(stage);
        let before = self.instructions.iter().take_while(|it| it.line < instruction.line);
        let mut before = before.filter(|it| it.stage.is_some_and(|stage| stages.contains(&stage)));
        is_name && !before.any(|it| matches!(&it.does, Does::Argument(it) | Does::Variable(it) if it.name == taken))
    }

    /// The user that the image of a stage runs as, as far as this file says.
    pub fn user_of(&self, target: Option<&str>) -> Option<&str> {
        let users = self.stages_of(target).into_iter().find_map(|stage| {
            let of_stage = self.instructions.iter().filter(|it| it.stage == Some(stage));
            of_stage
                .filter_map(|it| if let Does::User(user) = &it.does { Some(user.as_str()) } else { None })
                .next_back()
        });
        users.filter(|user| !user.contains('$'))
    }

    fn take(&mut self, line: u32, keyword: &str, rest: &str, (escape, is_left): (char, bool)) {
        let stage = self.stages.len().checked_sub(1);
        let mut push = |does| self.instructions.push(Instruction { line, stage, is_left, does });
        match keyword {
            "FROM" => self.stages.push(from(line, rest, escape)),
            "ARG" => {
                for word in split(rest, escape) {
                    push(Does::Argument(Setting::of(&word)));
                }
            }
            "ENV" => pairs(rest, escape).into_iter().for_each(|it| push(Does::Variable(it))),
            "LABEL" => pairs(rest, escape).into_iter().for_each(|it| push(Does::Label(it))),
            "COPY" | "ADD" => {
                let copied = Copied::of(rest, escape);
                if !copied.sources.is_empty() {
                    push(Does::Copies(copied));
                }
                let words = split(rest, escape).into_iter().map(|word| word.text);
                let addresses: Vec<String> = words.filter(|word| word.contains("://")).collect();
                if !addresses.is_empty() {
                    push(Does::Runs(Program { keyword: "ADD", words: addresses, mounts: Vec::new() }));
                }
            }
            "USER" => push(Does::User(rest.to_owned())),
            "WORKDIR" => push(Does::Directory(rest.trim_matches(['"', '\'']).to_owned())),
            // It does what follows wherever another image begins with this one.
            "ONBUILD" => {
                let (keyword, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let keyword = keyword.to_ascii_uppercase();
                if ["ADD", "ARG", "COPY", "ENV", "LABEL", "RUN", "WORKDIR"].contains(&&*keyword) {
                    self.take(line, &keyword, rest.trim(), (escape, true));
                }
            }
            "CMD" => push(Does::Runs(Program::of("CMD", rest))),
            "ENTRYPOINT" => push(Does::Runs(Program::of("ENTRYPOINT", rest))),
            "HEALTHCHECK" => push(Does::Runs(Program::of("HEALTHCHECK", rest))),
            "RUN" => push(Does::Runs(Program::of("RUN", rest))),
            _ => {}
        }
    }
}

impl Stage {
    fn is_called(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// The one of earlier stages that it begins with.
    fn base_among(&self, earlier: &[Self]) -> Option<usize> {
        earlier.iter().rposition(|it| it.is_called(&self.base))
    }
}

impl Program {
    /// In the form of a shell or as a JSON list; of the flags before it only mounts matter.
    fn of(keyword: &'static str, rest: &str) -> Self {
        let (mut rest, mut mounts) = (rest, Vec::new());
        while let Some((flag, behind)) = rest.strip_prefix("--").and_then(|flag| flag.split_once(char::is_whitespace)) {
            mounts.extend(Copied::mounted(flag));
            rest = behind.trim_start();
        }
        let rest = match rest.split_once(char::is_whitespace) {
            Some((first, behind)) if keyword == "HEALTHCHECK" && first.eq_ignore_ascii_case("CMD") => {
                behind.trim_start()
            }
            _ => rest,
        };
        let list = if rest.starts_with('[') { serde_json::from_str(rest).ok() } else { None };
        Self { keyword, words: list.unwrap_or_else(|| vec![rest.to_owned()]), mounts }
    }
}

impl Setting {
    /// Of `NAME=value` or `NAME`.
    fn of(word: &Word) -> Self {
        match word.text.split_once('=') {
            Some((name, value)) => Self { name: name.into(), value: Some(value.into()), expands: word.expands },
            None => Self { name: word.text.clone(), value: None, expands: word.expands },
        }
    }
}

/// `[--platform=…] image [AS name]`.
fn from(line: u32, rest: &str, escape: char) -> Stage {
    let words: Vec<String> = split(rest, escape).into_iter().map(|word| word.text).collect();
    let mut words = words.into_iter().filter(|word| !word.starts_with("--"));
    let base = words.next().unwrap_or_default();
    let name = words.next().filter(|word| word.eq_ignore_ascii_case("as")).and_then(|_| words.next());
    Stage { base, name, line }
}

/// `A=1 B="2 3"`, or the old form: a name, and everything behind it as the value.
fn pairs(rest: &str, escape: char) -> Vec<Setting> {
    let words = split(rest, escape);
    if words.first().is_some_and(|word| word.text.contains('=')) {
        return words.iter().map(Setting::of).collect();
    }
    let Some((name, value)) = rest.split_once(char::is_whitespace) else { return Vec::new() };
    let value = value.trim();
    vec![Setting { name: name.into(), value: Some(value.into()), expands: value.contains('$') }]
}

#[cfg(test)]
mod tests;
