//! Credentials that tell by their form whose they are. A rule has the texts that it begins with, all of which one search
//! finds, and a function that looks at what is there: length, alphabet, checksum.

mod forms;

use std::fmt;
use std::ops::Range;

use aho_corasick::packed::Searcher;
use memchr::memmem;

use crate::manifest::leaks::{Action, RULES, Rules as Declared};

/// Tells what stands where a literal was found, if it is what the rule is about.
type Judge = fn(&Text<'_>) -> Option<Range<usize>>;

/// Bytes, and where in them a literal stands.
struct Text<'t> {
    bytes: &'t [u8],
    literal: Range<usize>,
}

/// The rules that are asked.
pub struct Rules {
    literals: Vec<(Vec<u8>, &'static str, Judge, Action)>,
    /// `None` where this machine has no such instructions: then one literal is looked for after the other.
    searcher: Option<Searcher>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.literals.iter().map(|(_, rule, ..)| rule)).finish()
    }
}

/// What looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) rule: &'static str,
    pub(super) place: Range<usize>,
    pub(super) blocks: bool,
}

impl Rules {
    /// The rules as declared; `prefixes` are those of our own API keys.
    pub fn new(declared: &Declared, prefixes: &[String]) -> Self {
        let mut literals = Vec::new();
        for (rule, _) in RULES {
            let action = declared.action(rule);
            if action == Action::Off {
                continue;
            }
            let own = prefixes.iter().map(String::as_bytes).filter(|prefix| prefix.len() >= 3);
            let own: Vec<(&[u8], Judge)> = own.map(|prefix| (prefix, forms::own_key as Judge)).collect();
            let texts = if rule == "api-key" { own } else { forms::of(rule) };
            literals.extend(texts.into_iter().map(|(text, judge)| (text.to_vec(), rule, judge, action)));
        }
        let searcher = Searcher::new(literals.iter().map(|(text, ..)| text));
        Self { literals, searcher }
    }

    /// Every credential that begins within `zone`, in order.
    pub(super) fn find(&self, bytes: &[u8], zone: &Range<usize>) -> Vec<Match> {
        let mut found = Vec::new();
        let mut judge = |literal: usize, place: Range<usize>| {
            let Some((_, rule, judge, action)) = self.literals.get(literal) else { return };
            let text = Text { bytes, literal: place };
            let place = judge(&text).filter(|place| zone.contains(&place.start));
            found.extend(place.map(|place| Match { rule, place, blocks: *action == Action::Block }));
        };
        match &self.searcher {
            Some(searcher) => searcher.find_iter(bytes).for_each(|it| judge(it.pattern().as_usize(), it.range())),
            None => {
                for (index, (text, ..)) in self.literals.iter().enumerate() {
                    memmem::find_iter(bytes, text).for_each(|at| judge(index, at..at + text.len()));
                }
            }
        }
        found.sort_by_key(|it| (it.place.start, it.place.end));
        found.dedup_by(|a, b| a.place.start < b.place.end);
        found
    }

    /// Whether a file has a credential in it that would stop a commit.
    pub fn blocks(&self, bytes: &[u8]) -> bool {
        self.find(bytes, &(0..bytes.len())).iter().any(|it| it.blocks)
    }
}

/// Whether a short text has a credential in it that tells by its form whose it is.
pub fn is_issued(text: &[u8]) -> bool {
    has_form_of(text, |_| true)
}

/// The same, by the rules that block unless a manifest says otherwise: what browsers get is never in their forms.
pub fn stops_commits(text: &[u8]) -> bool {
    has_form_of(text, |action| action == Action::Block)
}

fn has_form_of(text: &[u8], is_asked: fn(Action) -> bool) -> bool {
    let is_one = |(literal, judge): (&[u8], Judge)| {
        let mut places = memmem::find_iter(text, literal).map(|at| at..at + literal.len());
        places.any(|literal| judge(&Text { bytes: text, literal }).is_some())
    };
    let asked = RULES.iter().filter(|(_, action)| is_asked(*action));
    asked.flat_map(|(rule, _)| forms::of(rule)).any(is_one)
}

#[cfg(test)]
mod tests;
