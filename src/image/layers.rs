//! How a file of a build context gets into an image: by which instructions, and through which stages.
//!
//! What `RUN` does with a file is not known, nor that it was removed in a stage before: where it may be put elsewhere is told, and
//! that is not followed.

use std::collections::BTreeSet;

use super::dockerfile::{Copied, Dockerfile, Does, Instruction, within};
use super::moved;

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
    /// Those that may put it elsewhere.
    moved_by: Vec<usize>,
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

    /// The copies that matter for the image of `target`: those of its stages, and of those that it takes from. What is mounted where
    /// something is put elsewhere is taken too.
    pub fn copies(&self, target: Option<&str>) -> Vec<(&'d Instruction, &'d Copied, Source<'d>)> {
        self.reached(target).1
    }

    /// The stages that matter for the image of `target`, and what is copied in them.
    fn reached(&self, target: Option<&str>) -> (BTreeSet<usize>, Vec<(&'d Instruction, &'d Copied, Source<'d>)>) {
        let mut waiting = self.file.stages_of(target);
        let mut seen = BTreeSet::new();
        let mut copies = Vec::new();
        while let Some(stage) = waiting.pop() {
            if !seen.insert(stage) {
                continue;
            }
            for (instruction, copied) in self.copies_in(stage) {
                let source = self.source(copied, stage);
                if let Source::Stage(from) = source {
                    waiting.extend(self.file.with_bases(from));
                }
                copies.push((instruction, copied, source));
            }
        }
        (seen, copies)
    }

    /// The instructions that put a file of a context, the build's or a further one, into the image of `target`.
    pub fn taking(&self, target: Option<&str>, context: Option<&str>, path: &str) -> Vec<&'d Instruction> {
        let stages = self.stages(context, path);
        self.listed(self.file.stages_of(target).into_iter().flat_map(|number| &stages[number].by))
    }

    /// The instructions that may put such a file into that image, if none of [`Layers::taking`] does: what they do is not followed.
    pub fn moving(&self, target: Option<&str>, context: Option<&str>, path: &str) -> Vec<&'d Instruction> {
        let stages = self.stages(context, path);
        self.listed(self.reached(target).0.into_iter().flat_map(|number| &stages[number].moved_by))
    }

    fn listed<'n>(&self, by: impl Iterator<Item = &'n usize>) -> Vec<&'d Instruction> {
        let by: BTreeSet<usize> = by.copied().collect();
        by.into_iter().map(|at| &self.file.instructions[at]).collect()
    }

    fn stages(&self, context: Option<&str>, path: &str) -> Vec<Stage> {
        let mut stages: Vec<Stage> = Vec::new();
        for number in 0..self.file.stages.len() {
            let stage = self.stage(number, context, path, &stages);
            stages.push(stage);
        }
        stages
    }

    fn stage(&self, number: usize, context: Option<&str>, path: &str, earlier: &[Stage]) -> Stage {
        let base = self.file.base_of(number).map(|base| earlier[base].clone());
        let mut stage = Stage { by: Vec::new(), moved_by: Vec::new(), ..base.unwrap_or_default() };
        let steps = self.steps(number);
        for (at, instruction) in steps {
            let places = |copied: &Copied| match self.source(copied, number) {
                Source::Context if context.is_none() => copied.places(path, &stage.directory),
                Source::Named(name) if context == Some(name) => copied.places(path, &stage.directory),
                Source::Stage(from) => {
                    earlier[from].places.iter().flat_map(|place| copied.places(place, &stage.directory)).collect()
                }
                _ => Vec::new(),
            };
            match &instruction.does {
                Does::Directory(to) => stage.directory = within(&stage.directory, to),
                Does::Copies(copied) => {
                    let places = places(copied);
                    if !places.is_empty() {
                        stage.places.extend(places);
                        stage.by.push(at);
                    }
                }
                Does::Runs(program) => {
                    let is_mounted = moved::mounts(program).iter().any(|it| !places(it).is_empty());
                    if is_mounted || stage.places.iter().any(|it| moved::is_moved(program, &stage.directory, it)) {
                        stage.moved_by.push(at);
                    }
                }
                _ => {}
            }
        }
        stage
    }

    fn copies_in(&self, stage: usize) -> impl Iterator<Item = (&'d Instruction, &'d Copied)> {
        self.steps(stage).flat_map(|(_, it)| {
            let copied = match &it.does {
                Does::Copies(copied) => std::slice::from_ref(copied),
                Does::Runs(program) => moved::mounts(program),
                _ => &[],
            };
            copied.iter().map(move |copied| (it, copied))
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

    #[test]
    fn what_is_put_elsewhere_by_a_step_is_told_and_not_followed() {
        for (text, expected) in [
            ("COPY . .\nRUN cp .env /out/", &[4][..]),
            ("COPY . .\nRUN make && mv /app/.env /out/x", &[4]),
            ("COPY . .\nRUN [\"cp\", \"-r\", \"/app\", \"/out\"]", &[4]),
            ("COPY . src\nRUN cd src && cp .e* /out", &[4]),
            ("COPY . .\nRUN cp package.json /out && make .env.example", &[]),
            ("COPY . .\nRUN apt-get install -y . && make install .", &[]),
            ("COPY . .\nRUN A=1 sudo cp -- .env /out; sh -c 'cp .env /x'", &[4]),
            ("COPY src .\nRUN cp -r . /out", &[]),
            ("RUN --mount=type=bind,target=/src cp /src/.env /out", &[3]),
            ("RUN --mount=source=.env,dst=/e --network=none tar cf /out/x /e", &[3]),
            ("ARG S=.env\nRUN --mount=type=bind,source=$S,target=/e cp /e /out", &[4]),
            ("RUN --mount=type=bind,source=src,target=/src cp -r /src /out", &[]),
            ("RUN --mount=type=secret,id=x,target=/src cp /src/.env /out", &[]),
            ("RUN --mount=type=bind,target=/src make", &[]),
            ("COPY . .\nFROM c\nRUN --mount=from=build,source=/app,target=/b cp /b/.env /x", &[5]),
        ] {
            let text = format!(
                "FROM a AS build\nWORKDIR /app\n{text}\nFROM b\nCOPY --from=build /out /out\nCOPY --from=1 /x /x\n"
            );
            assert_eq!(lines_of(&text, None, ".env", true), expected, "{text}");
        }
        // A stage that the image takes nothing of does nothing to it.
        assert_eq!(lines_of("FROM a\nCOPY . .\nRUN cp .env /out\nFROM b\n", None, ".env", true), [] as [u32; 0]);
    }

    /// The lines that put `path` of a context into the image.
    fn lines(text: &str, context: Option<&str>, path: &str) -> Vec<u32> {
        lines_of(text, context, path, false)
    }

    /// Those that put it there, or that may.
    fn lines_of(text: &str, context: Option<&str>, path: &str, is_moved: bool) -> Vec<u32> {
        let mut file = Dockerfile::parse(text);
        file.resolve(&std::collections::BTreeMap::new());
        let contexts = BTreeSet::from(["more"]);
        let layers = Layers::new(&file, &contexts);
        let by = if is_moved { layers.moving(None, context, path) } else { layers.taking(None, context, path) };
        by.iter().map(|it| it.line).collect()
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
