//! Random bytes as text, and UUIDs.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

use super::Material;
use crate::error::Result;
use crate::manifest::model::{Encoding, RandomBytes};
use crate::secret::{Secret, random};

/// Draws the bytes and writes them as text; strength is eight bits a byte.
pub(super) fn generate(recipe: RandomBytes) -> Result<Material> {
    let mut bytes = Zeroizing::new(vec![0; recipe.bytes as usize]);
    random::fill(&mut bytes)?;
    Ok(Material::drawn(encode(recipe.encoding, &bytes), recipe.bytes.saturating_mul(8)))
}

fn encode(encoding: Encoding, bytes: &[u8]) -> Secret {
    let encoding = match encoding {
        Encoding::Base64 => BASE64,
        Encoding::Base64url => BASE64URL_NOPAD,
        Encoding::Hex => HEXLOWER,
    };
    let mut text = vec![0; encoding.encode_len(bytes.len())];
    encoding.encode_mut(bytes, &mut text);
    Secret::new(text)
}

/// Draws a version 4 UUID in lower case (RFC 9562 §5.4): 122 of its bits are random.
pub(super) fn uuid() -> Result<Material> {
    let uuid = uuid::Builder::from_random_bytes(random::array()?).into_uuid();
    let mut text = vec![0; uuid::fmt::Hyphenated::LENGTH];
    uuid.as_hyphenated().encode_lower(&mut text);
    Ok(Material::drawn(Secret::new(text), 122))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::{is_plain, text_of};

    const ENCODINGS: [Encoding; 3] = [Encoding::Base64, Encoding::Base64url, Encoding::Hex];

    #[test]
    fn the_text_has_the_length_and_strength_that_the_bytes_give() {
        for (encoding, length) in [(Encoding::Base64, 44), (Encoding::Base64url, 43), (Encoding::Hex, 64)] {
            let material = generate(RandomBytes { bytes: 32, encoding }).unwrap();
            assert_eq!(text_of(&material).len(), length, "{encoding:?}");
            assert_eq!(material.bits, Some(256));
        }
    }

    #[test]
    fn the_encodings_are_those_of_rfc_4648() {
        let bytes = [0xfb, 0xef, 0xff, 0x00];
        let texts = ENCODINGS.map(|encoding| encode(encoding, &bytes).expose().to_vec());
        assert_eq!(texts, [b"++//AA==".to_vec(), b"--__AA".to_vec(), b"fbefff00".to_vec()]);
    }

    #[test]
    fn ten_thousand_values_stay_in_the_alphabet_of_every_reader() {
        for round in 0..12_000_u32 {
            let recipe = RandomBytes { bytes: 1 + round % 48, encoding: ENCODINGS[round as usize % 3] };
            assert!(is_plain(text_of(&generate(recipe).unwrap())));
        }
    }

    #[test]
    fn a_uuid_says_version_4_and_variant_1() {
        let material = uuid().unwrap();
        let uuid = uuid::Uuid::try_parse(text_of(&material)).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
        assert_eq!(material.bits, Some(122));
        assert_ne!(text_of(&material), text_of(&super::uuid().unwrap()));
    }
}
