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
        let Some(label) = fence(line, BEGIN) else { continue };
        let begun = index + 1;
        let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
        loop {
            let (_, line) = lines.next().ok_or(Damage::Unended(begun))?;
            if line.starts_with("Proc-Type:") {
                return Err(Damage::Encrypted);
            }
            match fence(line, END) {
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

/// What is wrong with text that begins or ends a block and is no PEM, in words without the text. Old encrypted keys (RFC 1421)
/// that end, and the armour of `OpenPGP`, which has lines of its own, are whole for those who read them.
pub(super) fn damage(bytes: &[u8]) -> Option<String> {
    if memchr::memmem::find(bytes, WIDE).is_some() {
        return Some("is PEM in UTF-16, which its readers do not take".to_owned());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if let Some(broken) = without_breaks(text).or_else(|| shifted(text)) {
        return Some(broken.to_owned());
    }
    let first = text.lines().enumerate().find_map(|(index, line)| Some((index + 1, fence(line, BEGIN)?)));
    let Some((line, label)) = first.filter(|(_, label)| is_label(label)) else { return unbegun(text) };
    let ends = || text.lines().any(|line| fence(line, END) == Some(label));
    match blocks(bytes) {
        Err(Damage::Encrypted) => (!ends()).then(|| Damage::Unended(line).told()),
        Err(Damage::Empty | Damage::NotText) => None,
        Err(damage) => Some(damage.told()),
        Ok(blocks) => match blocks.iter().find(|block| !is_whole(block.label, &block.der)) {
            Some(broken) => Some(format!("has a block ({}) that lacks a piece, or has one too many", broken.label)),
            None => unbegun(text),
        },
    }
}

/// What a block begins with.
const BEGIN: &str = "-----BEGIN ";

/// What it ends with.
const END: &str = "-----END ";

/// Its beginning as Windows writes text, whichever of two bytes comes first.
const WIDE: &[u8] = b"-\0-\0-\0-\0-\0B\0E\0G\0I\0N";

/// Whether the first line is where no reader looks for it.
fn shifted(text: &str) -> Option<&'static str> {
    if text.strip_prefix('\u{feff}').is_some_and(|rest| rest.starts_with(BEGIN)) {
        return Some("is PEM behind a byte order mark, which its readers do not take");
    }
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    let label = fence(line.trim_start(), BEGIN).filter(|label| is_label(label));
    (label.is_some() && line.starts_with([' ', '\t'])).then_some("is PEM whose lines are indented")
}

/// Tells of a block that ends and never began: its first lines are gone, or the line that begins it is damaged.
fn unbegun(text: &str) -> Option<String> {
    let mut is_open = false;
    for line in text.lines() {
        if fence(line, BEGIN).is_some() {
            is_open = true;
        } else if let Some(label) = fence(line, END).filter(|label| is_label(label)) {
            if !is_open {
                return Some(format!("has a block ({label}) that ends and does not begin"));
            }
            is_open = false;
        }
    }
    None
}

fn is_label(label: &str) -> bool {
    let is_part = |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b' ');
    label.bytes().all(is_part) && !label.starts_with("PGP ")
}

/// What became of the line breaks of a text that begins with a block: a form or a variable takes them away.
fn without_breaks(text: &str) -> Option<&'static str> {
    let (label, rest) = text.trim_start().strip_prefix(BEGIN)?.split_once("-----")?;
    let line = rest.lines().next().filter(|_| is_label(label))?.trim();
    match line {
        "" => None,
        _ if ["\\n", "\\r\\n"].iter().any(|spelled| line.starts_with(spelled)) => {
            Some("is PEM with `\\n` spelled out where its lines break")
        }
        _ => Some("is PEM that has lost its line breaks"),
    }
}

/// Whether what was packed is as long as it says itself, where the label says how it does.
fn is_whole(label: &str, der: &[u8]) -> bool {
    match label {
        "OPENSSH PRIVATE KEY" => openssh_length(der) == Some(der.len()),
        "CERTIFICATE" | "X509 CERTIFICATE" => der_length(der) == Some(der.len()),
        _ if label.ends_with("PRIVATE KEY") || label.ends_with("PUBLIC KEY") => der_length(der) == Some(der.len()),
        _ => true,
    }
}

/// How long a sequence is, with its head (X.690 §8.1.3).
fn der_length(der: &[u8]) -> Option<usize> {
    let (&[0x30, first], rest) = der.split_first_chunk::<2>()? else { return None };
    if first < 0x80 {
        return Some(2 + usize::from(first));
    }
    let octets = rest.get(..usize::from(first & 0x7f)).filter(|octets| matches!(octets.len(), 1..=4))?;
    Some(2 + octets.len() + octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)))
}

/// How long a key of OpenSSH is, by what it is made of: its name for itself, cipher, derivation and its options, how many keys,
/// a public key for each, and the private ones (PROTOCOL.key).
fn openssh_length(key: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"openssh-key-v1\0";
    let number = |at: usize| Some(u32::from_be_bytes(*key.get(at..)?.first_chunk()?));
    let behind = |at: usize| at.checked_add(4)?.checked_add(usize::try_from(number(at)?).ok()?);
    let mut at = key.starts_with(NAME).then_some(NAME.len())?;
    for _ in 0..3 {
        at = behind(at)?;
    }
    let keys = number(at).filter(|&count| count < 16)?;
    at += 4;
    for _ in 0..=keys {
        at = behind(at)?;
    }
    Some(at)
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
