//! Whether manifest and store agree on who can open it and where in AWS it belongs.
//!
//! Neither ever changes by itself: a stranger's edit of the manifest must not hand the store to a new recipient.

use super::{AwsBinding, Recipients, Store};
use crate::error::{Error, Kind, Result};
use crate::manifest::Environment;

/// What the manifest asks for, next to what a store has.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The recipients; `None` when the manifest declares none and never did.
    pub recipients: Option<Recipients>,
    /// The AWS binding.
    pub aws: Option<AwsBinding>,
}

impl Wanted {
    /// Reads it off an environment's declaration; `own` are the recipients of a user whom nobody else joins.
    pub fn of(environment: Option<&Environment>, store: &Store) -> Self {
        let declared = environment.map(|environment| &environment.recipients).filter(|keys| !keys.is_empty());
        let recipients = match declared {
            Some(keys) => Some(Recipients { declared: true, keys: keys.clone() }),
            None if store.recipients.declared => {
                Some(Recipients { declared: false, keys: store.recipients.keys.clone() })
            }
            None => None,
        };
        Self { recipients, aws: binding(environment) }
    }
}

/// The AWS binding that an environment declares.
pub fn binding(environment: Option<&Environment>) -> Option<AwsBinding> {
    let aws = environment?.aws.as_ref()?;
    Some(AwsBinding { account: aws.account.clone(), prefix: aws.prefix.clone() })
}

/// Refuses with `recipients-changed` or `account-changed` when manifest and store differ.
pub fn check(environment: Option<&Environment>, store: &Store) -> Result<()> {
    let wanted = Wanted::of(environment, store);
    if wanted.recipients.is_some_and(|recipients| recipients != store.recipients) {
        return Err(refuse("recipients-changed", "recipients")
            .hint("look at both with `vault-kit recipients list`; accept with `vault-kit recipients apply`"));
    }
    if wanted.aws != store.aws {
        return Err(refuse("account-changed", "AWS account or prefix").hint("accept with `vault-kit recipients apply`"));
    }
    Ok(())
}

fn refuse(code: &'static str, what: &str) -> Error {
    Error::new(Kind::Store, code, format!("the manifest and the store disagree on the {what}: refusing to write"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::store;
    use super::*;
    use crate::manifest::model::Aws;

    fn environment(keys: &[(&str, &str)]) -> Environment {
        let recipients = keys.iter().map(|(who, key)| ((*who).to_owned(), (*key).to_owned())).collect();
        Environment { recipients, ..Environment::default() }
    }

    #[test]
    fn a_manifest_without_recipients_agrees_with_the_user_s_own_store() {
        assert!(check(Some(&environment(&[])), &store("age1me")).is_ok());
        assert!(check(None, &store("age1me")).is_ok());
    }

    #[test]
    fn a_recipient_added_or_removed_in_the_manifest_is_refused() {
        let mut store = store("age1me");
        let error = check(Some(&environment(&[("eve", "age1eve")])), &store).unwrap_err();
        assert_eq!((error.code(), error.kind().code()), ("recipients-changed", 4));
        store.recipients.declared = true;
        assert_eq!(check(Some(&environment(&[])), &store).unwrap_err().code(), "recipients-changed");
        assert!(check(Some(&environment(&[("me", "age1me")])), &store).is_ok());
    }

    #[test]
    fn another_account_is_refused() {
        let mut store = store("age1me");
        let aws = Aws { account: Some("1".repeat(12)), ..Aws::default() };
        let declared = Environment { aws: Some(aws), recipients: BTreeMap::new(), rotate: None };
        assert_eq!(check(Some(&declared), &store).unwrap_err().code(), "account-changed");
        store.aws = binding(Some(&declared));
        assert!(check(Some(&declared), &store).is_ok());
    }
}
