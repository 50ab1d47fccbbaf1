//! Which secrets there are, and what is known of each.

use std::collections::BTreeSet;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use futures_util::{Stream, TryStreamExt, stream};

use super::answer::garbled;
use super::fields;
use super::turn::Turn;
use crate::remote::{Answer, Listed};

/// Secrets a page: as many as AWS allows.
const PAGE: i32 = 100;

/// Pages without a secret, one after the other, after which nobody believes that one more will come.
const EMPTY_PAGES: usize = 50;

/// Page after page. AWS may answer with fewer than it has, even with none, as long as there is a token for the next page;
/// a token that was there already would lead round in circles.
pub(super) struct Pages {
    operation: &'static str,
    seen: BTreeSet<String>,
    empty: usize,
}

impl Pages {
    pub(super) fn of(operation: &'static str) -> Self {
        Self { operation, seen: BTreeSet::new(), empty: 0 }
    }

    /// The token for the next page; `None` = this was the last one.
    pub(super) fn next(&mut self, token: Option<String>, entries: usize) -> Answer<Option<String>> {
        self.empty = if entries == 0 { self.empty + 1 } else { 0 };
        let Some(token) = token.filter(|it| !it.is_empty()) else { return Ok(None) };
        let is_new = self.seen.insert(token.clone());
        if is_new && self.empty < EMPTY_PAGES { Ok(Some(token)) } else { Err(garbled(self.operation)) }
    }
}

/// Every secret whose name begins with `prefix`.
pub(super) async fn list(turn: &Turn<'_>, prefix: &str) -> Answer<Vec<Listed>> {
    pages(turn, prefix).try_collect().await.map(once_each)
}

/// The secrets whose names begin with `prefix`, page after page.
pub(super) fn pages(turn: &Turn<'_>, prefix: &str) -> impl Stream<Item = Answer<Vec<Listed>>> {
    const OPERATION: &str = "ListSecrets";
    turn.begin("listing", None);
    let filter =
        (!prefix.is_empty()).then(|| vec![Filter::builder().key(FilterNameStringType::Name).values(prefix).build()]);
    let first = Some((Pages::of(OPERATION), None, filter));
    stream::try_unfold(first, move |state| async move {
        let Some((mut pages, token, filter)) = state else { return Ok(None) };
        let request = async || {
            let request = turn.aws.secrets.list_secrets().include_planned_deletion(true).max_results(PAGE);
            request.set_filters(filter.clone()).set_next_token(token.clone()).send().await
        };
        let page = turn.ask(OPERATION, request).await?;
        // An empty body would be a listing too: of secrets that all went away.
        let entries = page.secret_list.ok_or_else(|| garbled(OPERATION))?;
        let token = pages.next(page.next_token, entries.len())?;
        turn.advance(entries.len());
        let listed = entries.into_iter().map(|entry| fields::listed(entry).ok_or_else(|| garbled(OPERATION)));
        let mut listed = listed.collect::<Answer<Vec<Listed>>>()?;
        // The filter of AWS matches words anywhere in a name too.
        listed.retain(|it| it.name.starts_with(prefix));
        Ok(Some((listed, token.map(|token| (pages, Some(token), filter)))))
    })
}

/// The secrets of all pages in the order of their names; of what stands twice, because it changed between two pages, the later.
pub(super) fn once_each(pages: Vec<Vec<Listed>>) -> Vec<Listed> {
    let mut found = Vec::with_capacity(pages.iter().map(Vec::len).sum());
    for page in pages {
        found.extend(page);
    }
    // Sorting takes as much room again.
    let order = |a: &Listed, b: &Listed| (&a.name, &a.arn).cmp(&(&b.name, &b.arn));
    if !found.is_sorted_by(|a, b| order(a, b).is_le()) {
        found.sort_by(order);
    }
    found.dedup_by(|later, earlier| {
        let is_same = later.name == earlier.name && later.arn == earlier.arn;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
    found
}

/// What is known of one secret.
pub(super) async fn describe(turn: &Turn<'_>, id: &str) -> Answer<Listed> {
    const OPERATION: &str = "DescribeSecret";
    let request = async || turn.aws.secrets.describe_secret().secret_id(id).send().await;
    let answer = turn.ask_about(id, OPERATION, request).await?;
    fields::described(answer).ok_or_else(|| garbled(OPERATION))
}

/// The ids of all versions of one secret.
pub(super) async fn versions(turn: &Turn<'_>, arn: &str) -> Answer<Vec<String>> {
    const OPERATION: &str = "ListSecretVersionIds";
    let mut found = Vec::new();
    let mut pages = Pages::of(OPERATION);
    let mut token = None;
    loop {
        let request = async || {
            let request = turn.aws.secrets.list_secret_version_ids().secret_id(arn).include_deprecated(true);
            request.max_results(PAGE).set_next_token(token.clone()).send().await
        };
        let page = turn.ask_about(arn, OPERATION, request).await?;
        let entries = page.versions.ok_or_else(|| garbled(OPERATION))?;
        token = pages.next(page.next_token, entries.len())?;
        for entry in entries {
            found.push(fields::plain(entry.version_id).ok_or_else(|| garbled(OPERATION))?);
        }
        if token.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Cause;

    #[test]
    fn pages_end_without_a_token_and_never_go_round_in_circles() {
        let token = |text: &str| Some(text.to_owned());
        let mut pages = Pages::of("ListSecrets");
        assert_eq!(pages.next(token("a"), 1), Ok(token("a")));
        assert_eq!(pages.next(token("b"), 0), Ok(token("b")));
        assert_eq!(pages.next(token("a"), 1).unwrap_err().cause, Cause::Garbled);
        assert_eq!(Pages::of("ListSecrets").next(None, 0), Ok(None));
        // moto ends with an empty token where AWS gives none.
        assert_eq!(Pages::of("ListSecrets").next(token(""), 3), Ok(None));
    }

    #[test]
    fn of_a_secret_that_two_pages_bring_the_later_one_counts() {
        let listed = |name: &str, arn: &str, key: &str| Listed {
            name: name.to_owned(),
            arn: arn.to_owned(),
            kms_key: Some(key.to_owned()),
            ..Listed::default()
        };
        // One that was deleted and made anew has another ARN.
        let (first, second) = (vec![listed("b", "1", "old"), listed("a", "2", "")], vec![listed("a", "1", "")]);
        let pages = vec![first, second, vec![listed("b", "1", "new"), listed("b", "1", "newest")]];
        assert_eq!(once_each(pages), [listed("a", "1", ""), listed("a", "2", ""), listed("b", "1", "newest")]);
        let in_order = vec![vec![listed("a", "1", "old")], vec![listed("a", "1", "new"), listed("b", "1", "")]];
        assert_eq!(once_each(in_order), [listed("a", "1", "new"), listed("b", "1", "")]);
    }

    #[test]
    fn empty_pages_without_end_are_no_answer() {
        let mut pages = Pages::of("ListSecrets");
        let answers: Vec<_> = (0..EMPTY_PAGES).map(|number| pages.next(Some(number.to_string()), 0)).collect();
        let (last, before) = answers.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok));
        assert_eq!(last.as_ref().unwrap_err().cause, Cause::Garbled);
    }
}
