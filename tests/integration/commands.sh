#!/bin/bash
# Whole commands against the simulator: the JSON contract, figures against the truth, stores, resume.
. "$top_srcdir/tests/integration/lib.sh"

quiet='{"defaults": {"ttft_ms": 80, "itl_ms": 4, "reasoning_tokens": 20, "answer_tokens": 10,
	"accuracy": {"gpqa": 1, "aime2024": 1, "ceval": 1}},
	"providers": {"huawei": {"accuracy": {"gpqa": 0, "aime2024": 0, "ceval": 0}},
	"together": {"max_concurrency": 3}, "nvidia": {"faults": {"http_202": 1}}, "tencent": {"reasoning": "reasoning"},
	"azure": {"faults": {"http_503": 0.15, "http_429": 0.1}, "retry_after_s": 0},
	"aliyun": {"faults": {"cut": 0.4, "malformed": 0.3, "stream_error": 0.3}}}}'
start_sim "$quiet" --truth "$work/truth.jsonl"

sets=gpqa-sample,aime2024-sample,ceval-sample
eval_ok() {
	exits 1 dsr -q eval --dataset $sets --output both --format json || return 1
	json '.schema == 1 and (.job | length) == 36 and .model == "deepseek-r1"' &&
		json '[.results[].provider] | unique | length == 15' &&
		json '[.results[].dataset] | unique | length == 3' &&
		json '[.results[] | select(.provider != "huawei" and .provider != "aliyun") |
			.accuracy == 100 and .answered == .asked and .errors == 0] | all' &&
		json '[.results[] | select(.provider == "huawei") | .accuracy == 0 and .ci95[0] == 0] | all' &&
		json '.results[0] | .groups | to_entries | map(.value.asked) | add == 13' &&
		json '[.results[] | select(.provider == "deepseek") | .cost > 0 and .currency == "CNY"] | all' &&
		json '[.results[] | select(.provider == "huawei") | .cost == null] | all'
}
check "eval asks and grades every provider in its own dialect" eval_ok
cp "$work/out" "$work/eval.json"
job=$(jq -r .job "$work/eval.json")

check "a stream that breaks after its first token is an error, not a wrong answer" \
	jq -e '[.results[] | select(.provider == "aliyun")] | (map(.errors) | add) > 0 and
		(map(.answered + .errors) | add) == (map(.asked) | add)' "$work/eval.json"

resume_ok() {
	local before after
	before=$(wc -l <"$work/truth.jsonl")
	exits 1 dsr -q eval --resume "$job" --format json || return 1
	after=$(wc -l <"$work/truth.jsonl")
	# only aliyun's errors are asked again
	[ "$(tail -n +$((before + 1)) "$work/truth.jsonl" | jq -r .provider | sort -u)" = aliyun ] &&
		json --slurpfile old "$work/eval.json" '[.results[] | select(.provider != "aliyun")] ==
			[$old[0].results[] | select(.provider != "aliyun")]'
}
check "a resumed job asks nothing that was answered and tells the same figures" resume_ok
check "an unknown job is told" says 2 "no eval job" dsr eval --resume no-such-job

show_ok() {
	exits 0 dsr show "$job" --provider huawei --dataset gpqa-sample --wrong --format json || return 1
	json '(.answers | length) == 13 and ([.answers[] | .correct == false and .provider == "huawei" and
		(.reasoning | length) > 0 and .rule != ""] | all)' || return 1
	exits 0 dsr show "$job" -p together --item sample01 && grep -q "correct; read" "$work/out" &&
		exits 1 dsr show "$job" -p together --item no-such-item
}
check "show reads answers like a person would" show_ok

perf_ok() {
	exits 1 dsr -q perf --requests 6 --concurrency 3 --output both --format json || return 1
	json '.schema == 1 and (.providers | length) == 15' &&
		json '[.providers[] | select(.provider != "aliyun" and .provider != "azure") |
			.success == 1 and .succeeded == 6 and .errors == {}] | all' &&
		json '[.providers[] | select(.provider == "volcengine") | .metrics |
			.ttft.median > 0.078 and .itl.max > 0.003 and .otpr.avg == 30 and .ttft.n == 6 and
			.ttfa.median > .ttft.median + 0.02 and .ttft.ci95[0] <= .ttft.avg] | all' &&
		json '[.providers[] | .token_source] | unique - ["billed", "events", null] == []' &&
		json '[.providers[] | select(.provider == "azure") | .token_source == "events"] | all' &&
		json '[.providers[] | select(.provider == "aliyun") | .errors | keys[]] |
			unique - ["cut", "malformed", "http_500"] == []'
}
check "perf measures what the simulator plays" perf_ok
cp "$work/out" "$work/perf.json"

# times of perf against the truth log: by provider, median of first chunk minus received
truth_ok() {
	local seen told
	seen=$(tail -n 90 "$work/truth.jsonl" | jq -s '[.[] | select(.provider == "volcengine") |
		(.first_ns - .received_ns) / 1e9] | sort | .[length / 2 | floor]')
	told=$(jq '.providers[] | select(.provider == "volcengine") | .metrics.ttft.median' "$work/perf.json")
	echo "truth $seen, measured $told"
	# the client's clock starts before the server's and stops after it; a machine under load adds to that
	jq -en "$told >= $seen - 0.001 and $told < $seen + 2"
}
check "time to first token is the simulator's" truth_ok

cat >"$work/need.json" <<'J'
{"filters": [{"metric": "gpqa", "stat": "lo95", "min": 60}, {"metric": "success", "min": 0.9}],
 "order": [{"metric": "output_price"}, {"metric": "ttft", "stat": "p90"}]}
J
route_ok() {
	exits 0 dsr route --requirement "$work/need.json" --format json || return 1
	json '.schema == 1 and .currency == "CNY" and (.matched | length) > 5' &&
		json '[.matched[].rank] == [range(1; (.matched | length) + 1)]' &&
		json '[.matched[0].provider] - ["volcengine"] == []' &&
		json '[.rejected[] | select(.provider == "huawei") | .failed[0] | .metric == "gpqa" and
			.stat == "lo95" and .min == 60 and .value < 60] | all' &&
		json '[.matched[] | .metrics.output_price.avg] | . == (map(select(. != null)) | sort) +
			map(select(. == null))'
}
check "route ranks by what was measured" route_ok
cp "$work/out" "$work/route.json"
same_ok() {
	exits 0 dsr route --requirement "$work/need.json" --data-dir "$work/results/csv" --format json
	jq -e --slurpfile db "$work/route.json" '[.matched[].provider] == [$db[0].matched[].provider]' \
		"$work/out"
}
check "the CSV files lead to the same ranking as the database" same_ok
check "since leaves older results out" exits 1 dsr route --requirement "$work/need.json" --since 2100-01-01
dollars_ok() {
	exits 0 dsr route --requirement "$work/need.json" --currency USD --format json
	json '.currency == "USD" and ([.matched[] | select(.provider == "volcengine") |
		.metrics.output_price.avg] | .[0] | (. - 1.096) | fabs < 1e-9)'
}
check "prices are converted" dollars_ok
explain_ok() {
	exits 0 dsr route --requirement "$work/need.json" --explain
	grep -q "huawei is left out: gpqa (lo95) is" "$work/out" &&
		grep -q "volcengine: first of" "$work/out"
}
check "route --explain says why" explain_ok

repeat_ok() {
	exits 0 dsr -q eval --dataset gpqa-sample -p together,huawei --limit 4 --repeat 2 --seed 5 --format json
	json '[.results[].asked] == [8, 8] and [.results[].repeats] == [2, 2]'
}
check "limit, repeat and seed choose the questions" repeat_ok
shards_ok() {
	local total=0 i
	for i in 1 2 3; do
		exits 0 dsr -q eval --dataset gpqa-sample -p together --job part$i --shard $i/3 --format json || return 1
		total=$((total + $(jq '.results[0].asked' "$work/out")))
	done
	[ "$total" -eq 13 ]
}
check "shards share the questions out" shards_ok
rotation_ok() {
	exits 0 dsr -q eval --dataset gpqa-sample -p together --grader opencompass --job rotation-all --format json
	exits 0 dsr -q show rotation-all --format json || return 1
	# row 1 of the file has its answer at D, row 2 at C, and so on (GPQADataset of OpenCompass)
	json '[.answers[] | {item, gold}] | sort_by(.item) | map(.gold) | join("") == "DCBADCBADCBAD"'
}
check "OpenCompass's grader comes with its order of options" rotation_ok
rate_ok() {
	exits 0 dsr -q perf -p volcengine --rate 20 --duration 1 --format json
	json '.providers[0].requests > 5 and .providers[0].requests < 50'
}
check "open loop sends at its rate" rate_ok
arrival_ok() {
	exits 0 dsr -q perf -p volcengine --rate 20 --arrival constant -n 10 --slo ttft:10s,total:100s --format json || return 1
	json '.providers[0] | .goodput.requests == 10 and .goodput.share == 1' || return 1
	exits 0 dsr -q perf -p volcengine --rate 50 --arrival gamma:0.5 -n 10 --slo ttft:0.01ms --format json || return 1
	json '.providers[0] | .requests == 10 and .goodput.share == 0'
}
check "arrivals have their kind, and goodput its bounds" arrival_ok
check "a bound that is none is told" says 2 '"itl:fast" is no bound' dsr perf --slo ttft:1s,itl:fast
check "an unknown kind of arrival is told" says 2 "poisson, constant or gamma:SHAPE" dsr perf --arrival never
duration_ok() {
	exits 0 dsr -q perf -p volcengine -c 2 --duration 1 --warmup 2 --format json
	json '.providers[0] | .requests >= 4 and .success == 1 and .requests_per_s > 2'
}
check "a run may last a time" duration_ok

grep -rlaF "$DSR_SIM_KEY" "$work" >"$work/leaks" 2>/dev/null
check "the key is in no file" test ! -s "$work/leaks"
csv_ok() {
	head -1 "$work/results/csv/perf_results.csv" | grep -qx "JOB_ID,PROVIDER,MODEL,PROMPT_TYPE,SUCCESS,START_TIME,END_TIME,TIME_TO_FIRST_TOKEN,TIME_TO_FIRST_RESULT_TOKEN,TOTAL_TIME,INPUT_TOKENS_COUNT,OUTPUT_TOKENS_COUNT,REASONING_TOKENS_COUNT,CACHED_TOKENS_COUNT_BILLING,INPUT_TOKENS_COUNT_BILLING,OUTPUT_TOKENS_COUNT_BILLING,ERROR" &&
		[ "$(wc -l <"$work/results/csv/perf_results.csv")" -eq 91 ]
}
check "CSV files have the columns of the seed system" csv_ok
check "doctor --online asks each provider" exits 1 dsr doctor --online
check "doctor found the answering ones well" grep -q "together .*answers; first token" "$work/out"
check "the simulator stops cleanly" stop_sim
check "a provider that is not there is an error of its own class" bash -c \
	"'$run' -q --config '$work/config' --data '$work/data' perf -p together --format json |
	jq -e '.providers[0].errors == {\"connect\": 3}'"
pipe_ok() {
	printf '\n{"id":1,"response":"ANSWER: B","gold":"B"}\n{"id":2,"response":"\\\\boxed{7}","gold":"A","options":[1,null]}\n' |
		exits 0 "$run" grade --evaluator gpqa && [ "$(jq -c .correct "$work/out" | paste -sd,)" = true,false ]
}
check "grade reads a pipe" pipe_ok
check "grade tells the line of a bad one" bash -c "printf '{\"id\":1}\n' | '$run' grade -e gpqa 2>&1 | grep -q 'stdin:1: '"
check "grade tells what graders there are" bash -c "echo '{\"id\":1,\"response\":\"A\",\"gold\":\"A\"}' |
	'$run' grade -e aime --grader x 2>&1 | grep -q 'stdin:1: no grader'"
for command in "" eval perf route plugins grade regrade compare merge tokenize show doctor; do
	check "dsr-run $command --help" exits 0 "$run" $command --help
done
check "dsr-run --version" exits 0 "$run" --version
check "an unknown command is told" exits 2 "$run" nonsense
check "an unknown provider is told" says 2 'no provider "nobody"' dsr perf -p nobody
check "an unknown dataset is told" says 2 'no "nothing"' dsr eval --dataset nothing
check "a missing dataset names the script that fetches it" says 2 download_datasets dsr eval --dataset gpqa
