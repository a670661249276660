#!/usr/bin/env python3
"""How fast a large LevelDB store ranks and draws charts, and how much room a record takes.

usage: store.py BUILD-FOLDER DATA-FOLDER [RECORDS [STORE-FOLDER]]

Fills a store (bench_store; one that is there already is taken as it is), then times `dsr-run route`
over all of it, and the requests of `dsr-run serve` that a page of 90 days makes. Wall times: the least
and the median of 20.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

build, data = (os.path.abspath(path) for path in sys.argv[1:3])
records = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
work = tempfile.TemporaryDirectory()
store = os.path.abspath(sys.argv[4]) if len(sys.argv) > 4 else f"{work.name}/store"
program = f"{build}/dsr-run"
if os.path.exists(f"{build}/.libs/dsr-run"):  # not the wrapper, whose shell would be counted
    program = f"{build}/.libs/dsr-run"
    os.environ["LD_LIBRARY_PATH"] = f"{build}/.libs"
os.environ["XDG_STATE_HOME"] = work.name
if not os.path.exists(store):
    subprocess.run([f"{build}/tests/bench/bench_store", store, str(records)], check=True)
size = sum(os.path.getsize(f"{store}/{name}") for name in os.listdir(store))
print(f"{size / records:.0f} bytes a record, {size / 1e9:.2f} GB")

os.mkdir(f"{work.name}/config")
with open(f"{work.name}/r.json", "w", encoding="utf-8") as file:
    json.dump({"filters": [{"metric": "success", "min": 0.9}, {"metric": "otps", "stat": "median", "min": 1}],
               "order": [{"metric": "ttft", "stat": "p90"}]}, file)
run = [program, "-q", "--config", f"{work.name}/config", "--data", data, "--store", f"leveldb:///{store}"]


def timed(what, call):
    times = []
    for _ in range(20):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    print(f"{what}: {min(times):.1f} ms, median {statistics.median(times):.1f}")


def route():
    found = subprocess.run(run + ["route", "-r", f"{work.name}/r.json", "--format", "json"], capture_output=True, check=True)
    assert len(json.loads(found.stdout)["matched"]) == 12


timed("dsr-run --version (the start of a program alone)",
      lambda: subprocess.run([program, "--version"], capture_output=True, check=True))
timed(f"route, 12 providers over {records} results", route)
server = subprocess.Popen(run + ["serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
try:
    site = next(line for line in server.stdout if "http://" in line).split("http://")[1].split()[0].rstrip("/.")

    def get(path):
        with urllib.request.urlopen(f"http://{site}{path}", timeout=600) as answer:
            return json.load(answer)

    def stamp(days):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))

    for interval, name in ((1440, "days"), (60, "hours")):
        path = f"/api/query_metric?provider=azure&metric=ttft&stat=p90&interval={interval}&start_time={stamp(90)}&end_time={stamp(0)}"
        assert sum(bool(point["values"]) for point in get(path)["datapoints"]) > 89
        timed(f"chart of 90 days of one provider, by {name}", lambda path=path: get(path))
    start = time.perf_counter()
    get("/api/figures?days=90")
    print(f"figures of 90 days of all providers, the first time: {1e3 * (time.perf_counter() - start):.1f} ms")
    timed("the same again", lambda: get("/api/figures?days=90"))
finally:
    server.terminate()
