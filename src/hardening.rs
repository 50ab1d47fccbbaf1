//! No core dumps, no ptrace by the same user: a crash must not write values to disk.

use rustix::process::{self, Resource, Rlimit};

use std::sync::OnceLock;

use crate::exit::Exit;

/// The core size limit as we found it, for the child that `run` becomes.
static CORE_LIMIT: OnceLock<Rlimit> = OnceLock::new();

/// Turns core dumps off for this process; called first thing in `main`.
///
/// A system that refuses leaves us no worse off than any other program.
pub fn apply() {
    let found = CORE_LIMIT.get_or_init(|| process::getrlimit(Resource::Core));
    let _ = process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: found.maximum });
    #[cfg(target_os = "linux")]
    let _ = process::set_dumpable_behavior(process::DumpableBehavior::NotDumpable);
}

/// Gives the limit back right before `exec`: limits are inherited, and the child's are its own affair.
pub fn restore_for_child() {
    if let Some(found) = CORE_LIMIT.get() {
        let _ = process::setrlimit(Resource::Core, *found);
    }
}

/// Lets a panic end the process, told by `tell` alone: its own message may quote what was being worked on.
///
/// Nothing is unwound: the kernel takes the memory back, no core is dumped, and files are whole at every instant.
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "the release is built without unwinding: no destructor would run either way"
)]
pub fn end_on_panic(tell: fn() -> Exit) {
    std::panic::set_hook(Box::new(move |_| std::process::exit(tell().code().into())));
}
