//! Whether manifest and store agree on who can open it and where in AWS it belongs.
//!
//! Neither ever changes by itself: a stranger's edit of the manifest must not hand the store to a new recipient.

use std::collections::BTreeMap;

use super::synced::Base;
use super::{AwsBinding, Recipients, Store};
use crate::error::{Error, Kind, Result};
use crate::manifest::Environment;

/// The recipients of a store that follows the manifest; `own` are those of a user whom nobody else joins.
pub fn wanted_recipients(
    environment: Option<&Environment>,
    has: &Recipients,
    own: BTreeMap<String, String>,
) -> Recipients {
    match declared(environment) {
        Some(keys) => Recipients { declared: true, keys: keys.clone() },
        None if has.declared => Recipients { declared: false, keys: own },
        None => has.clone(),
    }
}

/// Whether a store has the recipients that the manifest declares; one without any agrees with a store whose recipients
/// it never declared.
pub fn has_recipients(environment: Option<&Environment>, is_declared: bool, keys: &BTreeMap<String, String>) -> bool {
    declared(environment).map_or(!is_declared, |declared| is_declared && declared == keys)
}

fn declared(environment: Option<&Environment>) -> Option<&BTreeMap<String, String>> {
    environment.map(|environment| &environment.recipients).filter(|keys| !keys.is_empty())
}

/// The AWS binding that an environment declares.
pub fn binding(environment: Option<&Environment>) -> Option<AwsBinding> {
    let aws = environment?.aws.as_ref()?;
    Some(AwsBinding { account: aws.account.clone(), prefix: aws.prefix.clone() })
}

/// Refuses with `recipients-changed` or `account-changed` when manifest and store differ.
pub fn check(environment: Option<&Environment>, store: &Store) -> Result<()> {
    if !has_recipients(environment, store.recipients.declared, &store.recipients.keys) {
        return Err(refuse("recipients-changed", "recipients")
            .hint("look at both with `vault-kit recipients list`; accept with `vault-kit recipients apply`"));
    }
    if binding(environment) != store.aws {
        return Err(refuse("account-changed", "AWS account or prefix").hint("accept with `vault-kit recipients apply`"));
    }
    Ok(())
}

/// Refuses with `account-changed` when everything that was agreed on with AWS is in another region than `region`, which the
/// manifest declares or else the surroundings of the command say: there nothing would be found, and all be made anew.
pub fn check_region(environment: Option<&Environment>, store: &Store, region: Option<&str>) -> Result<()> {
    let bases = &store.synced.bases;
    let Some(region) = region.filter(|region| !bases.is_empty() && bases.values().all(|it| it.is_outside(region)))
    else {
        return Ok(());
    };
    let is_declared = environment.and_then(|it| it.aws.as_ref()).is_some_and(|aws| aws.region.is_some());
    let before = bases.values().find_map(Base::region).unwrap_or("another region");
    let message = format!("the store agreed with AWS in {before}, and {region} is asked: refusing to go on");
    let refused = Error::new(Kind::Store, "account-changed", message);
    Err(if is_declared {
        refused.hint("correct `region` in the manifest; or, if the secrets moved, `vault-kit recipients apply`")
    } else {
        refused
            .hint("correct `AWS_REGION` or the profile; or, if the secrets moved, name `region` in the manifest")
            .hint("then `vault-kit recipients apply`")
    })
}

/// What was agreed on in another region than the declared one.
pub fn bases_elsewhere<'s>(environment: Option<&Environment>, store: &'s Store) -> Vec<&'s str> {
    let Some(region) = environment.and_then(|it| it.aws.as_ref()?.region.as_deref()) else { return Vec::new() };
    let bases = store.synced.bases.iter().filter(|(_, base)| base.is_outside(region));
    bases.map(|(name, _)| name.as_str()).collect()
}

fn refuse(code: &'static str, what: &str) -> Error {
    Error::new(Kind::Store, code, format!("the manifest and the store disagree on the {what}: refusing to write"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::store;
    use super::*;
    use crate::few::Few;
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
        let declared = Environment { aws: Some(aws), ..Environment::default() };
        assert_eq!(check(Some(&declared), &store).unwrap_err().code(), "account-changed");
        store.aws = binding(Some(&declared));
        assert!(check(Some(&declared), &store).is_ok());
    }

    #[test]
    fn a_region_in_which_nothing_was_agreed_on_is_refused_and_one_of_several_is_not() {
        let mut store = store("age1me");
        let base = |region: &str| Base {
            arn: format!("arn:aws:secretsmanager:{region}:111111111111:secret:a-AbC123"),
            version: String::new(),
            fields: Few::default(),
            attempt: None,
        };
        assert!(check_region(None, &store, Some("eu-west-1")).is_ok(), "nothing was agreed on");
        store.synced.bases.insert("a".into(), base("eu-west-1"));
        assert!(check_region(None, &store, Some("eu-west-1")).is_ok());
        assert!(check_region(None, &store, None).is_ok());
        let error = check_region(None, &store, Some("eu-west-2")).unwrap_err();
        assert_eq!((error.code(), error.kind().code()), ("account-changed", 4));
        assert!(error.hints()[0].contains("AWS_REGION"));
        let aws = Aws { region: Some("eu-west-2".into()), ..Aws::default() };
        let declared = Environment { aws: Some(aws), ..Environment::default() };
        assert!(
            !check_region(Some(&declared), &store, Some("eu-west-2")).unwrap_err().hints()[0].contains("AWS_REGION")
        );
        assert_eq!(bases_elsewhere(Some(&declared), &store), ["a"]);
        store.synced.bases.insert("b".into(), base("eu-west-2"));
        assert!(check_region(Some(&declared), &store, Some("eu-west-2")).is_ok(), "that began already");
        assert_eq!((bases_elsewhere(Some(&declared), &store), bases_elsewhere(None, &store)), (vec!["a"], vec![]));
    }
}
