//! `--out` and `--metrics`: a file that is there is replaced only by one of its kind.

use crate::MANIFEST;
use crate::support::Project;

const WRITERS: [&[&str]; 3] = [&["cert", "ca", "--out"], &["cert", "crl", "--out"], &["status", "--metrics"]];

#[test]
fn what_is_of_another_kind_is_not_replaced() {
    let output = "[outputs.one]\nformat = \"pem\"\npath = \"one\"\nsecrets = [\"TLS\"]\nlayout = \"haproxy\"\n";
    let project = Project::initialised(&(MANIFEST.to_owned() + output));
    project.write("note.txt", "remember the milk\n");
    let identity = project.identity();
    let files = [identity.to_str().unwrap(), "vault-kit.toml", "note.txt", "tls/key.pem", "one/site.pem"];
    for (writer, file) in WRITERS.iter().flat_map(|writer| files.iter().map(move |file| (writer, file))) {
        let before = project.contents();
        let run = project.run(writer.iter().chain([file])).assert_code(2);
        assert!(run.stderr.contains(&format!("error: `{file}` is there, and is no file of ")), "{writer:?}: {run:?}");
        assert!(run.stderr.contains("hint: nothing was changed; name another file"), "{run:?}");
        assert!(project.contents() == before, "{writer:?} {file}");
    }
}

#[test]
fn nothing_is_written_among_the_files_of_the_store() {
    let project = Project::initialised(MANIFEST);
    std::os::unix::fs::symlink(".vault-kit", project.path("elsewhere")).unwrap();
    for file in [".vault-kit/dev.age", ".vault-kit/new.pem", "elsewhere/new.pem"] {
        for writer in WRITERS {
            let before = project.contents();
            let run = project.run(writer.iter().chain([&file])).assert_code(2);
            assert!(run.stderr.contains("is among the files of the store"), "{writer:?} {file}: {run:?}");
            assert!(project.contents() == before, "{writer:?} {file}");
        }
    }
}

#[test]
fn one_of_its_kind_is_replaced_and_an_empty_file_filled() {
    let project = Project::initialised(MANIFEST);
    for writer in WRITERS {
        project.write("out", "");
        for _ in 0..2 {
            project.run(writer.iter().chain([&"out"])).assert_code(0);
        }
        assert!(!project.read("out").is_empty());
    }
}
