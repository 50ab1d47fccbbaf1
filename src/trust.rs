//! What of a manifest takes effect only once this user said so, and where that is remembered.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::manifest::hook::{Hook, Step};
use crate::manifest::model::Manifest;
use crate::private_file::{Root, WriteOptions, Written};
use crate::secret::digest::sha256_hex;

/// The file in the state directory.
const FILE: &str = "trust.json";

/// The version of the file's format.
const SCHEMA_VERSION: u32 = 1;

/// A decision of this user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    schema_version: u32,
    /// SHA-256 of the items, see [`digest`].
    digest: String,
    /// For people: what was trusted.
    items: Vec<String>,
    /// The hooks, each with all that it may, see [`hook_item`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    hooks: BTreeSet<String>,
    recorded: DateTime<Utc>,
}

/// What in a manifest can reach outside its directory: absolute output paths; role, profile and endpoint of AWS;
/// variables that decide which code a command loads.
pub fn sensitive_items(manifest: &Manifest) -> Vec<String> {
    let outputs = manifest.outputs.values().filter(|output| output.path.starts_with('/'));
    let mut items: Vec<String> =
        outputs.map(|output| format!("outputs.{}.path = {}", output.name, output.path)).collect();
    for (name, environment) in &manifest.environments {
        let Some(aws) = &environment.aws else { continue };
        for (key, value) in [("endpoint", &aws.endpoint), ("profile", &aws.profile), ("role_arn", &aws.role_arn)] {
            items.extend(value.iter().map(|value| format!("environments.{name}.aws.{key} = {value}")));
        }
    }
    let loaders = manifest.secrets.values().filter(|it| loads_code(it.name.as_str()));
    items.extend(loaders.map(|it| format!("the variable {} for commands that `run` starts", it.name)));
    items.sort_unstable();
    items
}

/// Whether a variable decides which code a program loads: a manifest that sets it runs code in every command.
pub fn loads_code(variable: &str) -> bool {
    const LOADERS: [&str; 14] = [
        "BASH_ENV",
        "GCONV_PATH",
        "GIT_SSH_COMMAND",
        "IFS",
        "JAVA_TOOL_OPTIONS",
        "NODE_OPTIONS",
        "NODE_PATH",
        "PATH",
        "PERL5LIB",
        "PERL5OPT",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "RUBYLIB",
        "RUBYOPT",
    ];
    LOADERS.contains(&variable) || variable.starts_with("LD_") || variable.starts_with("DYLD_")
}

/// Whether this user trusted exactly these items. Nothing to trust is trusted; an unreadable decision is none.
pub fn is_trusted(state: &Root, items: &[String]) -> Result<bool> {
    if items.is_empty() {
        return Ok(true);
    }
    let digest = digest(items)?;
    Ok(decision(state)?.is_some_and(|decision| decision.digest == digest))
}

/// Everything that trust in a hook is about: the program with the digest of its bytes, what it is called for, whose values
/// it gets, and where it is told to go with them.
///
/// Texts that may hold anything are quoted, so that no two hooks have the same item.
pub fn hook_item(manifest: &Manifest, hook: &Hook, digest: &str) -> String {
    let steps: Vec<&str> = hook.steps.iter().copied().map(Step::name).collect();
    let mut item = format!("hooks.{} = {:?} (sha256 {digest}) for {}", hook.name, hook.program, steps.join(", "));
    let mut add = |word: &str, names: Vec<String>| {
        if !names.is_empty() {
            item.extend([word, &names.join(", ")]);
        }
    };
    let mut values: Vec<String> = manifest.secrets_of(hook).map(ToString::to_string).collect();
    // One that it rotates and gets besides, such as the password that it logs in with, is named once.
    let besides = hook.secrets.iter().map(ToString::to_string).filter(|name| !values.contains(name));
    values.extend(besides.collect::<Vec<_>>());
    add("; values of ", values);
    add("; variables ", hook.environment.iter().cloned().collect());
    add("; options ", hook.options.iter().map(|(name, value)| format!("{name} = {value:?}")).collect());
    item
}

/// Whether this user trusted exactly this hook, whatever else was trusted.
pub fn is_hook_trusted(state: &Root, item: &str) -> Result<bool> {
    Ok(decision(state)?.is_some_and(|decision| decision.hooks.contains(item)))
}

fn decision(state: &Root) -> Result<Option<Decision>> {
    let decision = state.read(FILE)?.and_then(|bytes| serde_json::from_slice::<Decision>(&bytes).ok());
    Ok(decision.filter(|decision| decision.schema_version == SCHEMA_VERSION))
}

/// Remembers that this user trusts these items and hooks, instead of what was trusted before.
pub fn record(state: &Root, items: &[String], hooks: &[String], now: DateTime<Utc>) -> Result<Written> {
    let decision = Decision {
        schema_version: SCHEMA_VERSION,
        digest: digest(items)?,
        items: items.to_vec(),
        hooks: hooks.iter().cloned().collect(),
        recorded: now,
    };
    let mut bytes = serde_json::to_vec_pretty(&decision).map_err(|_| unwritable())?;
    bytes.push(b'\n');
    state.write(FILE, &bytes, &WriteOptions::default())
}

/// Where an output goes: beneath the project, or anywhere once the user trusts the manifest's absolute paths.
pub fn for_output(project: &Root, path: &str, trusted: bool) -> Result<(Root, String)> {
    if !path.starts_with('/') {
        return Ok((project.try_clone()?, path.to_owned()));
    }
    if !trusted {
        return Err(untrusted(path));
    }
    Ok((Root::open(Path::new("/"))?, path.trim_start_matches('/').to_owned()))
}

/// The error for an absolute path of a manifest that this user does not trust.
pub fn untrusted(path: &str) -> Error {
    let message = format!("refusing to write `{path}`: an absolute path needs your trust in this manifest");
    Error::new(Kind::Permission, "untrusted-path", message).hint("read the manifest, then run `vault-kit trust`")
}

/// `$XDG_STATE_HOME/vault-kit/<first 64 bits of the SHA-256 of the project's real path, in hex>`.
pub fn state_directory(project_dir: &Path, xdg_state_home: Option<&Path>, home: Option<&Path>) -> Result<PathBuf> {
    let real = real(project_dir).map_err(|error| Error::io(format!("open `{}`", project_dir.display()), error))?;
    let digest = sha256_hex(real.as_os_str().as_bytes());
    Ok(state_home(xdg_state_home, home)?.join(&digest[..16]))
}

/// `$XDG_STATE_HOME/vault-kit`, where this user's state directories of all projects are.
pub fn state_home(xdg_state_home: Option<&Path>, home: Option<&Path>) -> Result<PathBuf> {
    // A relative XDG directory is to be ignored (XDG Base Directory Specification).
    let base = match xdg_state_home.filter(|directory| directory.is_absolute()) {
        Some(directory) => directory.to_path_buf(),
        None => home.ok_or_else(homeless)?.join(".local/state"),
    };
    Ok(base.join("vault-kit"))
}

/// A path without links; of one that is gone, what is left above it without them.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize().or_else(|error| match path.parent().zip(path.file_name()) {
        Some((above, name)) if error.kind() == ErrorKind::NotFound && !above.as_os_str().is_empty() => {
            Ok(real(above)?.join(name))
        }
        _ => Err(error),
    })
}

/// Over the sorted list as JSON, so that no two lists have the same bytes.
fn digest(items: &[String]) -> Result<String> {
    let mut sorted: Vec<&String> = items.iter().collect();
    sorted.sort_unstable();
    serde_json::to_vec(&sorted).map(|bytes| sha256_hex(&bytes)).map_err(|_| unwritable())
}

fn unwritable() -> Error {
    Error::bug("a trust decision cannot be written as JSON")
}

fn homeless() -> Error {
    Error::usage("neither `HOME` nor `XDG_STATE_HOME` is set").hint("export XDG_STATE_HOME=/var/lib/vault-kit")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use chrono::TimeZone;
    use tempfile::TempDir;

    use super::*;

    fn items(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    fn state() -> (TempDir, Root) {
        let top = TempDir::new().unwrap();
        let state = Root::create(&top.path().join("state/vault-kit/0123"), 0o700).unwrap();
        (top, state)
    }

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap()
    }

    #[test]
    fn nothing_to_trust_is_trusted_and_everything_else_is_not_until_it_is_recorded() {
        let (_top, state) = state();
        let some = items(&["outputs.env.path = /etc/app.env"]);
        assert!(is_trusted(&state, &[]).unwrap());
        assert!(!is_trusted(&state, &some).unwrap());
        record(&state, &some, &[], now()).unwrap();
        assert!(is_trusted(&state, &some).unwrap());
    }

    #[test]
    fn a_decision_holds_for_its_items_in_any_order_and_for_no_others() {
        let (_top, state) = state();
        record(&state, &items(&["a", "b"]), &[], now()).unwrap();
        assert!(is_trusted(&state, &items(&["b", "a"])).unwrap());
        for others in [&["a"][..], &["a", "b", "c"], &["ab"], &["a\",\"b"]] {
            assert!(!is_trusted(&state, &items(others)).unwrap(), "{others:?}");
        }
    }

    #[test]
    fn a_secret_that_a_hook_rotates_and_gets_besides_is_named_once() {
        let text = "[project]\nname = \"p\"\n[secrets.A]\nkind = \"password\"\nhooks = [\"x\"]\n[secrets.B]\nkind = \"password\"\n\
                    [hooks.x]\nprogram = \"x\"\nsteps = [\"set\"]\nsecrets = [\"A\", \"B\"]\n";
        let manifest = crate::manifest::parse(text, "m").unwrap();
        let item = hook_item(&manifest, &manifest.hooks["x"], "00");
        assert_eq!(item, "hooks.x = \"x\" (sha256 00) for set; values of A, B");
    }

    #[test]
    fn a_damaged_decision_is_none() {
        let (_top, state) = state();
        state.write(FILE, b"{\"schema_version\":1,", &WriteOptions::default()).unwrap();
        assert!(!is_trusted(&state, &items(&["a"])).unwrap());
    }

    #[test]
    fn the_decision_is_for_this_user_alone() {
        let (top, state) = state();
        record(&state, &items(&["a"]), &[], now()).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode(&state.path().join(FILE)), 0o600);
        assert_eq!(mode(&top.path().join("state")), 0o700);
        assert_eq!(mode(state.path()), 0o700);
    }

    #[test]
    fn a_link_to_a_project_has_the_projects_state() {
        let top = TempDir::new().unwrap();
        let (project, link) = (top.path().join("project"), top.path().join("link"));
        std::fs::create_dir(&project).unwrap();
        symlink(&project, &link).unwrap();
        let xdg = Path::new("/xdg");
        let directory = state_directory(&project, Some(xdg), None).unwrap();
        assert_eq!(directory, state_directory(&link, Some(xdg), None).unwrap());
        assert_ne!(directory, state_directory(top.path(), Some(xdg), None).unwrap());
        assert_eq!(directory.file_name().unwrap().len(), 16);
    }

    #[test]
    fn the_state_is_in_the_home_directory_unless_xdg_names_an_absolute_one() {
        let top = TempDir::new().unwrap();
        let home = Path::new("/home/u");
        for xdg in [None, Some(Path::new("relative"))] {
            let directory = state_directory(top.path(), xdg, Some(home)).unwrap();
            assert!(directory.starts_with("/home/u/.local/state/vault-kit"));
        }
        assert_eq!(state_directory(top.path(), None, None).unwrap_err().code(), "usage");
    }
}
