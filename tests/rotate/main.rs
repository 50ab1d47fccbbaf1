//! Rotation: every step is on the disk before its effect, whoever dies in between loses nothing, and nothing is made twice.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod commands;
mod crashes;
mod due;
mod fixture;
mod foretold;
mod given_up;
mod handwritten;
mod incidents;
mod leaked;
mod memory;
mod outlived;
mod owners;
mod programs;
mod promises;
mod roots;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod together;
mod unusable;
mod written;
mod year;
