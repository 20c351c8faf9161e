#!/usr/bin/env bash
# Everything that must hold before a change lands, in one run: formatting, lints, docs, tests, and a look at the shipped
# dataset. CI runs exactly this. Needs Rust and a C compiler; what else helps is installed here or skipped with a reason.
set -euo pipefail
cd "$(dirname "$0")/.."

# One target directory outside the clone, so that a fresh clone does not compile Burn again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/attentive/target}
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
# Vulkan drivers complain on stderr without it.
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}

step() { printf '\n== %s\n' "$*"; }

step "tools"
for component in rustfmt clippy; do
  cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done
# The GPU backend is really run, on a software driver where there is no GPU; its tests say why when they are skipped.
if ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1 \
  && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update && apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1; } >/dev/null 2>&1 \
    || echo "no Vulkan driver could be installed: the tests of the wgpu backend will be skipped"
fi

step "formatting"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check

step "tests (the README's command)"
cargo test --release --workspace

# In a directory of its own: with the GPU, most of Burn is compiled again. What the features bring is tested; the rest is the
# same code as above, and `cargo test --release --workspace --all-features` tests it too.
all_features=(--release --workspace --all-features --target-dir "$CARGO_TARGET_DIR/all-features")
step "tests with all features"
cargo test "${all_features[@]}" -- gpu wgpu backend device parquet xlsx

step "lints"
cargo clippy "${all_features[@]}" --all-targets -- -D warnings

step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc "${all_features[@]}" --no-deps --document-private-items --quiet

step "other sets of features compile"
for features in flex ndarray wgpu; do
  cargo check --release -p attentive --no-default-features --features "$features" --quiet
done

step "the shipped dataset is what its script makes"
if command -v python3 >/dev/null; then
  python3 scripts/make_quickstart.py --check
else
  echo "skipped: there is no python3 here"
fi

step "exports: PyTorch and onnxruntime compute what attentive computes"
if command -v python3 >/dev/null; then
  python3 scripts/check_exports.py --attentive "$CARGO_TARGET_DIR/release/attentive"
else
  echo "skipped: there is no python3 here"
fi

step "layers: imports run one way"
scripts/check_layers.sh

step "fuzzing, half a minute for each target"
scripts/fuzz.sh 30

printf '\nall checks passed\n'
