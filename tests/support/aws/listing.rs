//! Filters, order and pages of listings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::fault::{Answered, Fault};
use super::parameters::{Parameters, text_of};
use super::state::Secret;

/// Filters, all of which must accept; none accepts everything.
#[derive(Default)]
pub(super) struct Filters<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Filters<'a> {
    pub(super) fn read(parameters: &'a Parameters) -> Answered<Option<Self>> {
        const KEYS: [&str; 7] =
            ["all", "description", "name", "owning-service", "primary-region", "tag-key", "tag-value"];
        let Some(list) = parameters.list("Filters", 0..=10)? else { return Ok(None) };
        let mut filters = Vec::new();
        for filter in list {
            let key = text_of("Filters.Key", &filter["Key"], &(1..=64))?;
            if !KEYS.contains(&key) {
                return Err(Fault::constraint("Filters.Key", "must satisfy enum value set"));
            }
            let values = filter["Values"].as_array().map_or(&[] as &[Value], Vec::as_slice);
            if !(1..=10).contains(&values.len()) {
                return Err(Fault::constraint("Filters.Values", "must have length between 1 and 10"));
            }
            let values = values.iter().map(|value| text_of("Filters.Values", value, &(0..=512)));
            let values: Vec<&str> = values.collect::<Answered<_>>()?;
            let is_valid = |sign: u8| sign.is_ascii_alphanumeric() || b" :_@/+=.-!".contains(&sign);
            if !values.iter().all(|value| value.bytes().all(is_valid)) {
                return Err(Fault::constraint("Filters.Values", "must satisfy regular expression pattern"));
            }
            filters.push((key, values));
        }
        Ok(Some(Self(filters)))
    }

    /// Of the values of a filter one must match, and none that begins with `!`.
    pub(super) fn accept(&self, secret: &Secret) -> bool {
        self.0.iter().all(|(key, values)| {
            let (not, wanted): (Vec<&str>, Vec<&str>) = values.iter().partition(|value| value.starts_with('!'));
            let matches = |value: &&str| matches(secret, key, value.trim_start_matches('!'));
            (wanted.is_empty() || wanted.iter().any(matches)) && !not.iter().any(matches)
        })
    }
}

fn matches(secret: &Secret, key: &str, value: &str) -> bool {
    let begins = |text: &Option<String>| text.as_ref().is_some_and(|text| text.starts_with(value));
    match key {
        "name" => secret.name.starts_with(value),
        "description" => {
            let description = secret.description.as_deref().unwrap_or_default().to_lowercase();
            description.starts_with(&value.to_lowercase())
        }
        "tag-key" => secret.tags.keys().any(|key| key.starts_with(value)),
        "tag-value" => secret.tags.values().any(|it| it.starts_with(value)),
        "primary-region" => begins(&secret.primary_region),
        "owning-service" => begins(&secret.owning_service),
        _ => {
            let mut all = format!("{} {}", secret.name, secret.description.as_deref().unwrap_or_default());
            secret.tags.iter().for_each(|(key, value)| all.extend([" ", key, " ", value]));
            let all = all.to_lowercase();
            value.to_lowercase().split_whitespace().any(|word| all.contains(word))
        }
    }
}

/// In which order secrets are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Created,
    CreatedBackwards,
    Name,
    NameBackwards,
}

impl Order {
    pub(super) fn read(parameters: &Parameters) -> Answered<Self> {
        let by = parameters.text("SortBy", 1..=64)?.unwrap_or("created-date");
        let order = parameters.text("SortOrder", 1..=64)?.unwrap_or("asc");
        match (by, order) {
            ("created-date", "asc") => Ok(Self::Created),
            ("created-date", "desc") => Ok(Self::CreatedBackwards),
            ("name", "asc") => Ok(Self::Name),
            ("name", "desc") => Ok(Self::NameBackwards),
            _ => Err(Fault::constraint("SortBy", "must satisfy the enum values that the double knows")),
        }
    }
}

/// A page of the secrets that are accepted, and the token of the next one.
pub(super) fn page<'a>(
    secrets: &'a BTreeMap<u64, Arc<Secret>>,
    order: Order,
    most: usize,
    token: Option<&str>,
    accepts: impl Fn(&Secret) -> bool,
) -> Answered<(Vec<&'a Secret>, Option<String>)> {
    let invalid = || Fault::new("InvalidNextTokenException", "Invalid NextToken");
    let prefix = format!("{order:?}-");
    let start = token.map(|token| token.strip_prefix(&prefix)?.parse::<u64>().ok()).map(|it| it.ok_or_else(invalid));
    let start = start.transpose()?;
    let numbered = |(number, secret): (&u64, &'a Arc<Secret>)| (*number, &**secret);
    let from: Box<dyn Iterator<Item = (u64, &'a Secret)>> = match order {
        Order::Created => Box::new(secrets.range(start.unwrap_or(0)..).map(numbered)),
        Order::CreatedBackwards => Box::new(secrets.range(..=start.unwrap_or(u64::MAX)).rev().map(numbered)),
        Order::Name | Order::NameBackwards => {
            let mut all: Vec<&Secret> = secrets.values().map(|secret| &**secret).collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            if order == Order::NameBackwards {
                all.reverse();
            }
            let numbered = (0..).zip(all);
            Box::new(numbered.skip_while(move |(number, _)| *number < start.unwrap_or(0)))
        }
    };
    let mut found = from.filter(|(_, secret)| accepts(secret));
    let page = found.by_ref().take(most).map(|(_, secret)| secret).collect();
    let next = found.next().map(|(number, _)| format!("{prefix}{number}"));
    Ok((page, next))
}
