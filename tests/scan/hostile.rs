//! What was made to exhaust who looks at it: bounded memory and time, and everything else is found all the same.

use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, symlink};

use crate::support::{Project, Run};
use crate::{findings, report, set, shop};

/// Megabytes that a bomb unpacks to.
const BOMB: usize = 160;
/// Seconds of processor time, which other tests do not take.
const TIME: &str = "20";

/// The program with so much memory and time, and no more.
///
/// A thread has a stack and room of its own, and there is one for each processor: up to four, this is less than one bomb.
fn bounded(project: &Project, arguments: &[&str]) -> Run {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let script = format!("ulimit -v {} && ulimit -t {TIME} && exec \"$@\"", (96 + 16 * threads) << 10);
    let wrapper = ["sh", "-c", &script, "sh", "env", "MALLOC_ARENA_MAX=1"];
    Run::of(&mut project.command_under(wrapper, arguments))
}

/// A member of a zip file: its name, how it is packed (0 or 8), and its packed bytes, of which it says that they are so many.
struct Member {
    name: String,
    method: u8,
    packed: Vec<u8>,
    size: u32,
}

/// A zip file of these, whose checksums nobody gets to.
fn zip(members: &[Member]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for it in members {
        let at = u32::try_from(file.len()).unwrap();
        let (name, packed) = (it.name.as_bytes(), u32::try_from(it.packed.len()).unwrap());
        let mut common = vec![20, 0, 0, 0, it.method, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(packed.to_le_bytes());
        common.extend(it.size.to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        file.extend([b"PK\x03\x04", &common[..], name, &it.packed].concat());
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at.to_le_bytes(), name].concat());
    }
    let (at, count) = (u32::try_from(file.len()).unwrap(), u16::try_from(members.len()).unwrap().to_le_bytes());
    let size = u32::try_from(directory.len()).unwrap();
    file.extend(directory);
    let end = [&[0; 4][..], &count, &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0; 2]].concat();
    file.extend([b"PK\x05\x06", &end[..]].concat());
    file
}

/// So many zeros, deflated: one megabyte, again and again.
fn zeros() -> Vec<u8> {
    let mut once = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    once.write_all(&vec![0; 1 << 20]).unwrap();
    once.flush().unwrap();
    once.get_ref().repeat(BOMB)
}

#[test]
fn bombs_cost_neither_memory_nor_time_and_hide_nothing() {
    let project = shop();
    let auth = project.get("AUTH");
    let zeros = zeros();
    let bomb = |name: &str, method| Member { name: name.to_owned(), method, packed: zeros.clone(), size: u32::MAX };
    project.write("bombs/one.zip", zip(&[bomb("zeros", 8)]));
    project.write("bombs/inner.zip", zip(&[Member { packed: zip(&[bomb("zeros", 8)]), ..bomb("inner.zip", 0) }]));
    // Members without end, and a value in the last.
    let many = (0..20_000).map(|n| Member { name: format!("{n}"), method: 0, packed: Vec::new(), size: 0 });
    let last =
        Member { name: "last".into(), method: 0, size: u32::try_from(auth.len()).unwrap(), packed: auth.clone() };
    project.write("bombs/many.zip", zip(&many.chain([last]).collect::<Vec<_>>()));
    let sparse = std::fs::File::create(project.path("bombs/sparse")).unwrap();
    sparse.write_all_at(&auth, 2 << 30).unwrap();
    sparse.set_len(8 << 30).unwrap();
    symlink("..", project.path("bombs/up")).unwrap();
    symlink("loop", project.path("bombs/loop")).unwrap();
    project.write("bombs/z.txt", &auth);
    let run = bounded(&project, &["scan", "--json", "bombs"]).assert_code(1);
    let expected = [
        ("AUTH", "bombs/many.zip!last", 1),
        ("AUTH", "bombs/sparse", 1),
        ("AUTH", "bombs/z.txt", 1),
        ("archive-bomb", "bombs/one.zip", 1),
    ];
    assert_eq!(findings(&run), set(&expected), "{run:?}");
    assert!(report(&run)["not_checked"].to_string().contains("bombs/inner.zip!inner.zip"), "{run:?}");
}

#[test]
fn a_compose_file_that_grows_without_end_costs_neither_memory_nor_time() {
    let level = |n: usize| format!("x-{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]", n - 1);
    let bomb = (1..40).map(level).collect::<Vec<_>>().join("\n");
    let interpolated = format!("services: {{ a: {{ image: \"{}\" }} }}\n", "${A:-".repeat(20_000));
    let cycle = "include: [compose.yaml]\nservices: { a: { extends: b, image: a }, b: { extends: a } }\n".to_owned();
    let deep = format!("services: {}", "[".repeat(500_000));
    for text in
        [format!("x-0: &a0 [x]\n{bomb}\nservices: {{ a: {{ image: x, labels: *a39 }} }}\n"), interpolated, cycle, deep]
    {
        let project = Project::with_manifest("[project]\nname = \"p\"\ncompose = [\"compose.yaml\"]\n");
        project.write("compose.yaml", &text);
        let run = bounded(&project, &["check", "--at", "repo"]).assert_code(1);
        let start: String = text.chars().take(40).collect();
        assert!(run.stdout.contains("compose-"), "{start}: {run:?}");
    }
}

#[test]
fn pipes_and_giants_in_the_place_of_what_is_read_first_hold_up_nobody() {
    let giant = |project: &Project, name: &str| {
        let _ = std::fs::remove_file(project.path(name));
        std::fs::File::create(project.path(name)).unwrap().set_len(2 << 30).unwrap();
    };
    let git = |project: &Project| {
        let mut git = std::process::Command::new("git");
        assert!(git.args(["init", "--quiet"]).current_dir(project.root()).status().unwrap().success());
    };
    let fifo = |project: &Project, name: &str| {
        let _ = std::fs::remove_file(project.path(name));
        assert!(std::process::Command::new("mkfifo").arg(project.path(name)).status().unwrap().success());
    };
    for place in [fifo as fn(&Project, &str), giant] {
        let project = shop();
        git(&project);
        place(&project, ".git/info/exclude");
        place(&project, ".gitignore");
        let run = bounded(&project, &["check", "--at", "repo", "--json"]);
        assert!([0, 1].contains(&run.code) && report(&run)["not_checked"].to_string().contains("ignore"), "{run:?}");
    }
    let project = shop();
    fifo(&project, "image.tar");
    let run = bounded(&project, &["scan", "--image", "image.tar"]).assert_code(2);
    assert!(run.stderr.contains("`image.tar` is no regular file"), "{run:?}");
    git(&project);
    giant(&project, "message");
    let run = bounded(&project, &["scan", "--message", "message"]).assert_code(2);
    assert!(run.stderr.contains("`message` is larger than 64 MiB"), "{run:?}");
    for (name, arguments) in [
        (".env", &["check"][..]),
        (".vault-kit-ignore", &["scan", "--rules-only"]),
        (".env.example", &["check"]),
        ("vault-kit.toml", &["check"]),
        (".vault-kit/dev.ledger.jsonl", &["check"]),
        (".vault-kit/dev.age", &["get", "AUTH"]),
    ] {
        let project = shop();
        giant(&project, name);
        let run = bounded(&project, arguments);
        assert!((1..=8).contains(&run.code), "{name}: {run:?}");
        assert!(run.both().contains(" MiB"), "{name}: {run:?}");
    }
}
