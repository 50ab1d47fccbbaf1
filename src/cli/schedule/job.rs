//! What is to be run: this program, on this project, by this user.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::cli::context::{self, Context, IdentitySource};
use crate::cli::session::{self, Session};
use crate::deliver::expected;
use crate::error::{Error, Kind, Result};
use crate::hook;
use crate::project::MANIFEST;
use crate::schedule::{Account, Every, Job};
use crate::trust;

/// A user of the system.
struct User {
    name: String,
    home: PathBuf,
}

/// The job of the session's project and environment; `own` is for root's own service manager. Who only removes it needs its
/// name, and neither how often it runs nor the identity.
pub fn of(session: &Session<'_>, every: Option<Every>, own: bool) -> Result<Job> {
    let caller = if own { None } else { caller()? };
    let directory = real(session.root.path())?;
    let home = caller.as_ref().map(|user| user.home.clone()).or_else(context::home);
    // The variables of who calls sudo are root's.
    let state_home = if caller.is_some() { None } else { context::state_home() };
    let state = trust::state_directory(&directory, state_home.as_deref(), home.as_deref())?;
    let outputs = expected::directories(&session.manifest).into_iter().filter(|path| path.starts_with('/'));
    let mut writes = vec![text(&state)?];
    writes.extend(outputs);
    let hooks = session.manifest.hooks.values();
    writes.extend(hooks.flat_map(|it| hook::writes(&it.program)).map(|path| (*path).to_owned()));
    let runs_roots = session.manifest.hooks.values().any(|hook| is_of_another(&hook.program));
    let job = Job {
        project: session.manifest.project.clone(),
        environment: session.environment.to_string(),
        program: text(&program()?)?,
        directory: text(&given(session.context, &directory))?,
        place: text(&directory)?,
        manifest: session::find(session.context)?.map_or_else(|| MANIFEST.to_owned(), |found| found.manifest),
        identity: every.map_or(Ok(String::new()), |_| text(&identity(caller.as_ref())?))?,
        every: every.unwrap_or(Every::Minutes(5)),
        writes,
        state_home: state_home.as_deref().map(text).transpose()?,
        runs_roots,
        account: match caller {
            Some(user) => Account::Other(user.name),
            None if !own && rustix::process::geteuid().is_root() => Account::Root,
            None => Account::Own,
        },
    };
    job.unfit().map_or(Ok(()), |path| Err(unfit(path)))?;
    Ok(job)
}

/// Whether the program of a hook that lies elsewhere belongs to another user.
fn is_of_another(program: &str) -> bool {
    let user = rustix::process::geteuid().as_raw();
    program.starts_with('/') && std::fs::metadata(program).is_ok_and(|facts| facts.uid() != user)
}

/// The project's directory by the path that it was named by, or that the shell stands in, as far as that leads there.
fn given(context: &Context, place: &Path) -> PathBuf {
    let named = context.named_place();
    let plain =
        named.filter(|path| path.components().all(|it| matches!(it, Component::RootDir | Component::Normal(_))));
    let leads_there = |path: &&Path| path.canonicalize().is_ok_and(|real| real == place);
    let found = plain.as_deref().and_then(|path| path.ancestors().find(leads_there));
    // Without what stands for the same directory, such as `.`.
    found.unwrap_or(place).components().collect()
}

/// Who called sudo, if root acts for somebody.
fn caller() -> Result<Option<User>> {
    let Some(uid) = context::sudo_uid().filter(|uid| *uid != 0 && rustix::process::geteuid().is_root()) else {
        return Ok(None);
    };
    let accounts = std::fs::read_to_string("/etc/passwd").map_err(|error| Error::io("read `/etc/passwd`", error))?;
    let user = accounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, _, _, home, ..] = fields[..] else { return None };
        (id.parse() == Ok(uid)).then(|| User { name: name.to_owned(), home: home.into() })
    });
    user.map(Some).ok_or_else(|| {
        Error::usage("the user who called sudo is not in `/etc/passwd`").hint("run it without sudo, as that user")
    })
}

/// The identity's file: the one that is named, else where the user keeps it.
fn identity(caller: Option<&User>) -> Result<PathBuf> {
    let path = match (context::identity_source()?, caller) {
        (IdentitySource::Inline(_), _) => {
            return Err(Error::usage("an identity in VAULT_KIT_IDENTITY cannot be scheduled").hint(
                "put it into a file of mode 0600 and name it: `export VAULT_KIT_IDENTITY_FILE=/path/to/identity.txt`",
            ));
        }
        (IdentitySource::File { named: false, .. }, Some(user)) => user.home.join(".config/vault-kit/identity.txt"),
        (IdentitySource::File { path, .. }, _) => path,
    };
    real(&path)
}

fn program() -> Result<PathBuf> {
    let program = std::env::current_exe().map_err(|error| Error::io("find this program", error))?;
    real(&program)
}

fn real(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Kind::Store, "identity-missing", format!("there is no identity at `{}`", path.display())).hint(
                "make one with `vault-kit init`, or name it: `export VAULT_KIT_IDENTITY_FILE=/path/to/identity.txt`",
            )
        }
        _ => Error::io(format!("open `{}`", path.display()), error),
    })
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| unfit(&path.display().to_string()))
}

fn unfit(path: &str) -> Error {
    Error::usage(format!("`{}` cannot stand in a unit or crontab", path.escape_debug()))
        .hint("give the directory a name in UTF-8 without control characters")
}
