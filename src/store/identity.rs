//! The age identity that opens a store, and the recipients that it is sealed to.

use age::secrecy::ExposeSecret;
use age::x25519;
use chrono::{DateTime, Utc};

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// One or more age identities of this user.
pub struct Identities {
    keys: Vec<x25519::Identity>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").field("count", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Identities {
    /// Reads an identity file: a key a line, `#` comments, empty lines. `place` is named in errors.
    pub fn parse(text: &Secret, place: &str) -> Result<Self> {
        let text = text.expose_text().ok_or_else(|| not_an_identity(place, 1))?;
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| line.parse().map_err(|_| not_an_identity(place, number)))
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(not_an_identity(place, 1));
        }
        Ok(Self { keys })
    }

    /// The public half of each.
    pub fn recipients(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.to_public().to_string()).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| key as &dyn age::Identity)
    }
}

fn not_an_identity(place: &str, line: usize) -> Error {
    Error::new(Kind::Store, "identity-invalid", format!("`{place}` holds no age identity (line {line})")).hint(
        "an identity is a line that begins with AGE-SECRET-KEY-1; name the right file with VAULT_KIT_IDENTITY_FILE",
    )
}

/// Makes an identity file, in the form of `age-keygen`, and tells its recipient.
pub fn new_identity_file(now: DateTime<Utc>) -> (Secret, String) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let key = identity.to_string();
    let mut text = String::with_capacity(256);
    text.push_str("# created: ");
    text.push_str(&now.to_rfc3339());
    text.push_str("\n# public key: ");
    text.push_str(&recipient);
    text.push('\n');
    text.push_str(key.expose_secret());
    text.push('\n');
    (Secret::from_text(text), recipient)
}

/// Parses the recipients of a store; `who` of the first that is none is named.
pub(super) fn parse_recipients<'a>(
    keys: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<Vec<x25519::Recipient>> {
    keys.into_iter()
        .map(|(who, key)| {
            key.parse().map_err(|_| {
                Error::new(
                    Kind::Manifest,
                    "recipient-invalid",
                    format!("the recipient `{who}` is not an age X25519 recipient"),
                )
                .hint("`age-keygen -y identity.txt` prints the recipient of an identity")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_identity_file_reads_back_and_names_its_recipient() {
        let (file, recipient) = new_identity_file(super::super::tests::now());
        assert_eq!(Identities::parse(&file, "identity.txt").unwrap().recipients(), [recipient]);
    }

    #[test]
    fn what_is_no_identity_is_named_by_line_and_never_quoted() {
        let text = Secret::copy_of(b"# comment\n\nhunter2\n");
        let error = Identities::parse(&text, "identity.txt").unwrap_err();
        assert_eq!(error.to_string(), "`identity.txt` holds no age identity (line 3)");
        assert_eq!(Identities::parse(&Secret::copy_of(b""), "x").unwrap_err().kind(), Kind::Store);
        assert_eq!(Identities::parse(&Secret::copy_of(b"\xff"), "x").unwrap_err().code(), "identity-invalid");
    }
}
