//! Who goes first where a hook gets the value of a secret that is rotated in the same run. Pure.

use std::collections::BTreeSet;

use crate::name::SecretName;

/// The secrets in groups, each after those whose values its hooks get: by then one knows which value is accepted. Of those
/// that get each other's, one begins.
pub fn waves(names: Vec<SecretName>, given: impl Fn(&SecretName) -> BTreeSet<SecretName>) -> Vec<Vec<SecretName>> {
    let mut left: Vec<(SecretName, BTreeSet<SecretName>)> =
        names.into_iter().map(|name| (name.clone(), given(&name))).collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let open: BTreeSet<SecretName> = left.iter().map(|(name, _)| name.clone()).collect();
        let waits =
            |(name, given): &(SecretName, BTreeSet<SecretName>)| given.iter().any(|it| it != name && open.contains(it));
        let (mut waiting, mut wave): (Vec<_>, Vec<_>) = left.into_iter().partition(waits);
        if wave.is_empty() {
            wave.push(waiting.remove(0));
        }
        waves.push(wave.into_iter().map(|(name, _)| name).collect());
        left = waiting;
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(given: &[(&str, &[&str])]) -> String {
        let name = |text: &str| SecretName::new(text).unwrap();
        let of = |it: &SecretName| {
            let found = given.iter().find(|(text, _)| *text == it.as_str()).unwrap();
            found.1.iter().map(|text| name(text)).collect()
        };
        let waves = waves(given.iter().map(|(text, _)| name(text)).collect(), of);
        let wave = |names: &Vec<SecretName>| names.iter().map(SecretName::as_str).collect::<Vec<_>>().join(" ");
        waves.iter().map(wave).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn whoever_is_given_goes_before_whoever_gets_it() {
        assert_eq!(order(&[("A", &[]), ("B", &[])]), "A B");
        assert_eq!(order(&[("A", &["Z"]), ("B", &[]), ("Z", &["Z", "elsewhere"])]), "B Z | A");
        assert_eq!(order(&[("A", &["B"]), ("B", &["C"]), ("C", &[])]), "C | B | A");
        assert_eq!(order(&[("A", &["B"]), ("B", &["A"]), ("C", &["B"])]), "A | B | C");
        assert_eq!(order(&[]), "");
    }
}
