//! Credentials that somebody typed into the manifest, which is committed and read by everybody.

use super::Bench;
use super::fix::{in_table, key};
use crate::check::finding::{Code, Finding};
use crate::credential::{Argument, has_credential, in_document, is_literal, is_rest_of, looks_random, typed};
use crate::manifest::hook::Hook;
use crate::manifest::template::{Piece, Template};
use crate::manifest::{Declaration, Format, Kind, Output};
use crate::name::SecretName;

/// What is to be done besides: git has the text by now.
const REPLACE: &str = "replace the value, which may be in the history";

impl Bench<'_> {
    /// Values are in the store. Of every environment: what one of them does not use is read all the same.
    pub(super) fn typed(&mut self) {
        let manifest = self.manifest;
        for declaration in manifest.secrets.values() {
            self.typed_value(declaration);
            let texts = [
                ("description", &declaration.description),
                ("obtain", &declaration.obtain),
                ("owner", &declaration.owner),
            ];
            for (field, text) in texts {
                let has_one = |text: &str| has_credential(text) || field == "obtain" && is_handed_over(text);
                if text.as_deref().is_some_and(has_one) {
                    self.typed_in(declaration, field, &format!("take it out of `{field}`; {REPLACE}"));
                }
            }
        }
        for hook in manifest.hooks.values() {
            self.typed_option(hook);
        }
        for (name, environment) in &manifest.environments {
            let endpoint = environment.aws.as_ref().and_then(|aws| aws.endpoint.as_deref());
            if endpoint.is_some_and(has_credential) {
                let message = format!("`environments.{name}.aws.endpoint` has a credential in it");
                let fix = format!("take it out of `endpoint`; {REPLACE}");
                self.about_file(Code::SecretInManifest, &manifest.file, message, fix);
            }
            for (tag, text) in environment.aws.iter().flat_map(|aws| &aws.tags) {
                self.typed_mark(&format!("environments.{name}.aws.tags"), (tag, text), None);
            }
        }
        for output in manifest.outputs.values() {
            self.typed_marks(output);
        }
        for allowance in manifest.allowances.iter().filter(|it| has_credential(&it.reason)) {
            self.typed_at("`check.allow.reason`", "reason", Some(allowance.line));
        }
        for line in manifest.comments.with_credential() {
            self.typed_at("a comment", "comment", Some(line));
        }
    }

    /// What an object in Kubernetes is marked with.
    fn typed_marks(&mut self, output: &Output) {
        let object = match &output.format {
            Format::KubernetesSecret(object) => object,
            Format::ExternalSecret(it) => &it.object,
            _ => return,
        };
        for (field, marks) in [("annotations", &object.annotations), ("labels", &object.labels)] {
            for mark in marks {
                self.typed_mark(&format!("outputs.{}.{field}", output.name), mark, Some(output.line));
            }
        }
    }

    /// A tag, label or annotation.
    fn typed_mark(&mut self, table: &str, (name, text): (&String, &String), line: Option<usize>) {
        if is_literal(name.rsplit('/').next().unwrap_or(name), text) {
            self.typed_at(&format!("`{table}.{}`", key(name)), name, line);
        }
    }

    fn typed_at(&mut self, place: &str, short: &str, line: Option<usize>) {
        let fix = format!("take it out of `{short}`; {REPLACE}");
        let finding = Finding::new(Code::SecretInManifest, format!("{place} has a credential in it"), fix);
        let finding = finding.of_file(&self.manifest.file);
        let line = line.and_then(|line| u32::try_from(line).ok());
        self.verdict.findings.push(match line {
            Some(line) => finding.at_line(line),
            None => finding,
        });
    }

    /// A setting that is none, and a template that has more in it than what it is made of.
    fn typed_value(&mut self, declaration: &Declaration) {
        let name = declaration.name.as_str();
        let table = format!("secrets.{}", key(name));
        match &declaration.kind {
            Kind::Setting { value, values } if value.iter().chain(values.values()).any(|it| is_literal(name, it)) => {
                let line = "kind = \"external\", without a value";
                let set = self.command(&format!("set {name}"));
                let fix = format!("{}    # then: {set}; {REPLACE}", in_table(&table, line));
                self.typed_in(declaration, "value", &fix);
            }
            Kind::Template(template) if self.has_typed(name, template) => {
                let line = "template = \"…${NAME}…\", and declare NAME for it";
                let fix = format!("{}; {REPLACE}", in_table(&table, line));
                self.typed_in(declaration, "template", &fix);
            }
            _ => {}
        }
    }

    /// Whether a credential stands beside what a template puts in: where that is a secret, the rest is what joins it.
    fn has_typed(&self, name: &str, template: &Template) -> bool {
        let is_setting = |name: &SecretName| self.manifest.secret(name).is_some_and(|it| !it.is_stored());
        let mut written = String::new();
        for piece in &template.pieces {
            match piece {
                Piece::Literal(text) => written.push_str(text),
                Piece::Reference { name, .. } => {
                    if !is_setting(name) {
                        written.truncate(without_joint(&written).len());
                    }
                    written.extend(["${", name.as_str(), "}"]);
                }
            }
        }
        has_credential(&written)
            || in_document(&written).is_some()
            || template.references().all(is_setting) && is_rest_of(name, &written)
    }

    fn typed_option(&mut self, hook: &Hook) {
        let typed = hook.options.iter().filter(|(option, text)| is_literal(option, text));
        for (option, _) in typed {
            let name = &hook.name;
            let line =
                format!("take `{option}` out of options, and name a secret in `secrets`: the program gets its value");
            let fix = format!("{}; {REPLACE}", in_table(&format!("hooks.{name}"), line));
            let message = format!("`hooks.{name}.options.{option}` has a credential in it");
            let line = u32::try_from(hook.line).unwrap_or(u32::MAX);
            let finding = Finding::new(Code::SecretInManifest, message, fix);
            self.verdict.findings.push(finding.of_file(&self.manifest.file).at_line(line));
        }
    }

    fn typed_in(&mut self, declaration: &Declaration, field: &str, fix: &str) {
        let message = format!("has a credential in its `{field}`, which stands in the manifest");
        self.about_secret(Code::SecretInManifest, &declaration.name, message, fix);
    }
}

/// Whether a text has a command in it that is handed a credential, as in `curl -u admin:… https://console.example.com`.
fn is_handed_over(text: &str) -> bool {
    typed(&[Argument { text, is_whole: true }]).is_some()
}

/// A text without the word at its end to which a secret is joined, as in `redis://:pre-${DB_PASSWORD}@db`: that is no password of its
/// own, unless it looks like one.
fn without_joint(text: &str) -> &str {
    let before = text.trim_end_matches(|it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.'));
    if looks_random(&text[before.len()..]) { text } else { before }
}
