//! Whether a value may be one that its recipe drew, although nobody saw that.
//!
//! The estimate of [`strength`] is a lower one: short passwords that were drawn have chance patterns, and it knows neither
//! the alphabet nor how long the word list is. So a value that has the form of its recipe is taken at the recipe's word,
//! unless it is more regular than drawing makes one in billions.

use super::strength;
use crate::manifest::Kind;
use crate::manifest::entropy;
use crate::manifest::model::{CharClass, Password};
use crate::words;

/// How many bits chance patterns may take off: a drawn value loses k bits about once in 2^k.
const CHANCE: u32 = 32;

/// The bits of the recipe if it may have drawn this value; `None` also for kinds whose values are long enough for any
/// estimate.
pub(super) fn bits(kind: &Kind, value: &[u8]) -> Option<u32> {
    let drawn = kind.entropy()?;
    let estimate = match kind {
        Kind::Password(recipe) => has_form(recipe, value).then(|| strength::bits(value))?,
        Kind::Passphrase { words, separator } => of_words(*words as usize, separator.as_bytes(), value)?,
        _ => return None,
    };
    // Of a few bits half must be there, so that `12345678` is no drawn password of eight digits.
    (estimate >= drawn - CHANCE.min(drawn / 2)).then_some(drawn)
}

fn has_form(recipe: &Password, value: &[u8]) -> bool {
    value.len() == recipe.length as usize
        && value.iter().all(|byte| recipe.alphabet.as_bytes().contains(byte))
        && recipe.classes.iter().all(|&class| value.iter().any(|&byte| CharClass::of(byte) == class))
}

/// The entropy of a phrase of so many words, of which each counts once; `None` if it is none.
fn of_words(count: usize, separator: &[u8], phrase: &[u8]) -> Option<u32> {
    let words = split(count, separator, phrase)?;
    let distinct = words.iter().collect::<std::collections::BTreeSet<_>>().len();
    Some(entropy::of_words(u32::try_from(distinct).ok()?))
}

/// The words of a phrase. Separators may be empty, stand in a word, or be one: every way to read it is tried.
fn split<'a>(count: usize, separator: &[u8], phrase: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    if phrase.len() > count * (words::LONGEST + separator.len()) {
        return None;
    }
    // reached[n][end]: where the last of n words begins that end there.
    let mut reached = vec![vec![None; phrase.len() + 1]; count + 1];
    reached[0][0] = Some(0);
    for done in 0..count {
        for end in (0..=phrase.len()).filter(|&end| reached[done][end].is_some()).collect::<Vec<_>>() {
            let start = match phrase[end..].strip_prefix(separator) {
                _ if done == 0 => end,
                Some(rest) => phrase.len() - rest.len(),
                None => continue,
            };
            for next in start + 1..=phrase.len().min(start + words::LONGEST) {
                if words::contains(&phrase[start..next]) {
                    reached[done + 1][next] = Some(start);
                }
            }
        }
    }
    let (mut words, mut end) = (Vec::with_capacity(count), phrase.len());
    for done in (1..=count).rev() {
        let start = reached[done][end]?;
        words.push(&phrase[start..end]);
        end = if done == 1 { start } else { start - separator.len() };
    }
    Some(words)
}

#[cfg(test)]
mod tests;
