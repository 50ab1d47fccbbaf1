//! What AWS refuses is tried again by schedule after pauses, as a program that failed is, and remembered until it is refused no
//! more.

use std::collections::BTreeSet;

use super::machine::{Machine, Run};
use super::select::{Order, Selection};
use crate::apply::Deed;
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::store::Store;
use crate::store::rotations::Failure;

/// What a failure at AWS is a step of.
pub const THERE: &str = "aws";

/// The secrets that were refused before and whose pause a run ends: those that it works on, and for a person who goes on all.
pub(super) fn tried(store: &Store, order: &Order, selection: &Selection) -> BTreeSet<SecretName> {
    let is_tried = |name: &&SecretName| match order {
        Order::Resume(names) => names.is_empty() || names.contains(*name),
        Order::Due | Order::Leaked(_) | Order::Now(_) => {
            selection.fresh.contains(*name) || selection.going.contains(*name)
        }
    };
    store.rotations.refused.keys().filter(is_tried).cloned().collect()
}

impl Machine<'_> {
    /// Remembers what a scheduled run was refused, and forgets what is refused no more.
    pub(super) fn note_pauses(&self, run: &mut Run) -> Result<()> {
        for refusal in &mut run.report.refused {
            if !run.waits || !lasts(&refusal.error) {
                refusal.paused.clear();
            }
        }
        let paused: BTreeSet<SecretName> = run.report.refused.iter().flat_map(|it| it.paused.iter().cloned()).collect();
        let over: Vec<&SecretName> = run.tried.difference(&paused).collect();
        if paused.is_empty() && over.is_empty() {
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        let refused = &mut opened.store.rotations.refused;
        refused.retain(|name, _| !over.contains(&name));
        for refusal in &mut run.report.refused {
            for name in &refusal.paused {
                let trouble = refused.entry(name.clone()).or_default();
                let code = refusal.error.code().to_owned();
                trouble.add(Failure { step: THERE.to_owned(), hook: String::new(), code, at: world.now });
                refusal.again = refusal.again.max(trouble.again_there());
            }
        }
        opened.store.updated = opened.store.updated.max(world.now);
        let paused: Vec<SecretName> = paused.into_iter().collect();
        world.record_deeds(&mut opened, &[Deed::of("rotate-refused", &paused)])
    }
}

/// Whether it will be the same at the next turn, as far as anybody knows: not where hosts only got into each other's way.
fn lasts(error: &Error) -> bool {
    matches!(error.kind(), Kind::Permission | Kind::Remote)
        || matches!(error.code(), "remote-pending" | "remote-refused")
}
