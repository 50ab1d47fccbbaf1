//! Whether the record is what was written: every line of an environment's chain, in order, up to the one that the sealed
//! store knows as the last. Reads each file once, in bounded memory.

mod order;

use std::collections::BTreeMap;
use std::io::Read;

use super::finding::{Code, Finding, Report, numbered};
use super::line::{Line, is_torn};
use super::lines::Lines;
use crate::check::NotChecked;
use crate::error::Result;
use crate::name::EnvName;
use crate::secret::digest::MacKey;
use crate::store::Store;
use crate::store::change::{Change, Link, chain_key};
use crate::ui::{SCHEMA_VERSION, counted};
use order::Chain;

/// How many findings, notes, gaps and names of other environments are remembered: more would tell nothing more, and let
/// the memory grow with the file.
const REMEMBERED: usize = 1000;

/// Looks at the files of a record, oldest first.
#[derive(Debug)]
pub struct Verifier {
    environment: EnvName,
    key: MacKey,
    /// The end of the chain, as the store knows it.
    known: Option<Link>,
    /// What the last lines that the store carries stand behind: a crash may have kept all of them back, or some.
    announced: Vec<Link>,
    /// Whether older files may be gone.
    rotated: bool,
    files: Vec<String>,
    line: u64,
    lines: u64,
    proven: u64,
    chain: Chain,
    /// Before the chain begins: lines that it does not prove, and the first of them.
    unproven: u64,
    first_unproven: Option<Place>,
    /// Those of them that say that they are of a chain, and how many there are.
    strangers: Vec<Place>,
    all_strangers: u64,
    others: BTreeMap<String, u64>,
    found: Vec<(Place, Finding)>,
    more: usize,
    notes: Vec<Finding>,
    not_checked: Vec<NotChecked>,
}

/// A file by its index, and a line in it.
type Place = (usize, u64);

impl Verifier {
    /// Of the chain of a store. `rotated`: the oldest files may have been removed.
    pub fn new(store: &Store, rotated: bool) -> Self {
        Self {
            environment: store.environment.clone(),
            key: chain_key(&store.fingerprint_key),
            known: store.changes.last().and_then(Change::link),
            announced: store.changes.iter().filter_map(|it| Some(Link { seq: it.seq? - 1, mac: it.prev? })).collect(),
            rotated,
            files: Vec::new(),
            line: 0,
            lines: 0,
            proven: 0,
            chain: Chain::default(),
            unproven: 0,
            first_unproven: None,
            strangers: Vec::new(),
            all_strangers: 0,
            others: BTreeMap::new(),
            found: Vec::new(),
            more: 0,
            notes: Vec::new(),
            not_checked: Vec::new(),
        }
    }

    /// Looks at the next file; `name` is how it is called in findings.
    pub fn read(&mut self, name: &str, file: impl Read) -> Result<()> {
        self.files.push(name.to_owned());
        self.chain.is_file_new = true;
        let mut lines = Lines::new(file);
        while lines.read(name)? {
            self.line = lines.count;
            if self.look(&lines) {
                lines.forget();
            }
            if !lines.is_ended && Line::parse(lines.line()).is_some() {
                self.note(Code::TornLine, self.place(), "its end is missing: the next writer adds it".to_owned());
            }
        }
        self.lines += lines.count;
        Ok(())
    }

    /// Looks at one line; tells whether the chain has begun.
    fn look(&mut self, lines: &Lines<impl Read>) -> bool {
        let raw = lines.line();
        let is_begun = self.chain.top.is_some();
        let Some(line) = Line::parse(raw) else {
            self.not_a_record(raw);
            return is_begun;
        };
        if line.environment != self.environment.as_str() {
            if self.others.len() < REMEMBERED || self.others.contains_key(&*line.environment) {
                *self.others.entry(line.environment.into_owned()).or_default() += 1;
            }
            return is_begun;
        }
        match line.prove(raw, &self.key) {
            Some(proven) => self.proven(&line, proven, || lines.before()),
            None if !is_begun => {
                self.unproven();
                if line.is_chained() {
                    self.stranger();
                }
            }
            None if line.is_chained() => {
                self.suspect(Code::AlteredLine, "it was changed, or written by somebody who does not have the key");
            }
            None => self.suspect(Code::UnchainedLine, "it has no place in the chain, which has begun before it"),
        }
        self.chain.top.is_some()
    }

    fn not_a_record(&mut self, raw: &[u8]) {
        if self.chain.top.is_none() {
            self.unproven();
        } else if is_torn(raw) {
            self.note(Code::TornLine, self.place(), "a crash cut it off".to_owned());
        } else {
            self.suspect(Code::ForeignLine, "it is no record of vault-kit's");
        }
    }

    fn unproven(&mut self) {
        self.unproven += 1;
        self.first_unproven.get_or_insert((self.files.len() - 1, self.line));
    }

    /// Before a chain there may be that of another store; where none begins, nothing was left as it was written.
    fn stranger(&mut self) {
        self.all_strangers += 1;
        if self.strangers.len() < REMEMBERED {
            self.strangers.push(self.place());
        }
    }

    fn tell_strangers(&mut self) {
        if self.known.is_none() || self.chain.top.is_some() {
            return;
        }
        let strangers = std::mem::take(&mut self.strangers);
        self.chain.suspects += self.all_strangers;
        self.more += usize::try_from(self.all_strangers).unwrap_or(usize::MAX).saturating_sub(strangers.len());
        for place in strangers {
            let message =
                "it was changed, or is of another store: none of the lines is one that this store's key proves";
            self.find(Code::AlteredLine, place, message.to_owned());
        }
    }

    fn suspect(&mut self, code: Code, message: &str) {
        self.chain.suspects += 1;
        self.find(code, self.place(), message.to_owned());
    }

    /// What is to be said once all files were read.
    pub fn finish(mut self) -> Report {
        self.end_run();
        for (from, (to, place)) in std::mem::take(&mut self.chain.gaps) {
            let gone = format!("{} {} gone", numbered(from, to), if from == to { "is" } else { "are" });
            match from {
                1 => self.find(Code::HeadMissing, place, format!("the file begins here: {gone}")),
                _ => self.find(Code::MissingLines, place, format!("{gone}, which stood before this one")),
            }
        }
        self.tell_strangers();
        let at_end = self.end();
        self.not_done();
        self.found.sort_by_key(|(place, _)| *place);
        for (environment, lines) in std::mem::take(&mut self.others) {
            let lines = counted(usize::try_from(lines).unwrap_or(usize::MAX), "line");
            self.skip(&format!("environment `{environment}`"), format!("{lines}, which its own store proves"));
        }
        Report {
            schema_version: SCHEMA_VERSION,
            environment: self.environment,
            lines: self.lines,
            proven: self.proven,
            known: self.known.map(|known| known.seq),
            findings: self.found.into_iter().map(|(_, finding)| finding).chain(at_end).collect(),
            more_findings: self.more,
            notes: self.notes,
            not_checked: self.not_checked,
        }
    }

    /// What is wrong with the end, as the store knows it.
    fn end(&mut self) -> Option<Finding> {
        let Some(known) = self.known else {
            let why = "it is from before lines were chained: the next change begins a chain".to_owned();
            self.skip("the store", why);
            return None;
        };
        let top = self.chain.top.map_or(0, |top| top.seq);
        if top >= known.seq && self.chain.is_known_seen {
            let place = self.chain.beyond?;
            let message = format!(
                "this change and what follows it were done to a newer store than the one that is there, \
                                   which knows {} lines of the chain",
                known.seq
            );
            self.find(Code::StoreBehind, place, message);
            return None;
        }
        if top >= known.seq {
            let message = format!("{} is another one than the store knows", numbered(known.seq, known.seq));
            return self.found.is_empty().then(|| Finding::new(Code::LastLineDiffers, None, message));
        }
        // Whether it was done is in what is missing.
        self.chain.announced = None;
        let missing = known.seq - top;
        if missing <= self.chain.suspects {
            return None;
        }
        if self.chain.top.is_some_and(|top| self.announced.contains(&top)) {
            let message = "the last line is missing, and the store has it: a crash kept it back, or it was cut off";
            return Some(Finding::new(Code::LastLineMissing, None, message.to_owned()));
        }
        let lines = numbered(top + 1, known.seq);
        let message =
            format!("{lines} are gone from the end: they were cut off, or an older file was put in its place");
        Some(Finding::new(Code::TailMissing, None, message))
    }

    fn place(&self) -> Place {
        (self.files.len() - 1, self.line)
    }

    fn find(&mut self, code: Code, place: Place, message: String) {
        if self.found.len() == REMEMBERED {
            self.more += 1;
            return;
        }
        let named = (self.files[place.0].clone(), place.1);
        self.found.push((place, Finding::new(code, Some(named), message)));
    }

    fn note(&mut self, code: Code, (file, line): Place, message: String) {
        if self.notes.len() < REMEMBERED {
            self.notes.push(Finding::new(code, Some((self.files[file].clone(), line)), message));
        }
    }

    fn skip(&mut self, what: &str, why: String) {
        self.not_checked.push(NotChecked { what: what.to_owned(), why });
    }
}
