//! What a description says about a rotation. Pure, so that everybody who looks comes to the same end.

use super::claim::Seen;
use crate::name::VersionId;
use crate::remote::{Listed, OWN_LABEL, PENDING};
use crate::sync::place::attempt;

/// The label that AWS gives to the version that was in force before.
const PREVIOUS: &str = "AWSPREVIOUS";

/// Before how many aborted attempts nobody looks for a mark that one of them left.
const OLDEST: u64 = 1_000;

/// How far a rotation is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing<'l> {
    /// Its version is in force.
    Already,
    /// What it began from is not there any more: another version is in force, or an attempt was aborted.
    Superseded,
    /// Its version was in force once, and somebody put back what was before it.
    TakenBack,
    /// Its version has the mark.
    Marked,
    /// Nobody has the mark.
    Unmarked,
    /// Somebody who died left the mark there: on the version in force, or on one of ours that cannot come into force.
    Left(&'l str),
    /// A version has the mark of which nothing says that it is ours.
    Unknown(&'l str),
}

/// How far the rotation that was `seen`, whose version is `id`, is by a description.
pub(super) fn standing<'l>(seen: &Seen, id: &str, there: &'l Listed) -> Standing<'l> {
    let current = there.current();
    if current == Some(id) {
        return Standing::Already;
    }
    if current != Some(&seen.current) || attempt(there) != seen.attempt {
        return Standing::Superseded;
    }
    if there.labelled(PREVIOUS) == Some(id) {
        return Standing::TakenBack;
    }
    match there.labelled(PENDING) {
        None => Standing::Unmarked,
        Some(version) if version == id => Standing::Marked,
        Some(version) if Some(version) == current || is_ours(there, version) => Standing::Left(version),
        Some(version) => Standing::Unknown(version),
    }
}

/// The id of the version that a rotation from `current` makes.
pub(super) fn derived(arn: &str, current: &str, attempt: &str) -> VersionId {
    VersionId::derived(&format!("vault-kit/rotate/1|{arn}|{current}|{attempt}"))
}

/// Whether a version is ours, as far as a description tells: it has our label, which moves on to the next one that we send,
/// or follows from one that still has a label.
fn is_ours(there: &Listed, version: &str) -> bool {
    let has_label = there.versions.get(version).is_some_and(|labels| labels.iter().any(|it| it == OWN_LABEL));
    has_label || follows(there, version, there.versions.iter().map(|(base, _)| base))
}

/// Whether a version is that of a rotation from one of `bases`, at an attempt up to now.
pub(super) fn follows<'b>(there: &Listed, version: &str, mut bases: impl Iterator<Item = &'b str>) -> bool {
    let attempts = attempt(there).parse::<u64>().unwrap_or_default();
    let is_of = |base: &str, attempt: u64| derived(&there.arn, base, &attempt.to_string()).to_string() == version;
    bases.any(|base| (attempts.saturating_sub(OLDEST)..=attempts).any(|attempt| is_of(base, attempt)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::CURRENT;
    use crate::sync::place::ATTEMPT_TAG;

    fn seen() -> Seen {
        Seen { name: "/p/a".into(), arn: "arn".into(), current: "base".into(), attempt: "1".into() }
    }

    fn id() -> String {
        derived("arn", "base", "1").to_string()
    }

    fn there(versions: &[(&str, &[&str])], attempt: &str) -> Listed {
        let labelled =
            |(id, labels): &(&str, &[&str])| ((*id).to_owned(), labels.iter().map(|it| (*it).to_owned()).collect());
        Listed {
            arn: "arn".into(),
            versions: versions.iter().map(labelled).collect(),
            tags: vec![(ATTEMPT_TAG.to_owned(), attempt.to_owned())].into(),
            ..Listed::default()
        }
    }

    #[track_caller]
    fn is(expected: &Standing<'_>, versions: &[(&str, &[&str])], attempt: &str) {
        assert_eq!(standing(&seen(), &id(), &there(versions, attempt)), *expected);
    }

    #[test]
    fn the_version_in_force_decides_before_any_mark() {
        is(&Standing::Already, &[("base", &["AWSPREVIOUS"]), (&id(), &[CURRENT, PENDING])], "2");
        is(&Standing::Superseded, &[("base", &["AWSPREVIOUS"]), ("other", &[CURRENT]), (&id(), &[PENDING])], "1");
        is(&Standing::Superseded, &[("base", &[CURRENT]), (&id(), &[PENDING])], "2");
        is(&Standing::Superseded, &[], "1");
    }

    #[test]
    fn what_somebody_took_back_is_not_put_in_force_again() {
        is(&Standing::TakenBack, &[("base", &[CURRENT]), (&id(), &[PREVIOUS, PENDING])], "1");
    }

    #[test]
    fn a_mark_is_ours_left_by_ours_or_foreign() {
        let (own, aborted) = (id(), derived("arn", "base", "0").to_string());
        let after = derived("arn", "before", "1").to_string();
        is(&Standing::Marked, &[("base", &[CURRENT]), (&own, &[PENDING, OWN_LABEL])], "1");
        is(&Standing::Unmarked, &[("base", &[CURRENT]), (&own, &[OWN_LABEL])], "1");
        is(&Standing::Left("base"), &[("base", &[CURRENT, PENDING])], "1");
        is(&Standing::Left("sent"), &[("base", &[CURRENT]), ("sent", &[PENDING, OWN_LABEL])], "1");
        // Our label went on to the version that was sent after it.
        is(&Standing::Left(&aborted), &[("base", &[CURRENT]), (&aborted, &[PENDING]), (&own, &[OWN_LABEL])], "1");
        is(&Standing::Left(&after), &[("base", &[CURRENT]), ("before", &["AWSPREVIOUS"]), (&after, &[PENDING])], "1");
        is(&Standing::Unknown("theirs"), &[("base", &[CURRENT]), ("theirs", &[PENDING])], "1");
        is(&Standing::Unknown("theirs"), &[("base", &[CURRENT]), ("theirs", &[PENDING, "TERRAFORM"])], "1");
    }

    #[test]
    fn an_id_follows_from_secret_version_and_attempt() {
        // Written down: hosts with another version of vault-kit must come to the same.
        assert_eq!(id(), "ebc86651-447e-5323-8538-ccc4cceaa887");
        let all = [
            derived("arn", "base", "1"),
            derived("arn2", "base", "1"),
            derived("arn", "b", "1"),
            derived("arn", "base", "2"),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
