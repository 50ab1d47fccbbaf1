//! What time it is at AWS, by the `Date` of its answers: hosts that disagree about the time still agree about that.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_secretsmanager::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use chrono::{DateTime, Utc};

/// The time of the last answer, in seconds since 1970; zero before the first.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerClock(Arc<AtomicI64>);

impl ServerClock {
    pub(super) fn last(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).filter(|it| it.timestamp() != 0)
    }

    /// Takes a `Date` header (RFC 9110 §6.6.1); one that is none changes nothing.
    fn take(&self, date: &str) {
        if let Ok(time) = DateTime::parse_from_rfc2822(date) {
            self.0.store(time.timestamp(), Ordering::Relaxed);
        }
    }
}

impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.take(date);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_date_that_is_one_is_the_time() {
        let clock = ServerClock::default();
        assert_eq!(clock.last(), None);
        clock.take("Sun, 22 Nov 2026 08:49:37 GMT");
        for none in ["", "yesterday", "2026-11-22", "Sun, 22 Nov 2026 25:49:37 GMT"] {
            clock.take(none);
        }
        assert_eq!(clock.last().map(|it| it.to_rfc3339()).as_deref(), Some("2026-11-22T08:49:37+00:00"));
    }
}
