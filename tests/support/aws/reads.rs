//! The operations that read.

use serde_json::{Value, json};

use super::answers::{Facts, Page, Reading, Readings, written};
use super::fault::{Answered, Fault};
use super::listing::{Filters, Order, page};
use super::parameters::Parameters;
use super::state::{CURRENT, Secret, State};
use super::writes::existing;

/// `GetSecretValue`: of the version in force, unless another is named.
pub(super) fn get(state: &mut State, parameters: &Parameters) -> Answered<Vec<u8>> {
    let id = parameters.secret()?;
    let version = parameters.text("VersionId", 32..=64)?;
    let label = parameters.text("VersionStage", 1..=256)?;
    let answer = written(&reading(state, id, version, label)?);
    state.values_read += 1;
    Ok(answer)
}

fn reading<'a>(state: &'a State, id: &str, version: Option<&str>, label: Option<&str>) -> Answered<Reading<'a>> {
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
    let found = secret.versions.get_key_value(id).and_then(|(id, version)| Reading::of(secret, id, version));
    found.ok_or_else(|| Fault::no_value(&format!("VersionId: {id}")))
}

/// `BatchGetSecretValue`: what cannot be read of them is told for each.
pub(super) fn batch_get(state: &mut State, parameters: &Parameters) -> Answered<Vec<u8>> {
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
        match state.permit_reading(id, parameters).and_then(|()| reading(state, id, None, None)) {
            Ok(value) => values.push(value),
            Err(fault) => errors.push(json!({ "SecretId": id, "ErrorCode": fault.code, "Message": fault.message })),
        }
    }
    let count = values.len();
    let answer = written(&Readings { secret_values: values, errors, next_token: next });
    state.values_read += count;
    Ok(answer)
}

/// `DescribeSecret`.
pub(super) fn describe(state: &mut State, parameters: &Parameters) -> Answered<Vec<u8>> {
    let secret = state.find(parameters.secret()?)?;
    Ok(written(&Facts::described(secret)))
}

/// `ListSecrets`, which may lag.
pub(super) fn list(state: &mut State, parameters: &Parameters) -> Answered<Vec<u8>> {
    let filters = Filters::read(parameters)?.unwrap_or_default();
    let most = parameters.number("MaxResults", 1..=100)?.unwrap_or(100);
    let with_deleted = parameters.flag("IncludePlannedDeletion")?;
    let order = Order::read(parameters)?;
    let token = parameters.text("NextToken", 1..=4096)?;
    let lagging = state.stale_secrets();
    let secrets = lagging.as_ref().unwrap_or(state.secrets());
    let accepts = |secret: &Secret| (with_deleted || secret.deletion.is_none()) && filters.accept(secret);
    let (found, next) = page(secrets, order, most, token, accepts)?;
    Ok(written(&Page { secret_list: found.into_iter().map(Facts::listed).collect(), next_token: next }))
}

/// `ListSecretVersionIds`: those without labels only when asked for.
pub(super) fn list_versions(state: &mut State, parameters: &Parameters) -> Answered<Vec<u8>> {
    let secret = state.find(parameters.secret()?)?;
    let with_deprecated = parameters.flag("IncludeDeprecated")?;
    let most = parameters.number("MaxResults", 1..=100)?.unwrap_or(100);
    let token = parameters.text("NextToken", 1..=4096)?;
    let invalid = || Fault::new("InvalidNextTokenException", "Invalid NextToken");
    let start = token.map_or(Some(0), |token| token.strip_prefix("versions-")?.parse().ok()).ok_or_else(invalid)?;
    let all = secret
        .versions
        .iter()
        .filter(|(_, version)| version.content.is_some() && (with_deprecated || !version.labels.is_empty()));
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
    Ok(written(&answer))
}
