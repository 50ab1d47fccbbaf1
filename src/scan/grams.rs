//! The filter that lets nearly all bytes pass unread: of a text, every `step`-th window of `WIDTH` bytes is looked up among
//! those that the looked-for texts have. Whatever is `step + WIDTH - 1` bytes long contains one of the windows.
//!
//! Two levels: one bit a hash, small enough for the cache; then the hashes themselves, whose few hits are verified elsewhere.

/// Capitals and small letters fall together, so that hex of either case is one entry. Verification tells what it was.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// Odd, with as many ones as zeros (splitmix64's).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bits of the first level for each window: one bit in sixteen is set, so that one lookup in sixteen goes on in vain.
const BITS_A_GRAM: usize = 16;

/// The windows of some texts. Hashes of parts of secrets: nothing of it may be shown.
pub(super) struct Grams<const WIDTH: usize> {
    step: usize,
    shift: u32,
    seen: Vec<u64>,
    bucket_shift: u32,
    /// Where the entries of each bucket begin.
    buckets: Vec<u32>,
    entries: Vec<(u32, u32)>,
}

/// Windows that are being collected.
pub(super) struct Collected(Vec<(u64, u32)>);

impl Collected {
    /// With room for some windows.
    pub(super) fn new(room: usize) -> Self {
        Self(Vec::with_capacity(room))
    }

    /// Adds every window of `text` that begins in the first `step` bytes, as one of `what`.
    pub(super) fn add<const WIDTH: usize>(&mut self, text: &[u8], step: usize, what: u32) {
        for at in 0..step {
            let Some(hash) = hash::<WIDTH>(text, at) else { return };
            self.0.push((hash, what));
        }
    }
}

impl<const WIDTH: usize> Grams<WIDTH> {
    /// Of all windows that were collected. `step` must be the one that they were collected with.
    pub(super) fn new(step: usize, mut collected: Collected) -> Self {
        collected.0.sort_unstable();
        collected.0.dedup();
        let grams = &collected.0;
        let bits = (grams.len() * BITS_A_GRAM).next_power_of_two().clamp(1 << 12, 1 << 28);
        let buckets = (grams.len() / 2).next_power_of_two().clamp(2, 1 << 26);
        let mut filter = Self {
            step,
            shift: 64 - bits.trailing_zeros(),
            seen: vec![0; bits / 64],
            bucket_shift: 64 - buckets.trailing_zeros(),
            buckets: vec![0; buckets + 1],
            entries: Vec::with_capacity(grams.len()),
        };
        // Sorted by hash is sorted by bucket.
        for &(hash, what) in grams {
            let bit = filter.bit(hash);
            filter.seen[bit / 64] |= 1 << (bit % 64);
            let bucket = filter.bucket(hash);
            filter.entries.push((tag(hash), what));
            filter.buckets[bucket + 1] = u32::try_from(filter.entries.len()).unwrap_or(u32::MAX);
        }
        for bucket in 1..filter.buckets.len() {
            filter.buckets[bucket] = filter.buckets[bucket].max(filter.buckets[bucket - 1]);
        }
        filter
    }

    /// Whether no window is known.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Tells where in `bytes` from `at` on a known window stands, and of what it is one.
    pub(super) fn find(&self, bytes: &[u8], mut at: usize, mut found: impl FnMut(usize, u32)) {
        while let Some(hash) = hash::<WIDTH>(bytes, at) {
            let bit = self.bit(hash);
            if self.seen[bit / 64] >> (bit % 64) & 1 != 0 {
                self.look_up(hash, |what| found(at, what));
            }
            at += self.step;
        }
    }

    #[inline(never)]
    fn look_up(&self, hash: u64, mut found: impl FnMut(u32)) {
        let bucket = self.bucket(hash);
        let entries = &self.entries[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize];
        entries.iter().filter(|(known, _)| *known == tag(hash)).for_each(|&(_, what)| found(what));
    }

    #[inline]
    fn bit(&self, hash: u64) -> usize {
        usize::try_from(hash >> self.shift).unwrap_or(0)
    }

    fn bucket(&self, hash: u64) -> usize {
        usize::try_from(hash >> self.bucket_shift).unwrap_or(0)
    }
}

/// The bits that do not choose the bucket.
#[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough")]
fn tag(hash: u64) -> u32 {
    hash as u32
}

/// The hash of a window, if there is a whole one.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product")]
fn hash<const WIDTH: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let window: &[u8; WIDTH] = bytes.get(at..)?.first_chunk()?;
    let mut word = [0; 8];
    word[..WIDTH].copy_from_slice(window);
    let product = u128::from(u64::from_le_bytes(word) | FOLD) * u128::from(MULTIPLIER);
    Some((product >> 64) as u64 ^ (product as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<const WIDTH: usize>(texts: &[&[u8]], step: usize, hay: &[u8]) -> Vec<(usize, u32)> {
        let mut collected = Collected::new(0);
        for (what, text) in (0..).zip(texts) {
            collected.add::<WIDTH>(text, step, what);
        }
        let mut found = Vec::new();
        Grams::<WIDTH>::new(step, collected).find(hay, 0, |at, what| found.push((at, what)));
        found
    }

    #[test]
    fn a_text_is_found_wherever_it_begins() {
        let text = b"0123456789abcdef";
        for before in 0..40 {
            let mut hay = vec![b'.'; before];
            hay.extend(text);
            hay.extend([b'.'; 11]);
            let found = found::<8>(&[b"qwertzuiopasdfgh", text], 9, &hay);
            assert!(found.len() == 1 && found[0].1 == 1 && (before..before + 9).contains(&found[0].0), "{before}");
        }
        for before in 0..20 {
            let hay = [&vec![b'.'; before], &b"hunter42"[..]].concat();
            assert_eq!(found::<4>(&[b"hunter42"], 5, &hay).len(), 1, "{before}");
        }
    }

    #[test]
    fn other_bytes_are_let_pass() {
        let hay: Vec<u8> = (0..100_000u32).flat_map(|it| it.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert_eq!(found::<8>(&[b"0123456789abcdef"], 9, &hay), []);
        assert_eq!(found::<8>(&[], 9, &hay), []);
    }
}
