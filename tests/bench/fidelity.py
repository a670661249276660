#!/usr/bin/env python3
"""What dsr-run perf measures against what dsr-sim did, on this machine, at many streams; and what it costs.

usage: fidelity.py BUILD-FOLDER [STREAMS...]

Times: each request's TTFT against the simulator's own record (chunk handed to the kernel - request
read), and all gaps between tokens. Cost: CPU seconds per 100,000 chunks, resident memory per stream,
instructions per chunk (callgrind, when it is installed). With DSR_CONFORMANCE_DIR set, and the
measuring tools beside it, the bare libcurl reader is run against their exact server in the same
minute: compare the two as a ratio.
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

TTFT, ITL, TOKENS = 200, 20, 128
build = os.path.abspath(sys.argv[1])
streams = [int(n) for n in sys.argv[2:]] or [1, 100, 500, 1000, 2000]
run, sim = f"{build}/dsr-run", f"{build}/dsr-sim"
if os.path.exists(f"{build}/.libs/dsr-run"):  # not the wrapper, whose shell would be counted
    run = f"{build}/.libs/dsr-run"
    os.environ["LD_LIBRARY_PATH"] = f"{build}/.libs"
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def percentile(values, p):
    values = sorted(values)
    if not values:
        return float("nan")
    at = (len(values) - 1) * p / 100
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def spent(command, **options):
    """Runs a command; its output, CPU seconds and peak memory in KiB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    peak = [0]  # not ru_maxrss, which remembers this script's own size

    def watch():
        try:
            while True:
                with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                    peak[0:0] = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
                time.sleep(0.1)
        except OSError:
            pass
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    text = process.stdout.read()
    _, _, use = os.wait4(process.pid, 0)
    return text, use.ru_utime + use.ru_stime, max(peak)


def set_up(folder, base_url):
    os.makedirs(f"{folder}/config", exist_ok=True)
    os.makedirs(f"{folder}/data", exist_ok=True)

    def write(name, value):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as out:
            json.dump(value, out)
        os.chmod(f"{folder}/{name}", 0o600)
    write("config/api_keys.json", {"bench": {"default": "sim-key"}})
    write("config/cron.json", {"perf_models": ["deepseek-r1"], "log": "../log", "max_workers_per_job": 5000})
    write("config/db.json", {"conn_str": "leveldb:///../results"})
    service = {"plugin": "openai", "name": "bench", "homepage": "http://localhost", "base_url": base_url, "model": "deepseek-r1-250120",
               "currency": "CNY", "input_price_per_million_token": 1, "output_price_per_million_token": 1,
               "max_concurrency": 5000}
    write("data/services.json", {"deepseek-r1": {"bench": service}})
    write("data/models.json", {"deepseek-r1": {"name": "m", "type": "reasoning"}})
    write("data/datasets.json", {"hi": {"promptgen": "synthetic", "options": {"input_tokens": "60"}}})


def measure(folder, n, prefix=()):
    shutil.rmtree(f"{folder}/results", ignore_errors=True)
    command = [*prefix, run, "--config", f"{folder}/config", "--data", f"{folder}/data", "-q", "perf", "-p", "bench", "--prompts",
               "hi", "-n", str(n), "-c", str(n), "--format", "json", "--export", f"{folder}/records.jsonl"]
    text, cpu, memory = spent(command)
    with open(f"{folder}/records.jsonl", encoding="utf-8") as records:
        return json.loads(text), [json.loads(line) for line in records], cpu, memory


def gaps_of(records):
    gaps = []
    for record in records:
        for value, count in record["itl_hist"]:
            gaps += [value / 1e3] * count
    return gaps


def against_sim(folder, n):
    scenario = {"defaults": {"ttft_ms": TTFT, "itl_ms": ITL, "reasoning_tokens": 1, "answer_tokens": TOKENS - 1}}
    with open(f"{folder}/scenario.json", "w", encoding="utf-8") as out:
        json.dump(scenario, out)
    truth = f"{folder}/truth.jsonl"
    server = subprocess.Popen([sim, "--scenario", f"{folder}/scenario.json", "--truth", truth], stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().split()[-1]
    set_up(folder, f"{url}/volcengine/api/v3")
    result, records, cpu, memory = measure(folder, n)
    server.terminate()
    server.wait()
    with open(truth, encoding="utf-8") as lines:
        real = [json.loads(line) for line in lines]
    good = [r for r in records if r["success"]]
    # sorted against sorted: no record names its counterpart
    true_ttft = sorted((t["first_ns"] - t["received_ns"]) / 1e6 for t in real if t.get("first_ns"))
    ttft = sorted(1e3 * r["ttft"] for r in good)
    errors = [abs(a - b) for a, b in zip(ttft, true_ttft)]
    true_gaps = sorted((b - a) / 1e6 for t in real if t.get("chunks_ns") for a, b in zip(t["chunks_ns"], t["chunks_ns"][1:]))
    gaps = sorted(gaps_of(good))
    gap_errors = [abs(a - b) for a, b in zip(gaps, true_gaps)] if len(gaps) == len(true_gaps) else []
    print(f"dsr-sim, {n:5d} streams: {len(good)} answered; |measured - true| ms: TTFT median {percentile(errors, 50):.3f} "
          f"p99 {percentile(errors, 99):.3f}, ITL median {percentile(gap_errors, 50):.3f} p99 {percentile(gap_errors, 99):.3f}; "
          f"loop credible: {result['loop']['credible']}, waits p99 {1e3 * result['loop']['wait_p99']:.3f} ms")


def against_exact(folder, tools, n, port=19107):
    server = subprocess.Popen([f"{folder}/mocksse", str(port), str(TTFT), str(ITL), str(TOKENS)], stdout=subprocess.PIPE)
    server.stdout.readline()
    set_up(folder, f"http://127.0.0.1:{port}/v1")
    result, records, cpu, memory = measure(folder, n)
    text, bare, _ = spent([f"{folder}/ssebound", f"http://127.0.0.1:{port}/v1/chat/completions", str(n)])
    server.terminate()
    server.wait()
    chunks = n * TOKENS / 1e5
    gaps = gaps_of(records)
    ttft = [1e3 * r["ttft"] for r in records if r["success"]]
    print(f"exact server, {n:5d} streams: TTFT median {percentile(ttft, 50):.2f} p99 {percentile(ttft, 99):.2f}, ITL median "
          f"{percentile(gaps, 50):.2f} p99 {percentile(gaps, 99):.2f} ms; {cpu / chunks:.2f} CPU s per 100,000 chunks, bare reader "
          f"{bare / chunks:.2f}: ratio {cpu / bare:.2f}; {memory} KiB resident")
    print("    " + text.decode().strip())
    return memory


def build_tools(folder):
    tools = os.path.join(os.environ.get("DSR_CONFORMANCE_DIR", "/nonexistent"), "..", "bench")
    if not os.path.exists(f"{tools}/ssebound.c"):
        print("the bare reader is not there: no ratio (DSR_CONFORMANCE_DIR)")
        return None
    for name, libraries in (("mocksse", []), ("ssebound", ["-lcurl"])):
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-w", "-o", f"{folder}/{name}", f"{tools}/{name}.c", *libraries], check=True)
    return tools


def instructions(folder):
    if not shutil.which("valgrind"):
        return
    server = subprocess.Popen([f"{folder}/mocksse", "19108", "20", "5", str(TOKENS)], stdout=subprocess.PIPE)
    server.stdout.readline()
    set_up(folder, "http://127.0.0.1:19108/v1")
    counts = []
    for n in (10, 30):
        log = f"{folder}/callgrind.log"
        measure(folder, n, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/cg", f"--log-file={log}"])
        with open(log, encoding="utf-8") as lines:
            counts.append(int([line for line in lines if "Collected" in line][-1].split()[-1]))
    server.terminate()
    server.wait()
    print(f"instructions per chunk, requests and output included: {(counts[1] - counts[0]) / (20 * TOKENS):,.0f}")


with tempfile.TemporaryDirectory() as home:
    os.environ.update(HOME=home, XDG_STATE_HOME=f"{home}/state")
    start = time.monotonic()
    for count in streams:
        against_sim(home, count)
    exact = build_tools(home)
    if exact:
        used = {count: against_exact(home, exact, count) for count in streams}
        if len(used) > 1:
            few, many = min(used), max(used)
            print(f"memory per open stream: {(used[many] - used[few]) / (many - few):.1f} KiB")
        instructions(home)
