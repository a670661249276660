#!/bin/bash
# Regular runs: times, timers, crontab lines, locks, logs.
. "$top_srcdir/tests/integration/lib.sh"

start_sim '{"defaults": {"ttft_ms": 5, "itl_ms": 1, "reasoning_tokens": 5, "answer_tokens": 5}, "providers": {"nvidia": {"ttft_ms": 3000}}}'
jobs() { # JSON of the jobs
	jq -n --argjson jobs "$1" '{log: "../log", perf_models: ["deepseek-r1"], jobs: $jobs}' >"$work/config/cron.json"
}
mkdir -p "$work/bin"
export PATH=$work/bin:$PATH XDG_CONFIG_HOME=$work/xdg
systemd() { # exit status of systemctl here; it notes what it was told
	printf '#!/bin/sh\necho "$@" >>"%s/systemctl.log"\nexit %s\n' "$work" "$1" >"$work/bin/systemctl"
	chmod +x "$work/bin/systemctl"
}
jobs '{"hourly": {"cron": "5 */6 * * 1-5", "command": "perf", "args": ["-p", "volcengine", "-n", "2"]},
	"monthly": {"cron": "30 2 1,15 1-3/2 *", "command": "eval", "args": ["--dataset", "gpqa-sample", "-p", "azure", "--limit", "2"]},
	"slow": {"cron": "* * * * 0,7", "command": "perf", "args": ["-p", "nvidia", "-n", "1"]}}'
list_ok() {
	exits 0 dsr schedule list --format json
	json '[.jobs[].calendar] == ["Mon,Tue,Wed,Thu,Fri *-*-* 0,6,12,18:5:00", "*-1,3-1,15 2:30:00", "Sun *-*-* *:*:00"]' &&
		json 'all(.jobs[]; .installed == false)'
}
check "times are told in both languages" list_ok
if command -v systemd-analyze >/dev/null; then
	check "systemd reads them" bash -c "jq -r '.jobs[].calendar' '$work/out' | while read -r c; do systemd-analyze calendar \"\$c\" || exit 1; done"
else
	skip "systemd reads them" "systemd-analyze is not installed"
fi
bad() { # CRON WORD
	jobs "$(jq -n --arg c "$1" '{x: {cron: $c, command: "perf"}}')"
	says 2 "$2" dsr schedule list && grep -q 'cron.json:[0-9]' "$work/err"
}
keep=$(jq -c .jobs "$work/config/cron.json")
check "a minute of 60 is refused" bad "60 * * * *" minute
check "so are four fields" bad "* * * *" "day of the week"
check "six" bad "* * * * * *" "minute, hour"
check "words" bad "* * * jan *" month
check "an empty part" bad "1,,2 * * * *" minute
check "a range turned round" bad "5-1 * * * *" minute
check "and days of two kinds" bad "1 1 1 * 1" "two jobs"
check "a command of another kind is refused" bash -c "
	echo '{\"jobs\": {\"x\": {\"cron\": \"* * * * *\", \"command\": \"rm\"}}}' >'$work/config/cron.json'
	! '$run' --config '$work/config' --data '$work/data' schedule list 2>'$work/err' && grep -q 'perf, eval or db' '$work/err'"
jobs "$keep"
systemd 1
crontab_ok() {
	exits 0 dsr schedule install && grep -q "crontab -e" "$work/err" || return 1
	[ "$(grep -c 'schedule run' "$work/out")" -eq 3 ] && grep -q '^5 \*/6 \* \* 1-5 '\''/.*schedule run hourly --jitter 60$' "$work/out"
}
check "without systemd lines for crontab are printed" crontab_ok
printed_ok() { # what is printed runs as it stands
	local line
	line=$(grep 'run hourly' "$work/out")
	line=${line#5 \*/6 \* \* 1-5 }
	LD_LIBRARY_PATH=$top_builddir/.libs sh -c "${line%--jitter 60}" || return 1 # not yet installed
	grep -q 'hourly ended with status 0' "$work/log/hourly.log"
}
check "and run as they stand" printed_ok
odd_ok() { # cron makes \% a %, then a shell reads the line
	local odd="$work/it's 100% \$HOME" line
	cp -r "$work/config" "$odd"
	rm -f "$work/log/hourly.log"
	exits 0 "$run" --config "$odd" --data "$work/data" schedule install || return 1
	line=$(grep 'run hourly' "$work/out" | sed 's/\\%/%/g')
	line=${line#5 \*/6 \* \* 1-5 }
	LD_LIBRARY_PATH=$top_builddir/.libs sh -c "${line%--jitter 60}" && grep -q 'hourly ended with status 0' "$work/log/hourly.log"
}
check "also with odd characters in a path" odd_ok
systemd 0
units=$work/xdg/systemd/user
install_ok() {
	mkdir -p "$units" && echo mine >"$units/dsr-own.timer"
	exits 0 dsr schedule install || return 1
	grep -qx 'OnCalendar=Mon,Tue,Wed,Thu,Fri \*-\*-\* 0,6,12,18:5:00' "$units/dsr-hourly.timer" &&
		grep -q '^ExecStart=.*schedule run hourly$' "$units/dsr-hourly.service" &&
		grep -q -- '--user --quiet enable --now dsr-monthly.timer' "$work/systemctl.log" || return 1
	exits 0 dsr schedule list --format json && json 'all(.jobs[]; .installed)'
}
check "timers are installed" install_ok
fewer_ok() {
	jobs "$(jq -c 'del(.slow)' <<<"$keep")"
	exits 0 dsr schedule install || return 1
	[ ! -e "$units/dsr-slow.timer" ] && [ -e "$units/dsr-hourly.timer" ]
}
check "a job that is no more goes" fewer_ok
remove_ok() {
	exits 0 dsr schedule remove || return 1
	[ "$(ls "$units")" = dsr-own.timer ] && grep -q 'disable --now dsr-hourly.timer' "$work/systemctl.log"
}
check "and all go, but not those of others" remove_ok
jobs "$keep"
overlap_ok() {
	dsr schedule run slow >/dev/null 2>&1 &
	local first=$!
	sleep 0.7
	says 0 "still runs" dsr schedule run slow || return 1
	exits 0 dsr schedule run hourly || return 1 # another one waits for its turn
	wait $first || return 1
	[ "$(grep -c 'ended with status 0' "$work/log/slow.log")" -eq 1 ]
}
check "runs don't overlap" overlap_ok
compact_ok() {
	jobs '{"tidy": {"cron": "0 5 1 * *", "command": "db", "args": ["compact", "--keep", "90d"]}}'
	exits 0 dsr schedule run tidy && grep -q 'records were given up' "$work/log/tidy.log"
}
check "the store is kept small" compact_ok
status_ok() {
	jobs '{"bad": {"cron": "* * * * *", "command": "perf", "args": ["-p", "nobody"]}}'
	exits 2 dsr schedule run bad && grep -q 'no provider "nobody"' "$work/log/bad.log"
}
check "a job's failure is told and logged" status_ok
rotate_ok() {
	head -c 11000000 /dev/zero | tr '\0' 'x' >"$work/log/bad.log"
	for i in 1 2 3 4 5; do echo "old $i" >"$work/log/bad.log.$i"; done
	exits 2 dsr schedule run bad || return 1
	[ "$(stat -c %s "$work/log/bad.log.1")" -eq 11000000 ] && [ "$(cat "$work/log/bad.log.5")" = "old 4" ] &&
		[ ! -e "$work/log/bad.log.6" ] && [ "$(stat -c %s "$work/log/bad.log")" -lt 2000 ]
}
check "logs are rotated" rotate_ok
check "a job that is none is told" says 2 "no job" dsr schedule run nothing
