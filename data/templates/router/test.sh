#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
. ./setup.sh

"$run" -q plugins check --options '{"metric": "ttft"}' ./@NAME@.so

start_sim
dsr perf --requests 3 --provider volcengine,together --format json >"$work/out"
echo '{"metric": "ttft", "stat": "median"}' >"$work/policy.json"
dsr route --router @NAME@ --requirement "$work/policy.json" --format json >"$work/out"
wants '"provider": "volcengine"' "$work/out"
wants '"provider": "together"' "$work/out"
echo "ok: providers were ranked"
