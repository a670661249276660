#!/bin/bash
# Sets up, builds, and measures every provider of services.json - played by dsr-sim on loopback, so
# that no key and no network are needed - then prints their ranking. May be run again.
set -euo pipefail
. "$(dirname "$0")/common.sh"

need_packages "${packages[@]}"
build=$top/build/release
build_in "$build"

run=$top/quickstart-run
mkdir -p "$run"
log=$run/dsr-sim.log
"$build/dsr-sim" --scenario "$top/data/scenario.json" --seed 1 --write-config "$run" >"$log" 2>&1 &
sim=$!
trap 'kill "$sim" 2>/dev/null; wait "$sim" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do
	grep -q '^listening on' "$log" && break
	kill -0 "$sim" 2>/dev/null || { cat "$log" >&2; exit 1; }
	sleep 0.1
done
say "dsr-sim is $(cat "$log")"

export DSR_SIM_KEY=any-key-will-do
# status 1 means that some requests failed, which the simulated providers are meant to do
dsr() {
	local status=0
	"$build/dsr-run" --config "$run/config" --data "$run/data" "$@" || status=$?
	[ "$status" -le 1 ] || exit "$status"
}
say "asking every provider the bundled questions"
dsr eval --dataset gpqa-sample,aime2024-sample,ceval-sample --output both
say "measuring how every provider serves"
dsr perf --requests 6 --output both
say "ranking by config/requirement.json"
dsr route --requirement "$top/config/requirement.json" --explain
say "results: $run/results (LevelDB in db, CSV in csv)"
