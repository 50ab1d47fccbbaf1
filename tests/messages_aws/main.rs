//! What each error about AWS says, as tests/messages.rs tells it of the others: exit code, streams, and the code with
//! `--json`, which is among the `errors` of a command that ended or among the `problems` of a report.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

#[path = "../support/aws/mod.rs"]
mod aws;
mod configuration;
mod requests;
mod sides;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod writing;
