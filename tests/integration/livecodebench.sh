#!/bin/bash
# LiveCodeBench: tests in every encoding, programs of every kind, and a sandbox that holds.
. "$top_srcdir/tests/integration/lib.sh"

if ! bwrap --ro-bind / / --unshare-all true 2>/dev/null || ! [ -x /usr/bin/python3 ]; then
	skip "programs are graded" "bubblewrap or python3 is missing, or user namespaces are not allowed"
	exit
fi
python3 - "$work" <<'P'
import base64, json, pickle, sys, zlib
work = sys.argv[1]

def packed(tests, protocol):
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests), protocol=protocol))).decode()

def problem(name, public, private, starter="", function=None, difficulty="easy", date="2024-09-01T00:00:00"):
    return {"question_title": name, "question_content": "Solve " + name + ".", "platform": "ours", "question_id": name,
            "contest_id": "c", "contest_date": date, "starter_code": starter, "difficulty": difficulty,
            "public_test_cases": json.dumps(public), "private_test_cases": private,
            "metadata": json.dumps({"func_name": function} if function else {})}

def stdin(*pairs):
    return [{"input": i, "output": o, "testtype": "stdin"} for i, o in pairs]

total = problem("sum", stdin(("3\n1 2 3\n", "6\n")), packed(stdin(("2\n5 6\n", "11.0")), 4))
add = problem("add", [{"input": "1\n[2, 3]", "output": "6", "testtype": "functional"}],
              packed([{"input": "1\n[]", "output": "1", "testtype": "functional"}], 2),
              "class Solution:\n    def add(self, a: int, b: List[int]) -> int:\n        ", "add", "medium",
              "2025-01-01T00:00:00")
plain = problem("plain", [], json.dumps(stdin(("", "a\nb"))), difficulty="hard")
with open(work + "/test.jsonl", "w") as out:
    for row in (total, add, plain):
        out.write(json.dumps(row) + "\n")

class Evil:
    def __reduce__(self):
        return (print, ("executed",))
evil = dict(total, private_test_cases=base64.b64encode(zlib.compress(pickle.dumps(Evil()))).decode())
sum_program = "n=int(input())\nprint(sum(map(int,input().split())))"

def block(text, tag="python"):
    return "```" + tag + "\n" + text + "\n```"

lines = [
    ("reads", block(sum_program), total, True, "all_tests"),
    ("last-block", block("print(1)") + "\nNo:\n" + block(sum_program) + "\nTry it with\n" + block("3\n1 2 3", ""), total, True, "all_tests"),
    ("draft-in-thought", "<think>" + block("print(6)") + "</think>" + block(sum_program), total, True, "all_tests"),
    ("star-imports", block("print(*map(lambda s: s, ['a', 'b']), sep='\\n') if Counter and deque and inf else 0"), plain, True, "all_tests"),
    ("exits", block(sum_program + "\nimport sys\nsys.exit(0)"), total, True, "all_tests"),
    ("wrong", block("print(6)"), total, False, "wrong_answer"),
    ("crashes", block("raise ValueError"), total, False, "runtime_error"),
    ("no-code", "I would sort them.", total, False, "no_code"),
    ("loops", block("while True: pass"), total, False, "time_limit"),
    ("sleeps", block("import time\ntime.sleep(1000)"), total, False, "time_limit"),
    ("floods", block("while True: print('x' * 100000)"), total, False, "output_limit"),
    ("memory", block("a = 'x' * (8 << 30)\nprint(6)"), total, False, "runtime_error"),
    ("disk", block("f = open('/tmp/x', 'wb')\nfor i in range(1000): f.write(b'x' * (1 << 20))\nprint(6)"), total, False, "runtime_error"),
    ("processes", block("import os\nfor i in range(100): os.fork() or os._exit(0 * __import__('time').sleep(1000))\nprint(6)"), total, False, "runtime_error"),
    ("network", block("import socket\nsocket.create_connection(('127.0.0.1', 22), 2)\nprint(6)"), total, False, "runtime_error"),
    ("network-names", block("import os\nassert os.listdir('/sys/class/net') == ['lo'] if os.path.exists('/sys/class/net') else True\n" + sum_program), total, True, "all_tests"),
    ("files", block("import os\nassert not os.path.exists('/etc/passwd') and not os.path.exists('" + work + "')\ntry:\n    open('/usr/x', 'w')\nexcept OSError:\n    " + sum_program.replace("\n", "\n    ")), total, True, "all_tests"),
    ("descriptors", block("import os\nassert not [f for f in os.listdir('/proc/self/fd') if int(f) > 3]\n" + sum_program), total, True, "all_tests"),
    ("environment", block("import os\nassert 'DSR_SIM_KEY' not in os.environ\n" + sum_program), total, True, "all_tests"),
    ("limits-stay", block("import resource\ntry:\n    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\nexcept ValueError:\n    " + sum_program.replace("\n", "\n    ")), total, True, "all_tests"),
    ("method", block("class Solution:\n    def add(self, a: int, b: List[int]) -> int:\n        print('noise')\n        return a + sum(b)"), add, True, "all_tests"),
    ("function", block("def add(a, b):\n    return a + sum(b)"), add, True, "all_tests"),
    ("bad-method", block("class Solution:\n    def add(self, a, b): return a"), add, False, "wrong_answer"),
    ("no-method", block("class Solution:\n    pass"), add, False, "runtime_error"),
]
with open(work + "/in.jsonl", "w") as out, open(work + "/wanted", "w") as wanted:
    for name, response, row, correct, rule in lines:
        row = dict(row, timeout=2)
        out.write(json.dumps({"id": name, "response": response, "gold": json.dumps(row)}) + "\n")
        wanted.write(json.dumps([name, correct, rule], separators=(",", ":")) + "\n")
with open(work + "/evil.jsonl", "w") as out:
    out.write(json.dumps({"id": 1, "response": block("print(6)"), "gold": json.dumps(evil)}) + "\n")
compared = [("1.0", "1", True), ("1.50 2", "1.5 2.0", True), ("1e2", "100", True), ("0.1", ".10", True), ("-0", "0", True),
            ("1000", "1e3", True), ("0.001", "1E-3", True), ("a b", "a  b", False), ("12", "1 2", False), ("1.0001", "1", False),
            ("100000000000000000001", "100000000000000000000", False), (" yes \n\n", "yes", True), ("yes\n\nno", "yes\nno", False),
            ("-1", "1", False), ("YES", "yes", False), ("10", "1", False), ("0.01", "0.1", False), ("", "", True)]
with open(work + "/compared.jsonl", "w") as out, open(work + "/compared.wanted", "w") as wanted:
    for i, (said, right, equal) in enumerate(compared):
        gold = {"tests": stdin(("", right))}
        out.write(json.dumps({"id": i, "response": block("import sys\nsys.stdout.write(%r)" % said), "gold": json.dumps(gold)}) + "\n")
        wanted.write(json.dumps([i, equal], separators=(",", ":")) + "\n")
P
programs_ok() {
	exits 0 "$run" grade -e livecodebench --input "$work/in.jsonl" || return 1
	jq -c '[.id, .correct, .rule]' "$work/out" | diff "$work/wanted" -
}
check "programs are graded, and the sandbox holds" programs_ok
compared_ok() {
	exits 0 "$run" grade -e livecodebench --input "$work/compared.jsonl" || return 1
	jq -c '[.id, .correct]' "$work/out" | diff "$work/compared.wanted" -
}
check "outputs are compared as LiveCodeBench does" compared_ok
evil_ok() {
	says 2 'in.jsonl:1: "private_test_cases" is neither' "$run" grade -e livecodebench --input "$work/in.jsonl" || return 1
	! grep -q executed "$work/out" "$work/err"
}
cp "$work/evil.jsonl" "$work/in.jsonl"
check "a pickle of anything but a text is refused, not executed" evil_ok
gone_ok() { # another suite on this machine may have some that end soon
	for _ in $(seq 100); do
		pgrep -f '[s]olution.py' >/dev/null || return 0
		sleep 0.1
	done
	return 1
}
check "nothing of a program is left running" gone_ok

start_sim '{"defaults": {"ttft_ms": 1, "itl_ms": 0, "reasoning_tokens": 1, "answer_tokens": 2}}'
jq -n --arg d "$work" '{lcb: {evaluator: "livecodebench", file: "\($d)/test.jsonl", options: {timeout: 2}},
	late: {evaluator: "livecodebench", file: "\($d)/test.jsonl", options: {since: "2024-12-01"}}}' >"$work/data/datasets.json"
eval_ok() {
	exits 0 dsr -q eval --dataset lcb,late -p volcengine --format json || return 1
	json '[.results[].asked] == [3, 1] and .results[0].groups.hard.asked == 1 and .results[0].categories.ours.asked == 3' &&
		json '.results[0].wrong == 3'
}
check "a run puts its problems" eval_ok
check "a file of something else is told" bash -c "echo '{\"a\": 1}' >'$work/test.jsonl'
	'$run' --config '$work/config' --data '$work/data' eval --dataset lcb -p volcengine 2>&1 | grep -q 'test.jsonl:1: dataset lcb: expected an object'"
