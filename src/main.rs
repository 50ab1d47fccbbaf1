//! Hands argv to the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    vault_kit::run(std::env::args_os()).into()
}
