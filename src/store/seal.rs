//! Store ↔ age file (age-encryption.org/v1), in memory.

use std::io::{Read, Write};

use age::DecryptError;
use age::armor::ArmoredReader;
use zeroize::Zeroizing;

use super::identity::{self, Identities};
use super::{Store, format};
use crate::error::{Error, Kind, Result};

/// Seals a store to its recipients. `place` is named in errors.
pub fn seal(store: &Store, place: &str) -> Result<Vec<u8>> {
    let recipients = identity::parse_recipients(&store.recipients.keys)?;
    let payload = format::write(store)?;
    let failed = |_| Error::bug(format!("cannot seal `{place}`"));
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as _))
        .map_err(|_| Error::new(Kind::Store, "no-recipients", format!("`{place}` has no recipients")))?;
    let mut sealed = Vec::with_capacity(payload.len() + payload.len() / 1024 + 1024);
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(failed)?;
    writer.write_all(&payload).and_then(|()| writer.finish()).map_err(failed)?;
    Ok(sealed)
}

/// Opens a sealed store.
pub fn open(sealed: &[u8], identities: &Identities, place: &str) -> Result<Store> {
    let mut payload = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader(sealed, identities, place)?.read_to_end(&mut payload).map_err(|_| damaged(place))?;
    format::read(&payload).map_err(|error| error.in_file(place))
}

/// Proves from the header alone that one of the identities opens it.
pub fn can_open(sealed: &[u8], identities: &Identities, place: &str) -> Result<()> {
    reader(sealed, identities, place).map(drop)
}

fn reader<'a>(sealed: &'a [u8], identities: &Identities, place: &str) -> Result<Box<dyn Read + 'a>> {
    let fail = |error: DecryptError| {
        match error {
        DecryptError::NoMatchingKeys => Error::new(
            Kind::Store,
            "not-a-recipient",
            format!("this identity is not among the recipients of `{place}`"),
        )
        .hint("name another identity with VAULT_KIT_IDENTITY_FILE, or ask a recipient to add yours and run `vault-kit recipients apply`"),
        _ => damaged(place),
    }
    };
    // The armored reader looks at every line; a plain file is read straight from memory.
    if sealed.starts_with(b"-----BEGIN") {
        let decryptor = age::Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(fail)?;
        return Ok(Box::new(decryptor.decrypt(identities.iter()).map_err(fail)?));
    }
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(fail)?;
    Ok(Box::new(decryptor.decrypt(identities.iter()).map_err(fail)?))
}

fn damaged(place: &str) -> Error {
    Error::new(Kind::Store, "store-damaged", format!("`{place}` is damaged or cut short"))
        .hint("bring the second copy back with `vault-kit store recover`")
}

#[cfg(test)]
mod tests {
    use super::super::identity::new_identity_file;
    use super::super::tests::{now, store, version};
    use super::*;
    use crate::name::SecretName;

    fn sealed_with_one_secret() -> (Vec<u8>, Identities) {
        let (file, recipient) = new_identity_file(now());
        let mut store = store(&recipient);
        store.promote(&SecretName::new("A").unwrap(), version(b"hunter2-canary", now()));
        (seal(&store, "dev.age").unwrap(), Identities::parse(&file, "id").unwrap())
    }

    #[test]
    fn a_recipient_opens_it_and_nobody_else() {
        let (sealed, identities) = sealed_with_one_secret();
        let store = open(&sealed, &identities, "dev.age").unwrap();
        assert_eq!(
            store.current(&SecretName::new("A").unwrap()).unwrap().parts.primary().unwrap().expose(),
            b"hunter2-canary"
        );
        let (stranger, _) = new_identity_file(now());
        let stranger = Identities::parse(&stranger, "id").unwrap();
        assert_eq!(open(&sealed, &stranger, "dev.age").unwrap_err().code(), "not-a-recipient");
        assert_eq!(can_open(&sealed, &stranger, "dev.age").unwrap_err().code(), "not-a-recipient");
        can_open(&sealed, &identities, "dev.age").unwrap();
    }

    #[test]
    fn every_flipped_byte_and_every_length_is_refused() {
        let (sealed, identities) = sealed_with_one_secret();
        for length in 0..sealed.len() {
            let error = open(&sealed[..length], &identities, "dev.age").unwrap_err();
            assert_eq!(error.kind(), Kind::Store, "{length}");
        }
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            let Err(error) = open(&flipped, &identities, "dev.age") else { panic!("byte {index} can be flipped") };
            assert_eq!(error.kind(), Kind::Store, "{index}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn an_armored_store_opens_too() {
        let (sealed, identities) = sealed_with_one_secret();
        let mut armored = Vec::new();
        let mut writer = age::armor::ArmoredWriter::wrap_output(&mut armored, age::armor::Format::AsciiArmor).unwrap();
        writer.write_all(&sealed).unwrap();
        writer.finish().unwrap();
        open(&armored, &identities, "dev.age").unwrap();
    }
}
