//! How long a token that somebody asks for may live, by its role.

use crate::manifest::model::Role;
use crate::manifest::period::Period;

/// What a token lives when nobody says otherwise, and the most that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When nobody says otherwise.
    pub default: Period,
    /// The most.
    pub longest: Period,
}

/// The life of any token at most, declared ones included.
pub const LONGEST: Period = Period::days(365);

/// The life of a role's tokens: a person's are short, those of a program last until its next deployment.
pub fn of_role(role: Role) -> Lifetime {
    match role {
        Role::Admin => Lifetime { default: Period::hours(8), longest: Period::days(90) },
        Role::Reader | Role::Writer => Lifetime { default: Period::hours(1), longest: Period::hours(24) },
        Role::Service => Lifetime { default: Period::days(90), longest: LONGEST },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_its_life_and_none_lives_longer_than_any_token_may() {
        let lives = |role| {
            let Lifetime { default, longest } = of_role(role);
            assert!(default <= longest && longest <= LONGEST);
            (default.to_string(), longest.to_string())
        };
        assert_eq!(lives(Role::Reader), ("1h".into(), "1d".into()));
        assert_eq!(lives(Role::Writer), lives(Role::Reader));
        assert_eq!(lives(Role::Service), ("90d".into(), "365d".into()));
        assert_eq!(lives(Role::Admin), ("8h".into(), "90d".into()));
    }
}
