//! Words as a POSIX shell takes them, for commands that are proposed to a person.

/// A word as it stands, or in single quotes where a shell would take it apart.
pub fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-@%+=:,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A path as a word that no program takes for an option.
pub fn path(path: &str) -> String {
    if path.starts_with('-') { word(&format!("./{path}")) } else { word(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_each_word_for_one() {
        assert_eq!(word("/srv/shop"), "/srv/shop");
        assert_eq!(word("a b'c"), r"'a b'\''c'");
        assert_eq!(word("$(id)"), "'$(id)'");
        assert_eq!(word(""), "''");
        assert_eq!(path("-rf"), "./-rf");
    }
}
