#!/usr/bin/env bash
# Runs the fuzz targets of `fuzz/`, each for so many seconds (60) and two at a time, on their committed seeds and on what
# earlier runs found. Fails at a crash, at an input that takes more than ten seconds, and at more than 2 GiB of memory; the
# input is then under $CARGO_TARGET_DIR/fuzz/artifacts. As `cargo fuzz --sanitizer none` builds them, on stable Rust.
#
# Usage: scripts/fuzz.sh [SECONDS [TARGET…]]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(config readers manifest weights tokenizer bundle keras)
at_once=${AT_ONCE:-2}

if ! command -v "${CXX:-c++}" >/dev/null; then
  echo "skipped: libFuzzer needs a C++ compiler, and there is none here"
  exit 0
fi

# Kept between runs: a cold build compiles Burn and everything else with instrumentation.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/attentive/target}/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
instrumentation=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Ccodegen-units=1
  -Cdebug-assertions
  --cfg fuzzing
)
# With a target, build scripts and procedural macros are not instrumented.
RUSTFLAGS="${instrumentation[*]}" cargo build --release --locked --manifest-path fuzz/Cargo.toml --target "$triple"

# In memory where that is to be had: some targets write a file for every input.
scratch=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/attentive-fuzz-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
artifacts=$CARGO_TARGET_DIR/artifacts
mkdir -p "$artifacts"

fuzz() {
  local target=$1 found=$CARGO_TARGET_DIR/corpus/$1 seeds=(fuzz/corpus/"$1")
  [ "$target" != config ] || seeds+=(configs)
  mkdir -p "$found"
  local dictionary=()
  [ ! -f "fuzz/dictionaries/$target" ] || dictionary=(-dict="fuzz/dictionaries/$target")
  TMPDIR=$scratch "$CARGO_TARGET_DIR/$triple/release/$target" "$found" "${seeds[@]}" "${dictionary[@]}" \
    -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$artifacts/$target-" >"$scratch/$target.log" 2>&1
}

# Each target's log is shown only where it failed.
failed=0
finish() {
  local target=$1 process=$2
  if wait "$process"; then
    printf '%-10s %s\n' "$target" "$(sed -n 's/^#[0-9]*[[:space:]]*DONE[[:space:]]*//p' "$scratch/$target.log")" \
      "" "$(sed -n 's/^stat::number_of_executed_units: */executions: /p' "$scratch/$target.log")"
  else
    failed=1
    printf '%-10s FAILED\n' "$target"
    tail -n 40 "$scratch/$target.log"
  fi
}
running=()
for target in "${targets[@]}"; do
  if [ ${#running[@]} -ge "$at_once" ]; then
    finish "${running[0]%:*}" "${running[0]#*:}"
    running=("${running[@]:1}")
  fi
  fuzz "$target" &
  running+=("$target:$!")
done
for one in "${running[@]}"; do finish "${one%:*}" "${one#*:}"; done
exit "$failed"
