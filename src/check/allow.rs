//! The manifest's allow-list, applied: what is put up with does not fail, and an entry that serves for nothing is told.

use chrono::{Days, NaiveDate};

use super::explain;
use super::facts::Place;
use super::finding::{Allowed, Code, Finding, Report};
use crate::manifest::{Allowance, Manifest};

/// Nobody remembers for longer why something was put up with.
const LONGEST: Days = Days::new(366);

/// Moves the findings that are allowed today, and adds those about the list itself.
pub(super) fn apply(report: &mut Report, manifest: &Manifest) {
    let today = report.generated_at.date_naive();
    let environment = report.environment.clone();
    let listed = manifest.allowances.iter().filter(|it| it.is_in(&environment));
    let (valid, expired): (Vec<_>, Vec<_>) = listed.partition(|it| today <= it.until);
    let mut is_used = vec![false; valid.len()];
    for finding in std::mem::take(&mut report.findings) {
        let mut matching = valid.iter().zip(&mut is_used).filter(|(it, _)| it.is_about(&finding));
        let Some((first, used)) = matching.next() else {
            report.findings.push(finding);
            continue;
        };
        *used = true;
        matching.for_each(|(_, used)| *used = true);
        let (reason, until) = (first.reason.clone(), first.until);
        report.allowed.push(Allowed { finding, reason, until });
    }
    for it in expired {
        let (code, subject) = (it.code.text(), it.subject());
        let message = format!("allowed `{code}` of {subject} until {}", it.until);
        let fix = "mend what it allowed, and take the entry out of the manifest";
        report.findings.push(at(Finding::new(Code::AllowExpired, message, fix), it, manifest));
    }
    let latest = today.checked_add_days(LONGEST).unwrap_or(NaiveDate::MAX);
    for it in valid.iter().filter(|it| it.until > latest) {
        let (code, subject) = (it.code.text(), it.subject());
        let message = format!("allows `{code}` of {subject} until {}, more than a year from now", it.until);
        let fix = format!("until = \"{latest}\"    # at the latest, and another look then");
        report.findings.push(at(Finding::new(Code::AllowTooLong, message, fix), it, manifest));
    }
    let unused = valid.iter().zip(is_used).filter(|(it, is_used)| !is_used && is_judged(report, it, manifest));
    let unused: Vec<Finding> = unused
        .map(|(it, _)| {
            let message = format!("allows `{}` of {}, which is not found", it.code.text(), it.subject());
            at(Finding::new(Code::AllowUnused, message, "take the entry out of the manifest"), it, manifest)
        })
        .collect();
    report.findings.extend(unused);
}

fn at(finding: Finding, it: &Allowance, manifest: &Manifest) -> Finding {
    // Wherever was looked: the manifest is read in any case.
    finding.of_file(&manifest.file).at_line(u32::try_from(it.line).unwrap_or(u32::MAX))
}

/// Whether the finding would be there if it could be: nothing was left unseen, every place was looked at that it comes from,
/// and the secret is not one of another environment.
fn is_judged(report: &Report, it: &Allowance, manifest: &Manifest) -> bool {
    // Whatever is seen of a repository is seen with the host too.
    let was_seen =
        |place: &Place| report.places.contains(place) || *place == Place::Repo && report.places.contains(&Place::Host);
    let places = explain::of_text(it.code.text()).map_or(&[][..], |it| it.places);
    let is_elsewhere = it
        .secret
        .as_ref()
        .is_some_and(|name| manifest.secret(name).is_some() && !manifest.has_secret(name, &report.environment));
    let was_searched = !it.code.is_of_commits() || report.looked_at.commits > 0;
    was_searched && report.not_checked.is_empty() && places.iter().all(was_seen) && !is_elsewhere
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::Facts;
    use crate::check::sample::{days, env, facts, ledger, manifest, name, now};
    use crate::check::{Severity, judge};

    fn entry(code: Code, secret: Option<&str>, until: NaiveDate) -> Allowance {
        let (secret, file) = (secret.map(name), secret.is_none().then(|| ".env".to_owned()));
        let environments = None;
        Allowance { code, secret, file, reason: "the reason".into(), until, environments, line: 7 }
    }

    fn today() -> NaiveDate {
        now().date_naive()
    }

    fn yesterday() -> NaiveDate {
        today() - Days::new(1)
    }

    /// What is said of a token that has expired under an allow-list.
    fn judged(allowances: Vec<Allowance>, facts: &Facts) -> Report {
        let manifest = Manifest { allowances, ..manifest() };
        let mut ledger = ledger();
        ledger.secrets.get_mut(&name("TOKEN")).unwrap().expires = Some(now() - days(1));
        judge(&manifest, &env("dev"), Some(&ledger), facts, &[Place::Host], now())
    }

    fn codes(report: &Report) -> Vec<&'static str> {
        report.findings.iter().map(|finding| finding.code.text()).collect()
    }

    #[test]
    fn what_is_allowed_today_does_not_fail_and_is_told_with_its_reason() {
        let report = judged(vec![entry(Code::Expired, Some("TOKEN"), today())], &facts());
        assert_eq!((codes(&report), report.exit_kind(Severity::Notice, true)), (vec![], None));
        let [allowed] = &report.allowed[..] else { panic!("{report:?}") };
        assert_eq!((allowed.finding.code, allowed.reason.as_str()), (Code::Expired, "the reason"));
    }

    #[test]
    fn an_entry_whose_day_has_passed_is_a_finding_beside_what_it_allowed() {
        let report = judged(vec![entry(Code::Expired, Some("TOKEN"), yesterday())], &facts());
        assert_eq!(codes(&report), ["expired", "allow-expired"]);
        let expired = &report.findings[1];
        assert_eq!((expired.file.as_deref(), expired.line), (Some("vault-kit.toml"), Some(7)));
        assert_eq!(expired.severity, Severity::Warning);
    }

    #[test]
    fn nothing_is_allowed_for_more_than_a_year_unseen() {
        let until = |days: u64| entry(Code::Expired, Some("TOKEN"), today() + Days::new(days));
        assert_eq!(codes(&judged(vec![until(366)], &facts())), [""; 0]);
        let report = judged(vec![until(367)], &facts());
        assert_eq!(codes(&report), ["allow-too-long"]);
        assert_eq!((report.allowed.len(), report.findings[0].line), (1, Some(7)));
    }

    #[test]
    fn an_entry_of_another_code_secret_or_environment_allows_nothing() {
        let of_prod =
            Allowance { environments: Some([env("prod")].into()), ..entry(Code::Expired, Some("TOKEN"), today()) };
        for (it, told) in [
            (entry(Code::RotationDue, Some("TOKEN"), today()), true),
            (entry(Code::Expired, Some("KEY"), today()), true),
            (entry(Code::Expired, None, today()), true),
            (of_prod, false),
        ] {
            let expected = if told { vec!["expired", "allow-unused"] } else { vec!["expired"] };
            assert_eq!(codes(&judged(vec![it], &facts())), expected);
        }
    }

    #[test]
    fn nothing_is_called_unused_that_could_not_be_looked_at() {
        let mut unseen = facts();
        unseen.unseen.push(crate::check::NotChecked { what: "files".into(), why: "?".into() });
        let unused = entry(Code::RotationDue, Some("KEY"), today());
        assert_eq!(codes(&judged(vec![unused], &unseen)), ["expired"]);
        // `missing` is told of the job's variables too, which nobody looked at here.
        for code in [Code::Missing, Code::RemoteDrift] {
            assert_eq!(codes(&judged(vec![entry(code, Some("KEY"), today())], &facts())), ["expired"]);
        }
    }
}
