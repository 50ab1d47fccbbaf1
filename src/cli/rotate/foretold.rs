//! Which hooks a rehearsed run would call: their programs, the files that they are told of, and who reads those.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::intended::not_startable;
use crate::check::delivered::Delivered as Declared;
use crate::cli::context::Context;
use crate::cli::readers;
use crate::cli::session::Session;
use crate::cli::summary::row;
use crate::deliver::{FileReport, Outcome};
use crate::error::{Error, Result};
use crate::manifest::hook::Step;
use crate::name::{OutputName, SecretName};
use crate::rotate::calls;
use crate::rotate::programs::Programs;
use crate::rotate::select::{Order, Selection};
use crate::store::Store;
use crate::ui::Ui;

/// One call of a hook.
#[derive(Debug, Serialize)]
pub struct Call {
    step: &'static str,
    hook: String,
    /// As the manifest names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretName>,
    /// The files that would change for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    /// The services of the declared Compose files that read those.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    services: BTreeSet<String>,
    /// The overlap that goes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// All calls of a run, in their order.
#[derive(Debug)]
pub struct Calls {
    before: Vec<Call>,
    after: Vec<Call>,
}

/// What a run of a selection would call, with the files that it would change; `promised` are those whose owners go on accepting
/// what is given up, and `keeping` those whose owners accept for a while what is replaced.
pub fn calls(
    session: &Session<'_>,
    store: &Store,
    programs: &dyn Programs,
    (order, selection, promised): (&Order, &Selection, &BTreeSet<SecretName>),
    (keeping, files): (&BTreeSet<SecretName>, &[FileReport]),
) -> Result<Calls> {
    let (before, after) = calls::calls(selection, promised, store, programs);
    let of_secret = |call: calls::Call, is_last: bool| {
        let declaration = session.manifest.secret(&call.secret).filter(|it| is_last && keeping.contains(&it.name));
        let overlap = declaration.and_then(|it| it.overlap_in(session.manifest.environments.get(&session.environment)));
        let after = overlap.map(|it| it.to_string());
        Call { secret: Some(call.secret), after, ..of_hook(session, call.step, call.hook) }
    };
    let mut after: Vec<Call> = after.into_iter().map(|call| of_secret(call, true)).collect();
    let is_owed = |name: &str| {
        let trouble = store.rotations.reloads.get(name);
        trouble.is_some_and(|it| *order != Order::Due || it.again().is_none_or(|at| at <= session.context.now))
    };
    let mut reloads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let owed = store.rotations.reloads.keys().filter(|name| is_owed(name) && programs.is_declared(name));
    reloads.extend(owed.map(|name| (name.clone(), BTreeSet::new())));
    for (output, path) in changing(session, files) {
        for hook in programs.reloads(&BTreeSet::from([output])) {
            reloads.entry(hook).or_default().insert(path.clone());
        }
    }
    let all: BTreeSet<&str> = reloads.values().flatten().map(String::as_str).collect();
    let services = readers::of(session, &all)?;
    let readers = |path: &String| services.get(path).cloned().unwrap_or_default();
    let reload = |(hook, files): (String, BTreeSet<String>)| Call {
        services: files.iter().flat_map(readers).collect(),
        files: files.into_iter().collect(),
        ..of_hook(session, Step::Reload, hook)
    };
    after.splice(0..0, reloads.into_iter().map(reload));
    Ok(Calls { before: before.into_iter().map(|call| of_secret(call, false)).collect(), after })
}

fn of_hook(session: &Session<'_>, step: Step, hook: String) -> Call {
    let program = session.manifest.hooks.get(hook.as_str()).map(|it| it.program.clone());
    let (files, services) = (Vec::new(), BTreeSet::new());
    Call { step: step.name(), hook, program, secret: None, files, services, after: None }
}

/// The outputs that have one of these secrets.
pub fn outputs_of(session: &Session<'_>, secrets: &BTreeSet<SecretName>) -> BTreeSet<OutputName> {
    let outputs = session.manifest.outputs_in(&session.environment);
    outputs.filter(|it| it.secrets.iter().any(|name| secrets.contains(name))).map(|it| it.name.clone()).collect()
}

/// The files that would be written, with their outputs.
pub fn changing(session: &Session<'_>, files: &[FileReport]) -> Vec<(OutputName, String)> {
    let declared = Declared::new(&session.manifest, &session.environment);
    let changed = files.iter().filter(|it| it.outcome != Outcome::Unchanged);
    changed.filter_map(|it| Some((declared.output(&it.path)?.name.clone(), it.path.clone()))).collect()
}

/// Whether a run refuses to begin where a program could not be started that has to read the files which change: some would go on with
/// old values. What leaked is replaced all the same, and a schedule has what is owed tried again.
pub fn expects_reloads(store: &Store, order: &Order, selection: &Selection) -> bool {
    let mut all = selection.fresh.iter().chain(&selection.going);
    matches!(order, Order::Now(_)) && !all.any(|name| store.is_current_leaked(name))
}

/// Refuses files of which a reader could not be started.
pub fn refuse_unread(session: &Session<'_>, programs: &dyn Programs, files: &[FileReport]) -> Result<()> {
    let outputs = changing(session, files).into_iter().map(|(output, _)| output).collect();
    programs.expect(&programs.reloads(&outputs)).map_err(|error| error.hint("nothing was changed"))
}

/// Whether any program that reads files could not be started: only then need be known which change.
pub fn lacks_readers(session: &Session<'_>, programs: &dyn Programs) -> bool {
    let outputs = session.manifest.outputs_in(&session.environment).map(|it| it.name.clone()).collect();
    programs.expect(&programs.reloads(&outputs)).is_err()
}

impl Calls {
    /// Why those of the hooks could not be started that could not, as the run itself says it: first what it begins with, and the readers
    /// of files where it `expects_reloads`, before anything is changed; then those of steps that fail.
    pub fn unusable(
        &self,
        context: &Context,
        programs: &dyn Programs,
        (selection, expects_reloads): (&Selection, bool),
    ) -> (Vec<Error>, Vec<Error>) {
        let is_begun_with = |call: &Call| match &call.secret {
            Some(name) => selection.fresh.contains(name),
            None => expects_reloads && !call.files.is_empty(),
        };
        let (first, later): (Vec<&Call>, Vec<&Call>) = self.all().partition(|call| is_begun_with(call));
        let first: BTreeSet<&str> = first.into_iter().map(|call| call.hook.as_str()).collect();
        let later = later.into_iter().map(|call| call.hook.as_str()).filter(|hook| !first.contains(hook));
        let later = not_startable(context, programs, later).into_iter().map(Error::incomplete).collect();
        (not_startable(context, programs, first.iter().copied()), later)
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = &Call> {
        self.before.iter().chain(&self.after)
    }

    /// Tells of those before the new values are in force.
    pub fn tell_before(&self, ui: Ui) {
        self.before.iter().for_each(|call| call.tell(ui));
    }

    /// Tells of those after the files were written.
    pub fn tell_after(&self, ui: Ui) {
        self.after.iter().for_each(|call| call.tell(ui));
    }
}

impl Call {
    fn tell(&self, ui: Ui) {
        let program = self.program.as_ref().map_or_else(String::new, |path| format!(" ({path})"));
        let by = format!("by hook `{}`{program}", self.hook);
        let verb = format!("would {}", self.step);
        let line = if let Some(secret) = &self.secret {
            let after = self.after.as_ref().map(|it| format!(", {it} after the new value is in force"));
            row(&verb, secret, format_args!("{by}{}", after.unwrap_or_default()))
        } else {
            let files = if self.files.is_empty() { "what is owed".to_owned() } else { self.files.join(", ") };
            let services: Vec<String> = self.services.iter().map(|name| format!("`{name}`")).collect();
            let readers = if services.is_empty() { String::new() } else { format!(", for {}", services.join(", ")) };
            row(&verb, &files, format_args!("{by}{readers}"))
        };
        ui.say(&line);
    }
}
