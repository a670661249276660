#!/bin/bash
# Sets of subjects and sets of the user's own.
. "$top_srcdir/tests/integration/lib.sh"

mkdir -p "$work/mmlu/dev" "$work/mmlu/test"
for subject in anatomy philosophy; do
	for i in 1 2 3 4 5; do
		echo "\"What is $i, of $subject?\",one,two,\"three, or so\",four,C"
	done >"$work/mmlu/test/${subject}_test.csv"
	cp "$work/mmlu/test/${subject}_test.csv" "$work/mmlu/dev/${subject}_dev.csv"
done
cat >"$work/own.jsonl" <<'J'
{"id": "a", "question": "Two?", "options": ["one", "two"], "answer": "two", "kind": "small"}
{"id": "b", "question": "Two?", "options": ["one", "two"], "answer": 0, "kind": "small"}
{"id": "c", "question": "Capital?", "answer": "Paris"}
{"id": "d", "question": "Forty-two?", "answer": 42}
J
start_sim '{"defaults": {"ttft_ms": 1, "itl_ms": 0, "reasoning_tokens": 1, "answer_tokens": 2, "accuracy": {"own": 1, "mmlu": 1}}}'
jq -n --arg d "$work" '{mmlu: {evaluator: "mmlu", file: "\($d)/mmlu"},
	own: {evaluator: "jsonl", file: "\($d)/own.jsonl", options: {group: "kind"}}}' >"$work/data/datasets.json"
mmlu_ok() {
	exits 0 dsr -q eval --dataset mmlu -p volcengine --format json || return 1
	json '.results[0] | .asked == 10 and .groups.anatomy.asked == 5 and .categories.STEM.asked == 5 and .categories.Humanities.asked == 5'
	tokens=$(jq '.results[0].input_tokens' "$work/out")
}
check "mmlu has its subjects and categories" mmlu_ok
shots_ok() {
	exits 0 dsr -q eval --dataset mmlu --shots 5 -p volcengine --format json || return 1
	json ".results[0].input_tokens > 5 * $tokens"
}
check "examples are put before the questions" shots_ok
check "too many shots are told" says 2 "shots" dsr eval --dataset mmlu --shots 6
own_ok() {
	exits 0 dsr -q eval --dataset own -p volcengine --format json || return 1
	json '.results[0] | .asked == 4 and .groups.small.asked == 2'
	exits 0 dsr -q show "$(jq -r .job "$work/out")" --format json || return 1
	json '[.answers[] | .gold] | sort == ["42", "A", "B", "Paris"]'
}
check "questions of the user's own are put" own_ok
bad() { # TEXT LINE
	echo "$2" >"$work/own.jsonl"
	says 2 "$1" dsr -q eval --dataset own -p volcengine
}
check "a wrong answer of theirs is told" bad 'own.jsonl:1: ' '{"question": "Q", "options": ["x", "y"], "answer": "z"}'
check "options that are none are told" bad '"options" must be' '{"question": "Q", "options": ["x"], "answer": "A"}'
check "a lacking question is told" bad '"question" must be' '{"answer": "A"}'
check "the same id twice is told" bad 'two questions have the id "1"' '{"id": 1, "question": "Q", "answer": 2}
{"id": 1, "question": "R", "answer": 3}'
prompts_ok() {
	printf '%s\n' '{"prompt": "Say one."}' '{"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}], "max_tokens": 5}' \
		>"$work/prompts.jsonl"
	jq --arg d "$work" '. + {prompts: {promptgen: "file", file: "\($d)/prompts.jsonl"}}' "$work/data/datasets.json" >"$work/d.json" &&
		mv "$work/d.json" "$work/data/datasets.json"
	exits 0 dsr -q perf --prompts prompts -n 8 -c 2 -p volcengine --format json && json '.providers[0].succeeded == 8'
}
check "prompts of the user's own are sent" prompts_ok
check "a prompt that is none is told" bash -c "echo '{\"messages\": [{\"role\": \"x\"}]}' >'$work/prompts.jsonl'
	'$run' --config '$work/config' --data '$work/data' perf --prompts prompts -p volcengine 2>&1 | grep -q 'prompts.jsonl:1: .*a message needs'"
exact_ok() {
	printf '%s\n' '{"id":1,"response":"It is Paris.\n\nAnswer: Paris","gold":"paris"}' '{"id":2,"response":"Answer: B","gold":"B","options":["x","y"]}' \
		'{"id":3,"response":"\\boxed{042}","gold":"42"}' | exits 0 "$run" grade -e jsonl || return 1
	[ "$(jq -c .correct "$work/out" | paste -sd,)" = true,true,true ]
}
check "exact answers are graded" exact_ok
many_ok() {
	seq 5000 | sed 's/.*/{"id":&,"response":"ANSWER: B","gold":"B"}/' >"$work/many.jsonl"
	exits 0 "$run" grade -e mmlu --input "$work/many.jsonl" || return 1
	[ "$(jq -c 'select(.correct) | .id' "$work/out" | diff - <(seq 5000) | wc -l)" -eq 0 ]
}
check "thousands of lines come out in order" many_ok
