#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
. ./setup.sh

"$run" -q plugins check ./@NAME@.so

start_sim
dsr --store "@NAME@:///$work/kept" perf --requests 3 --provider volcengine --format json >"$work/out"
wants '"succeeded": 3' "$work/out"
echo '{"order": [{"metric": "ttft"}]}' >"$work/requirement.json"
dsr --store "@NAME@:///$work/kept" route --requirement "$work/requirement.json" --format json >"$work/out"
wants '"provider": "volcengine"' "$work/out"
echo "ok: 3 results were kept and found again"
