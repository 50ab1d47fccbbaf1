//! The operations that write values and move labels.

use serde_json::{Value, json};

use super::fault::{Answered, Fault};
use super::parameters::Parameters;
use super::state::{CURRENT, Content, Secret, State};
use super::writes::writable;

const OTHER_VALUE: &str =
    "You can't use ClientRequestToken because that value is already in use for a version of secret.";

/// `PutSecretValue`: labels are taken from whoever has them.
pub(super) fn put(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let (id, token) = (parameters.secret()?, parameters.token()?);
    let Some(content) = parameters.content()? else {
        return Err(Fault::request("You must provide either SecretString or SecretBinary."));
    };
    let labels = parameters.texts("VersionStages", 1..=20, 1..=256)?.unwrap_or_else(|| vec![CURRENT]);
    let secret = writable(state, id)?;
    match secret.versions.get(token) {
        Some(version) if version.content.as_ref() == Some(&content) => {}
        Some(version) if version.content.is_some() => return Err(Fault::exists(OTHER_VALUE)),
        _ => add(state, id, token, content, &labels)?,
    }
    let secret = state.find(id)?;
    let labels = &secret.versions[token].labels;
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": labels }))
}

/// `UpdateSecret`: an existing token is an error, also with the same value.
pub(super) fn update(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let content = parameters.content()?;
    let description = parameters.text("Description", 0..=2048)?;
    let kms_key = parameters.text("KmsKeyId", 0..=2048)?;
    let secret = writable(state, id)?;
    let token = content.is_some().then(|| parameters.token()).transpose()?;
    if token.is_some_and(|token| secret.versions.contains_key(token)) {
        return Err(Fault::exists(OTHER_VALUE));
    }
    let now = state.now();
    state.change(id, |secret| {
        if let Some(description) = description {
            secret.description = Some(description.to_owned());
        }
        if let Some(key) = kms_key {
            secret.kms_key = (!key.is_empty()).then(|| key.to_owned());
        }
        if let (Some(token), Some(content)) = (token, content) {
            secret.add(token, content, &[CURRENT], now);
        }
        let mut answer = json!({ "ARN": secret.arn, "Name": secret.name });
        if let Some(token) = token {
            answer["VersionId"] = token.into();
        }
        Ok(answer)
    })
}

/// `UpdateSecretVersionStage`: a label that a version has moves only away from the version that the request names.
pub(super) fn move_label(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let label = parameters.required("VersionStage", 1..=256)?;
    let from = parameters.text("RemoveFromVersionId", 32..=64)?;
    let to = parameters.text("MoveToVersionId", 32..=64)?;
    writable(state, id)?;
    state.change(id, |secret| {
        may_move(secret, label, from, to)?;
        secret.give(label, to);
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    })
}

fn may_move(secret: &Secret, label: &str, from: Option<&str>, to: Option<&str>) -> Answered<()> {
    let unknown = [from, to].into_iter().flatten().find(|id| !secret.versions.contains_key(*id));
    if let Some(id) = unknown {
        return Err(Fault::parameter(format!("Not a valid version: {id}")));
    }
    let holder = secret.holder(label);
    match (holder, from, to) {
        (_, None, None) => {
            Err(Fault::parameter("You must specify at least one of RemoveFromVersionId and MoveToVersionId."))
        }
        (Some(holder), Some(from), _) if holder != from => Err(Fault::parameter(format!(
            "When you move staging label {label}, if you specify RemoveFromVersionId, it must be set to the version \
             that currently has the staging label {label}."
        ))),
        (None, Some(from), _) => Err(Fault::parameter(format!("Version {from} does not have staging label {label}."))),
        (Some(holder), None, Some(to)) if holder != to => Err(Fault::parameter(format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version \
             {holder}, so you must explicitly reference that version in RemoveFromVersionId."
        ))),
        (_, _, None) if label == CURRENT => Err(Fault::parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        )),
        _ => Ok(()),
    }
}

/// Adds a version, as an operation or as somebody else.
pub(super) fn add(state: &mut State, id: &str, token: &str, content: Content, labels: &[&str]) -> Answered<()> {
    let now = state.now();
    state.change(id, |secret| {
        secret.add(token, content, labels, now);
        Ok(())
    })
}
