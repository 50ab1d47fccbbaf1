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

/// What is written beside its own work by what a shipped program calls, absolute: `nginx -t` opens the logs and the file with its
/// process, and sets the owners of its directories.
pub fn writes(program: &str) -> &'static [&'static str] {
    match program.rsplit('/').next() {
        Some("nginx") => &["/run/nginx.pid", "/var/cache/nginx", "/var/lib/nginx", "/var/log/nginx"],
        _ => &[],
    }
}

/// The text of a shipped program.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(other, _)| *other == name).map(|(_, text)| *text)
}
