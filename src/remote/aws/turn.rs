//! The requests of one verb: tried again as patience allows, a bounded number at a time.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use futures_util::StreamExt;

use super::answer::{self, Verdict};
use super::patience::Progress;
use super::{Advance, Aws, Notice};
use crate::remote::{Answer, Cause, Failure};
use crate::secret::random;

/// How often, and after which waits, something is looked for that was made a moment ago.
const SETTLING: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What takes longer is watched by whoever waits for it.
const LONG: Duration = Duration::from_secs(1);

/// More often nobody could read it.
const BETWEEN: Duration = Duration::from_millis(100);

/// The requests of one verb.
pub(super) struct Turn<'a> {
    pub(super) aws: &'a Aws,
    begun: Instant,
    /// Why no request will get an answer any more: nobody is there, or nobody knows us.
    lost: RefCell<Option<Failure>>,
    /// Until when the listener knows that we wait.
    told: Cell<Option<Instant>>,
    advance: Cell<Advance>,
    /// When the watcher was told last how far we are.
    shown: Cell<Option<Instant>>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(aws: &'a Aws) -> Self {
        let advance = Cell::new(Advance { doing: "", done: 0, of: None });
        Self {
            aws,
            begun: Instant::now(),
            lost: RefCell::default(),
            told: Cell::default(),
            advance,
            shown: Cell::default(),
        }
    }

    /// Says what is done, with how many.
    pub(super) fn begin(&self, doing: &'static str, of: Option<usize>) {
        self.advance.set(Advance { doing, done: 0, of });
    }

    /// That it is done with some more, which is told now and then once it takes long.
    pub(super) fn advance(&self, more: usize) {
        let before = self.advance.get();
        let advance = Advance { done: before.done + more, ..before };
        self.advance.set(advance);
        let is_shown = |at: Instant| at.elapsed() < BETWEEN;
        if let Some(watcher) = &self.aws.watcher
            && self.begun.elapsed() >= LONG
            && !self.shown.get().is_some_and(is_shown)
        {
            self.shown.set(Some(Instant::now()));
            watcher(advance);
        }
    }

    /// Makes one request until it has an answer or patience ends.
    pub(super) async fn ask<T, E>(
        &self,
        operation: &'static str,
        request: impl AsyncFn() -> Result<T, SdkError<E>>,
    ) -> Answer<T>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let asked = Instant::now();
        let mut tries = 0;
        loop {
            // Without this, each of a thousand secrets would wait for an AWS that is not there.
            if let Some(lost) = &*self.lost.borrow() {
                return Err(Failure { operation, ..lost.clone() });
            }
            let Verdict { failure, is_passing, is_for_all } = match request().await {
                Ok(answer) => return Ok(answer),
                Err(error) => answer::judge(operation, &error),
            };
            tries += 1;
            let progress = Progress { tries, asked: asked.elapsed(), begun: self.aws.spent() + self.begun.elapsed() };
            // Without randomness hosts are merely not spread.
            let jitter = random::below(1_001).unwrap_or(500);
            let Some(wait) = Some(progress).filter(|_| is_passing).and_then(|it| self.aws.patience.wait(it, jitter))
            else {
                if is_for_all {
                    *self.lost.borrow_mut() = Some(failure.clone());
                }
                return Err(failure);
            };
            self.tell(&Notice { cause: failure.cause, operation, wait });
            tokio::time::sleep(wait).await;
        }
    }

    /// Like [`Self::ask`], about a secret: where we made or changed it a moment ago, "not found" is "not yet".
    pub(super) async fn ask_about<T, E>(
        &self,
        id: &str,
        operation: &'static str,
        request: impl AsyncFn() -> Result<T, SdkError<E>>,
    ) -> Answer<T>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let mut waits = SETTLING.into_iter();
        loop {
            let answer = self.ask(operation, &request).await;
            let is_missing = matches!(&answer, Err(failure) if failure.cause == Cause::Missing);
            match waits.next() {
                Some(wait) if is_missing && self.aws.is_fresh(id) => tokio::time::sleep(wait).await,
                _ => return answer,
            }
        }
    }

    /// One notice for all that wait at the same time.
    fn tell(&self, notice: &Notice) {
        let now = Instant::now();
        if self.told.get().is_none_or(|until| until < now) {
            self.told.set(Some(now + notice.wait));
            (self.aws.listener)(notice);
        }
    }
}

/// Does the same for each, `width` at a time; the answers are in the order of the items.
pub(super) async fn each<'i, I, T>(items: &'i [I], width: usize, work: impl AsyncFn(&'i I) -> T) -> Vec<T> {
    let work = &work;
    let started = items.iter().enumerate().map(|(index, item)| async move { (index, work(item).await) });
    let mut done: Vec<(usize, T)> = futures_util::stream::iter(started).buffer_unordered(width).collect().await;
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}
