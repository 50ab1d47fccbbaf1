//! How a file of a build context gets into an image: by which instructions, and through which stages.
//!
//! What `RUN` does with a file is not known: a copy of it elsewhere is not seen, nor that it was removed in a stage before.

use std::collections::BTreeSet;

use super::dockerfile::{Copied, Dockerfile, Does, Instruction, within};

/// What a copy takes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Source<'d> {
    /// The build context.
    Context,
    /// A further context of that name.
    Named(&'d str),
    /// An earlier stage.
    Stage(usize),
    /// Another image.
    Image,
}

/// A Dockerfile, and the names of the further contexts of its build.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'d> {
    file: &'d Dockerfile,
    contexts: &'d BTreeSet<&'d str>,
}

/// A stage as far as one file is concerned.
#[derive(Clone, Default)]
struct Stage {
    directory: String,
    /// Where the file lies.
    places: BTreeSet<String>,
    /// The instructions, by their place in the file, that put it there.
    by: Vec<usize>,
}

impl<'d> Layers<'d> {
    /// Of a file whose variables were put in.
    pub fn new(file: &'d Dockerfile, contexts: &'d BTreeSet<&'d str>) -> Self {
        Self { file, contexts }
    }

    /// What an instruction of a stage takes from. A further context goes before a stage of its name.
    pub fn source(&self, copied: &'d Copied, stage: usize) -> Source<'d> {
        let Some(from) = copied.from.as_deref() else { return Source::Context };
        if self.contexts.contains(from) {
            return Source::Named(from);
        }
        self.file.stage_named(from, stage).map_or(Source::Image, Source::Stage)
    }

    /// The copies that matter for the image of `target`: those of its stages, and of those that it takes from.
    pub fn copies(&self, target: Option<&str>) -> Vec<(&'d Instruction, &'d Copied, Source<'d>)> {
        let mut waiting = self.file.stages_of(target);
        let mut seen = BTreeSet::new();
        let mut copies = Vec::new();
        while let Some(stage) = waiting.pop() {
            if !seen.insert(stage) {
                continue;
            }
            for (_, instruction, copied) in self.copies_in(stage) {
                let source = self.source(copied, stage);
                if let Source::Stage(from) = source {
                    waiting.extend(self.file.with_bases(from));
                }
                copies.push((instruction, copied, source));
            }
        }
        copies
    }

    /// The instructions that put a file of a context, the build's or a further one, into the image of `target`.
    pub fn taking(&self, target: Option<&str>, context: Option<&str>, path: &str) -> Vec<&'d Instruction> {
        let mut stages: Vec<Stage> = Vec::new();
        for number in 0..self.file.stages.len() {
            let stage = self.stage(number, context, path, &stages);
            stages.push(stage);
        }
        let by: BTreeSet<usize> =
            self.file.stages_of(target).into_iter().flat_map(|number| stages[number].by.iter().copied()).collect();
        by.into_iter().map(|at| &self.file.instructions[at]).collect()
    }

    fn stage(&self, number: usize, context: Option<&str>, path: &str, earlier: &[Stage]) -> Stage {
        let base = self.file.base_of(number).map(|base| earlier[base].clone());
        let mut stage = Stage { by: Vec::new(), ..base.unwrap_or_default() };
        let steps = self.steps(number);
        for (at, instruction) in steps {
            let copied = match &instruction.does {
                Does::Directory(to) => {
                    stage.directory = within(&stage.directory, to);
                    continue;
                }
                Does::Copies(copied) => copied,
                _ => continue,
            };
            let places: Vec<String> = match self.source(copied, number) {
                Source::Context if context.is_none() => copied.places(path, &stage.directory),
                Source::Named(name) if context == Some(name) => copied.places(path, &stage.directory),
                Source::Stage(from) => {
                    earlier[from].places.iter().flat_map(|place| copied.places(place, &stage.directory)).collect()
                }
                _ => continue,
            };
            if !places.is_empty() {
                stage.places.extend(places);
                stage.by.push(at);
            }
        }
        stage
    }

    fn copies_in(&self, stage: usize) -> impl Iterator<Item = (usize, &'d Instruction, &'d Copied)> {
        self.steps(stage).filter_map(|(at, it)| match &it.does {
            Does::Copies(copied) => Some((at, it, copied)),
            _ => None,
        })
    }

    /// The instructions that a stage carries out, by their place in the file: what its base left to whoever begins with it goes first.
    fn steps(&self, stage: usize) -> impl Iterator<Item = (usize, &'d Instruction)> {
        let of = |stage: Option<usize>, is_left: bool| {
            let all = self.file.instructions.iter().enumerate();
            all.filter(move |(_, it)| stage.is_some() && it.stage == stage && it.is_left == is_left)
        };
        of(self.file.base_of(stage), true).chain(of(Some(stage), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that put `path` of a context into the image.
    fn lines(text: &str, context: Option<&str>, path: &str) -> Vec<u32> {
        let mut file = Dockerfile::parse(text);
        file.resolve(&std::collections::BTreeMap::new());
        let contexts = BTreeSet::from(["more"]);
        Layers::new(&file, &contexts).taking(None, context, path).iter().map(|it| it.line).collect()
    }

    #[test]
    fn a_file_comes_through_stages_or_stays_behind() {
        const APP: &str = "FROM a AS build\nWORKDIR /app\nCOPY . .\nRUN make\nFROM b\n";
        for (text, expected) in [
            ("COPY --from=build /app /srv", &[6][..]),
            ("COPY --from=0 /app/ /srv", &[6]),
            ("COPY --from=BUILD app/.env /srv", &[6]),
            ("COPY --from=build / /", &[6]),
            ("COPY --from=build /app/dist /srv", &[]),
            ("COPY --from=build /app/*.js /srv", &[]),
            ("COPY --from=build --exclude=.env /app /srv", &[]),
            ("COPY --from=busybox /app /srv", &[]),
            ("COPY --from=more /app /srv", &[]),
            ("RUN --mount=type=bind,from=build,source=/app,target=/x make", &[]),
            ("COPY --from=build /app /srv\nFROM c\nCOPY --from=1 /srv /x", &[8]),
            ("COPY --from=build /app /srv\nFROM c\nCOPY --from=1 /app /x", &[]),
        ] {
            assert_eq!(lines(&format!("{APP}{text}\n"), None, ".env"), expected, "{text}");
        }
    }

    #[test]
    fn where_a_file_lies_follows_from_working_directories_and_targets() {
        for (build, copy, expected) in [
            ("COPY .env /etc/app.env", "/etc", true),
            ("COPY .env /etc/app.env", "/etc/app.env", true),
            ("COPY .env /etc/conf/", "/etc/conf/.env", true),
            ("COPY .env /etc/conf/", "/etc/conf/app.env", false),
            ("WORKDIR a\nWORKDIR b\nCOPY . c", "/a/b/c", true),
            ("WORKDIR a\nWORKDIR /b\nCOPY . c", "/a", false),
            ("WORKDIR ${APP}\nCOPY . .", "${APP}/", true),
            ("COPY --parents ./.env /x", "/x/.env", true),
            ("ARG A=app\nWORKDIR /$A\nCOPY . .", "/app", true),
        ] {
            let text = format!("FROM a AS build\n{build}\nFROM b\nCOPY --from=build {copy} /srv/\n");
            assert_eq!(!lines(&text, None, ".env").is_empty(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_left_to_who_begins_with_it_is_done_there() {
        assert_eq!(lines("FROM a\nONBUILD COPY . .\n", None, ".env"), [] as [u32; 0]);
        assert_eq!(lines("FROM a AS base\nONBUILD COPY . .\nFROM base\nRUN make\n", None, ".env"), [2]);
        assert_eq!(lines("FROM a AS base\nONBUILD COPY . .\nFROM base AS next\nFROM next\n", None, ".env"), [2]);
        assert_eq!(lines("FROM a AS base\nONBUILD COPY . .\nFROM b\n", None, ".env"), [] as [u32; 0]);
    }

    #[test]
    fn a_further_context_is_not_that_of_the_build() {
        let text = "FROM a AS more\nCOPY . /\nFROM b\nCOPY --from=more . /x\n";
        assert_eq!(lines(text, Some("more"), ".env"), [4]);
        assert_eq!(lines(text, None, ".env"), [] as [u32; 0]);
        assert_eq!(lines("FROM a\nCOPY . /\n", Some("more"), ".env"), [] as [u32; 0]);
    }
}
