//! What is declared: the manifest, from text to a typed model, all problems at once.
//!
//! Nothing here touches the disk, the network, the clock or a random source.

pub mod model;
pub mod period;
pub mod template;

pub use model::{Declaration, Environment, Format, Kind, Manifest, Output};
