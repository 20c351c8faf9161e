#!/usr/bin/env bash
# The imports between crates run one way: attentive → {export, bundle, train, model, data, backend},
# export → {bundle, train, model, data}, bundle → {train, model, data}, train → {model, ops, linear, data}, model → ops → burn.
# Only `backend` opens a Burn backend, and nothing asks Burn for a default device.
# Within a crate, a list of modules is in the order of their imports; `module_order.awk` says how that is checked.
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
allowed linear
allowed train attentive-data attentive-linear attentive-model attentive-ops burn burn-pack
allowed bundle attentive-data attentive-model attentive-train burn
allowed export attentive-bundle attentive-data attentive-model attentive-train burn
allowed attentive attentive-backend attentive-bundle attentive-data attentive-export attentive-model attentive-ops attentive-train

# Comments may name what the code must not.
if grep -nE 'Device::(default|flex|ndarray|wgpu|cuda|vulkan|metal)\(' -r crates/*/src \
  | grep -vE '^crates/backend/src/probe.rs|^[^:]*:[0-9]+: *//'; then
  complain "only crates/backend/src/probe.rs names a Burn device"
fi

# The roots of libraries, and of the command. A mechanism of `model` builds the enum that holds it: a circle by design.
for root in crates/{attentive,backend,bundle,data,export,linear,ops,train}/src crates/attentive/src/command; do
  find "$root" -name '*.rs' | sort | xargs awk -v root="$root" -f scripts/module_order.awk || status=1
done
exit $status
