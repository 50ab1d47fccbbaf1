//! What goes wrong, and when. Everything can be turned while the server runs.

use std::time::{Duration, Instant};

use super::{Fake, Shared};

/// Every operation.
pub(crate) const ANY: &str = "*";

/// What happens to a request instead of an answer, or to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// `ThrottlingException`; nothing was applied.
    Throttling,
    /// `InternalServiceError` with HTTP 500; nothing was applied.
    Internal,
    /// `AccessDeniedException`; nothing was applied.
    Denied,
    /// Some other error code, with HTTP 400; nothing was applied.
    Code(&'static str),
    /// HTTP 400 with this for its code and its message; nothing was applied.
    Says(&'static str),
    /// HTTP 200 with this for its body; nothing was applied.
    Page(&'static str),
    /// Applied, and answered by a page of HTML with HTTP 200, as some proxies do.
    Garbage,
    /// Applied, and the connection ends in the middle of the answer.
    Truncated,
    /// Applied, and answered by HTTP 200 without a body.
    Empty,
    /// The connection ends; nothing was applied.
    DropBefore,
    /// Applied, and the connection ends without an answer.
    DropAfter,
}

/// How busy the service is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Storm {
    /// Not at all.
    #[default]
    Calm,
    /// Throttles the second, the fourth, the sixth request and so on.
    EverySecond,
    /// Throttles what is more than so many requests in a second.
    PerSecond(u32),
}

type Hook = Box<dyn FnOnce(&Fake) + Send>;

/// The troubles to come.
#[derive(Default)]
pub(super) struct Knobs {
    latency: Duration,
    pub(super) behind: Duration,
    storm: Storm,
    stormy: u32,
    second: Option<Instant>,
    rules: Vec<Rule>,
    hooks: Vec<(Count, Hook)>,
}

/// A trouble for the requests after `skip` others.
struct Rule {
    count: Count,
    trouble: Trouble,
}

/// Counts the requests of an operation, to be true for some.
struct Count {
    operation: &'static str,
    skip: usize,
    times: usize,
}

impl Count {
    fn hits(&mut self, operation: &str) -> bool {
        if self.operation != ANY && self.operation != operation {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let hits = self.times > 0;
        self.times = self.times.saturating_sub(1);
        hits
    }
}

/// What becomes of a request that just came.
pub(super) struct Fate {
    pub(super) latency: Duration,
    pub(super) hooks: Vec<Hook>,
    pub(super) trouble: Option<Trouble>,
}

impl Knobs {
    pub(super) fn fate(&mut self, operation: &str) -> Fate {
        let mut trouble = None;
        for rule in &mut self.rules {
            // Each counts every request, also those that another spoils.
            if rule.count.hits(operation) && trouble.is_none() {
                trouble = Some(rule.trouble);
            }
        }
        self.rules.retain(|rule| rule.count.times > 0);
        let due = self.hooks.extract_if(.., |(count, _)| count.hits(operation));
        let hooks = due.map(|(_, hook)| hook).collect();
        let is_throttled = self.is_throttled();
        Fate { latency: self.latency, hooks, trouble: trouble.or(is_throttled.then_some(Trouble::Throttling)) }
    }

    fn is_throttled(&mut self) -> bool {
        self.stormy += 1;
        match self.storm {
            Storm::Calm => false,
            Storm::EverySecond => self.stormy.is_multiple_of(2),
            Storm::PerSecond(most) => {
                let now = Instant::now();
                if self.second.is_none_or(|start| now.duration_since(start) >= Duration::from_secs(1)) {
                    self.second = Some(now);
                    self.stormy = 1;
                }
                self.stormy > most
            }
        }
    }
}

impl Fake {
    /// Every answer takes so long.
    pub(crate) fn latency(&self, latency: Duration) -> Self {
        self.shared.knobs().latency = latency;
        self.clone()
    }

    /// Its clock stands so far behind this machine's.
    pub(crate) fn clock_behind(&self, behind: Duration) -> Self {
        self.shared.knobs().behind = behind;
        self.clone()
    }

    /// The next `times` requests of an operation end so.
    pub(crate) fn fail(&self, operation: &'static str, times: usize, trouble: Trouble) -> Self {
        self.trouble(Count { operation, skip: 0, times }, trouble)
    }

    /// An operation is denied until [`Fake::heal`].
    pub(crate) fn deny(&self, operation: &'static str) -> Self {
        self.fail(operation, usize::MAX, Trouble::Denied)
    }

    /// The `nth` request of an operation from now on, the next being the first, ends so.
    pub(crate) fn fail_nth(&self, operation: &'static str, nth: usize, trouble: Trouble) -> Self {
        assert!(nth > 0, "the first is 1");
        self.trouble(Count { operation, skip: nth - 1, times: 1 }, trouble)
    }

    /// The connection of the `nth` request from now on is closed, and nothing was applied.
    pub(crate) fn drop_before(&self, operation: &'static str, nth: usize) -> Self {
        self.fail_nth(operation, nth, Trouble::DropBefore)
    }

    /// The `nth` request from now on is applied, and its connection is closed without an answer.
    pub(crate) fn drop_after(&self, operation: &'static str, nth: usize) -> Self {
        self.fail_nth(operation, nth, Trouble::DropAfter)
    }

    /// Throttles from now on.
    pub(crate) fn storm(&self, storm: Storm) -> Self {
        let mut knobs = self.shared.knobs();
        (knobs.storm, knobs.stormy, knobs.second) = (storm, 0, None);
        drop(knobs);
        self.clone()
    }

    /// Somebody else does this once, right before the `nth` request of an operation from now on is applied.
    pub(crate) fn before(
        &self,
        operation: &'static str,
        nth: usize,
        somebody: impl FnOnce(&Self) + Send + 'static,
    ) -> Self {
        assert!(nth > 0, "the first is 1");
        let count = Count { operation, skip: nth - 1, times: 1 };
        self.shared.knobs().hooks.push((count, Box::new(somebody)));
        self.clone()
    }

    /// `ListSecrets` does not see the last `changes` changes that anybody made.
    pub(crate) fn list_lag(&self, changes: usize) -> Self {
        self.shared.state().set_lag(changes);
        self.clone()
    }

    /// Nothing goes wrong any more: latency, troubles, hooks, throttling and lag are off.
    pub(crate) fn heal(&self) -> Self {
        *self.shared.knobs() = Knobs::default();
        self.list_lag(0)
    }

    /// Which account the credentials and the secrets belong to; only before there are secrets.
    pub(crate) fn account(&self, account: &str) -> Self {
        account.clone_into(&mut self.shared.state().account);
        self.clone()
    }

    /// Which region it is; only before there are secrets.
    pub(crate) fn region(&self, region: &str) -> Self {
        region.clone_into(&mut self.shared.state().region);
        self.clone()
    }

    /// Time passes: what was scheduled for deletion may be gone.
    pub(crate) fn pass(&self, time: Duration) -> Self {
        self.shared.state().ahead += time;
        self.clone()
    }

    /// What a secret holds was made so long before.
    pub(crate) fn age(&self, name: &str, by: Duration) -> Self {
        let aged = self.shared.state().change(name, |secret| {
            secret.versions.values_mut().for_each(|version| version.created -= by.as_secs_f64());
            Ok(())
        });
        assert!(aged.is_ok(), "there is no `{name}`");
        self.clone()
    }

    fn trouble(&self, count: Count, trouble: Trouble) -> Self {
        self.shared.knobs().rules.push(Rule { count, trouble });
        self.clone()
    }
}

impl Shared {
    /// The handle for a hook.
    pub(super) fn handle(self: &std::sync::Arc<Self>) -> Fake {
        Fake { shared: std::sync::Arc::clone(self), running: None }
    }
}
