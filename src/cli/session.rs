//! A project that a command works on: found, parsed, and the right environment chosen.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use super::context::{self, Context};
use crate::audit;
use crate::clock::SystemZones;
use crate::error::{Error, Kind, Result};
use crate::hook::{Found, Hook, INHERITED, Program};
use crate::manifest::{self, Manifest};
use crate::name::{EnvName, SecretName};
use crate::private_file::Root;
use crate::project::{self, Project};
use crate::secret::digest::sha256_hex;
use crate::shell;
use crate::store::Store;
use crate::store::files::{Opened, StoreFiles};
use crate::store::identity::Identities;
use crate::trust;
use crate::ui;
use crate::world::{Consent, World};

/// A manifest with its directory and environment.
#[derive(Debug)]
pub struct Session<'a> {
    /// The outside.
    pub context: &'a Context,
    /// The project's directory.
    pub root: Root,
    /// What is declared. Never dropped: it ends with the process, and has no value to be wiped.
    pub manifest: ManuallyDrop<Manifest>,
    /// SHA-256 of the text that declares it, in hex.
    pub manifest_digest: String,
    /// The environment at hand.
    pub environment: EnvName,
    /// This user's state directory for the project.
    pub state: Option<PathBuf>,
}

impl<'a> Session<'a> {
    /// Finds and parses the manifest; a missing one is an error.
    pub fn open(context: &'a Context) -> Result<Self> {
        let found = find(context)?.ok_or_else(|| missing(&context.directory()))?;
        Self::of(context, found)
    }

    /// Parses a manifest that was found.
    pub fn of(context: &'a Context, found: Project) -> Result<Self> {
        let place = found.manifest.clone();
        let bytes = found.root.read_at_most(&place, project::LARGEST)?.ok_or_else(|| {
            Error::new(Kind::Manifest, "manifest-missing", format!("`{place}` is gone"))
                .hint("make one with `vault-kit init`")
        })?;
        Self::of_bytes(context, found.root, &place, bytes)
    }

    /// Parses the bytes of a manifest; `place` is its file in `root`.
    pub fn of_bytes(context: &'a Context, root: Root, place: &str, bytes: Vec<u8>) -> Result<Self> {
        let digest = sha256_hex(&bytes);
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::new(Kind::Manifest, "manifest-invalid", format!("`{place}` is not UTF-8 text")))?;
        let manifest = manifest::parse_in(&text, place, &SystemZones)?;
        for warning in &manifest.warnings {
            let hint = warning.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
            context.ui.warn(&format!("`{place}:{}`: {}{hint}", warning.line, warning.message));
        }
        Ok(Self { manifest_digest: digest, ..Self::with(context, root, manifest)? })
    }

    /// A manifest that was parsed already, and is in no file yet.
    pub fn with(context: &'a Context, root: Root, manifest: Manifest) -> Result<Self> {
        let environment = choose_environment(context, &manifest)?;
        let state = state_directory(context, root.path())?;
        let manifest = ManuallyDrop::new(manifest);
        Ok(Self { context, root, manifest, manifest_digest: String::new(), environment, state })
    }

    /// The store's files.
    pub fn files(&self) -> StoreFiles<'_> {
        self.files_as_they_are().held_against(audit::newest_generation)
    }

    /// The store's files, for who judges by himself how the audit record agrees with them.
    pub fn files_as_they_are(&self) -> StoreFiles<'_> {
        StoreFiles::new(&self.root, self.state.clone(), &self.environment)
    }

    /// Opens the store for reading; a missing one is an error.
    pub fn open_store(&self, identities: &Identities) -> Result<Store> {
        let files = self.files();
        files.expect_ledger()?;
        files.open(identities)?.ok_or_else(|| self.no_store())
    }

    /// Opens the store for writing; a missing one is an error.
    pub fn open_store_for_writing(&self, identities: &Identities) -> Result<Opened> {
        self.files().open_for_writing(identities)?.ok_or_else(|| self.no_store())
    }

    /// Opens the store for writing that was opened before it was our turn.
    pub fn reopen_store(&self, before: Opened, identities: &Identities) -> Result<Opened> {
        self.files().reopen_for_writing(before, identities)?.ok_or_else(|| self.no_store())
    }

    /// Opens the store of a command that writes, unless it only says what it would do.
    pub fn open_store_unless_dry(&self, identities: &Identities, dry_run: bool) -> Result<Opened> {
        if !dry_run {
            return self.open_store_for_writing(identities);
        }
        self.files().open_current(identities)?.ok_or_else(|| self.no_store())
    }

    /// The world of the command.
    pub fn world<'s>(
        &'s self,
        files: &'s StoreFiles<'s>,
        identities: &'s Identities,
        adopt: bool,
    ) -> Result<World<'s>> {
        let consent =
            Consent { trusted: self.is_trusted()?, overwrite: false, adopt, clock: self.context.global.accept_clock };
        Ok(World {
            project: &self.root,
            manifest: &self.manifest,
            manifest_digest: &self.manifest_digest,
            environment: &self.environment,
            files,
            identities,
            now: self.context.now,
            consent,
            goes_on: false,
            log: if self.context.global.log.is_some() { |change| ui::log(&change.unchained()) } else { |_| () },
        })
    }

    /// As [`Session::world`], for the commands whose `--yes` is about replacing files and nothing else.
    pub fn delivering_world<'s>(
        &'s self,
        files: &'s StoreFiles<'s>,
        identities: &'s Identities,
        adopt: bool,
    ) -> Result<World<'s>> {
        let mut world = self.world(files, identities, adopt)?;
        world.consent.overwrite = self.context.global.yes;
        Ok(world)
    }

    /// Whether this user trusts what the manifest asks for beyond its directory.
    pub fn is_trusted(&self) -> Result<bool> {
        let items = trust::sensitive_items(&self.manifest);
        if items.is_empty() {
            return Ok(true);
        }
        match &self.state {
            Some(state) if state.is_dir() => trust::is_trusted(&Root::open(state)?, &items),
            _ => Ok(false),
        }
    }

    /// The program of a hook, if this user trusts it as it is now, with what it may inherit of our environment.
    pub fn program(&self, hook: &Hook) -> Result<Program> {
        let state = self.state.as_deref().map(Root::open_existing).transpose()?.flatten();
        let names = INHERITED.into_iter().chain(hook.environment.iter().map(String::as_str));
        let environment = context::variables(names);
        Found::find(&self.root, hook)?.trusted(state.as_ref(), &self.manifest, hook, environment)
    }

    /// A declared secret of this environment by its name, with a suggestion when there is none.
    pub fn secret(&self, text: &str) -> Result<SecretName> {
        let name = SecretName::new(text).map_err(|_| not_a_name(text))?;
        if self.manifest.has_secret(&name, &self.environment) {
            return Ok(name);
        }
        let message = format!("no secret `{name}` is declared in environment `{}`", self.environment);
        let known = self.manifest.secrets_in(&self.environment).map(|it| it.name.as_str());
        Err(Error::usage(message).hint(match manifest::suggest(text, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`vault-kit status` lists them".to_owned(),
        }))
    }

    /// `vault-kit …` as a person would have to type it for this environment.
    pub fn command(&self, words: &str) -> String {
        if self.environment == self.manifest.default_environment {
            return format!("vault-kit {words}");
        }
        format!("vault-kit -e {} {words}", self.environment)
    }
}

/// Where no manifest is found; where there can be none, that is said.
fn missing(directory: &Path) -> Error {
    let shown = directory.display();
    if project::is_bare_repository(directory) {
        let whole = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let message = format!("`{shown}` is a git repository without a work tree: no vault-kit.toml lies in it");
        let hint = format!("work in a clone: go elsewhere, and `git clone {}`", shell::path(&whole.to_string_lossy()));
        return Error::new(Kind::Manifest, "manifest-missing", message).hint(hint);
    }
    Error::new(Kind::Manifest, "manifest-missing", format!("there is no vault-kit.toml in `{shown}` or above it"))
        .hint("make one with `vault-kit init`")
}

/// Finds the manifest that the command is about.
pub fn find(context: &Context) -> Result<Option<Project>> {
    project::find(&context.directory(), context.global.file.as_deref(), context::home().as_deref(), context::sudo_uid())
}

/// This user's state directory for a project; `None` where there is no home.
pub fn state_directory(context: &Context, project: &Path) -> Result<Option<PathBuf>> {
    let (state_home, home) = (context::state_home(), context::home());
    if state_home.is_none() && home.is_none() {
        context.ui.warn("there is no home directory: no second copy of the store is kept");
        return Ok(None);
    }
    // One that is yet to come has no name without links but this.
    let project = std::path::absolute(project).unwrap_or_else(|_| project.to_owned());
    trust::state_directory(&project, state_home.as_deref(), home.as_deref()).map(Some)
}

/// The error of a text in the place of a name, which is not repeated: it may be a value.
fn not_a_name(text: &str) -> Error {
    match name_before_value(text) {
        Some(name) => Error::usage(format!("`{name}=…` is no name of a secret"))
            .hint(format!("a value is never an argument: `vault-kit set {name}` asks for it")),
        None => Error::usage("there is no secret of such a name").hint("`vault-kit status` lists them"),
    }
}

/// The name of `NAME=VALUE`.
pub(super) fn name_before_value(text: &str) -> Option<SecretName> {
    SecretName::new(text.split_once('=')?.0).ok()
}

/// The environment that flag, variable or manifest names.
pub fn choose_environment(context: &Context, manifest: &Manifest) -> Result<EnvName> {
    let Some(name) = context.environment() else { return Ok(manifest.default_environment.clone()) };
    let known = EnvName::new(name.as_str()).ok().filter(|name| manifest.environments.contains_key(name));
    known.ok_or_else(|| {
        let names: Vec<&str> = manifest.environments.keys().map(EnvName::as_str).collect();
        Error::usage("the manifest declares no such environment").hint(format!("it declares: {}", names.join(", ")))
    })
}
