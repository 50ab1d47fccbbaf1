//! Passphrases of the EFF's long word list (7,776 words).

use super::Material;
use crate::error::{Error, Result};
use crate::manifest::entropy;
use crate::secret::{Secret, random};
use crate::words;

/// Draws the words, each equally likely, and puts the separator between them.
pub(super) fn generate(count: u32, separator: &str) -> Result<Material> {
    let size = u32::try_from(words::COUNT).map_err(|_| Error::bug("the word list is too long"))?;
    let mut phrase = String::with_capacity(count as usize * (words::LONGEST + separator.len()));
    for index in 0..count {
        if index > 0 {
            phrase.push_str(separator);
        }
        phrase.push_str(words::word(random::below(size)? as usize));
    }
    Ok(Material::drawn(Secret::from_text(phrase), entropy::of_words(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::generate::tests::text_of;

    #[test]
    fn a_passphrase_has_as_many_words_of_the_list_as_declared() {
        let material = generate(6, ".").unwrap();
        let words: Vec<&str> = text_of(&material).split('.').collect();
        assert_eq!(words.len(), 6);
        assert!(words.iter().all(|word| words::contains(word.as_bytes())));
        assert_eq!(material.bits, Some(77));
        assert_ne!(text_of(&material), text_of(&generate(6, ".").unwrap()));
    }
}
