//! What an identity-based policy allows whoever asks: that a role suffices, and that it is needed, shows only where
//! everything else is denied.

use serde_json::Value;

use super::Fake;
use super::fault::{Answered, Fault};
use super::parameters::Parameters;
use super::state::State;

impl Fake {
    /// Denies from now on what this policy (JSON, as IAM takes it) does not allow; `None` = allows everything.
    pub(crate) fn obey(&self, policy: Option<&str>) {
        let parsed = policy.map(|text| serde_json::from_str(text).expect("a policy is JSON"));
        self.shared.state().policy = parsed;
    }
}

impl State {
    /// Denies what the policy does not allow: of each secret that is named, but for what takes no resource. Those of a
    /// batch are judged one by one when they are read.
    pub(super) fn permit(&self, operation: &str, parameters: &Parameters) -> Answered<()> {
        if matches!(operation, "BatchGetSecretValue" | "ListSecrets") {
            return self.permit_on(operation, "*", parameters);
        }
        let mut asked = vec![operation];
        if operation == "CreateSecret" {
            asked.extend(parameters.has("Tags").then_some("TagResource"));
            asked.extend(parameters.has("AddReplicaRegions").then_some("ReplicateSecretToRegions"));
        }
        for id in parameters.ids() {
            asked
                .iter()
                .try_for_each(|operation| self.permit_on(operation, &self.resource(operation, id), parameters))?;
        }
        Ok(())
    }

    /// Denies the reading of one secret in a batch.
    pub(super) fn permit_reading(&self, id: &str, parameters: &Parameters) -> Answered<()> {
        self.permit_on("GetSecretValue", &self.resource("GetSecretValue", id), parameters)
    }

    /// The ARN that a request is judged by: one that does not exist has no six characters behind its name, and one that
    /// is being made has some.
    fn resource(&self, operation: &str, id: &str) -> String {
        if let Ok(secret) = self.find(id) {
            return secret.arn.clone();
        }
        let suffix = if operation == "DescribeSecret" || operation == "GetSecretValue" { "" } else { "-AbCdEf" };
        format!("arn:aws:secretsmanager:{}:{}:secret:{id}{suffix}", self.region, self.account)
    }

    fn permit_on(&self, operation: &str, resource: &str, parameters: &Parameters) -> Answered<()> {
        let Some(policy) = &self.policy else { return Ok(()) };
        let said = |key: &str| -> Option<String> {
            let tags = parameters.tags().ok().flatten().unwrap_or_default();
            if let Some(tag) = key.strip_prefix("aws:RequestTag/") {
                return tags.get(tag).cloned();
            }
            if let Some(tag) = key.strip_prefix("aws:ResourceTag/") {
                return self.find(resource).ok()?.tags.get(tag).cloned();
            }
            let days = (key == "secretsmanager:RecoveryWindowInDays").then_some("RecoveryWindowInDays")?;
            parameters.number(days, 0..=u64::MAX).ok()?.map(|days| days.to_string())
        };
        let action = format!("secretsmanager:{operation}");
        let mut statements = policy["Statement"].as_array().into_iter().flatten();
        let is_allowed = statements.any(|statement| {
            texts(&statement["Action"]).any(|it| it == action)
                && texts(&statement["Resource"]).any(|it| matches(it, resource))
                && fulfils(&statement["Condition"], &said)
        });
        if is_allowed { Ok(()) } else { Err(Fault::denied(operation)) }
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn fulfils(conditions: &Value, said: &impl Fn(&str) -> Option<String>) -> bool {
    let mut all = conditions.as_object().into_iter().flatten();
    all.all(|(operator, keys)| {
        keys.as_object().into_iter().flatten().all(|(key, wanted)| {
            let Some(said) = said(key) else { return false };
            match operator.as_str() {
                "StringEquals" => texts(wanted).any(|it| it == said),
                "NumericGreaterThanEquals" => {
                    let least = texts(wanted).next().and_then(|it| it.parse::<u64>().ok());
                    least.is_some_and(|least| said.parse::<u64>().is_ok_and(|it| it >= least))
                }
                other => panic!("the double knows no operator {other}"),
            }
        })
    })
}

/// `*` is any run, `?` any one character, across `/` and `:` too.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.as_bytes().first() {
        None => text.is_empty(),
        Some(b'*') => (0..=text.len()).any(|skipped| matches(&pattern[1..], &text[skipped..])),
        Some(b'?') => !text.is_empty() && matches(&pattern[1..], &text[1..]),
        Some(byte) => text.as_bytes().first() == Some(byte) && matches(&pattern[1..], &text[1..]),
    }
}
