//! `run -- CMD`: this process becomes the command, with the secrets in its environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;

use super::context::{Context, IDENTITY_VARIABLES};
use super::get;
use super::session::Session;
use crate::companions;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::hardening;
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Parts;
use crate::store::Store;
use crate::trust;
use crate::world;

/// The longest `NAME=value` that Linux passes to a process, in bytes, its final NUL included.
const LONGEST_VARIABLE: usize = 128 * 1024;

/// The codes of the errors that `run` ends with 126 and 127, as a shell does.
const NOT_EXECUTABLE: &str = "not-executable";
const NOT_FOUND: &str = "command-not-found";
/// The code of what ends with 130.
const INTERRUPTED: &str = "interrupted";

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these secrets
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Begin with an empty environment instead of this process's
    #[arg(long)]
    clean: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let only = arguments.only.iter().map(|name| session.secret(name)).collect::<Result<Vec<_>>>()?;
    let wanted: Vec<&Declaration> = session
        .manifest
        .secrets_in(&session.environment)
        .filter(|it| if only.is_empty() { is_carried(it) } else { only.contains(&it.name) })
        .collect();
    let loader = wanted.iter().find(|it| trust::loads_code(it.name.as_str()));
    if let Some(loader) = loader.filter(|_| !session.is_trusted().unwrap_or(false)) {
        let message = format!("refusing to set `{}`: it decides which code a command loads", loader.name);
        return Err(Error::new(Kind::Permission, "untrusted-variable", message)
            .hint("read the manifest, then run `vault-kit trust`"));
    }
    let identities = context.identities()?;
    let store = session.open_store(&identities)?;
    let settings = world::settings(&session.environment, wanted.iter().copied());
    let variables = variables(&session, &only, &store, &settings, &wanted)?;
    let (program, rest) = arguments.command.split_first().ok_or_else(|| Error::usage("a command is needed"))?;
    let mut command = Command::new(program);
    command.args(rest);
    if arguments.clean {
        command.env_clear();
    }
    for variable in IDENTITY_VARIABLES {
        command.env_remove(variable);
    }
    for (name, value) in variables {
        command.env(name.as_str(), OsStr::from_bytes(value.expose()));
    }
    hardening::restore_for_child();
    Err(not_started(&command.exec(), program))
}

/// What every child gets: single values whose name is a variable. Private keys only when they are named.
fn is_carried(declaration: &Declaration) -> bool {
    use SecretKind::{Ca, Certificate, ImportedCertificate, Keypair};
    let several = matches!(declaration.kind, Ca(_) | Certificate(_) | ImportedCertificate(_) | Keypair { .. });
    !several && declaration.name.is_variable()
}

/// All values, or every missing and every impossible one: a child never starts with only a part of its secrets.
fn variables<'a>(
    session: &Session<'_>,
    only: &[SecretName],
    store: &'a Store,
    settings: &'a BTreeMap<SecretName, Parts>,
    wanted: &[&'a Declaration],
) -> Result<Vec<(SecretName, &'a Secret)>> {
    let mut variables = Vec::with_capacity(wanted.len());
    let mut errors = Vec::new();
    let has = |name: &SecretName| store.current(name).is_some();
    for declaration in wanted {
        let name = &declaration.name;
        let parts = settings.get(name).or_else(|| store.value(declaration).map(|version| &version.parts));
        match parts.and_then(Parts::primary) {
            Some(value) => match fits(name, value) {
                Ok(()) => variables.push((name.clone(), value)),
                Err(error) => errors.push(error),
            },
            None if session.manifest.is_excused(declaration, &has) && !only.contains(&declaration.name) => {}
            None => errors.push(get::absent(session, store, name)),
        }
        let version = companions::previous(&session.manifest, declaration, store, session.context.now);
        let value = version.and_then(|version| version.parts.primary());
        // The current value had the same limits, and a name that became too long is no reason not to start.
        variables.extend(name.previous().zip(value).filter(|(name, value)| fits(name, value).is_ok()));
    }
    Error::all(errors).map_or(Ok(variables), Err)
}

fn fits(name: &SecretName, value: &Secret) -> Result<()> {
    let refuse = |why: &str| {
        Err(Error::new(Kind::Manifest, "not-a-variable", format!("`{name}` cannot be an environment variable: {why}"))
            .hint("deliver it as a file: a `docker-secrets` or `pem` output"))
    };
    if !name.is_variable() {
        return refuse("its name holds `.` or `-`");
    }
    if value.expose().contains(&0) {
        return refuse("its value holds a NUL byte");
    }
    if name.as_str().len() + value.len() + 2 > LONGEST_VARIABLE {
        return refuse("it is longer than 128 KiB");
    }
    Ok(())
}

fn not_started(error: &std::io::Error, program: &OsStr) -> Error {
    let program = program.display();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::new(Kind::System, NOT_FOUND, format!("cannot find the command `{program}`"))
            .hint("the command stands after `--`: `vault-kit run -- CMD ARGUMENTS`");
    }
    let cause = std::io::Error::from(error.kind());
    Error::new(Kind::System, NOT_EXECUTABLE, format!("cannot execute `{program}`"))
        .source(cause)
        .hint("is it a program, and marked as one? `chmod +x` marks it")
}

/// The exit code of an error, with the two that a shell gives commands that did not start.
pub fn exit_of(error: &Error) -> Exit {
    match error.code() {
        INTERRUPTED => Exit::INTERRUPTED,
        NOT_FOUND => Exit::NOT_FOUND,
        NOT_EXECUTABLE => Exit::NOT_EXECUTABLE,
        _ => {
            let kinds = std::iter::once(error).chain(error.others()).map(Error::kind);
            Exit::from(Kind::most_severe(kinds).unwrap_or(Kind::Bug))
        }
    }
}
