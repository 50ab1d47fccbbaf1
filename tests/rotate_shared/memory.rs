//! How often a value stands in our memory while a program waits that was given it, with AWS in the process.

use std::fs::File;
use std::os::unix::fs::FileExt;

use data_encoding::BASE64;

use crate::fixture::{Host, Owner, pair};
use crate::support::{counted, skip};

/// How many were found while a program waits, of the old and of the new value: of each as a whole, of its middle, and of base64 of
/// that. SECURITY.md says it.
const MOST: [[usize; 3]; 2] = [[0; 3]; 2];

/// The steps in which a program waits.
const STEPS: [&str; 4] = ["set", "test", "reload", "retire"];

/// How often each needle stands in the writable memory of a process.
fn occurrences(process: u32, needles: &[Vec<u8>]) -> Vec<usize> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut counts = vec![0; needles.len()];
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // Some regions cannot be read.
        let Ok(read) = memory.read_at(&mut bytes, start) else { continue };
        bytes.truncate(read);
        for (needle, count) in needles.iter().zip(&mut counts) {
            *count += bytes.windows(needle.len()).filter(|window| window == needle).count();
        }
    }
    counts
}

/// By what a value is found: itself, its middle, and base64 of that, which is in base64 of the whole.
fn needles(value: &str) -> Vec<Vec<u8>> {
    // Whole groups of three bytes before it and in it.
    let middle = &value.as_bytes()[(value.len() - 24) / 6 * 3..][..24];
    vec![value.into(), middle.into(), BASE64.encode(middle).into()]
}

/// Runs a rotation, and counts both values in the memory of our process while a program waits, in each step.
fn rotate(owner: &Owner, host: &Host) -> Vec<[[usize; 3]; 2]> {
    let old = host.get("DB");
    owner.does("wait-set");
    owner.forget();
    let mut child = host.command(["rotate", "DB"]).spawn().unwrap();
    let mut found = Vec::new();
    for (index, step) in STEPS.iter().enumerate() {
        while owner.steps().last().is_none_or(|last| last != step) {
            assert!(child.try_wait().unwrap().is_none(), "{step}: it ended before its program waited");
            std::thread::yield_now();
        }
        let new = owner.log()[0].1.clone();
        assert!(new != old && new.len() == old.len(), "{step}");
        let all = [needles(&old), needles(&new), vec![b"rotate".to_vec()]].concat();
        let counts = occurrences(child.id(), &all);
        assert!(counts[6] > 0, "{step}: the look finds what is there");
        found.push([[counts[0], counts[1], counts[2]], [counts[3], counts[4], counts[5]]]);
        STEPS.get(index + 1).iter().for_each(|next| owner.does(&format!("wait-{next}")));
        owner.stops(&format!("wait-{step}"));
    }
    assert!(child.wait().unwrap().success());
    assert!(host.get("DB") != old);
    found
}

#[test]
fn while_a_program_waits_the_values_are_in_our_memory_no_more_often_than_said() {
    if !rustix::process::geteuid().is_root() {
        let test = "memory::while_a_program_waits_the_values_are_in_our_memory_no_more_often_than_said";
        return skip(test, "needs root to read the memory of another process");
    }
    let (_fake, owner, first, second) = pair("");
    let own = rotate(&owner, &first);
    // A value that another host sent is read from there.
    second.run(["sync", "pull"]).assert_code(0);
    owner.does("die-set");
    first.run(["rotate", "DB"]).assert_code(137);
    let other = rotate(&owner, &second);
    for (whose, found) in [("our own", own), ("another host's", other)] {
        for (step, [old, new]) in STEPS.iter().zip(&found) {
            counted(&format!(
                "in our memory while a hook waits in `{step}`, the new value being {whose}: {old:?} of the old one, {new:?} of \
                 the new one (whole, its middle, base64 of that)"
            ));
        }
        assert_eq!(found, [MOST; 4], "SECURITY.md says how many");
    }
}
