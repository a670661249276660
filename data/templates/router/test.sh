#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
run=${DSR_RUN:-dsr-run} sim=${DSR_SIM:-dsr-sim}
work=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid"; rm -rf "$work"' EXIT

"$run" -q plugins check --options '{"metric": "ttft"}' ./@NAME@.so

export DSR_SIM_KEY=simulated HOME="$work" XDG_STATE_HOME="$work/state"
echo '{"defaults": {"ttft_ms": 5, "itl_ms": 1}}' >"$work/scenario.json"
"$sim" --scenario "$work/scenario.json" --write-config "$work" >"$work/sim.out" &
pid=$!
while ! grep -q "^listening" "$work/sim.out"; do kill -0 "$pid"; sleep 0.1; done
dsr() { "$run" -q --config "$work/config" --data "$work/data" --plugin-dir . "$@"; }

wants() { # TEXT FILE
	grep -q "$1" "$2" || { echo "not found: $1"; cat "$2"; exit 1; }
}

dsr perf --requests 3 --provider volcengine,together --format json >"$work/out"
echo '{"metric": "ttft", "stat": "median"}' >"$work/policy.json"
dsr route --router @NAME@ --requirement "$work/policy.json" --format json >"$work/out"
wants '"provider": "volcengine"' "$work/out"
wants '"provider": "together"' "$work/out"
echo "ok: providers were ranked"
