# What test.sh stands on: a folder that is removed at the end, the simulator, dsr-run with its data.
run=${DSR_RUN:-dsr-run} sim=${DSR_SIM:-dsr-sim}
work=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid"; rm -rf "$work"' EXIT
export DSR_SIM_KEY=simulated HOME="$work" XDG_STATE_HOME="$work/state"

# Providers on loopback, their configuration in $work/config and $work/data.
start_sim() {
	echo '{"defaults": {"ttft_ms": 5, "itl_ms": 1}}' >"$work/scenario.json"
	"$sim" --scenario "$work/scenario.json" --write-config "$work" >"$work/sim.out" &
	pid=$!
	while ! grep -q "^listening" "$work/sim.out"; do
		kill -0 "$pid"
		sleep 0.1
	done
}

dsr() {
	"$run" -q --config "$work/config" --data "$work/data" --plugin-dir . "$@"
}

wants() { # TEXT FILE
	grep -q "$1" "$2" || {
		echo "not found: $1"
		cat "$2"
		exit 1
	}
}
