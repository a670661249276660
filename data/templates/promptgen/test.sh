#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
. ./setup.sh

"$run" -q plugins check --options '{"topics": ["tea", "tides"]}' ./@NAME@.so

start_sim
echo '{"mine": {"promptgen": "@NAME@", "options": {"topics": ["tea", "tides"]}}}' >"$work/data/datasets.json"
dsr perf --prompts mine --requests 3 --provider volcengine --format json >"$work/out"
wants '"succeeded": 3' "$work/out"
echo "ok: 3 prompts were answered"
