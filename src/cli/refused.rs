//! What stands against files of a change that went on past them: told behind the answer, and in it.

use serde::{Serialize, Serializer};

use super::paste::Paste;
use super::rotate::answer::Told;
use crate::deliver::Delivered;
use crate::error::Error;
use crate::ui::Ui;

/// The errors, each alone; an object has them as a list.
#[derive(Debug)]
pub struct Refused(Vec<Error>);

impl Refused {
    /// What a delivery left aside, with commands that can be pasted.
    pub fn of(delivered: &Delivered, paste: &Paste) -> Self {
        let each = delivered.refused.iter().flat_map(|error| std::iter::once(error).chain(error.others()));
        Self(each.map(|error| paste.error(error.reworded(error.to_string()))).collect())
    }

    /// Whether everything was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells each in words.
    pub fn tell(&self, ui: Ui) {
        self.0.iter().for_each(|error| ui.problem(error));
    }
}

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Told::from))
    }
}
