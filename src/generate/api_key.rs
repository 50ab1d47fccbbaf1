//! API keys that tell a typing error and a leak: GitHub's scheme of prefix, random part and checksum.

use super::Material;
use crate::error::Result;
use crate::secret::{Secret, random};

/// The digits of base62, in GitHub's order.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Length of the random part: ⌊30 × log2(62)⌋ = 178 bits.
pub(crate) const BODY: usize = 30;

/// Length of the checksum: six base62 digits hold any 32-bit number.
pub(crate) const CHECKSUM: usize = 6;

/// A key that this project holds.
pub(super) fn generate(prefix: &str) -> Result<Material> {
    Ok(Material::drawn(draw(prefix)?, 178))
}

/// Draws prefix ‖ 30 base62 characters ‖ checksum of all before it.
pub fn draw(prefix: &str) -> Result<Secret> {
    let mut key = Vec::with_capacity(prefix.len() + BODY + CHECKSUM);
    key.extend_from_slice(prefix.as_bytes());
    for _ in 0..BODY {
        key.push(BASE62[random::below(62)? as usize]);
    }
    let checksum = checksum(&key);
    key.extend_from_slice(&checksum);
    Ok(Secret::new(key))
}

/// CRC-32 (ISO-HDLC) in base62, padded with zeros.
fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text);
    let mut digits = [BASE62[0]; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Whether a key's last six characters are the checksum of the rest: false for anything mistyped or cut off.
///
/// The checksum is public knowledge: a right one says nothing about whether the key is known to anybody.
pub fn checksum_is_right(key: &str) -> bool {
    key.as_bytes().split_last_chunk().is_some_and(|(rest, last)| rest.len() >= BODY && checksum(rest) == *last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::{is_plain, text_of};

    #[test]
    fn the_checksum_is_the_crc32_in_base62() {
        // The second is the example that GitHub published; the others by Python's zlib.crc32 and divmod.
        assert_eq!(&checksum(b"123456789"), b"3jZRME");
        assert_eq!(&checksum(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), b"0mLq17");
        assert_eq!(&checksum(b""), b"000000");
    }

    #[test]
    fn a_key_is_prefix_body_and_a_right_checksum() {
        for _ in 0..200 {
            let material = generate("mcp_live_").unwrap();
            let key = text_of(&material);
            assert_eq!(key.len(), 9 + 36);
            assert!(key.starts_with("mcp_live_") && is_plain(key) && checksum_is_right(key));
            assert!(key[9..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn a_changed_swapped_or_lost_character_is_noticed() {
        let material = generate("k_").unwrap();
        let key = text_of(&material);
        for at in 0..key.len() {
            let mut other = key.as_bytes().to_vec();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            assert!(!checksum_is_right(std::str::from_utf8(&other).unwrap()), "{at}");
        }
        assert!(!checksum_is_right(&key[..key.len() - 1]));
        assert!(!checksum_is_right(""));
    }
}
