#!/bin/bash
# Interrupting a run.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 200, "itl_ms": 10, "reasoning_tokens": 20, "answer_tokens": 10},
	"providers": {"together": {"ttft_ms": 60000}}}'

# bash starts background jobs with SIGINT ignored; env lets it through again
background() {
	env --default-signal=INT "$run" --config "$work/config" --data "$work/data" "$@" \
		>"$work/out" 2>"$work/err" &
	victim=$!
}

int_ok() {
	background eval --dataset gpqa-sample -p nvidia --output both --format json
	sleep 1.5
	kill -INT $victim
	local status=0
	wait $victim || status=$?
	[ $status -eq 130 ] || { echo "status $status"; cat "$work/err"; return 1; }
	json '.results[0].answered > 0 and .results[0].answered < 13' || return 1
	[ "$(wc -l <"$work/results/csv/answers.jsonl")" -eq "$(jq '.results[0].answered' "$work/out")" ]
}
check "the first signal stops cleanly and prints what there is" int_ok
resume_ok() {
	exits 0 dsr -q eval --resume "$(jq -r .job "$work/out")" --format json
	json '.results[0].answered == 13'
}
check "the run goes on later" resume_ok
perf_ok() {
	background perf -p volcengine,together -n 50 --format json
	sleep 1.5
	kill -INT $victim
	local status=0
	wait $victim || status=$?
	[ $status -eq 130 ] && json '[.providers[] | select(.provider == "volcengine") | .succeeded > 0] | all'
}
check "a performance run too" perf_ok
plain_ok() {
	background perf -p together -n 1
	sleep 6
	kill -INT $victim
	wait $victim
	grep -q "^progress: together *0/1, 1 in flight, 0 tok/s, 0 errors" "$work/err"
}
check "elsewhere than on a terminal progress comes as plain lines" plain_ok
quiet_ok() {
	exits 0 dsr -q perf -p volcengine -n 1
	[ ! -s "$work/err" ]
}
check "-q is silent" quiet_ok
if command -v script >/dev/null; then
	live_ok() {
		script -qec "'$run' --config '$work/config' --data '$work/data' perf -p volcengine -n 3" \
			"$work/typescript" >/dev/null </dev/null
		grep -qa "volcengine  *[0-9]*/3, [01] in flight, [0-9]* tok/s" "$work/typescript" &&
			grep -qaF $'\033[1A' "$work/typescript"
	}
	check "a terminal gets a live line" live_ok
else
	skip "a terminal gets a live line" "script(1) is not installed"
fi
