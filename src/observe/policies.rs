//! The IAM policies that a repository keeps as `iam policy` printed them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Subject;
use super::file::Tree;
use crate::gather::Gather;
use crate::iam::{Policy, Role};

/// The roles, as `--role` and names of files have them.
const ROLES: [(&str, Role); 3] = [("ci-check", Role::CiCheck), ("reader", Role::Reader), ("rotator", Role::Rotator)];

/// The files `iam/ENVIRONMENT-ROLE.json` that were printed once and are not what would be printed now: the role, by path.
pub fn look(subject: &Subject<'_>) -> BTreeMap<String, &'static str> {
    // Most projects are not in AWS.
    if subject.manifest.aws(subject.environment).is_none() {
        return BTreeMap::new();
    }
    let Ok(mut tree) = Tree::open(subject.root) else { return BTreeMap::new() };
    let files = ROLES.into_iter().filter_map(|(name, role)| {
        let path = format!("iam/{}-{name}.json", subject.environment);
        let bytes = subject.committed(&mut tree, &path).ok().flatten()?;
        let kept: Value = serde_json::from_slice(&bytes).ok()?;
        let printed = |batches| {
            let policy = Policy::of(subject.manifest, subject.environment, role, batches).ok()?;
            serde_json::to_value(policy).ok()
        };
        let (single, batches) = (printed(false)?, printed(true)?);
        (kept != single && kept != batches && is_ours(&kept, &batches)).then_some((path, name))
    });
    files.gather()
}

/// Whether every statement is called as one of ours: what somebody wrote for themselves is theirs to judge.
fn is_ours(kept: &Value, printed: &Value) -> bool {
    let names = |policy: &Value| -> Vec<Value> {
        policy["Statement"].as_array().into_iter().flatten().map(|it| it["Sid"].clone()).collect()
    };
    let (kept, printed) = (names(kept), names(printed));
    !kept.is_empty() && kept.iter().all(|it| printed.contains(it))
}
