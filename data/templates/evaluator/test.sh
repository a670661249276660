#!/bin/sh
# Tests @NAME@.so: what its contract says, then a run against the simulator (no network, no key).
set -eu
cd "$(dirname "$0")"
. ./setup.sh

"$run" -q plugins check --file questions.jsonl ./@NAME@.so

start_sim
cat >"$work/data/datasets.json" <<J
{"mine": {"evaluator": "@NAME@", "file": "$PWD/questions.jsonl"}}
J
dsr eval --dataset mine --provider volcengine --format json >"$work/out" || test $? -eq 1
wants '"asked": 3' "$work/out"
wants '"errors": 0' "$work/out"
echo "ok: 3 questions were asked and graded"
