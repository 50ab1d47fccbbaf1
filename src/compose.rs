//! Compose files, read as Docker Compose reads them: what each service gets, from which line of which file.
//!
//! Bytes in, model out: files are brought by whoever asks, and nothing is opened here. What `.env` holds comes in by interpolation,
//! so texts of the model may be secret: [`Text`] shows itself to nobody who does not ask.

pub mod model;

pub use model::{Location, Project, Service, Text};
