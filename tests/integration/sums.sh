#!/bin/bash
# Many results: LevelDB ranks by figures of hours and days, the others read them all; both say the same.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{}'
# three providers over 40 days up to 1 January 2025: 3,000, 900 and 1,500 results
python3 - >"$work/many.jsonl" <<'P'
import datetime, json, random
random.seed(5)
begin = datetime.datetime(2024, 11, 22, tzinfo=datetime.timezone.utc)
for provider, n in (("aliyun", 3000), ("volcengine", 900), ("together", 1500)):
    for i in range(n):
        at = begin + datetime.timedelta(microseconds=random.randrange(40 * 86400 * 10**6))
        end = at + datetime.timedelta(seconds=9)
        ttft, output = random.lognormvariate(-1, 1), random.randrange(5, 4000)
        body = {"provider": provider, "model": "deepseek-r1", "prompt_type": "leval", "success": i % 19 > 0,
                "start_time": at.isoformat().replace("+00:00", "Z"), "end_time": end.isoformat().replace("+00:00", "Z"),
                "ttft": ttft, "ttfa": ttft + 1, "total_time": ttft + random.uniform(2, 30), "input_tokens": 50 + i % 700,
                "output_tokens": output, "input_tokens_billed": 50 + i % 700, "output_tokens_billed": output,
                "cached_tokens_billed": i % 50}
        if i % 19 == 0:
            body["error"] = "http_500"
        print(json.dumps({"kind": "performance", "job": "j", "model": "deepseek-r1", "provider": provider, "key": f"{provider}{i}",
                          "time_us": int(at.timestamp()) * 10**6 + at.microsecond, "body": body}))
P
stores=(leveldb:///"$work/level" csv:///"$work/csv")
[ -z "$(find /usr/lib -name libsqlite3odbc.so 2>/dev/null | head -1)" ] || stores+=(sqlite:///"$work/r.db")
filled_ok() {
	local store
	for store in "${stores[@]}"; do
		exits 0 dsr -q --store "$store" db import "$work/many.jsonl" --format json && json '.records.performance.copied == 5400' || return 1
	done
}
check "results are brought in" filled_ok

cat >"$work/need.json" <<'J'
{"filters": [{"metric": "success", "stat": "lo95", "min": 0.01}, {"metric": "cost", "stat": "p90", "max": 9}, {"metric": "otps", "stat": "p99", "min": 0.01},
	{"metric": "decode", "stat": "hi95", "min": 0.01}, {"metric": "otpr", "stat": "median", "min": 1}, {"metric": "prefill", "stat": "p10", "min": 0}],
 "order": [{"metric": "ttft", "stat": "p90"}, {"metric": "tpot"}, {"metric": "total", "stat": "max"}]}
J
same_ok() { # ROUTE-OPTION...
	local store first=
	for store in "${stores[@]}"; do
		exits 0 dsr -q --store "$store" route -r "$work/need.json" --format json "$@" || return 1
		json '.matched | length == 3 and all(.metrics.ttft.p90 > 0)' || return 1
		[ -n "$first" ] || cp "$work/out" "$work/first"
		first=yes
		cmp "$work/first" "$work/out" || return 1
	done
}
check "all of them rank the same" same_ok
check "since and until a time, too" same_ok --since 2024-11-23T04:05:06.789Z --until 2024-12-30T11:12:13Z
check "of one day" same_ok --since 2024-12-01 --until 2024-12-02
check "in another currency" same_ok --currency USD

series() { # STORE QUERY: the answer of /api/query_metric
	"$run" --config "$work/config" --data "$work/data" -q --store "$1" serve --listen 127.0.0.1:0 >"$work/served" 2>&1 &
	local server=$! site
	for _ in $(seq 50); do
		site=$(sed -n 's/^listening on //p' "$work/served")
		[ -n "$site" ] && break
		sleep 0.1
	done
	curl -s "$site/api/query_metric?provider=$2" >"$work/out"
	kill $server
	wait $server
}
chart_ok() { # QUERY
	local n
	series "${stores[0]}" "$1"
	cp "$work/out" "$work/level.json"
	series "${stores[1]}" "$1"
	n=$(jq '.datapoints | length' "$work/out")
	[ "$n" -gt 20 ] && jq -n --slurpfile a "$work/level.json" --slurpfile b "$work/out" -e \
		'[$a[0].datapoints, $b[0].datapoints] | transpose | map(select(.[0].start_time == .[1].start_time and .[0].n == .[1].n and
		((.[0].values[0] // 0) - (.[1].values[0] // 0) | fabs) <= 0.001 * (.[1].values[0] // 0))) | length' | grep -qx "$n"
}
span="start_time=2024-11-22T07:30:00Z&end_time=2025-01-01T00:00:00Z"
check "a chart by days is drawn of figures" chart_ok "aliyun&metric=ttft&stat=p90&interval=1440&$span"
check "one by 7 hours" chart_ok "aliyun&metric=otps&stat=avg&interval=420&$span"
check "one of few results has the same values" chart_ok "volcengine&metric=ttft&stat=p90&interval=1440&$span"
begun_ok() { # of few results it begins when it was asked to
	series "${stores[0]}" "volcengine&metric=ttft&interval=1440&$span"
	json '.datapoints[0].start_time == "2024-11-22T07:30:00.000000Z"' || return 1
	series "${stores[0]}" "aliyun&metric=ttft&interval=1440&$span"
	json '.datapoints[0].start_time == "2024-11-22T00:00:00.000000Z" and ([.datapoints[].n] | add) == 2842'
}
check "it begins when it was asked to, or at a full day" begun_ok

keep_ok() {
	local before
	exits 0 dsr -q --store "${stores[0]}" route -r "$work/need.json" --format json || return 1
	before=$(jq -c '.matched | map(select(.provider != "volcengine"))' "$work/out")
	exits 0 dsr -q --store "${stores[0]}" db compact --keep 30d --format json && json '.removed == 5400' || return 1
	exits 0 dsr -q --store "${stores[0]}" db verify --format json && json '.records.performance.found == 0' || return 1
	exits 0 dsr -q --store "${stores[0]}" route -r "$work/need.json" --format json || return 1
	[ "$before" = "$(jq -c '.matched | map(select(.provider != "volcengine"))' "$work/out")" ] &&
		json '[.matched[].provider] | index("volcengine") != null'
}
check "results that are given up stay in the ranking" keep_ok
