//! The values in force: twenty a request, and alone what such a request does not settle.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::answer::{garbled, of_item};
use super::listing::Pages;
use super::turn::{Turn, each};
use super::{READERS, fields, listing};
use crate::remote::{Answer, CURRENT, Cause, Failure, Listed, ListedAndRead, Reading};

/// Ids a batch: as many as AWS allows.
const BATCH: usize = 20;

/// Batches in flight. AWS answers a hundred a second.
const BATCHES: usize = 8;

const OPERATION: &str = "BatchGetSecretValue";

/// The values in force, in the order of the ids.
pub(super) async fn read(turn: &Turn<'_>, ids: &[&str]) -> Vec<Answer<Reading>> {
    turn.begin("reading", Some(ids.len()));
    // AWS refuses an id that stands twice in a batch.
    let mut seen = BTreeSet::new();
    let (once, again): (Vec<usize>, Vec<usize>) = (0..ids.len()).partition(|&place| seen.insert(ids[place]));
    let mut answers: Vec<Option<Answer<Reading>>> = ids.iter().map(|_| None).collect();
    let batches: Vec<&[usize]> = once.chunks(BATCH).collect();
    let settled = each(&batches, BATCHES, async |places| {
        let ids: Vec<&str> = places.iter().map(|&place| ids[place]).collect();
        let settled = batch(turn, &ids).await;
        turn.advance(settled.iter().flatten().count());
        settled
    });
    for (places, settled) in batches.iter().zip(settled.await) {
        for (&place, answer) in places.iter().zip(settled) {
            answers[place] = answer;
        }
    }
    let open: Vec<usize> = once.into_iter().filter(|&place| answers[place].is_none()).chain(again).collect();
    let ids: Vec<&str> = open.iter().map(|&place| ids[place]).collect();
    for (place, answer) in open.into_iter().zip(alone(turn, &ids).await) {
        answers[place] = Some(answer);
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(garbled(OPERATION)))).collect()
}

/// The secrets whose names begin with `prefix`, and the values in force of those that are wanted: whoever waits for a page reads
/// what the pages before it told of.
pub(super) async fn read_listed(
    turn: &Turn<'_>,
    prefix: &str,
    is_wanted: &dyn Fn(&Listed) -> bool,
) -> Answer<ListedAndRead> {
    let (mut listed, mut asked, mut waiting) = (Vec::new(), BTreeSet::new(), Vec::new());
    let pages = listing::pages(turn, prefix).map_ok(Some).chain(stream::iter([Ok(None)]));
    let batches = pages.map_ok(|page| {
        // A batch that is not full waits for the next page, and for none after the last one.
        let least = if page.is_some() { BATCH } else { 1 };
        let page = page.unwrap_or_default();
        for secret in page.iter().filter(|it| is_wanted(it)) {
            if asked.insert(secret.name.clone()) {
                waiting.push(secret.name.clone());
            }
        }
        listed.push(page);
        let mut batches = Vec::new();
        while waiting.len() >= least {
            batches.push(Ok(waiting.drain(..waiting.len().min(BATCH)).collect::<Vec<_>>()));
        }
        stream::iter(batches)
    });
    let settled = batches.try_flatten().map_ok(async |names: Vec<String>| {
        let settled = batch(turn, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        Ok(names.into_iter().zip(settled).collect::<Vec<_>>())
    });
    let settled = settled.try_buffer_unordered(BATCHES).try_concat().await?;
    let (mut read, mut open) = (Vec::new(), Vec::new());
    for (name, answer) in settled {
        match answer {
            Some(answer) => read.push((name, answer)),
            None => open.push(name),
        }
    }
    let answers = alone(turn, &open.iter().map(String::as_str).collect::<Vec<_>>()).await;
    read.extend(open.into_iter().zip(answers));
    Ok(ListedAndRead { listed: listing::once_each(listed), read })
}

/// The values in force, each by a request of its own.
async fn alone(turn: &Turn<'_>, ids: &[&str]) -> Vec<Answer<Reading>> {
    let one = async |&id| {
        let answer = single(turn, id).await;
        turn.advance(1);
        answer
    };
    each(ids, READERS, one).await
}

/// One value.
pub(super) async fn single(turn: &Turn<'_>, id: &str) -> Answer<Reading> {
    const OPERATION: &str = "GetSecretValue";
    let request = async || turn.aws.secrets.get_secret_value().secret_id(id).version_stage(CURRENT).send().await;
    let answer = turn.ask_about(id, OPERATION, request).await?;
    fields::reading(answer).ok_or_else(|| garbled(OPERATION))
}

/// The value of one version.
pub(super) async fn version(turn: &Turn<'_>, arn: &str, id: &str) -> Answer<Reading> {
    const OPERATION: &str = "GetSecretValue";
    let request = async || turn.aws.secrets.get_secret_value().secret_id(arn).version_id(id).send().await;
    let answer = turn.ask_about(arn, OPERATION, request).await?;
    fields::reading(answer).filter(|it| it.version == id).ok_or_else(|| garbled(OPERATION))
}

/// What one batch settles, in the order of its ids; `None` = ask for that one alone.
async fn batch(turn: &Turn<'_>, ids: &[&str]) -> Vec<Option<Answer<Reading>>> {
    if turn.aws.is_batch_denied.load(Ordering::Relaxed) {
        return ids.iter().map(|_| None).collect();
    }
    match pages(turn, ids).await {
        Ok(mut found) => ids.iter().map(|id| found.settle(turn, id)).collect(),
        Err(failure) => {
            if failure.cause == Cause::Denied {
                turn.aws.is_batch_denied.store(true, Ordering::Relaxed);
            }
            // One malformed id spoils a batch; nobody else's values should depend on it.
            let is_about_some = matches!(failure.cause, Cause::Denied | Cause::Refused | Cause::Missing);
            ids.iter().map(|_| (!is_about_some).then(|| Err(failure.clone()))).collect()
        }
    }
}

/// What the pages of a batch brought.
#[derive(Default)]
struct Found {
    values: Vec<(Reading, Vec<String>)>,
    /// By the id that AWS names.
    failures: Vec<(String, Failure)>,
}

impl Found {
    fn settle(&mut self, turn: &Turn<'_>, id: &str) -> Option<Answer<Reading>> {
        if let Some(place) = self.values.iter().position(|(it, _)| it.arn == id || it.name == id) {
            let (reading, labels) = self.values.swap_remove(place);
            return labels.iter().any(|label| label == CURRENT).then_some(Ok(reading));
        }
        let Some((_, failure)) = self.failures.iter().find(|(named, _)| is_same(named, id)) else {
            return Some(Err(garbled(OPERATION)));
        };
        let is_passing = matches!(failure.cause, Cause::Throttled | Cause::Unreachable);
        let is_early = failure.cause == Cause::Missing && turn.aws.is_fresh(id);
        (!is_passing && !is_early).then(|| Err(failure.clone()))
    }
}

async fn pages(turn: &Turn<'_>, ids: &[&str]) -> Answer<Found> {
    let wanted: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
    let mut found = Found::default();
    let mut pages = Pages::of(OPERATION);
    let mut token = None;
    loop {
        let page = turn
            .ask(OPERATION, async || {
                let request = turn.aws.secrets.batch_get_secret_value().set_secret_id_list(Some(wanted.clone()));
                request.set_next_token(token.clone()).send().await
            })
            .await?;
        let (values, errors) = (page.secret_values.unwrap_or_default(), page.errors.unwrap_or_default());
        token = pages.next(page.next_token, values.len() + errors.len())?;
        for value in values {
            found.values.push(fields::entry(value).ok_or_else(|| garbled(OPERATION))?);
        }
        for error in errors {
            let id = error.secret_id.ok_or_else(|| garbled(OPERATION))?;
            found.failures.push((id, of_item(OPERATION, error.error_code.as_deref())));
        }
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Whether two ids name one secret, of which one may be its ARN and the other its name.
fn is_same(one: &str, other: &str) -> bool {
    one == other || name(one) == Some(other) || name(other) == Some(one)
}

/// The name in an ARN, without the hyphen and the six characters that AWS adds.
fn name(arn: &str) -> Option<&str> {
    let (_, tail) = arn.strip_prefix("arn:")?.split_once(":secret:")?;
    tail.rsplit_once('-').filter(|(_, added)| added.len() == 6).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_and_the_name_in_it_are_the_same_secret() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:/p/prod/a-b-AbCdEf";
        assert!(is_same(arn, arn));
        assert!(is_same(arn, "/p/prod/a-b") && is_same("/p/prod/a-b", arn));
        assert!(!is_same(arn, "/p/prod/a") && !is_same("/p/prod/a-b-AbCdEf", arn) && !is_same("", arn));
    }
}
