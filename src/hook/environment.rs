//! What a hook finds in its environment: next to nothing, and nothing that decides which code it loads.

/// Where a hook's commands are looked for: no directory that a user can write to.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Says in whose hook we are: the project's directory. A vault-kit that finds it would wait for the lock that waits for it.
pub const WITHIN: &str = "VAULT_KIT_HOOK_OF";

/// What every hook inherits, where it is set.
pub const INHERITED: [&str; 4] = ["HOME", "LANG", "LC_ALL", "TZ"];
