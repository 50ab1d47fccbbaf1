//! Names that are parsed once and valid from then on.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name that is accepted, in bytes.
const LONGEST: usize = 128;

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidName;

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name begins with a letter or `_`, holds only A–Z a–z 0–9 `_` `.` `-`, and is at most 128 long")
    }
}

impl std::error::Error for InvalidName {}

/// Names become file names and JSON keys: no separator, no leading dot, no `..`, no NUL (CVE-2020-8567).
fn is_name(text: &str) -> bool {
    let mut before = b'.';
    let mut may_follow = |byte: u8| {
        let is_second_dot = byte == b'.' && before == b'.';
        before = byte;
        !is_second_dot && (byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
    };
    let first = text.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text.len() <= LONGEST
        && text.bytes().all(&mut may_follow)
}

/// A text of a document that is read: borrowed where it holds no escape, which serde's own reader of `Cow` never does.
#[derive(Deserialize)]
pub(crate) struct Written<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        ///
        /// A copy shares the text: a name stands in many places.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Parses a name.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
                let text = text.as_ref();
                if is_name(text) { Ok(Self(text.into())) } else { Err(InvalidName) }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Written::deserialize(deserializer)?;
                Self::new(text.0).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$", "maxLength": LONGEST })
            }
        }
    };
}

name! {
    /// A secret, as the manifest names it.
    SecretName
}
name! {
    /// An environment, such as `dev` or `prod`.
    EnvName
}
name! {
    /// A hook of the manifest.
    HookName
}
name! {
    /// Secrets that are rotated together.
    GroupName
}
name! {
    /// An output of the manifest.
    OutputName
}

impl SecretName {
    /// Whether the name can be an environment variable everywhere: `[A-Za-z_][A-Za-z0-9_]*`.
    pub fn is_variable(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// The name under which the previous value is delivered: `X_PREVIOUS`, or in lower case where the name is. `None`
    /// when it would be too long.
    pub fn previous(&self) -> Option<Self> {
        Self::new(format!("{self}{}", previous_suffix(&self.0))).ok()
    }

    /// What stands before the end that the name of a previous value has.
    pub fn before_suffix(&self) -> Option<&str> {
        [UPPER_SUFFIX, LOWER_SUFFIX].into_iter().find_map(|suffix| self.as_str().strip_suffix(suffix))
    }
}

const UPPER_SUFFIX: &str = "_PREVIOUS";
const LOWER_SUFFIX: &str = "_previous";

/// What is added to a name or file name for the previous value, in its own style.
pub fn previous_suffix(name: &str) -> &'static str {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { UPPER_SUFFIX } else { LOWER_SUFFIX }
}

/// One version of a secret: a UUID in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(uuid::Uuid);

impl VersionId {
    /// Makes a version 4 UUID (RFC 9562 §5.4) of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Makes a version 5 UUID (RFC 9562 §5.5) of a text: who derives it from the same text gets the same.
    pub fn derived(text: &str) -> Self {
        // Drawn once for vault-kit.
        const NAMESPACE: uuid::Uuid = uuid::uuid!("6f1d4a0e-9b1c-4d52-8f0a-2f6d8e1c7b35");
        Self(uuid::Uuid::new_v5(&NAMESPACE, text.as_bytes()))
    }

    /// Parses the text form.
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl Serialize for VersionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for VersionId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VersionId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "uuid" })
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Written::deserialize(deserializer)?;
        Self::parse(&text.0).ok_or_else(|| serde::de::Error::custom("not a UUID"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_directory() {
        for text in ["", "a/b", "..", "a..b", ".env", "-x", "a b", "a\0", "ü", &"a".repeat(129)] {
            assert_eq!(SecretName::new(text), Err(InvalidName), "{text:?}");
        }
        for text in ["A", "_x", "DATABASE_URL", "db.password-2"] {
            assert_eq!(SecretName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn only_plain_names_are_variables() {
        assert!(SecretName::new("API_KEY2").unwrap().is_variable());
        assert!(!SecretName::new("db.password").unwrap().is_variable());
    }

    #[test]
    fn a_version_id_reads_back_as_it_was_written() {
        let id = VersionId::from_random([7; 16]);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<VersionId>(&json).unwrap(), id);
    }
}
