//! `sync` against a strict double of AWS Secrets Manager.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

#[path = "../support/aws/mod.rs"]
mod aws;
mod bundles;
mod conflicts;
mod credentials;
mod deletion;
mod example;
mod faults;
mod leaks;
mod lost_updates;
mod made_values;
mod other_writers;
mod outage;
mod ownership;
mod pace;
mod partial;
mod plans;
mod remote_check;
mod roles;
mod round_trip;
mod shop;
mod stale_listing;
#[path = "../support/mod.rs"]
mod support;
