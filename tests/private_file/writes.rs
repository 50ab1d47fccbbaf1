//! Replacing, tightening, leaving alone.

use std::fs;
use std::os::unix::fs::MetadataExt;

use vault_kit::error::Kind;
use vault_kit::private_file::{Batch, WriteOptions, Written};

use crate::{entries, fresh, identity, in_place, metadata, mode, private, put, with_mode};

#[test]
fn an_unchanged_file_is_not_touched() {
    let (directory, root) = fresh();
    let file = directory.path().join("env");
    root.write("env", b"SECRET", &private()).unwrap();
    let before = (identity(&file), identity(directory.path()));
    for options in [private(), in_place()] {
        root.preflight("env", &options).unwrap();
        assert_eq!(root.write("env", b"SECRET", &options).unwrap(), Written::Unchanged);
    }
    assert_eq!((identity(&file), identity(directory.path())), before);
}

#[test]
fn a_mode_that_is_declared_wider_later_takes_effect_on_the_same_content() {
    let (directory, root) = fresh();
    root.write("env", b"SECRET", &private()).unwrap();
    assert_eq!(root.write("env", b"SECRET", &with_mode(0o640)).unwrap(), Written::Replaced);
    assert_eq!(mode(directory.path().join("env")), 0o640);
    assert_eq!(root.write("env", b"SECRET", &with_mode(0o640)).unwrap(), Written::Unchanged);
}

#[test]
fn a_loose_file_with_the_right_content_is_tightened_where_it_is() {
    let (directory, root) = fresh();
    let file = directory.path().join("env");
    put(&file, b"SECRET", 0o644);
    let before = metadata(&file);
    assert_eq!(root.write("env", b"SECRET", &private()).unwrap(), Written::Tightened);
    let after = metadata(&file);
    assert_eq!((after.ino(), after.mtime_nsec(), after.mode() & 0o7777), (before.ino(), before.mtime_nsec(), 0o600));
}

#[test]
fn a_loose_file_with_another_content_is_replaced_by_a_strict_one() {
    let (directory, root) = fresh();
    for options in [private(), in_place()] {
        put(directory.path().join("env"), b"old", 0o666);
        assert_eq!(root.write("env", b"SECRET", &options).unwrap(), Written::Replaced);
        assert_eq!(mode(directory.path().join("env")), 0o600);
    }
}

#[test]
fn in_place_keeps_the_inode_and_fits_the_length() {
    let (directory, root) = fresh();
    let file = directory.path().join("env");
    root.write("env", b"a long old content", &in_place()).unwrap();
    let inode = metadata(&file).ino();
    for content in [&b"short"[..], b"", b"a much longer new content"] {
        assert_eq!(root.write("env", content, &in_place()).unwrap(), Written::Replaced);
        assert_eq!((fs::read(&file).unwrap().as_slice(), metadata(&file).ino()), (content, inode));
    }
    root.write("env", b"by rename", &private()).unwrap();
    assert_ne!(metadata(&file).ino(), inode);
}

#[test]
fn a_new_file_does_not_replace_one_that_exists() {
    let (directory, root) = fresh();
    let options = WriteOptions { create_new: true, ..private() };
    assert_eq!(root.write("env", b"one", &options).unwrap(), Written::Created);
    for result in [root.write("env", b"SECRET", &options).map(drop), root.preflight("env", &options)] {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Conflict, "exists"));
    }
    assert_eq!(fs::read(directory.path().join("env")).unwrap(), b"one");
    assert_eq!(entries(directory.path()), ["env"]);
}

#[test]
fn of_two_that_create_the_same_new_file_one_wins() {
    let (directory, root) = fresh();
    let options = WriteOptions { create_new: true, ..private() };
    for round in 0..20 {
        let path = format!("env{round}");
        let results: Vec<bool> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4).map(|_| scope.spawn(|| root.write(&path, b"x", &options).is_ok())).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|&&won| won).count(), 1);
    }
    assert_eq!(entries(directory.path()).len(), 20);
}

#[test]
fn a_batch_writes_every_file_and_finishes_once_for_all() {
    let (directory, root) = fresh();
    let mut batch = Batch::new();
    for path in ["one", "two", "deep/er/three"] {
        assert_eq!(batch.write(&root, path, path.as_bytes(), &private()).unwrap(), Written::Created);
    }
    batch.finish().unwrap();
    assert_eq!(entries(directory.path()), ["deep", "one", "two"]);
    assert_eq!(root.read("deep/er/three").unwrap().unwrap(), b"deep/er/three");
}
