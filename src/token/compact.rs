//! The compact form (RFC 7515 §7.1), read strictly: what two readers could understand differently is refused.

use data_encoding::BASE64URL_NOPAD;

use super::reason::Reason;

/// The longest token in bytes: proxies refuse header lines beyond 8 to 16 KiB anyway.
pub const LONGEST: usize = 16 * 1024;

/// A token taken apart; nothing of it is verified.
#[derive(Debug)]
pub struct Compact<'a> {
    /// The header's bytes.
    pub header: Vec<u8>,
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// The signature; empty in a token that nobody signed.
    pub signature: Vec<u8>,
    /// What the signature is over: the first two parts as they were written.
    pub signed: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Takes a token apart: exactly three parts, each unpadded base64url whose last character has no bits to spare.
    pub fn parse(token: &'a str) -> Result<Self, Reason> {
        if token.len() > LONGEST {
            return Err(Reason::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        Ok(Self {
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
            signed: signed.as_bytes(),
        })
    }
}

/// A dot is no base64url either: a fourth part is refused here.
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Reason::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_parts_are_taken_apart_and_what_is_signed_stays_as_it_was_written() {
        let token = Compact::parse("e30.YQ.AA").unwrap();
        assert_eq!((&*token.header, &*token.payload, &*token.signature), (&b"{}"[..], &b"a"[..], &b"\0"[..]));
        assert_eq!(token.signed, b"e30.YQ");
    }

    #[test]
    fn anything_that_a_lenient_decoder_would_let_through_is_malformed() {
        let long = format!("e30.{}.AA", "A".repeat(LONGEST));
        let cases = [
            "",
            ".",
            "e30.YQ",
            "e30.YQ.AA.AA",
            "e30.YQ.AA.",
            "e30=.YQ.AA",
            "e30.YQ==.AA",
            "e30.YQ.AA==",
            " e30.YQ.AA",
            "e30.YQ.AA\n",
            "e30.Y Q.AA",
            "e30.Y\nQ.AA",
            "e30.Y?Q.AA",
            "e30.Y#Q.AA",
            "e30.+/+/.AA",
            "e30.YQ.A",
            &long,
            // The last character of each has a bit set that belongs to no byte: three spellings of one token.
            "e31.YQ.AA",
            "e30.YR.AA",
            "e30.YQ.AB",
        ];
        for token in cases {
            assert_eq!(Compact::parse(token).unwrap_err(), Reason::Malformed, "{token:.20}");
        }
    }

    proptest! {
        #[test]
        fn no_two_texts_are_one_token(text in "[A-Za-z0-9_.=+/ -]{0,40}") {
            if let Ok(token) = Compact::parse(&text) {
                let again = [&token.header, &token.payload, &token.signature].map(|part| BASE64URL_NOPAD.encode(part));
                prop_assert_eq!(again.join("."), text);
            }
        }
    }
}
