//! Rendering: a report as text for people, and in the forms that CI systems read. Printing and writing are elsewhere.

pub mod frame;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod sarif;
pub mod scan;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub use frame::Frame;
