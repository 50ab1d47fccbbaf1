#!/usr/bin/env bash
# Builds the release binary and the double of AWS, and measures `sync` beside its peers: see README.md beside this file.
# Arguments go to remote.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo build --release --locked --quiet
# `Executable benches/remote.rs (target/release/deps/remote-0123456789abcdef)`
double=$(cargo bench --locked --no-run --bench remote 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
exec python3 benches/remote.py --vault-kit "${CARGO_TARGET_DIR:-target}/release/vault-kit" --double "$double" "$@"
