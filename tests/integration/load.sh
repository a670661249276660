#!/bin/bash
# 1,000 requests over 200 streams of 200 tokens: nothing leaks, memory stays flat.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 100, "itl_ms": 5, "reasoning_tokens": 150, "answer_tokens": 50}}'
"$run" --config "$work/config" --data "$work/data" -q perf -p volcengine -n 1000 -c 200 --format json >"$work/out" 2>"$work/err" &
pid=$!
peak=0
while kill -0 $pid 2>/dev/null; do
	now=$(awk '/VmHWM/ {print $2}' /proc/$pid/status 2>/dev/null)
	[ -n "$now" ] && peak=$now
	sleep 0.2
done
status=0
wait $pid || status=$?
check "1,000 requests over 200 streams are answered" test "$status" -eq 0
check "all are measured" json '.providers[0] | .requests == 1000 and .succeeded == 1000 and
	.metrics.otpr.avg == 200 and .metrics.itl.n == 199000'
if [[ ${HARDEN_CFLAGS:-} == *sanitize* ]]; then
	skip "resident memory stays under 64 MiB" "AddressSanitizer's shadow memory is counted too"
else
	echo "# peak resident memory: $peak KiB"
	check "resident memory stays under 64 MiB" test "$peak" -lt 65536
fi
