//! The process environment, such as a CI job's.

use super::Bench;
use crate::check::environment::{Seen, carried};
use crate::check::finding::Code;
use crate::check::strength::WEAK_BELOW;

impl Bench<'_> {
    /// Every variable that the dotenv outputs would set is set, and to something that can be a value.
    pub(super) fn variables(&mut self) {
        let Some(variables) = &self.facts.variables else {
            return self.not_checked("environment variables", "nobody looked at them");
        };
        let declarations = carried(self.manifest, self.environment);
        if declarations.is_empty() {
            self.not_checked("environment variables", "no dotenv output of this environment names any");
        }
        for declaration in declarations {
            let name = &declaration.name;
            self.verdict.looked_at.variables += 1;
            let fix = format!("set the variable `{name}` where this command runs");
            let is_as_drawn = |bits: u32| declaration.kind.entropy().is_some_and(|drawn| bits >= drawn);
            let Some(Seen { verdict, around }) = variables.get(name) else {
                if !self.manifest.is_excused(declaration, &|name| variables.contains_key(name)) {
                    self.about_secret(Code::Missing, name, "is not set in the environment, or empty", fix);
                }
                continue;
            };
            if let Some(around) = around {
                let message = format!("has {around} around its value in the environment, which a program gets with it");
                self.about_secret(Code::Quoted, name, message, fix.as_str());
            }
            if verdict.placeholder {
                let message = "is set to a placeholder in the environment";
                self.about_secret(Code::Placeholder, name, message, fix.as_str());
            } else if let Some(bits) = verdict.bits.filter(|&bits| bits < WEAK_BELOW && !is_as_drawn(bits)) {
                let message = format!("is set to about {bits} bits in the environment, {WEAK_BELOW} are the least");
                self.about_secret(Code::Weak, name, message, fix.as_str());
            }
            self.origins_of(name, verdict.wildcard, fix.clone());
            if verdict.mismatch {
                let message = "does not match its declared pattern in the environment";
                self.about_secret(Code::PatternMismatch, name, message, fix);
            }
        }
    }
}
