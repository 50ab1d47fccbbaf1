//! The programs that vault-kit ships, for `rotate hook` to print.

/// Each with its name, in alphabetical order.
pub const SHIPPED: &[(&str, &str)] = &[
    ("compose", include_str!("../../hooks/compose")),
    ("docker-swarm", include_str!("../../hooks/docker-swarm")),
    ("haproxy", include_str!("../../hooks/haproxy")),
    ("http-probe", include_str!("../../hooks/http-probe")),
    ("nginx", include_str!("../../hooks/nginx")),
    ("postgres", include_str!("../../hooks/postgres")),
    ("redis", include_str!("../../hooks/redis")),
];

/// The text of a shipped program.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(other, _)| *other == name).map(|(_, text)| *text)
}
