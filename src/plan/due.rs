//! When a value's replacement is due: pure date arithmetic.

use chrono::{DateTime, Utc};

use crate::manifest::model::{Declaration, Environment, Rotate};

/// When a value that was made at `created` is due; `None` = never.
///
/// An environment's own rotation goes before the secret's (development is never rotated), but it does not
/// make a secret rotate that declares none.
pub fn due(
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
    use crate::manifest::model::Kind;
    use crate::manifest::period::Period;

    fn declaration(rotate: Option<Rotate>) -> Declaration {
        Declaration { rotate, ..Declaration::bare("A", Kind::Uuid) }
    }

    #[test]
    fn the_environment_decides_unless_the_secret_never_rotates() {
        let created = DateTime::from_timestamp(0, 0).unwrap();
        let days = |days| Some(Rotate::Every(Period::days(days)));
        let environment = |rotate| Environment { rotate, ..Environment::default() };
        let seconds =
            |rotate, env| due(created, &declaration(rotate), Some(&environment(env))).map(|at| at.timestamp());
        assert_eq!(seconds(days(90), None), Some(90 * 86_400));
        assert_eq!(seconds(days(90), days(30)), Some(30 * 86_400));
        assert_eq!(seconds(days(90), Some(Rotate::Never)), None);
        assert_eq!(seconds(Some(Rotate::Never), days(30)), None);
        assert_eq!(seconds(None, days(30)), None);
    }
}
