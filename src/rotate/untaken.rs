//! Values that another host is about to put in force and that are not taken here.

use super::remote::Intake;
use crate::error::Error;
use crate::store::Store;
use crate::sync::pull::Taken;
use crate::sync::{fit, problem};
use crate::world::World;

/// A value that leaked here is not taken from another host either.
pub(super) fn banned(store: &Store, intake: &Intake) -> Option<Error> {
    let refused = |taken: &Taken| {
        // Of a key pair or root what is new is the next one: the other is in force as before.
        let parts = taken.next.as_ref().unwrap_or(&taken.parts);
        store.refuse_banned(&taken.secret, parts.primary()?).err()
    };
    intake.values.iter().find_map(refused)
}

/// An issuing CA of a root that is not in force here is not taken: what it signs would be refused.
pub(super) fn unfit(world: &World<'_>, store: &Store, intake: &Intake) -> Option<Error> {
    let unfit = |taken: &Taken| {
        let declaration = world.declaration(&taken.secret).ok()?;
        let maker = fit::maker(declaration)?;
        let fault = fit::fault(fit::judge(store, declaration, &taken.parts))?;
        Some(problem::unfit_next(&intake.seen.name, &fault, maker))
    };
    intake.values.iter().find_map(unfit)
}
