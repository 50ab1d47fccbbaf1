//! What is costly to make, once for the tests that run at the same time.

use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A value that is made when the first test asks for it and dropped with the last one that holds it. A plain `static`
/// would never be dropped: its directories and processes would stay behind.
pub(crate) struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        // A test that failed while it made the value left the old `Weak`, which is as good as before.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let value = Arc::new(make());
            *shared = Arc::downgrade(&value);
            value
        })
    }
}

/// A server that the test started. It is asked to end when this is dropped, so that it ends its own children too.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}
