//! What was seen on the remote side.

use std::collections::BTreeMap;

use crate::remote::{Failure, Listed, Reading};
use crate::store::synced::Base;

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// What the listing told.
    pub listed: Listing,
    /// What was read, by full name.
    pub readings: BTreeMap<String, Reading>,
    /// What could not be looked at, by full name.
    pub failures: BTreeMap<String, Failure>,
    /// The bases at that time, by full name: one that another process moved on meanwhile belongs to another look. `None` = the
    /// store that was looked at is the one that is compared.
    pub bases: Option<BTreeMap<String, Base>>,
}

/// What a listing told: remote secrets in the order of their full names, each name once. A map would take twice the room while it is made, which
/// counts where there are ten thousand.
#[derive(Debug, Default)]
pub struct Listing(Vec<Listed>);

impl Listing {
    /// The secret of a name.
    pub fn get(&self, name: &str) -> Option<&Listed> {
        self.place(name).ok().map(|place| &self.0[place])
    }

    /// Adds a secret; what was known of its name before is forgotten.
    pub fn insert(&mut self, listed: Listed) {
        match self.place(&listed.name) {
            Ok(place) => self.0[place] = listed,
            Err(place) => self.0.insert(place, listed),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|listed| listed.name.as_str().cmp(name))
    }
}

/// Of several with one name, the last counts.
impl From<Vec<Listed>> for Listing {
    fn from(listed: Vec<Listed>) -> Self {
        // A listing comes in this order, and is not copied then.
        if listed.is_sorted_by(|one, next| one.name < next.name) {
            return Self(listed);
        }
        let mut listing = Self::default();
        for listed in listed {
            listing.insert(listed);
        }
        listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, arn: &str) -> Listed {
        Listed { name: name.to_owned(), arn: arn.to_owned(), ..Listed::default() }
    }

    fn arns(listing: &Listing) -> Vec<&str> {
        listing.iter().map(|it| it.arn.as_str()).collect()
    }

    #[test]
    fn of_one_name_the_last_counts_and_the_order_is_that_of_the_names() {
        let mut listing = Listing::from(vec![listed("b", "1"), listed("a", "2"), listed("b", "3")]);
        assert_eq!(arns(&listing), ["2", "3"]);
        listing.insert(listed("aa", "4"));
        listing.insert(listed("a", "5"));
        assert_eq!(arns(&listing), ["5", "4", "3"]);
        assert_eq!(listing.get("aa").map(|it| it.arn.as_str()), Some("4"));
        assert!(listing.get("c").is_none() && !listing.is_empty() && Listing::default().is_empty());
    }

    #[test]
    fn what_comes_in_order_stays_as_it_is() {
        assert_eq!(arns(&Listing::from(vec![listed("a", "1"), listed("b", "2")])), ["1", "2"]);
    }
}
