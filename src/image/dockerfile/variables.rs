//! Variables put into what is copied, as far as they are known: from `ARG`, `ENV` and the arguments of the build.

use std::collections::BTreeMap;

use super::copied::Copied;
use super::{Dockerfile, Does, Setting};

/// The arguments of a build by name; `None` = its value is not known here.
pub type Arguments = BTreeMap<String, Option<String>>;

/// What Docker says of the platform, which is a word of a path, or two, and no secret.
const PLATFORM: [(&str, &str); 7] = [
    ("BUILDARCH", "*"),
    ("BUILDOS", "*"),
    ("BUILDPLATFORM", "*/*"),
    ("TARGETARCH", "*"),
    ("TARGETOS", "*"),
    ("TARGETPLATFORM", "*/*"),
    ("TARGETVARIANT", "*"),
];

/// What is known at an instruction.
#[derive(Clone, Default)]
struct Scope {
    arguments: Arguments,
    /// Those of the image, which go before arguments.
    variables: Arguments,
}

impl Dockerfile {
    /// Puts variables into names of stages, into sources and targets of copies and into working directories. A source with one that is
    /// not known is taken out, and the variable noted; elsewhere it stays as it is written, and is the same as itself.
    pub fn resolve(&mut self, given: &Arguments) {
        let mut global = Scope::default();
        let Self { stages, instructions } = self;
        for instruction in instructions.iter_mut().filter(|it| it.stage.is_none()) {
            global.take(&mut instruction.does, given, &Scope::default());
        }
        let mut scopes: Vec<Scope> = Vec::new();
        for at in 0..stages.len() {
            let (earlier, own) = stages.split_at_mut(at);
            own[0].base = global.put_in(&own[0].base).0;
            let base = own[0].base_among(earlier);
            let mut scope = base.map(|base| scopes[base].clone()).unwrap_or_default();
            for instruction in instructions.iter_mut().filter(|it| it.stage == Some(at)) {
                scope.take(&mut instruction.does, given, &global);
            }
            scopes.push(scope);
        }
    }
}

impl Scope {
    fn take(&mut self, does: &mut Does, given: &Arguments, global: &Self) {
        match does {
            Does::Argument(it) => {
                let platform =
                    || PLATFORM.iter().find(|(name, _)| *name == it.name).map(|(_, path)| (*path).to_owned());
                let default = || match &it.value {
                    Some(_) => self.value(it),
                    None => global.arguments.get(&it.name).cloned().flatten().or_else(platform),
                };
                let value = given.get(&it.name).cloned().unwrap_or_else(default);
                self.arguments.insert(it.name.clone(), value);
            }
            Does::Variable(it) => {
                let value = self.value(it);
                self.variables.insert(it.name.clone(), value);
            }
            Does::Directory(path) => *path = self.put_in(path).0,
            Does::Copies(copied) => self.copies(copied),
            Does::Runs(it) => it.mounts.iter_mut().for_each(|it| self.copies(it)),
            Does::Label(_) | Does::User(_) => {}
        }
    }

    fn copies(&self, copied: &mut Copied) {
        copied.target = self.put_in(&copied.target).0;
        copied.from = copied.from.take().map(|from| self.put_in(&from).0);
        let is_of_context = copied.from.is_none();
        for source in std::mem::take(&mut copied.sources) {
            let (text, unknown) = self.put_in(&source);
            // What stands in a stage was put there under the same name.
            if unknown.is_empty() || !is_of_context {
                copied.sources.push(text);
            }
            copied.unknown.extend(unknown);
        }
    }

    fn value(&self, it: &Setting) -> Option<String> {
        let text = it.value.as_deref()?;
        if !it.expands {
            return Some(text.to_owned());
        }
        let (text, unknown) = self.put_in(text);
        unknown.is_empty().then_some(text)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).or_else(|| self.arguments.get(name))?.as_deref()
    }

    /// A text with variables put in: `$A`, `${A}`, `${A:-x}`, `${A:+x}`; and the names of those that have no value, which stay.
    fn put_in(&self, text: &str) -> (String, Vec<String>) {
        let mut whole = String::with_capacity(text.len());
        let mut unknown = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            whole.push_str(before);
            let (written, name, value, next) = if let Some(inner) = behind.strip_prefix('{') {
                let end = inner.find('}').unwrap_or(inner.len());
                let (name, value) = self.braced(&inner[..end]);
                (format!("${{{}}}", &inner[..end]), name, value, inner.get(end + 1..).unwrap_or_default())
            } else {
                let (name, next) = behind.split_at(length_of_name(behind));
                let value = if name.is_empty() { Some("$".to_owned()) } else { self.get(name).map(str::to_owned) };
                (format!("${name}"), name, value, next)
            };
            if value.is_none() {
                unknown.push(name.to_owned());
            }
            whole.push_str(value.as_deref().unwrap_or(&written));
            rest = next;
        }
        whole.push_str(rest);
        (whole, unknown)
    }

    /// What stands between braces: the name, and the value if it is known.
    fn braced<'t>(&self, inner: &'t str) -> (&'t str, Option<String>) {
        let (name, word) = inner.split_at(length_of_name(inner));
        let value = self.get(name).map(str::to_owned);
        let value = match word.trim_start_matches(':').split_at_checked(1) {
            Some(("-", default)) => value.filter(|it| !it.is_empty()).or_else(|| Some(default.to_owned())),
            Some(("+", other)) => value.map(|it| if it.is_empty() { String::new() } else { other.to_owned() }),
            Some(("?", _)) | None => value,
            Some(_) => None,
        };
        (name, value)
    }
}

fn length_of_name(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the copies of a Dockerfile take, from where and where to, and what is not known.
    fn copied(text: &str, given: &[(&str, Option<&str>)]) -> Vec<String> {
        let mut file = Dockerfile::parse(text);
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
        file.resolve(&given.collect());
        let copies = file.instructions.iter().filter_map(|it| match &it.does {
            Does::Copies(it) => Some(it),
            _ => None,
        });
        copies.map(|it| format!("{} > {} ? {}", it.sources.join("|"), it.target, it.unknown.join("|"))).collect()
    }

    #[test]
    fn variables_come_from_arguments_the_build_and_the_image() {
        for (before, copy, expected) in [
            ("ARG S=.", "COPY ${S} /app", ". > /app ? "),
            ("ARG S=.", "COPY [\"$S\", \"/app\"]", ". > /app ? "),
            ("ENV S=a T=$S/b", "COPY $T/c /app", "a/b/c > /app ? "),
            ("ARG S=a\nENV S=b\nARG S=c", "COPY $S /app", "b > /app ? "),
            ("ARG GIVEN=a", "COPY $GIVEN /app", "given > /app ? "),
            ("", "COPY ${S:-.} ${T-x} /app", ".|x > /app ? "),
            ("ARG S=x", "COPY a${S:+b} /app", "ab > /app ? "),
            ("ARG S=''", "COPY a${S:+b}c /app", "ac > /app ? "),
            ("ARG GLOBAL", "COPY $GLOBAL /app", "global > /app ? "),
            ("", "COPY $GLOBAL /app", " > /app ? GLOBAL"),
            ("ARG S", "COPY ${S}/x y /app", "y > /app ? S"),
            ("ARG HIDDEN=a", "COPY $HIDDEN /app", " > /app ? HIDDEN"),
            ("ARG S=a", "COPY ${S#x} /app", " > /app ? S"),
            ("ENV S=$T", "COPY $S /app", " > /app ? S"),
            ("ARG TARGETARCH", "COPY bin/$TARGETARCH/app /", "bin/*/app > / ? "),
            ("ENV S='$T'", "COPY $S /app", "$T > /app ? "),
            ("", "COPY a /$T", "a > /$T ? "),
            ("", "COPY --from=b $T/x /", "$T/x > / ? T"),
            ("", "COPY a$ ${ /", "a$ > / ? "),
        ] {
            let text = format!("ARG GLOBAL=global\nFROM a\n{before}\n{copy}\n");
            let given = [("GIVEN", Some("given")), ("HIDDEN", None)];
            assert_eq!(copied(&text, &given), [expected], "{text}");
        }
    }

    #[test]
    fn a_stage_has_the_variables_of_what_it_begins_with() {
        let text = "ARG BASE=one\nFROM a AS one\nENV S=x\nFROM b AS two\nCOPY $S /\nFROM $BASE\nCOPY $S /\n";
        assert_eq!(copied(text, &[]), [" > / ? S", "x > / ? "]);
        assert_eq!(copied(text, &[("BASE", Some("two"))]), [" > / ? S", " > / ? S"]);
    }
}
