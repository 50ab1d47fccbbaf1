//! What a hook finds in its environment: next to nothing, and nothing that decides which code it loads.

/// Where a hook's commands are looked for: no directory that a user can write to.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What every hook inherits, where it is set.
pub const INHERITED: [&str; 4] = ["HOME", "LANG", "LC_ALL", "TZ"];
