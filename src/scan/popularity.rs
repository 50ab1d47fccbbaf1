//! Which part of a value tells it from the others: addresses and headers begin alike.

use super::needle::{LONG, Needle};

/// How often a window of eight bytes stands in the values, to choose those that tell them apart.
pub(super) struct Popularity(Vec<u8>);

impl Popularity {
    const SLOTS: usize = 1 << 18;

    /// Of the values of all needles.
    pub(super) fn of(needles: &[Needle]) -> Self {
        let mut counts = vec![0u8; Self::SLOTS];
        for window in needles.iter().flat_map(|needle| needle.value.expose().windows(8)) {
            let slot = Self::slot(window);
            counts[slot] = counts[slot].saturating_add(1);
        }
        Self(counts)
    }

    fn slot(window: &[u8]) -> usize {
        let mut hash = 0u64;
        for &byte in window {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        usize::try_from(hash >> 20).unwrap_or(0) % Self::SLOTS
    }

    /// Where in a text the two windows of `LONG` bytes begin that are least often in others; the first of equals.
    pub(super) fn rarest(&self, text: &[u8]) -> usize {
        let span = (2 * LONG).min(text.len());
        let costs: Vec<u32> = text.windows(8).map(|it| u32::from(self.0[Self::slot(it)]).pow(2)).collect();
        let spans = costs.windows(span.saturating_sub(7).max(1)).map(|costs| costs.iter().sum::<u32>());
        spans.enumerate().min_by_key(|&(_, cost)| cost).map_or(0, |(at, _)| at)
    }
}
