//! Whether a value is a damaged one of a form that it shows: PEM that is cut off, a token that lost a piece.
//!
//! Only for a word of warning. What looks like PEM or a token may be something else, and is taken as it is.

use data_encoding::BASE64URL_NOPAD;

use crate::x509;

/// What is wrong with a value that begins like PEM (RFC 7468) or a compact JWS (RFC 7515 §7.1), in words without the value.
pub fn flaw(value: &[u8]) -> Option<String> {
    x509::damaged_pem(value).or_else(|| flaw_of_token(value))
}

/// A header in base64url begins with `eyJ`, which is `{"`.
fn flaw_of_token(value: &[u8]) -> Option<String> {
    let parts: Vec<&[u8]> = value.trim_ascii().split(|&byte| byte == b'.').collect();
    if !value.starts_with(b"eyJ") || parts.len() != 3 {
        return None;
    }
    let is_damaged =
        |part: &&[u8]| part.is_empty() || zeroize::Zeroizing::new(BASE64URL_NOPAD.decode(part).ok()).is_none();
    let number = parts.iter().position(is_damaged)? + 1;
    Some(format!("looks like a token whose part {number} is not base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ssh-keygen writes one; made for this test.
    const OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACA6UR/Zyphl7Wv6kF8A8p0nBSdg+nI6WOfPiVfHEPS9WQAAAIgnbnj4J254
+AAAAAtzc2gtZWQyNTUxOQAAACA6UR/Zyphl7Wv6kF8A8p0nBSdg+nI6WOfPiVfHEPS9WQ
AAAEBzy8AM4F43KR4CHoxzl28KTJRFUXgVBup7+Z8keGf5CDpRH9nKmGXta/qQXwDynScF
J2D6cjpY58+JV8cQ9L1ZAAAAAXgBAgME
-----END OPENSSH PRIVATE KEY-----
";

    #[test]
    fn what_was_cut_or_changed_on_its_way_is_told_by_its_place() {
        let lines: Vec<&str> = OPENSSH.split_inclusive('\n').collect();
        for (value, told) in [
            (
                "-----BEGIN PRIVATE KEY-----\nMIGH*\n-----END PRIVATE KEY-----\n",
                "has a block in line 1 that is not base64",
            ),
            ("x\n-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n", "has a block in line 2 that does not end"),
            ("-----BEGIN PRIVATE KEY----- MAMCAQA= -----END PRIVATE KEY-----", "is PEM that has lost its line breaks"),
            ("-----BEGIN RSA PRIVATE KEY-----MAMCAQA=-----END", "is PEM that has lost its line breaks"),
            (
                "-----BEGIN PRIVATE KEY-----\\nMAMCAQA=\\n-----END PRIVATE KEY-----",
                "is PEM with `\\n` spelled out where its lines break",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\\r\\nMAMCAQA=\\r\\n-----END PRIVATE KEY-----\n",
                "is PEM with `\\n` spelled out where its lines break",
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nMAMCAQAA\n-----END PUBLIC KEY-----",
                "has a block (PUBLIC KEY) that lacks a piece, or has one too many",
            ),
            (
                &OPENSSH.replacen(&lines[2..4].concat(), "", 1),
                "has a block (OPENSSH PRIVATE KEY) that lacks a piece, or has one too many",
            ),
            ("eyJhbGciOiJIUzI1NiJ9.bad!!.x", "looks like a token whose part 2 is not base64url"),
            ("eyJhbGciOiJIUzI1NiJ9.e30.", "looks like a token whose part 3 is not base64url"),
        ] {
            assert_eq!(flaw(value.as_bytes()).as_deref(), Some(told), "{value}");
        }
    }

    #[test]
    fn what_is_whole_and_what_is_something_else_is_left_alone() {
        for value in [
            "-----BEGIN A-----\nAAEC\n-----END A-----\n",
            "-----BEGIN PGP MESSAGE-----\nVersion: x\n\nAAEC\n=AAEC\n-----END PGP MESSAGE-----\n",
            "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END A-----\n",
            "-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n",
            "-----BEGIN TRUSTED CERTIFICATE-----\nMAMCAQAA\n-----END TRUSTED CERTIFICATE-----\n",
            OPENSSH,
            "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIGHAgEA\\n\"}",
            "eyJhbGciOiJIUzI1NiJ9.e30.AAEC",
            "eyJ.two",
            "hunter2",
            "",
        ] {
            assert_eq!(flaw(value.as_bytes()), None, "{value}");
        }
        assert_eq!(flaw(b"-----BEGIN A-----\n\xff"), None);
    }
}
