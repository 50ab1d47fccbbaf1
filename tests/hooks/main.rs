//! The programs that a rotation calls: our runner against bad ones, and the shipped ones against real servers.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]
#![expect(clippy::disallowed_methods, reason = "the tests lay out what the program must cope with")]

mod command;
#[path = "../support/docker.rs"]
mod daemon;
mod others;
mod postgres;
mod postgres_admin;
mod proxies;
mod redis;
mod refusals;
mod runner;
mod scene;
#[path = "../support/mod.rs"]
mod support;
mod watch;
