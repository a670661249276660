#!/bin/bash
# The dashboard: its interface, its safety, and the page in a browser.
. "$top_srcdir/tests/integration/lib.sh"

served=
stop_all() {
	[ -n "$served" ] && kill "$served" 2>/dev/null
	finish
}
trap stop_all EXIT
start_sim '{"defaults": {"ttft_ms": {"dist": "lognormal", "median": 20, "sigma": 0.5}, "itl_ms": 1, "reasoning_tokens": 5, "answer_tokens": 5},
	"providers": {"together": {"faults": {"http_503": 0.4}}}}'
jq '."deepseek-r1".azure.name = "<img src=x onerror=harmed=1>"' "$work/data/services.json" >"$work/s.json" &&
	mv "$work/s.json" "$work/data/services.json"
exits 1 dsr -q perf -p volcengine,together,azure,nvidia -n 12
exits 0 dsr -q eval --dataset gpqa-sample -p volcengine,azure --limit 6
serve() { # [OPTION...]: the server at $site
	"$run" --config "$work/config" --data "$work/data" serve --listen 127.0.0.1:0 --refresh 1 "$@" >"$work/serve.out" 2>"$work/serve.err" &
	served=$!
	for _ in $(seq 100); do
		grep -q '^listening on' "$work/serve.out" && break
		sleep 0.05
	done
	site=$(sed -n 's/^listening on //p' "$work/serve.out")
}
get() { curl -s --max-time 20 "$@" -o "$work/out" -w '%{http_code}' >"$work/code"; }
serve
gives() { # STATUS PATH [jq condition] [curl option...]
	local status=$1 path=$2 condition=${3:-}
	shift 2
	[ $# -gt 0 ] && shift
	get "$@" "$site$path"
	[ "$(cat "$work/code")" = "$status" ] || { echo "$(cat "$work/code") instead of $status"; head -c 500 "$work/out"; return 1; }
	[ -z "$condition" ] || json "$condition"
}
check "models" gives 200 /api/list_models '.status == true and .models[0].model_code == "deepseek-r1"'
check "providers, with prices where they are known" gives 200 /api/list_providers \
	'.status and ([.providers[] | select(.provider_code == "volcengine")][0] | .price_per_million_output_tokens == 8)'
check "prices in another currency" gives 200 '/api/list_providers?currency=USD' \
	'[.providers[] | select(.provider_code == "volcengine")][0].price_per_million_output_tokens | . > 1.09 and . < 1.1'
check "a currency without a rate is told" gives 400 '/api/list_providers?currency=XXX' '.status == false and (.error | test("XXX"))'
check "a model that is none too" gives 400 '/api/list_providers?model=nope' '.status == false'
now=$(date -u +%Y-%m-%dT%H:%M:%SZ -d '+1 minute')
check "a metric over time" gives 200 "/api/query_metric?provider=together&metric=ttft&interval=1440&end_time=$now" \
	'(.datapoints | length) == 7 and (.datapoints[6].values | length) == 1 and (.datapoints[0].values | length) == 0'
check "failures count for success" gives 200 "/api/query_metric?provider=together&metric=success&interval=20160&end_time=$now" \
	'.datapoints[0].values[0] | . > 0 and . < 1'
check "every value of it" gives 200 "/api/query_metric?provider=volcengine&metric=otps&stat=raw&interval=20160&end_time=$now" \
	'.datapoints[0].values | length == 12'
check "a benchmark" gives 200 '/api/query_metric?provider=azure&metric=gpqa' '.datapoints | length == 1 and (.[0].values[0] <= 100)'
check "a metric that is none is told" gives 400 '/api/query_metric?provider=azure&metric=nope' '.error | test("nope")'
check "so are too many points" gives 400 '/api/query_metric?provider=azure&metric=ttft&interval=0.001' '.error | test("points")'
check "and a time that is none" gives 400 '/api/query_metric?provider=azure&metric=ttft&start_time=then' '.error | test("start_time")'
echo '{"filters": [{"metric": "success", "min": 0.9}], "order": [{"metric": "ttft", "stat": "p90"}]}' >"$work/need.json"
rank_ok() {
	exits 0 dsr -q route --requirement "$work/need.json" --format json && jq -cS . "$work/out" >"$work/wanted"
	gives 200 /api/rank '.matched | length > 0' --data-binary "@$work/need.json" && jq -cS . "$work/out" | cmp - "$work/wanted"
}
check "a ranking is that of route" rank_ok
check "a requirement that is none is told with its place" gives 400 /api/rank '.place == "/filters/0/metric"' -d '{"filters": [{"metric": "x", "min": 1}]}'
check "no JSON is told" gives 400 /api/rank '.status == false' -d '{'
check "jobs" gives 200 /api/jobs '.jobs | length == 2 and .[0].type == "eval"'
check "two providers are compared" gives 200 '/api/compare?dataset=gpqa-sample&providers=volcengine,azure' '.questions == 6 and (.sentence | test("gpqa-sample"))'
check "of what is not there that is told" gives 400 '/api/compare?dataset=nope&providers=volcengine,azure' '.error | test("no whole run")'
check "its description" gives 200 /api/openapi.json '.openapi and (.paths | has("/api/rank"))'
fresh_ok() { # while another process writes
	exits 0 dsr -q perf -p volcengine -n 5
	for _ in $(seq 60); do
		gives 200 /api/figures && json '.providers[] | select(.provider == "volcengine") | .requests == 17' && return
		sleep 0.2
	done
	return 1
}
check "newer results are shown" fresh_ok
metrics_ok() {
	gives 200 /metrics && grep -q '^dsr_ttft_seconds{model="deepseek-r1",provider="azure",stat="p90"} [0-9.]*$' "$work/out"
}
check "metrics for Prometheus" metrics_ok
if command -v promtool >/dev/null; then
	promtool_ok() { gives 200 /metrics && promtool check metrics <"$work/out"; }
	check "promtool has nothing to say of them" promtool_ok
else
	skip "promtool has nothing to say of them" "prometheus is not installed"
fi
check "it lives" gives 200 /healthz
check "it is ready" gives 200 /readyz
header_ok() {
	curl -si "$site/" | tr -d '\r' >"$work/out"
	grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'" "$work/out" &&
		grep -q '^X-Content-Type-Options: nosniff' "$work/out" && ! grep -qi '^access-control' "$work/out" && ! grep -q '<script>' "$work/out"
}
check "scripts of others are kept out" header_ok
check "another name of this host is refused" gives 421 / '' -H 'Host: evil.example'
climb_ok() {
	local path
	for path in /../../../../etc/passwd /%2e%2e/%2e%2e/etc/passwd /..%2f..%2fetc%2fpasswd //etc/passwd /web/../config/api_keys.json /index.html%00; do
		gives 404 "$path" '' --path-as-is || return 1
	done
}
check "nothing but its files is given out" climb_ok
check "a long body is refused" gives 413 /api/rank '' --data-binary @<(head -c 100000 /dev/zero)
check "a long head too" gives 431 / '' -H "X: $(head -c 60000 /dev/zero | tr '\0' x)"
check "another method too" gives 405 /api/list_models '' -X DELETE
check "and a page that is none" gives 404 /nothing
slow_ok() { # many that send a byte now and then hold up nobody, and are cut
	python3 - "${site##*:}" <<'P' || return 1
import socket, sys, time, urllib.request
port = int(sys.argv[1])
slow = []
for i in range(100):
    s = socket.create_connection(("127.0.0.1", port))
    s.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    slow.append(s)
end, cut = time.time() + 30, 0
while time.time() < end and cut < 100:
    began = time.time()
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200
    cut = 0
    for s in slow:
        try:
            s.send(b"x")
        except OSError:
            cut += 1
    time.sleep(1)
assert cut == 100, cut
P
}
check "slow requests harm nobody" slow_ok
check "an address for others needs a token" says 2 "token" dsr serve --listen 0.0.0.0:0
check "an address that is none is told" says 2 "ADDRESS:PORT" dsr serve --listen nowhere
taken_ok() { says 1 "listened" dsr serve --listen "127.0.0.1:${site##*:}"; }
check "one that is taken too" taken_ok
if command -v chromedriver >/dev/null; then
	mkdir -p "$work/browser"
	python3 "$top_srcdir/tests/integration/browser.py" "$site/" "$work/browser" >"$work/browser.out" 2>"$work/browser.err"
	while read -r line; do
		case $line in
		"ok "*) check "browser: ${line#ok }" true ;;
		"not ok "*) check "browser: ${line#not ok }" false ;;
		"#"*) echo "$line" ;;
		esac
	done <"$work/browser.out"
	check "browser: all steps were done" grep -q "dark where" "$work/browser.out"
	[ -n "${DSR_AXE:-}" ] || skip "browser: axe-core finds nothing serious" "axe-core (npm) is not there"
else
	skip "the page in a browser" "chromium-driver is not installed"
fi
kill "$served"
wait "$served"
check "it ends when it is told to" test $? -eq 0
echo "a-token-of-20-letters" >"$work/token"
serve --token-file "$work/token"
check "without the token nothing is shown" gives 401 /api/jobs '.status == false'
check "with it all is" gives 200 /api/jobs '' -H "Authorization: Bearer a-token-of-20-letters"
check "a key appears nowhere" bash -c "! grep -r '$DSR_SIM_KEY' '$work/out' '$work/serve.err' '$work/serve.out'"
