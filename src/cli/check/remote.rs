//! What AWS says of the remote secrets, asked for with a role that may do no more than describe them; and which keys their
//! bundles have, where it may read them.

use std::collections::BTreeSet;

use super::super::session::Session;
use super::super::sync::exchange::Exchange;
use crate::check::facts::Facts;
use crate::check::finding::NotChecked;
use crate::error::{Error, Result};
use crate::remote::{Cause, Failure, Listed, Reading, Remote};
use crate::sync::bundle::Bundle;
use crate::sync::place::Place;

/// Describes every remote secret. What AWS refused or did not answer is noted as not looked at, and is the error.
pub(super) fn look(session: &Session<'_>, facts: &mut Facts) -> Result<Option<Error>> {
    let exchange = Exchange::open(session, &[], None)?;
    let names: Vec<&str> = exchange.places.iter().map(|place| place.name.as_str()).collect();
    let mut errors = Vec::new();
    for (name, answer) in names.iter().zip(exchange.remote.describe(&names)) {
        match answer {
            Ok(listed) => drop(facts.remote.insert((*name).to_owned(), Some(listed))),
            Err(failure) if failure.cause == Cause::Missing => drop(facts.remote.insert((*name).to_owned(), None)),
            Err(failure) => errors.push(unseen(facts, format!("`{name}` in AWS"), name, &failure)),
        }
    }
    exchange.refuse_elsewhere(session, facts.remote.values().flatten().map(|it| it.arn.as_str()))?;
    errors.extend(look_into_bundles(&exchange, facts));
    Ok(Error::gravest(errors))
}

/// Reads the bundles that have a value, and keeps of each which keys of ours it lacks. A role that may not read them has
/// them noted as not looked at, which is no error: it is for describing.
fn look_into_bundles(exchange: &Exchange<'_>, facts: &mut Facts) -> Vec<Error> {
    let has_value = |listed: &Listed| listed.deleted.is_none() && listed.current().is_some();
    let is_there = |place: &&Place<'_>| facts.remote.get(&place.name).and_then(Option::as_ref).is_some_and(has_value);
    let bundles: Vec<&Place<'_>> = exchange.places.iter().filter(|it| it.is_bundle()).filter(is_there).collect();
    let names: Vec<&str> = bundles.iter().map(|place| place.name.as_str()).collect();
    let answers = if names.is_empty() { Vec::new() } else { exchange.remote.read(&names) };
    let mut errors = Vec::new();
    for (place, answer) in bundles.into_iter().zip(answers) {
        let name = &place.name;
        match answer {
            Ok(reading) => drop(facts.remote_lacks.insert(name.clone(), lacks(place, &reading))),
            Err(failure) if failure.cause == Cause::Missing => {}
            Err(failure) => {
                let error = unseen(facts, format!("the keys of `{name}` in AWS"), name, &failure);
                errors.extend((failure.cause != Cause::Denied).then_some(error));
            }
        }
    }
    errors
}

fn lacks(place: &Place<'_>, reading: &Reading) -> Option<BTreeSet<String>> {
    let bundle = Bundle::parse(reading.content.secret()).ok()?;
    let keys = place.fields().into_iter().map(|(key, _)| key);
    Some(keys.filter(|key| !bundle.has_value(key)).map(str::to_owned).collect())
}

fn unseen(facts: &mut Facts, what: String, name: &str, failure: &Failure) -> Error {
    let error = failure.about(&format!("`{name}`"));
    facts.unseen.push(NotChecked { what, why: error.to_string() });
    error
}
