//! Rotation: a new value in place of an old one, without a moment in which nobody has one that is accepted.

pub mod claim;
mod standing;
mod step;
