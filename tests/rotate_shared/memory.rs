//! How often a value stands in our memory while a program waits that was given it, with AWS in the process.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::fixture::{Host, Owner, pair};
use crate::support::skip;

/// How many were found, of the old and of the new value. SECURITY.md says it.
const MOST: [usize; 2] = [0, 0];

/// How often each needle stands in the writable memory of a process.
fn occurrences(process: u32, needles: &[&[u8]]) -> Vec<usize> {
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

/// Runs a rotation until its owner tests the new value, and counts both values in the memory of our process then.
fn counted(owner: &Owner, host: &Host) -> [usize; 2] {
    let old = host.get("DB");
    owner.does("wait-test");
    owner.forget();
    let mut child = host.command(["rotate", "DB"]).spawn().unwrap();
    while !owner.steps().contains(&"test".to_owned()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its program waited");
        std::thread::yield_now();
    }
    let new = owner.current();
    let counts = occurrences(child.id(), &[old.as_bytes(), new.as_bytes(), b"rotate"]);
    assert!(counts[2] > 0, "the look finds what is there");
    owner.stops("wait-test");
    assert!(child.wait().unwrap().success());
    assert_eq!(host.get("DB"), new);
    [counts[0], counts[1]]
}

#[test]
#[expect(clippy::print_stderr, reason = "the number is part of what the test shows")]
fn while_a_program_waits_the_values_are_in_our_memory_no_more_often_than_said() {
    if !rustix::process::geteuid().is_root() {
        return skip(
            "while_a_program_waits_the_values_are_in_our_memory",
            "needs root to read the memory of another process",
        );
    }
    let (_fake, owner, first, second) = pair("");
    let own = counted(&owner, &first);
    // A value that another host sent is read from there.
    second.run(["sync", "pull"]).assert_code(0);
    owner.does("die-set");
    first.run(["rotate", "DB"]).assert_code(137);
    let other = counted(&owner, &second);
    for (whose, [old, new]) in [("our", own), ("another host's", other)] {
        eprintln!("while a hook waits: {old} of the old value, {new} of the new one, which is {whose}");
        assert_eq!([old, new], MOST, "SECURITY.md says how many");
    }
}
