//! Secrets, versions and labels, and the rules by which labels move.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::fault::{Answered, Fault};

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

/// How many labels the versions of one secret may have together, and how many tags it may have.
const MOST_LABELS: usize = 20;
const MOST_TAGS: usize = 50;

/// Versions without labels go when there are more than these, once they are a day old.
const MOST_VERSIONS: usize = 100;
const DAY: f64 = 86_400.0;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Text(Arc<str>),
    Binary(Arc<[u8]>),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Version {
    /// `None` for the place that a rotation keeps for its value.
    pub(super) content: Option<Content>,
    /// Seconds since 1970, as all times here.
    pub(super) created: f64,
    pub(super) labels: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) kms_key: Option<String>,
    pub(super) versions: BTreeMap<String, Version>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: f64,
    pub(super) changed: f64,
    /// When it was asked to be deleted, and when that will be.
    pub(super) deletion: Option<(f64, f64)>,
    pub(super) rotation_enabled: bool,
    pub(super) owning_service: Option<String>,
    pub(super) external_type: Option<String>,
    /// The region of the primary, also when it is this one.
    pub(super) primary_region: Option<String>,
    pub(super) replicas: Vec<String>,
    /// How far these are, unless they are `InSync`.
    pub(super) replication: Option<String>,
    /// Whether a policy keeps its value from everybody.
    pub(super) is_denied: bool,
}

/// Everything that the service knows.
pub(super) struct State {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) values_read: usize,
    /// What whoever asks is allowed, where that is not everything.
    pub(super) policy: Option<serde_json::Value>,
    /// How far its clock is ahead.
    pub(super) ahead: Duration,
    /// By the number of its creation.
    secrets: BTreeMap<u64, Arc<Secret>>,
    numbers: HashMap<String, u64>,
    made: u64,
    /// What was before each of the last changes, the latest at the end, as many as listings lag behind.
    before: VecDeque<(u64, Option<Arc<Secret>>)>,
    lag: usize,
}

impl Secret {
    /// The version that has a label.
    pub(super) fn holder(&self, label: &str) -> Option<&str> {
        self.versions.iter().find(|(_, version)| version.labels.contains(label)).map(|(id, _)| id.as_str())
    }

    /// Takes a label from whoever has it and gives it to a version, if any. `AWSPREVIOUS` follows `AWSCURRENT`.
    pub(super) fn give(&mut self, label: &str, to: Option<&str>) {
        let from = self.holder(label).map(str::to_owned);
        if from.as_deref() == to {
            return;
        }
        for version in self.versions.values_mut() {
            version.labels.remove(label);
        }
        if let Some(version) = to.and_then(|to| self.versions.get_mut(to)) {
            version.labels.insert(label.to_owned());
        }
        if label == CURRENT && from.is_some() {
            self.give(PREVIOUS, from.as_deref());
        }
    }

    /// Adds a version with labels, or fills the place that was kept for it; the first one is always in force.
    pub(super) fn add(&mut self, id: &str, content: Content, labels: &[&str], now: f64) {
        let is_first = self.versions.is_empty();
        let version = self.versions.entry(id.to_owned()).or_default();
        (version.content, version.created) = (Some(content), now);
        for label in labels {
            self.give(label, Some(id));
        }
        if is_first {
            self.give(CURRENT, Some(id));
        }
        while self.versions.len() > MOST_VERSIONS {
            let old = |version: &Version| version.labels.is_empty() && version.created < now - DAY;
            let oldest = self.versions.iter().filter(|(_, version)| old(version));
            let oldest = oldest.min_by(|a, b| a.1.created.total_cmp(&b.1.created)).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            self.versions.remove(&oldest);
        }
    }

    /// Refuses when it has too many labels or tags.
    pub(super) fn within_limits(&self) -> Answered<()> {
        if self.versions.values().map(|version| version.labels.len()).sum::<usize>() > MOST_LABELS {
            return Err(Fault::limit("You have exceeded the number of staging labels of a secret."));
        }
        if self.tags.len() > MOST_TAGS {
            return Err(Fault::parameter("You have exceeded the number of tags of a secret."));
        }
        Ok(())
    }
}

impl State {
    pub(super) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            values_read: 0,
            policy: None,
            ahead: Duration::ZERO,
            secrets: BTreeMap::new(),
            numbers: HashMap::new(),
            made: 0,
            before: VecDeque::new(),
            lag: 0,
        }
    }

    /// Seconds since 1970, to the millisecond.
    #[expect(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "a server has a clock of its own")]
    pub(super) fn now(&self) -> f64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + self.ahead;
        since.as_millis() as f64 / 1000.0
    }

    fn number(&self, id: &str) -> Option<u64> {
        if !id.starts_with("arn:") {
            return self.numbers.get(id).copied();
        }
        let rest = id.strip_prefix(&format!("{}:", self.arn_prefix()))?;
        let complete = |number: &u64| self.secrets[number].arn == id;
        let stem = rest.len().checked_sub(7).filter(|&at| rest.is_char_boundary(at)).map(|at| &rest[..at]);
        let by_arn = stem.and_then(|name| self.numbers.get(name).copied()).filter(complete);
        by_arn.or_else(|| self.numbers.get(rest).copied())
    }

    fn arn_prefix(&self) -> String {
        format!("arn:aws:secretsmanager:{}:{}:secret", self.region, self.account)
    }

    /// A secret by name, ARN, or ARN without its last seven characters.
    pub(super) fn find(&self, id: &str) -> Answered<&Secret> {
        if let Some(rest) = id.strip_prefix("arn:aws:secretsmanager:") {
            let account = rest.split(':').nth(1).unwrap_or_default();
            if account != self.account {
                // Whoever may not see it does not learn whether it is there.
                return Err(Fault::denied("on a secret of another account"));
            }
        }
        self.number(id).map(|number| &*self.secrets[&number]).ok_or_else(Fault::no_secret)
    }

    /// A secret was changed last so long before.
    pub(super) fn age(&mut self, id: &str, by: Duration) -> Answered<()> {
        let mut aged = self.find(id)?.clone();
        aged.changed -= by.as_secs_f64();
        self.set(self.numbers[&aged.name], Some(aged));
        Ok(())
    }

    /// A secret that may be changed, and is once `change` succeeds.
    pub(super) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Secret) -> Answered<T>) -> Answered<T> {
        let now = self.now();
        let found = self.find(id)?;
        let mut changed = found.clone();
        let result = change(&mut changed)?;
        changed.within_limits()?;
        changed.changed = now;
        let number = self.numbers[&changed.name];
        self.set(number, Some(changed));
        Ok(result)
    }

    /// The name that an id stands for, or the id itself.
    pub(super) fn name_of(&self, id: &str) -> String {
        self.number(id).map_or_else(|| id.to_owned(), |number| self.secrets[&number].name.clone())
    }

    /// Adds a secret, whose name must be free. Answers with its ARN.
    pub(super) fn make(&mut self, mut secret: Secret) -> String {
        self.made += 1;
        secret.arn = format!("{}:{}-{}", self.arn_prefix(), secret.name, six_characters(self.made));
        (secret.created, secret.changed) = (self.now(), self.now());
        let arn = secret.arn.clone();
        self.numbers.insert(secret.name.clone(), self.made);
        self.set(self.made, Some(secret));
        arn
    }

    /// Removes a secret at once.
    pub(super) fn remove(&mut self, name: &str) {
        if let Some(number) = self.numbers.remove(name) {
            self.set(number, None);
        }
    }

    fn set(&mut self, number: u64, secret: Option<Secret>) {
        let before = match secret {
            Some(secret) => self.secrets.insert(number, Arc::new(secret)),
            None => self.secrets.remove(&number),
        };
        self.before.push_back((number, before));
        while self.before.len() > self.lag {
            self.before.pop_front();
        }
    }

    /// Removes what was scheduled for deletion and is due.
    pub(super) fn bury(&mut self) {
        if self.ahead.is_zero() {
            return;
        }
        let now = self.now();
        let is_due = |secret: &&Arc<Secret>| secret.deletion.is_some_and(|(_, end)| end <= now);
        let due: Vec<String> = self.secrets.values().filter(is_due).map(|secret| secret.name.clone()).collect();
        for name in due {
            self.remove(&name);
        }
    }

    /// From now on, listings lag so many changes behind.
    pub(super) fn set_lag(&mut self, lag: usize) {
        self.lag = lag;
        while self.before.len() > lag {
            self.before.pop_front();
        }
    }

    /// Every secret as it is.
    pub(super) fn secrets(&self) -> &BTreeMap<u64, Arc<Secret>> {
        &self.secrets
    }

    /// Every secret as listings see it when they lag; `None` when they do not.
    pub(super) fn stale_secrets(&self) -> Option<BTreeMap<u64, Arc<Secret>>> {
        if self.before.is_empty() {
            return None;
        }
        let mut secrets = self.secrets.clone();
        for (number, before) in self.before.iter().rev() {
            match before {
                Some(before) => secrets.insert(*number, Arc::clone(before)),
                None => secrets.remove(number),
            };
        }
        Some(secrets)
    }
}

/// Six letters and digits that look random and are never the same.
fn six_characters(number: u64) -> String {
    const SIGNS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // Odd and no multiple of 31, so that it has no factor in common with 62⁶: a permutation.
    let mut rest = number.wrapping_mul(20_211_103_049) % 62_u64.pow(6);
    let mut sign = || {
        let sign = char::from(SIGNS[usize::try_from(rest % 62).expect("less than 62")]);
        rest /= 62;
        sign
    };
    std::iter::repeat_with(&mut sign).take(6).collect()
}
