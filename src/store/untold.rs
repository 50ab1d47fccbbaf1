//! Values in force that their owners do not know.

use super::Store;
use crate::name::SecretName;

impl Store {
    /// Whether a hook has yet to tell the owner of a secret the value that is in force.
    pub fn is_untold(&self, name: &SecretName) -> bool {
        let untold = self.rotations.untold.get(name);
        untold.is_some_and(|id| self.current(name).is_some_and(|current| current.id == *id))
    }

    /// Notes that the value in force of a secret is not known to its owner; tells whether that is new.
    pub fn owe_owner(&mut self, name: &SecretName) -> bool {
        let Some(id) = self.current(name).map(|version| version.id) else { return false };
        self.rotations.untold.insert(name.clone(), id) != Some(id)
    }
}
