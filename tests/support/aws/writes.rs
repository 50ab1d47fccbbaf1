//! The operations that make, tag, delete, restore and replicate secrets.

use serde_json::{Value, json};

use super::fault::{Answered, Fault};
use super::parameters::Parameters;
use super::state::{CURRENT, Secret, State};

const MARKED: &str = "You can't perform this operation on the secret because it was marked for deletion.";

/// The region of a secret that may be written: not scheduled for deletion, and no replica.
pub(super) fn writable<'a>(state: &'a State, id: &str) -> Answered<&'a Secret> {
    let secret = existing(state, id)?;
    if secret.primary_region.as_ref().is_some_and(|primary| *primary != state.region) {
        return Err(Fault::request(
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        ));
    }
    Ok(secret)
}

/// A secret that is not scheduled for deletion.
pub(super) fn existing<'a>(state: &'a State, id: &str) -> Answered<&'a Secret> {
    let secret = state.find(id)?;
    if secret.deletion.is_some() { Err(Fault::request(MARKED)) } else { Ok(secret) }
}

/// `CreateSecret`.
pub(super) fn create(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let name = valid_name(parameters.required("Name", 1..=512)?)?;
    let content = parameters.content()?;
    let token = content.is_some().then(|| parameters.token()).transpose()?;
    // Without a value it names no version, but is judged all the same.
    parameters.text("ClientRequestToken", 32..=64)?;
    let (description, kms_key) = (parameters.text("Description", 0..=2048)?, parameters.text("KmsKeyId", 0..=2048)?);
    let replicas = parameters.replicas(&state.region)?;
    let mut secret = Secret {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        kms_key: kms_key.filter(|key| !key.is_empty()).map(str::to_owned),
        tags: parameters.tags()?.unwrap_or_default(),
        primary_region: (!replicas.is_empty()).then(|| state.region.clone()),
        replicas,
        ..Secret::default()
    };
    secret.within_limits()?;
    if let Ok(there) = state.find(name) {
        if there.deletion.is_some() {
            let message =
                "You can't create this secret because a secret with this name is already scheduled for deletion.";
            return Err(Fault::request(message));
        }
        let version = token.and_then(|token| there.versions.get(token));
        if version.is_none() || version.and_then(|version| version.content.as_ref()) != content.as_ref() {
            return Err(Fault::exists("The operation failed because the secret already exists."));
        }
    } else {
        if let (Some(token), Some(content)) = (token, content) {
            secret.add(token, content, &[CURRENT], state.now());
        }
        state.make(secret);
    }
    let secret = state.find(name)?;
    let mut answer = json!({ "ARN": secret.arn, "Name": name });
    if let Some(token) = token {
        answer["VersionId"] = token.into();
    }
    if !secret.replicas.is_empty() {
        answer["ReplicationStatus"] = replication(secret);
    }
    Ok(answer)
}

fn valid_name(name: &str) -> Answered<&str> {
    let is_valid = |sign: u8| sign.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&sign);
    if name.bytes().all(is_valid) && !name.contains('!') {
        return Ok(name);
    }
    let message =
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    Err(Fault::new("ValidationException", message))
}

/// `TagResource`: tags of other names stay.
pub(super) fn tag(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let tags = parameters.tags()?.ok_or_else(|| Fault::constraint("Tags", "must not be null"))?;
    existing(state, id)?;
    state.change(id, |secret| {
        secret.tags.extend(tags);
        Ok(json!({}))
    })
}

/// `UntagResource`: a tag that is not there is no error.
pub(super) fn untag(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let keys = parameters.texts("TagKeys", 0..=usize::MAX, 1..=128)?;
    let keys = keys.ok_or_else(|| Fault::constraint("TagKeys", "must not be null"))?;
    existing(state, id)?;
    state.change(id, |secret| {
        secret.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    })
}

/// `DeleteSecret`: after days, or at once and for good.
pub(super) fn delete(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let is_forced = parameters.flag("ForceDeleteWithoutRecovery")?;
    let days = parameters.number("RecoveryWindowInDays", 0..=u64::MAX)?;
    if is_forced && days.is_some() {
        let message = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
        return Err(Fault::parameter(message));
    }
    let days = days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(Fault::parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let now = state.now();
    let secret = match state.find(id) {
        Ok(secret) => secret,
        // It does not tell whether there was one.
        Err(fault) if is_forced && fault.code == "ResourceNotFoundException" => {
            return Ok(json!({ "ARN": id, "Name": id, "DeletionDate": now }));
        }
        Err(fault) => return Err(fault),
    };
    if !secret.replicas.is_empty() {
        return Err(Fault::request("You can't delete secret that still has replica regions."));
    }
    let is_replica = secret.primary_region.as_ref().is_some_and(|primary| *primary != state.region);
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    if is_forced || is_replica {
        state.remove(&name);
        return Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": now }));
    }
    existing(state, id)?;
    let end = now + f64::from(u32::try_from(days).expect("at most 30")) * 86_400.0;
    state.change(id, |secret| {
        secret.deletion = Some((now, end));
        Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": end }))
    })
}

/// `RestoreSecret`.
pub(super) fn restore(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    state.change(id, |secret| {
        secret.deletion = None;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    })
}

/// `ReplicateSecretToRegions`: in sync at once.
pub(super) fn replicate(state: &mut State, parameters: &Parameters) -> Answered<Value> {
    let id = parameters.secret()?;
    let regions = parameters.replicas(&state.region)?;
    if regions.is_empty() {
        return Err(Fault::constraint("AddReplicaRegions", "must not be null"));
    }
    writable(state, id)?;
    let own = state.region.clone();
    state.change(id, |secret| {
        if let Some(there) = regions.iter().find(|region| secret.replicas.contains(region)) {
            return Err(Fault::parameter(format!("Invalid replica region: {there} has one already.")));
        }
        secret.replicas.extend(regions);
        secret.primary_region = Some(own);
        Ok(json!({ "ARN": secret.arn, "ReplicationStatus": replication(secret) }))
    })
}

/// `ReplicationStatus`.
pub(super) fn replication(secret: &Secret) -> Value {
    let status = secret.replication.as_deref().unwrap_or("InSync");
    secret.replicas.iter().map(|region| json!({ "Region": region, "Status": status })).collect()
}
