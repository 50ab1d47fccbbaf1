//! What a remote secret is to hold when something in it rotates, and what of ours is new in what it holds then.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::remote::Content;
use crate::secret::Secret;
use crate::sync::content;
use crate::sync::place::Place;

/// What is offered: the new value itself, or the bundle that is `there` with the new values of its keys in place.
///
/// Fails with `remote-malformed` when what is there is no bundle, and when AWS would not take what comes of it.
pub fn fresh(place: &Place<'_>, there: Option<&Secret>, new: &BTreeMap<&str, &Secret>) -> Result<Content> {
    content::merged(place, there, new).map(Content::of)
}

/// The values of our keys that are new in what was `adopted`, which may be another host's, compared with what was there.
/// A key that is not in it has no new value.
pub fn changed<'a>(place: &Place<'a>, there: Option<&Secret>, adopted: Secret) -> Result<BTreeMap<&'a str, Secret>> {
    let malformed = |_| content::malformed(&place.name);
    let before = there.map(|it| content::fields(place, it.duplicate())).transpose().map_err(malformed)?;
    let mut fields = content::fields(place, adopted).map_err(malformed)?;
    fields.retain(|key, value| before.as_ref().and_then(|before| before.get(key)) != Some(value));
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::Manifest;
    use crate::name::EnvName;
    use crate::sync::place::places;

    const MANIFEST: &str = r#"
project.name = "p"
environments.prod.aws = {}
secrets.WHOLE = { kind = "password", aws = "whole" }
secrets.A = { kind = "password", bundle = "app" }
secrets.B = { kind = "password", bundle = "app", bundle_key = "b" }
"#;

    fn with_place<T>(name: &str, look: impl FnOnce(&Place<'_>) -> T) -> T {
        let manifest: Manifest = crate::manifest::parse(MANIFEST, "m").unwrap();
        let environment = EnvName::new("prod").unwrap();
        let places = places(&manifest, &environment, manifest.aws(&environment).unwrap());
        look(places.iter().find(|it| it.name == name).unwrap())
    }

    fn secret(text: &str) -> Secret {
        Secret::from_text(text.to_owned())
    }

    fn shown(values: &BTreeMap<&str, Secret>) -> String {
        let pairs = values.iter().map(|(key, value)| format!("{key}={}", value.expose_text().unwrap()));
        pairs.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_bundle_keeps_what_is_not_due_and_what_is_not_ours() {
        with_place("/p/prod/app", |place| {
            let there = secret(r#"{"z":1.50,"A":"old","b":"same"}"#);
            let new = secret("new");
            let fresh = fresh(place, Some(&there), &BTreeMap::from([("A", &new)])).unwrap();
            assert_eq!(fresh.secret().expose_text(), Some(r#"{"z":1.50,"A":"new","b":"same"}"#));
            assert_eq!(shown(&changed(place, Some(&there), fresh.into_secret()).unwrap()), "A=new");
        });
    }

    #[test]
    fn what_another_host_rotated_in_the_same_bundle_is_found_in_its_content() {
        with_place("/p/prod/app", |place| {
            let there = secret(r#"{"A":"old","b":"old"}"#);
            let theirs = secret(r#"{ "b": "theirs", "A": "theirs too", "c": "nobody's" }"#);
            assert_eq!(shown(&changed(place, Some(&there), theirs).unwrap()), "A=theirs too b=theirs");
            assert_eq!(shown(&changed(place, Some(&there), secret(r#"{"A":"old"}"#)).unwrap()), "");
            let malformed = changed(place, Some(&there), secret("no bundle")).unwrap_err();
            assert_eq!(malformed.code(), "remote-malformed");
            let new = secret("new");
            let malformed = fresh(place, Some(&secret("[]")), &BTreeMap::from([("A", &new)])).unwrap_err();
            assert_eq!(malformed.code(), "remote-malformed");
        });
    }

    #[test]
    fn a_whole_secret_is_its_value() {
        with_place("/p/prod/whole", |place| {
            let new = secret("new");
            let fresh = fresh(place, None, &BTreeMap::from([("", &new)])).unwrap();
            assert_eq!(fresh.secret().expose(), b"new");
            assert_eq!(shown(&changed(place, None, fresh.into_secret()).unwrap()), "=new");
        });
    }

    proptest! {
        #[test]
        fn exactly_what_was_replaced_is_found_again(old in "\\PC{1,9}", a in "\\PC{1,9}", b in proptest::option::of("\\PC{1,9}")) {
            with_place("/p/prod/app", |place| {
                let there = serde_json::json!({ "other": old, "A": old, "b": old }).to_string();
                let (there, a, b) = (secret(&there), secret(&a), b.as_deref().map(secret));
                let new: BTreeMap<&str, &Secret> = [("A", Some(&a)), ("b", b.as_ref())].into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
                let fresh = fresh(place, Some(&there), &new).unwrap().into_secret();
                let found = changed(place, Some(&there), fresh).unwrap();
                let old = secret(&old);
                let expected: BTreeMap<&str, &Secret> = new.into_iter().filter(|(_, value)| **value != old).collect();
                prop_assert_eq!(found.iter().map(|(key, value)| (*key, value)).collect::<BTreeMap<_, _>>(), expected);
                Ok(())
            })?;
        }
    }
}
