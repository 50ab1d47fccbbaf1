//! A map of few entries. A `BTreeMap` takes half a kilobyte for the first one, which counts where there are ten thousand.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Entries by name, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T>(Vec<(String, T)>);

impl<T> Few<T> {
    /// The entry of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        let place = self.0.binary_search_by(|(it, _)| it.as_str().cmp(name)).ok()?;
        Some(&self.0[place].1)
    }

    /// Whether there is an entry of a name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Of several entries with one name, the last counts.
impl<T> From<Vec<(String, T)>> for Few<T> {
    fn from(mut entries: Vec<(String, T)>) -> Self {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        entries.shrink_to_fit();
        Self(entries)
    }
}

impl<T> FromIterator<(String, T)> for Few<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T: Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Few<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                // Mostly there is one, and without this there would be room for four.
                let mut entries = Vec::with_capacity(1);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries.into())
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_memory_and_in_json(entries: Vec<(String, u8)>, name: String) {
            let judge: BTreeMap<String, u8> = entries.iter().cloned().collect();
            let few: Few<u8> = entries.iter().cloned().collect();
            prop_assert!(few.iter().eq(judge.iter().map(|(name, entry)| (name.as_str(), entry))));
            for name in judge.keys().chain([&name]) {
                prop_assert_eq!(few.get(name), judge.get(name));
                prop_assert_eq!(few.contains_key(name), judge.contains_key(name));
            }
            prop_assert_eq!((few.len(), few.is_empty()), (judge.len(), judge.is_empty()));
            let json = serde_json::to_string(&judge).unwrap();
            prop_assert_eq!(&serde_json::to_string(&few).unwrap(), &json);
            prop_assert_eq!(serde_json::from_str::<Few<u8>>(&json).unwrap(), few);
        }
    }
}
