"""Checkpoints to convert, and what TensorFlow, NumPy, ml_dtypes and the safetensors library make of what was written.

    python testdata/convert/make.py CKPT

CKPT is the program. The inputs are written by TensorFlow; CKPT converts them; TensorFlow restores every result for
real, and expected.json records the sums of the files that it restored rightly. A test converts them again and compares
the sums.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import ml_dtypes
import numpy as np
import tensorflow as tf
from safetensors import numpy as safetensors

HERE = pathlib.Path(__file__).resolve().parent
CKPT = pathlib.Path(sys.argv[1]).resolve()
rng = np.random.default_rng(7)


def save(prefix, tensors):
    names = sorted(tensors)
    values = [tf.constant(tensors[name]) for name in names]
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values)


def load(prefix, name, dtype):
    [value] = tf.raw_ops.RestoreV2(prefix=str(prefix), tensor_names=[name], shape_and_slices=[""], dtypes=[dtype])
    return value.numpy()


def sums(out):
    files = sorted(out.parent.glob(out.name + "*"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


class Net(tf.Module):
    def __init__(self, dtype=tf.float32):
        draw = lambda shape: tf.cast(rng.standard_normal(shape), dtype)
        self.dense = [tf.Variable(draw((3, 4))) for _ in range(2)]
        self.emb = tf.Variable(draw((6, 2)))


def main():
    for old in HERE.iterdir():
        if old.name not in ("make.py", "README.md"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    # Every dtype that NumPy has, in every form.
    kinds = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 ?".split() + ["c8", "c16"]
    arrays = {}
    for n, kind in enumerate(kinds):
        for shape in [(), (0, 3), (2, 3)]:
            drawn = np.asarray(rng.standard_normal(shape) * 50)
            name = f"scope{n % 3}/{np.dtype(kind).name}_{len(shape)}"
            arrays[name] = np.asarray(drawn > 0) if kind == "?" else drawn.astype(kind)
    np.savez(HERE / "arrays.npz", **arrays)
    save(HERE / "arrays", arrays)
    safetensors.save_file({k: v for k, v in arrays.items() if v.dtype != "c16"}, HERE / "arrays.safetensors")
    # Casts: values at every edge, in every float.
    edges = [0, -0.0, np.inf, -np.inf, 65504, 65519.99, 65520, 3.4e38, 3.39e38, 1e-8, 6e-8, 5.96e-8, 1 + 2**-8, 1 + 2**-9]
    base = np.concatenate([edges, rng.standard_normal(200) * 10.0 ** rng.integers(-45, 40, 200)])
    floats = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}
    with np.errstate(all="ignore"):
        first = {name: base.astype(dtype) for name, dtype in floats.items()}
        save(HERE / "floats", first)
        overflows = {}
        for name, dtype in floats.items():
            cast = {source: value.astype(dtype) for source, value in first.items()}
            save(HERE / f"floats_{name}", cast)
            became = lambda s: int((np.isinf(cast[s].astype("f8")) & np.isfinite(first[s].astype("f8"))).sum())
            overflows[name] = {source: became(source) for source in first if became(source)}
    # A mean of five, in float64.
    runs = [{"a": rng.standard_normal((10, 3)).astype("f4"), "step": np.int64(n)} for n in range(5)]
    for n, run in enumerate(runs):
        save(HERE / f"run-{n}", run)
    save(HERE / "mean", {"a": np.mean([r["a"].astype("f8") for r in runs], 0).astype("f4"), "step": np.int64(4)})
    # Objects: restored by TensorFlow from what was written.
    net, step = Net(), tf.Variable(7, dtype=tf.int64)
    adam = tf.keras.optimizers.Adam(0.1)
    adam.build(net.dense)
    adam.apply_gradients([(tf.ones((3, 4)), variable) for variable in net.dense])
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    table.insert(tf.constant(["a", "bb", ""]), tf.constant([1, 2, 3], tf.int64))
    objects = tf.train.Checkpoint(model=net, optimizer=adam, step=step, table=table)
    objects.save(HERE / "objects")
    (HERE / "checkpoint").unlink()
    cases = {
        "weights": ["--weights-only"],
        "renamed": ["--map", "s|^model/|net/|", "--map", "s|^table/|lookup/|"],
        "dropped": ["--ignore", "model/emb/**"],
        "cast": ["--cast", "float16=model/dense/**"],
        "sharded": ["--shards", "3"],
    }
    restored = {}
    for case, options in cases.items():
        with tempfile.TemporaryDirectory() as scratch:
            out = pathlib.Path(scratch) / case
            subprocess.run([CKPT, "convert", HERE / "objects-1", "-o", out, *options], check=True, capture_output=True)
            other = Net()
            if case == "cast":
                other.dense = [tf.Variable(tf.zeros((3, 4), tf.float16)) for _ in range(2)]
            there, lookup = tf.Variable(0, dtype=tf.int64), tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
            before = other.emb.numpy().copy()
            tf.train.Checkpoint(model=other, step=there, table=lookup).restore(str(out)).expect_partial()
            for a, b in zip(other.dense, net.dense):
                assert np.array_equal(a.numpy(), b.numpy().astype(a.dtype.as_numpy_dtype)), case
            assert np.array_equal(other.emb.numpy(), before if case == "dropped" else net.emb.numpy()), case
            assert there.numpy() == (0 if case == "weights" else 7), case
            assert int(lookup.size()) == 3, case
            restored[case] = {"options": options, "sums": sums(out)}
    document = {"overflows": overflows, "restored": restored}
    (HERE / "expected.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
