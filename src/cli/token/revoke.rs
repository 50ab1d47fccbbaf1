//! `token revoke`: tokens that are refused from now on, although they have not ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use clap::Args;

use crate::cli::context::Context;
use crate::cli::input::read_for_change;
use crate::cli::session::Session;
use crate::cli::summary::{Deed, Summary};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::gather::Gather;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::store::Store;
use crate::token::inspect::inspect;
use crate::token::lifetime;
use crate::token::reason::Reason;
use crate::token::roster::{self, Known, Revoked};
use crate::token::signer::signers;
use crate::token::trusted::Trusted;
use crate::token::verify::{Accepted, Verifier};
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The tokens, by their ids
    #[arg(value_name = "JTI", required_unless_present_any = ["subject", "token"])]
    ids: Vec<String>,
    /// All tokens of this subject that were issued until now
    #[arg(long, value_name = "SUBJECT", conflicts_with_all = ["ids", "token"])]
    subject: Option<String>,
    /// Only those that were issued before this time, such as 2026-11-22T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "subject", value_parser = parse_time)]
    before: Option<DateTime<Utc>>,
    /// The token in this file (`-`: stdin), which must be one of ours
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    token: Option<PathBuf>,
    /// When the tokens end, where nobody recorded it
    #[arg(long, value_name = "TIME", requires = "ids", value_parser = parse_time)]
    expires: Option<DateTime<Utc>>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    arguments.refuse_times(context.now)?;
    if signers(&session.manifest, &session.environment).is_empty() {
        return Err(Error::usage("no secret signs tokens here, so there is none to revoke"));
    }
    let text = arguments.token.as_ref().map(|path| read_for_change(context, path)).transpose()?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = World { goes_on: true, ..session.world(&files, &identities, false)? };
    world.check_agreement(&opened.store)?;
    let known = roster::known(&session.manifest, &session.environment, &opened.store, context.now);
    let wanted = match (&text, &arguments.subject) {
        (Some(text), _) => of_text(&session, &opened.store, text)?,
        (None, Some(subject)) => {
            of_subject(subject, arguments.before.map_or_else(|| next_second(context.read_clock()), whole_second))
        }
        (None, None) => arguments.of_ids(&known)?,
    };
    let news = wanted.news(&opened.store.issued, context.now);
    let changed = if news.is_empty() { Vec::new() } else { keys(&session, &known, &news) };
    if !news.is_empty() {
        news.record(&mut opened.store.issued, context.now);
        opened.store.updated = opened.store.updated.max(context.now);
    }
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        world.settle(&mut opened, "token-revoke", &changed)?
    };
    let plan = Plan::default();
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run);
    summary.with((!news.is_empty()).then_some(Deed::Revoke(&news))).tell(context)?;
    if !arguments.dry_run {
        warn_of_declared(&session, &known, &news);
        wait_until_revoked(context, &news);
    }
    Ok(delivered.exit())
}

impl Arguments {
    fn refuse_times(&self, now: DateTime<Utc>) -> Result<()> {
        if self.before.is_some_and(|before| before > next_second(now)) {
            return Err(Error::usage("`--before` lies ahead: tokens that are still to be issued cannot be revoked"));
        }
        if self.expires.is_some_and(|expires| expires > now + lifetime::LONGEST.delta()) {
            return Err(Error::usage(format!("no token lives longer than {}", lifetime::LONGEST))
                .hint("`vault-kit token inspect` shows a token's `exp`"));
        }
        Ok(())
    }

    /// Tokens by their ids; when they end is known of those that are declared or recorded.
    fn of_ids(&self, known: &[Known]) -> Result<Revoked> {
        let ends: BTreeMap<&str, DateTime<Utc>> = known.iter().map(|it| (it.jti.as_str(), it.expires)).gather();
        let end = |id: &String| {
            let end = ends.get(id.as_str()).copied().or(self.expires);
            end.map(|end| (id.clone(), end)).ok_or_else(|| {
                Error::usage("nobody recorded a token of this id, so nobody knows when it ends")
                    .hint("say when with `--expires TIME`, or pipe the token to `vault-kit token revoke --token -`")
            })
        };
        Ok(Revoked { tokens: self.ids.iter().map(end).collect::<Result<_>>()?, subjects: BTreeMap::new() })
    }
}

fn of_subject(subject: &str, before: DateTime<Utc>) -> Revoked {
    Revoked { tokens: BTreeMap::new(), subjects: BTreeMap::from([(subject.to_owned(), before)]) }
}

/// The token itself, once it is proven to be one of ours; for whom it is does not matter.
fn of_text(session: &Session<'_>, store: &Store, text: &Secret) -> Result<Revoked> {
    let Trusted { keys, .. } = Trusted::of_store(&session.manifest, &session.environment, store, session.context.now);
    let text = text.expose_text().map_or("", |text| text.trim_end_matches(['\r', '\n']));
    let verifier = Verifier { otherwise: as_it_says(text), ..Verifier::new(&keys) };
    match verifier.verify(text, session.context.now) {
        Ok(claims) => {
            let expires = DateTime::from_timestamp(claims.expires, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
            Ok(Revoked { tokens: BTreeMap::from([(claims.id, expires)]), ..Revoked::default() })
        }
        Err(Reason::Expired) => Ok(Revoked::default()),
        Err(reason) => {
            let message = format!("the token cannot be revoked: {}: {reason}", reason.code());
            let error = Error::new(Kind::Findings, "token-refused", message);
            Err(reason.hint().into_iter().fold(error, Error::hint))
        }
    }
}

/// Issuer and audience as an unverified token has them: the verifier then asks for nothing but the rest.
fn as_it_says(text: &str) -> Accepted {
    let Ok((_, claims)) = inspect(text) else { return Accepted::default() };
    let texts = |name: &str| -> Vec<String> {
        let value = claims.get(name);
        let several = value.and_then(|it| it.as_array()).map_or(&[][..], Vec::as_slice);
        value.into_iter().chain(several).filter_map(|it| it.as_str()).map(str::to_owned).collect()
    };
    Accepted { issuers: texts("iss"), audiences: texts("aud") }
}

/// The keys whose tokens these are; all of them where nobody knows.
fn keys(session: &Session<'_>, known: &[Known], news: &Revoked) -> Vec<SecretName> {
    let mut keys: Vec<SecretName> = known.iter().filter(|it| news.has(it)).map(|it| it.key.clone()).collect();
    if keys.is_empty() {
        let signers = signers(&session.manifest, &session.environment);
        keys.extend(signers.into_iter().map(|it| it.declaration.name.clone()));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A declared token that is revoked is still delivered: whoever uses it is refused until there is a new one.
fn warn_of_declared(session: &Session<'_>, known: &[Known], news: &Revoked) {
    for token in known.iter().filter(|it| it.current && news.has(it)) {
        if let Some(name) = &token.name {
            let command = session.command(&format!("generate --replace {name}"));
            session.context.ui.warn(&format!("`{name}` is revoked with it; make a new one with `{command}`"));
        }
    }
}

/// A token tells its second: what is minted in the second that is revoked would be revoked as well. Whoever mints after
/// this command has ended gets a good one.
fn wait_until_revoked(context: &Context, news: &Revoked) {
    let latest = news.subjects.values().max();
    if let Some(left) = latest.and_then(|before| (*before - context.read_clock()).to_std().ok()) {
        std::thread::sleep(left.min(std::time::Duration::from_secs(1)));
    }
}

/// Tokens tell whole seconds: of one that is revoked in part, all of it is.
fn whole_second(before: DateTime<Utc>) -> DateTime<Utc> {
    if before.timestamp_subsec_nanos() == 0 { before } else { next_second(before) }
}

fn next_second(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(TimeDelta::seconds(1)).unwrap_or(now) + TimeDelta::seconds(1)
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    time.map_err(|_| "write a time such as 2026-11-22T12:00:00Z (RFC 3339)")
}
