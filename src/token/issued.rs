//! The records of tokens that were issued, as far as tokens need them: horizons, and what was revoked.

use chrono::{DateTime, TimeDelta, Utc};

use super::lifetime::LONGEST;
use super::revocation::Revocations;
use super::verify::LEEWAY;
use crate::store::issued::Issued;

/// What horizons are rounded up to: minting at full speed changes the store once in this long.
const STEP: i64 = 3600;

impl Issued {
    /// Whether a key's horizon lies behind the end of a token already, so that minting it changes nothing.
    pub fn covers(&self, kid: &str, expires: DateTime<Utc>) -> bool {
        self.horizons.get(kid).is_some_and(|horizon| *horizon >= expires)
    }

    /// Raises a key's horizon to the end of a token, rounded up.
    pub fn cover(&mut self, kid: &str, expires: DateTime<Utc>) {
        let rounded = (expires.timestamp().div_euclid(STEP) + 1) * STEP;
        let horizon = DateTime::from_timestamp(rounded, 0).unwrap_or(expires);
        let known = self.horizons.entry(kid.to_owned()).or_insert(horizon);
        *known = horizon.max(*known);
    }

    /// Forgets the tokens and horizons that lie back. What was revoked stays: it is delivered, and whoever changes it
    /// delivers it anew.
    pub fn prune_tokens(&mut self, now: DateTime<Utc>) {
        self.tokens.retain(|_, token| !is_over(token.expires, now));
        self.horizons.retain(|_, horizon| !is_over(*horizon, now));
    }

    /// Forgets the revocations whose tokens have all ended. How long those of a subject live is not known, but that no
    /// token lives longer than [`LONGEST`].
    pub fn prune_revocations(&mut self, now: DateTime<Utc>) {
        self.revoked_tokens.retain(|_, expires| !is_over(*expires, now));
        self.revoked_subjects.retain(|_, before| !is_over(*before + LONGEST.delta(), now));
    }

    /// The list that verifiers take.
    pub fn revocations(&self) -> Revocations {
        let mut list = Revocations::default();
        for (jti, expires) in &self.revoked_tokens {
            list.revoke_token(jti, expires.timestamp());
        }
        for (subject, before) in &self.revoked_subjects {
            list.revoke_subject(subject, whole_seconds(*before));
        }
        list
    }
}

/// Whether even a verifier whose clock stands behind refuses what ended then.
pub fn is_over(expires: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    expires + LEEWAY <= now
}

/// Seconds since 1970, rounded up: of a second that is revoked in part, all of it is.
fn whole_seconds(time: DateTime<Utc>) -> i64 {
    (time + TimeDelta::nanoseconds(999_999_999)).timestamp()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::verify::tests::claims;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn what_has_ended_is_forgotten_after_the_leeway_and_not_before() {
        let end = at(1_800_000_000);
        let mut issued = Issued::default();
        issued.cover("k", end - TimeDelta::seconds(STEP));
        issued.revoked_tokens.insert("jti".into(), end);
        issued.revoked_subjects.insert("svc:a".into(), end - LONGEST.delta());
        let before = issued.clone();
        issued.prune_tokens(end + LEEWAY - TimeDelta::seconds(1));
        issued.prune_revocations(end + LEEWAY - TimeDelta::seconds(1));
        assert_eq!(issued, before);
        issued.prune_tokens(end + LEEWAY);
        assert_eq!((issued.horizons.len(), issued.len()), (0, 2), "revocations are delivered");
        issued.prune_revocations(end + LEEWAY);
        assert!(issued.is_empty());
    }

    #[test]
    fn a_second_that_is_revoked_in_part_is_revoked_whole() {
        let claims = claims();
        let is_revoked = |before| {
            let mut issued = Issued::default();
            issued.revoked_subjects.insert(claims.subject.clone(), before);
            issued.revocations().is_revoked(&claims)
        };
        assert!(!is_revoked(at(claims.issued)));
        assert!(is_revoked(at(claims.issued) + TimeDelta::nanoseconds(1)));
        assert!(is_revoked(at(claims.issued + 1)));
    }

    proptest! {
        #[test]
        fn every_token_that_was_ever_covered_stays_so(ends in prop::collection::vec(0_i64..4_000_000_000, 1..30)) {
            let mut issued = Issued::default();
            for end in &ends {
                issued.cover("k", at(*end));
            }
            for end in &ends {
                prop_assert!(issued.covers("k", at(*end)) && !issued.covers("other", at(*end)));
            }
            let latest = at(*ends.iter().max().unwrap());
            prop_assert!(!issued.covers("k", latest + TimeDelta::seconds(STEP + 1)), "no further than it must be");
        }
    }
}
