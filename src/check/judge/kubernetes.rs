//! What the repository has for Kubernetes: whether the External Secrets Operator reads from the environment's AWS account by it.

use super::Bench;
use crate::check::finding::{Code, Finding};
use crate::compose::{Location, Text};
use crate::kubernetes::{Object, account_of};
use crate::manifest::model::{Aws, ExternalSecret, StoreKind};
use crate::manifest::{Format, Output};
use crate::name::EnvName;

impl<'a> Bench<'a> {
    /// The stores that the outputs name lead to the environment's region and account, by a role in it.
    pub(super) fn stores(&mut self) {
        let manifest = self.manifest;
        let Some(aws) = manifest.aws(self.environment) else { return };
        for output in manifest.outputs_in(self.environment) {
            let Format::ExternalSecret(it) = &output.format else { continue };
            let stores = self.near(output, |object| is_store(object, it));
            let wrong = |store: &Object| wrong_of(store, &self.accounts_of(store, output), aws, self.environment);
            if let Some(Wrong { at, message, fix }) = all_wrong(&stores, wrong) {
                let finding = Finding::new(Code::ExternalStore, message, fix);
                self.verdict.findings.push(finding.of_file(&at.file).at_line(at.line));
            }
        }
    }

    /// The service accounts that a store reads as, unless it has a role of its own.
    fn accounts_of(&self, store: &Object, output: &Output) -> Vec<&'a Object> {
        let Some((name, namespace)) = store.account.as_ref().filter(|_| store.role.is_none()) else {
            return Vec::new();
        };
        let namespace = namespace.as_deref().or(store.namespace.as_deref());
        self.near(output, |object| object.kind == "ServiceAccount" && object.is_called(name, namespace))
    }

    /// The objects of a kind that lie nearest to an output: beside it, or in the first directory above that has any.
    fn near(&self, output: &Output, is_it: impl Fn(&Object) -> bool) -> Vec<&'a Object> {
        // A directory comes behind those above it.
        let directories = self.facts.deployed.objects.iter().rev();
        let mut above = directories.filter(|(it, _)| it.is_empty() || output.path.starts_with(&format!("{it}/")));
        let found = above.find_map(|(_, objects)| {
            let found: Vec<&Object> = objects.iter().filter(|it| is_it(it)).collect();
            (!found.is_empty()).then_some(found)
        });
        found.unwrap_or_default()
    }
}

/// What keeps the External Secrets Operator from the environment's secrets, and where it stands.
struct Wrong {
    at: Location,
    message: String,
    fix: String,
}

fn is_store(object: &Object, it: &ExternalSecret) -> bool {
    let kind = match it.store_kind {
        StoreKind::ClusterSecretStore => "ClusterSecretStore",
        StoreKind::SecretStore => "SecretStore",
    };
    // One of the cluster is in no namespace.
    let namespace = it.object.namespace.as_deref().filter(|_| it.store_kind == StoreKind::SecretStore);
    object.kind == kind && object.is_called(&it.store, namespace)
}

/// What is wrong with the first one, if something is with each: of several, as for several clusters, one that is right is enough.
fn all_wrong(objects: &[&Object], wrong: impl Fn(&Object) -> Option<Wrong>) -> Option<Wrong> {
    objects.iter().map(|it| wrong(it)).collect::<Option<Vec<_>>>()?.into_iter().next()
}

/// What is wrong with a store, or with all of the service accounts that are called as it says.
fn wrong_of(store: &Object, accounts: &[&Object], aws: &Aws, environment: &EnvName) -> Option<Wrong> {
    if let Some((region, own)) = store.region.as_ref().filter(|it| is_told(it)).zip(aws.region.as_ref()) {
        let is_ours = region.as_str() == own || aws.replicas.iter().any(|it| it == region.as_str());
        if !is_ours {
            let message = format!("the store `{}` reads from another region than that of `{environment}`", store.name);
            return Some(Wrong { at: region.at.clone(), message, fix: format!("region: {own}") });
        }
    }
    if let Some(role) = &store.role {
        return wrong_role(role, aws, environment);
    }
    let lacking = |account: &Object| Wrong {
        at: account.at.clone(),
        message: format!("the service account `{}`, as which `{}` reads, has no role", account.name, store.name),
        fix: format!(
            "annotations: {{ eks.amazonaws.com/role-arn: {} }}, of a role with the policy `reader`",
            like(aws)
        ),
    };
    all_wrong(accounts, |it| match &it.role {
        Some(role) => wrong_role(role, aws, environment),
        None => Some(lacking(it)),
    })
}

fn wrong_role(role: &Text, aws: &Aws, environment: &EnvName) -> Option<Wrong> {
    let message = match (account_of(role.as_str()), &aws.account) {
        _ if !is_told(role) => return None,
        (None, _) => "this is not the ARN of a role".to_owned(),
        (Some(found), Some(own)) if found != own => {
            format!("this role is in another AWS account than `{environment}`")
        }
        _ => return None,
    };
    Some(Wrong { at: role.at.clone(), message, fix: format!("{}, of a role with the policy `reader`", like(aws)) })
}

/// What a role of the environment's account looks like.
fn like(aws: &Aws) -> String {
    format!("arn:aws:iam::{}:role/NAME", aws.account.as_deref().unwrap_or("ACCOUNT"))
}

/// Whether a text is what is applied: others put values into theirs first.
fn is_told(text: &Text) -> bool {
    !["{{", "${", "$("].iter().any(|it| text.as_str().contains(it))
}
