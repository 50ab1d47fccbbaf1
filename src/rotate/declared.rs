//! The hooks of a manifest as a rotation asks for them: the only place that knows both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Problem;
use super::programs::{Call, Ended, Programs, Running, Status, Step};
use crate::error::{Error, Result};
use crate::hook::{self, Affected, Given, Hook, Program};
use crate::manifest::{Declaration, Format, Manifest, Output};
use crate::name::{EnvName, OutputName, SecretName};
use crate::plan;
use crate::secret::Secret;
use crate::store::rotations::Failure;
use crate::store::{Store, Version};

/// Finds the program of a hook, if it is there and trusted.
pub type Find<'a> = Box<dyn Fn(&Hook) -> Result<Program> + 'a>;

/// The declared hooks, and how their programs are found.
#[expect(missing_debug_implementations, reason = "whoever finds programs may be anything")]
pub struct Declared<'a> {
    /// What is declared.
    pub manifest: &'a Manifest,
    /// The environment at hand.
    pub environment: &'a EnvName,
    /// The project's directory.
    pub directory: &'a Path,
    /// Finds their programs.
    pub find: Find<'a>,
}

impl Programs for Declared<'_> {
    fn hooks(&self, secret: &SecretName, step: Step) -> Vec<String> {
        let declaration = self.manifest.secret(secret).filter(|it| it.is_in(self.environment));
        let hooks = declaration.into_iter().flat_map(|it| self.manifest.hooks_for(it, step));
        hooks.map(|hook| hook.name.to_string()).collect()
    }

    fn reloads(&self, outputs: &BTreeSet<OutputName>) -> BTreeSet<String> {
        outputs.iter().flat_map(|output| self.manifest.reloads(output)).map(|hook| hook.name.to_string()).collect()
    }

    fn is_declared(&self, hook: &str) -> bool {
        self.manifest.hooks.contains_key(hook)
    }

    fn given(&self, secret: &SecretName) -> BTreeSet<SecretName> {
        let declaration = self.manifest.secret(secret).filter(|it| it.is_in(self.environment));
        let steps = [Step::Set, Step::Test, Step::Retire];
        let hooks = declaration.into_iter().flat_map(|it| steps.map(|step| self.manifest.hooks_for(it, step)));
        hooks.flatten().flat_map(|hook| hook.secrets.iter().cloned()).collect()
    }

    fn expect(&self, hooks: &BTreeSet<String>) -> Result<()> {
        let refusals = hooks.iter().filter_map(|name| self.hook(name).and_then(|hook| (self.find)(hook)).err());
        Error::all(refusals).map_or(Ok(()), Err)
    }

    fn start(&self, call: &Call<'_>) -> Result<Box<dyn Running>> {
        let hook = self.hook(call.hook)?;
        let program = (self.find)(hook)?;
        let input = self.input(hook, call)?.into_input()?;
        Ok(Box::new(Started(program.start(call.step, input)?)))
    }
}

impl Declared<'_> {
    /// Has the hooks with `notify` tell a person what failed, and the command that goes on with it; answers with what is to be
    /// said where one could not.
    pub fn notify(&self, problem: &Problem, error: &Error, resume: &str) -> Vec<String> {
        let message = error.to_string();
        let told = |hook: &Hook| self.tell(hook, problem, &message, resume);
        let failed = |hook: &Hook| match told(hook) {
            Ok(hook::Status::Done) => None,
            Ok(_) => Some(format!("hook `{}` could not notify anybody", hook.name)),
            Err(error) => Some(format!("hook `{}` could not notify anybody: {error}", hook.name)),
        };
        self.manifest.notifiers().filter_map(failed).collect()
    }

    fn tell(&self, hook: &Hook, problem: &Problem, message: &str, resume: &str) -> Result<hook::Status> {
        let Failure { step, code, .. } = &problem.failure;
        let failure = hook::Failure {
            secret: problem.secret.as_ref(),
            step,
            hook: self.manifest.hooks.get(problem.failure.hook.as_str()).map(|it| &it.name),
            code,
            message,
            resume,
        };
        let call = hook::Call {
            step: Step::Notify,
            project: &self.manifest.project,
            environment: self.environment,
            rotation: None,
            secret: None,
            new: None,
            old: None,
            secrets: BTreeMap::new(),
            options: &hook.options,
            outputs: Vec::new(),
            changed: Vec::new(),
            failure: Some(failure),
        };
        let program = (self.find)(hook)?;
        Ok(program.start(Step::Notify, call.into_input()?)?.wait()?.status)
    }

    fn hook(&self, name: &str) -> Result<&Hook> {
        let undeclared = || Error::usage(format!("the hook `{name}` is not declared any more"));
        self.manifest.hooks.get(name).ok_or_else(undeclared)
    }

    fn input<'c>(&'c self, hook: &'c Hook, call: &Call<'c>) -> Result<hook::Call<'c>> {
        let declaration = call.secret.and_then(|name| self.manifest.secret(name));
        let give = |version: &'c Version| given(declaration, version);
        let operation = call.secret.and_then(|name| call.store.rotations.running.get(name));
        // Without a record everything may have changed.
        let unread = call.store.rotations.unread.get(call.hook).filter(|_| call.step == Step::Reload);
        let outputs = self.outputs(hook, call.secret, unread)?;
        let names = outputs.iter().filter(|_| call.step == Step::Reload).flat_map(|it| it.secrets.iter().copied());
        let changed: BTreeSet<&SecretName> = names.collect();
        Ok(hook::Call {
            step: call.step,
            project: &self.manifest.project,
            environment: self.environment,
            rotation: operation.and_then(|it| it.candidate).or_else(|| call.new.map(|it| it.id)),
            secret: call.secret.zip(declaration.map(|it| it.kind.name())),
            new: call.new.map(give),
            old: call.old.map(give),
            secrets: hook.secrets.iter().map(|name| self.current(call.store, name)).collect::<Result<_>>()?,
            options: &hook.options,
            outputs,
            changed: changed.into_iter().collect(),
            failure: None,
        })
    }

    fn current<'c>(&'c self, store: &'c Store, name: &'c SecretName) -> Result<(&'c SecretName, Given<'c>)> {
        let declaration = self.manifest.secret(name);
        let version = declaration.and_then(|it| store.accepted(it));
        let version =
            version.ok_or_else(|| Error::usage(format!("`{name}`, which the hook is to get, has no value")))?;
        Ok((name, given(declaration, version)))
    }

    /// The files that a secret and what is made of it are delivered in; for `reload` those that the hook is about, as far as
    /// their secrets are `unread`.
    fn outputs<'c>(
        &'c self,
        hook: &'c Hook,
        secret: Option<&SecretName>,
        unread: Option<&BTreeSet<SecretName>>,
    ) -> Result<Vec<Affected<'c>>> {
        let made = secret.map(|name| plan::dependents(self.manifest, &BTreeSet::from([name.clone()])));
        let directory = std::path::absolute(self.directory).map_err(|error| Error::io("find the project", error))?;
        let is_its = |name: &OutputName| hook.outputs.as_ref().is_none_or(|outputs| outputs.contains(name));
        let outputs = self.manifest.outputs_in(self.environment).filter(|it| secret.is_some() || is_its(&it.name));
        let is_meant = |name: &&SecretName| {
            made.as_ref().is_none_or(|made| made.contains(*name)) && unread.is_none_or(|unread| unread.contains(*name))
        };
        let affected = |output: &'c Output| {
            let secrets: Vec<&SecretName> = output.secrets.iter().filter(is_meant).collect();
            let places = if unread.is_some() { files(output, &secrets) } else { vec![(output.path.clone(), secrets)] };
            places.into_iter().map(|(path, secrets)| Affected {
                output: &output.name,
                // One that is absolute already stays what it is.
                path: directory.join(path).display().to_string(),
                secrets,
            })
        };
        Ok(outputs.flat_map(affected).filter(|it| !it.secrets.is_empty()).collect())
    }
}

/// Where in an output these secrets are: a program that reads others of it is left alone.
fn files<'c>(output: &Output, secrets: &[&'c SecretName]) -> Vec<(String, Vec<&'c SecretName>)> {
    match output.format {
        Format::DockerSecrets { .. } => {
            let places = |name: &&'c SecretName| {
                [output.file_of(name), output.previous_file_of(name)].map(|path| (path, vec![*name]))
            };
            secrets.iter().flat_map(places).collect()
        }
        _ => vec![(output.path.clone(), secrets.to_vec())],
    }
}

fn given<'c>(declaration: Option<&'c Declaration>, version: &'c Version) -> Given<'c> {
    let username = declaration.and_then(|it| it.username(&version.facts));
    Given { version: version.id, username, parts: &version.parts }
}

struct Started(hook::Running);

impl Running for Started {
    fn wait(self: Box<Self>) -> Result<Box<dyn Ended>> {
        Ok(Box::new(self.0.wait()?))
    }
}

impl Ended for hook::Ended {
    fn status(&self) -> Status {
        match self.status {
            hook::Status::Done => Status::Done,
            hook::Status::Later => Status::Later,
            hook::Status::Failed(_) | hook::Status::Killed(_) => Status::Failed,
            hook::Status::TimedOut => Status::TimedOut,
            hook::Status::Interrupted => Status::Interrupted,
        }
    }

    fn said(&self, values: &[&Secret]) -> String {
        self.redacted(values)
    }
}
