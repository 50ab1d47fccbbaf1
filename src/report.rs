//! Rendering: a report as text for people or JSON for machines. Printing is elsewhere.

pub mod human;
pub mod json;
mod words;
