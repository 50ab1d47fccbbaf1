//! `rotate` of what hosts share by way of AWS: the program itself, on hosts with directories and identities of their own,
//! against a strict double of AWS Secrets Manager over HTTP, with an owner that real programs tell.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod ahead;
#[path = "../support/aws/mod.rs"]
mod aws;
mod commands;
mod deaths;
mod fixture;
mod giving_up;
mod issuing;
mod leaked;
mod memory;
mod paused;
mod published;
mod race;
mod roots;
#[path = "../support/mod.rs"]
mod support;
mod unattended;
mod users;
