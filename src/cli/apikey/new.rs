//! `apikey new`: a key for somebody, shown once.

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::parse_word;
use crate::api_key::register::{self, MOST_LIVE, Request};
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::run::exit_of;
use crate::cli::session::Session;
use crate::cli::summary::tell_files;
use crate::deliver::{Delivered, FileReport};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::generate::api_key;
use crate::manifest::period::Period;
use crate::name::EnvName;
use crate::secret::Secret;
use crate::store::issued::IssuedApiKey;
use crate::ui::{SCHEMA_VERSION, Ui};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Whom or what it is for; at most two live keys have the same name
    #[arg(value_parser = parse_name)]
    name: String,
    /// What its bearer may do, in a word of the service's own
    #[arg(long, value_name = "ROLE", value_parser = parse_word)]
    role: Option<String>,
    /// When it ends: a length of time, or never
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = parse_life)]
    expires: Life,
    /// How long the older key of this name still works
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_period)]
    grace: Period,
    /// How it begins; default is project and environment, such as `shop_prod_`
    #[arg(long, value_name = "PREFIX", value_parser = parse_prefix)]
    prefix: Option<String>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// How long a key lives.
#[derive(Debug, Clone, Copy)]
enum Life {
    For(Period),
    Endless,
}

/// What was issued, as `--json` tells it.
#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    /// Absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    role: Option<&'a str>,
    created: DateTime<Utc>,
    expires: Option<DateTime<Utc>>,
    /// The older keys of the name, and when they end.
    ending: Vec<Ending<'a>>,
    files: &'a [FileReport],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct Ending<'a> {
    id: &'a str,
    expires: Option<DateTime<Utc>>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if !arguments.dry_run && context.ui.is_lost() {
        return Err(Error::usage("the key would be shown to nobody: stdout is closed, or is /dev/null")
            .hint("nothing was changed; leave stdout open: the key is shown this once"));
    }
    let session = Session::open(context)?;
    let prefix =
        arguments.prefix.clone().unwrap_or_else(|| default_prefix(&session.manifest.project, &session.environment));
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let records = &mut opened.store.issued.api_keys;
    let live = register::live(records, &arguments.name, context.now);
    if live.len() >= MOST_LIVE {
        return Err(too_many(&session, &arguments.name, &live[0]));
    }
    let key = draw(&prefix, |id| records.contains_key(id))?;
    let changed = register::issue(records, &key, arguments.request(context.now), context.now);
    register::prune(records, context.now);
    let before = opened.digest.clone();
    let settled = if arguments.dry_run {
        world.rehearse(&mut opened.store)
    } else {
        world.settle_records(&mut opened, "apikey-new", &changed)
    };
    let records = &opened.store.issued.api_keys;
    let issued = Issued { context, session: &session, ids: &changed, records, dry_run: arguments.dry_run };
    match settled {
        Ok(delivered) => issued.tell(&key, &delivered, None).map(|()| Exit::DONE),
        // The store has the key: now or never is it shown.
        Err(error) if opened.digest != before => {
            let error = Paste::new(context).error(error);
            issued.tell(&key, &Delivered::default(), Some(&error))?;
            Ok(exit_of(&error))
        }
        Err(error) if error.code() == "durability-unknown" => {
            let list = session.command("apikey list");
            Err(error.hint(format!("the store may have a key that was not shown: `{list}` tells, take it back then")))
        }
        Err(error) => Err(error),
    }
}

impl Arguments {
    fn request(&self, now: DateTime<Utc>) -> Request<'_> {
        let expires = match self.expires {
            Life::For(period) => Some(now + period.delta()),
            Life::Endless => None,
        };
        let grace_until = now + self.grace.delta();
        Request { name: &self.name, role: self.role.as_deref(), expires, grace_until }
    }
}

/// A key whose id is free: ids are the beginnings of hashes, and two of them may meet.
fn draw(prefix: &str, is_taken: impl Fn(&str) -> bool) -> Result<Secret> {
    loop {
        let key = api_key::draw(prefix)?;
        if !is_taken(&register::id_of(&key)) {
            return Ok(key);
        }
    }
}

/// Project and environment, so that whoever finds a key knows whose it is.
pub fn default_prefix(project: &str, environment: &EnvName) -> String {
    let word = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let mut prefix = format!("{}_{}", word(project), word(environment.as_str()));
    // Both are ASCII.
    prefix.truncate(63);
    prefix + "_"
}

fn too_many(session: &Session<'_>, name: &str, oldest: &str) -> Error {
    let message = format!("`{name}` has two live keys, and a third is not issued");
    Error::new(Kind::Conflict, "too-many-keys", message)
        .hint(format!("take the older one back: `{}`", session.command(&format!("apikey revoke {oldest}"))))
        .hint("or give the other user a name of its own")
}

/// A key that was recorded, or would have been.
struct Issued<'a> {
    context: &'a Context,
    session: &'a Session<'a>,
    /// That of the new key, then those of the older ones.
    ids: &'a [String],
    records: &'a register::Records,
    dry_run: bool,
}

impl Issued<'_> {
    /// Words first: what is piped is the key and nothing else, and on a terminal it is the last line.
    fn tell(&self, key: &Secret, delivered: &Delivered, error: Option<&Error>) -> Result<()> {
        let Some((id, older)) = self.ids.split_first() else {
            return Err(Error::bug("a key was issued without an id"));
        };
        let record = self.records.get(id).ok_or_else(|| Error::bug("a key was issued without a record"))?;
        let ui = self.context.ui;
        let older = older.iter().filter_map(|id| Some((id, self.records.get(id)?)));
        let ending: Vec<_> = older.clone().map(|(id, record)| Ending { id, expires: record.expires }).collect();
        for warning in &delivered.warnings {
            self.context.warn(warning);
        }
        if let Some(role) = forgotten_role(record, older.clone()) {
            ui.warn(&format!("the older key has the role {role}, and this one has none"));
        }
        if let Some(error) = error {
            Ui { json: false, ..ui }.error(error);
        }
        if ui.json {
            let errors = error.map(|it| json!({ "code": it.code(), "message": it.to_string(), "fix": it.hints() }));
            return self.shown(ui.object(&Answer {
                schema_version: SCHEMA_VERSION,
                dry_run: self.dry_run,
                environment: &self.session.environment,
                key: key.expose_text().filter(|_| !self.dry_run),
                id: Some(id.as_str()).filter(|_| !self.dry_run),
                name: &record.name,
                role: record.role.as_deref(),
                created: record.created,
                expires: record.expires,
                ending,
                files: &delivered.files,
                errors: errors.into_iter().collect(),
            }));
        }
        self.say(id, record, &ending);
        tell_files(ui, &delivered.files, self.dry_run);
        if self.dry_run {
            return Ok(());
        }
        ui.say("this key is shown once; only its hash is kept:");
        let mut line = Vec::with_capacity(key.len() + 1);
        line.extend_from_slice(key.expose());
        line.push(b'\n');
        self.shown(ui.value(&Secret::new(line)))
    }

    fn say(&self, id: &str, record: &IssuedApiKey, ending: &[Ending<'_>]) {
        let ui = self.context.ui;
        let verb = if self.dry_run { "would issue" } else { "issued" };
        let id = if self.dry_run { String::new() } else { format!(" {id}") };
        let role = record.role.as_ref().map_or_else(String::new, |role| format!(", role {role}"));
        ui.say(&format!("{verb} API key{id} for `{}`{role}, {}", record.name, until(record.expires)));
        for Ending { id, expires } in ending {
            ui.say(&format!("its older key {id} is good {}", until(*expires)));
        }
    }

    /// A key that nobody has seen is of no use, and must not stay good.
    fn shown(&self, printed: Result<()>) -> Result<()> {
        let revoke = || self.session.command(&format!("apikey revoke {}", self.ids[0]));
        printed.map_err(|error| error.hint(format!("the key was issued and not shown: `{}`", revoke())))
    }
}

/// Whoever replaces a key seldom means to take its role away.
fn forgotten_role<'a>(
    record: &IssuedApiKey,
    mut older: impl Iterator<Item = (&'a String, &'a IssuedApiKey)>,
) -> Option<&'a str> {
    older.find_map(|(_, older)| older.role.as_deref()).filter(|_| record.role.is_none())
}

fn until(expires: Option<DateTime<Utc>>) -> String {
    expires.map_or_else(|| "without an end".to_owned(), |at| format!("until {}", at.format("%Y-%m-%d %H:%M UTC")))
}

/// A name that looks like an id could not be told from one.
fn parse_name(text: &str) -> Result<String, &'static str> {
    if register::is_id(text) { Err("it looks like the id of a key") } else { parse_word(text) }
}

fn parse_life(text: &str) -> Result<Life, &'static str> {
    if text == "never" { Ok(Life::Endless) } else { parse_period(text).map(Life::For) }
}

fn parse_period(text: &str) -> Result<Period, &'static str> {
    Period::parse(text).ok_or("write a number and a unit, such as `90d` or `12h`")
}

fn parse_prefix(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.len() <= 64 && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("a prefix is at most 64 of A–Z a–z 0–9 `_`")
}
