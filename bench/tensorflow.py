"""TensorFlow beside ckpt, on the inputs that ckpt-bench made: list, read and verify everything, compare with NumPy.

    python bench/tensorflow.py CKPT DIR [ROUNDS]

CKPT is the program, DIR where the inputs lie (target/bench). Whole processes run in turn, as ckpt-bench does it; "work" is
the time without the import of TensorFlow, measured inside the process.
"""

import glob
import os
import statistics
import subprocess
import sys
import time

LIST = "tf.train.list_variables(sys.argv[1])"
READ = """
reader = tf.train.load_checkpoint(sys.argv[1])
for name in reader.get_variable_to_shape_map():
    reader.get_tensor(name)
"""
DIFF = """
import numpy as np
a, b = (tf.train.load_checkpoint(path) for path in sys.argv[1:3])
for name in sorted(a.get_variable_to_shape_map()):
    x, y = a.get_tensor(name), b.get_tensor(name)
    d = np.abs(x.astype(np.float32) - y.astype(np.float32))
    (x != y).sum(), d.max(), d.mean()
"""
STATS = """
import numpy as np
reader = tf.train.load_checkpoint(sys.argv[1])
for name in reader.get_variable_to_shape_map():
    x = reader.get_tensor(name)
    x.min(), x.max(), x.mean(dtype=np.float64), x.std(dtype=np.float64), (x == 0).sum()
"""
WRAPPER = """
import os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
start = time.perf_counter()
{body}
print(time.perf_counter() - start)
"""


def run(command, statuses=(0,), stdout=subprocess.PIPE):
    start = time.perf_counter()
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.DEVNULL, check=False)
    elapsed = time.perf_counter() - start
    if done.returncode not in statuses:
        raise SystemExit(f"{command}: exit status {done.returncode}")
    return elapsed, done.stdout


def find(directory, name):
    made = sorted(glob.glob(os.path.join(directory, name + "-x*")))
    return os.path.join(made[-1], "model") if made else None


def main():
    ckpt, directory = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    one, many, floats = find(directory, "large-1-v0"), find(directory, "keys-v0"), find(directory, "type-1-v0")
    changed = find(directory, "type-1-v1")
    cases = [
        ("list, 2 tensors", LIST, ["list"], [find(directory, "small")]),
        ("list, a million tensors", LIST, ["list"], [many]),
        ("read and verify, float32 in one shard", READ, ["validate"], [one]),
        ("statistics, float32", STATS, ["stats"], [floats]),
        ("diff, every float32 changed", DIFF, ["diff"], [floats, changed]),
    ]
    print("| | TensorFlow s | of it work s | ckpt s | times faster | of the work |")
    print("|---|---:|---:|---:|---:|---:|")
    for title, body, command, paths in cases:
        if None in paths:
            print(f"| {title} | no input; run ckpt-bench first | | | | |")
            continue
        whole, work, ours = [], [], []
        for _ in range(rounds):
            elapsed, printed = run([sys.executable, "-c", WRAPPER.format(body=body), *paths])
            whole.append(elapsed)
            work.append(float(printed.split()[-1]))
            ours.append(run([ckpt, *command, *paths], (0, 1), subprocess.DEVNULL)[0])
        t, w, c = (statistics.median(values) for values in (whole, work, ours))
        print(f"| {title} | {t:.2f} | {w:.3f} | {c:.4f} | {t / c:.0f} | {w / c:.1f} |")


main()
