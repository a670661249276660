#!/bin/bash
# Results in real databases: MariaDB and PostgreSQL on private folders and ports, and SQLite.
. "$top_srcdir/tests/integration/lib.sh"

servers=$(mktemp -d /tmp/dsr-sql-XXXXXX)
chmod 755 "$servers"
pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
PATH=$PATH:/usr/sbin
as_nobody() { # servers don't run as root
	if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$servers" "$@"; else "$@"; fi
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
start_maria() {
	(cd / && as_nobody mariadbd --no-defaults --datadir="$servers/my" --port="$my_port" --bind-address=127.0.0.1 \
		--socket="$servers/my/s" --pid-file="$servers/my/pid" >>"$servers/my.log" 2>&1) &
	for _ in $(seq 150); do
		maria -e 'select 1' >/dev/null 2>&1 && return
		sleep 0.2
	done
	tail -5 "$servers/my.log"
	return 1
}
maria() { mariadb --no-defaults --default-character-set=utf8mb4 -S "$servers/my/s" -u "$maria_user" -N "$@"; }
postgres() { psql -h 127.0.0.1 -p "$pg_port" -U dsr -qtA "$@"; }
pg() { (cd / && as_nobody "$pg_bin/pg_ctl" -D "$servers/pg" -w "$@" >>"$servers/pg.log" 2>&1); }
stop_servers() {
	[ -f "$servers/my/pid" ] && kill "$(cat "$servers/my/pid")"
	[ -d "$servers/pg" ] && pg stop -m immediate
	mountpoint -q "$work/small" 2>/dev/null && umount "$work/small"
	sleep 1
	rm -rf "$servers"
	finish
}
trap stop_servers EXIT

start_sim '{"defaults": {"ttft_ms": 5, "itl_ms": 1, "reasoning_tokens": 5, "answer_tokens": 5},
	"providers": {"together": {"faults": {"http_503": 0.3}}}}' --truth "$work/truth.jsonl"
exits 1 dsr -q perf -p volcengine,together,azure -n 8
exits 0 dsr -q eval --dataset gpqa-sample -p volcengine,azure --limit 6
cat >"$work/more.jsonl" <<'J'
{"kind":"performance","job":"j-1","model":"deepseek-r1","provider":"azure","key":"1","time_us":1700000000000001,"body":{"provider":"azure","model":"deepseek-r1","prompt_type":"a 😀 b","success":false,"start_time":"2023-11-14T22:13:20.000001Z","end_time":"2023-11-14T22:13:21.5Z","total_time":1.5,"error":"it's \"𝔅𝔞𝔡\"; 中文","output_tokens":3}}
J
exits 0 dsr -q db import "$work/more.jsonl"
cat >"$work/need.json" <<'J'
{"filters": [{"metric": "success", "stat": "avg", "min": 0.2}], "order": [{"metric": "gpqa"}, {"metric": "ttft", "stat": "p90"}]}
J
rank() { dsr -q "$@" route --requirement "$work/need.json" --since 2020-01-01 --format json; }
rank >"$work/wanted"
lines() { dsr -q "$@" db export - | sed 's/"key":"line-[^"]*"/"key":""/' | jq -cS 'if .kind == "job" then {job} else . end' | sort; }
lines >"$work/lines"
same_ok() { # STORE
	exits 0 dsr -q db copy db "$1" || return 1
	rank --store "$1" >"$work/got" && cmp "$work/wanted" "$work/got" || return 1
	exits 0 dsr -q db copy db "$1" --format json && json '[.records[].copied] | add == 0' &&
		exits 0 dsr -q --store "$1" db verify --format json && json '.unknown == 0 and .records.performance.found == 25'
}
whole_ok() { # every record comes back as it was
	lines --store "$1" >"$work/got" && cmp "$work/lines" "$work/got"
}
run_ok() { # a run straight into it, and one that goes on
	exits 0 dsr -q --store "$1" eval --dataset gpqa-sample -p azure --limit 5 --format json || return 1
	local job
	job=$(jq -r .job "$work/out")
	exits 0 dsr -q --store "$1" eval --resume "$job" --format json && json '.results[0].answered == 5' &&
		exits 0 dsr -q --store "$1" show "$job"
}
all_of() { # NAME STORE
	check "$1: the same ranking, copied once" same_ok "$2"
	check "$1: every record comes back whole" whole_ok "$2"
	check "$1: runs write to it and go on" run_ok "$2"
}
check "csv: the same ranking, copied once" same_ok "csv:///$work/csv"
check "leveldb: the same ranking, copied once" same_ok "leveldb:///$work/level"
seed_tables() { # tables as the seed system makes them in MariaDB, with its rows
	cat <<'S'
CREATE TABLE jobs (id VARCHAR(64) NOT NULL, type VARCHAR(32) NOT NULL, start_time DATETIME NOT NULL, end_time DATETIME, PRIMARY KEY (id));
CREATE TABLE perf_test_results (id INTEGER NOT NULL AUTO_INCREMENT, job_id VARCHAR(64) NOT NULL, provider_name VARCHAR(64) NOT NULL, model_name VARCHAR(64) NOT NULL, prompt_type VARCHAR(32) NOT NULL, success BOOL NOT NULL, start_time DATETIME NOT NULL, end_time DATETIME NOT NULL, time_to_first_token FLOAT, time_to_first_result_token FLOAT, total_time FLOAT NOT NULL, input_tokens_count INTEGER NOT NULL, output_tokens_count INTEGER NOT NULL, reasoning_tokens_count INTEGER NOT NULL, cached_tokens_count_billing INTEGER NOT NULL, input_tokens_count_billing INTEGER NOT NULL, output_tokens_count_billing INTEGER NOT NULL, error TEXT NOT NULL, PRIMARY KEY (id));
CREATE TABLE benchmark_results (id INTEGER NOT NULL AUTO_INCREMENT, provider_name VARCHAR(64) NOT NULL, model_name VARCHAR(64) NOT NULL, benchmark VARCHAR(64) NOT NULL, success BOOL NOT NULL, metric VARCHAR(32) NOT NULL, stat VARCHAR(32) NOT NULL, value FLOAT NOT NULL, start_time DATETIME NOT NULL, results_json LONGTEXT NOT NULL, PRIMARY KEY (id));
INSERT INTO jobs VALUES ('old', 'perf', '2025-03-01 10:00:00', NULL);
INSERT INTO perf_test_results VALUES (1, 'old', 'azure', 'deepseek-r1', 'leval', TRUE, '2025-03-01 10:00:00', '2025-03-01 10:00:09', 1.5, 4.5, 9, 100, 75, 40, 0, 101, 77, '');
INSERT INTO benchmark_results VALUES (1, 'azure', 'deepseek-r1', 'gpqa', TRUE, 'accuracy', 'average', 71.5, '2025-03-01 10:00:00', '{"diamond": 71.5}');
S
}
seed_ok() { # STORE COUNT-COMMAND...
	rank --store "$1" >"$work/out" && json '.matched[0] | .provider == "azure" and .metrics.gpqa.avg == 71.5 and .metrics.ttft.p90 == 1.5' || return 1
	exits 0 dsr -q --store "$1" perf -p azure -n 3 || return 1
	exits 0 dsr -q --store "$1" db verify --format json && json '.records | .job.found == 2 and .performance.found == 4' || return 1
	shift
	[ "$("$@" 'select count(*) from perf_test_results')" -eq 4 ]
}
if [ -n "$(find /usr/lib -name libsqlite3odbc.so 2>/dev/null | head -1)" ]; then
	lite=sqlite:///$work/results.db
	all_of sqlite "$lite"
	check "sqlite: the plugin keeps its contract" exits 0 dsr -q plugins check "$top_builddir/plugins/stores/.libs/sql.so"
	seed_tables | sed 's/INTEGER NOT NULL AUTO_INCREMENT/INTEGER NOT NULL/; s/TRUE/1/' | sqlite3 "$work/seed.db"
	check "sqlite: a database of the seed system goes on working" seed_ok "sqlite:///$work/seed.db" sqlite3 "$work/seed.db"
	older_ok() {
		sqlite3 "$work/results.db" 'drop index ix_dsr_records_seed; delete from dsr_schema where version = 2'
		exits 0 dsr -q --store "$lite" db init || return 1
		sqlite3 "$work/results.db" .schema | grep -q ix_dsr_records_seed || return 1
		sqlite3 "$work/results.db" 'insert into dsr_schema values (99)'
		says 3 "use a newer one" dsr --store "$lite" db init || return 1
		sqlite3 "$work/results.db" 'delete from dsr_schema where version = 99'
	}
	check "older tables are brought up, newer ones refused" older_ok
	two_ok() { # writers at once
		dsr -q --store "$lite" perf -p volcengine -n 30 >/dev/null 2>"$work/err2" &
		exits 0 dsr -q --store "$lite" perf -p azure -n 30 || return 1
		wait $! || return 1
		[ "$(sqlite3 "$work/results.db" "select count(*) from perf_test_results")" -eq $((25 + 60)) ]
	}
	check "two runs may write at once" two_ok
	damaged_ok() {
		head -c 20000 /dev/urandom >"$work/noise.db"
		says 3 "noise.db" dsr --store "sqlite:///$work/noise.db" db verify && says 3 "no results yet" dsr --store "sqlite:///$work/new.db" db verify
	}
	check "what is no database is told" damaged_ok
	full_ok() {
		mkdir -p "$work/small"
		mount -t tmpfs -o size=300k none "$work/small" || return 1
		exits 3 dsr -q --store "sqlite:///$work/small/r.db" perf -p volcengine -n 300 --export "$work/sent.jsonl" || return 1
		grep -qi "full\|disk I/O" "$work/err" || { cat "$work/err"; return 1; }
		[ "$(sqlite3 "$work/small/r.db" 'pragma integrity_check')" = ok ] &&
			[ "$(sqlite3 "$work/small/r.db" 'select count(*) from perf_test_results')" -gt 0 ]
		local good=$?
		umount "$work/small"
		return $good
	}
	if [ "$(id -u)" = 0 ] && mkdir -p "$work/small" && mount -t tmpfs -o size=100k none "$work/small" 2>/dev/null; then
		umount "$work/small"
		check "a full disk is told, and the database stays whole" full_ok
	else
		skip "a full disk is told, and the database stays whole" "no tmpfs can be mounted here"
	fi
else
	skip "sqlite" "libsqliteodbc is not installed"
fi
broken_ok() { # STORE STOP START COUNT: the server dies in the middle of a run
	local before
	before=$($4)
	dsr --store "$1" perf -p azure -n 400 -c 4 --format json >"$work/out" 2>"$work/err" &
	local run_pid=$!
	sleep 1.2
	$2
	sleep 1
	$3 || return 1
	wait $run_pid || { tail -5 "$work/err"; return 1; }
	grep -q "trying again" "$work/err" || { echo "it did not notice"; return 1; }
	[ "$(($($4) - before))" -eq 400 ] || { echo "$before $($4)"; return 1; }
}
secret_ok() { # STORE
	exits 0 dsr -v --store "$1" doctor
	! grep -rF 'p}ss;w' "$work/out" "$work/err" "$work/state"
}
if command -v mariadbd >/dev/null && mkdir "$servers/my" && my_port=$(free_port); then
	[ "$(id -u)" = 0 ] && chown nobody "$servers/my"
	maria_user=$([ "$(id -u)" = 0 ] && echo root || id -un)
	(cd / && as_nobody mariadb-install-db --no-defaults --datadir="$servers/my" --auth-root-authentication-method=normal \
		--skip-test-db) >"$servers/my.log" 2>&1
	maria_user=root
	check "mariadb starts" start_maria
	maria -e "create database results; create user dsr@'%' identified by 'p}ss;w'; grant all on *.* to dsr@'%'"
	my=mysql+mysqlconnector://dsr:p%7Dss%3Bw@127.0.0.1:$my_port/results
	all_of mariadb "$my"
	maria -e 'create database seed'
	seed_tables | maria seed
	check "mariadb: a database of the seed system goes on working" seed_ok "${my%/*}/seed" maria seed -e
	check "mariadb: a password stays hidden" secret_ok "$my"
	kill_maria() { kill -9 "$(cat "$servers/my/pid")"; }
	count_maria() { maria results -e "select count(*) from perf_test_results"; }
	check "mariadb: it dies in the middle of a run, and nothing is lost or doubled" broken_ok "$my" kill_maria start_maria count_maria
else
	skip "mariadb" "mariadb-server is not installed"
fi
if [ -n "$pg_bin" ] && mkdir "$servers/pg" && pg_port=$(free_port); then
	[ "$(id -u)" = 0 ] && chown nobody "$servers/pg"
	(cd / && as_nobody "$pg_bin/initdb" -D "$servers/pg" -A trust -U dsr -E UTF8 --locale=C.UTF-8) >"$servers/pg.log" 2>&1
	printf "port = %s\nunix_socket_directories = '%s'\nlisten_addresses = '127.0.0.1'\n" "$pg_port" "$servers/pg" >>"$servers/pg/postgresql.conf"
	check "postgresql starts" pg start
	postgres postgres -c "create database results"
	store=postgresql+psycopg2://dsr:env:DB_PASSWORD@127.0.0.1:$pg_port/results
	check "postgresql: a password that is not there is told" says 3 "env:DB_PASSWORD" dsr --store "$store" db init
	export DB_PASSWORD='any;}one'
	all_of postgresql "$store"
	count_pg() { postgres results -c "select count(*) from perf_test_results"; }
	check "postgresql: it dies in the middle of a run, and nothing is lost or doubled" broken_ok "$store" \
		"pg stop -m immediate" "pg start" count_pg
	zone_ok() { [ "$(postgres results -c "select count(*) from perf_test_results where start_time = timestamptz '2023-11-14 22:13:20.000001+00'")" -eq 1 ]; }
	check "postgresql: times are UTC with microseconds" zone_ok
	postgres postgres -c "create database seed"
	seed_tables | sed 's/INTEGER NOT NULL AUTO_INCREMENT/SERIAL/; s/DATETIME/TIMESTAMP WITH TIME ZONE/g; s/LONGTEXT/TEXT/; s/VALUES (1, /VALUES (DEFAULT, /' |
		postgres seed >/dev/null
	check "postgresql: a database of the seed system goes on working" seed_ok "${store%/*}/seed" postgres seed -c
	shown_ok() { # what another run writes appears on the page
		local served before site n=0
		"$run" --config "$work/config" --data "$work/data" -q --store "$store" serve --listen 127.0.0.1:0 --refresh 1 >"$work/served" 2>&1 &
		served=$!
		until site=$(sed -n 's/^listening on //p' "$work/served") && [ -n "$site" ]; do sleep 0.1; done
		asked() { curl -s "$site/api/figures" | jq '.providers[] | select(.provider == "azure").requests'; }
		before=$(asked)
		exits 0 dsr -q --store "$store" perf -p azure -n 2 || return 1
		until [ "$(asked)" -gt "$before" ] || [ $((n += 1)) -gt 50 ]; do sleep 0.2; done
		kill $served
		wait $served
		[ $n -le 50 ]
	}
	check "postgresql: the page shows what other runs write" shown_ok
else
	skip "postgresql" "postgresql is not installed"
fi
check "an address of no database is told" says 2 "oracle" dsr --store oracle://x/y db verify
check "a server that is not there too" says 3 "127.0.0.1" dsr --store mysql://a:b@127.0.0.1:1/x db verify
check "an import of something else names the line" says 2 "j.jsonl:2" bash -c "
	head -1 '$work/more.jsonl' >'$work/j.jsonl'; echo '{\"kind\": \"x\"}' >>'$work/j.jsonl'
	'$run' --config '$work/config' --data '$work/data' db import '$work/j.jsonl'"
