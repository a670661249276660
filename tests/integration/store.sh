#!/bin/bash
# Stores: told before money is spent, and safe from a crash.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 30, "itl_ms": 3, "reasoning_tokens": 5, "answer_tokens": 5},
	"providers": {"nvidia": {"ttft_ms": 150}}}' --truth "$work/truth.jsonl"
asked() { [ -s "$work/truth.jsonl" ]; }

echo file >"$work/file"
echo '{"conn_str": "leveldb:///../file"}' >"$work/config/db.json"
check "a wrong path is told" says 3 "$work/" dsr -q perf -p volcengine
echo '{"conn_str": "nosuch:///../x"}' >"$work/config/db.json"
check "an unknown store is told" says 2 'no store plugin named "nosuch"' dsr -q perf -p volcengine
echo '{"conn_str": "leveldb"}' >"$work/config/db.json"
check "an address that is none is told" says 2 'db.json:1: "conn_str"' dsr -q perf -p volcengine
echo '{"conn_str": "leveldb:///../results/db"}' >"$work/config/db.json"
if mkdir "$work/full" && mount -t tmpfs -o size=600k tmpfs "$work/full" 2>/dev/null; then
	echo '{"conn_str": "leveldb:///../full/db"}' >"$work/config/db.json"
	check "a full disk is told" says 3 "No space left" dsr -q perf -p volcengine
	umount "$work/full"
	echo '{"conn_str": "leveldb:///../results/db"}' >"$work/config/db.json"
else
	skip "a full disk is told" "no right to mount a small file system"
fi
not_asked() { ! asked; }
check "no request was sent by any of these" not_asked

echo '{"filters": [{"metric": "success", "min": 1}], "order": [{"metric": "ttft"}]}' >"$work/r.json"
waiter() { # NAME ARGUMENT...
	local name=$1
	shift
	"$run" --config "$work/config" --data "$work/data" -q perf -p volcengine "$@" >"$work/$name.out" 2>"$work/$name.err" &
}
told() { grep -q "is written by another run; waiting for it to end" "$work/$1.err"; }
lock_ok() {
	local first csv db stopped n=0
	dsr -q perf -p nvidia --duration 4 --output both >/dev/null 2>&1 &
	first=$!
	sleep 0.4
	exits 0 dsr -q db verify || return 1 # a reader is let in
	waiter db --format json && db=$!
	waiter csv --output csv && csv=$!
	waiter stopped && stopped=$!
	until { told db && told csv && told stopped; } || [ $((n += 1)) -gt 50 ]; do sleep 0.1; done
	kill "$stopped"
	wait "$stopped"
	[ $? -eq 143 ] && kill -0 "$first" && wait "$first" && wait "$db" && wait "$csv" &&
		exits 0 dsr -q route -r "$work/r.json" --format json &&
		json '[.matched[].provider] == ["volcengine", "nvidia"]'
}
check "a second process is told, and waits" lock_ok

kill_ok() {
	local before base
	base=$(wc -l <"$work/truth.jsonl")
	"$run" --config "$work/config" --data "$work/data" -q eval \
		--dataset gpqa-sample,aime2024-sample -p nvidia --output both >/dev/null 2>&1 &
	local victim=$!
	sleep 0.8
	kill -9 $victim
	wait $victim 2>/dev/null
	job=$(tail -1 "$work/results/csv/jobs.jsonl" | jq -r .job)
	before=$(wc -l <"$work/truth.jsonl")
	says 0 "not closed cleanly" dsr eval --resume "$job" --format json || return 1
	json '[.results[].answered] == [13, 15]' || return 1
	# what was journaled is not asked again: at most the one that was in flight
	echo "asked before $before, in all $(wc -l <"$work/truth.jsonl")"
	[ "$(wc -l <"$work/truth.jsonl")" -le $((base + 28 + 1)) ]
}
check "a killed run is resumed from the database" kill_ok

torn_ok() {
	printf 'half,a,rec' >>"$work/results/csv/perf_results.csv"
	printf '{"job":"x","bo' >>"$work/results/csv/answers.jsonl"
	says 0 "half-written record" dsr perf -p volcengine --output csv || return 1
	grep -qx 'half,a,rec' "$work/results/csv/perf_results.csv.recovered" &&
		grep -q '"bo' "$work/results/csv/answers.jsonl.recovered" &&
		! grep -q 'half,a' "$work/results/csv/perf_results.csv"
}
check "a half-written record is set aside and reported" torn_ok
check "afterwards there is nothing to report" exits 0 dsr -q perf -p volcengine --output csv
silent() { [ ! -s "$work/err" ]; }
check "and nothing is said" silent

check "reading an empty store tells how to fill it" bash -c \
	"echo '{\"conn_str\": \"leveldb:///../nothing\"}' >'$work/config/db.json'; echo '{}' >'$work/r.json'
	'$run' --config '$work/config' --data '$work/data' route -r '$work/r.json' 2>&1 | grep -q 'dsr-run eval and perf fill it'"

# files of the seed system: performance rows without a header, benchmark rows with a surplus column
mkdir "$work/seed"
cat >"$work/seed/perf_results.csv" <<'C'
j1,volcengine,deepseek-r1,leval,True,2025-03-01 12:00:00.123456,2025-03-01 12:00:09.5,0.5,2.0,9.0,1000,450,300,0,1000,450,
j1,together,deepseek-r1,leval,True,2025-03-01 12:00:00,2025-03-01 12:00:09.5,1.5,2.0,9.0,1000,450,300,0,1000,450,
j1,together,deepseek-r1,leval,False,2025-03-01 12:00:00,2025-03-01 12:00:09.5,,,1.0,1000,0,0,0,0,0,"boom, twice"
C
cat >"$work/seed/benchmark_results.csv" <<'C'
model_name,provider_name,benchmark,success,start_time,metric,stat,value,results_json
gpqa,deepseek-r1,volcengine,gpqa,True,2025-03-01 12:00:00,accuracy,average,71.5,{"a": 1, "b": 2}
gpqa,deepseek-r1,together,gpqa,True,2025-03-01 12:00:00,accuracy,average,69.0,{"a": 1, "b": 2}
gpqa,deepseek-r1,azure,gpqa,False,2025-03-01 12:00:00,accuracy,average,-1,None
C
echo '{"filters": [{"metric": "gpqa", "min": 60}], "order": [{"metric": "success"}, {"metric": "ttft"}]}' >"$work/r.json"
seed_ok() {
	exits 0 dsr route -r "$work/r.json" --data-dir "$work/seed" --format json || return 1
	json '[.matched[].provider] == ["volcengine", "together"]' &&
		json '[.matched[].metrics.gpqa.avg] == [71.5, 69]' &&
		json '[.matched[].metrics.success.avg] == [1, 0.5] and [.matched[].metrics.ttft.avg] == [0.5, 1.5]' &&
		json '[.rejected[] | select(.provider == "azure") | .failed[0].value] == [null]'
}
check "CSV files of the seed system are read" seed_ok
header_ok() {
	sed -i '1i JOB_ID,PROVIDER,MODEL,PROMPT_TYPE,SUCCESS,START_TIME,END_TIME,TIME_TO_FIRST_TOKEN,TIME_TO_FIRST_RESULT_TOKEN,TOTAL_TIME,INPUT_TOKENS_COUNT,OUTPUT_TOKENS_COUNT,REASONING_TOKENS_COUNT,CACHED_TOKENS_COUNT_BILLING,INPUT_TOKENS_COUNT_BILLING,OUTPUT_TOKENS_COUNT_BILLING,ERROR' "$work/seed/perf_results.csv"
	cat >"$work/seed/benchmark_results.csv" <<'C'
provider_name,model_name,benchmark,success,metric,stat,value,start_time,results_json
volcengine,deepseek-r1,gpqa,True,accuracy,average,71.5,2025-03-01 12:00:00,"{""a"": 1}"
together,deepseek-r1,gpqa,True,accuracy,average,69.0,2025-03-01 12:00:00,"{""a"": 1}"
C
	seed_ok
}
check "with a header and in the design's columns too" header_ok
bare_ok() {
	sed -i 1d "$work/seed/benchmark_results.csv"
	seed_ok
}
check "without a header too" bare_ok
