//! What the absence of a value means for what is made of it.

use super::model::{Declaration, Manifest};
use crate::name::SecretName;

impl Manifest {
    /// Whether nobody misses a value that is not there: it is optional, or made of one that is and that nobody supplied. `has`
    /// tells what has a value.
    pub fn is_excused(&self, declaration: &Declaration, has: &dyn Fn(&SecretName) -> bool) -> bool {
        let mut absent = declaration.references().into_iter().filter(|it| !has(it)).filter_map(|it| self.secret(it));
        declaration.optional || absent.any(|it| self.is_excused(it, has))
    }

    /// The first value that a person has to supply before that of a secret can be made.
    pub fn supplied_before<'a>(
        &'a self,
        declaration: &Declaration,
        has: &dyn Fn(&SecretName) -> bool,
    ) -> Option<&'a Declaration> {
        let absent = declaration.references().into_iter().filter(|it| !has(it)).filter_map(|it| self.secret(it));
        let mut stored = absent.filter(|it| it.is_stored());
        stored.find_map(|it| if it.is_generated() { self.supplied_before(it, has) } else { Some(it) })
    }
}
