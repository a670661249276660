#!/bin/bash
# Eval runs that respect money: estimate, budget, reuse, resume after kills, shards, regrade, compare.
. "$top_srcdir/tests/integration/lib.sh"

quick='"ttft_ms": 2, "itl_ms": 0, "reasoning_tokens": 3, "answer_tokens": 4'
scenario="{\"defaults\": {$quick, \"accuracy\": {\"gpqa\": 1, \"ceval\": 0.5, \"aime2024\": 1}},
	\"providers\": {\"together\": {\"accuracy\": {\"ceval\": 0, \"gpqa\": 0.3}}, \"volcengine\": {\"accuracy\": {\"ceval\": 1}}}}"
start_sim "$scenario" --truth "$work/truth.jsonl"
seen() { wc -l <"$work/truth.jsonl"; }

estimate_ok() {
	exits 0 dsr -q eval --estimate --dataset gpqa-sample,aime2024-sample -p volcengine,together --format json || return 1
	json '[.estimates[].requests] == [13, 15, 13, 15] and ([.estimates[].cost] | all(. > 0))' &&
		json '[.estimates[].basis] | unique == ["limit"]' && [ ! -s "$work/truth.jsonl" ]
}
check "an estimate asks nothing" estimate_ok
first_ok() {
	exits 0 dsr -q eval --dataset gpqa-sample,ceval-sample -p volcengine,together --format json || return 1
	json '[.results[] | .correct + .wrong == .asked and .answered == .asked] | all' &&
		json '.results[1] | .accuracy == 100 and .macro_accuracy == 100 and .categories.STEM.asked == 14' || return 1
	first=$(jq -r .job "$work/out")
	[ "$(seen)" -eq 54 ]
}
check "a run counts every question" first_ok
measured_ok() {
	exits 0 dsr -q eval --estimate --dataset gpqa-sample -p volcengine --format json
	json '.estimates[0] | .basis == "measured" and .output_tokens == 13 * 7'
}
check "an estimate learns from earlier runs" measured_ok

reuse_ok() {
	local before
	before=$(seen)
	exits 0 dsr -q eval --dataset gpqa-sample,ceval-sample -p volcengine --reuse 1h --format json || return 1
	json '[.results[].reused] == [13, 14] and [.results[].cost] == [0, 0] and [.results[].answered] == [13, 14]' &&
		[ "$(seen)" -eq "$before" ] || return 1
	exits 0 dsr -q eval --dataset ceval-sample --shots 0 -p volcengine --reuse 1h --format json || return 1
	json '.results[0].reused == 0' || return 1
	exits 0 dsr -q eval --dataset gpqa-sample -p volcengine --repeat 2 --reuse 1h --format json || return 1
	json '.results[0] | .reused == 13 and .asked == 26 and .repeats == 2'
}
check "equal requests are not paid for again" reuse_ok

budget_ok() {
	exits 0 dsr eval --dataset gpqa-sample,aime2024-sample -p volcengine,together --budget 0.003CNY --format json || return 1
	json '[.results[] | select(.provider == "volcengine") | .over_budget] == [true, true]' &&
		json '[.results[] | select(.provider == "volcengine") | .cost] | add <= 0.003 and add > 0.001' &&
		json '[.results[] | .asked == .answered] | all' && grep -q "volcengine: stopped by its budget" "$work/err"
}
check "a budget stops a provider cleanly" budget_ok
check "a budget may be told in another currency" exits 0 dsr -q eval --dataset gpqa-sample -p volcengine --budget 3usd
check "a budget that is none is told" says 2 '"much" is no cost' dsr eval --dataset gpqa-sample --budget much
check "an unknown currency is told" says 2 'no rate for "XYZ"' dsr eval --dataset gpqa-sample --budget 3XYZ

compare_ok() {
	exits 0 dsr -q compare --dataset ceval-sample -p volcengine,together --format json || return 1
	json '.only_first == 14 and .only_second == 0 and .p == 2 * pow(0.5; 14) and .difference == 100 and .test == "mcnemar_exact"' &&
		json '.sentence | startswith("volcengine is better than together on ceval-sample: 100.0% against 0.0% of 14 questions")'
}
check "compare tells who is better" compare_ok
check "compare tells what is missing" says 2 "no whole run of azure on ceval-sample" dsr compare --dataset ceval-sample -p azure,together

regrade_ok() {
	local before
	before=$(seen)
	exits 0 dsr -q regrade --job "$first" --grader opencompass --format json || return 1
	json '.grader == "opencompass" and ([.results[].asked] | add == 54)' || return 1
	exits 0 dsr -q show "$first" --dataset gpqa-sample --format json || return 1
	json '[.answers[].grader] | unique == ["opencompass"]' && json '.answers | length == 26' || return 1
	exits 0 dsr -q regrade --job "$first" --grader dsr --format json || return 1
	json '[.results[] | select(.dataset == "ceval-sample" and .provider == "volcengine") | .accuracy] == [100]' &&
		[ "$(seen)" -eq "$before" ]
}
check "stored answers are graded again without asking" regrade_ok
check "an unknown job is told" says 2 'job nothing: there is no eval job' dsr regrade --job nothing

# not maj_at: the simulator may give the two answers to a question in the other order
figures='[.results[] | {provider, dataset, asked, answered, correct, wrong, accuracy, ci95, macro_accuracy, groups,
	categories, cost, repeats, pass_at, input_tokens, output_tokens}] | sort_by(.provider, .dataset)'
shards_ok() {
	local i
	for i in 1 2 3 4; do
		dsr -q --store "leveldb:////$work/shard$i" eval --job night --shard $i/4 --repeat 2 \
			--dataset gpqa-sample,ceval-sample -p volcengine,together --format json >"$work/shard$i.json" &
		pids[i]=$!
	done
	for i in 1 2 3 4; do
		wait "${pids[i]}" || return 1
	done
	exits 0 dsr -q merge --format json night "$work"/shard[1-4] || return 1
	jq "$figures" "$work/out" >"$work/merged"
	json '.results | length == 4'
}
# every process meets a simulator that has seen nothing: the same question gets the same answer
fresh_sim() {
	stop_sim
	start_sim "$scenario" --truth "$work/truth.jsonl"
	echo '{"conn_str": "leveldb:///../results/db"}' >"$work/config/db.json"
}
fresh_sim
check "four shards run as four processes and are merged" shards_ok
fresh_sim
whole_ok() {
	exits 0 dsr -q --store "leveldb:////$work/whole" eval --job night --repeat 2 --dataset gpqa-sample,ceval-sample \
		-p volcengine,together --format json || return 1
	jq "$figures" "$work/out" >"$work/single"
	diff "$work/merged" "$work/single"
}
check "and have the figures of one run" whole_ok
check "a missing shard is told" says 1 "not every shard" dsr merge night "$work"/shard[1-3]
own_ok() {
	cp -r "$work/shard1" "$work/target"
	exits 0 dsr -q --store "leveldb:////$work/target" merge --format json night "$work"/shard[2-4] || return 1
	jq "$figures" "$work/out" | diff - "$work/merged"
}
check "the store that is merged into may hold a shard" own_ok
check "merging twice doubles nothing" bash -c "'$run' -q --config '$work/config' --data '$work/data' merge --format json \
	night '$work'/shard[1-4] '$work'/shard1 | jq '$figures' | diff - '$work/merged'"
check "a shard needs a name" says 2 "--shard needs --job" dsr eval --dataset gpqa-sample --shard 1/2
check "a name with other options is told" says 2 "was started with other options" \
	dsr --store "leveldb:////$work/whole" eval --job night --dataset gpqa-sample -p volcengine
again_ok() {
	local before
	before=$(seen)
	exits 0 dsr -q --store "leveldb:////$work/whole" eval --job night --repeat 2 --dataset gpqa-sample,ceval-sample \
		-p volcengine,together --format json || return 1
	jq "$figures" "$work/out" | diff - "$work/single" && [ "$(seen)" -eq "$before" ]
}
check "a run of the same name goes on where it was" again_ok

# kill -9 at random moments: what was journaled is never asked again
stop_sim
scenario="{\"defaults\": {\"ttft_ms\": 20, \"itl_ms\": 1, \"reasoning_tokens\": 10, \"answer_tokens\": 10,
	\"accuracy\": {\"gpqa\": 1, \"ceval\": 1}}}"
rm -f "$work/truth.jsonl"
fresh_sim
kills_ok() {
	local n=0 asked in_flight
	jq '."deepseek-r1".volcengine.max_concurrency = 2' "$work/data/services.json" >"$work/s.json" &&
		mv "$work/s.json" "$work/data/services.json"
	while [ "$n" -lt 50 ]; do
		"$run" --config "$work/config" --data "$work/data" -q eval --job killed --repeat 40 \
			--dataset gpqa-sample,ceval-sample -p volcengine --format json >"$work/out" 2>"$work/err" &
		sleep "0.$(shuf -i 05-60 -n 1 | xargs printf %02d)"
		kill -9 $! 2>/dev/null || break
		wait $! 2>/dev/null
		n=$((n + 1))
	done
	exits 0 dsr -q eval --job killed --repeat 40 --dataset gpqa-sample,ceval-sample -p volcengine --format json || return 1
	asked=$((27 * 40)) in_flight=$((4 * n)) # two under way, two on their way to the disk
	echo "$n kills, $(seen) requests for $asked questions"
	json "[.results[] | .answered == .asked and .accuracy == 100] | all" &&
		[ "$(seen)" -ge "$asked" ] && [ "$(seen)" -le $((asked + in_flight)) ]
}
check "fifty kills cost what was in flight or being written and nothing else" kills_ok
