//! The operations that read.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::fault::{Answered, Fault};
use super::listing::{Filters, Order, page};
use super::parameters::Parameters;
use super::state::{CURRENT, Content, Secret, State};
use super::writes::{existing, replication};

/// `GetSecretValue`: of the version in force, unless another is named.
pub(super) fn get(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let version = parameters.text("VersionId", 32..=64)?;
    let label = parameters.text("VersionStage", 1..=256)?;
    let answer = reading(state, id, version, label)?;
    state.values_read += 1;
    Ok(answer)
}

fn reading(state: &State, id: &str, version: Option<&str>, label: Option<&str>) -> Answered<Value> {
    let secret = existing(state, id)?;
    if secret.is_denied {
        return Err(Fault::denied("GetSecretValue"));
    }
    let id = match (version, label) {
        (Some(id), Some(label)) if secret.holder(label) != Some(id) => {
            return Err(Fault::request(
                "You provided a VersionStage that is not associated to the provided VersionId.",
            ));
        }
        (Some(id), _) => id,
        (None, label) => {
            let label = label.unwrap_or(CURRENT);
            secret.holder(label).ok_or_else(|| Fault::no_value(&format!("staging label: {label}")))?
        }
    };
    let version = secret.versions.get(id).ok_or_else(|| Fault::no_value(&format!("VersionId: {id}")))?;
    let mut answer = Map::new();
    answer.insert("ARN".into(), secret.arn.as_str().into());
    answer.insert("Name".into(), secret.name.as_str().into());
    answer.insert("VersionId".into(), id.into());
    answer.insert("VersionStages".into(), version.labels.iter().map(String::as_str).collect());
    answer.insert("CreatedDate".into(), version.created.into());
    match &version.content {
        Content::Text(text) => answer.insert("SecretString".into(), (**text).into()),
        Content::Binary(bytes) => answer.insert("SecretBinary".into(), BASE64.encode(bytes).into()),
    };
    Ok(Value::Object(answer))
}

/// `BatchGetSecretValue`: what cannot be read of them is told for each.
pub(super) fn batch_get(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let named = parameters.texts("SecretIdList", 1..=20, 1..=2048)?;
    let filters = Filters::read(parameters)?;
    let most = parameters.number("MaxResults", 1..=20)?;
    let mut next = None;
    let ids: Vec<String> = match (named, filters) {
        (Some(_), Some(_)) => return Err(Fault::parameter("You can't specify both SecretIdList and Filters.")),
        (None, None) => return Err(Fault::parameter("You must specify either SecretIdList or Filters.")),
        (Some(_), None) if most.is_some() || parameters.has("NextToken") => {
            return Err(Fault::parameter("You can use MaxResults and NextToken only with Filters."));
        }
        (Some(named), None) => named.into_iter().map(str::to_owned).collect(),
        (None, Some(filters)) => {
            let accepts = |secret: &Secret| secret.deletion.is_none() && filters.accept(secret);
            let (found, token) = page(
                state.secrets(),
                Order::Created,
                most.unwrap_or(20),
                parameters.text("NextToken", 1..=4096)?,
                accepts,
            )?;
            next = token;
            found.iter().map(|secret| secret.name.clone()).collect()
        }
    };
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for id in &ids {
        match reading(state, id, None, None) {
            Ok(value) => values.push(value),
            Err(fault) => errors.push(json!({ "SecretId": id, "ErrorCode": fault.code, "Message": fault.message })),
        }
    }
    state.values_read += values.len();
    let mut answer = json!({ "SecretValues": values, "Errors": errors });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

/// `DescribeSecret`.
pub(super) fn describe(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let secret = state.find(parameters.secret()?)?;
    let mut answer = facts(secret, "VersionIdsToStages");
    if !secret.replicas.is_empty() {
        answer.insert("ReplicationStatus".into(), replication(secret));
    }
    Ok(Value::Object(answer))
}

/// `ListSecrets`, which may lag.
pub(super) fn list(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let filters = Filters::read(parameters)?.unwrap_or_default();
    let most = parameters.number("MaxResults", 1..=100)?.unwrap_or(100);
    let with_deleted = parameters.flag("IncludePlannedDeletion")?;
    let order = Order::read(parameters)?;
    let token = parameters.text("NextToken", 1..=4096)?;
    let lagging = state.stale_secrets();
    let secrets = lagging.as_ref().unwrap_or(state.secrets());
    let accepts = |secret: &Secret| (with_deleted || secret.deletion.is_none()) && filters.accept(secret);
    let (found, next) = page(secrets, order, most, token, accepts)?;
    let entries: Vec<Value> =
        found.into_iter().map(|secret| Value::Object(facts(secret, "SecretVersionsToStages"))).collect();
    let mut answer = json!({ "SecretList": entries });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

/// `ListSecretVersionIds`: those without labels only when asked for.
pub(super) fn list_versions(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let secret = state.find(parameters.secret()?)?;
    let with_deprecated = parameters.flag("IncludeDeprecated")?;
    let most = parameters.number("MaxResults", 1..=100)?.unwrap_or(100);
    let token = parameters.text("NextToken", 1..=4096)?;
    let invalid = || Fault::new("InvalidNextTokenException", "Invalid NextToken");
    let start = token.map_or(Some(0), |token| token.strip_prefix("versions-")?.parse().ok()).ok_or_else(invalid)?;
    let all = secret.versions.iter().filter(|(_, version)| with_deprecated || !version.labels.is_empty());
    let mut rest = all.skip(start);
    let versions: Vec<Value> = rest
        .by_ref()
        .take(most)
        .map(|(id, version)| {
            let key = secret.kms_key.as_deref().unwrap_or("DefaultEncryptionKey");
            let mut entry = json!({ "VersionId": id, "CreatedDate": version.created, "KmsKeyIds": [key] });
            if !version.labels.is_empty() {
                entry["VersionStages"] = json!(version.labels);
            }
            entry
        })
        .collect();
    let mut answer = json!({ "ARN": secret.arn, "Name": secret.name, "Versions": versions });
    if rest.next().is_some() {
        answer["NextToken"] = format!("versions-{}", start + most).into();
    }
    Ok(answer)
}

/// What listings and descriptions tell; only what has a value is in it.
fn facts(secret: &Secret, versions: &str) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut tell = |key: &str, value: Value| facts.insert(key.to_owned(), value);
    tell("ARN", secret.arn.as_str().into());
    tell("Name", secret.name.as_str().into());
    tell("CreatedDate", secret.created.into());
    tell("LastChangedDate", secret.changed.into());
    let optional = [
        ("Description", &secret.description),
        ("KmsKeyId", &secret.kms_key),
        ("OwningService", &secret.owning_service),
        ("Type", &secret.external_type),
        ("PrimaryRegion", &secret.primary_region),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            tell(key, value.as_str().into());
        }
    }
    if secret.rotation_enabled {
        tell("RotationEnabled", true.into());
    }
    if let Some((asked, _)) = secret.deletion {
        tell("DeletedDate", asked.into());
    }
    if !secret.tags.is_empty() {
        tell("Tags", secret.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect());
    }
    let labelled: Map<String, Value> = secret
        .versions
        .iter()
        .filter(|(_, version)| !version.labels.is_empty())
        .map(|(id, version)| (id.clone(), version.labels.iter().map(String::as_str).collect()))
        .collect();
    if !labelled.is_empty() {
        tell(versions, Value::Object(labelled));
    }
    facts
}
