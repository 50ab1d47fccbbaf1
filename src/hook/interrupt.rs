//! Ctrl-C, SIGTERM and SIGHUP while a hook runs: the hook is in a process group of its own, and would go on without us.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Handlers stay once they are installed, so they are for all hooks.
#[derive(Debug)]
struct Handlers {
    /// While true, a signal ends this process as if nobody had asked for it.
    idle: Arc<AtomicBool>,
    arrived: Arc<AtomicBool>,
    running: AtomicUsize,
}

static HANDLERS: OnceLock<Handlers> = OnceLock::new();

/// As long as it lives, a signal does not end this process but is told by [`Interrupts::take`].
#[derive(Debug)]
pub(super) struct Interrupts(&'static Handlers);

impl Interrupts {
    /// Begins to listen.
    pub(super) fn listen() -> Self {
        let handlers = HANDLERS.get_or_init(install);
        handlers.running.fetch_add(1, Ordering::SeqCst);
        handlers.idle.store(false, Ordering::SeqCst);
        Self(handlers)
    }

    /// Whether a signal came since it was asked last.
    pub(super) fn take(&self) -> bool {
        self.0.arrived.swap(false, Ordering::SeqCst)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.store(true, Ordering::SeqCst);
        }
    }
}

/// Where a handler cannot be installed, signals do what they always did.
fn install() -> Handlers {
    let (idle, arrived) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let _ = flag::register_conditional_default(signal, Arc::clone(&idle));
        let _ = flag::register(signal, Arc::clone(&arrived));
    }
    Handlers { idle, arrived, running: AtomicUsize::new(0) }
}
