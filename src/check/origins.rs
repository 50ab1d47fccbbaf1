//! Whom a service lets in: `CORS_ORIGINS` and its like.

use crate::manifest::Declaration;

/// Whether a name says whom a service lets in.
pub fn names_origins(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.contains("CORS") || name.contains("ORIGIN") || name.contains("ALLOWED_HOSTS")
}

/// Whether a list of origins has the one that stands for all.
pub fn allows_all(value: &str) -> bool {
    value.split([',', ' ']).any(|item| item.trim_matches(['[', ']', '"', '\'']) == "*")
}

/// Whether a value lets in every origin under such a name.
pub fn is_wildcard(declaration: &Declaration, value: &[u8]) -> bool {
    names_origins(declaration.name.as_str()) && std::str::from_utf8(value).is_ok_and(|it| allows_all(it.trim()))
}
