//! When a value's replacement is due: pure date arithmetic.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::manifest::Kind;
use crate::manifest::model::{Declaration, Environment, Rotate};
use crate::x509::renewal;

/// The dates of a value, as store and ledger both know them.
#[derive(Debug, Clone, Copy)]
pub struct Dates<'a> {
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

/// When a value is due; `None` = never. A certificate is due for renewal or for rotation, whichever comes first.
pub fn due(dates: Dates<'_>, declaration: &Declaration, environment: Option<&Environment>) -> Option<DateTime<Utc>> {
    let both = [renewal(dates, &declaration.kind), rotation(dates.created, declaration, environment)];
    both.into_iter().flatten().min()
}

/// When a certificate is due for renewal; `None` for what is none.
pub fn renewal(dates: Dates<'_>, kind: &Kind) -> Option<DateTime<Utc>> {
    if !matches!(kind, Kind::Ca(_) | Kind::Certificate(_) | Kind::ImportedCertificate(_)) {
        return None;
    }
    Some(renewal::due(dates.begun(), dates.expires?, dates.facts.get("serial").map_or("", String::as_str)))
}

/// When a value that was made at `created` is due by its declared rotation.
///
/// An environment's own rotation goes before the secret's (development is never rotated), but it does not
/// make a secret rotate that declares none.
pub fn rotation(
    created: DateTime<Utc>,
    declaration: &Declaration,
    environment: Option<&Environment>,
) -> Option<DateTime<Utc>> {
    let declared = declaration.rotate?;
    match environment.and_then(|environment| environment.rotate).unwrap_or(declared) {
        Rotate::Every(period) if declared != Rotate::Never => Some(created + period.delta()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::period::Period;

    fn declaration(rotate: Option<Rotate>) -> Declaration {
        Declaration { rotate, ..Declaration::bare("A", Kind::Uuid) }
    }

    #[test]
    fn the_environment_decides_unless_the_secret_never_rotates() {
        let created = DateTime::from_timestamp(0, 0).unwrap();
        let days = |days| Some(Rotate::Every(Period::days(days)));
        let environment = |rotate| Environment { rotate, ..Environment::default() };
        let facts = BTreeMap::new();
        let dates = Dates { created, expires: Some(created), facts: &facts };
        let seconds = |rotate, env| due(dates, &declaration(rotate), Some(&environment(env))).map(|at| at.timestamp());
        assert_eq!(seconds(days(90), None), Some(90 * 86_400));
        assert_eq!(seconds(days(90), days(30)), Some(30 * 86_400));
        assert_eq!(seconds(days(90), Some(Rotate::Never)), None);
        assert_eq!(seconds(Some(Rotate::Never), days(30)), None);
        assert_eq!(seconds(None, days(30)), None);
    }
}
