#!/bin/bash
# Builds and runs every test: gcc with warnings as errors, clang, and gcc with AddressSanitizer and
# UBSan. The last line is the total of all suites.
set -uo pipefail
. "$(dirname "$0")/common.sh"

need_packages "${packages[@]}" clang clang-format jq nginx-light openssl curl bubblewrap python3 procps chromium chromium-driver sqlite3 \
	mariadb-server postgresql prometheus || exit 1
# The page is looked at by axe-core, where npm can install it.
axe=$top/build/npm/node_modules/axe-core/axe.min.js
[ -f "$axe" ] || npm install --prefix "$top/build/npm" --no-save --no-audit --no-fund axe-core@4 >&2 || true
[ ! -f "$axe" ] || export DSR_AXE=$axe
passed=0 failed=0 skipped=0

# Adds the totals of automake's summary of one build.
add_totals() {
	local summary=$1 word
	word() { grep -aE "^# $1:" "$summary" | awk '{s += $3} END {print s + 0}'; }
	passed=$((passed + $(word PASS)))
	failed=$((failed + $(word FAIL) + $(word ERROR) + $(word XPASS)))
	skipped=$((skipped + $(word SKIP)))
}

one_failure() {
	say "FAILED: $1"
	failed=$((failed + 1))
}

# check_in NAME OPTION...
check_in() {
	local folder=$top/build/$1 summary=$top/build/$1.summary
	shift
	if ! build_in "$folder" --enable-werror "$@"; then
		one_failure "the build in $folder"
		return
	fi
	say "testing in $folder"
	make -C "$folder" -k -j"$(nproc)" check >"$summary" 2>&1 || true
	grep -aE '^(FAIL|ERROR|SKIP|XPASS):' "$summary" >&2
	grep -qa '^# TOTAL:' "$summary" || { tail -30 "$summary" >&2; one_failure "make check"; }
	for log in $(grep -alE '^not ok' "$folder"/tests/*/*.log 2>/dev/null); do
		say "$log"
		grep -av '^ok' "$log" | tail -40 >&2
	done
	add_totals "$summary"
}

check_in gcc
check_in sanitize --enable-sanitizers CFLAGS='-O1 -g'
say "building with clang"
if build_in "$top/build/clang" --enable-werror CC=clang; then
	passed=$((passed + 1))
else
	one_failure "the build with clang"
fi
say "checking the format"
if (cd "$top" && find core include plugins evaluators tests -name '*.[ch]' -print0 |
	xargs -0 clang-format --dry-run -Werror) >&2; then
	passed=$((passed + 1))
else
	one_failure "clang-format"
fi
if [ "${DSR_DISTCHECK:-1}" = 1 ]; then
	say "make distcheck"
	if make -C "$top/build/gcc" -s -j"$(nproc)" distcheck DISTCHECK_CONFIGURE_FLAGS=--enable-werror \
		>"$top/build/distcheck.log" 2>&1; then
		passed=$((passed + 1))
	else
		tail -40 "$top/build/distcheck.log" >&2
		one_failure "make distcheck"
	fi
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
