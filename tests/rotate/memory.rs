//! While a program runs there is no value in our memory, neither the old nor the new one, nor a piece of either.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use vault_kit::rotate::select::Order;

use crate::fixture::{Ground, MANIFEST, Stagehand, masked, names, needles};
use crate::programs::{asked, project};
use crate::support::{Project, skip};

/// How often each needle stands in the writable memory of a process.
fn occurrences(process: &str, needles: &[Vec<u8>]) -> Vec<usize> {
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
    let old_needles = needles(&old);
    // The look finds what is there.
    let found = occurrences("self", &old_needles);
    assert!(found[0] > 0 && found[1] >= found[0], "the old value is in this very test");
    let encoded = data_encoding::BASE64.encode(&old);
    assert!(occurrences("self", &old_needles)[2] > 0, "and so is its base64");
    drop((old, encoded));
    assert_eq!(occurrences("self", &old_needles), [0; 3], "what is freed is wiped");
    let looked = Rc::new(Cell::new(0));
    let count = Rc::clone(&looked);
    *hand.waiting.borrow_mut() = Some(Rc::new(move |needle: &[Vec<u8>]| {
        let all: Vec<Vec<u8>> = old_needles.iter().chain(needle).cloned().collect();
        assert_eq!(all.len(), 6, "the new value is looked for as well");
        assert_eq!(occurrences("self", &all), vec![0; all.len()]);
        count.set(count.get() + 1);
    }));
    ground.machine(&hand, |machine| machine.run(&Order::Now(names(["DB"])), false)).unwrap().unwrap();
    assert_eq!(looked.get(), 3, "set, test and retire");
}

#[test]
fn while_a_hook_waits_the_program_itself_holds_no_value() {
    if !rustix::process::geteuid().is_root() {
        let test = "memory::while_a_hook_waits_the_program_itself_holds_no_value";
        return skip(test, "needs root to read the memory of another process");
    }
    let project = project();
    let mut old = project.get("DB");
    for step in ["set", "test", "reload", "retire"] {
        project.write(&format!("wait-{step}"), "");
        let mut child = project.command(["rotate", "DB"]).spawn().unwrap();
        // The whole line: its hook waits from then on.
        while asked_so_far(&project).last().is_none_or(|line| !line.starts_with(step)) {
            assert!(child.try_wait().unwrap().is_none(), "{step}: it ended before its hook waited");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let input = asked(&project).into_iter().rfind(|(step, _)| step == "set").unwrap().1;
        let new = input["new"]["value"].as_str().unwrap().as_bytes().to_vec();
        assert!(new != old, "{step}");
        let all = [needles(&old), needles(&new), vec![masked(b"rotate")]].concat();
        let counts = occurrences(&child.id().to_string(), &all);
        assert_eq!(counts[..6], [0; 6], "{step}: the old value and the new one, their middles, and base64 of these");
        assert!(counts[6] > 0, "the look finds what is there");
        std::fs::remove_file(project.path(&format!("wait-{step}"))).unwrap();
        assert!(child.wait().unwrap().success());
        old = new;
        std::fs::remove_file(project.path("asked")).unwrap();
    }
}

/// The lines that hooks wrote, as far as they are whole.
fn asked_so_far(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.path("asked")).unwrap_or_default();
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
}
