//! When a value's replacement is due: pure date arithmetic.
//!
//! Planner, ledger, `status`, `check` and `rotate --due` all ask here, so that none tells of what another would leave alone.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::window;
use crate::manifest::Kind;
use crate::manifest::model::{Declaration, Environment, Rotate};
use crate::manifest::period::Period;
use crate::manifest::window::Window;
use crate::name::VersionId;
use crate::secret::digest::sha256_hex;
use crate::x509::renewal;

/// The dates of a value, as store and ledger both know them.
#[derive(Debug, Clone, Copy)]
pub struct Dates<'a> {
    /// Which version it is.
    pub version: VersionId,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it stops being valid.
    pub expires: Option<DateTime<Utc>>,
    /// A certificate's `not_before` and `serial`.
    pub facts: &'a BTreeMap<String, String>,
}

impl Dates<'_> {
    /// When its life began: that of an imported certificate may have begun long before it came here.
    pub fn begun(self) -> DateTime<Utc> {
        let told = self.facts.get("not_before").and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        told.map_or(self.created, |time| time.to_utc())
    }
}

/// When a value is to be replaced, and by when it should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Due<'a> {
    /// From when on it is replaced, within a window where there are any.
    pub from: DateTime<Utc>,
    /// From when on it is overdue, which is what `check` tells: the end of that window, or without one the due date.
    pub overdue: DateTime<Utc>,
    windows: &'a [Window],
    /// When it ends by itself: no window is waited for until then.
    ends: Option<DateTime<Utc>>,
}

impl Due<'_> {
    /// Due and overdue at once, whatever the windows: what leaked waits for nothing.
    pub fn at_once(at: DateTime<Utc>) -> Self {
        Self { from: at, overdue: at, windows: &[], ends: None }
    }

    /// The first instant not before `now` at which it is replaced: `now` itself when it is time, and after a window that
    /// was missed the beginning of the next one.
    pub fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let from = self.from.max(now);
        let opens = window::next(self.windows, from).map_or(from, |opening| opening.opens.max(from));
        if self.ends.is_some_and(|ends| ends <= opens) { from } else { opens }
    }

    /// Whether it is time.
    pub fn is_now(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && self.next(now) == now
    }
}

/// From when on a value is overdue; `None` = never. A certificate is due for renewal or for rotation, whichever comes first.
pub fn due(dates: Dates<'_>, declaration: &Declaration, environment: Option<&Environment>) -> Option<DateTime<Utc>> {
    term(dates, declaration, environment).map(|due| due.overdue)
}

/// When a value is due, early and late; `None` = never.
pub fn term<'a>(
    dates: Dates<'_>,
    declaration: &'a Declaration,
    environment: Option<&'a Environment>,
) -> Option<Due<'a>> {
    let version = Some(dates.version);
    let both = [renewal(dates, declaration, environment), rotation(dates.created, version, declaration, environment)];
    both.into_iter().flatten().min_by_key(|due| due.overdue)
}

/// When a certificate is due for renewal; `None` for what is none.
///
/// Windows do not count where none is over before its end: a certificate that has ended is worse than a change at noon.
pub fn renewal<'a>(
    dates: Dates<'_>,
    declaration: &'a Declaration,
    environment: Option<&'a Environment>,
) -> Option<Due<'a>> {
    if !matches!(declaration.kind, Kind::Ca(_) | Kind::Certificate(_) | Kind::ImportedCertificate(_)) {
        return None;
    }
    let expires = dates.expires?;
    let from = renewal::due(dates.begun(), expires, dates.facts.get("serial").map_or("", String::as_str));
    let due = within(from, from, declaration.windows_in(environment));
    let due = if due.overdue < expires { due } else { within(from, from, &[]) };
    Some(Due { ends: Some(expires), ..due })
}

/// When a value that was made at `created` is due by its declared rotation; `version` decides how early it is replaced, and
/// without one it is as late as it can be.
///
/// An environment's own rotation goes before the secret's (development is never rotated), but it does not
/// make a secret rotate that declares none.
pub fn rotation<'a>(
    created: DateTime<Utc>,
    version: Option<VersionId>,
    declaration: &'a Declaration,
    environment: Option<&'a Environment>,
) -> Option<Due<'a>> {
    let declared = declaration.rotate?;
    match environment.and_then(|environment| environment.rotate).unwrap_or(declared) {
        Rotate::Every(period) if declared != Rotate::Never => {
            let due = created.checked_add_signed(period.delta())?;
            let early = version.map_or_else(TimeDelta::zero, |version| jitter(version, period));
            Some(within(due - early, due, declaration.windows_in(environment)))
        }
        _ => None,
    }
}

/// The first window at or after `from`; without any it is due when it is due.
fn within(from: DateTime<Utc>, due: DateTime<Utc>, windows: &[Window]) -> Due<'_> {
    match window::next(windows, from) {
        Some(opening) => Due { from: opening.opens.max(from), overdue: opening.closes, windows, ends: None },
        None => Due { from, overdue: due, windows: &[], ends: None },
    }
}

/// The most by which a replacement comes early.
const EARLIEST: TimeDelta = TimeDelta::days(1);

/// How much earlier than due a version is replaced: at most a twentieth of its period and at most a day, by its id, so that
/// what was made in one night is not replaced in one night, on whichever host.
fn jitter(version: VersionId, period: Period) -> TimeDelta {
    let most = (period.delta() / 20).min(EARLIEST).num_seconds();
    // Not the id itself: that of a rotation in AWS is derived, and not all its bits are free.
    let hash = sha256_hex(version.to_string().as_bytes());
    let number = hash.get(..15).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default();
    TimeDelta::seconds(number % (most + 1))
}

#[cfg(test)]
mod tests;
