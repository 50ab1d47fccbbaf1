//! `init`: from whatever is there to a directory that can be deployed.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;

use super::bring_up;
use super::context::Context;
use super::exposed;
use super::main_tree;
use super::session::{self, Session};
use super::summary::{self, Summary, row};
use crate::clock::SystemZones;
use crate::compose::needs::{Needs, needs};
use crate::compose::{self, Location, Problem, ProblemKind, Request, Text};
use crate::deliver::Delivered;
use crate::deliver::ignored;
use crate::emit::dotenv_read;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::manifest::{self, scaffold};
use crate::observe::compose::Disk;
use crate::plan::{self, Scope};
use crate::preset::{self, Preset};
use crate::private_file::{Root, WriteOptions};
use crate::project::{MANIFEST, Project};
use crate::secret::Secret;
use crate::store::files::only_copy_left;
use crate::store::second_copy;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Begin with a shipped system: sutra, e2i, docker-mcp, omni2 or mcp-rag
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Take over lines of an existing .env that name our secrets
    #[arg(long)]
    adopt: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let preset = arguments.preset.as_deref().map(preset::named).transpose()?;
    let Some(session) = found_or_started(context, arguments, preset)? else { return Ok(Exit::DONE) };
    if arguments.dry_run {
        return dry_run(&session, arguments.adopt, false);
    }
    session.refuse_second_store()?;
    let _lock = session.lock()?;
    let identities = bring_up::identity(&session)?;
    let mut opened = bring_up::store(&session, &identities)?;
    let files = session.files();
    let world = session.delivering_world(&files, &identities, arguments.adopt)?;
    world.check_agreement(&opened.store)?;
    let plan = plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &Scope::All);
    let changed = world.make(&mut opened.store, &plan)?;
    let delivered = exposed::noted(&session, world.settle(&mut opened, "init", &changed)?);
    Summary::new(&session.environment, &session.manifest, &plan, &delivered, false).tell(context)?;
    Ok(Exit::DONE)
}

/// The manifest that is there, or a new one; `None` when a dry run would write it.
fn found_or_started<'a>(
    context: &'a Context,
    arguments: &Arguments,
    preset: Option<&'static Preset>,
) -> Result<Option<Session<'a>>> {
    // A new directory has no manifest above it that anybody meant: `-C` and `--preset` begin right there.
    let directory = context.directory();
    let found = if directory.is_dir() { session::find(context)? } else { None };
    let here = |found: &Project| preset.is_none() || is_in(found, &directory);
    if let Some(found) = found.filter(here) {
        let session = Session::of(context, found)?;
        if let Some(preset) = preset {
            if session.manifest.project != preset.name {
                return Err(another_project(preset));
            }
            write_missing(context, &session.root, preset, arguments.dry_run)?;
        }
        return Ok(Some(session));
    }
    if let Some(elsewhere) = main_tree::find(&directory, None) {
        return Err(elsewhere.second_store());
    }
    if arguments.dry_run {
        return dry_start(context, &directory, preset, arguments.adopt).map(|()| None);
    }
    let root = Root::create(&directory, 0o755)?;
    start(context, &root, preset)?;
    let found = session::find(context)?.ok_or_else(|| Error::bug("the new manifest is not found"))?;
    Session::of(context, found).map(Some)
}

fn another_project(preset: &Preset) -> Error {
    let message = format!("the manifest that is here is not that of preset `{}`", preset.name);
    Error::new(Kind::Conflict, "another-project", message)
        .hint(format!("begin in a directory of its own: `vault-kit -C {0} init --preset {0}`", preset.name))
}

/// Git and Docker come first: whatever refuses the rest, a file that the manifest delivers is in no commit from now on.
fn start(context: &Context, root: &Root, preset: Option<&Preset>) -> Result<()> {
    let text = preset.map_or_else(|| proposed(context, root), |preset| preset.manifest().map(str::to_owned))?;
    let manifest = manifest::parse_in(&text, MANIFEST, &SystemZones)?;
    tell_ignored(context, &ignored::add(root, &manifest)?, false);
    match preset {
        Some(preset) => write_missing(context, root, preset, false),
        None => write_new(context, root, MANIFEST, text.as_bytes()),
    }
}

/// Says which ignore files get lines.
fn tell_ignored(context: &Context, files: &[&str], dry_run: bool) {
    if !context.ui.json {
        summary::tell_ignored(context.ui, files, dry_run);
    }
}

/// The manifest for a directory that has none.
fn proposed(context: &Context, root: &Root) -> Result<String> {
    let project = name_of(root.path());
    let example = root.read(".env.example")?.map(|bytes| example_entries(".env.example", &bytes)).transpose()?;
    let beside = root.read(".env")?.map(Secret::new);
    // Until there is a `.env`, the example says what Compose will put in.
    let given = if beside.is_some() { None } else { example.as_ref() };
    let variables = given.into_iter().flatten().map(|(name, value)| (name.clone(), Secret::copy_of(value.as_bytes())));
    let compose = compose_needs(context, root, &project, &variables.collect())?;
    Ok(match (example, compose) {
        (None, None) => scaffold::starter(&project),
        (example, compose) => {
            let compose = compose.as_ref().map(|(files, needs)| (&files[..], needs));
            // Of one that cannot be read nothing is known.
            let lines = beside.and_then(|it| dotenv_read::read(it.expose()).ok()).unwrap_or_default();
            let lines = lines.iter().filter(|it| !it.expands);
            let lines = lines.filter_map(|it| Some((it.name.as_str(), it.value.expose_text()?))).collect();
            scaffold::from_sources(&project, &example.unwrap_or_default(), compose, &lines)
        }
    })
}

/// What the Compose file of a directory needs, and its path; `None` without one.
fn compose_needs(
    context: &Context,
    root: &Root,
    directory: &str,
    variables: &BTreeMap<String, Secret>,
) -> Result<Option<([String; 1], Needs)>> {
    let disk = Disk::open(root.path()).map_err(|error| Error::io("the project's directory cannot be opened", error))?;
    let Some(files) = disk.found().map(|file| [file]) else { return Ok(None) };
    let resolved = compose::resolve(&Request { files: &files, variables, env_files: None, directory }, &disk);
    let place = |it: &Problem| format!("`{}:{}`: {}", it.at.file, it.at.line, it.message);
    let (refused, others): (Vec<Problem>, _) =
        resolved.problems.into_iter().partition(|it| it.kind == ProblemKind::Refused);
    let mut refused: Vec<Error> =
        refused.iter().map(|it| Error::new(Kind::Usage, "compose-invalid", place(it))).collect();
    if let Some(last) = refused.pop() {
        refused.push(last.hint("mend that, or move the file aside and run `vault-kit init` again"));
    }
    if let Some(error) = Error::all(refused) {
        return Err(error);
    }
    // What is missing is what we are about to make.
    for problem in others
        .iter()
        .filter(|it| matches!(it.kind, ProblemKind::NotRead | ProblemKind::Unvalued | ProblemKind::Elsewhere))
    {
        context.ui.warn(&place(problem));
    }
    let mut needs = needs(&resolved.project);
    for (path, need) in needs.env_files.iter_mut().filter(|(_, it)| !it.found) {
        need.lines = example_of(root, path)?;
    }
    Ok(Some((files, needs)))
}

/// What the example of an env file has that is not there yet.
fn example_of(root: &Root, path: &str) -> Result<BTreeMap<String, Text>> {
    let is_beneath = !path.starts_with(['/', '~']) && !path.starts_with("..");
    for ending in scaffold::EXAMPLES.into_iter().filter(|_| is_beneath) {
        let file = format!("{path}{ending}");
        if let Some(bytes) = root.read(&file)? {
            let at = Location { file: file.as_str().into(), line: 1 };
            let entries = example_entries(&file, &bytes)?.into_iter();
            return Ok(entries.map(|(name, value)| (name, Text::new(value, at.clone(), Vec::new()))).collect());
        }
    }
    Ok(BTreeMap::new())
}

fn is_in(found: &Project, directory: &Path) -> bool {
    found.root.path().canonicalize().ok().zip(directory.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

fn example_entries(file: &str, bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let entries = dotenv_read::read(bytes).map_err(|error| {
        Error::new(Kind::Usage, "example-invalid", format!("`{file}`: {error}"))
            .hint("mend the line, or move the file aside and run `vault-kit init` again")
    })?;
    let text = |entry: &dotenv_read::Entry| entry.value.expose_text().unwrap_or_default().to_owned();
    Ok(entries.iter().map(|entry| (entry.name.clone(), text(entry))).collect())
}

/// A preset's files that are not there yet; a file that is there is never touched.
fn write_missing(context: &Context, root: &Root, preset: &Preset, dry_run: bool) -> Result<()> {
    for (path, bytes) in preset.files {
        if root.facts(path)?.is_some() {
            context.ui.detail(&format!("kept {path}"));
        } else if dry_run {
            context.ui.say(&row("would write", path, format_args!("0644")));
        } else {
            write_new(context, root, path, bytes.as_bytes())?;
        }
    }
    preset.owner.filter(|_| !dry_run).map_or(Ok(()), |prefix| write_owner(root, prefix))
}

/// Who is to own the files of secrets, in the `.env` that Compose reads: containers run as that user, or could read none. Lines beside
/// our block stay as they are, so that a `.env` which is there already is its owner's. Root's containers are not to run as root.
fn write_owner(root: &Root, prefix: &str) -> Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() || root.facts(".env")?.is_some() {
        return Ok(());
    }
    let lines = format!("{prefix}_UID={}\n{prefix}_GID={}\n", user.as_raw(), group.as_raw());
    root.write(".env", lines.as_bytes(), &WriteOptions { create_new: true, ..WriteOptions::default() }).map(drop)
}

fn write_new(context: &Context, root: &Root, path: &str, bytes: &[u8]) -> Result<()> {
    root.write(path, bytes, &WriteOptions { create_new: true, ..WriteOptions::PUBLIC })?;
    if !context.ui.json {
        context.ui.say(&row("wrote", path, format_args!("0644")));
    }
    Ok(())
}

/// A project's name from its directory's.
fn name_of(directory: &Path) -> String {
    let canonical = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let name = canonical.file_name().and_then(|name| name.to_str()).unwrap_or("project").to_lowercase();
    let name: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    match name.trim_matches('-') {
        "" => "project".to_owned(),
        name => name.to_owned(),
    }
}

/// What a dry run in a place without a manifest tells: the files that would come first, and what they declare.
fn dry_start(context: &Context, directory: &Path, preset: Option<&Preset>, adopt: bool) -> Result<()> {
    let root = if directory.is_dir() { Some(Root::open(directory)?) } else { None };
    let text = match (preset, &root) {
        (Some(preset), _) => preset.manifest()?.to_owned(),
        (None, Some(root)) => proposed(context, root)?,
        (None, None) => scaffold::starter(&name_of(directory)),
    };
    let manifest = manifest::parse_in(&text, MANIFEST, &SystemZones)?;
    tell_ignored(context, &ignored::names(&ignored::lacking(root.as_ref(), &manifest)?), true);
    let files = preset.map_or_else(|| vec![MANIFEST], |preset| preset.files.iter().map(|(path, _)| *path).collect());
    for path in files {
        let is_there = root.as_ref().map_or(Ok(None), |root| root.facts(path))?.is_some();
        if !is_there && !context.ui.json {
            context.ui.say(&row("would write", path, format_args!("0644")));
        }
    }
    let Some(root) = root else {
        bring_up::announce_identity(context)?;
        let environment = session::choose_environment(context, &manifest)?;
        let state = session::state_directory(context, directory)?;
        let copies = state.map(|state| second_copy::copies(&state, Some(&environment))).unwrap_or_default();
        if let [copy] = &copies[..] {
            return Err(only_copy_left(&environment, &copy.path.display().to_string()));
        }
        let plan = plan::plan(&manifest, &environment, &plan::Observed::default(), &Scope::All);
        return Summary::new(&environment, &manifest, &plan, &Delivered::default(), true).tell(context);
    };
    dry_run(&Session::with(context, root, manifest)?, adopt, true).map(drop)
}

/// Does everything in memory. Of ignore files that were told of already nothing is said again.
fn dry_run(session: &Session<'_>, adopt: bool, is_told: bool) -> Result<Exit> {
    session.refuse_second_store()?;
    let context = session.context;
    let identities = bring_up::planned_identity(session)?;
    let mut opened = bring_up::planned_store(session, &identities)?;
    let files = session.files();
    let world = session.delivering_world(&files, &identities, adopt)?;
    world.check_agreement(&opened.store)?;
    let plan = plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &Scope::All);
    world.make(&mut opened.store, &plan)?;
    let mut delivered = world.rehearse(&mut opened.store)?;
    if is_told {
        delivered.ignored.clear();
    }
    Summary::new(&session.environment, &session.manifest, &plan, &delivered, true).tell(context)?;
    Ok(Exit::DONE)
}
