#!/usr/bin/env bash
# The imports between crates run one way: cli → {export, train, model, data, backend}, export → {train, model, data},
# train → {model, ops, data}, model → ops → burn.
# Only `backend` opens a Burn backend, and nothing asks Burn for a default device.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
complain() { echo "$1"; status=1; }

allowed() { # crate, the attentive crates its library may import
  local crate=$1; shift
  local import
  while read -r import; do
    [ -z "$import" ] && continue
    case " $* " in *" $import "*) ;; *) complain "crates/$crate must not depend on $import" ;; esac
  done < <(sed -n '/^\[dependencies\]/,/^\[/s/^\(attentive-[a-z]*\|burn[a-z-]*\).*/\1/p' "crates/$crate/Cargo.toml")
}
allowed data
allowed linear
allowed ops burn burn-core
allowed model attentive-ops burn
allowed backend burn burn-core burn-flex burn-ndarray burn-nn burn-std
allowed train attentive-data attentive-model attentive-ops burn burn-pack
allowed export attentive-data attentive-model attentive-train burn
allowed cli attentive-backend attentive-data attentive-export attentive-model attentive-ops attentive-train

# Comments may name what the code must not.
if grep -nE 'Device::(default|flex|ndarray|wgpu|cuda|vulkan|metal)\(' -r crates/*/src \
  | grep -vE '^crates/backend/src/probe.rs|^[^:]*:[0-9]+: *//'; then
  complain "only crates/backend/src/probe.rs names a Burn device"
fi
exit $status
