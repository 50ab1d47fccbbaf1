//! Every change of a secret, each of which may have been made although its answer was lost.

use aws_sdk_secretsmanager::types::ReplicaRegionType;

use super::answer::garbled;
use super::turn::Turn;
use super::{fields, listing};
use crate::remote::{Answer, Cause, Creation, Failure, OWN_LABEL, Relabelling, Sending, Tagging};

/// Makes a secret.
pub(super) async fn create(turn: &Turn<'_>, creation: &Creation<'_>) -> Answer<String> {
    const OPERATION: &str = "CreateSecret";
    let region = |it: &String| ReplicaRegionType::builder().region(it).build();
    let replicas: Vec<_> = creation.replicas.iter().map(region).collect();
    let tags = fields::sent_tags(creation.tags);
    let answer = turn
        .ask(OPERATION, async || {
            let (text, bytes) = fields::sent(creation.content);
            let request = turn.aws.secrets.create_secret().name(creation.name).client_request_token(creation.token);
            request
                .set_secret_string(text)
                .set_secret_binary(bytes)
                .set_description(creation.description.map(str::to_owned))
                .set_kms_key_id(creation.kms_key.map(str::to_owned))
                .set_tags(Some(tags.clone()).filter(|it| !it.is_empty()))
                .set_add_replica_regions(Some(replicas.clone()).filter(|it| !it.is_empty()))
                .send()
                .await
        })
        .await;
    let arn = match answer {
        Ok(answer) => fields::plain(answer.arn).ok_or_else(|| garbled(OPERATION))?,
        Err(failure) if failure.cause == Cause::Conflict => ours(turn, creation, failure).await?,
        Err(failure) => return Err(failure),
    };
    turn.aws.remember(&[creation.name, &arn]);
    Ok(arn)
}

/// A secret of that name exists. If our token is a version with our value, an answer of ours was lost.
async fn ours(turn: &Turn<'_>, creation: &Creation<'_>, failure: Failure) -> Answer<String> {
    const OPERATION: &str = "GetSecretValue";
    let described = listing::describe(turn, creation.name).await?;
    if described.deleted.is_some() || !described.versions.contains_key(creation.token) {
        return Err(failure);
    }
    let request = async || {
        let request = turn.aws.secrets.get_secret_value().secret_id(&described.arn);
        request.version_id(creation.token).send().await
    };
    match turn.ask(OPERATION, request).await {
        Ok(answer) => {
            let reading = fields::reading(answer).ok_or_else(|| garbled(OPERATION))?;
            if reading.content == *creation.content { Ok(described.arn) } else { Err(failure) }
        }
        // Whoever may write but not read has nothing but the token, which nobody else knows.
        Err(denied) if denied.cause == Cause::Denied => Ok(described.arn),
        Err(other) => Err(other),
    }
}

/// Sends a value under our label.
pub(super) async fn send(turn: &Turn<'_>, sending: &Sending<'_>) -> Answer<()> {
    const OPERATION: &str = "PutSecretValue";
    let request = async || {
        let (text, bytes) = fields::sent(sending.content);
        let request = turn.aws.secrets.put_secret_value().secret_id(sending.arn).client_request_token(sending.token);
        request.set_secret_string(text).set_secret_binary(bytes).version_stages(OWN_LABEL).send().await
    };
    let answer = turn.ask_about(sending.arn, OPERATION, request).await;
    // Also where it was somebody else, its version is there since a moment ago.
    if answer.as_ref().map_or_else(|failure| failure.cause == Cause::Conflict, |_| true) {
        turn.aws.remember(&[sending.arn]);
    }
    confirmed(OPERATION, answer?.version_id.as_deref() == Some(sending.token))
}

/// Moves a label, if the version that must have it has it.
pub(super) async fn relabel(turn: &Turn<'_>, relabelling: &Relabelling<'_>) -> Answer<()> {
    let &Relabelling { arn, label, to, .. } = relabelling;
    let failure = match try_relabel(turn, relabelling).await {
        Err(failure) if failure.cause == Cause::Conflict => failure,
        answer => return answer,
    };
    // The description tells whether the label is where it should be, because an answer of ours was lost or somebody else
    // moved it there.
    let described = listing::describe(turn, arn).await?;
    if described.labelled(label) == to { Ok(()) } else { Err(failure) }
}

/// Moves a label in one request. AWS says "invalid parameter" of a `from` that does not have the label, and of none where
/// the label is held.
pub(super) async fn try_relabel(turn: &Turn<'_>, relabelling: &Relabelling<'_>) -> Answer<()> {
    const OPERATION: &str = "UpdateSecretVersionStage";
    let &Relabelling { arn, label, from, to } = relabelling;
    let request = async || {
        let request = turn.aws.secrets.update_secret_version_stage().secret_id(arn).version_stage(label);
        request
            .set_remove_from_version_id(from.map(str::to_owned))
            .set_move_to_version_id(to.map(str::to_owned))
            .send()
            .await
    };
    match turn.ask_about(arn, OPERATION, request).await {
        Ok(answer) => confirmed(OPERATION, answer.arn.is_some()),
        Err(failure) if failure.code.as_deref() == Some("InvalidParameterException") => {
            Err(Failure { cause: Cause::Conflict, ..failure })
        }
        Err(failure) => Err(failure),
    }
}

/// Sets tags.
pub(super) async fn tag(turn: &Turn<'_>, tagging: &Tagging<'_>) -> Answer<()> {
    let tags = fields::sent_tags(tagging.tags);
    let request =
        async || turn.aws.secrets.tag_resource().secret_id(tagging.arn).set_tags(Some(tags.clone())).send().await;
    turn.ask_about(tagging.arn, "TagResource", request).await.map(drop)
}

/// Schedules a deletion, unless it is scheduled already.
pub(super) async fn delete(turn: &Turn<'_>, arn: &str, days: u8) -> Answer<()> {
    const OPERATION: &str = "DeleteSecret";
    let request = async || {
        let request = turn.aws.secrets.delete_secret().secret_id(arn);
        request.recovery_window_in_days(i64::from(days)).send().await
    };
    match turn.ask_about(arn, OPERATION, request).await {
        Ok(answer) => confirmed(OPERATION, answer.arn.is_some()),
        Err(failure) if failure.code.as_deref() == Some("InvalidRequestException") => {
            let described = listing::describe(turn, arn).await?;
            if described.deleted.is_some() { Ok(()) } else { Err(failure) }
        }
        Err(failure) => Err(failure),
    }
}

/// Takes a scheduled deletion back.
pub(super) async fn restore(turn: &Turn<'_>, arn: &str) -> Answer<()> {
    const OPERATION: &str = "RestoreSecret";
    let request = async || turn.aws.secrets.restore_secret().secret_id(arn).send().await;
    let answer = turn.ask_about(arn, OPERATION, request).await?;
    confirmed(OPERATION, answer.arn.is_some())
}

/// An answer that says nothing of what was done is none: whatever is on the way can answer "200" with an empty body.
fn confirmed(operation: &'static str, is_confirmed: bool) -> Answer<()> {
    if is_confirmed { Ok(()) } else { Err(garbled(operation)) }
}
