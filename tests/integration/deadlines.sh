#!/bin/bash
# Deadlines count tokens, not bytes; retries follow the rules.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 20, "itl_ms": 2, "reasoning_tokens": 50, "answer_tokens": 50},
	"providers": {
	"deepseek": {"ttft_ms": 60000, "keep_alive_comments": true},
	"volcengine": {"itl_ms": 60000},
	"together": {"faults": {"stall": 1}},
	"fireworks": {"faults": {"http_429": 1}, "retry_after_s": 0},
	"tencent": {"ttft_ms": 1500, "itl_ms": 30},
	"nvidia": {"faults": {"http_202": 1}},
	"huawei": {"faults": {"empty": 1}},
	"aliyun": {"ttft_ms": 1, "itl_ms": 0, "rate_requests": 4, "rate_window_s": 1},
	"siliconflow": {"faults": {"http_429": 0.5}, "retry_after_s": 1}}}' --truth "$work/truth.jsonl"
models() { # TIMEOUTS
	jq --argjson t "$1" '{"deepseek-r1": (.["deepseek-r1"] + {timeouts: $t})}' \
		"$top_srcdir/data/models.json" >"$work/data/models.json"
}
one() { # PROVIDER CONDITION
	exits 1 dsr -q perf -p "$1" -n 1 --format json && json ".providers[0] | $2"
}
models '{"connect": 2, "first_token": 0.6, "idle": 0.5}'
check "keep-alive comments do not hold back the first-token deadline" \
	one deepseek '.errors == {"timeout_first_token": 1}'
check "a gap longer than idle ends the request" one volcengine '.errors == {"timeout_idle": 1}'
check "a stall does too" one together '.errors | (.timeout_idle // .timeout_first_token) == 1'
models '{"total": 1}'
check "the total deadline ends what goes on and on" one tencent '.errors == {"timeout_total": 1}'
# each answer is one of two transfers: whoever overlooks that the first has ended misses the deadline
models '{"first_token": 3, "total": 4}'
polled() {
	exits 0 dsr -q perf -p nvidia -n 5 --format json && json '.providers[0].succeeded == 5'
}
check "an end is seen when it comes" polled
tries() { # PROVIDER: how many requests the simulator saw
	jq -r .provider "$work/truth.jsonl" | grep -cx "$1"
}
models '{"first_token": 5}'
before=$(tries fireworks)
check "perf does not retry: an error is data" one fireworks '.errors == {"http_429": 1}'
check "so one request was sent" test "$(tries fireworks)" -eq $((before + 1))
check "a 200 without a token is an error of its own" one huawei '.errors == {"empty": 1}'
retry_ok() {
	local before
	before=$(tries fireworks)
	exits 1 dsr -q eval --dataset gpqa-sample --limit 1 -p fireworks --format json
	json '.results[0] | .errors == 1 and .answered == 0 and .accuracy == null' || return 1
	echo "requests $(($(tries fireworks) - before))"
	[ $(($(tries fireworks) - before)) -eq 6 ]
}
check "eval tries six times" retry_ok
check "each try that failed is recorded" bash -c \
	"'$run' -q --config '$work/config' --data '$work/data' eval --dataset gpqa-sample --limit 1 -p fireworks --output csv >/dev/null;
	[ \$(grep -c try_failed '$work/results/csv/events.jsonl') -eq 5 ]"
wait_ok() {
	local start=$SECONDS
	exits 0 dsr -q eval --dataset gpqa-sample --limit 3 --seed 3 -p siliconflow --format json || return 1
	echo "took $((SECONDS - start)) s"
	# with half of the tries refused there is at least one wait of a second among three questions
	jq -s '[.[] | select(.provider == "siliconflow") | .received_ns] | sort |
		[.[1:], .[:-1]] | transpose | map(.[0] - .[1]) | max / 1e9' "$work/truth.jsonl" |
		jq -e '. >= 0.9'
}
check "Retry-After is kept" wait_ok
rate_ok() {
	jq '."deepseek-r1".aliyun.max_concurrency = 1' "$work/data/services.json" >"$work/s.json" &&
		mv "$work/s.json" "$work/data/services.json"
	exits 0 dsr -q eval --dataset gpqa-sample --limit 10 -p aliyun --format json || return 1
	jq -s -e '[.[] | select(.provider == "aliyun") | .fault] | length == 10 and all(. != "http_429")' "$work/truth.jsonl"
}
check "a rate told in headers is kept before it refuses" rate_ok
