//! `import`: the values of an existing file into the store; what is running stays as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::bring_up;
use super::consequences::{self, Change};
use super::context::Context;
use super::input::read_for_change;
use super::readers;
use super::session::Session;
use super::summary::row;
use crate::check::{self, form};
use crate::deliver::ignored;
use crate::emit::dotenv_read::{self, Entry};
use crate::emit::json_read;
use crate::error::Result;
use crate::exit::{Exit, Kind};
use crate::manifest::model::Dialect;
use crate::manifest::{Declaration, Format, Kind as SecretKind};
use crate::name::SecretName;
use crate::plan::{self, Observed, Plan, Scope};
use crate::secret::Secret;
use crate::store::{Origin, Store};
use crate::ui::SCHEMA_VERSION;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    // Not `file`: that is the id of the global `--file`, and clap takes the two for one.
    /// A .env or JSON file, `-` for stdin; or the file of one secret that an output names
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// Read it as JSON whatever its name
    #[arg(long)]
    from_json: bool,
    /// Also replace values that the store has
    #[arg(long)]
    replace: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What became of each name in the file.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    schema_version: u32,
    imported: Vec<SecretName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    made: Vec<SecretName>,
    kept: Vec<String>,
    placeholders: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expanded: Vec<Expanded>,
    mismatched: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    malformed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    banned: Vec<String>,
    undeclared: Vec<String>,
    not_importable: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consequences: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A value that Compose makes of what the file says: who takes the text takes another value than the one that runs.
#[derive(Debug, Serialize)]
struct Expanded {
    name: String,
    line: usize,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    session.refuse_second_store()?;
    let entries = read(&session, arguments)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities =
        if arguments.dry_run { bring_up::planned_identity(&session)? } else { bring_up::identity(&session)? };
    let mut opened = if arguments.dry_run {
        bring_up::planned_store(&session, &identities)?
    } else {
        bring_up::store(&session, &identities)?
    };
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let mut outcome = Outcome { schema_version: SCHEMA_VERSION, ..Outcome::default() };
    for entry in entries {
        if let Some(declaration) = outcome.sort(&session, &opened.store, &entry, arguments.replace) {
            outcome.warnings.extend(form::doubt(&entry.name, entry.value.expose()));
            let broken = consequences::of_value(&session, &opened.store, declaration, Change::Replace);
            outcome.consequences.extend(broken);
            let version = world.given_version(&opened.store, declaration, entry.value, Origin::Imported)?;
            // What runs has it, unless a hook told its owner another one: then the store knows that it was not told this one.
            opened.store.promote(&declaration.name, version);
            outcome.imported.push(declaration.name.clone());
        }
    }
    let plan = derived(&world, &opened.store, &outcome.imported);
    outcome.consequences.extend(consequences::of_plan(&session, &opened.store, &plan));
    outcome.made = world.make(&mut opened.store, &plan)?;
    if !outcome.consequences.is_empty() {
        let render = session.command("render");
        outcome.consequences.push(format!("nothing is delivered yet: `{render}` delivers it with what is made of it"));
    }
    let mut record = || {
        world.preflight()?;
        ignored::add(&session.root, &session.manifest)?;
        world.record(&mut opened, "import", &[&outcome.imported[..], &outcome.made].concat())
    };
    let recorded = if arguments.dry_run { Ok(()) } else { record() };
    consequences::say_of(context, &outcome.consequences, recorded)?;
    outcome.tell(context, arguments)?;
    let lists = [&outcome.placeholders, &outcome.mismatched, &outcome.malformed];
    let refused = !lists.into_iter().all(Vec::is_empty) || !outcome.expanded.is_empty();
    let kinds = [(!outcome.banned.is_empty(), Kind::Conflict), (refused, Kind::Findings)];
    let gravest = Kind::most_severe(kinds.into_iter().filter_map(|(applies, kind)| applies.then_some(kind)));
    Ok(gravest.map_or(Exit::DONE, Exit::from))
}

/// What is made of the imported values, anew or for the first time. What a file may still bring is left to it: of what there
/// is no value of yet only templates are made, and none whose inputs are not all there.
fn derived(world: &World<'_>, store: &Store, imported: &[SecretName]) -> Plan {
    let imported: BTreeSet<SecretName> = imported.iter().cloned().collect();
    let dependents = plan::dependents(world.manifest, &imported);
    let observed = Observed { changed: imported.clone(), ..world.observe(store) };
    let mut plan = plan::plan(world.manifest, world.environment, &observed, &Scope::Missing(dependents.clone()));
    let mut there: BTreeSet<SecretName> = observed.secrets.into_keys().collect();
    plan.steps.retain(|step| {
        let name = &step.secret;
        let Some(declaration) = world.manifest.secret(name).filter(|_| dependents.contains(name)) else { return false };
        let is_there = |input: &SecretName| {
            there.contains(input) || world.manifest.secret(input).is_some_and(|it| !it.is_stored())
        };
        let is_due = there.contains(name)
            || matches!(declaration.kind, SecretKind::Template(_))
                && declaration.references().into_iter().all(is_there);
        let is_made = is_due && !imported.contains(name);
        if is_made {
            there.insert(name.clone());
        }
        is_made
    });
    Plan { steps: plan.steps, ..Plan::default() }
}

/// The names and values in the file.
fn read(session: &Session<'_>, arguments: &Arguments) -> Result<Vec<Entry>> {
    let bytes = read_for_change(session.context, &arguments.source)?;
    if let Some(name) = secret_delivered_at(session, &arguments.source) {
        let value = bytes.expose().strip_suffix(b"\n").unwrap_or(bytes.expose());
        let value = Secret::copy_of(value);
        return Ok(vec![Entry { name: name.to_string(), value, expands: false, line: 1, span: 0..0 }]);
    }
    let is_json = arguments.from_json || arguments.source.extension().is_some_and(|it| it == "json");
    let dialect = dialect_at(session, &arguments.source);
    let entries = if is_json { json_read::read(bytes.expose()) } else { dotenv_read::read_as(dialect, bytes.expose()) };
    let mut entries = entries.map_err(|error| {
        error.in_file(&arguments.source.display().to_string()).hint("nothing was changed; mend the line")
    })?;
    if entries.iter().any(|entry| entry.expands)
        && let Some(path) = beneath(session, &arguments.source)
        && readers::read_literally(session, &path)?
    {
        for entry in &mut entries {
            entry.expands = false;
        }
    }
    Ok(entries)
}

/// The path of a file in the project.
fn beneath(session: &Session<'_>, path: &Path) -> Option<String> {
    let path = session.context.resolve(path).canonicalize().ok()?;
    let root = session.root.path().canonicalize().ok()?;
    path.strip_prefix(root).ok()?.to_str().map(str::to_owned)
}

/// The secret whose file a `docker-secrets` output puts at this path.
fn secret_delivered_at<'s>(session: &'s Session<'_>, path: &Path) -> Option<&'s SecretName> {
    let below = beneath(session, path)?;
    let outputs = session.manifest.outputs_in(&session.environment);
    let mut outputs = outputs.filter(|output| matches!(output.format, Format::DockerSecrets { .. }));
    outputs.find_map(|output| {
        let is_here = |name: &&SecretName| output.file_of(name).trim_start_matches("./") == below;
        output.secrets.iter().find(is_here)
    })
}

/// The dialect of the output that writes this file: what it would write is what is read.
fn dialect_at(session: &Session<'_>, path: &Path) -> Dialect {
    let file = session.context.resolve(path).canonicalize().ok();
    let declared = session.manifest.outputs_in(&session.environment).find_map(|output| match output.format {
        Format::Dotenv { dialect } => {
            let written = session.root.path().join(&output.path).canonicalize().ok();
            (written.is_some() && written == file).then_some(dialect)
        }
        _ => None,
    });
    declared.unwrap_or(Dialect::Portable)
}

impl Outcome {
    /// Decides what becomes of an entry; tells the declaration as whose value it is to be stored.
    fn sort<'s>(
        &mut self,
        session: &'s Session<'_>,
        store: &Store,
        entry: &Entry,
        replace: bool,
    ) -> Option<&'s Declaration> {
        let declaration = session.manifest.secret(entry.name.as_str()).filter(|it| it.is_in(&session.environment));
        let is_kept = |it: &Declaration| match store.value(it).and_then(|version| version.parts.primary()) {
            Some(value) => !replace || entry.says(value),
            None => false,
        };
        let list = match declaration {
            None => &mut self.undeclared,
            // Settings live in the manifest; certificates and key pairs come in pieces; templates follow their inputs.
            Some(it) if it.before_import().is_some() => &mut self.not_importable,
            Some(it) if store.refuse_banned(&it.name, &entry.value).is_err() => &mut self.banned,
            Some(it) if is_kept(it) => &mut self.kept,
            Some(_) if entry.expands => {
                self.expanded.push(Expanded { name: entry.name.clone(), line: entry.line });
                return None;
            }
            Some(it) if entry.value.is_empty() || check::assess(it, entry.value.expose()).placeholder => {
                &mut self.placeholders
            }
            Some(it) if check::assess(it, entry.value.expose()).mismatch => &mut self.mismatched,
            Some(it) if matches!(it.kind, SecretKind::Token(_)) && !form::is_token(entry.value.expose()) => {
                &mut self.malformed
            }
            Some(it) => return Some(it),
        };
        list.push(entry.name.clone());
        None
    }

    fn tell(&self, context: &Context, arguments: &Arguments) -> Result<()> {
        let dry_run = arguments.dry_run;
        let ui = &context.ui;
        if ui.json {
            return ui.object(self);
        }
        self.warnings.iter().for_each(|it| ui.warn(it));
        let verb = if dry_run { "would import" } else { "imported" };
        for name in &self.imported {
            ui.say(&format!("{verb:<13} {name}"));
        }
        let verb = if dry_run { "would make" } else { "made" };
        for name in &self.made {
            ui.say(&row(verb, name.as_str(), format_args!("it is made of what was imported")));
        }
        let rows: [(&str, &Vec<String>, &str); 7] = [
            (
                "kept",
                &self.kept,
                if arguments.replace { "the store has that very value" } else { "the store has a value already" },
            ),
            ("refused", &self.placeholders, "a placeholder or empty"),
            ("refused", &self.mismatched, "does not match its pattern"),
            ("refused", &self.malformed, "its kind is `token`, and the value is none"),
            ("refused", &self.banned, "it leaked, and is banned"),
            ("skipped", &self.undeclared, "not declared in the manifest"),
            ("skipped", &self.not_importable, "its kind is not taken from a file; `kind = \"external\"` is"),
        ];
        for (verb, names, why) in rows {
            for name in names {
                ui.say(&row(verb, name, format_args!("{why}")));
            }
        }
        for Expanded { name, line } in &self.expanded {
            let why = "has a `$` that Compose expands: put the value that runs between single quotes, and import again";
            ui.say(&row("refused", name, format_args!("line {line} {why}")));
        }
        Ok(())
    }
}
