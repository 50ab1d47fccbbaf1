//! Environments in AWS: whose account, and the policies that the repository has for it.

use super::Bench;
use crate::check::finding::{Code, Finding};
use crate::name::EnvName;
use crate::project::MANIFEST;

impl Bench<'_> {
    pub(super) fn cloud(&mut self) {
        self.accounts();
        for (path, role) in &self.facts.stale_policies {
            let message = format!("is not what `vault-kit iam policy --role {role}` prints");
            // The environment is in the name of the file, and named for whoever has another default.
            let fix = format!("let it be what `vault-kit -e {} iam policy --role {role}` prints", self.environment);
            self.about_file(Code::PolicyStale, path, message, fix);
        }
    }

    /// Production is in an account of its own.
    fn accounts(&mut self) {
        let (manifest, own) = (self.manifest, self.environment);
        let account = |environment: &EnvName| manifest.aws(environment).and_then(|it| it.account.as_deref());
        let Some(shared) = account(own) else { return };
        let others = manifest.environments.keys().filter(|it| *it != own && account(it) == Some(shared));
        for other in others.filter(|it| is_final(own) || is_final(it)) {
            let (final_one, other) = if is_final(own) { (own, other) } else { (other, own) };
            let message = format!("the environments `{final_one}` and `{other}` are in the same AWS account");
            let fix =
                format!("put the account of `{final_one}` into `aws` of [environments.{final_one}]: one of its own");
            self.verdict.findings.push(Finding::new(Code::AccountShared, message, fix).of_file(MANIFEST));
        }
    }
}

/// Whether an environment is the one that customers use.
fn is_final(environment: &EnvName) -> bool {
    ["prod", "production"].contains(&environment.as_str())
}
