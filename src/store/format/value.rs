//! Values as JSON: the only place that serialises one.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::name::Written;
use crate::secret::Secret;
use crate::secret::parts::{Part, Parts};

/// The pieces as a map: the name of the piece → its text.
pub(super) enum PartsDocument<'a> {
    Borrowed(&'a Parts),
    Owned(Parts),
}

/// One piece: a JSON string, or `{"base64": …}` when it is not UTF-8.
pub(super) enum Text<'a> {
    Borrowed(&'a Secret),
    Owned(Secret),
}

impl Text<'_> {
    fn secret(&self) -> &Secret {
        match self {
            Self::Borrowed(secret) => secret,
            Self::Owned(secret) => secret,
        }
    }

    pub(super) fn into_secret(self) -> Secret {
        match self {
            Self::Borrowed(secret) => secret.duplicate(),
            Self::Owned(secret) => secret,
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.secret().expose_text() {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("base64", Zeroizing::new(BASE64.encode(self.secret().expose())).as_str())?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Text<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::copy_of(text.as_bytes()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
                let (encoding, text): (Cow<'de, str>, String) =
                    map.next_entry()?.ok_or_else(|| de::Error::custom("an empty value"))?;
                let text = Zeroizing::new(text);
                if encoding != "base64" {
                    return Err(de::Error::custom("a value in an unknown encoding"));
                }
                BASE64.decode(text.as_bytes()).map(Secret::new).map_err(|_| de::Error::custom("a value is not base64"))
            }
        }
        deserializer.deserialize_any(TextVisitor).map(Self::Owned)
    }
}

impl Serialize for PartsDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = match self {
            Self::Borrowed(parts) => parts,
            Self::Owned(parts) => parts,
        };
        serializer.collect_map(parts.iter().map(|(part, piece)| (part.name(), Text::Borrowed(piece))))
    }
}

impl<'de> Deserialize<'de> for PartsDocument<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartsVisitor;
        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = Parts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the pieces of a version")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts, A::Error> {
                let mut parts = Parts::default();
                while let Some(name) = map.next_key::<Written<'de>>()? {
                    let part = Part::named(&name.0).ok_or_else(|| de::Error::custom("an unknown piece"))?;
                    parts.insert(part, map.next_value::<Text<'_>>()?.into_secret());
                }
                Ok(parts)
            }
        }
        deserializer.deserialize_map(PartsVisitor).map(Self::Owned)
    }
}
