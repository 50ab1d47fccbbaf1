//! How many bits of entropy a recipe draws: known before any value is.

use super::model::{CharClass, Kind, Password};
use crate::words;

/// ⌊30 × log2(62)⌋: the random characters of an API key.
const API_KEY: u32 = 178;

/// What a version 4 UUID draws (RFC 9562 §5.4).
const UUID: u32 = 122;

impl Kind {
    /// The entropy of each value that the recipe draws, in whole bits, rounded down; `None` for what is not drawn as text.
    pub fn entropy(&self) -> Option<u32> {
        match self {
            Self::ApiKey { .. } => Some(API_KEY),
            Self::EncryptionKey(it) | Self::Random(it) => Some(it.bytes.saturating_mul(8)),
            Self::Passphrase { words, .. } => Some(of_words(*words)),
            Self::Password(it) => Some(it.entropy()),
            Self::Uuid => Some(UUID),
            _ => None,
        }
    }
}

/// The entropy of so many words of the list, in whole bits, rounded down.
#[expect(clippy::cast_precision_loss, reason = "a few thousand words")]
pub fn of_words(count: u32) -> u32 {
    whole_bits(f64::from(count) * (words::COUNT as f64).log2())
}

impl Password {
    /// Length × log2 of the alphabet, less what the redraws take away: the share of all texts in which every class is
    /// present, by inclusion and exclusion over the classes that are absent. In whole bits, rounded down.
    pub fn entropy(&self) -> u32 {
        let classes: Vec<CharClass> = self.classes.iter().copied().collect();
        let count = |is_left: &dyn Fn(CharClass) -> bool| {
            let left = self.alphabet.bytes().filter(|&byte| is_left(CharClass::of(byte))).count();
            f64::from(u32::try_from(left).unwrap_or(u32::MAX))
        };
        let size = count(&|_| true);
        let share: f64 = (0..1_u32 << classes.len())
            .map(|absent| {
                let is_absent =
                    |class| classes.iter().position(|&one| one == class).is_some_and(|at| absent >> at & 1 == 1);
                let sign = if absent.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
                sign * (count(&|class| !is_absent(class)) / size).powf(f64::from(self.length))
            })
            .sum();
        whole_bits(f64::from(self.length) * size.log2() + share.log2())
    }

    /// The shortest length at which the same alphabet and classes draw so many bits; `None` if not even 1024 would do.
    pub fn length_for(&self, bits: u32) -> Option<u32> {
        let at = |length| Self { length, ..self.clone() }.entropy();
        (self.length..=LONGEST).find(|&length| at(length) >= bits)
    }
}

/// The longest password that may be declared.
pub(super) const LONGEST: u32 = 1024;

impl CharClass {
    /// The class of a printable ASCII character.
    pub fn of(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digit,
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            _ => Self::Symbol,
        }
    }
}

/// Entropy of a value drawn from equally likely ones, in whole bits, rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped into the range of u32 first")]
fn whole_bits(entropy: f64) -> u32 {
    // A hair is added for sums such as 32 × log2(64) that floating point may leave just below a whole number.
    (entropy + 1e-9).floor().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ALL: [CharClass; 4] = [CharClass::Digit, CharClass::Lower, CharClass::Symbol, CharClass::Upper];

    fn recipe(length: u32, alphabet: &str, classes: &[CharClass]) -> Password {
        Password { length, alphabet: alphabet.into(), classes: classes.iter().copied().collect() }
    }

    #[test]
    fn strength_is_that_of_the_passwords_that_can_come_out() {
        assert_eq!(recipe(32, ALNUM, &[]).entropy(), 190);
        assert_eq!(recipe(32, "abcdefghijklmnop", &[]).entropy(), 128);
        assert_eq!(recipe(2, "a1", &[CharClass::Lower, CharClass::Digit]).entropy(), 1);
        // 4! arrangements of one character of each class, two characters a class: log2(24 × 16) = 8.58.
        assert_eq!(recipe(4, "ab01XY_.", &ALL).entropy(), 8);
    }

    #[test]
    fn the_length_that_would_do_is_the_shortest_one() {
        let digits = recipe(16, "0123456789", &[]);
        assert_eq!((digits.entropy(), digits.length_for(64)), (53, Some(20)));
        assert_eq!(recipe(8, ALNUM, &[]).length_for(64), Some(11));
        assert_eq!(recipe(8, ALNUM, &[]).length_for(100_000), None);
    }

    #[test]
    fn whole_bits_are_rounded_down_and_never_below_zero() {
        assert_eq!([-1.0, 0.99, 178.6, 192.0 - 1e-12].map(whole_bits), [0, 0, 178, 192]);
    }
}
