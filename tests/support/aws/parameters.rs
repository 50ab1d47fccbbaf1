//! The parameters of a request, judged as the service's model says before any operation sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::fault::{Answered, Fault};
use super::state::Content;

/// The most bytes of a value.
const MOST_BYTES: usize = 65_536;

/// The members of a request's JSON object.
pub(super) struct Parameters(Map<String, Value>);

impl Parameters {
    /// Reads a body. A member that the double does not know is refused: AWS ignores misspelt ones, and knows others.
    pub(super) fn read(body: &[u8], known: &[&str]) -> Answered<Self> {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            return Err(Fault::new("SerializationException", "Start of structure or map found where not expected"));
        };
        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Fault::constraint(key, "must be known to the double")),
            None => Ok(Self(object)),
        }
    }

    /// What the request is about, as it says it.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        let one = ["SecretId", "Name"].into_iter().filter_map(|key| self.0.get(key)?.as_str());
        let many = self.0.get("SecretIdList").and_then(Value::as_array).into_iter().flatten();
        one.chain(many.filter_map(Value::as_str))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn read_as<'a, T: 'a>(&'a self, name: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Answered<Option<T>> {
        let wrong = || Fault::new("SerializationException", format!("{name} is of another type"));
        self.value(name).map(|value| read(value).ok_or_else(wrong)).transpose()
    }

    /// A text with so many characters.
    pub(super) fn text(&self, name: &str, length: RangeInclusive<usize>) -> Answered<Option<&str>> {
        let text = self.read_as(name, Value::as_str)?;
        text.map(|text| within(name, text, &length)).transpose()
    }

    pub(super) fn required(&self, name: &str, length: RangeInclusive<usize>) -> Answered<&str> {
        self.text(name, length)?.ok_or_else(|| Fault::constraint(name, "must not be null"))
    }

    /// Name or ARN of the secret.
    pub(super) fn secret(&self) -> Answered<&str> {
        self.required("SecretId", 1..=2048)
    }

    pub(super) fn number(&self, name: &str, range: RangeInclusive<u64>) -> Answered<Option<usize>> {
        let number = self.read_as(name, Value::as_u64)?;
        match number.filter(|number| !range.contains(number)) {
            Some(_) => {
                let bounds = format!("must have value between {} and {}", range.start(), range.end());
                Err(Fault::constraint(name, &bounds))
            }
            None => Ok(number.and_then(|number| usize::try_from(number).ok())),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Answered<bool> {
        Ok(self.read_as(name, Value::as_bool)?.unwrap_or_default())
    }

    /// A list with so many items.
    pub(super) fn list(&self, name: &str, length: RangeInclusive<usize>) -> Answered<Option<&Vec<Value>>> {
        let list = self.read_as(name, Value::as_array)?;
        match list.filter(|list| !length.contains(&list.len())) {
            Some(_) => {
                let bounds = format!("must have length between {} and {}", length.start(), length.end());
                Err(Fault::constraint(name, &bounds))
            }
            None => Ok(list),
        }
    }

    pub(super) fn texts(
        &self,
        name: &str,
        count: RangeInclusive<usize>,
        length: RangeInclusive<usize>,
    ) -> Answered<Option<Vec<&str>>> {
        let Some(list) = self.list(name, count)? else { return Ok(None) };
        list.iter().map(|item| text_of(name, item, &length)).collect::<Answered<_>>().map(Some)
    }

    /// `ClientRequestToken`, which raw HTTP must bring along.
    pub(super) fn token(&self) -> Answered<&str> {
        let missing = || Fault::request("You must provide a ClientRequestToken value. We recommend a UUID-type value.");
        self.text("ClientRequestToken", 32..=64)?.ok_or_else(missing)
    }

    /// The value, of which there must not be two.
    pub(super) fn content(&self) -> Answered<Option<Content>> {
        let too_long = |name| Err(Fault::constraint(name, "must have length less than or equal to 65536"));
        let (text, binary) =
            (self.read_as("SecretString", Value::as_str)?, self.read_as("SecretBinary", Value::as_str)?);
        match (text, binary) {
            (Some(_), Some(_)) => {
                let message =
                    "You can't specify both a binary secret value and a string secret value in the same secret.";
                Err(Fault::parameter(message))
            }
            (Some(""), None) => Err(Fault::constraint("SecretString", "must have length greater than or equal to 1")),
            (None, Some("")) => Err(Fault::constraint("SecretBinary", "must have length greater than or equal to 1")),
            (Some(text), None) if text.len() > MOST_BYTES => too_long("SecretString"),
            (Some(text), None) => Ok(Some(Content::Text(text.into()))),
            (None, Some(binary)) => {
                let wrong = |_| Fault::new("SerializationException", "SecretBinary is not Base64");
                let bytes = BASE64.decode(binary.as_bytes()).map_err(wrong)?;
                if bytes.len() > MOST_BYTES {
                    too_long("SecretBinary")
                } else {
                    Ok(Some(Content::Binary(bytes.into())))
                }
            }
            (None, None) => Ok(None),
        }
    }

    /// `Tags`, each of which has a key and a value, and no key twice.
    pub(super) fn tags(&self) -> Answered<Option<BTreeMap<String, String>>> {
        let Some(list) = self.list("Tags", 0..=usize::MAX)? else { return Ok(None) };
        let mut tags = BTreeMap::new();
        for tag in list {
            let key = text_of("Tags.Key", &tag["Key"], &(1..=128))?;
            let value = text_of("Tags.Value", &tag["Value"], &(0..=256))?;
            if key.to_ascii_lowercase().starts_with("aws:") {
                return Err(Fault::parameter("Tag keys beginning with aws: are reserved for system use."));
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Fault::parameter("Duplicate tag keys found."));
            }
        }
        Ok(Some(tags))
    }

    /// `AddReplicaRegions`, none of which may be the secret's own.
    pub(super) fn replicas(&self, own: &str) -> Answered<Vec<String>> {
        let list = self.list("AddReplicaRegions", 1..=usize::MAX)?;
        let mut regions = BTreeSet::new();
        for item in list.into_iter().flatten() {
            let region = text_of("AddReplicaRegions.Region", &item["Region"], &(1..=128))?;
            if region == own || !regions.insert(region.to_owned()) {
                return Err(Fault::parameter("Invalid replica region."));
            }
        }
        Ok(regions.into_iter().collect())
    }
}

fn within<'a>(name: &str, text: &'a str, length: &RangeInclusive<usize>) -> Answered<&'a str> {
    if length.contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(Fault::constraint(name, &format!("must have length between {} and {}", length.start(), length.end())))
}

/// A text in a list or object.
pub(super) fn text_of<'a>(name: &str, value: &'a Value, length: &RangeInclusive<usize>) -> Answered<&'a str> {
    let text = value.as_str().ok_or_else(|| Fault::constraint(name, "must not be null"))?;
    within(name, text, length)
}
