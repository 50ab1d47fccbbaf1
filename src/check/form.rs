//! Whether a value is a damaged one of a form that it shows: PEM that is cut off, a token that lost a piece.
//!
//! Of a value that may be anything only for a word of warning: what looks like PEM or a token may be something else, and is
//! taken as it is.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::x509;

/// What is wrong with a value that begins like PEM (RFC 7468) or a compact JWS (RFC 7515 §7.1), in words without the value.
fn flaw(value: &[u8]) -> Option<String> {
    x509::damaged_pem(value).or_else(|| flaw_of_token(value))
}

/// A warning of a value that is taken, in words for a person; `None` where nothing is wrong with it. What comes in by other ways
/// than a file of its own is damaged on its way most often.
pub fn doubt(name: &str, value: &[u8]) -> Option<String> {
    let flaw = flaw(value)?;
    Some(format!(
        "the value of `{name}` {flaw}: is it whole? its file as it came is taken by `vault-kit set {name} --from-file FILE`"
    ))
}

/// Whether a value is a compact JWS (RFC 7515 §7.1) in form: who signed it is not asked.
pub fn is_token(value: &[u8]) -> bool {
    value.starts_with(b"eyJ") && value.split(|&byte| byte == b'.').count() == 3 && flaw_of_token(value).is_none()
}

/// A header in base64url begins with `eyJ`, which is `{"`.
fn flaw_of_token(value: &[u8]) -> Option<String> {
    let parts: Vec<&[u8]> = value.trim_ascii().split(|&byte| byte == b'.').collect();
    let decoded = |part: &[u8]| BASE64URL_NOPAD.decode(part).ok().filter(|it| !it.is_empty()).map(Zeroizing::new);
    let header = parts.first().filter(|part| part.starts_with(b"eyJ"))?;
    let is_header = decoded(header).is_some_and(|it| serde_json::from_slice::<Header>(&it).is_ok());
    match parts.len() {
        3 => {
            let number = parts.iter().position(|part| decoded(part).is_none()).map(|at| at + 1);
            let what = number.map(|number| format!("part {number} is not base64url"));
            let what = what.or_else(|| (!is_header).then(|| "part 1 is no header".to_owned()))?;
            Some(format!("looks like a token whose {what}"))
        }
        // One that is encrypted has five.
        count @ (1 | 2 | 4) if is_header => Some(format!("looks like a token with {count} of its 3 parts")),
        _ => None,
    }
}

/// What every header says (RFC 7515 §4.1.1).
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "alg")]
    _algorithm: IgnoredAny,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::sample::Authority;

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
            ("eyJhbGciOiJIUzI1NiJ9.e30", "looks like a token with 2 of its 3 parts"),
            ("eyJhbGciOiJIUzI1NiJ9", "looks like a token with 1 of its 3 parts"),
            ("eyJhbGciOiJIUzI1NiIg.e30.AAEC", "looks like a token whose part 1 is no header"),
            ("MIGHAgEA\n-----END PRIVATE KEY-----\n", "has a block (PRIVATE KEY) that ends and does not begin"),
            (
                "----BEGIN PUBLIC KEY-----\nMAMCAQA=\n-----END PUBLIC KEY-----\n",
                "has a block (PUBLIC KEY) that ends and does not begin",
            ),
            (
                "-----BEGIN A-----\nAAEC\n-----END A-----\nAAEC\n-----END B-----\n",
                "has a block (B) that ends and does not begin",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n",
                "has a block in line 1 that does not end",
            ),
            (
                "  -----BEGIN PRIVATE KEY-----\n  MAMCAQA=\n  -----END PRIVATE KEY-----\n",
                "is PEM whose lines are indented",
            ),
            (
                "\u{feff}-----BEGIN PUBLIC KEY-----\nMAMCAQA=\n-----END PUBLIC KEY-----\n",
                "is PEM behind a byte order mark, which its readers do not take",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n", "has a private key that is damaged"),
            (
                "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n",
                "has a damaged certificate, number 1",
            ),
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
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIOmRr9DPnPRtvo4Ws84pcPQ2as9KJ/NdHBuIq+hikwsP\n-----END PRIVATE KEY-----\n",
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

    #[test]
    fn what_windows_saved_as_its_own_text_is_told() {
        let wide: Vec<u8> = "-----BEGIN A-----\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let swapped: Vec<u8> = "\u{feff}-----BEGIN A-----\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for value in [wide, swapped] {
            assert_eq!(flaw(&value).as_deref(), Some("is PEM in UTF-16, which its readers do not take"));
        }
    }

    #[test]
    fn a_key_beside_a_certificate_is_its_own() {
        let authority = Authority::root(1_800_000_000, "root", |_| ());
        let (one, other) = (authority.leaf(&["a.example"], 2, |_| ()), authority.leaf(&["a.example"], 3, |_| ()));
        let told = |parts: &[&str]| flaw(parts.concat().as_bytes());
        assert_eq!(told(&[&one.pem, &one.key]), None);
        assert_eq!(told(&[&one.key, &one.pem, &authority.pem]), None);
        assert_eq!(told(&[&one.pem, &authority.pem]), None);
        let expected = Some("has a private key that belongs to none of its certificates".to_owned());
        assert_eq!(told(&[&one.pem, &authority.pem, &other.key]), expected);
    }
}
