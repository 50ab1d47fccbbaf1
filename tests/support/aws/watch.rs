//! What a test may know and do behind the client's back.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Fake;
use super::fault::Answered;
use super::state::{CURRENT, Content, Secret, Version};
use super::values;

/// A request as the server saw it. Never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Such as `PutSecretValue`.
    pub(crate) operation: String,
    /// The names of the secrets that it was about.
    pub(crate) names: Vec<String>,
    /// `ok`, the code of the error, `dropped before`, or one of the former `but` what spoilt the answer.
    pub(crate) outcome: String,
}

/// What it saw.
impl Fake {
    /// How many requests of an operation came, also those that failed.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.shared.log().iter().filter(|entry| entry.operation == operation).count()
    }

    /// How many requests came.
    pub(crate) fn all_calls(&self) -> usize {
        self.shared.log().len()
    }

    /// Every request in the order of their answers.
    pub(crate) fn log(&self) -> Vec<Entry> {
        self.shared.log().clone()
    }

    /// Forgets what it saw, not what it stores.
    pub(crate) fn forget(&self) {
        self.shared.log().clear();
        self.shared.state().values_read = 0;
        self.shared.most_in_flight.store(0, Ordering::SeqCst);
    }

    /// How many values were handed out.
    pub(crate) fn values_read(&self) -> usize {
        self.shared.state().values_read
    }

    /// Whether a request is still to be applied or answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.shared.in_flight.load(Ordering::SeqCst) > 0
    }

    /// How many requests it had to answer at the same time, at most.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::SeqCst)
    }
}

/// What it stores.
impl Fake {
    /// Every name, those scheduled for deletion among them.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.shared.state().secrets().values().map(|secret| secret.name.clone()).collect();
        names.sort();
        names
    }

    /// The value in force.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> Vec<u8> {
        let current = self.look(name, |secret| secret.holder(CURRENT).map(str::to_owned));
        self.value_of(name, &current.unwrap_or_else(|| panic!("{name} has no value")))
    }

    /// The value of a version.
    #[track_caller]
    pub(crate) fn value_of(&self, name: &str, version: &str) -> Vec<u8> {
        self.look(name, |secret| match &secret.versions[version].content {
            Some(Content::Text(text)) => text.as_bytes().to_vec(),
            Some(Content::Binary(bytes)) => bytes.to_vec(),
            None => panic!("version {version} of {name} has no value"),
        })
    }

    /// Whether the value in force was sent as binary.
    #[track_caller]
    pub(crate) fn is_binary(&self, name: &str) -> bool {
        self.look(name, |secret| {
            secret.holder(CURRENT).is_some_and(|id| matches!(secret.versions[id].content, Some(Content::Binary(_))))
        })
    }

    /// The labels of every version by its id, also of those that have none.
    #[track_caller]
    pub(crate) fn versions(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        self.look(name, |secret| {
            let labels =
                secret.versions.iter().map(|(id, version)| (id.clone(), version.labels.iter().cloned().collect()));
            labels.collect()
        })
    }

    /// The version that has a label.
    #[track_caller]
    pub(crate) fn holder(&self, name: &str, label: &str) -> Option<String> {
        self.look(name, |secret| secret.holder(label).map(str::to_owned))
    }

    /// Tags.
    #[track_caller]
    pub(crate) fn tags(&self, name: &str) -> BTreeMap<String, String> {
        self.look(name, |secret| secret.tags.clone())
    }

    /// The full ARN.
    #[track_caller]
    pub(crate) fn arn(&self, name: &str) -> String {
        self.look(name, |secret| secret.arn.clone())
    }

    /// Description and KMS key.
    #[track_caller]
    pub(crate) fn description_and_key(&self, name: &str) -> (Option<String>, Option<String>) {
        self.look(name, |secret| (secret.description.clone(), secret.kms_key.clone()))
    }

    /// Regions of replicas.
    #[track_caller]
    pub(crate) fn replicas(&self, name: &str) -> Vec<String> {
        self.look(name, |secret| secret.replicas.clone())
    }

    /// Whether it is scheduled for deletion.
    #[track_caller]
    pub(crate) fn is_scheduled(&self, name: &str) -> bool {
        self.look(name, |secret| secret.deletion.is_some())
    }

    /// In how many days its scheduled deletion comes, counted from when it was scheduled.
    #[track_caller]
    pub(crate) fn recovery_days(&self, name: &str) -> Option<u32> {
        let window = self.look(name, |secret| secret.deletion.map(|(from, to)| to - from))?;
        (0..=30).find(|days| (window - f64::from(*days) * 86_400.0).abs() < 1.0)
    }

    #[track_caller]
    fn look<T>(&self, name: &str, look: impl FnOnce(&Secret) -> T) -> T {
        let state = self.shared.state();
        look(state.find(name).unwrap_or_else(|fault| panic!("{name}: {}", fault.message)))
    }
}

/// What somebody else does, without a request.
impl Fake {
    /// Makes a secret, or gives it a new value in force: text when it is UTF-8. Answers with the version's id.
    pub(crate) fn put(&self, name: &str, value: impl AsRef<[u8]>) -> String {
        self.put_labelled(name, value, &[CURRENT])
    }

    /// Makes a version with labels.
    pub(crate) fn put_labelled(&self, name: &str, value: impl AsRef<[u8]>, labels: &[&str]) -> String {
        let id = self.version_id();
        self.put_version(name, value, labels, &id);
        id
    }

    /// Makes the secret, or gives it a new value in force, with an id of the caller's own.
    pub(crate) fn put_as(&self, name: &str, value: impl AsRef<[u8]>, id: &str) {
        self.put_version(name, value, &[CURRENT], id);
    }

    fn put_version(&self, name: &str, value: impl AsRef<[u8]>, labels: &[&str], id: &str) {
        self.put_valueless(name);
        let bytes = value.as_ref();
        let content = match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.into()),
            Err(_) => Content::Binary(bytes.into()),
        };
        let mut state = self.shared.state();
        values::add(&mut state, name, id, content, labels).expect("a version that keeps to the limits");
    }

    /// Keeps a place for a value under a label, as `RotateSecret` does. Answers with the version's id.
    pub(crate) fn put_placeholder(&self, name: &str, label: &str) -> String {
        let id = self.version_id();
        self.edit(name, |secret| {
            secret.versions.insert(id.clone(), Version::default());
            secret.give(label, Some(&id));
        });
        id
    }

    /// Makes a secret without a value, if there is none of the name.
    pub(crate) fn put_valueless(&self, name: &str) {
        let mut state = self.shared.state();
        if state.find(name).is_err() {
            state.make(Secret { name: name.to_owned(), ..Secret::default() });
        }
    }

    /// Moves a label, or takes it away.
    pub(crate) fn relabel(&self, name: &str, label: &str, to: Option<&str>) {
        self.edit(name, |secret| secret.give(label, to));
    }

    /// Sets a tag.
    pub(crate) fn tag(&self, name: &str, key: &str, value: &str) {
        self.edit(name, |secret| {
            secret.tags.insert(key.to_owned(), value.to_owned());
        });
    }

    /// Deletes it at once.
    pub(crate) fn delete(&self, name: &str) {
        self.shared.state().remove(name);
    }

    /// Schedules its deletion in so many days.
    pub(crate) fn schedule(&self, name: &str, days: u8) {
        let now = self.shared.state().now();
        self.edit(name, |secret| secret.deletion = Some((now, now + f64::from(days) * 86_400.0)));
    }

    /// AWS rotates it.
    pub(crate) fn rotation_enabled(&self, name: &str) {
        self.edit(name, |secret| secret.rotation_enabled = true);
    }

    /// A service made it and answers for it.
    pub(crate) fn owning_service(&self, name: &str, service: &str) {
        self.edit(name, |secret| secret.owning_service = Some(service.to_owned()));
    }

    /// It is the managed external secret of a partner.
    pub(crate) fn external_type(&self, name: &str, kind: &str) {
        self.edit(name, |secret| secret.external_type = Some(kind.to_owned()));
    }

    /// It is a replica of one in another region.
    pub(crate) fn replica_of(&self, name: &str, region: &str) {
        self.edit(name, |secret| secret.primary_region = Some(region.to_owned()));
    }

    /// How far its replicas are: `InSync`, `InProgress` or `Failed`.
    pub(crate) fn replication(&self, name: &str, status: &str) {
        self.edit(name, |secret| secret.replication = Some(status.to_owned()));
    }

    /// Nobody changed it for so much longer.
    pub(crate) fn unchanged_for(&self, name: &str, time: Duration) {
        assert!(self.shared.state().age(name, time).is_ok(), "there is no `{name}`");
    }

    /// A policy keeps its value from everybody.
    pub(crate) fn deny_reading(&self, name: &str) {
        self.edit(name, |secret| secret.is_denied = true);
    }

    /// It keeps it from nobody any more.
    pub(crate) fn allow_reading(&self, name: &str) {
        self.edit(name, |secret| secret.is_denied = false);
    }

    fn version_id(&self) -> String {
        let number = self.shared.requests.fetch_add(1, Ordering::SeqCst);
        format!("50be0d10-0000-4000-8000-{number:012x}")
    }

    fn edit(&self, name: &str, edit: impl FnOnce(&mut Secret)) {
        let edited: Answered<()> = self.shared.state().change(name, |secret| {
            edit(secret);
            Ok(())
        });
        edited.unwrap_or_else(|fault| panic!("{name}: {}", fault.message));
    }
}
