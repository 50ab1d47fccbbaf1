//! What `init` and `import` need before anything else: ignore lines, an identity, a store.

use std::collections::BTreeMap;
use std::path::Path;

use super::context::{self, Context, IdentitySource};
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::private_file::{Root, WriteOptions};
use crate::shell;
use crate::store::files::Opened;
use crate::store::identity::{self, Identities};
use crate::store::{Recipients, Store, agreement};

impl Session<'_> {
    /// The error of a command that needs a store where there is none.
    pub fn no_store(&self) -> Error {
        let error = Error::new(Kind::Store, "store-missing", format!("there is no `{}`", self.files().store_path()));
        if let Ok(Some(main)) = self.main_tree() {
            let main = shell::path(&main.to_string_lossy());
            return error.hint(format!("the store is that of another work tree: `vault-kit -C {main} …`"));
        }
        let error = error.hint(format!("make it with `{}`", self.command("init")));
        let is_shared = self.manifest.aws(&self.environment).is_some()
            && self.manifest.secrets_in(&self.environment).any(|it| it.remote.is_some());
        if !is_shared {
            return error;
        }
        error.hint(format!("or, where another host pushed its values, take those with `{}`", self.command("sync pull")))
    }
}

/// The user's identity, made at 0600 when there is none; tells where the new one is.
///
/// Beside a store none is made: a new one could not open it, and would stand where the lost one belongs.
pub fn identity(session: &Session<'_>) -> Result<Identities> {
    let context = session.context;
    if let Some(identities) = found(session)? {
        return Ok(identities);
    }
    let IdentitySource::File { path, .. } = context::identity_source()? else {
        return Err(Error::bug("an inline identity is missing"));
    };
    let (directory, name) = split(&path)?;
    let root = Root::create(directory, 0o700)?;
    // Other projects of this user may be at the same point.
    let _lock = root.lock("lock", context.global.lock_timeout)?;
    if let Some(identities) = found(session)? {
        return Ok(identities);
    }
    root.sweep("")?;
    let (text, _) = identity::new_identity_file(context.now);
    root.write(name, text.expose(), &WriteOptions { create_new: true, ..WriteOptions::default() })?;
    let path = path.display();
    context.ui.say(&format!("made your identity at {path} (0600)"));
    context.ui.say("  it alone opens the store: keep a copy somewhere safe, for without it every value is lost");
    Identities::parse(&text, &path.to_string())
}

/// As [`identity`], but a new one never reaches the disk; beside a store there must be one.
pub fn planned_identity(session: &Session<'_>) -> Result<Identities> {
    if let Some(identities) = found(session)? {
        return Ok(identities);
    }
    announce(session.context)?;
    Identities::parse(&identity::new_identity_file(session.context.now).0, "a new identity")
}

/// Says where a first identity would be made, where there is no project yet.
pub fn announce_identity(context: &Context) -> Result<()> {
    if first(context.identities_if_present())?.is_some() { Ok(()) } else { announce(context) }
}

fn announce(context: &Context) -> Result<()> {
    if let IdentitySource::File { path, .. } = context::identity_source()? {
        context.ui.say(&format!("would make your identity at {} (0600)", path.display()));
    }
    Ok(())
}

/// Of identities that may be made the lack is no error.
fn first(found: Result<Option<Identities>>) -> Result<Option<Identities>> {
    match found {
        Err(error) if error.code() == "identity-missing" => Ok(None),
        found => found,
    }
}

/// The identity that is there; `None` where a first one may be made, also at a place that the user named. Beside a
/// store its absence is an error: a new one could not open it.
fn found(session: &Session<'_>) -> Result<Option<Identities>> {
    let is_first = !session.files().is_there()?;
    match session.context.identities_if_present() {
        found if is_first => first(found),
        Ok(None) => Err(context::no_identity()?),
        found => found,
    }
}

fn split(path: &Path) -> Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    path.parent().zip(name).ok_or_else(|| Error::usage("the path of the identity has no file name"))
}

/// The environment's store; a new one, not yet on disk, when there is none.
///
/// Beside a store that cannot be opened this fails: a second one is never made.
pub fn store(session: &Session<'_>, identities: &Identities) -> Result<Opened> {
    store_again(session, identities, None)
}

/// As [`store`], for whoever opened it before it was his turn.
pub fn store_again(session: &Session<'_>, identities: &Identities, before: Option<Opened>) -> Result<Opened> {
    let files = session.files();
    let opened = match before {
        Some(before) => files.reopen_for_writing(before, identities)?,
        None => files.open_for_writing(identities)?,
    };
    match opened {
        Some(opened) => Ok(opened),
        None => new_store(session, identities),
    }
}

/// As [`store`], without bringing an old second copy up to date.
pub fn planned_store(session: &Session<'_>, identities: &Identities) -> Result<Opened> {
    match session.files().open_current(identities)? {
        Some(opened) => Ok(opened),
        None => new_store(session, identities),
    }
}

fn new_store(session: &Session<'_>, identities: &Identities) -> Result<Opened> {
    let environment = session.manifest.environments.get(&session.environment);
    let declared = environment.map(|environment| environment.recipients.clone()).filter(|keys| !keys.is_empty());
    let recipients = match declared {
        Some(keys) => Recipients { declared: true, keys },
        None => Recipients { declared: false, keys: own_keys(identities) },
    };
    refuse_lock_out(&recipients, identities)?;
    let mut store = Store::new(&session.manifest.project, &session.environment, recipients, session.context.now)?;
    store.aws = agreement::binding(environment);
    Ok(Opened { store, digest: None })
}

/// The user's own recipients, by the names that they have in a store whose manifest declares none.
pub fn own_keys(identities: &Identities) -> BTreeMap<String, String> {
    let name = |index| if index == 0 { "me".to_owned() } else { format!("me-{}", index + 1) };
    identities.recipients().into_iter().enumerate().map(|(index, key)| (name(index), key)).gather()
}

fn refuse_lock_out(recipients: &Recipients, identities: &Identities) -> Result<()> {
    let own = identities.recipients();
    if recipients.keys.values().any(|key| own.contains(key)) {
        return Ok(());
    }
    let mine = own.first().map_or("", String::as_str);
    Err(Error::new(Kind::Store, "would-lock-out", "you are not among the recipients that the manifest declares")
        .hint(format!("add your own to it: {mine}")))
}
