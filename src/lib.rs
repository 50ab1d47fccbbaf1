//! vault-kit makes, delivers, checks and rotates the secrets of a deployment.

pub mod clock;
pub mod error;
pub mod exit;
pub mod generate;
pub mod manifest;
pub mod name;
pub mod secret;
pub mod store;

use std::ffi::OsString;

use exit::Exit;

/// Everything that is freed is wiped first, also what other crates held: their copies of a value are out of our reach.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Runs one command line and tells how it ended.
pub fn run(_arguments: impl IntoIterator<Item = OsString>) -> Exit {
    Exit::DONE
}
