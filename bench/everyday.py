"""What people type today beside ckpt: the table of the README.

    python bench/everyday.py CKPT DIR [ROUNDS]

CKPT is the program as released; DIR a directory for inputs (some 2 GiB are written there, and stay). Needs TensorFlow, h5py
and safetensors. Whole processes, start included, run in turn; the medians are printed.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTDATA = ROOT / "testdata"

#: For what, what people type (Python, or a command of TensorFlow's), what they can type now.
ROWS = [
    (
        "names and shapes",
        ["-m", "tensorflow.python.tools.inspect_checkpoint", "--file_name", f"{TESTDATA}/saver_v2/plain/model.ckpt-7"],
        ["list", f"{TESTDATA}/saver_v2/plain/model.ckpt-7"],
        "`inspect_checkpoint`",
    ),
    (
        "signatures of a SavedModel",
        ["-m", "tensorflow.python.tools.saved_model_cli", "show", "--all", "--dir", f"{TESTDATA}/saved_model/tf2/model"],
        ["inspect", "--signatures", f"{TESTDATA}/saved_model/tf2/model"],
        "`saved_model_cli show --all`",
    ),
    (
        "does a SavedModel answer?",
        [
            *("-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", f"{TESTDATA}/saved_model/tf2/model"),
            *("--tag_set", "serve", "--signature_def", "serving_default"),
            *("--input_exprs", "x=np.ones((1, 3), np.float32);word=np.array(['a'])"),
        ],
        [
            *("run", f"{TESTDATA}/saved_model/tf2/model", "--engine", sys.prefix),
            *("--input", "x=np.ones((1, 3))", "--input", "word=['a']"),
        ],
        "`saved_model_cli run`",
    ),
    (
        "weights in an `.h5`",
        ["-c", "import h5py, sys; h5py.File(sys.argv[1]).visititems(print)", f"{TESTDATA}/keras/tf_keras/whole.h5"],
        ["list", f"{TESTDATA}/keras/tf_keras/whole.h5"],
        "a script with h5py",
    ),
    (
        "is 1 GiB intact?",
        [
            "-c",
            "import sys, tensorflow as tf\nr = tf.train.load_checkpoint(sys.argv[1])\n"
            "for n in r.get_variable_to_shape_map(): r.get_tensor(n)",
            "{a}",
        ],
        ["validate", "{a}"],
        "a script with TensorFlow",
    ),
    (
        "what changed in 1 GiB?",
        [
            "-c",
            "import sys, numpy as np, tensorflow as tf\na, b = map(tf.train.load_checkpoint, sys.argv[1:])\n"
            "for n in a.get_variable_to_shape_map():\n    print(n, np.abs(a.get_tensor(n) - b.get_tensor(n)).max())",
            "{a}",
            "{b}",
        ],
        ["diff", "{a}", "{b}"],
        "a script with TensorFlow",
    ),
    (
        "1 GiB as safetensors",
        [
            "-c",
            "import sys, tensorflow as tf, safetensors.numpy as s\nr = tf.train.load_checkpoint(sys.argv[1])\n"
            "s.save_file({n: r.get_tensor(n) for n in r.get_variable_to_shape_map()}, sys.argv[2])",
            "{a}",
            "{out}/theirs.safetensors",
        ],
        ["convert", "{a}", "-o", "{out}/ours.safetensors", "--force"],
        "a script with TensorFlow",
    ),
]


def timed(command, directory):
    os.sync()
    start = time.perf_counter()
    env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    status = subprocess.run(command, cwd=directory, env=env, **quiet, check=False).returncode
    if status not in (0, 1):
        raise SystemExit(f"{command}: exit status {status}")
    return time.perf_counter() - start


def filled(part, places):
    """`{a}` and its like as paths; other braces are Python's."""
    for name, path in places.items():
        part = part.replace("{" + name + "}", str(path))
    return part


def inputs(ckpt, directory):
    """Two checkpoints of 1 GiB, all of whose values differ."""
    import numpy as np

    made = {}
    for seed, name in enumerate(("a", "b")):
        made[name] = directory / f"everyday-{name}"
        if not made[name].with_name(made[name].name + ".index").exists():
            random = np.random.default_rng(seed)
            layers = {f"layer{n}/kernel": random.random((2048, 2048), np.float32) for n in range(64)}
            archive = directory / f"{name}.npz"
            np.savez(archive, **layers)
            subprocess.run([ckpt, "convert", archive, "-o", made[name]], check=True, stdout=subprocess.DEVNULL)
            archive.unlink()
    return made


def main():
    ckpt, directory = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    directory.mkdir(parents=True, exist_ok=True)
    places = {**inputs(ckpt, directory), "out": directory}
    print("| for | instead of | seconds | type | seconds |")
    print("|---|---|---:|---|---:|")
    for title, theirs, ours, tool in ROWS:
        commands = [[filled(part, places) for part in command] for command in (theirs, ours)]
        commands = [[sys.executable, *commands[0]], [str(ckpt), *commands[1]]]
        rows = [[timed(command, directory) for command in commands] for _ in range(rounds)]
        them, us = (statistics.median(times) for times in zip(*rows))
        print(f"| {title} | {tool} | {them:.1f} | `ckpt {ours[0]}` | {us:.3f} |")


main()
