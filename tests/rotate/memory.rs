//! While a program runs there is no value in our memory, neither the old nor the new one.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use vault_kit::rotate::select::Order;

use crate::fixture::{Ground, MANIFEST, Stagehand, masked, names};
use crate::support::Project;

/// How often each needle stands in the writable memory of this process.
fn occurrences(needles: &[Vec<u8>]) -> Vec<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut counts = vec![0; needles.len()];
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // Some regions cannot be read.
        let Ok(read) = memory.read_at(&mut bytes, start) else { continue };
        bytes.truncate(read);
        // Never in the clear: the copy would be found.
        let bytes = masked(&std::mem::take(&mut bytes));
        for (needle, count) in needles.iter().zip(&mut counts) {
            *count += bytes.windows(needle.len()).filter(|window| window == needle).count();
        }
    }
    counts
}

#[test]
fn while_a_program_runs_no_value_is_held() {
    let project = Project::initialised(MANIFEST);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let old = project.get("DB");
    let needles = vec![masked(&old)];
    // The look finds what is there.
    assert!(occurrences(&needles)[0] > 0, "the old value is in this very test");
    drop(old);
    let before = occurrences(&needles)[0];
    assert_eq!(before, 0, "what is freed is wiped");
    let looked = Rc::new(Cell::new(0));
    let count = Rc::clone(&looked);
    *hand.waiting.borrow_mut() = Some(Rc::new(move |needle: &[Vec<u8>]| {
        let all: Vec<Vec<u8>> = needles.iter().chain(needle).cloned().collect();
        assert!(all.len() > 1, "the new value is looked for as well");
        assert_eq!(occurrences(&all), vec![0; all.len()]);
        count.set(count.get() + 1);
    }));
    ground.machine(&hand, |machine| machine.run(&Order::Now(names(["DB"])), false)).unwrap().unwrap();
    assert_eq!(looked.get(), 3, "set, test and retire");
}
