#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
. ./setup.sh

"$run" -q plugins check ./@NAME@.so

start_sim
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
