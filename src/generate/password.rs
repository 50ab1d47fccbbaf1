//! Passwords of an alphabet, with classes that must be present.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::Material;
use crate::error::{Error, Result};
use crate::manifest::model::{CharClass, Password};
use crate::secret::{Secret, random};

/// Draws characters, and all of them again until every class is present: each password that has them is equally likely.
pub(super) fn generate(recipe: &Password) -> Result<Material> {
    if !can_be_met(recipe) {
        return Err(Error::bug("a password was declared with classes that its alphabet or length cannot hold"));
    }
    let mut password = Zeroizing::new(vec![0; recipe.length as usize]);
    loop {
        draw(&mut password, recipe.alphabet.as_bytes())?;
        if recipe.classes.iter().all(|&class| password.iter().any(|&byte| CharClass::of(byte) == class)) {
            return Ok(Material::drawn(Secret::copy_of(&password), recipe.entropy()));
        }
    }
}

fn can_be_met(recipe: &Password) -> bool {
    let present: BTreeSet<CharClass> = recipe.alphabet.bytes().map(CharClass::of).collect();
    !recipe.alphabet.is_empty()
        && recipe.alphabet.is_ascii()
        && recipe.classes.is_subset(&present)
        && recipe.classes.len() <= recipe.length as usize
}

fn draw(password: &mut [u8], alphabet: &[u8]) -> Result<()> {
    for place in password {
        *place = alphabet[random::below(size_of(alphabet))? as usize];
    }
    Ok(())
}

/// The size of an alphabet, which is distinct ASCII and so at most 128 characters.
fn size_of(alphabet: &[u8]) -> u32 {
    u32::try_from(alphabet.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::text_of;

    const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ALL: [CharClass; 4] = [CharClass::Digit, CharClass::Lower, CharClass::Symbol, CharClass::Upper];

    fn recipe(length: u32, alphabet: &str, classes: &[CharClass]) -> Password {
        Password { length, alphabet: alphabet.into(), classes: classes.iter().copied().collect() }
    }

    #[test]
    fn every_declared_class_is_present_even_when_there_is_just_room_for_them() {
        for _ in 0..500 {
            let material = generate(&recipe(4, "ab01XY_.", &ALL)).unwrap();
            let classes: BTreeSet<CharClass> = text_of(&material).bytes().map(CharClass::of).collect();
            assert_eq!(classes.len(), 4);
        }
    }

    #[test]
    fn only_the_alphabet_is_used_and_all_of_it() {
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            seen.extend(text_of(&generate(&recipe(40, ALNUM, &[])).unwrap()).bytes());
        }
        assert_eq!(seen, ALNUM.bytes().collect());
    }

    #[test]
    fn passwords_with_all_classes_are_equally_likely() {
        // Of the four texts over `a1`, the two with both classes remain.
        let (mut first, rounds) = (0, 4_000);
        for _ in 0..rounds {
            let material = generate(&recipe(2, "a1", &[CharClass::Lower, CharClass::Digit])).unwrap();
            assert!(["a1", "1a"].contains(&text_of(&material)));
            first += u32::from(text_of(&material) == "a1");
        }
        // The standard deviation is 32: nine of them is never reached by chance.
        assert!((rounds / 2 - 288..rounds / 2 + 288).contains(&first), "{first}");
    }

    #[test]
    fn what_cannot_be_met_is_refused_rather_than_drawn_for_ever() {
        for recipe in [recipe(8, "abc", &[CharClass::Digit]), recipe(1, ALNUM, &ALL[..2]), recipe(8, "", &[])] {
            assert_eq!(generate(&recipe).unwrap_err().code(), "bug");
        }
    }
}
