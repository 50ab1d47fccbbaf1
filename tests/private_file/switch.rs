//! Files that are switched together.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use vault_kit::private_file::{FileKind, Member, Root, WriteOptions, Written};

fn members<'a>(cert: &'a [u8], key: &'a [u8]) -> [Member<'a>; 2] {
    let public = WriteOptions { mode: 0o644, ..WriteOptions::default() };
    [
        Member { name: "cert.pem", bytes: cert, options: public },
        Member { name: "key.pem", bytes: key, options: WriteOptions::default() },
    ]
}

fn entries(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn whoever_resolves_the_link_once_reads_a_pair_whenever_that_is() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(directory.path()).unwrap();
    root.switch("tls", &members(b"0", b"0")).unwrap();
    let tls = directory.path().join("tls");
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                // By its name each file opens at every instant, and is the whole of one generation.
                for name in ["cert.pem", "key.pem"] {
                    let text = String::from_utf8(std::fs::read(tls.join(name)).unwrap()).unwrap();
                    assert!(text.parse::<u32>().is_ok_and(|number| number <= 200), "{text}");
                }
                let generation = tls.join(std::fs::read_link(tls.join("..data")).unwrap());
                let (cert, key) =
                    (std::fs::read(generation.join("cert.pem")), std::fs::read(generation.join("key.pem")));
                // A generation that was replaced meanwhile is gone, never changed.
                if let (Ok(cert), Ok(key)) = (cert, key) {
                    assert_eq!(cert, key);
                    reads += 1;
                }
            }
            reads
        });
        for number in 1..=200 {
            let bytes = number.to_string().into_bytes();
            let written = root.switch("tls", &members(&bytes, &bytes)).unwrap();
            assert_eq!(written, [Written::Replaced, Written::Replaced]);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(reads > 0);
    assert_eq!(entries(&tls).len(), 4, "{:?}", entries(&tls));
    assert_eq!(root.read("tls/key.pem").unwrap().unwrap(), b"200");
    let facts = root.facts("tls/key.pem").unwrap().unwrap();
    assert_eq!((facts.kind, facts.mode), (FileKind::Regular, 0o600));
}

#[test]
fn what_is_the_same_is_not_touched_and_plain_files_become_links() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(directory.path()).unwrap();
    root.write("tls/cert.pem", b"old", &WriteOptions::default()).unwrap();
    let written = root.switch("tls", &members(b"new", b"new")).unwrap();
    assert_eq!(written, [Written::Replaced, Written::Created]);
    let before = entries(&directory.path().join("tls"));
    assert_eq!(root.switch("tls", &members(b"new", b"new")).unwrap(), [Written::Unchanged, Written::Unchanged]);
    assert_eq!(entries(&directory.path().join("tls")), before);
    assert_eq!(std::fs::read_link(directory.path().join("tls/cert.pem")).unwrap(), Path::new("..data/cert.pem"));
    // The relative link is as good where the directory is mounted elsewhere.
    let link = std::fs::read_link(directory.path().join("tls/..data")).unwrap();
    assert!(link.is_relative() && link.components().count() == 1, "{}", link.display());
}

#[test]
fn a_generation_that_a_killed_writer_left_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(directory.path()).unwrap();
    root.switch("tls", &members(b"1", b"1")).unwrap();
    root.write("tls/..0123456789abcdef/key.pem", b"lost", &WriteOptions::default()).unwrap();
    symlink("..0123456789abcdef", directory.path().join("tls/.vault-kit-tmp.0123456789abcdef")).unwrap();
    root.switch("tls", &members(b"1", b"1")).unwrap();
    assert_eq!(entries(&directory.path().join("tls")).len(), 4);
}

#[test]
fn no_link_is_followed_or_replaced_that_is_not_of_a_switch() {
    for (data, name) in [
        ("..", "..data/key.pem"),
        ("/etc", "..data/key.pem"),
        ("../elsewhere", "..data/key.pem"),
        ("..0123456789abcdef", "..data/other"),
        ("..0123456789abcdef", "../elsewhere/key.pem"),
        ("..0123456789abcdef/..", "..data/key.pem"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.write("elsewhere/key.pem", b"theirs", &WriteOptions::default()).unwrap();
        root.write("tls/..0123456789abcdef/other", b"theirs", &WriteOptions::default()).unwrap();
        symlink(data, directory.path().join("tls/..data")).unwrap();
        symlink(name, directory.path().join("tls/key.pem")).unwrap();
        assert_eq!(root.read("tls/key.pem").unwrap_err().code(), "symlink", "{data} {name}");
        assert_eq!(root.facts("tls/key.pem").unwrap().unwrap().kind, FileKind::Symlink, "{data} {name}");
        assert_eq!(root.switch("tls", &members(b"1", b"1")).unwrap_err().code(), "symlink", "{data} {name}");
        let refused = root.preflight_switch("tls", "key.pem", &WriteOptions::default());
        assert_eq!(refused.unwrap_err().code(), "symlink", "{data} {name}");
        assert_eq!(root.read("elsewhere/key.pem").unwrap().unwrap(), b"theirs");
    }
}
