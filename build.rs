//! Leaves out of the program what nobody reads, and packs what the loader has to adjust before `main`.
//!
//! A panic ends the process without unwinding, so that nobody looks for the tables for it: 1.2 MB. They need no shared library of
//! their own either, which the loader would look for, map and adjust at each start.
//!
//! 18,000 pointers take 5 kB packed in place of 435 (`DT_RELR`). A loader that does not know them refuses the program (glibc
//! before 2.36), so they are packed only for a machine like this one, and only if its C library says that it knows them.
//! `RUSTFLAGS=-Clink-arg=-Wl,-z,nopack-relative-relocs` is for programs that older systems are to run.
//!
//! Whoever chooses a linker or tells it something gets what he asked for, and nothing of this but the table of the tables.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script by its environment, and what it writes is no secret"
)]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where Debian, Fedora and Arch have the C library.
const LIBRARIES: [&str; 3] = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6"];

/// The version of its interface that a program with packed relocations asks for.
const KNOWN: &[u8] = b"GLIBC_ABI_DT_RELR";

/// What GNU's linker and LLVM's leave out, beside what they do anyway.
const WITHOUT_TABLES: &str =
    "SECTIONS { /DISCARD/ : { *(.eh_frame .eh_frame.* .gcc_except_table .gcc_except_table.*) } } INSERT AFTER .text;\n";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    if variable("PROFILE") != "release" || variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    let is_here = variable("TARGET") == "x86_64-unknown-linux-gnu" && variable("HOST") == variable("TARGET");
    let is_said = variable("CARGO_ENCODED_RUSTFLAGS").contains("link") || !variable("RUSTC_LINKER").is_empty();
    if !is_here || is_said {
        return;
    }
    let script = Path::new(&variable("OUT_DIR")).join("without-tables.ld");
    fs::write(&script, WITHOUT_TABLES).expect("Cargo gives a directory to write to");
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    if has_static_unwinder() {
        println!("cargo::rustc-link-lib=gcc_eh");
    }
    if LIBRARIES.iter().any(|path| knows_packed(path)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the compiler that links has its unwinder for linking in: it tells the whole path of a file that it has, and the bare
/// name of one that it has not.
fn has_static_unwinder() -> bool {
    let told = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    told.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"/"))
}

fn knows_packed(library: &str) -> bool {
    fs::read(library).is_ok_and(|bytes| bytes.windows(KNOWN.len()).any(|it| it == KNOWN))
}
