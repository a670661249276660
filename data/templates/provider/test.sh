#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
run=${DSR_RUN:-dsr-run} sim=${DSR_SIM:-dsr-sim}
work=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid"; rm -rf "$work"' EXIT

"$run" -q plugins check ./@NAME@.so

export DSR_SIM_KEY=simulated HOME="$work" XDG_STATE_HOME="$work/state"
echo '{"defaults": {"ttft_ms": 5, "itl_ms": 1}}' >"$work/scenario.json"
"$sim" --scenario "$work/scenario.json" --write-config "$work" >"$work/sim.out" &
pid=$!
while ! grep -q "^listening" "$work/sim.out"; do kill -0 "$pid"; sleep 0.1; done
dsr() { "$run" -q --config "$work/config" --data "$work/data" --plugin-dir . "$@"; }

wants() { # TEXT FILE
	grep -q "$1" "$2" || { echo "not found: $1"; cat "$2"; exit 1; }
}

# the simulator's Together, asked through this plugin
url=$(sed -n 's/^listening on //p' "$work/sim.out")
cat >"$work/data/services.json" <<J
{"deepseek-r1": {"@NAME@": {"plugin": "@NAME@", "name": "@NAME@", "base_url": "$url/together/v1",
 "model": "deepseek-ai/DeepSeek-R1", "currency": "USD", "max_concurrency": 4,
 "input_price_per_million_token": 1, "output_price_per_million_token": 2}}}
J
echo '{"@NAME@": {"default": "env:DSR_SIM_KEY"}}' >"$work/config/api_keys.json"
chmod 600 "$work/config/api_keys.json"
dsr perf --requests 3 --format json >"$work/out"
wants '"succeeded": 3' "$work/out"
echo "ok: 3 answers came"
