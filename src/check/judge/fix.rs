//! The commands that findings propose.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Bench;
use crate::check::facts::{ExpectedFile, Handwritten, StoreFact, Written};
use crate::manifest::hook::Step;
use crate::manifest::{Declaration, Format, Kind};
use crate::name::{OutputName, SecretName};
use crate::shell;

/// A line of the manifest, and the table that it belongs to.
pub(super) fn in_table(table: &str, line: impl std::fmt::Display) -> String {
    format!("in [{table}] of vault-kit.toml: {line}")
}

/// A name as a key of the manifest.
pub(super) fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.bytes().all(is_bare) { name.to_owned() } else { format!("\"{name}\"") }
}

/// What comes before a line of a file is imported in which Compose expands a `$`.
pub(super) fn quoted_first(path: &str, line: usize) -> String {
    format!("in {path}:{line}: put the value that runs between single quotes, for Compose expands the `$` in it; then:")
}

impl<'a> Bench<'a> {
    /// `vault-kit …`, for the environment that is judged.
    pub(super) fn command(&self, words: &str) -> String {
        if *self.environment == self.manifest.default_environment {
            format!("vault-kit {words}")
        } else {
            format!("vault-kit -e {} {words}", self.environment)
        }
    }

    /// How everything gets its first value. A second store beside that of another work tree would have others.
    pub(super) fn first(&self) -> String {
        let Some(main) = &self.facts.main_tree else { return self.command("init") };
        self.command("check").replacen("vault-kit", &format!("vault-kit -C {}", shell::path(main)), 1)
    }

    /// How a secret gets a new value.
    pub(super) fn replace(&self, name: &SecretName) -> String {
        match self.manifest.secret(name) {
            Some(declaration) if !declaration.is_generated() => self.supply(declaration),
            // Its owner has to be told, which `generate` does not.
            Some(it) if self.manifest.hooks_for(it, Step::Set).next().is_some() => {
                self.command(&format!("rotate {name}"))
            }
            Some(_) => self.command(&format!("generate --replace {name}")),
            // Nobody knows how one is made, nor needs it.
            None => self.command(&format!("remove {name}")),
        }
    }

    /// How a secret whose time is over, or soon will be, gets a new value.
    pub(super) fn renew(&self, name: &SecretName) -> String {
        match self.manifest.secret(name).map(|it| &it.kind) {
            Some(Kind::Ca(_) | Kind::Certificate(_)) => self.command(&format!("cert renew {name}")),
            _ => self.replace(name),
        }
    }

    /// How nothing is left of a file that no output has any more; lines of others stay.
    pub(super) fn removal(&self, path: &str, remains: &[String]) -> String {
        if self.facts.changed.contains(path) {
            return format!(
                "in {path}, which was changed since: take out what vault-kit wrote; remove it only if nothing else is in it"
            );
        }
        if self.facts.shared.contains(path) {
            return format!("in {path}: take out vault-kit's block, from its first marker line to its last");
        }
        let words: Vec<String> = remains.iter().map(|path| shell::path(path)).collect();
        format!("rm {}", words.join(" "))
    }

    /// How a secret gets its first value.
    pub(super) fn create(&self, declaration: &Declaration) -> String {
        if let Some((path, written)) = self.assigning(declaration) {
            let (import, file, name) = (format!("import {}", shell::path(path)), shell::path(path), &declaration.name);
            if let Written::Expands(line) = written {
                let import = self.command(&import);
                return format!("{} {import}", quoted_first(path, line));
            }
            let other = self.command(&if declaration.is_generated() {
                format!("generate {name}")
            } else {
                declaration.supply_words()
            });
            self.command(&format!("{import}    # takes what {file} has for {name}; for another value: {other}"))
        } else if declaration.is_generated() {
            self.command(&format!("generate {}", declaration.name))
        } else {
            self.supply(declaration)
        }
    }

    /// The file in which a person wrote a value for a secret that can be taken; what is made of others is taken from no file.
    fn assigning(&self, declaration: &Declaration) -> Option<(&'a str, Written)> {
        let written = |state: &Handwritten| match state {
            Handwritten::Outside(names) | Handwritten::Undelimited(names) => names.get(&declaration.name).copied(),
            Handwritten::Illegible(_) => None,
        };
        let mut found =
            self.facts.handwritten.iter().filter_map(|(path, state)| Some((path.as_str(), written(state)?)));
        let found = found.find(|(_, it)| !matches!(it, Written::Placeholder | Written::Refused));
        found.filter(|_| declaration.before_import().is_none())
    }

    /// How an output gets its files: what `render` would stop at comes first.
    pub(super) fn render(&self, output: &OutputName) -> String {
        if self.ledger.is_none() && self.facts.store == StoreFact::Absent {
            return self.first();
        }
        match self.wanting(output) {
            Some(declaration) => self.create(declaration),
            None => self.command("render"),
        }
    }

    /// What takes in what a file has, where a person supplies that: it may be the new one, and nowhere else. So may all values of a
    /// file of which the ledger does not know that it was written, and which is not replaced without a yes.
    pub(super) fn keeping<'n>(
        &self,
        expected: &ExpectedFile,
        edited: impl Iterator<Item = &'n SecretName>,
    ) -> Option<String> {
        let output = self.manifest.outputs.get(&expected.output)?;
        let is_read = matches!(output.format, Format::DockerSecrets { .. } | Format::Dotenv { .. } | Format::Json)
            && !self.facts.handwritten.contains_key(&expected.path);
        let is_unknown = self.ledger.is_some_and(|ledger| !ledger.files.contains_key(&expected.path));
        let is_kept = |name: &SecretName| {
            let declaration = self.manifest.secret(name);
            declaration.is_some_and(|it| matches!(it.kind, Kind::External) || is_unknown && it.kind.is_single())
        };
        let render = self.command(if is_unknown { "render --yes" } else { "render" });
        let edited: Vec<&SecretName> = edited.collect();
        let Some(name) = edited.iter().find(|name| is_read && is_kept(name)) else {
            return Some(render).filter(|_| is_unknown && !edited.is_empty());
        };
        let file = shell::path(&expected.path);
        Some(
            self.command(&format!(
                "import --replace {file}    # takes what {file} has for {name}; to drop it: {render}"
            )),
        )
    }

    /// The first value that an output waits for: one that a person supplies, before those that are made then.
    fn wanting(&self, output: &OutputName) -> Option<&'a Declaration> {
        let (manifest, ledger) = (self.manifest, self.ledger?);
        let mut names: Vec<&SecretName> = manifest.outputs.get(output)?.secrets.iter().collect();
        let mut wanting: Vec<&Declaration> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some(name) = names.pop() {
            let Some(declaration) = manifest.secret(name).filter(|it| it.is_in(self.environment)) else { continue };
            if seen.insert(name) {
                names.extend(declaration.references());
                let has = |name: &SecretName| ledger.secrets.contains_key(name);
                let is_there = has(name) || manifest.is_excused(declaration, &has) || !declaration.is_stored();
                wanting.extend((!is_there).then_some(declaration));
            }
        }
        wanting.into_iter().min_by_key(|it| (it.is_generated(), &it.name))
    }

    fn supply(&self, declaration: &Declaration) -> String {
        let mut fix = self.command(&declaration.supply_words());
        let from = declaration.obtain.as_ref().map(|it| format!("from: {it}"));
        let owner = declaration.owner.as_ref().map(|it| format!("owner: {it}"));
        let notes: Vec<String> = from.into_iter().chain(owner).map(|it| it.replace(['\n', '\r'], " ")).collect();
        if !notes.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(fix, "    # {}", notes.join("; "));
        }
        fix
    }
}
