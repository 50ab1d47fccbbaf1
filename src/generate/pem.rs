//! PEM (RFC 7468), with the private halves kept in wiped buffers.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Characters a line of base64.
const LINE: usize = 64;

/// Label of a certificate signing request (RFC 2986).
pub(super) const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";
/// Label of a certificate revocation list.
pub(super) const REVOCATION_LIST: &str = "X509 CRL";
/// Label of a certificate.
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
/// Label of a PKCS#8 private key.
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";
/// Label of a PKCS#1 private key (RFC 8017 appendix A.1.2).
pub(crate) const RSA_PRIVATE_KEY: &str = "RSA PRIVATE KEY";
/// Label of a public key (SPKI).
pub(crate) const PUBLIC_KEY: &str = "PUBLIC KEY";

/// Writes one block, ended by a newline.
pub(crate) fn encode(label: &str, der: &[u8]) -> Secret {
    let mut body = Zeroizing::new(vec![0; BASE64.encode_len(der.len())]);
    BASE64.encode_mut(der, &mut body);
    let fences = 2 * ("-----BEGIN -----\n".len() + label.len());
    let mut text = Vec::with_capacity(fences + body.len() + body.len().div_ceil(LINE));
    text.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
    for line in body.chunks(LINE) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
    Secret::new(text)
}

/// The DER of every block with this label, in order; ends at the first block that is cut off or is not base64.
pub(crate) fn decode<'a>(label: &str, text: &'a str) -> impl Iterator<Item = Zeroizing<Vec<u8>>> + use<'a> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&begin)?;
        let (body, after) = after.split_once(&end)?;
        rest = after;
        let mut packed = Zeroizing::new(Vec::with_capacity(body.len()));
        packed.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        BASE64.decode(&packed).ok().map(Zeroizing::new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        for length in [0, 1, 47, 48, 49, 200] {
            let der: Vec<u8> = (0..length).collect();
            let secret = encode(PRIVATE_KEY, &der);
            let text = secret.expose_text().unwrap();
            assert!(text.lines().all(|line| line.len() <= LINE));
            assert_eq!(decode(PRIVATE_KEY, text).next().unwrap().as_slice(), der);
            assert_eq!(decode(CERTIFICATE, text).count(), 0);
        }
    }

    #[test]
    fn blocks_come_in_order_and_text_between_them_is_skipped() {
        let text = [encode(CERTIFICATE, b"a"), encode(PUBLIC_KEY, b"x"), encode(CERTIFICATE, b"b")]
            .map(|block| format!("subject: …\r\n{}", block.expose_text().unwrap().replace('\n', "\r\n")))
            .concat();
        let blocks: Vec<_> = decode(CERTIFICATE, &text).map(|der| der.to_vec()).collect();
        assert_eq!(blocks, [b"a", b"b"]);
    }

    #[test]
    fn a_block_that_is_cut_off_or_not_base64_is_none() {
        for text in ["-----BEGIN CERTIFICATE-----\nAAAA", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----"] {
            assert_eq!(decode(CERTIFICATE, text).count(), 0);
        }
    }
}
