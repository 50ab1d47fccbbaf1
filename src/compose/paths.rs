//! Paths as texts: where one leads, seen from the project's root.

/// `path`, which is written in a file whose relative paths begin at `directory`. Absolute paths stay absolute, and `~` is somebody's
/// home.
pub(super) fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') || path == "~" || path.starts_with("~/") {
        return clean(path);
    }
    if directory.is_empty() { clean(path) } else { clean(&format!("{directory}/{path}")) }
}

/// The directory of a file; empty for the root.
pub(super) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => "",
    }
}

/// Without empty parts, `.`, and `..` as far as something is before it. A relative path that leads nowhere else is empty.
fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", None) if is_absolute => {}
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_root_of_the_project() {
        for (directory, path, joined) in [
            ("", "a/./b", "a/b"),
            ("", ".", ""),
            ("docker", "..", ""),
            ("docker", "../x", "x"),
            ("docker", "../../x", "../x"),
            ("", "../../x", "../../x"),
            ("docker", "/etc/../x", "/x"),
            ("/srv/app", "x", "/srv/app/x"),
            ("docker", "~/x", "~/x"),
            ("docker", "~x", "docker/~x"),
        ] {
            assert_eq!(join(directory, path), joined, "{directory} {path}");
        }
        assert_eq!([parent("a/b/c"), parent("c"), parent("/c")], ["a/b", "", "/"]);
    }
}
