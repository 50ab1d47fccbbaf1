//! The programs that vault-kit ships, for `rotate hook` to print.

/// Each with its name, in alphabetical order.
pub const SHIPPED: &[(&str, &str)] = &[];

/// The text of a shipped program.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(other, _)| *other == name).map(|(_, text)| *text)
}
