//! Whether the lines of a chain stand where they were written.

use std::collections::BTreeMap;

use super::{Place, REMEMBERED, Verifier};
use crate::audit::finding::{Code, numbered};
use crate::audit::line::{Line, Proven};
use crate::store::change::{Before, Link};
use crate::ui::counted;

/// How far the chain was followed.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The line that the next one has to follow; `None` before the chain begins.
    pub(super) top: Option<Link>,
    /// The last change that was done.
    pub(super) done: Option<(Link, u64)>,
    /// What was announced last, and nothing was done of yet.
    pub(super) announced: Option<(Place, String)>,
    /// Lines since the last that was in its place which may have been one of the chain.
    pub(super) suspects: u64,
    /// The last line that was out of place, for those that follow it.
    pub(super) aside: Option<(Link, Run)>,
    /// Which lines are missing so far: from, to, and where.
    pub(super) gaps: BTreeMap<u64, (u64, Place)>,
    /// Whether the line was there that the store knows as the last.
    pub(super) is_known_seen: bool,
    /// A change that was done after that.
    pub(super) beyond: Option<Place>,
    /// Whether no line of the chain was in this file yet.
    pub(super) is_file_new: bool,
}

/// Lines out of place that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    code: Code,
    from: u64,
    to: u64,
    place: Place,
}

impl Verifier {
    /// A line that whoever has the key wrote: whether it stands where it was written.
    pub(super) fn proven(&mut self, record: &Line<'_>, proven: Proven, before: impl FnOnce() -> Option<Before>) {
        self.proven += 1;
        let Proven { link, .. } = proven;
        let known = self.known.map_or(0, |known| known.seq);
        self.chain.is_known_seen |= self.known == Some(link);
        if link.seq > known && !record.intent {
            self.chain.beyond = Some(self.place());
        }
        let is_file_new = std::mem::take(&mut self.chain.is_file_new);
        let Some(top) = self.chain.top else {
            self.begin(link, record, before());
            return self.in_place(link, record);
        };
        if proven.follows(top) {
            return self.in_place(link, record);
        }
        // The store carries its last line, and the next writer finds a new file without it.
        if is_file_new && self.files.len() > 1 && self.chain.done.is_some_and(|(done, _)| done == link) {
            self.not_done();
            self.chain.top = Some(link);
            return;
        }
        let aside = self.chain.aside.filter(|(last, _)| proven.follows(*last));
        if let Some((_, run)) = aside.filter(|_| link.seq <= top.seq) {
            self.fill(link.seq);
            self.chain.aside = Some((link, Run { to: link.seq, ..run }));
        } else if aside.is_some() {
            self.in_place(link, record);
        } else if link.seq > top.seq {
            self.skipped(top, link);
            self.in_place(link, record);
        } else {
            self.end_run();
            let code = if self.fill(link.seq) { Code::MovedLines } else { Code::RepeatedLines };
            let run = Run { code, from: link.seq, to: link.seq, place: self.place() };
            self.chain.aside = Some((link, run));
        }
    }

    /// The first line of the chain that is there.
    fn begin(&mut self, link: Link, record: &Line<'_>, before: Option<Before>) {
        if link.seq == 1 {
            if before == record.before {
                if let Some(before) = before {
                    let lines = counted(usize::try_from(before.lines).unwrap_or(usize::MAX), "line");
                    let why =
                        "they stood there when the chain began, and have not changed since: no more is known of them";
                    self.skip(&format!("the first {lines}"), why.to_owned());
                }
                if self.first_unproven.is_some_and(|(file, _)| file + 1 < self.files.len()) {
                    self.skip("the older files", "they are from before the chain began".to_owned());
                }
            } else {
                let message = "what stands before it is not what stood there when the chain began".to_owned();
                self.find(Code::OldLinesChanged, self.place(), message);
            }
            return;
        }
        let gone = numbered(1, link.seq - 1);
        match self.first_unproven {
            // Each of them may be one of those.
            Some(place) if self.unproven >= link.seq - 1 => {
                let message = "it was changed, or written by somebody who does not have the key".to_owned();
                self.find(Code::AlteredLine, place, message);
            }
            first => {
                if let Some(place) = first {
                    let message = format!("it is in no chain, and {gone} are not there to tell of it");
                    self.find(Code::ForeignLine, place, message);
                }
                if self.rotated {
                    self.skip(&gone, "in none of the files that were named".to_owned());
                } else {
                    self.chain.gaps.insert(1, (link.seq - 1, self.place()));
                }
            }
        }
    }

    /// A line in its place.
    fn in_place(&mut self, link: Link, record: &Line<'_>) {
        self.end_run();
        let chain = &mut self.chain;
        let top = chain.top.replace(link);
        chain.suspects = 0;
        if record.intent {
            self.not_done();
            let message = format!("`{}` was announced at {} and not done, or is being done", record.action, record.at);
            self.chain.announced = Some((self.place(), message));
            return;
        }
        // The line before it announced it, or is out of place and was told of.
        chain.announced = None;
        let last = chain.done.replace((link, record.generation));
        // One change can have several lines, each behind the other.
        let is_old = |last: Link, generation| record.generation < generation || Some(last) != top;
        if let Some((_, last)) =
            last.filter(|(last, generation)| record.generation <= *generation && is_old(*last, *generation))
        {
            let message = format!(
                "generation {} after {last}: an older store was put back before this change",
                record.generation
            );
            self.note(Code::StoreWentBack, self.place(), message);
        }
    }

    /// Lines between two are gone, unless something stands in their place, which was told of.
    fn skipped(&mut self, top: Link, link: Link) {
        let missing = link.seq - top.seq - 1;
        if missing == 0 {
            let message = format!(
                "{} was made behind another line than the one before it: an older store was put back in between",
                numbered(link.seq, link.seq)
            );
            self.find(Code::TwoHistories, self.place(), message);
        } else if missing > self.chain.suspects {
            let place = self.place();
            if self.chain.gaps.len() < REMEMBERED {
                self.chain.gaps.insert(top.seq + 1, (link.seq - 1, place));
            } else {
                self.more += 1;
            }
        }
        // Whether it was done is in what is missing.
        self.chain.announced = None;
    }

    /// Takes a line out of the gap that it is missing from; tells whether it was.
    fn fill(&mut self, seq: u64) -> bool {
        let gaps = &mut self.chain.gaps;
        let Some((&from, &(to, place))) = gaps.range(..=seq).next_back().filter(|(_, (to, _))| *to >= seq) else {
            return false;
        };
        gaps.remove(&from);
        if from < seq {
            gaps.insert(from, (seq - 1, place));
        }
        if seq < to {
            gaps.insert(seq + 1, (to, place));
        }
        true
    }

    pub(super) fn end_run(&mut self) {
        let Some((_, Run { code, from, to, place })) = self.chain.aside.take() else { return };
        let lines = numbered(from, to);
        let stand = if from == to { "stands" } else { "stand" };
        self.find(
            code,
            place,
            match code {
                Code::MovedLines => format!("{lines} {stand} here, behind later ones"),
                _ => format!("{lines} {stand} here once more"),
            },
        );
    }

    pub(super) fn not_done(&mut self) {
        if let Some((place, message)) = self.chain.announced.take() {
            self.note(Code::NotDone, place, message);
        }
    }
}
