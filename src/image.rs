//! How images are built: Dockerfiles, and which files of a build context reach the builder. Text in, model out; opens nothing.

pub mod dockerfile;
pub mod ignored;
pub mod layers;
mod moved;

pub use dockerfile::Dockerfile;
pub use ignored::Ignored;
