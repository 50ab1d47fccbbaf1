//! Passphrases of the EFF's long word list (7,776 words).

use diceware_wordlists::Wordlist;

use super::{Material, whole_bits};
use crate::error::{Error, Result};
use crate::secret::{Secret, random};

/// Draws the words, each equally likely, and puts the separator between them.
pub(super) fn generate(words: u32, separator: &str) -> Result<Material> {
    let list = Wordlist::EffLong.get_list();
    let size = u32::try_from(list.len()).map_err(|_| Error::bug("the word list is too long"))?;
    let longest = list.iter().map(|word| word.len()).max().unwrap_or(0);
    let mut phrase = String::with_capacity(words as usize * (longest + separator.len()));
    for index in 0..words {
        if index > 0 {
            phrase.push_str(separator);
        }
        phrase.push_str(list[random::below(size)? as usize]);
    }
    Ok(Material::drawn(Secret::from_text(phrase), whole_bits(f64::from(words) * f64::from(size).log2())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Wordlist = Wordlist::EffLong;
    use crate::generate::tests::text_of;

    #[test]
    fn the_list_is_the_long_one_and_plain() {
        assert_eq!(LIST.get_list().len(), 6_usize.pow(5));
        assert!(LIST.get_list().iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        let distinct: std::collections::BTreeSet<&str> = LIST.get_list().iter().copied().collect();
        assert_eq!(distinct.len(), LIST.get_list().len());
    }

    #[test]
    fn a_passphrase_has_as_many_words_of_the_list_as_declared() {
        let material = generate(6, ".").unwrap();
        let words: Vec<&str> = text_of(&material).split('.').collect();
        assert_eq!(words.len(), 6);
        assert!(words.iter().all(|word| LIST.get_list().contains(word)));
        assert_eq!(material.bits, Some(77));
        assert_ne!(text_of(&material), text_of(&generate(6, ".").unwrap()));
    }
}
