//! Randomness, all of it from ring's `SystemRandom`.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Kind, Result};
use crate::name::VersionId;

/// Fills a buffer with random bytes.
pub fn fill(buffer: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(buffer)
        .map_err(|_| Error::new(Kind::System, "no-randomness", "cannot read the system's random source"))
}

/// An array of random bytes.
pub fn array<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// A number below `bound`, each equally likely: bytes that would favour some are drawn again.
pub fn below(bound: u32) -> Result<u32> {
    if bound == 0 {
        return Err(Error::bug("a random number below zero was asked for"));
    }
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let number = u32::from_le_bytes(array()?);
        if number < fair {
            return Ok(number % bound);
        }
    }
}

/// A new version id.
pub fn version_id() -> Result<VersionId> {
    Ok(VersionId::from_random(array()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[below(7).unwrap() as usize] += 1;
        }
        // The standard deviation is 29: nine of them is never reached by chance.
        assert!(seen.iter().all(|&count| (730..1270).contains(&count)), "{seen:?}");
    }
}
