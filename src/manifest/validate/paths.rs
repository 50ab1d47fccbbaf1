//! Where an output may be written: textual rules; symlinks and trust are judged where the file is opened.

/// Directories that are never written into: our own, and git's, whose hooks run.
const FORBIDDEN: [&str; 2] = [".vault-kit", ".git"];

/// Files whose lines keep secrets out of commits and images.
const IGNORE_FILES: [&str; 2] = [".dockerignore", ".gitignore"];

/// Checks a path of an output and drops its `./`, or tells what is wrong. An absolute one may pass.
pub(super) fn output_path(text: &str) -> Result<String, &'static str> {
    let (root, rest) = match text.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", text),
    };
    if rest.is_empty() {
        return Err("is empty");
    }
    if text.contains('\0') || text.contains('\\') || text.chars().any(char::is_control) {
        return Err("holds a backslash or a control character");
    }
    let mut kept = Vec::new();
    for component in rest.split('/') {
        match component {
            "." => {}
            "" => return Err("has an empty component"),
            ".." => return Err("leads out of its directory with `..`"),
            _ if is_forbidden(component) => return Err("leads into `.vault-kit` or `.git`"),
            _ => kept.push(component),
        }
    }
    if kept.last().is_some_and(|name| IGNORE_FILES.contains(&name.to_ascii_lowercase().as_str())) {
        return Err("is a file that tells git or Docker what to leave alone");
    }
    if kept.is_empty() { Err("is a directory, not a file") } else { Ok(format!("{root}{}", kept.join("/"))) }
}

/// The same for a file beneath an output's directory, which is never absolute.
pub(super) fn file_name(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Err("must be relative to the output's `path`") } else { output_path(text) }
}

/// The same for a file that is read, which is never absolute.
pub(super) fn project_file(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Err("must be relative to the manifest's directory") } else { output_path(text) }
}

/// Some file systems fold case, so the comparison does too.
fn is_forbidden(component: &str) -> bool {
    let lower = component.to_ascii_lowercase();
    FORBIDDEN.contains(&lower.as_str()) || lower.starts_with(".vault-kit-tmp.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_its_directory() {
        for text in
            ["", "..", "a/../b", "a//b", "a/", "a\0b", ".", "/", "./", ".git/hooks/pre-commit", ".VAULT-KIT/x", "a\\b"]
        {
            assert!(output_path(text).is_err(), "{text:?}");
        }
        for text in [".gitignore", "./.dockerignore", "web/.gitignore", ".GitIgnore"] {
            assert_eq!(output_path(text), Err("is a file that tells git or Docker what to leave alone"), "{text:?}");
        }
        assert_eq!(output_path("./.secrets/a").unwrap(), ".secrets/a");
        assert_eq!(output_path("/run/secrets").unwrap(), "/run/secrets");
    }

    #[test]
    fn a_file_name_is_never_absolute() {
        assert!(file_name("/etc/passwd").is_err());
        assert_eq!(file_name("tokens/a.txt").unwrap(), "tokens/a.txt");
    }
}
