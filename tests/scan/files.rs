//! Which files are looked at, and what is no file.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use crate::git::{git, repository};
use crate::{findings, report, scan, set, shop};

#[test]
fn without_git_everything_is_looked_at_but_what_we_delivered() {
    let project = shop();
    let auth = project.get("AUTH");
    project.write("src/app.py", [b"key = '", &auth[..], b"'\n"].concat());
    project.write("copy/.env", project.bytes(".env"));
    let found = findings(&scan(&project, &[]).assert_code(1));
    let files: Vec<&str> = found.iter().filter(|it| it.0 == "AUTH").map(|it| it.1.as_str()).collect();
    assert_eq!(files, ["copy/.env", "src/app.py"]);
    // Who names it means it.
    assert!(!findings(&scan(&project, &[".env"]).assert_code(1)).is_empty());
}

#[test]
fn links_fifos_and_files_that_nobody_can_read_end_no_search() {
    let project = shop();
    let auth = project.get("AUTH");
    project.write("tree/a/key", &auth);
    symlink("..", project.path("tree/a/up")).unwrap();
    symlink("loop", project.path("tree/loop")).unwrap();
    symlink("a/key", project.path("tree/link")).unwrap();
    let fifo = project.path("tree/fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let run = scan(&project, &["tree"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "tree/a/key", 1)]));
    assert_eq!(report(&run)["not_checked"].as_array().unwrap().len(), 1, "{}", run.stdout);
    assert_eq!(findings(&scan(&project, &["tree/link"]).assert_code(1)), set(&[("AUTH", "tree/link", 1)]));
    // Who names one is told that nothing of it would be read, whoever may write into it.
    let _socket = std::os::unix::net::UnixListener::bind(project.path("socket")).unwrap();
    for named in ["tree/fifo", "socket", "/dev/null"] {
        let run = project.run(["scan", named, "tree/a/key"]).assert_code(2);
        assert!(run.stderr.contains(&format!("`{named}` is a pipe, a socket or a device")), "{run:?}");
        assert!(
            run.stderr.contains("vault-kit: hint: write what it has into a file") && run.stdout.is_empty(),
            "{run:?}"
        );
    }
}

#[test]
fn a_file_has_one_name_wherever_it_is_looked_at_so_that_its_line_lets_it_pass() {
    let project = shop();
    project.write("src/deep/key", project.get("AUTH"));
    symlink("deep/key", project.path("src/link")).unwrap();
    let (top, src) = (project.root().to_owned(), project.path("src"));
    let ways = [
        (&top, "src/deep/key", "src/deep/key"),
        (&top, "src", "src/deep/key"),
        (&src, "deep/key", "src/deep/key"),
        (&src, "./deep", "src/deep/key"),
        (&src, "../src/deep/../deep/key", "src/deep/key"),
        (&src, ".", "src/deep/key"),
        (&src, "link", "src/link"),
    ];
    let scan_in = |directory: &std::path::Path, path: &str| {
        crate::support::Run::of(project.command(["scan", "--json", path]).current_dir(directory))
    };
    for (directory, path, file) in ways {
        let run = scan_in(directory, path).assert_code(1);
        assert_eq!(findings(&run), set(&[("AUTH", file, 1)]), "{path}");
    }
    let line = report(&scan_in(&src, "deep/key"))["findings"][0]["ignore"].as_str().unwrap().to_owned();
    project.write(".vault-kit-ignore", line + "\n");
    for (directory, path, file) in ways {
        scan_in(directory, path).assert_code(i32::from(file == "src/link"));
    }
}

#[test]
fn a_name_that_no_terminal_should_get_is_escaped() {
    let project = shop();
    let name = std::ffi::OsStr::from_bytes(b"a\nb\xff\x1b[2J.txt");
    std::fs::create_dir(project.path("odd")).unwrap();
    std::fs::write(project.path("odd").join(name), project.get("AUTH")).unwrap();
    let run = scan(&project, &["odd"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "odd/a\\nb\\xff\\u{1b}[2J.txt", 1)]));
    assert!(!project.run(["scan", "odd"]).assert_code(1).stdout.contains('\x1b'));
}

#[test]
fn a_sparse_file_of_gigabytes_and_an_archive_bomb_end_soon() {
    let project = shop();
    let auth = project.get("AUTH");
    std::fs::create_dir(project.path("hostile")).unwrap();
    let sparse = std::fs::File::create(project.path("hostile/sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, &auth, 2 << 30).unwrap();
    sparse.set_len(3 << 30).unwrap();
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..40 {
        std::io::Write::write_all(&mut bomb, &vec![0; 1 << 20]).unwrap();
    }
    project.write("hostile/bomb.gz", bomb.finish().unwrap());
    let run = scan(&project, &["hostile"]).assert_code(1);
    // Neither the holes nor what comes out of the bomb is read to its end.
    assert!(report(&run)["looked_at"]["bytes"].as_u64().unwrap() < 20 << 20, "{}", run.stdout);
    assert_eq!(findings(&run), set(&[("AUTH", "hostile/sparse", 1), ("archive-bomb", "hostile/bomb.gz", 1)]));
    let all = report(&run)["findings"].as_array().unwrap().clone();
    let bomb = all.iter().find(|it| it["file"] == "hostile/bomb.gz").unwrap();
    assert_eq!(
        (&bomb["code"], &bomb["rule"], &bomb["severity"]),
        (&"unsearched".into(), &"archive-bomb".into(), &"error".into())
    );
    assert!(bomb["message"].as_str().unwrap().contains("unpacks to more than"), "{bomb}");
}

/// A gzip file that more comes out of than is looked through.
fn bomb() -> Vec<u8> {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut bomb, &vec![0; 20 << 20]).unwrap();
    bomb.finish().unwrap()
}

#[test]
fn an_archive_that_was_not_looked_through_fails_until_a_line_lets_these_bytes_pass() {
    let project = shop();
    project.write("data/bomb.gz", bomb());
    let run = project.run(["scan", "data"]).assert_code(1);
    assert!(run.stdout.contains("1 archive not looked through") && !run.stdout.contains("no leak found"), "{run:?}");
    for format in ["sarif", "junit", "github"] {
        let run = project.run(["scan", "data", "--format", format]).assert_code(1);
        assert!(run.stdout.contains("archive-bomb") && !run.stdout.contains("omebody's credential"), "{run:?}");
    }
    let run = scan(&project, &["data"]).assert_code(1);
    let line = report(&run)["findings"][0]["ignore"].as_str().unwrap().to_owned();
    project.write(".vault-kit-ignore", format!("{line}\n"));
    let run = project.run(["scan", "data"]).assert_code(0);
    assert!(run.stdout.contains("no leak found"), "{run:?}");
    project.write("data/bomb.gz", [&bomb()[..], b"\0"].concat());
    project.run(["scan", "data"]).assert_code(1);
}

#[test]
fn without_git_or_its_index_nobody_is_told_that_all_was_looked_at() {
    let project = shop();
    let run = project.run(["scan"]).assert_code(0);
    assert!(run.stderr.contains("there is no git repository here: all files were looked at but"), "{run:?}");
    git(&project, &["init", "-q"]).assert_code(0);
    git(&project, &["add", ".gitignore"]).assert_code(0);
    let run = project.run(["scan"]).assert_code(0);
    assert!(!run.stdout.contains("what git tracks") && !run.stderr.contains("git"), "{run:?}");
    project.write(".git/index", "damaged");
    let run = project.run(["scan"]).assert_code(0);
    assert!(run.stdout.contains("not checked  what git tracks: git does not tell it here"), "{run:?}");
    project.run(["scan", "--strict"]).assert_code(1);
}

#[test]
fn a_damaged_archive_is_told_of_and_looked_through_as_it_is() {
    let project = shop();
    let auth = project.get("AUTH");
    project.write("bad/a.zip", [b"PK\x03\x04 nothing of the kind ", &auth[..]].concat());
    project.write("bad/a.gz", [b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &auth[..]].concat());
    let run = scan(&project, &["bad"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "bad/a.gz", 1), ("AUTH", "bad/a.zip", 1)]));
    assert_eq!(report(&run)["not_checked"].as_array().unwrap().len(), 3);
}

#[test]
fn a_value_in_the_name_of_a_file_is_found_and_never_told() {
    let project = shop();
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.write(&format!("kept/{auth}/notes.txt"), "nothing");
    project.write(&format!("kept/dump-{auth}.txt"), format!("AUTH={auth}"));
    for arguments in [&["scan", "kept"][..], &["scan", "kept", "--json"]] {
        let run = project.run(arguments).assert_code(1);
        assert!(!run.both().contains(&auth), "{run:?}");
        assert!(
            run.stdout.contains("kept/…/notes.txt") && run.stdout.contains("its name has the current value"),
            "{run:?}"
        );
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let project = shop();
    project.write("note.txt", "nothing");
    let run = scan(&project, &["--image", "note.txt"]).assert_code(2);
    assert!(run.stderr.contains("`note.txt` is no container image"), "{run:?}");
}

/// A tar archive of these members, as far as a reader looks.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in members {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        archive.extend(header);
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// What could not be looked at, and why.
fn unseen(run: &crate::support::Run) -> Vec<(String, String)> {
    let text = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
    let unseen = report(run)["not_checked"].as_array().unwrap().clone();
    let files = unseen.iter().filter(|it| it["what"].as_str().unwrap().contains('.'));
    files.map(|it| (text(&it["what"]), text(&it["why"]))).collect()
}

#[test]
fn what_is_packed_otherwise_or_deeper_is_told_as_not_looked_at() {
    let project = shop();
    let auth = project.get("AUTH");
    project.write("src/a.tar.xz", b"\xfd7zXZ\0\0\x04 and so on");
    project.write("src/b.bz2", b"BZh91AY&SY and so on");
    project.write("src/c.7z", b"7z\xbc\xaf\x27\x1c and so on");
    project.write("src/d.rar", b"Rar!\x1a\x07\0 and so on");
    let inner = tar(&[("key", &auth)]);
    // A reader of one level finds what lies in an inner archive as it is, and says that it did not look into it.
    let packed = [b"\x1f\x8b\x08\0", &inner[..64]].concat();
    project.write("src/e.tar", tar(&[("inner.tar", &tar(&[("clean", b"nothing")])), ("inner.gz", &packed)]));
    project.write("src/plain.txt", "BZh9 is how bzip2 begins, and 7z is a name");
    let run = scan(&project, &["src"]).assert_code(0);
    let named: Vec<(String, bool)> =
        unseen(&run).into_iter().map(|(what, why)| (what, why.contains("unpack it first"))).collect();
    let expected = ["src/a.tar.xz", "src/b.bz2", "src/c.7z", "src/d.rar", "src/e.tar!inner.gz", "src/e.tar!inner.tar"];
    assert_eq!(named, expected.map(|it| (it.to_owned(), true)));
    scan(&project, &["src", "--strict"]).assert_code(1);
    project.write("src/e.tar", tar(&[("inner.tar", &inner)]));
    assert_eq!(findings(&scan(&project, &["src"]).assert_code(1)), set(&[("AUTH", "src/e.tar!inner.tar", 1)]));
}

#[test]
fn an_image_that_lacks_what_it_is_made_of_is_not_called_clean() {
    let project = shop();
    let config = br#"{"config": {}}"#;
    let manifest = br#"[{"Config": "config.json", "RepoTags": [], "Layers": ["one/layer.tar", "two/layer.tar"]}]"#;
    let layer = tar(&[("etc/hosts", b"nothing")]);
    let whole: [(&str, &[u8]); 4] =
        [("one/layer.tar", &layer), ("two/layer.tar", &layer), ("config.json", config), ("manifest.json", manifest)];
    project.write("app.tar", tar(&whole));
    assert_eq!(unseen(&scan(&project, &["--image", "app.tar"]).assert_code(0)), []);
    for lacks in [0, 1, 2] {
        let mut members = whole.to_vec();
        let (name, _) = members.remove(lacks);
        project.write("app.tar", tar(&members));
        let run = scan(&project, &["--image", "app.tar"]).assert_code(0);
        let told = unseen(&run);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].0 == format!("app.tar!{name}") && told[0].1.contains("is not in the file"), "{told:?}");
        scan(&project, &["--image", "app.tar", "--strict"]).assert_code(1);
    }
    // As an OCI layout: the index names a manifest, and that its configuration and layers.
    let index = br#"{"schemaVersion": 2, "manifests": [{"digest": "sha256:aa"}]}"#;
    let manifest = br#"{"schemaVersion": 2, "config": {"digest": "sha256:bb"}, "layers": [{"digest": "sha256:cc"}]}"#;
    let layout: [(&str, &[u8]); 3] =
        [("index.json", index), ("blobs/sha256/aa", manifest), ("blobs/sha256/bb", config)];
    project.write("app.tar", tar(&layout));
    let told = unseen(&scan(&project, &["--image", "app.tar"]).assert_code(0));
    assert_eq!(told.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["app.tar!blobs/sha256/cc"]);
}

#[test]
fn a_value_in_a_name_is_cured_by_another_name() {
    let project = repository();
    let value = String::from_utf8(project.get("AUTH")).unwrap();
    project.write(&format!("{value}/notes.txt"), "clean\n");
    git(&project, &["add", &value]).assert_code(0);
    for arguments in [&["scan", "--staged"][..], &["scan"]] {
        let run = project.run(arguments).assert_code(1);
        assert!(run.stdout.contains("fix: give it another name (`git mv`"), "{run:?}");
        assert!(!run.both().contains("take it out of the file"), "{run:?}");
    }
    git(&project, &["mv", &value, "kept"]).assert_code(0);
    project.run(["scan", "--staged"]).assert_code(0);
}

#[test]
fn an_address_with_a_weak_password_is_looked_for() {
    let project = shop();
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", format!("{manifest}\n[secrets.CACHE_URL]\nkind = \"external\"\n"));
    let address = "redis://:hunter2secretX@cache:6379/0";
    project.run_with_stdin(["set", "CACHE_URL"], address.as_bytes()).assert_code(0);
    project.write("compose.yml", format!("services:\n  a: {{ environment: [CACHE_URL={address}] }}\n"));
    let run = scan(&project, &["compose.yml"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("CACHE_URL", "compose.yml", 2)]));
    assert!(!report(&run)["not_checked"].to_string().contains("CACHE_URL"), "{run:?}");
}
