//! What the manifest lets be drawn: a recipe that makes weak values is told before it has made any.

use super::Bench;
use super::fix::in_table;
use super::secrets::{least_bits, signing_keys};
use crate::check::finding::Code;
use crate::manifest::model::Password;
use crate::manifest::{Declaration, Kind};

impl Bench<'_> {
    /// Every password is declared long enough. All other kinds draw enough at their shortest.
    pub(super) fn recipes(&mut self) {
        let (manifest, environment) = (self.manifest, self.environment);
        let mut keys = None;
        for declaration in manifest.secrets_in(environment) {
            let Kind::Password(recipe) = &declaration.kind else { continue };
            if is_plainly_enough(recipe) {
                continue;
            }
            let keys = keys.get_or_insert_with(|| signing_keys(manifest));
            let least = least_bits(declaration, keys.contains(&declaration.name));
            if recipe.entropy() < least {
                self.weak_recipe(declaration, recipe, least);
            }
        }
    }

    fn weak_recipe(&mut self, declaration: &Declaration, recipe: &Password, least: u32) {
        let name = &declaration.name;
        let message = format!(
            "`secrets.{name}.length` of {} draws passwords of {} bits, {least} are the least",
            recipe.length,
            recipe.entropy()
        );
        let line = match recipe.length_for(least) {
            Some(length) => format!("length = {length}"),
            None => "a longer `alphabet`".to_owned(),
        };
        let fix = format!("{}    # then: {}", in_table(&format!("secrets.{name}"), line), self.replace(name));
        self.about_secret(Code::WeakRecipe, name, message, fix);
    }
}

/// Whether nobody has to calculate: most passwords are long. Required classes take off less than 16 bits.
fn is_plainly_enough(recipe: &Password) -> bool {
    const MOST_LEAST: u32 = crate::check::strength::KEY_WEAK_BELOW + 16;
    recipe.alphabet.len().checked_ilog2().is_some_and(|bits| bits.saturating_mul(recipe.length) >= MOST_LEAST)
}
