//! What Dockerfiles put into images.

use std::collections::{BTreeMap, BTreeSet};

use super::Bench;
use crate::check::deployed::{Context, Image, Unread};
use crate::check::finding::{Code, Finding, listed, listed_paths};
use crate::compose::Service;
use crate::credential::{
    Argument, is_credential, is_dummy, is_literal, is_secret_file, is_stopgap, typed, without_dummies,
};
use crate::ignore_lines;
use crate::image::dockerfile::{Dockerfile, Does, Instruction, Program, Setting};
use crate::image::layers::{Layers, Source};
use crate::manifest::Declaration;
use crate::name::SecretName;
use crate::shell;

/// The directory of our own.
const PRIVATE: &str = ".vault-kit/";

impl Bench<'_> {
    /// Every image that is built here, by the service that it is for.
    pub(super) fn images(&mut self) {
        let facts = self.facts;
        let Some(project) = &facts.deployed.compose else { return };
        for (name, image) in &facts.deployed.images {
            let Some(service) = project.services.get(name) else { continue };
            match &image.dockerfile {
                Ok((file, dockerfile)) => {
                    let stages = dockerfile.stages_of(image.target.as_deref());
                    for instruction in &dockerfile.instructions {
                        let is_behind = instruction.stage.is_none_or(|it| !stages.contains(&it)) && !stages.is_empty();
                        if !dockerfile.takes_in_nothing(instruction) {
                            self.instruction(file, image, instruction, is_behind);
                        }
                    }
                    self.copies(name, file, dockerfile, image);
                }
                Err(unread) => self.unread(service, &format!("the image of `{name}`"), unread),
            }
            match &image.context.ignored {
                Ok(_) => self.context(service, image),
                Err(unread) => self.unread(service, &format!("the build context of `{name}`"), unread),
            }
        }
    }

    /// A file of a build that nobody can read as it is.
    fn unread(&mut self, service: &Service, what: &str, it: &Unread) {
        let Some(build) = service.build.as_ref().filter(|_| it.is_fault) else {
            return self.not_checked(what, &it.why);
        };
        let finding = Finding::new(Code::ComposeUnreadable, format!("{what} is not judged: {}", it.why), &it.fix);
        self.verdict.findings.push(finding.of_file(&build.at.file).at_line(build.at.line));
    }

    /// Variables, arguments and labels that carry a secret. What only stages have that stay behind is in no layer of the image: there a
    /// name alone, which may be that of a credential, is none, and what is passed in has to be declared.
    fn instruction(&mut self, file: &str, image: &Image, instruction: &Instruction, is_behind: bool) {
        let (what, setting, is_secret) = match &instruction.does {
            Does::Argument(it) => ("the build argument", it, self.is_passed_in(it)),
            Does::Variable(it) => ("the variable", it, self.is_set(it)),
            Does::Label(it) => ("the label", it, self.is_set(it)),
            Does::Runs(program) => return self.program(file, image, instruction.line, program, is_behind),
            Does::Copies(_) | Does::Directory(_) | Does::User(_) => return,
        };
        let is_typed = !setting.expands && setting.value.as_deref().is_some_and(|it| !is_stopgap(it));
        let is_declared = self.manifest.secret(&setting.name).is_some_and(Declaration::is_stored);
        if is_secret && (!is_behind || is_typed || is_declared) {
            let message = format!("{what} `{}` stays {}", setting.name, stays(is_behind));
            let fix = "hand it over when the container starts; for a build: RUN --mount=type=secret";
            self.verdict.findings.push(
                Finding::new(Code::SecretInImage, message, fix).of_file(file).at_line(image.line_of(instruction.line)),
            );
        }
    }

    /// Credentials that are typed into what is run.
    fn program(&mut self, file: &str, image: &Image, line: u32, program: &Program, is_behind: bool) {
        // What only the step that assigns it sees.
        let words: Vec<String> = match program.keyword {
            "RUN" => program.words.iter().map(|text| without_dummies(text)).collect(),
            _ => program.words.clone(),
        };
        let arguments: Vec<Argument<'_>> = words.iter().map(|text| Argument { text, is_whole: true }).collect();
        if typed(&arguments).is_none() {
            return;
        }
        let message = format!("a credential is typed into `{}`, which stays {}", program.keyword, stays(is_behind));
        let fix = if ["ADD", "COPY", "RUN"].contains(&program.keyword) {
            "RUN --mount=type=secret,id=NAME …, which reads /run/secrets/NAME; replace the value, which may be in the history"
        } else {
            "hand it over when the container starts, as a file of the service's `secrets`; replace the value, which may be in the history"
        };
        self.verdict
            .findings
            .push(Finding::new(Code::SecretInImage, message, fix).of_file(file).at_line(image.line_of(line)));
    }

    fn is_secret_name(&self, name: &str) -> bool {
        match self.manifest.secret(name) {
            Some(declared) => declared.is_stored(),
            None => is_credential(name) && !name.ends_with("_FILE"),
        }
    }

    /// An argument: whoever names it has it passed in.
    fn is_passed_in(&self, it: &Setting) -> bool {
        match it.value.as_deref() {
            None | Some("") => self.is_secret_name(&it.name),
            Some(value) => self.is_set(it) && (it.expands || !is_stopgap(value)),
        }
    }

    /// A variable or label that has a credential as its value, or takes one in.
    fn is_set(&self, it: &Setting) -> bool {
        let value = it.value.as_deref().unwrap_or_default();
        let is_taken_in = it.expands && self.is_secret_name(&it.name);
        let is_declared = self.manifest.secret(&it.name).is_some_and(Declaration::is_stored);
        let is_one = || is_declared || is_literal(&it.name, value);
        is_taken_in || !it.expands && !is_dummy(value) && is_one() && !it.name.ends_with("_FILE")
    }

    /// Files with secrets that are copied into the image, at once or through a stage.
    fn copies(&mut self, name: &str, file: &str, dockerfile: &Dockerfile, image: &Image) {
        let (names, target) = (image.names(), image.target.as_deref());
        let layers = Layers::new(dockerfile, &names);
        for (of, context) in image.contexts() {
            let mut taken: BTreeMap<u32, (&Instruction, Vec<&str>)> = BTreeMap::new();
            let mut moved: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
            for path in candidates(&layers, image, (of, context)) {
                let taking = layers.taking(target, of, path);
                let moving = if taking.is_empty() { layers.moving(target, of, path) } else { Vec::new() };
                for instruction in moving {
                    moved.entry(instruction.line).or_default().push(path);
                }
                for instruction in taking {
                    taken.entry(instruction.line).or_insert((instruction, Vec::new())).1.push(path);
                }
            }
            for (line, (instruction, paths)) in taken {
                let from = if let Does::Copies(it) = &instruction.does { it.from.as_deref() } else { None };
                let from = from.map_or_else(String::new, |from| format!("out of `{from}` "));
                let ours = ours(context, &paths);
                let with =
                    if ours.is_empty() { String::new() } else { format!(", with the value of {}", listed(&ours)) };
                let message = format!("copies {} {from}into the image{with}", listed_paths(&paths));
                let finding = Finding::new(Code::SecretInImage, message, keep_back(context, &paths));
                self.verdict.findings.push(finding.of_file(file).at_line(image.line_of(line)));
            }
            for (line, paths) in moved {
                let line = image.line_of(line);
                let why = format!("`{file}:{line}` may put {} elsewhere, which is not followed", listed_paths(&paths));
                self.not_checked(taken_of(name, of), why);
            }
            if let Some(why) = &context.known.unseen {
                self.not_checked(taken_of(name, of), why);
            }
            for link in &context.known.links {
                self.not_checked(
                    taken_of(name, of),
                    format!("{} is behind a symlink, and is not looked at", listed_paths(&[link])),
                );
            }
        }
        for (instruction, copied, source) in layers.copies(target) {
            // What a stage has under the same name is found.
            let of = match source {
                Source::Context => None,
                Source::Named(of) => Some(of),
                Source::Stage(_) | Source::Image => continue,
            };
            if !copied.unknown.is_empty() {
                let line = image.line_of(instruction.line);
                let why = format!(
                    "`{file}:{line}` takes what `{}` says, which has no value here",
                    copied.unknown.join("`, `")
                );
                self.not_checked(taken_of(name, of), why);
            }
        }
    }

    /// Files with secrets that reach the builder, though no instruction of the image takes them.
    fn context(&mut self, service: &Service, image: &Image) {
        let names = image.names();
        let layers = image.dockerfile.as_ref().ok().map(|(_, it)| Layers::new(it, &names));
        let is_copied =
            |path: &&str| layers.is_some_and(|it| !it.taking(image.target.as_deref(), None, path).is_empty());
        let reaching: Vec<&str> = reaching(&image.context).filter(|it| !is_copied(it)).collect();
        let Some(build) = service.build.as_ref().filter(|_| !reaching.is_empty()) else { return };
        let at = build.context.as_ref().map_or(&build.at, |it| &it.text.at);
        let ignore_file = &image.context.ignore_file;
        let message = format!("{} reaches the builder: `{ignore_file}` does not keep it back", listed_paths(&reaching));
        let finding = Finding::new(Code::SecretInBuildContext, message, keep_back(&image.context, &reaching));
        self.verdict.findings.push(finding.of_file(&at.file).at_line(at.line));
    }
}

/// Where something stays that a stage has.
fn stays(is_behind: bool) -> &'static str {
    if is_behind {
        "in the builder's cache, and in the image's provenance where that has the arguments"
    } else {
        "in the image, where everybody reads it who has the image"
    }
}

/// What was not looked at of a context.
fn taken_of(service: &str, context: Option<&str>) -> String {
    match context {
        None => format!("what `COPY` takes of the build context of `{service}`"),
        Some(name) => format!("what `COPY` takes of the context `{name}` of `{service}`"),
    }
}

/// The files with secrets that are sent to the builder, by their paths in the context.
fn reaching(context: &Context) -> impl Iterator<Item = &str> {
    context.within.values().map(String::as_str).filter(|within| context.sends(within))
}

/// The secrets whose values are in files whose names say nothing of it.
fn ours<'c>(context: &'c Context, paths: &[&str]) -> Vec<&'c SecretName> {
    let is_delivered = |path: &str| context.within.values().any(|it| it == path);
    let others = paths.iter().filter(|path| !is_delivered(path));
    let ours: BTreeSet<&SecretName> = others.filter_map(|path| context.known.ours.get(*path)).flatten().collect();
    ours.into_iter().collect()
}

/// The files with secrets, by their paths in a context, that an instruction may take.
fn candidates<'i>(
    layers: &Layers<'i>,
    image: &'i Image,
    (of, context): (Option<&'i str>, &'i Context),
) -> BTreeSet<&'i str> {
    let known = context.known.files.iter().filter(|(_, holds)| **holds).map(|(within, _)| within.as_str());
    let source = of.map_or(Source::Context, Source::Named);
    let copies = layers.copies(image.target.as_deref()).into_iter().filter(|(_, _, it)| *it == source);
    // Whoever names one copies it, whoever writes it; of one that is there what is in it tells.
    let named = copies.flat_map(|(_, copied, _)| &copied.sources);
    let named = named.map(|it| it.trim_start_matches("./").trim_end_matches('/'));
    let named = named.filter(|it| is_secret_file(it) && !it.contains('*') && !context.known.files.contains_key(*it));
    let ours = context.known.ours.keys().map(String::as_str);
    reaching(context).chain(known).chain(ours).chain(named.filter(|it| context.sends(it))).collect()
}

/// The lines that keep files back.
fn keep_back(context: &Context, paths: &[&str]) -> String {
    // More is no line to be pasted.
    const MOST: usize = 10;
    // Whoever keeps a store back keeps all of them back, and the record beside them.
    let line = |path: &str| {
        let own = path.find(PRIVATE).filter(|&at| at == 0 || path[..at].ends_with('/'));
        shell::path(&ignore_lines::line_of(own.map_or(path, |at| &path[..at + PRIVATE.len()])))
    };
    let lines: BTreeSet<String> = paths.iter().map(|it| line(it)).collect();
    let more = lines.len().saturating_sub(MOST);
    let shown: Vec<String> = lines.into_iter().take(MOST).collect();
    // The last line of the file may have no end.
    let fix = format!("printf '\\n%s\\n' {} >> {}", shown.join(" "), shell::path(&context.ignore_file));
    if more == 0 { fix } else { format!("{fix}    # and {more} more") }
}
