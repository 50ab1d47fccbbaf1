//! PEM (RFC 7468), strictly: a block that is cut off or damaged is told, never skipped.

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// One block.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Why a text is not PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// There is no block at all.
    Empty,
    /// It is not text.
    NotText,
    /// The block that begins in this line has no end, or another one's.
    Unended(usize),
    /// The block that begins in this line is not base64.
    NotBase64(usize),
    /// The block that begins in this line is encrypted by the old way of OpenSSL (RFC 1421).
    Encrypted,
}

impl Damage {
    /// In words, without the text itself.
    pub(super) fn told(self) -> String {
        match self {
            Self::Empty => "holds no PEM block".to_owned(),
            Self::NotText => "is not text".to_owned(),
            Self::Unended(line) => format!("has a block in line {line} that does not end"),
            Self::NotBase64(line) => format!("has a block in line {line} that is not base64"),
            Self::Encrypted => "is encrypted".to_owned(),
        }
    }
}

/// All blocks in order. Text around them, such as OpenSSL writes, is no part of them.
pub(super) fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, Damage> {
    let text = std::str::from_utf8(bytes).map_err(|_| Damage::NotText)?;
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(label) = fence(line, "-----BEGIN ") else { continue };
        let begun = index + 1;
        let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
        loop {
            let (_, line) = lines.next().ok_or(Damage::Unended(begun))?;
            if line.starts_with("Proc-Type:") {
                return Err(Damage::Encrypted);
            }
            match fence(line, "-----END ") {
                Some(ended) if ended == label => break,
                Some(_) => return Err(Damage::Unended(begun)),
                None if line.starts_with("-----") => return Err(Damage::Unended(begun)),
                None => packed.extend_from_slice(line.trim_ascii().as_bytes()),
            }
        }
        let mut der = Zeroizing::new(vec![0; packed.len() / 4 * 3]);
        let decoded = BASE64.decode_len(packed.len()).ok().and_then(|length| {
            let length = length.min(der.len());
            BASE64.decode_mut(&packed, &mut der[..length]).ok()
        });
        der.truncate(decoded.filter(|length| *length > 0).ok_or(Damage::NotBase64(begun))?);
        blocks.push(Block { label, der });
    }
    if blocks.is_empty() { Err(Damage::Empty) } else { Ok(blocks) }
}

/// What is wrong with text that begins a block and is no PEM, in words without the text. Old encrypted keys (RFC 1421) and
/// the armour of `OpenPGP`, which has lines of its own, are whole for those who read them.
pub(super) fn damage(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_label = |label: &str| label.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b' '));
    let mut labels = text.lines().filter_map(|line| fence(line, "-----BEGIN "));
    let is_pem = labels.next().is_some_and(|label| is_label(label) && !label.starts_with("PGP "));
    match blocks(bytes).err().filter(|_| is_pem)? {
        Damage::Empty | Damage::Encrypted | Damage::NotText => None,
        damage => Some(damage.told()),
    }
}

fn fence<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.trim_end().strip_prefix(begin)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(text: &str) -> Result<Vec<(&str, Vec<u8>)>, Damage> {
        Ok(blocks(text.as_bytes())?.into_iter().map(|block| (block.label, block.der.to_vec())).collect())
    }

    #[test]
    fn blocks_come_in_order_with_text_between_them_and_either_line_end() {
        let text = "subject=x\r\n-----BEGIN A B-----\r\nAAEC\r\nAw==\r\n-----END A B-----\r\n\n-----BEGIN C-----\n/w==\n-----END C-----";
        assert_eq!(labels(text).unwrap(), [("A B", vec![0, 1, 2, 3]), ("C", vec![255])]);
    }

    #[test]
    fn damage_is_told_by_its_line() {
        for (text, damage) in [
            ("", Damage::Empty),
            ("hunter2\n", Damage::Empty),
            ("x\n-----BEGIN A-----\nAAAA\n", Damage::Unended(2)),
            ("-----BEGIN A-----\nAAAA\n-----END B-----\n", Damage::Unended(1)),
            ("-----BEGIN A-----\nAAAA\n-----BEGIN A-----\nAAAA\n-----END A-----\n", Damage::Unended(1)),
            ("-----BEGIN A-----\n*\n-----END A-----\n", Damage::NotBase64(1)),
            ("-----BEGIN A-----\n-----END A-----\n", Damage::NotBase64(1)),
            ("-----BEGIN A-----\nAAA\n-----END A-----\n", Damage::NotBase64(1)),
            ("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END A-----\n", Damage::Encrypted),
        ] {
            assert_eq!(labels(text), Err(damage), "{text:?}");
        }
        assert_eq!(blocks(b"\xff").err(), Some(Damage::NotText));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(-----(BEGIN|END) (A|B)-----\n|[A-Za-z0-9+/=]{0,70}\n|[^\n]{0,8}\n){0,9}") {
            let _ = blocks(text.as_bytes());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = blocks(&bytes);
        }
    }
}
