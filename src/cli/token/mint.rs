//! `token mint`: a token for somebody, on stdout and nowhere else.

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::json;

use super::verify::{parse_role, parse_scope};
use crate::cli::context::Context;
use crate::cli::get;
use crate::cli::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::generate::{self, Input, Minted};
use crate::manifest::Declaration;
use crate::manifest::model::{Role, Token};
use crate::manifest::period::Period;
use crate::secret::Secret;
use crate::store::Store;
use crate::store::issued::IssuedToken;
use crate::token::claims::role_name;
use crate::token::lifetime;
use crate::token::signer::{Signer, signers};
use crate::ui::{self, SCHEMA_VERSION};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret that signs it; needed where several could
    #[arg(long, value_name = "SECRET")]
    key: Option<String>,
    /// What the bearer may do: admin, reader, service or writer
    #[arg(long, value_name = "ROLE", value_parser = parse_role)]
    role: Role,
    /// Who bears it, such as user:42
    #[arg(long, value_name = "SUBJECT", value_parser = parse_subject)]
    subject: String,
    /// Whom it is for (else as the key's declared tokens, or the project); may be repeated
    #[arg(long = "audience", value_name = "AUDIENCE", value_parser = parse_audience)]
    audiences: Vec<String>,
    /// What the bearer may do, in words with spaces between
    #[arg(long, value_name = "WORDS", value_parser = parse_scopes)]
    scope: Option<Scopes>,
    /// How long it lives: by default 1h for readers and writers, 8h for admins, 90d for services
    #[arg(long, value_name = "TIME", value_parser = parse_ttl)]
    ttl: Option<Period>,
    /// Record it, so that `token list` shows it and `token revoke` knows it
    #[arg(long)]
    revocable: bool,
    /// Show it on a terminal
    #[arg(long)]
    show: bool,
    /// Tell what would be minted, and mint nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// The words of a scope.
#[derive(Debug, Clone)]
struct Scopes(Vec<String>);

/// What is printed, and recorded before.
struct Made {
    minted: Minted,
    expires: DateTime<Utc>,
    /// Why it lives shorter than its role's tokens do, where nobody said how long.
    shortened: Option<String>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if ui::stdout_is_terminal() && !arguments.show && !arguments.dry_run {
        return Err(Error::usage("refusing to show a token on a terminal")
            .hint("pipe it: `vault-kit token mint … | …`; or show it with `--show`"));
    }
    let session = Session::open(context)?;
    let signers = signers(&session.manifest, &session.environment);
    let signer = choose(&session, &signers, arguments.key.as_deref())?;
    let token = arguments.token(&session, signer)?;
    let identities = context.identities()?;
    let store = session.open_store(&identities)?;
    let name = &signer.declaration.name;
    if store.is_current_leaked(name) {
        context.warn(&format!(
            "`{name}` leaked, and whoever has it mints such tokens too: have it replaced with `vault-kit incident {name}`"
        ));
    }
    let made = make(&session, arguments, signer, token.clone(), &store)?;
    let changes_nothing = !arguments.revocable && store.issued.covers(&made.minted.kid, made.expires);
    if arguments.dry_run || changes_nothing {
        if !context.global.accept_clock {
            store.check_clock(context.now)?;
        }
        return tell(&session, arguments, signer, &made);
    }
    if context.ui.is_lost() {
        return Err(Error::usage("the token would be shown to nobody: stdout is closed, or is /dev/null")
            .hint("nothing was changed; leave stdout open: a token is kept nowhere"));
    }
    drop(store);
    // From here on the store is changed: what was made of the one that was read without the lock may be old.
    let _lock = session.lock()?;
    let mut opened = session.open_store_for_writing(&identities)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let made = make(&session, arguments, signer, token, &opened.store)?;
    let is_recorded = arguments.records(&made, signer, &mut opened.store);
    if is_recorded {
        opened.store.issued.prune_tokens(context.now);
        opened.store.updated = opened.store.updated.max(context.now);
        world.record(&mut opened, "token-mint", std::slice::from_ref(&signer.declaration.name))?;
    }
    // Only now: a token that is out without its record could be neither revoked nor waited for.
    let told = tell(&session, arguments, signer, &made);
    if is_recorded { told.map_err(Error::incomplete) } else { told }
}

impl Arguments {
    /// The token as if it were declared.
    fn token(&self, session: &Session<'_>, signer: &Signer<'_>) -> Result<Token> {
        let life = lifetime::of_role(self.role);
        let ttl = self.ttl.unwrap_or(life.default);
        if ttl > life.longest {
            let message = format!("a token of the role `{}` lives at most {}", role_name(self.role), life.longest);
            return Err(Error::usage(message).hint(format!("ask for `--ttl {}` or less", life.longest)));
        }
        let default = || {
            signer.audience(&session.manifest).ok_or_else(|| {
                let name = &signer.declaration.name;
                Error::usage(format!("the declared tokens of `{name}` are for different audiences"))
                    .hint("say whom this one is for with `--audience`")
            })
        };
        Ok(Token {
            signed_by: signer.declaration.name.clone(),
            algorithm: signer.algorithm,
            role: Some(self.role),
            subject: self.subject.clone(),
            audience: if self.audiences.is_empty() { default()? } else { self.audiences.clone() },
            scope: self.scope.clone().map(|it| it.0).unwrap_or_default(),
            issuer: signer.issuer(&session.manifest).to_owned(),
            ttl,
        })
    }

    /// Puts into the store what must be known of a token; whether anything had to be.
    fn records(&self, made: &Made, signer: &Signer<'_>, store: &mut Store) -> bool {
        let Minted { claims, kid, algorithm, .. } = &made.minted;
        let is_covered = store.issued.covers(kid, made.expires);
        store.issued.cover(kid, made.expires);
        if self.revocable {
            let token = IssuedToken {
                signed_by: signer.declaration.name.clone(),
                kid: kid.clone(),
                algorithm: Some(algorithm.name().to_owned()),
                subject: claims.subject.clone(),
                role: claims.role.map(|role| role_name(role).to_owned()),
                issued: at(claims.issued),
                expires: made.expires,
            };
            store.issued.tokens.insert(claims.id.clone(), token);
        }
        self.revocable || !is_covered
    }
}

/// The secret that signs: the one that is named, else the only one.
fn choose<'a, 'b>(session: &Session<'_>, signers: &'b [Signer<'a>], key: Option<&str>) -> Result<&'b Signer<'a>> {
    let names: Vec<String> = signers.iter().map(|it| format!("`{}`", it.declaration.name)).collect();
    let Some(key) = key else {
        return match signers {
            [only] => Ok(only),
            [] => Err(Error::usage("no secret signs tokens here")
                .hint("declare a `keypair`, or a `token` that names its key in `signed_by`")),
            _ => Err(Error::usage("several secrets sign tokens")
                .hint(format!("choose one with `--key`: {}", names.join(", ")))),
        };
    };
    let name = session.secret(key)?;
    signers.iter().find(|it| it.declaration.name == name).ok_or_else(|| {
        let error = Error::usage(format!("`{name}` signs no tokens"));
        if names.is_empty() { error } else { error.hint(format!("these do: {}", names.join(", "))) }
    })
}

fn make(
    session: &Session<'_>,
    arguments: &Arguments,
    signer: &Signer<'_>,
    mut token: Token,
    store: &Store,
) -> Result<Made> {
    let (declaration, now) = (signer.declaration, session.context.now);
    let missing = || get::missing(session, declaration.name.as_str());
    let version = store.value(declaration).ok_or_else(missing)?;
    let end = signer.planned_end(version.id, version.created, session.manifest.environments.get(&session.environment));
    let shortened = end.filter(|_| arguments.ttl.is_none()).and_then(|end| shorten(&mut token, declaration, end, now));
    let is_supplied = version.kind == "external";
    let key = Input { is_supplied, ..Input::new(Some(version.id), &version.parts) };
    let minted = generate::mint_token(signer.asker(), &token, now, key)?;
    let expires = at(minted.claims.expires);
    if let Some(end) = end.filter(|end| *end < expires) {
        return Err(beyond_the_key(session, signer, end));
    }
    if store.issued.revocations().is_revoked(&minted.claims) {
        let message = "all tokens of this subject that are issued at this moment are revoked";
        return Err(Error::new(Kind::Conflict, "subject-revoked", message)
            .hint("somebody else is at it with `vault-kit token revoke`: try again in a second"));
    }
    Ok(Made { minted, expires, shortened })
}

/// A life that nobody asked for ends with the key's; says so.
fn shorten(token: &mut Token, key: &Declaration, end: DateTime<Utc>, now: DateTime<Utc>) -> Option<String> {
    let left = Period::within(end - now).filter(|left| *left < token.ttl)?;
    let usual = std::mem::replace(&mut token.ttl, left);
    let (name, end) = (&key.name, day(end));
    Some(format!("`{name}` is to be replaced by {end}, so the token lives {left} instead of {usual}"))
}

/// A token dies with its key: one that is said to live longer would be a promise that nobody keeps.
fn beyond_the_key(session: &Session<'_>, signer: &Signer<'_>, end: DateTime<Utc>) -> Error {
    let name = &signer.declaration.name;
    let message = format!("`{name}` is to be replaced by {}, before the token would end", day(end));
    let rotate = format!("replace the key first with `{}`", session.command(&format!("generate --replace {name}")));
    let error = Error::new(Kind::Findings, "key-ends-sooner", message);
    // A minute less than there is, for whoever pastes it.
    let error = match Period::within(end - session.context.now - TimeDelta::minutes(1)) {
        Some(left) => error.hint(format!("ask for less: `--ttl {left}`")),
        None => error,
    };
    error.hint(rotate)
}

fn tell(session: &Session<'_>, arguments: &Arguments, signer: &Signer<'_>, made: &Made) -> Result<Exit> {
    let (ui, Minted { text, claims, kid, .. }) = (session.context.ui, &made.minted);
    let role = role_name(arguments.role);
    made.shortened.iter().for_each(|note| ui.warn(note));
    if arguments.dry_run {
        ui.say(&format!("would mint a token for {} ({role}) until {}", claims.subject, day(made.expires)));
        return Ok(Exit::DONE);
    }
    let lost = |error: Error| lost(session, arguments, &claims.id, error);
    if ui.json {
        let answer = json!({
            "schema_version": SCHEMA_VERSION, "token": text.expose_text(), "key": signer.declaration.name, "kid": kid,
            "jti": claims.id, "subject": claims.subject, "role": role, "audience": claims.audience,
            "issued": at(claims.issued), "expires": made.expires, "revocable": arguments.revocable,
        });
        return ui.object(&answer).map(|()| Exit::DONE).map_err(lost);
    }
    let mut line = Vec::with_capacity(text.len() + 1);
    line.extend_from_slice(text.expose());
    line.push(b'\n');
    ui.value(&Secret::new(line)).map_err(lost)?;
    ui.say(&format!("minted {} for {} ({role}) until {}", claims.id, claims.subject, day(made.expires)));
    Ok(Exit::DONE)
}

/// A token that did not get out whole. Of one that is not recorded nothing is left that anybody would have to undo.
fn lost(session: &Session<'_>, arguments: &Arguments, id: &str, error: Error) -> Error {
    if !arguments.revocable {
        return error.hint("the token is lost, and nothing needs to be undone: mint another one");
    }
    let revoke = session.command(&format!("token revoke {id}"));
    error.hint(format!("the token is recorded and was not delivered; take it back with `{revoke}`"))
}

fn day(time: DateTime<Utc>) -> impl std::fmt::Display {
    time.format("%Y-%m-%d %H:%M:%S UTC")
}

/// Seconds since 1970 as a time; those of a token that we sign are in range.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

fn parse_subject(text: &str) -> Result<String, &'static str> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { Ok(text.to_owned()) } else { Err("a subject is one word of visible ASCII, such as user:42") }
}

fn parse_audience(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("an audience is not empty") } else { Ok(text.to_owned()) }
}

fn parse_scopes(text: &str) -> Result<Scopes, &'static str> {
    text.split_whitespace().map(parse_scope).collect::<Result<_, _>>().map(Scopes)
}

fn parse_ttl(text: &str) -> Result<Period, &'static str> {
    Period::parse(text).ok_or("write a number and a unit, such as 15m, 8h or 90d")
}
