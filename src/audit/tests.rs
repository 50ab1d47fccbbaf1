//! Records that were tampered with, in every way and at every place, and records that were not.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use super::finding::{Code, Report};
use super::line::Line;
use super::verify::Verifier;
use super::*;
use crate::name::{EnvName, SecretName};
use crate::store::Recipients;
use crate::store::change::Subjects;
use crate::store::tests::now;

/// A project with a store for each of two environments, in memory where the disk does not set the pace.
#[derive(Debug)]
struct Record {
    directory: TempDir,
    root: Root,
    stores: [Store; 2],
}

/// What becomes of a change.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Done,
    /// Killed before its announcement was whole.
    TornAnnouncement(usize),
    /// Killed before the store was replaced.
    Announced,
    /// Killed before its line was appended.
    Lost,
    /// Killed in the middle of its line.
    Torn(usize),
}

fn store(environment: &str) -> Store {
    let recipients = Recipients { declared: false, keys: std::collections::BTreeMap::default() };
    Store::new("shop", &EnvName::new(environment).unwrap(), recipients, now()).unwrap()
}

impl Record {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("vault-kit-test-").tempdir_in(place).unwrap();
        let root = Root::open(directory.path()).unwrap();
        Self { directory, root, stores: [store("dev"), store("prod")] }
    }

    /// One change after the other in both environments.
    fn of_changes(count: usize) -> Self {
        let mut record = Self::new();
        (0..count).for_each(|index| record.change(index % 2, Fate::Done));
        record
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join(path())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap_or_default()
    }

    #[expect(clippy::disallowed_methods, reason = "what somebody else does to the file")]
    fn put(&self, bytes: &[u8]) {
        fs::create_dir_all(self.path().parent().unwrap()).unwrap();
        fs::write(self.path(), bytes).unwrap();
    }

    fn change(&mut self, index: usize, fate: Fate) {
        let store = &mut self.stores[index];
        let secrets = [SecretName::new("API_KEY").unwrap()];
        let subjects = Subjects { secrets: &secrets, records: &[] };
        let change = Change::new(now(), "set", &store.environment, store.generation + 1, subjects);
        complete(&self.root, store).unwrap();
        let before = fs::read(self.directory.path().join(path())).unwrap_or_default();
        let change = announce(&self.root, store, vec![change]).unwrap().remove(0);
        match fate {
            Fate::TornAnnouncement(length) => {
                let whole = self.bytes();
                return self.put(&whole[..before.len() + 1 + length % (whole.len() - before.len() - 1)]);
            }
            Fate::Announced => return,
            Fate::Done | Fate::Lost | Fate::Torn(_) => {}
        }
        store.changes = vec![change.clone()];
        store.generation += 1;
        if let Fate::Done = fate {
            append(&self.root, &change).unwrap();
        }
        if let Fate::Torn(length) = fate {
            let line = change.line().unwrap();
            let mut bytes = self.bytes();
            bytes.extend_from_slice(&line[..=length % (line.len() - 1)]);
            self.put(&bytes);
        }
    }

    fn complete(&self) {
        for store in &self.stores {
            complete(&self.root, store).unwrap();
        }
    }

    fn reports(&self) -> Vec<Report> {
        self.reports_of(&self.bytes())
    }

    fn reports_of(&self, bytes: &[u8]) -> Vec<Report> {
        self.stores.iter().map(|store| report(store, &[bytes])).collect()
    }

    /// What is wrong, in either environment.
    fn codes(&self, bytes: &[u8]) -> Vec<Code> {
        self.reports_of(bytes).iter().flat_map(codes).collect()
    }
}

fn report(store: &Store, files: &[&[u8]]) -> Report {
    let mut verifier = Verifier::new(store, false);
    for (index, file) in files.iter().enumerate() {
        verifier.read(&index.to_string(), *file).unwrap();
    }
    verifier.finish()
}

fn codes(report: &Report) -> Vec<Code> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn notes(report: &Report) -> Vec<Code> {
    report.notes.iter().map(|note| note.code).collect()
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').collect()
}

/// Lines of a record from before there were chains.
fn old_lines(record: &Record) -> Vec<u8> {
    let old = |index: usize| {
        let environment = &record.stores[index % 2].environment;
        Change::new(now(), "old", environment, index as u64, Subjects::default()).line().unwrap()
    };
    (0..5).flat_map(old).collect()
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Done),
        1 => Just(Fate::Announced),
        1 => Just(Fate::Lost),
        1 => any::<usize>().prop_map(Fate::Torn),
        1 => any::<usize>().prop_map(Fate::TornAnnouncement),
    ]
}

/// A record that begins with lines from before there were chains, or not, in which some changes were not finished.
fn record() -> impl Strategy<Value = Record> {
    (any::<bool>(), prop::collection::vec((0..2_usize, fate()), 1..12)).prop_map(|(is_upgraded, steps)| {
        let mut record = Record::new();
        if is_upgraded {
            record.put(&old_lines(&record));
        }
        (0..2).for_each(|index| record.change(index, Fate::Done));
        for (index, fate) in steps {
            record.change(index, fate);
        }
        record
    })
}

/// As [`record`], finished: nothing stands behind the last change of each environment.
fn finished() -> impl Strategy<Value = Record> {
    record().prop_map(|mut record| {
        (0..2).for_each(|index| record.change(index, Fate::Done));
        record
    })
}

/// Two changes of each environment behind lines from before there were chains.
fn upgraded() -> Record {
    let mut record = Record::new();
    record.put(&old_lines(&record));
    (0..4).for_each(|index| record.change(index % 2, Fate::Done));
    record
}

#[test]
fn every_flipped_byte_is_found() {
    let record = upgraded();
    let bytes = record.bytes();
    assert_eq!(record.codes(&bytes), []);
    for index in 0..bytes.len() {
        // In turn, and what makes a capital of a letter.
        for bit in [index % 8, 5] {
            let mut flipped = bytes.clone();
            flipped[index] ^= 1 << bit;
            assert!(!record.codes(&flipped).is_empty(), "bit {bit} of byte {index}");
        }
    }
}

#[test]
fn every_cut_is_found_and_a_lost_end_of_line_is_told() {
    let record = upgraded();
    let bytes = record.bytes();
    for length in 0..bytes.len() - 1 {
        assert!(!record.codes(&bytes[..length]).is_empty(), "{length} of {}", bytes.len());
    }
    // Without its end the last line is whole: the next writer adds it.
    for report in record.reports_of(&bytes[..bytes.len() - 1]) {
        assert!(report.is_sound() && notes(&report) == [Code::TornLine], "{report:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_crash_leaves_is_sound_or_the_last_line_is_missing_and_the_store_has_it(record in record()) {
        for report in record.reports() {
            let codes = codes(&report);
            prop_assert!(codes.is_empty() || codes == [Code::LastLineMissing], "{report:?}");
        }
        record.complete();
        for report in record.reports() {
            prop_assert!(report.is_sound(), "{report:?}");
            prop_assert!(notes(&report).iter().all(|code| [Code::NotDone, Code::TornLine].contains(code)), "{report:?}");
        }
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is(record in finished(), picks in prop::collection::vec((any::<Index>(), 0..8_u32), 40)) {
        let bytes = record.bytes();
        for (index, bit) in picks {
            let index = index.index(bytes.len());
            // A line that a crash cut off holds nothing that could be changed.
            if !is_in_torn_line(&bytes, index) {
                let mut flipped = bytes.clone();
                flipped[index] ^= 1 << bit;
                prop_assert!(!record.codes(&flipped).is_empty(), "bit {bit} of byte {index}");
            }
        }
    }

    #[test]
    fn a_cut_is_found_wherever_it_is(record in finished(), picks in prop::collection::vec(any::<Index>(), 40)) {
        let bytes = record.bytes();
        for length in picks.iter().map(|pick| pick.index(bytes.len() - 1)) {
            prop_assert!(!record.codes(&bytes[..length]).is_empty(), "{length} of {}", bytes.len());
        }
    }

    #[test]
    fn a_line_that_is_dropped_repeated_or_moved_is_found(record in finished(), pick in any::<Index>()) {
        let bytes = record.bytes();
        let all = lines(&bytes);
        let index = pick.index(all.len());
        if Line::is_of_ours(all[index]) {
            let mut without = all.clone();
            let line = without.remove(index);
            prop_assert!(!record.codes(&without.concat()).is_empty(), "line {index} dropped");
            for at in 0..=without.len() {
                let mut twice = all.clone();
                twice.insert(at, line);
                prop_assert!(!record.codes(&twice.concat()).is_empty(), "line {index} also at {at}");
                let mut moved = without.clone();
                moved.insert(at, line);
                let is_in_order = of_its_environment(&moved, line) == of_its_environment(&all, line);
                // What stood before a chain began may not move either, whosever it is.
                if !is_in_order {
                    prop_assert!(!record.codes(&moved.concat()).is_empty(), "line {index} moved to {at}");
                }
            }
        }
    }

    #[test]
    fn a_line_of_somebody_else_is_found_wherever_it_is(record in finished()) {
        let bytes = record.bytes();
        let all = lines(&bytes);
        let environment = &record.stores[0].environment;
        let plain = Change::new(now(), "set", environment, 7, Subjects::default());
        let mut other = Record::of_changes(4);
        other.stores[0].environment = environment.clone();
        let (other, seq) = (other.bytes(), record.stores[0].changes[0].seq.unwrap());
        let key = chain_key(&store("dev").fingerprint_key);
        let forged = plain.clone().chained(&key, Link { seq, mac: record.stores[0].changes[0].mac.unwrap() });
        let forgeries: [&[u8]; 6] = [
            b"\n", b"{}\n", b"hunter2\n", &plain.line().unwrap(), lines(&other)[0], &forged.unwrap().line().unwrap(),
        ];
        for at in 0..=all.len() {
            for forgery in forgeries {
                let mut more = all.clone();
                more.insert(at, forgery);
                prop_assert!(!record.codes(&more.concat()).is_empty(), "at {at}: {}", String::from_utf8_lossy(forgery));
            }
        }
    }
}

impl Line<'_> {
    fn is_of_ours(raw: &[u8]) -> bool {
        Line::parse(raw.strip_suffix(b"\n").unwrap_or(raw)).is_some()
    }
}

fn is_in_torn_line(bytes: &[u8], index: usize) -> bool {
    let start = bytes[..index].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[index..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| index + end);
    !Line::is_of_ours(&bytes[start..end])
}

fn of_its_environment<'a>(all: &[&'a [u8]], line: &[u8]) -> Vec<&'a [u8]> {
    let environment =
        |raw: &[u8]| Line::parse(raw.strip_suffix(b"\n").unwrap_or(raw)).map(|it| it.environment.into_owned());
    let its = environment(line);
    all.iter().copied().filter(|raw| environment(raw) == its).collect()
}

#[test]
fn what_was_announced_and_not_done_is_told_and_no_problem() {
    let mut record = Record::of_changes(2);
    record.change(0, Fate::Announced);
    let [dev, prod] = record.reports().try_into().unwrap();
    assert!(dev.is_sound() && notes(&dev) == [Code::NotDone] && prod.notes.is_empty(), "{dev:?}");
    record.change(0, Fate::Done);
    let report = &record.reports()[0];
    assert!(report.is_sound() && notes(report) == [Code::NotDone], "{report:?}");
    assert_eq!((report.proven, report.known), (5, Some(5)));
}

#[test]
fn an_older_copy_of_the_file_is_found_also_once_it_was_written_to() {
    let mut record = Record::of_changes(4);
    let old = record.bytes();
    (0..4).for_each(|index| record.change(index % 2, Fate::Done));
    assert_eq!(record.codes(&old), [Code::TailMissing; 2]);
    record.put(&old);
    assert_eq!(codes(&report(&record.stores[0], &[])), [Code::TailMissing]);
    record.change(0, Fate::Done);
    assert_eq!(codes(&record.reports()[0]), [Code::MissingLines]);
}

#[test]
fn a_record_of_which_every_line_was_changed_is_not_taken_for_one_that_was_cut() {
    let mut record = Record::new();
    (0..4).for_each(|_| record.change(0, Fate::Done));
    let bytes = record.bytes();
    let edited = String::from_utf8(bytes.clone()).unwrap().replace("\"action\":\"", "\"action\":\"un");
    assert!(edited.as_bytes() != bytes);
    let all = lines(&bytes).len();
    let told = &record.reports_of(edited.as_bytes())[0];
    assert_eq!(codes(told), vec![Code::AlteredLine; all], "{told:?}");
    // What is gone besides is told besides.
    let short = lines(edited.as_bytes())[..all - 2].concat();
    let told = codes(&record.reports_of(&short)[0]);
    assert_eq!(told, [vec![Code::AlteredLine; all - 2], vec![Code::TailMissing]].concat());
    assert_eq!(codes(&record.reports_of(&[])[0]), [Code::TailMissing]);
}

#[test]
fn two_lines_that_changed_places_are_one_problem() {
    let mut record = Record::new();
    (0..4).for_each(|_| record.change(0, Fate::Done));
    let bytes = record.bytes();
    for first in 0..6 {
        let mut swapped = lines(&bytes);
        swapped.swap(first, first + 1);
        assert_eq!(codes(&record.reports_of(&swapped.concat())[0]), [Code::MovedLines], "{first}");
    }
}

#[test]
fn a_store_that_was_put_back_is_explained_and_its_next_change_goes_on_behind_what_was_done() {
    let mut record = Record::of_changes(2);
    let (changes, generation) = (record.stores[0].changes.clone(), record.stores[0].generation);
    (0..2).for_each(|_| record.change(0, Fate::Done));
    (record.stores[0].changes, record.stores[0].generation) = (changes, generation);
    assert_eq!(codes(&record.reports()[0]), [Code::StoreBehind]);
    record.change(0, Fate::Done);
    let report = &record.reports()[0];
    assert!(report.is_sound() && notes(report) == [Code::StoreWentBack], "{report:?}");
    assert_eq!(report.known, Some(8));
}

#[test]
fn a_store_that_was_made_anew_begins_a_chain_behind_the_old_one() {
    let mut record = Record::of_changes(2);
    record.stores[0] = store("dev");
    record.change(0, Fate::Done);
    let report = &record.reports()[0];
    assert!(report.is_sound() && report.proven == 2, "{report:?}");
    assert!(report.not_checked.iter().any(|it| it.what == "the first 4 lines"), "{report:?}");
    let mut bytes = record.bytes();
    bytes[10] ^= 1;
    assert_eq!(codes(&record.reports_of(&bytes)[0]), [Code::OldLinesChanged]);
}

#[test]
fn a_store_from_before_there_were_chains_is_no_problem_and_begins_one() {
    let mut record = Record::new();
    record.put(&old_lines(&record));
    record.stores[0].changes = vec![Change::new(now(), "old", &record.stores[0].environment, 4, Subjects::default())];
    record.stores[0].generation = 5;
    assert!(record.reports()[0].is_sound());
    record.change(0, Fate::Done);
    let report = &record.reports()[0];
    assert!(report.is_sound() && report.known == Some(2), "{report:?}");
    assert_eq!(lines(&record.bytes()).len(), 7, "its last line was there already");
}

#[test]
fn files_that_were_rotated_away_are_one_record_in_their_order() {
    let mut record = Record::of_changes(4);
    let first = record.bytes();
    fs::rename(record.path(), record.directory.path().join("1")).unwrap();
    record.change(0, Fate::Done);
    record.change(0, Fate::Announced);
    let second = record.bytes();
    fs::rename(record.path(), record.directory.path().join("2")).unwrap();
    record.change(0, Fate::Done);
    let third = record.bytes();
    let dev = &record.stores[0];
    let whole = report(dev, &[&first, &second, &third]);
    assert!(whole.is_sound() && notes(&whole) == [Code::NotDone], "{whole:?}");
    assert_eq!(codes(&report(dev, &[&third])), [Code::HeadMissing]);
    assert_eq!(codes(&report(dev, &[&first, &third])), [Code::MissingLines]);
    assert_eq!(codes(&report(dev, &[&first])), [Code::TailMissing]);
    assert!(!report(dev, &[&second, &first, &third]).is_sound());
    let mut rotated = Verifier::new(dev, true);
    rotated.read("2", &*second).unwrap();
    rotated.read("3", &*third).unwrap();
    let rotated = rotated.finish();
    assert!(rotated.is_sound() && !rotated.not_checked.is_empty(), "{rotated:?}");
}

#[test]
fn the_writer_reads_no_more_of_the_file_than_its_end() {
    let mut record = Record::of_changes(2);
    let bytes = record.bytes();
    // Were it read, each of these would be looked at.
    let mut long = vec![b'x'; 64 * 1024 * 1024];
    long.push(b'\n');
    long.extend_from_slice(&bytes);
    record.put(&long);
    let start = std::time::Instant::now();
    let tail = tail::Tail::read(&record.root, &path(), &record.stores[1]).unwrap();
    assert!(tail.missing.is_empty() && tail.end.seq == 2);
    assert!(start.elapsed() < std::time::Duration::from_millis(50), "{:?}", start.elapsed());
    record.change(1, Fate::Lost);
    assert_eq!(tail::Tail::read(&record.root, &path(), &record.stores[1]).unwrap().missing.len(), 1);
}

#[test]
fn a_line_longer_than_the_memory_that_is_given_to_it_is_no_record() {
    let record = Record::of_changes(2);
    let mut bytes = record.bytes();
    let line = lines(&bytes)[3].to_vec();
    bytes.truncate(bytes.len() - 1);
    bytes.resize(bytes.len() + 1024 * 1024, b' ');
    bytes.push(b'\n');
    assert_eq!(codes(&record.reports_of(&bytes)[1]), [Code::ForeignLine]);
    bytes.extend_from_slice(&line);
    assert_eq!(codes(&record.reports_of(&bytes)[1]), [Code::ForeignLine]);
}
