//! "Did you mean": the known name that is nearest to a wrong one.

/// The nearest name, if it is near enough to be a slip: a third of the characters, whatever their case.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_ascii_lowercase();
    let allowed = (wrong.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(wrong.len()) <= allowed)
        .map(|name| (strsim::osa_distance(&wrong, &name.to_ascii_lowercase()), name))
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_finds_none() {
        let names = ["bytes", "encoding", "kind"];
        assert_eq!(nearest("bites", names), Some("bytes"));
        assert_eq!(nearest("KIND", names), Some("kind"));
        assert_eq!(nearest("knid", names), Some("kind"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn equally_near_names_are_told_in_their_order() {
        assert_eq!(nearest("ab", ["ac", "aa"]), Some("aa"));
    }
}
