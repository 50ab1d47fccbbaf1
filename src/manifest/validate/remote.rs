//! Where secrets are in AWS Secrets Manager: names that AWS takes, and no two for one.

mod together;

pub(super) use together::check;

use crate::manifest::issue::Problems;
use crate::manifest::model::RemotePlace;
use crate::manifest::raw::SecretFields;
use crate::manifest::read::{At, Field};
use crate::name::SecretName;

/// The longest name that AWS takes, prefix and all.
const LONGEST: usize = 512;

/// What is wrong with one or more components of a name; how they begin and end together is the caller's to judge.
pub(super) fn wrong_name(text: &str) -> Option<&'static str> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'=' | b'.' | b'@' | b'-');
    if text.is_empty() {
        Some("is empty")
    } else if !text.bytes().all(|byte| is_sign(byte) || byte == b'/') {
        Some("has a character that no name in AWS has")
    } else if text.split('/').any(str::is_empty) {
        Some("has an empty component")
    } else if text.len() >= LONGEST {
        Some("is too long")
    } else {
        None
    }
}

/// The fields of a secret that say where it is.
pub(super) struct Place {
    aws: Field<String>,
    bundle: Field<String>,
    bundle_key: Field<String>,
}

impl Place {
    pub(super) fn take(fields: &mut SecretFields) -> Self {
        Self { aws: fields.aws.take(), bundle: fields.bundle.take(), bundle_key: fields.bundle_key.take() }
    }

    /// The place and the offset of what says so.
    pub(super) fn read(
        self,
        name: &SecretName,
        place: super::Place<'_>,
        problems: &mut Problems,
    ) -> Option<At<RemotePlace>> {
        if let (Some(_), Some(bundle)) = (&self.aws, &self.bundle) {
            let message = format!("`{place}` has both `aws` and `bundle`");
            let hint = "keep `aws` for a secret of its own, or `bundle` for a key of a JSON object";
            problems.add_with_hint(bundle.at, message, hint);
        }
        match (&self.bundle_key, &self.bundle) {
            (Some(key), None) => {
                let message = format!("`{place}.bundle_key` stands without `bundle`");
                problems.add_with_hint(key.at, message, "add the JSON object that it is a key of, `bundle = \"app\"`");
            }
            (Some(key), Some(_)) if !is_key(&key.value) => {
                let message = format!("`{place}.bundle_key` is not a key");
                problems.add_with_hint(key.at, message, "it has 1 to 128 of A–Z a–z 0–9 `_` `.` `/` `-`");
            }
            _ => {}
        }
        let checked = |field: &Field<String>, key: &str, problems: &mut Problems| {
            if let Some(field) = field {
                check_path(field, &format!("{place}.{key}"), problems);
            }
        };
        checked(&self.aws, "aws", problems);
        checked(&self.bundle, "bundle", problems);
        if let Some(path) = self.aws {
            return Some(At { at: path.at, value: RemotePlace::Secret { path: path.value } });
        }
        let bundle = self.bundle?;
        let key = self.bundle_key.map_or_else(|| name.to_string(), |key| key.value);
        Some(At { at: bundle.at, value: RemotePlace::Key { bundle: bundle.value, key } })
    }
}

/// What can also be a property of an `ExternalSecret` and a field of an ECS task definition.
fn is_key(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-'))
}

fn check_path(path: &At<String>, field: &str, problems: &mut Problems) {
    let text = path.value.as_str();
    let (wrong, hint) = if text.starts_with('/') {
        (Some("begins with `/`"), "write what stands behind the environment's prefix, such as `database/url`")
    } else if arn_suffix(text).is_some_and(|suffix| !suffix.bytes().all(|byte| byte.is_ascii_lowercase())) {
        (
            Some("ends like an ARN, in `-` and six characters"),
            "write the name without the characters that AWS put behind it; readers of partial ARNs would look for that",
        )
    } else {
        (
            wrong_name(text),
            "components of A–Z a–z 0–9 `_` `+` `=` `.` `@` `-` with a `/` between, such as `database/url`",
        )
    };
    if let Some(wrong) = wrong {
        problems.add_with_hint(path.at, format!("`{field}` {wrong}"), hint);
    }
}

/// The six characters behind the last hyphen: AWS takes an ARN with such an end for a whole one.
fn arn_suffix(text: &str) -> Option<&str> {
    let (_, suffix) = text.rsplit_once('-')?;
    (suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(suffix)
}
