//! Texts made of other secrets.

use std::io::Write as _;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::{Inputs, Material, input, missing};
use crate::error::{Error, Kind, Result};
use crate::manifest::template::{Filter, Piece, Template};
use crate::name::SecretName;
use crate::secret::digest::sha256_hex;
use crate::secret::parts::Parts;
use crate::secret::{Secret, random};

/// bcrypt looks at no more than this many bytes.
const BCRYPT_LONGEST: usize = 72;

/// 2^12 rounds: about 0.2 s a hash.
const BCRYPT_COST: u32 = 12;

type Text = Zeroizing<Vec<u8>>;

/// Puts the inputs' values into the template.
pub(super) fn generate(name: &SecretName, template: &Template, inputs: &Inputs<'_>) -> Result<Material> {
    let pieces: Vec<Text> = template.pieces.iter().map(|piece| evaluate(name, piece, inputs)).collect::<Result<_>>()?;
    // `concat` asks for the whole length at once, so that nothing is moved while it grows.
    let slices: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_slice()).collect();
    let parts = Parts::value(Secret::new(slices.concat()));
    Ok(Material { parts, bits: None, expires: None, facts: super::facts([]) })
}

fn evaluate(asker: &SecretName, piece: &Piece, inputs: &Inputs<'_>) -> Result<Text> {
    match piece {
        Piece::Literal(text) => Ok(Zeroizing::new(text.clone().into_bytes())),
        Piece::Reference { name, filters } => {
            let input = input(inputs, name, asker)?;
            let value = input.parts.primary().ok_or_else(|| missing(name, "has no value", asker))?;
            let (start, filters) = match filters.split_first() {
                Some((Filter::Username, rest)) => {
                    let username = input.username.ok_or_else(|| missing(name, "has no user", asker))?;
                    (Zeroizing::new(username.as_bytes().to_vec()), rest)
                }
                _ => (Zeroizing::new(value.expose().to_vec()), filters.as_slice()),
            };
            let cannot = |filter: Filter, why| cannot_filter(asker, name, filter, why);
            filters.iter().try_fold(start, |text, &filter| apply(filter, &text).map_err(|why| cannot(filter, why)))
        }
    }
}

fn cannot_filter(asker: &SecretName, name: &SecretName, filter: Filter, why: Unfit) -> Error {
    let why = match why {
        Unfit::Failed => return Error::bug(format!("the filter `{}` failed", filter.name())),
        Unfit::HoldsNul => "holds a NUL byte, where bcrypt stops reading",
        Unfit::NotText => "is not UTF-8",
        Unfit::TooLong => "is too long for bcrypt, which reads 72 bytes",
    };
    let message = format!("`{asker}` cannot apply `{}` to `{name}`, which {why}", filter.name());
    Error::new(Kind::Findings, "filter-unfit", message)
        .hint(format!("make `{name}` fit, or take the filter out of the template of `{asker}`"))
}

/// Why a filter cannot take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfit {
    Failed,
    HoldsNul,
    NotText,
    TooLong,
}

fn apply(filter: Filter, value: &[u8]) -> Result<Text, Unfit> {
    match filter {
        Filter::Base64 => Ok(base64(value)),
        Filter::Bcrypt => bcrypt(value),
        Filter::Json => json(value),
        Filter::Sha256 => Ok(Zeroizing::new(sha256_hex(value).into_bytes())),
        Filter::Urlencode => Ok(urlencode(value)),
        // The manifest lets it stand first alone, where it is no change of a value.
        Filter::Username => Err(Unfit::Failed),
    }
}

fn base64(value: &[u8]) -> Text {
    let mut text = Zeroizing::new(vec![0; BASE64.encode_len(value.len())]);
    BASE64.encode_mut(value, &mut text);
    text
}

fn bcrypt(value: &[u8]) -> Result<Text, Unfit> {
    if value.len() > BCRYPT_LONGEST {
        return Err(Unfit::TooLong);
    }
    if value.contains(&0) {
        return Err(Unfit::HoldsNul);
    }
    let salt = random::array().map_err(|_| Unfit::Failed)?;
    let hash = bcrypt::hash_with_salt_bytes(value, BCRYPT_COST, salt).map_err(|_| Unfit::Failed)?;
    Ok(Zeroizing::new(hash.to_vec()))
}

fn json(value: &[u8]) -> Result<Text, Unfit> {
    let value = std::str::from_utf8(value).map_err(|_| Unfit::NotText)?;
    // The longest escape is `\u0000`: six bytes for one.
    let mut text = Zeroizing::new(Vec::with_capacity(2 + 6 * value.len()));
    serde_json::to_writer(&mut *text, value).map_err(|_| Unfit::Failed)?;
    Ok(text)
}

/// Everything but the unreserved characters of RFC 3986 §2.3 becomes `%XX`.
fn urlencode(value: &[u8]) -> Text {
    let mut text = Zeroizing::new(Vec::with_capacity(3 * value.len()));
    for &byte in value {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(byte);
        } else {
            // Writing into a vector cannot fail.
            let _ = write!(&mut *text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::Input;
    use crate::generate::tests::{name, text_of};

    fn evaluated(template: &str, value: &[u8]) -> Result<Material> {
        let parts = Parts::value(Secret::copy_of(value));
        let password = name("PW");
        let inputs = Inputs::from([(&password, Input::new(None, &parts))]);
        generate(&name("URL"), &Template::parse(template).unwrap(), &inputs)
    }

    fn percent_decoded(text: &[u8]) -> Vec<u8> {
        let Some((&first, rest)) = text.split_first() else { return Vec::new() };
        if first != b'%' {
            return [&[first], percent_decoded(rest).as_slice()].concat();
        }
        let byte = u8::from_str_radix(std::str::from_utf8(&rest[..2]).unwrap(), 16).unwrap();
        [&[byte], percent_decoded(&rest[2..]).as_slice()].concat()
    }

    #[test]
    fn values_are_put_where_their_names_stand() {
        let material = evaluated("postgres://app:${PW | urlencode}@db/${PW}", b"p@s/s").unwrap();
        assert_eq!(text_of(&material), "postgres://app:p%40s%2Fs@db/p@s/s");
        assert_eq!((material.bits, material.expires), (None, None));
    }

    #[test]
    fn filters_apply_left_to_right() {
        assert_eq!(text_of(&evaluated("${PW | base64 | json}", b"a?>").unwrap()), r#""YT8+""#);
        assert_eq!(text_of(&evaluated("${PW|base64|urlencode}", b"a?>").unwrap()), "YT8%2B");
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(text_of(&evaluated("${PW | sha256}", b"abc").unwrap()), digest);
    }

    #[test]
    fn a_bcrypt_hash_is_salted_and_verifies() {
        let value = [b'x'; BCRYPT_LONGEST];
        let material = evaluated("admin:${PW | bcrypt}", &value).unwrap();
        let hash = text_of(&material).strip_prefix("admin:").unwrap();
        assert!(hash.starts_with("$2b$12$") && hash.len() == 60);
        assert!(bcrypt::verify(value, hash).unwrap() && !bcrypt::verify("y", hash).unwrap());
    }

    #[test]
    fn what_bcrypt_would_cut_off_is_refused_without_saying_the_value() {
        let error = evaluated("${PW | bcrypt}", &[b'Q'; BCRYPT_LONGEST + 1]).unwrap_err();
        assert!(error.to_string().contains("too long for bcrypt") && !error.to_string().contains("QQ"));
        assert_eq!(evaluated("${PW | bcrypt}", b"a\0b").unwrap_err().code(), "filter-unfit");
        assert_eq!(evaluated("${PW | json}", b"\xff").unwrap_err().code(), "filter-unfit");
    }

    #[test]
    fn a_missing_input_is_named() {
        let error = generate(&name("URL"), &Template::parse("${PW}").unwrap(), &Inputs::new()).unwrap_err();
        assert_eq!(error.code(), "missing");
        assert!(error.to_string().contains("`PW`") && error.to_string().contains("`URL`"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn urlencode_keeps_every_byte(value: Vec<u8>) {
            let text = urlencode(&value);
            let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(byte);
            prop_assert!(text.iter().all(unreserved));
            prop_assert_eq!(percent_decoded(&text), value);
        }

        #[test]
        fn json_keeps_every_text(value: String) {
            let text = json(value.as_bytes()).unwrap();
            prop_assert_eq!(serde_json::from_slice::<String>(&text).unwrap(), value);
        }
    }
}
