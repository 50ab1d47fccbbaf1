//! What the outside tells a command: flags, environment variables, the time. The only reader of the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Global;
use super::paste::Paste;
use crate::clock::{Clock, SystemClock};
use crate::containers::Docker;
use crate::error::{Error, Kind, Result};
use crate::manifest::period::Period;
use crate::remote::aws::Authorities;
use crate::secret::Secret;
use crate::shell;
use crate::store::identity::Identities;
use crate::ui::Ui;
use crate::work_tree::WorkTree;

/// The variables that are ours alone and never reach a child.
pub const IDENTITY_VARIABLES: [&str; 2] = ["VAULT_KIT_IDENTITY", "VAULT_KIT_IDENTITY_FILE"];

/// What git needs of our environment: to be found, and to know its user's configuration and safe directories.
pub const INHERITED_BY_GIT: [&str; 4] = ["HOME", "PATH", "SUDO_UID", "XDG_CONFIG_HOME"];

/// What the outside tells a command.
#[derive(Debug)]
pub struct Context {
    /// Where words and data go.
    pub ui: Ui,
    /// The time of the command.
    pub now: DateTime<Utc>,
    /// The flags that every command takes.
    pub global: Global,
}

/// Where the identity is.
#[derive(Debug)]
pub enum IdentitySource {
    /// In a file; `named` when a person pointed at it.
    File { path: PathBuf, named: bool },
    /// In `VAULT_KIT_IDENTITY`.
    Inline(Secret),
}

impl Context {
    /// Reads flags, environment and clock.
    pub fn new(global: Global) -> Self {
        let ui = Ui {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            color: !global.no_color && variable("NO_COLOR").is_none() && crate::ui::stdout_is_terminal(),
        };
        Self { ui, now: SystemClock.now(), global }
    }

    /// Says something in which commands stand: they work as they are pasted where this one was run.
    pub fn say(&self, words: &str) {
        self.ui.say(&Paste::new(self).words(words));
    }

    /// Warns of something in which commands stand, as [`Context::say`] says it.
    pub fn warn(&self, words: &str) {
        self.ui.warn(&Paste::new(self).words(words));
    }

    /// Says, in a rehearsal, what the command would ask before it does anything; with `--yes` it asks nothing.
    pub fn say_question(&self, question: &str) {
        if !self.global.yes {
            self.ui.say(&format!("would ask first: {question}?"));
        }
    }

    /// The time at this moment: `now` is that of the command's start, before it waited for a lock or an answer.
    #[expect(clippy::unused_self, reason = "time comes through the context")]
    pub fn read_clock(&self) -> DateTime<Utc> {
        SystemClock.now()
    }

    /// The directory that the command works in.
    pub fn directory(&self) -> PathBuf {
        self.global.dir.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// The directory that the command works in, or the manifest that it was given, as a person knows it: absolute, with the
    /// symlinks that lead there, as far as a shell tells of them.
    pub fn named_place(&self) -> Option<PathBuf> {
        let shown = path_variable("PWD").filter(|path| {
            let real = |path: &Path| path.canonicalize().ok();
            path.is_absolute() && real(path).is_some() && real(path) == real(Path::new("."))
        });
        let here = shown.or_else(|| std::env::current_dir().ok())?;
        let start = here.join(self.global.dir.as_deref().unwrap_or(Path::new("")));
        Some(self.global.file.as_ref().map_or_else(|| start.clone(), |file| start.join(file)))
    }

    /// A path of the command line, which `-C` moves like everything else.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.global.dir.as_deref().map_or_else(|| path.to_owned(), |directory| directory.join(path))
    }

    /// The environment's name, when flag or variable tells one.
    pub fn environment(&self) -> Option<String> {
        self.global.env.clone().or_else(|| variable("VAULT_KIT_ENV").and_then(|text| text.into_string().ok()))
    }

    /// The identity; `None` when its file is not there and nobody named it. Warns of a file that others can read.
    pub fn identities_if_present(&self) -> Result<Option<Identities>> {
        let identities = read_identities()?;
        if let Some((path, mode)) = open_identity().filter(|_| identities.is_some()) {
            let quoted = shell::path(&path);
            self.ui
                .warn(&format!("the identity `{path}` is open to other users (mode {mode:04o}): `chmod 600 {quoted}`"));
        }
        Ok(identities)
    }

    /// The identity, which must be there.
    pub fn identities(&self) -> Result<Identities> {
        if let Some(identities) = self.identities_if_present()? {
            return Ok(identities);
        }
        let error = no_identity()?;
        Err(error.map_hints(&|hint| format!("{hint}; where there is no store yet, `vault-kit init` makes one")))
    }
}

/// The error of a command that needs the identity where there is none.
pub fn no_identity() -> Result<Error> {
    match identity_source()? {
        IdentitySource::File { path, .. } => Ok(identity_missing(&path)),
        IdentitySource::Inline(_) => Err(Error::bug("an inline identity is missing")),
    }
}

/// As [`Context::identities_if_present`], without a warning.
pub fn read_identities() -> Result<Option<Identities>> {
    let (path, named) = match identity_source()? {
        IdentitySource::Inline(text) => return Identities::parse(&text, "VAULT_KIT_IDENTITY").map(Some),
        IdentitySource::File { path, named } => (path, named),
    };
    match std::fs::read(&path).map(Secret::new) {
        Ok(text) => Identities::parse(&text, &path.display().to_string()).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(identity_missing(&path)),
        Err(error) => Err(Error::io(format!("read the identity `{}`", path.display()), error)
            .hint("is it yours? name another with VAULT_KIT_IDENTITY_FILE")),
    }
}

/// The path of the identity file, unless the identity is in a variable.
pub fn identity_file() -> Option<PathBuf> {
    if let IdentitySource::File { path, .. } = identity_source().ok()? { Some(path) } else { None }
}

/// The path of an identity file that other users can read, and its mode.
pub fn open_identity() -> Option<(String, u32)> {
    use std::os::unix::fs::MetadataExt;
    let path = identity_file()?;
    let mode = std::fs::metadata(&path).ok()?.mode() & 0o7777;
    // Of what systemd hands over an access list says who may read it, which shows as the rights of the group.
    let is_credential = path_variable("CREDENTIALS_DIRECTORY").as_deref() == path.parent();
    let open = if is_credential { 0o007 } else { 0o077 };
    (mode & open != 0).then(|| (path.display().to_string(), mode))
}

/// Whom to trust, as the other AWS tools are told, and then those that are made with OpenSSL.
pub fn authorities() -> Authorities {
    let named = |name: &str| variable(name).filter(|it| !it.is_empty());
    match named("AWS_CA_BUNDLE") {
        Some(bundle) => Authorities::Bundle(bundle.into()),
        None if ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|it| named(it).is_some()) => {
            Authorities::Surroundings
        }
        None => Authorities::System,
    }
}

/// Where a Docker daemon of this machine may be asked.
pub fn docker() -> Docker {
    let host = variable("DOCKER_HOST").and_then(|host| host.into_string().ok());
    Docker { host, path: variable("PATH") }
}

/// The file that GitHub Actions shows as the summary of a step.
pub fn step_summary() -> Option<PathBuf> {
    path_variable("GITHUB_STEP_SUMMARY")
}

/// The user's home directory.
pub fn home() -> Option<PathBuf> {
    path_variable("HOME")
}

/// `$XDG_CONFIG_HOME`.
pub fn config_home() -> Option<PathBuf> {
    path_variable("XDG_CONFIG_HOME")
}

/// `$XDG_STATE_HOME`.
pub fn state_home() -> Option<PathBuf> {
    path_variable("XDG_STATE_HOME")
}

/// The project whose hook called us.
pub fn hook_of() -> Option<PathBuf> {
    path_variable(crate::hook::WITHIN)
}

/// Whether git called us for a user who stands below the top of the work tree: hooks run at the top.
pub fn is_below_top() -> bool {
    variable("GIT_PREFIX").is_some_and(|prefix| !prefix.is_empty())
}

/// Why nobody knows what git has of a project, where `GIT_DIR` names another repository than the one that it lies in: the files of
/// that are not read here.
pub fn git_is_elsewhere(root: &Path) -> Option<String> {
    let named = variable("GIT_DIR").filter(|it| !it.is_empty())?;
    let own = WorkTree::around(&root.canonicalize().ok()?).and_then(|(_, tree)| tree.ok()?.own.canonicalize().ok());
    let is_own = own.is_some() && Path::new(&named).canonicalize().ok() == own;
    (!is_own).then(|| "GIT_DIR names a repository that the project does not lie in: `unset GIT_DIR`".to_owned())
}

/// The user who called sudo.
pub fn sudo_uid() -> Option<u32> {
    variable("SUDO_UID")?.to_str()?.parse().ok()
}

/// The process environment, without our own variables.
pub fn process_environment() -> Vec<(String, Secret)> {
    let ours = |name: &str| IDENTITY_VARIABLES.contains(&name);
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| !ours(name))
        .map(|(name, value)| (name, Secret::new(std::os::unix::ffi::OsStringExt::into_vec(value))))
        .collect()
}

/// Where the identity is, whether or not it exists.
pub fn identity_source() -> Result<IdentitySource> {
    let file = variable("VAULT_KIT_IDENTITY_FILE").filter(|it| !it.is_empty());
    let inline = variable("VAULT_KIT_IDENTITY").filter(|it| !it.is_empty());
    match (file, inline) {
        (Some(_), Some(_)) => Err(Error::usage("both VAULT_KIT_IDENTITY and VAULT_KIT_IDENTITY_FILE are set")
            .hint("keep one: `unset VAULT_KIT_IDENTITY`")),
        (None, Some(text)) => Ok(IdentitySource::Inline(Secret::new(std::os::unix::ffi::OsStringExt::into_vec(text)))),
        (Some(path), None) => Ok(IdentitySource::File { path: path.into(), named: true }),
        (None, None) => {
            let config = config_home().or_else(|| home().map(|home| home.join(".config")));
            let config = config.ok_or_else(|| {
                Error::new(Kind::Store, "identity-missing", "there is no home directory to look for an identity in")
                    .hint("name one with VAULT_KIT_IDENTITY_FILE")
            })?;
            Ok(IdentitySource::File { path: config.join("vault-kit").join("identity.txt"), named: false })
        }
    }
}

/// Parses `30s`, `5m` or `0`.
pub fn parse_timeout(text: &str) -> Result<Duration, &'static str> {
    if text == "0" || text == "0s" {
        return Ok(Duration::ZERO);
    }
    let period = Period::parse(text).ok_or("write a number and a unit, such as 30s")?;
    Ok(Duration::from_secs(period.seconds().unsigned_abs()))
}

fn identity_missing(path: &Path) -> Error {
    Error::new(Kind::Store, "identity-missing", format!("there is no identity at `{}`", path.display()))
        .hint("name the file that holds yours: `export VAULT_KIT_IDENTITY_FILE=/path/to/identity.txt`")
}

/// Those of these variables that are set, for a hook; never our own.
pub fn variables<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(OsString, OsString)> {
    names
        .filter(|name| !IDENTITY_VARIABLES.contains(name))
        .filter_map(|name| Some((name.into(), variable(name)?)))
        .collect()
}

/// Whether git tells a hook that it opens no editor for the message of a commit.
pub fn git_opens_no_editor() -> bool {
    variable("GIT_EDITOR").is_some_and(|editor| editor == ":")
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn path_variable(name: &str) -> Option<PathBuf> {
    // A relative one is to be ignored (XDG Base Directory Specification); ours would land in the project.
    variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
