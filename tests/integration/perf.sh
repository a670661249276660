#!/bin/bash
# Load models and what perf tells: sweeps, traces, times from when a request was due, doubtful figures.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 30, "itl_ms": 2, "reasoning_tokens": 5, "answer_tokens": 5},
	"providers": {"together": {"faults": {"http_503": 1}}, "volcengine": {"ttft_ms": 200}}}' --truth "$work/truth.jsonl"
sent() { # PROVIDER: the simulator's times of arrival in seconds since the first
	jq -s --arg p "$1" '[.[] | select(.provider == $p) | .received_ns / 1e9] | sort | map(. - .[0])' \
		"$work/truth.jsonl" "${@:2}" >"$work/sent"
}
ramp_ok() {
	exits 0 dsr -q perf -p deepseek --ramp 1,2,4 --requests 8 --format json || return 1
	json '[.steps[] | [.concurrency, .providers[0].requests]] == [[1, 8], [2, 8], [4, 8]]' &&
		json '([.steps[].job] | unique | length) == 3 and .job == .steps[2].job' || return 1
	exits 0 dsr -q perf -p deepseek --ramp 1,3
	grep -q CONCURRENCY "$work/out" && [ "$(grep -c '^deepseek' "$work/out")" -eq 2 ]
}
check "a sweep has a row for each step" ramp_ok
check "a sweep and a rate exclude each other" says 2 "exclude" dsr perf --ramp 1,2 --rate 3
check "a step must be a number" says 2 "ramp" dsr perf --ramp 1,two
cat >"$work/trace.jsonl" <<'J'
{"timestamp": 5900, "input_length": 90, "output_length": 7}
{"timestamp": 5000, "input_length": 40, "output_length": 3}
{"at": 5.5, "messages": [{"role": "user", "content": "recorded words"}], "output_tokens": 4}
J
trace_ok() {
	: >"$work/truth.jsonl"
	exits 0 dsr -q perf -p deepseek --trace "$work/trace.jsonl" --export "$work/out.jsonl" --format json || return 1
	sent deepseek
	jq -e '(.[1] - 0.5 | fabs) < 0.3 and (.[2] - 0.9 | fabs) < 0.3' "$work/sent" || return 1
	jq -s -e 'sort_by(.key) | length == 3 and all(.queue_s != null and .ttft_due >= .ttft)' "$work/out.jsonl"
}
check "a trace is played at its times" trace_ok
kept_ok() {
	exits 0 dsr -q perf -p deepseek --trace "$work/trace.jsonl" --output csv --format json || return 1
	jq -s -e --arg job "$(jq -r .job "$work/out")" \
		'[.[] | select(.job == $job) | .body] | length > 0 and (last | .type == "perf" and .end_time != null)' \
		"$work"/results/csv/jobs.jsonl
}
check "its job is recorded" kept_ok
bad_trace() { # LINE TEXT WHERE
	echo "$1" >"$work/bad.jsonl"
	says 2 "$2" dsr perf --trace "$work/bad.jsonl"
}
check "a trace without times is refused" bad_trace '{"input_length": 3}' '"timestamp"'
check "an empty one too" bad_trace '' "no arrival"
check "a length below 0 too" bad_trace '{"at": 1, "input_length": -3}' "numbers of tokens"
due_ok() { # one at a time cannot be: an open loop sends them when they are due
	exits 0 dsr -q perf -p volcengine -n 10 --rate 20 --arrival constant --format json || return 1
	json '.providers[0].metrics | .ttft_due.n == 10 and .ttft_due.median >= .ttft.median and .queue.max < 5' || return 1
	exits 0 dsr -q perf -p volcengine -n 3 --format json
	json '.providers[0].metrics.ttft_due.n == 0'
}
check "an open loop tells times from when a request was due" due_ok
few_ok() {
	exits 0 dsr -q perf -p deepseek -n 12 -c 12 --format json || return 1
	json '.providers[0].metrics.ttft.few == ["p99"]' || return 1
	exits 0 dsr -q perf -p deepseek -n 3
	grep -q '~' "$work/out" && grep -q "too few samples" "$work/out"
}
check "percentiles of too few samples are marked" few_ok
minutes_ok() {
	exits 1 dsr -q perf -p together,deepseek -n 4 --format json || return 1
	json '[.providers[] | {(.provider): ([.minutes[].errors.http_503 // 0] | add)}] | add == {"together": 4, "deepseek": 0}' &&
		json 'all(.providers[]; ([.minutes[].requests] | add) == 4)' &&
		json '.loop | .busy >= 0 and .wait_p99 >= 0 and (.credible | type) == "boolean"' &&
		json 'all(.providers[]; .metrics.dns.n == .metrics.connect.n)' || return 1
	json '.providers[] | select(.provider == "deepseek") | .metrics.connect.n == 1 and .metrics.cached.n >= 0'
}
check "errors are told by minute, the loop tells whether it can be believed" minutes_ok
export_ok() {
	exits 1 dsr -q perf -p together,deepseek -n 2 --export "$work/out.csv" || return 1
	[ "$(grep -c . "$work/out.csv")" -eq 5 ] && grep -q '"http_503"' "$work/out.csv" || return 1
	exits 0 dsr -q perf -p deepseek --ramp 1,2 -n 2 --export "$work/out.jsonl" || return 1
	jq -s -e 'length == 4 and ([.[].job] | unique | length) == 2 and all(.itl_hist | length > 0)' "$work/out.jsonl"
}
check "records are exported" export_ok
check "an export of another kind is refused" says 2 ".jsonl" dsr perf --export "$work/out.txt"
check "and so is a place that is not there" says 2 "can't be written" dsr perf --export "$work/none/out.csv"
burst_ok() { # connections are made before: all requests are sent together
	: >"$work/truth.jsonl"
	exits 0 dsr -q perf -p volcengine -n 100 -c 100 --format json || return 1
	json '.providers[0] | .succeeded == 100 and .metrics.connect.n == 100'
}
check "a burst of starts is answered whole" burst_ok
timeline_ok() { # tokens by second add up to all of them
	exits 0 dsr -q perf -p deepseek -n 20 -c 2 --format json || return 1
	json '.providers[0] | ((.timeline | .step_s * (.tokens_per_s | add)) - .metrics.otpr.avg * 20 | fabs) < 0.01' &&
		json '.providers[0].timeline | .in_flight | length > 0 and max < 2.5'
}
check "output over the run is told by second" timeline_ok
jq '."deepseek-r1"."deepseek-</script><i>x" = ."deepseek-r1".deepseek' "$work/data/services.json" >"$work/s.json" &&
	mv "$work/s.json" "$work/data/services.json"
report_ok() {
	exits 1 dsr -q perf -p 'together,deepseek,deepseek-</script><i>x' --ramp 1,2 --report "$work/report.html" || return 1
	! grep -qE '(src|href)=|@import|url\(' <(sed '/^ \* Chart.js v/,/^<.script>/d' "$work/report.html") || return 1
	sed -n 's/^<script id="data"[^>]*>\(.*\)<.script>$/\1/p' "$work/report.html" >"$work/out"
	json '(.steps | length) == 2 and all(.providers[]; .curves.ttft | length == 101)'
}
check "a report is one page" report_ok
page() { # what a browser makes of it
	chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$work/chromium" --timeout=20000 \
		--window-size="${1:-1200},900" --dump-dom "file://$work/report.html" 2>"$work/err"
}
drawn_ok() {
	page >"$work/out"
	grep -q 'data-charts="[6-9]"' "$work/out" && [ "$(grep -o '<th scope="row">together' "$work/out" | wc -l)" -eq 2 ] &&
		grep -qF 'deepseek-&lt;/script&gt;&lt;i&gt;x' "$work/out"
}
if command -v chromium >/dev/null; then
	check "a browser draws its tables and charts" drawn_ok
else
	skip "a browser draws its tables and charts" "chromium is not installed"
fi
check "a report that can't be written is told before" says 2 "can't be written" dsr perf --report "$work/absent/r.html"
terminal_ok() { # a live line: figures and a sparkline
	LANG=C.UTF-8 LC_ALL='' script -qec "stty cols 120; '$run' --config '$work/config' --data '$work/data' perf -p volcengine -n 8" \
		"$work/tty" >/dev/null
	grep -aqE 'volcengine +[1-8]/8, [01] in flight, [0-9]+ tok/s, 0 errors, TTFT 0\.[0-9]+ [▁▂▃▄▅▆▇█]+' "$work/tty" || return 1
	LC_ALL=C script -qec "'$run' --config '$work/config' --data '$work/data' perf -p volcengine -n 8" "$work/tty" >/dev/null
	! grep -aq '█' "$work/tty"
}
check "a terminal shows what goes on" terminal_ok
unreachable_ok() { # what can't be reached does not hold up the others
	jq '."deepseek-r1".nvidia.base_url = "http://127.0.0.1:1/v1"' "$work/data/services.json" >"$work/s.json" &&
		mv "$work/s.json" "$work/data/services.json"
	exits 1 dsr -q perf -p nvidia,deepseek -n 2 --format json || return 1
	json '[.providers[] | .succeeded] | sort == [0, 2]'
}
check "a provider that can't be reached holds nobody up" unreachable_ok
