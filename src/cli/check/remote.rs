//! What AWS says of the remote secrets, asked for with a role that may do no more than describe them.

use super::super::session::Session;
use super::super::sync::exchange::Exchange;
use crate::check::facts::Facts;
use crate::check::finding::NotChecked;
use crate::error::{Error, Result};
use crate::remote::{Cause, Remote};

/// Describes every remote secret. What AWS refused or did not answer is noted as not looked at, and is the error.
pub(super) fn look(session: &Session<'_>, facts: &mut Facts) -> Result<Option<Error>> {
    let exchange = Exchange::open(session, &[], None)?;
    let names: Vec<&str> = exchange.places.iter().map(|place| place.name.as_str()).collect();
    let mut errors = Vec::new();
    for (name, answer) in names.iter().zip(exchange.remote.describe(&names)) {
        match answer {
            Ok(listed) => drop(facts.remote.insert((*name).to_owned(), Some(listed))),
            Err(failure) if failure.cause == Cause::Missing => drop(facts.remote.insert((*name).to_owned(), None)),
            Err(failure) => {
                let error = failure.about(&format!("`{name}`"));
                facts.unseen.push(NotChecked { what: format!("`{name}` in AWS"), why: error.to_string() });
                errors.push(error);
            }
        }
    }
    exchange.refuse_elsewhere(session, facts.remote.values().flatten().map(|it| it.arn.as_str()))?;
    Ok(Error::gravest(errors))
}
