//! Programs that must not be started: they stop the secrets that need them, and nothing else of a scheduled run.

use std::collections::{BTreeMap, BTreeSet};

use super::Refusal;
use super::machine::{Machine, Run};
use super::programs::Step;
use crate::error::{Kind, Result};
use crate::name::SecretName;

impl Machine<'_> {
    /// Those of these secrets of which every program could be started, in a run by schedule. A person named them all, and
    /// nothing is changed before all can be.
    pub(super) fn startable(&self, run: &mut Run, names: BTreeSet<SecretName>) -> Result<BTreeSet<SecretName>> {
        if !run.waits {
            self.expect_programs(&names)?;
            return Ok(names);
        }
        let mut needed: BTreeMap<String, BTreeSet<&SecretName>> = BTreeMap::new();
        for name in &names {
            for hook in [Step::Set, Step::Test, Step::Retire].iter().flat_map(|step| self.programs.hooks(name, *step)) {
                needed.entry(hook).or_default().insert(name);
            }
        }
        let mut refused = BTreeSet::new();
        for (hook, secrets) in needed {
            let Err(error) = self.programs.expect(&BTreeSet::from([hook.clone()])) else { continue };
            if error.kind() == Kind::Bug {
                return Err(error);
            }
            refused.extend(secrets.iter().map(|name| (*name).clone()));
            let secrets: Vec<String> = secrets.iter().map(|name| format!("`{name}`")).collect();
            let error = error.hint(format!("until then it is not rotated: {}", secrets.join(", ")));
            run.report.refused.push(Refusal { hook, ..error.into() });
        }
        Ok(names.into_iter().filter(|name| !refused.contains(name)).collect())
    }
}
