#!/bin/bash
# Questions that a model writes: checked for their form, kept, asked for again a few times and no more.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 5, "itl_ms": 1, "reasoning_tokens": 3, "answer_tokens": 3}, "providers": {
	"fireworks": {"replies": ["What is a prime number, and why are there infinitely many?",
		"<question>What is a prime number, and why are there infinitely many?</question>",
		"<question>one question</question> <question>and another one of them</question>",
		"<question>What is a prime number, and why are there infinitely many?</question>",
		"<question>short</question>",
		"Here it is:\n<question>\n为什么天空是蓝色的？请解释原因。\n</question>"]},
	"siliconflow": {"faults": {"empty": 1}}}}' --truth "$work/truth.jsonl"
questions() { cat "$work"/state/dsr/questions/*.jsonl; }
asked() { jq -s --arg p "$1" '[.[] | select(.provider == $p)] | length' "$work/truth.jsonl"; }
writer() { # CODE: whose model writes
	jq --arg url "$url/$1" --arg code "$1" \
		'{model: {base_url: $url, model: ."deepseek-r1"[$code].model, api_key: "env:DSR_SIM_KEY", max_concurrency: 1}}' \
		"$work/data/services.json" >"$work/config/prompt_generator.json"
}
wanted() { # N
	jq --argjson n "$1" '.llm = {promptgen: "llm", options: {questions: $n, topics: ["numbers", "the sky"]}}' \
		"$work/data/datasets.json" >"$work/d.json" && mv "$work/d.json" "$work/data/datasets.json"
}
cp "$top_srcdir/data/datasets.json" "$work/data/datasets.json"
sed -i "s|\"samples/|\"$(cd "$top_srcdir" && pwd)/data/samples/|" "$work/data/datasets.json"
check "without a model that is told" says 2 "prompt_generator.json" dsr perf --prompts llm -p deepseek
writer fireworks
wanted 2
written_ok() {
	exits 0 dsr perf --prompts llm -p deepseek -n 4 --export "$work/out.jsonl" --format json || return 1
	questions | jq -s -e 'map(.question) == ["What is a prime number, and why are there infinitely many?",
		"为什么天空是蓝色的？请解释原因。"]' || return 1
	[ "$(asked fireworks)" -eq 6 ] && grep -q "writes 2 questions" "$work/err" || return 1
	jq -s -e 'length == 4 and all(.prompt_type == "llm")' "$work/out.jsonl"
}
check "only answers of the wanted form are taken, and one twice is one" written_ok
kept_ok() {
	exits 0 dsr -q perf --prompts llm -p deepseek -n 2 && [ "$(asked fireworks)" -eq 6 ]
}
check "what is written is kept" kept_ok
bounded_ok() {
	wanted 4
	says 1 "wrote only 2 of 4 questions" dsr -q perf --prompts llm -p deepseek || return 1
	[ "$(asked fireworks)" -eq 12 ] && questions | jq -s -e 'length == 2'
}
check "there is an end to asking" bounded_ok
writer siliconflow
refused_ok() {
	says 1 "empty" dsr -v perf --prompts llm -p deepseek || return 1
	! grep -r "$DSR_SIM_KEY" "$work/err" "$work/out" "$work/state"
}
check "a model that fails is told with its error, and no key" refused_ok
bad_ok() { # OPTIONS WORD
	jq --argjson o "$1" '.llm.options = $o' "$work/data/datasets.json" >"$work/d.json"
	mv "$work/d.json" "$work/data/datasets.json"
	says 2 "$2" dsr perf --prompts llm -p deepseek && grep -q 'datasets.json:[0-9]' "$work/err"
}
check "a number that is none is refused" bad_ok '{"questions": "many"}' "questions"
check "so are topics that are none" bad_ok '{"topics": [3]}' "topic"
folder_ok() {
	mkdir -p "$work/sets" && cp "$top_srcdir/data/samples/sharegpt.json" "$work/sets/mine.json"
	echo '{"datasets": {"directory": "../sets"}}' >"$work/config/prompt_generator.json"
	jq 'del(.llm) | .mine = {promptgen: "sharegpt", file: "mine.json"}' "$work/data/datasets.json" >"$work/d.json"
	mv "$work/d.json" "$work/data/datasets.json"
	exits 0 dsr -q perf --prompts mine -p deepseek
}
check "prompt sets are found in the folder of prompt_generator.json" folder_ok
