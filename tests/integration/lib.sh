# Frame of the integration tests: TAP on standard output, a fresh folder, the simulator. Sourced.
set -u
export LC_ALL=C.UTF-8
unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy HTTP_PROXY HTTPS_PROXY \
	ALL_PROXY all_proxy NO_PROXY no_proxy
name=$(basename "$0" .sh)
work=$PWD/tests/integration/$name.dir
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)
export HOME=$work XDG_STATE_HOME=$work/state XDG_CONFIG_HOME=$work/none DSR_SIM_KEY=sim-secret-key-0042
export LSAN_OPTIONS=exitcode=99 ASAN_OPTIONS=detect_leaks=1
run=$top_builddir/dsr-run sim=$top_builddir/dsr-sim
count=0
sim_pid=

finish() {
	stop_sim
	echo "1..$count"
}
trap finish EXIT

# check NAME COMMAND...: a step that must succeed.
check() {
	local title=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/last.out" 2>&1; then
		echo "ok $count - $title"
	else
		echo "not ok $count - $title"
		sed 's/^/# /' "$work/last.out" | head -20
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# exits STATUS COMMAND...: its output stays in $work/out and $work/err.
exits() {
	local wanted=$1 got=0
	shift
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ "$got" -eq "$wanted" ] && return 0
	echo "exit status $got instead of $wanted: $*"
	tail -5 "$work/err"
	grep -A4 errors "$work/out" | head -20
	return 1
}

says() { # STATUS TEXT COMMAND...
	local status=$1 text=$2
	shift 2
	exits "$status" "$@" || return 1
	grep -qF -- "$text" "$work/err" && return 0
	echo "not said: $text"
	cat "$work/err"
	return 1
}

json() { # jq condition on the last standard output
	jq -e "$@" "$work/out" >/dev/null && return 0
	echo "not true: $*"
	head -c 2000 "$work/out"
	return 1
}

# start_sim SCENARIO-JSON [OPTION...]: config in $work/config, data in $work/data.
start_sim() {
	local scenario=$1
	shift
	echo "$scenario" >"$work/scenario.json"
	"$sim" --scenario "$work/scenario.json" --write-config "$work" "$@" \
		>"$work/sim.out" 2>"$work/sim.err" &
	sim_pid=$!
	for _ in $(seq 200); do
		grep -q '^listening on' "$work/sim.out" && break
		sleep 0.05
	done
	url=$(sed -n 's/^listening on //p' "$work/sim.out")
}

stop_sim() {
	[ -n "$sim_pid" ] || return 0
	kill "$sim_pid" 2>/dev/null
	local status=0
	wait "$sim_pid" || status=$?
	sim_pid=
	return "$status"
}

dsr() {
	"$run" --config "$work/config" --data "$work/data" "$@"
}
