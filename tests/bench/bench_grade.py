"""The reference's expressions on the texts of bench_grade, for a ratio in one run."""
import re
import sys
import time

folder = sys.argv[1]


def rate(name, function):
    text = open(f"{folder}/{name}", encoding="utf-8").read()
    n, start = 0, time.process_time()
    while time.process_time() - start < 0.3:
        for _ in range(20):
            function(text)
        n += 20
    return n / (time.process_time() - start)


pattern = re.compile(r"(?i)ANSWER\s*:\s*([A-D])")
print(f"Python, GPQA's expression, answer at the end:  {rate('gpqa.txt', pattern.search):9.0f} a second")
print(f"Python, GPQA's expression, no answer:          {rate('none.txt', pattern.search):9.0f} a second")
print(f"Python, last [A-D], AISBench's for C-Eval:      {rate('ceval.txt', lambda t: re.findall('[ABCD]', t)[-1:]):9.0f} a second")
