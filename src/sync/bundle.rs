//! A JSON object that holds several secrets: read without losing what is not ours, and written back with its order.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::remote::MOST_BYTES;
use crate::secret::Secret;

/// An object's members in their order; what their values are is looked at only when asked for.
#[derive(Default)]
pub struct Bundle<'a> {
    members: Vec<(String, &'a RawValue)>,
}

/// Members are values.
impl fmt::Debug for Bundle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members.iter().map(|(key, _)| key)).finish()
    }
}

/// A text that is no JSON object, or one in which a key stands twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Bundle<'a> {
    /// Reads an object, of no more bytes than AWS keeps.
    pub fn parse(text: &'a Secret) -> Result<Self, Malformed> {
        if text.len() > MOST_BYTES {
            return Err(Malformed);
        }
        serde_json::from_slice(text.expose()).map_err(|_| Malformed)
    }

    /// The value of a key: a string's characters, or the JSON text of anything else; `None` for `null` and no member.
    ///
    /// Fails where a string is no text: half of a surrogate pair (RFC 8259 §8.2) stands for nothing.
    pub fn value(&self, key: &str) -> Result<Option<Secret>, Malformed> {
        let Some((_, raw)) = self.members.iter().find(|(name, _)| name == key) else { return Ok(None) };
        match raw.get() {
            "null" => Ok(None),
            text if text.starts_with('"') => {
                serde_json::from_str(text).map(|text| Some(Secret::from_text(text))).map_err(|_| Malformed)
            }
            text => Ok(Some(Secret::copy_of(text.as_bytes()))),
        }
    }

    /// Whether a key is there, and not `null`.
    pub fn has_value(&self, key: &str) -> bool {
        self.members.iter().any(|(name, raw)| name == key && raw.get() != "null")
    }

    /// The object with some members replaced in place; those of new keys follow, in the order of their names.
    pub fn with(&self, changes: &BTreeMap<&str, &str>) -> Secret {
        let ours: usize = changes.iter().map(|(key, value)| 6 * (key.len() + value.len()) + 8).sum();
        let kept: usize = self.members.iter().map(|(key, raw)| 6 * key.len() + raw.get().len() + 4).sum();
        // A buffer that never grows leaves no copy behind.
        let mut text = String::with_capacity(ours + kept + 2);
        for (key, raw) in &self.members {
            open(&mut text, key);
            match changes.get(key.as_str()) {
                Some(new) => push_string(&mut text, new),
                None => text.push_str(raw.get()),
            }
        }
        let is_new = |key: &str| !self.members.iter().any(|(name, _)| name == key);
        for (key, value) in changes.iter().filter(|(key, _)| is_new(key)) {
            open(&mut text, key);
            push_string(&mut text, value);
        }
        if text.is_empty() {
            text.push('{');
        }
        text.push('}');
        Secret::from_text(text)
    }
}

fn open(text: &mut String, key: &str) {
    text.push(if text.is_empty() { '{' } else { ',' });
    push_string(text, key);
    text.push(':');
}

/// A JSON string (RFC 8259 §7).
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control < ' ' => {
                const DIGITS: [char; 16] =
                    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
                let code = control as usize;
                text.push_str("\\u00");
                text.extend([DIGITS[code >> 4], DIGITS[code & 15]]);
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}

impl<'de> Deserialize<'de> for Bundle<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Bundle<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                let mut names = HashSet::new();
                while let Some((key, raw)) = map.next_entry::<String, &RawValue>()? {
                    if !names.insert(key.clone()) {
                        return Err(A::Error::custom("a key stands twice"));
                    }
                    members.push((key, raw));
                }
                Ok(Bundle { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(secret: &Secret) -> &str {
        secret.expose_text().unwrap()
    }

    #[test]
    fn unknown_members_their_order_and_their_writing_are_kept() {
        let before = Secret::from_text(r#"{ "z": 1.50, "OURS": "old", "a": {"x" : [true]}, "PORT": 5432 }"#.into());
        let bundle = Bundle::parse(&before).unwrap();
        let after = bundle.with(&BTreeMap::from([("NEW", "n"), ("OURS", "new")]));
        assert_eq!(text(&after), r#"{"z":1.50,"OURS":"new","a":{"x" : [true]},"PORT":5432,"NEW":"n"}"#);
        assert_eq!(bundle.value("PORT"), Ok(Some(Secret::copy_of(b"5432"))));
    }

    #[test]
    fn what_is_no_object_and_a_key_that_stands_twice_are_refused() {
        for text in ["", "[]", "\"a\"", "{\"a\":1,\"a\":2}", "{\"a\":1} x", "{\"a\":", "\u{feff}{}"] {
            let secret = Secret::from_text(text.into());
            assert_eq!(Bundle::parse(&secret).err(), Some(Malformed), "{text}");
        }
    }

    #[test]
    fn null_is_no_value_and_an_empty_object_is_written_as_one() {
        let secret = Secret::from_text(r#"{"a":null}"#.into());
        let bundle = Bundle::parse(&secret).unwrap();
        assert_eq!((bundle.value("a"), bundle.has_value("a")), (Ok(None), false));
        assert_eq!(text(&Bundle::default().with(&BTreeMap::new())), "{}");
    }

    #[test]
    fn half_of_a_surrogate_pair_is_malformed_and_not_absent() {
        let secret = Secret::from_text(r#"{"a":"\ud800","b":"\ud83d\ude00"}"#.into());
        let bundle = Bundle::parse(&secret).unwrap();
        assert_eq!(bundle.value("a"), Err(Malformed));
        assert_eq!(bundle.value("b"), Ok(Some(Secret::copy_of("😀".as_bytes()))));
    }

    #[test]
    fn an_object_that_aws_could_not_keep_is_refused_unread() {
        let secret = Secret::from_text(format!(r#"{{"a":"{}"}}"#, "x".repeat(MOST_BYTES)));
        assert_eq!(Bundle::parse(&secret).err(), Some(Malformed));
    }

    #[test]
    fn debug_shows_keys_and_no_value() {
        let secret = Secret::from_text(r#"{"a":"hunter2"}"#.into());
        assert_eq!(format!("{:?}", Bundle::parse(&secret).unwrap()), r#"{"a"}"#);
    }

    proptest! {
        #[test]
        fn every_text_reads_back_as_it_was_written(pairs: BTreeMap<String, String>) {
            let changes = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let written = Bundle::default().with(&changes);
            let judge: BTreeMap<String, String> = serde_json::from_slice(written.expose()).unwrap();
            prop_assert_eq!(&judge, &pairs);
            let Ok(bundle) = Bundle::parse(&written) else { return Err(TestCaseError::reject("longer than AWS takes")) };
            for (key, value) in &pairs {
                prop_assert_eq!(bundle.value(key), Ok(Some(Secret::copy_of(value.as_bytes()))));
            }
        }
    }
}
