//! The records of issued keys, and what may happen to them: issue, end, revoke, forget.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::hash;
use crate::secret::Secret;
use crate::store::issued::IssuedApiKey;

/// The records by id.
pub type Records = BTreeMap<String, IssuedApiKey>;

/// How many keys of one name may be live: the one in use, and the one that its callers move to.
pub const MOST_LIVE: usize = 2;

/// Digits of an id: the beginning of the hash, which tells nothing about the key and that whoever has the key can find.
const ID: usize = 12;

/// How long the record of a key that has ended is kept, so that `list` can tell what became of it.
const KEPT: TimeDelta = TimeDelta::days(90);

/// Where in its life a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Good.
    Live,
    /// Good until its callers have moved to the newer one.
    Ending,
    /// Its time is over.
    Expired,
    /// Taken back.
    Revoked,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ending => "ending",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether the key opens something.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Live | Self::Ending)
    }
}

/// What a new key is to be.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whom or what it is for.
    pub name: &'a str,
    /// What its bearer may do.
    pub role: Option<&'a str>,
    /// When it ends by itself.
    pub expires: Option<DateTime<Utc>>,
    /// When the older keys of its name end at the latest.
    pub grace_until: DateTime<Utc>,
}

/// Where in its life a key is.
pub fn state(record: &IssuedApiKey, now: DateTime<Utc>) -> State {
    match record {
        IssuedApiKey { revoked: Some(_), .. } => State::Revoked,
        IssuedApiKey { expires: Some(expires), .. } if *expires <= now => State::Expired,
        IssuedApiKey { successor: Some(_), .. } => State::Ending,
        _ => State::Live,
    }
}

/// The ids of the keys of a name that are good, the oldest first.
pub fn live(records: &Records, name: &str, now: DateTime<Utc>) -> Vec<String> {
    let live = records.iter().filter(|(_, record)| record.name == name && state(record, now).is_good());
    let mut live: Vec<_> = live.collect();
    // A key without a successor is the newest, also of two that were made within one second.
    live.sort_by_key(|(_, record)| (record.successor.is_none(), record.created));
    live.into_iter().map(|(id, _)| id.clone()).collect()
}

/// The id that a key has or would have.
pub fn id_of(key: &Secret) -> String {
    let mut id = hash(key);
    id.truncate(ID);
    id
}

/// Whether a text could be an id.
pub fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Records a key, and ends the older ones of its name after the grace period; a key that ends earlier keeps its end.
///
/// Returns the ids of what changed, that of the new key first.
pub fn issue(records: &mut Records, key: &Secret, request: Request<'_>, now: DateTime<Utc>) -> Vec<String> {
    let id = id_of(key);
    let older = live(records, request.name, now);
    for older in &older {
        if let Some(record) = records.get_mut(older) {
            let end = record.expires.map_or(request.grace_until, |expires| expires.min(request.grace_until));
            (record.expires, record.successor) = (Some(end), Some(id.clone()));
        }
    }
    let text = key.expose();
    let record = IssuedApiKey {
        name: request.name.to_owned(),
        role: request.role.map(str::to_owned),
        sha256: hash(key),
        last_four: String::from_utf8_lossy(&text[text.len().saturating_sub(4)..]).into_owned(),
        created: now,
        expires: request.expires,
        revoked: None,
        successor: None,
    };
    records.insert(id.clone(), record);
    std::iter::once(id).chain(older).collect()
}

/// Takes keys back; those that are over already stay as they are. Returns the ids of what changed.
pub fn revoke(records: &mut Records, ids: &[String], now: DateTime<Utc>) -> Vec<String> {
    let mut revoked = Vec::new();
    for id in ids {
        if let Some(record) = records.get_mut(id).filter(|record| state(record, now).is_good()) {
            record.revoked = Some(now);
            revoked.push(id.clone());
        }
    }
    revoked
}

/// Forgets the keys that ended long ago, so that a store does not grow for ever.
pub fn prune(records: &mut Records, now: DateTime<Utc>) {
    records.retain(|_, record| {
        let ended = [record.revoked, record.expires].into_iter().flatten().min();
        ended.is_none_or(|ended| ended + KEPT > now)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::api_key::draw;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn day(days: i64) -> DateTime<Utc> {
        now() + TimeDelta::days(days)
    }

    fn request(name: &str) -> Request<'_> {
        Request { name, role: None, expires: Some(day(365)), grace_until: day(7) }
    }

    fn issued(records: &mut Records, request: Request<'_>, at: DateTime<Utc>) -> Vec<String> {
        issue(records, &draw("k_").unwrap(), request, at)
    }

    #[test]
    fn a_second_key_ends_the_first_after_the_grace_period_and_no_other_name() {
        let mut records = Records::new();
        let other = issued(&mut records, request("other"), now());
        let first = issued(&mut records, request("acme"), now());
        let second = issued(&mut records, request("acme"), now());
        assert_eq!(second[1..], first[..]);
        assert_eq!(live(&records, "acme", now()), [first[0].clone(), second[0].clone()]);
        assert_eq!(records[&first[0]].expires, Some(day(7)));
        assert_eq!(records[&second[0]].expires, Some(day(365)));
        assert_eq!(records[&other[0]].expires, Some(day(365)));
        let states = |at| [&first[0], &second[0], &other[0]].map(|id| state(&records[id], at));
        assert_eq!(states(now()), [State::Ending, State::Live, State::Live]);
        assert_eq!(states(day(7) - TimeDelta::seconds(1)), [State::Ending, State::Live, State::Live]);
        assert_eq!(states(day(7)), [State::Expired, State::Live, State::Live]);
    }

    #[test]
    fn a_grace_period_never_lengthens_a_life() {
        let mut records = Records::new();
        let first = issued(&mut records, Request { expires: Some(day(1)), ..request("acme") }, now());
        issued(&mut records, request("acme"), now());
        assert_eq!(records[&first[0]].expires, Some(day(1)));
    }

    #[test]
    fn a_key_without_an_end_gets_one_from_its_successor() {
        let mut records = Records::new();
        let first = issued(&mut records, Request { expires: None, ..request("acme") }, now());
        assert_eq!(state(&records[&first[0]], day(36_500)), State::Live);
        issued(&mut records, request("acme"), now());
        assert_eq!(state(&records[&first[0]], day(8)), State::Expired);
    }

    #[test]
    fn what_is_over_is_not_revoked_again() {
        let mut records = Records::new();
        let id = issued(&mut records, request("acme"), now());
        assert_eq!(revoke(&mut records, &id, day(1)), id);
        assert_eq!(revoke(&mut records, &id, day(2)), [""; 0]);
        assert_eq!(records[&id[0]].revoked, Some(day(1)));
    }

    #[test]
    fn records_are_forgotten_ninety_days_after_the_key_ended() {
        let mut records = Records::new();
        let revoked = issued(&mut records, Request { expires: None, ..request("revoked") }, now());
        let expired = issued(&mut records, Request { expires: Some(day(2)), ..request("expired") }, now());
        let endless = issued(&mut records, Request { expires: None, ..request("endless") }, now());
        revoke(&mut records, &revoked, day(1));
        let after = |days| {
            let mut records = records.clone();
            prune(&mut records, day(days));
            [&revoked, &expired, &endless].map(|id| records.contains_key(&id[0]))
        };
        assert_eq!(after(90), [true, true, true]);
        assert_eq!(after(91), [false, true, true]);
        assert_eq!(after(92), [false, false, true]);
        assert_eq!(after(90_000), [false, false, true]);
    }

    #[test]
    fn an_id_is_the_beginning_of_the_hash() {
        // printf key | sha256sum
        assert_eq!(id_of(&Secret::copy_of(b"key")), "2c70e12b7a06");
        assert!(is_id("2c70e12b7a06") && !is_id("2C70E12B7A06") && !is_id("2c70e12b7a0") && !is_id("acme-partner"));
    }
}
