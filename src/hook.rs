//! Programs that a rotation calls: found, trusted, started, watched, and what they say made fit to be shown.
//!
//! A program gets values on its standard input and nowhere else. No value is in its arguments or environment, and none
//! is in an error of ours. While it runs, nothing here holds a value once the input has been written.

mod capture;
mod environment;
mod input;
mod interpreter;
mod interrupt;
mod program;
mod redact;
mod running;
mod shipped;

pub use crate::manifest::hook::{Hook, Step};
pub use environment::{INHERITED, WITHIN};
pub use input::{Affected, Call, Failure, Given, SCHEMA};
pub use program::{Found, LOCK, Program};
pub use redact::has_value;
pub use running::{Ended, Running, Status};
pub use shipped::{SHIPPED, shipped, writes};
