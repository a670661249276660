#!/bin/bash
# The graders on labelled cases, and the loaders on real files: needs the conformance data.
. "$top_srcdir/tests/integration/lib.sh"

if [ ! -d "${DSR_CONFORMANCE_DIR:-/nonexistent}" ]; then
	for what in "labelled cases" "real datasets"; do
		skip "$what" "DSR_CONFORMANCE_DIR names no folder"
	done
	exit
fi
set_data=$DSR_CONFORMANCE_DIR
agreement() { # EVALUATOR FILE LEAST
	exits 0 "$run" grade --evaluator "$1" --input "$set_data/grading/$2.jsonl" || return 1
	local share
	share=$(jq -rn --slurpfile v "$work/out" --slurpfile t "$set_data/grading/$2.jsonl" '
		[$t | to_entries[] | select(.value.truth != null) | .value.truth == $v[.key].correct] |
		(map(select(.)) | length) / length')
	echo "agreement $share"
	jq -en "$share >= $3"
}
check "gpqa agrees with careful humans" agreement gpqa gpqa 0.98
check "aime agrees with careful humans" agreement aime aime2024 0.98
check "ceval agrees with careful humans" agreement ceval ceval 0.98

like_opencompass() { # EVALUATOR FILE
	exits 0 "$run" grade --evaluator "$1" --grader opencompass --input "$set_data/grading/$2.jsonl" || return 1
	jq -en --slurpfile v "$work/out" --slurpfile t "$set_data/grading/$2.jsonl" '
		[$t | to_entries[] | .value.opencompass.correct == $v[.key].correct] |
		(map(select(.)) | length) / length >= 0.99'
}
check "gpqa reproduces OpenCompass's verdicts" like_opencompass gpqa gpqa
check "ceval reproduces OpenCompass's verdicts" like_opencompass ceval ceval
check "aime reproduces OpenCompass's verdicts" like_opencompass aime aime2024

start_sim '{"defaults": {"ttft_ms": 1, "itl_ms": 0, "reasoning_tokens": 1, "answer_tokens": 1}}'
cp "$top_srcdir/data/models.json" "$work/data"
jq -n --arg d "$set_data" '{
	"aime-a": {evaluator: "aime", file: "\($d)/aime/qwen25math_aime24_test.jsonl"},
	"aime-b": {evaluator: "aime", file: "\($d)/aime/maxwelljia_form_array_zldscr0_aime2024.jsonl"},
	"aime-c": {evaluator: "aime", file: "\($d)/aime/derived_opencompass_form.jsonl"},
	"aime-d": {evaluator: "aime", file: "\($d)/aime/derived_hfh4_form.jsonl"},
	"ceval": {evaluator: "ceval", file: "\($d)/ceval"},
	"gpqa": {evaluator: "gpqa", file: "\($d)/gpqa/gpqa_diamond_synthetic.csv"},
	"chat-a": {promptgen: "sharegpt", file: "\($d)/sharegpt/fastchat_dummy_conversation.json"},
	"chat-b": {promptgen: "sharegpt", file: "\($d)/sharegpt/derived_sharegpt_gpt4_form.jsonl", options: {rounds: "multi"}},
	"leval": {promptgen: "leval", file: "\($d)/leval"}}' >"$work/data/datasets.json"
for set in aime-a aime-b aime-c aime-d; do
	check "$set has its 30 problems" bash -c "'$run' -q --config '$work/config' --data '$work/data' \
		eval --dataset $set -p volcengine --format json | jq -e '.results[0].asked == 30'"
done
check "gpqa has its rows" bash -c "'$run' -q --config '$work/config' --data '$work/data' \
	eval --dataset gpqa -p volcengine --format json | jq -e '.results[0].asked == 5'"
check "ceval has its 1346 questions in 52 subjects" bash -c "'$run' -q --config '$work/config' --data '$work/data' \
	eval --dataset ceval -p volcengine --format json |
	jq -e '.results[0].asked == 1346 and (.results[0].groups | length) == 52'"
check "prompts are made of real files" bash -c "'$run' -q --config '$work/config' --data '$work/data' \
	perf -p volcengine -n 30 -c 3 --format json | jq -e '.providers[0].succeeded == 30'"
