//! Leaves out of the program what nobody reads, and packs what the loader has to adjust before `main`.
//!
//! A panic ends the process without unwinding, so that nobody looks for the table of the tables for it: 147 kB.
//!
//! 18,000 pointers take 5 kB packed in place of 435 (`DT_RELR`). A loader that does not know them refuses the program (glibc
//! before 2.36), so they are packed only for a machine like this one, and only if its C library says that it knows them.
//! `RUSTFLAGS=-Clink-arg=-Wl,-z,nopack-relative-relocs` is for programs that older systems are to run.

#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script by its environment, and it writes no file")]

use std::env;
use std::fs;

/// Where Debian, Fedora and Arch have the C library.
const LIBRARIES: [&str; 3] = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6"];

/// The version of its interface that a program with packed relocations asks for.
const KNOWN: &[u8] = b"GLIBC_ABI_DT_RELR";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let is_release = variable("PROFILE") == "release";
    let is_linux = variable("CARGO_CFG_TARGET_OS") == "linux";
    let is_here = variable("TARGET") == "x86_64-unknown-linux-gnu" && variable("HOST") == variable("TARGET");
    if is_release && is_linux {
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
    let is_said = variable("CARGO_ENCODED_RUSTFLAGS").contains("pack-relative-relocs");
    if is_release && is_here && !is_said && LIBRARIES.iter().any(|path| knows_packed(path)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn knows_packed(library: &str) -> bool {
    fs::read(library).is_ok_and(|bytes| bytes.windows(KNOWN.len()).any(|it| it == KNOWN))
}
