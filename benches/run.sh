#!/usr/bin/env bash
# Builds the release binary and measures it side by side with its peers: see README.md beside this file.
# Arguments go to measure.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo build --release --locked --quiet
cargo bench --locked --quiet --bench verify >&2
exec python3 benches/measure.py --vault-kit "${CARGO_TARGET_DIR:-target}/release/vault-kit" "$@"
