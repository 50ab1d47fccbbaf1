//! A strict double of AWS Secrets Manager and of STS `GetCallerIdentity`, over HTTP on loopback.
//!
//! It enforces what AWS documents and what people have seen AWS answer: labels move as compare-and-swap, limits hold,
//! a parameter that it does not know is refused rather than ignored. Every operation is one step under one lock, so
//! whatever clients do at the same time has an order. Signatures must be there and be scoped right, but are not
//! verified. It knows nothing of the rest of the tests, so that a bench can include it by its path.
#![allow(dead_code, unused_imports, reason = "each program uses its own part")]

mod answers;
mod caller;
mod fault;
mod http;
mod knobs;
mod listing;
mod parameters;
mod policy;
mod reads;
mod server;
mod state;
mod values;
mod watch;
mod writes;

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use knobs::{ANY, Storm, Trouble};
pub(crate) use watch::Entry;

use knobs::Knobs;
use state::State;

/// Region and account, unless a test wants others.
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACCOUNT: &str = "123456789012";

/// A server of its own on a free port, gone with the last handle.
#[derive(Clone)]
pub(crate) struct Fake {
    shared: Arc<Shared>,
    /// `None` for the handle that a hook gets: it must not keep the server alive.
    running: Option<Arc<Running>>,
}

/// What connections and handles have in common.
struct Shared {
    address: SocketAddr,
    state: Mutex<State>,
    knobs: Mutex<Knobs>,
    log: Mutex<Vec<Entry>>,
    connections: Mutex<HashMap<usize, TcpStream>>,
    is_stopped: AtomicBool,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    requests: AtomicUsize,
}

struct Running(Arc<Shared>);

impl Fake {
    /// Starts one that knows no secrets.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("the port that was given"),
            state: Mutex::new(State::new(ACCOUNT, REGION)),
            knobs: Mutex::default(),
            log: Mutex::default(),
            connections: Mutex::default(),
            is_stopped: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || server::serve(&listener, &served));
        Self { running: Some(Arc::new(Running(Arc::clone(&shared)))), shared }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// What a child needs in its environment to take this for AWS, and to look nowhere else.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.environment_as("AKIAIOSFODNN7EXAMPLE")
    }

    /// The same with another access key id: `EXPIRED…`, `UNKNOWN…` and `DENIED…` are answered as such.
    pub(crate) fn environment_as(&self, access_key: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url()),
            ("AWS_ENDPOINT_URL_STS", self.url()),
            ("AWS_ACCESS_KEY_ID", access_key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a-secret-access-key-of-a-test".to_owned()),
            ("AWS_REGION", self.shared.state().region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ]
    }

    /// Ends every connection and listens no more, as if the network were gone. What was stored can still be looked at.
    pub(crate) fn stop(&self) {
        self.shared.stop();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knobs(&self) -> MutexGuard<'_, Knobs> {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        if self.is_stopped.swap(true, Ordering::SeqCst) {
            return;
        }
        for (_, connection) in self.connections().drain() {
            // The client may have left already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the one who waits for the next connection.
        let _ = TcpStream::connect(self.address);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop();
    }
}
