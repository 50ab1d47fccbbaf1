//! Readers and writers for what a store or ledger holds thousands of times, where serde's general ones would be most of the cost.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{self, Serializer};
use serde::{Deserialize, Serialize};

/// Reads a map whose keys are in order, as we write it: built at once and not by ten thousand insertions.
///
/// Any order is read; of two equal keys the later one counts.
pub(super) fn map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    Ok(entries(deserializer)?.into_iter().collect())
}

/// The entries of a map as they stand there.
pub(super) fn entries<'de, D, K, V>(deserializer: D) -> Result<Vec<(K, V)>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de>,
    V: Deserialize<'de>,
{
    struct MapVisitor<K, V>(PhantomData<(K, V)>);
    impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for MapVisitor<K, V> {
        type Value = Vec<(K, V)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_map(MapVisitor(PhantomData))
}

/// Reads a time (RFC 3339).
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    struct TimeVisitor;
    impl Visitor<'_> for TimeVisitor {
        type Value = DateTime<Utc>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
            let general = || Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
            whole_seconds(text).or_else(general).ok_or_else(|| E::custom("not a time"))
        }
    }
    deserializer.deserialize_str(TimeVisitor)
}

/// Reads a time that may be absent.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    #[derive(Deserialize)]
    struct Time(#[serde(deserialize_with = "time")] DateTime<Utc>);
    Ok(Option::<Time>::deserialize(deserializer)?.map(|time| time.0))
}

/// Writes a time as chrono does.
pub(super) fn write_time<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let year = u32::try_from(time.year()).unwrap_or(u32::MAX);
    if year > 9999 || time.nanosecond() != 0 {
        return time.serialize(serializer);
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    let pairs = [(0, year / 100), (2, year % 100), (5, time.month()), (8, time.day())];
    let pairs = pairs.into_iter().chain([(11, time.hour()), (14, time.minute()), (17, time.second())]);
    for (at, number) in pairs {
        for (at, digit) in [(at, number / 10), (at + 1, number % 10)] {
            text[at] += u8::try_from(digit).unwrap_or_default();
        }
    }
    serializer.serialize_str(std::str::from_utf8(&text).map_err(ser::Error::custom)?)
}

/// The one form that we write, `2026-11-22T05:15:21Z`.
fn whole_seconds(text: &str) -> Option<DateTime<Utc>> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if separators.into_iter().any(|(at, separator)| bytes[at] != separator) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let year = i32::try_from(number(&bytes[..4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&bytes[5..7])?, number(&bytes[8..10])?)?;
    let time = date.and_hms_opt(number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?)?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Deserialize)]
    struct Sample {
        #[serde(deserialize_with = "time")]
        time: DateTime<Utc>,
        #[serde(default, deserialize_with = "optional_time")]
        optional: Option<DateTime<Utc>>,
        #[serde(default, deserialize_with = "map")]
        map: BTreeMap<String, u32>,
    }

    fn read(json: &str) -> Result<Sample, serde_json::Error> {
        serde_json::from_str(json)
    }

    fn written(time: DateTime<Utc>) -> String {
        let mut json = Vec::new();
        write_time(&time, &mut serde_json::Serializer::new(&mut json)).unwrap();
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn a_map_is_read_in_any_order() {
        let sample = read(r#"{"time": "2026-11-22T05:15:21Z", "map": {"b": 1, "a": 2, "c": 3}}"#).unwrap();
        assert_eq!(sample.map, BTreeMap::from([("a".into(), 2), ("b".into(), 1), ("c".into(), 3)]));
        assert_eq!(sample.optional, None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "+026-11-22T05:15:21Z"] {
            assert!(read(&format!(r#"{{"time": "{text}"}}"#)).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_is_what_chrono_says(seconds in -62_000_000_000_i64..250_000_000_000, nanoseconds in 0..2_u32) {
            let time = DateTime::from_timestamp(seconds, nanoseconds).unwrap();
            let json = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(&written(time), &json);
            let sample = read(&format!(r#"{{"time": {json}, "optional": {json}}}"#)).unwrap();
            prop_assert_eq!(sample.time, time);
            prop_assert_eq!(sample.optional, Some(time));
        }
    }
}
