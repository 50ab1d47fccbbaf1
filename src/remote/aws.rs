//! AWS Secrets Manager by its SDK: the only place that knows it, and that anything is asynchronous.
//!
//! One client and one runtime of a single thread, made when a command first needs AWS. The SDK's own retries are off: ours
//! are told as they happen, and end when the user's patience does.

mod answer;
mod clock;
mod configuration;
mod endpoint;
mod fields;
mod listing;
mod patience;
mod processes;
mod reading;
mod trust;
mod turn;
mod writing;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::runtime::Runtime;

use self::clock::ServerClock;
use self::turn::{Turn, each};
use super::{Answer, Cause, Creation, Listed, ListedAndRead, Reading, Relabelling, Remote, Sending, Tagging};
use crate::error::{Error, Result};

/// Reads in flight. AWS answers ten thousand a second.
const READERS: usize = 16;

/// Writes in flight. AWS takes fifty a second.
const WRITERS: usize = 8;

/// Which AWS, as whom, and for how long.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Such as `eu-west-1`; `None` = what the environment, the profile or the instance says.
    pub region: Option<String>,
    /// A profile of `~/.aws/config`, whose credentials then are the only ones; `None` = the usual chain.
    pub profile: Option<String>,
    /// A role to be taken on top of those credentials.
    pub role_arn: Option<String>,
    /// Where Secrets Manager is; `None` = what the environment or the profile says, else AWS itself.
    pub endpoint: Option<String>,
    /// Whom to trust.
    pub authorities: Authorities,
    /// Variables of the environment that no program gets which a profile names as its source of credentials.
    pub withheld: &'static [&'static str],
    /// For how long to try.
    pub patience: Patience,
}

/// Whose certificates are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Authorities {
    /// The system's.
    #[default]
    System,
    /// Those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    Surroundings,
    /// Those of a PEM file.
    Bundle(PathBuf),
}

/// For how long a request is tried again that was throttled or got no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patience {
    /// Somebody waits: two tries, and only one where the first took long.
    #[default]
    Interactive,
    /// Nobody waits: four tries.
    Unattended,
    /// Until so long has passed.
    Wait(Duration),
}

/// That a request will be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened to it.
    pub cause: Cause,
    /// The API's name of the operation.
    pub operation: &'static str,
    /// In how much time it is tried again.
    pub wait: Duration,
}

/// How far a verb about many secrets has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// What is done, such as "reading".
    pub doing: &'static str,
    /// With how many it is done.
    pub done: usize,
    /// Of how many, where that is known.
    pub of: Option<usize>,
}

/// Whom to tell of advances.
type Watcher = Box<dyn Fn(Advance) + Send + Sync>;

/// Whom to tell of tries.
type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

/// A connection to AWS Secrets Manager.
pub struct Aws {
    runtime: Runtime,
    secrets: aws_sdk_secretsmanager::Client,
    identity: aws_sdk_sts::Client,
    patience: Patience,
    /// How long all verbs before this one took together: a command has one patience. A person who thinks takes none of it.
    spent: Mutex<Duration>,
    listener: Listener,
    watcher: Option<Watcher>,
    /// What this process made or sent a moment ago, by ARN and name: AWS may not know of it everywhere yet.
    fresh: Mutex<BTreeSet<String>>,
    /// Whether `BatchGetSecretValue` was denied: then nobody asks for it again.
    is_batch_denied: AtomicBool,
    clock: ServerClock,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// Prepares everything that the verbs need. No request is made, but those that the region or a part of the configuration
/// can take on an EC2 instance; credentials are fetched with the first verb.
pub fn connect(settings: &Settings, notice: Arc<dyn Fn(&Notice) + Send + Sync>) -> Result<Aws> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::io("start the runtime of the AWS client", error))?;
    let clock = ServerClock::default();
    let (secrets, identity) = runtime.block_on(configuration::clients(settings, &clock))?;
    Ok(Aws {
        runtime,
        secrets,
        identity,
        patience: settings.patience,
        spent: Mutex::default(),
        listener: notice,
        watcher: None,
        fresh: Mutex::default(),
        is_batch_denied: AtomicBool::new(false),
        clock,
    })
}

impl Aws {
    /// The region that requests go to.
    pub fn region(&self) -> Option<String> {
        self.secrets.config().region().map(ToString::to_string)
    }

    /// Tells from now on how far a verb has come that takes more than a second.
    #[must_use]
    pub fn watched(self, watcher: impl Fn(Advance) + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Box::new(watcher)), ..self }
    }

    /// A verb that does the same for each, `width` at a time.
    fn each<'i, I, T>(
        &self,
        doing: &'static str,
        items: &'i [I],
        width: usize,
        work: &impl AsyncFn(&Turn<'_>, &'i I) -> T,
    ) -> Vec<T> {
        self.turn(async |turn| {
            turn.begin(doing, Some(items.len()));
            let one = async |item| {
                let answer = work(turn, item).await;
                turn.advance(1);
                answer
            };
            each(items, width, one).await
        })
    }

    fn turn<T>(&self, work: impl AsyncFnOnce(&Turn<'_>) -> T) -> T {
        let begun = Instant::now();
        let done = self.runtime.block_on(async { work(&Turn::new(self)).await });
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) += begun.elapsed();
        done
    }

    fn spent(&self) -> Duration {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was just made or sent may be "not found" for some seconds.
    fn remember(&self, ids: &[&str]) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.extend(ids.iter().map(|&id| id.to_owned()));
    }

    fn is_fresh(&self, id: &str) -> bool {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

impl Remote for Aws {
    fn account(&self) -> Answer<String> {
        self.turn(async |turn| {
            let answer = turn.ask("GetCallerIdentity", || self.identity.get_caller_identity().send()).await?;
            let is_account = |it: &String| it.len() == 12 && it.bytes().all(|byte| byte.is_ascii_digit());
            answer.account.filter(is_account).ok_or_else(|| answer::garbled("GetCallerIdentity"))
        })
    }

    fn list(&self, prefix: &str) -> Answer<Vec<Listed>> {
        self.turn(async |turn| listing::list(turn, prefix).await)
    }

    fn list_and_read(&self, prefix: &str, is_wanted: &dyn Fn(&Listed) -> bool) -> Answer<ListedAndRead> {
        self.turn(async |turn| reading::read_listed(turn, prefix, is_wanted).await)
    }

    fn describe(&self, ids: &[&str]) -> Vec<Answer<Listed>> {
        self.each("describing", ids, READERS, &async |turn, id| listing::describe(turn, id).await)
    }

    fn versions(&self, arns: &[&str]) -> Vec<Answer<Vec<String>>> {
        self.each("listing versions", arns, READERS, &async |turn, arn| listing::versions(turn, arn).await)
    }

    fn read(&self, ids: &[&str]) -> Vec<Answer<Reading>> {
        self.turn(async |turn| reading::read(turn, ids).await)
    }

    fn read_versions(&self, versions: &[(&str, &str)]) -> Vec<Answer<Reading>> {
        self.each("reading", versions, READERS, &async |turn, (arn, id)| reading::version(turn, arn, id).await)
    }

    fn create(&self, creations: &[Creation<'_>]) -> Vec<Answer<String>> {
        self.each("creating", creations, WRITERS, &async |turn, it| writing::create(turn, it).await)
    }

    fn send(&self, sendings: &[Sending<'_>]) -> Vec<Answer<()>> {
        self.each("sending", sendings, WRITERS, &async |turn, it| writing::send(turn, it).await)
    }

    fn relabel(&self, relabellings: &[Relabelling<'_>]) -> Vec<Answer<()>> {
        self.each("putting in force", relabellings, WRITERS, &async |turn, it| writing::relabel(turn, it).await)
    }

    fn try_relabel(&self, relabellings: &[Relabelling<'_>]) -> Vec<Answer<()>> {
        self.each("labelling", relabellings, WRITERS, &async |turn, it| writing::try_relabel(turn, it).await)
    }

    fn tag(&self, taggings: &[Tagging<'_>]) -> Vec<Answer<()>> {
        self.each("tagging", taggings, WRITERS, &async |turn, it| writing::tag(turn, it).await)
    }

    fn delete(&self, arns: &[&str], days: u8) -> Vec<Answer<()>> {
        self.each("deleting", arns, WRITERS, &async |turn, arn| writing::delete(turn, arn, days).await)
    }

    fn restore(&self, arns: &[&str]) -> Vec<Answer<()>> {
        self.each("restoring", arns, WRITERS, &async |turn, arn| writing::restore(turn, arn).await)
    }

    fn clock(&self) -> Option<DateTime<Utc>> {
        self.clock.last()
    }
}
