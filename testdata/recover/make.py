"""Broken checkpoints, and what TensorFlow makes of what was recovered from them.

    python testdata/recover/make.py CKPT

CKPT is the program. TensorFlow writes every checkpoint; it is broken as disks, downloads and killed programs break
them; CKPT recovers it, and TensorFlow restores the result for real. expected.json records the sums of the files that it
restored with the right values, and whether they are, byte for byte, the files that TensorFlow wrote.
"""

import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).resolve().parent
CKPT = pathlib.Path(sys.argv[1]).resolve()
rng = np.random.default_rng(15)
DATA, INDEX = ".data-00000-of-00001", ".index"


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(floats(6, 4), name="kernel")
        self.bias = tf.Variable(floats(4), name="bias")
        self.words = tf.Variable(["the", "quick", ""], name="words")

    @tf.function(input_signature=[tf.TensorSpec([None, 6])])
    def __call__(self, x):
        return tf.matmul(x, self.kernel) + self.bias


def flip(path, *bits):
    data = bytearray(path.read_bytes())
    for byte, bit in bits:
        data[byte] ^= 1 << bit
    path.write_bytes(data)


def files(prefix):
    return {f.name[len(prefix.name):]: f.read_bytes() for f in prefix.parent.glob(prefix.name + ".*") if f.is_file()}


def values(prefix):
    """Everything that TensorFlow reads of a checkpoint."""
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def same(a, b):
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    for name in a:
        assert np.array_equal(np.asarray(a[name]), np.asarray(b[name])), name


def objects(prefix, net, step):
    tf.train.Checkpoint(net=net, step=tf.Variable(step, dtype=tf.int64)).write(str(prefix))


def restores_objects(prefix, net, step):
    other, there = Net(), tf.Variable(0, dtype=tf.int64)
    tf.train.Checkpoint(net=other, step=there).read(str(prefix)).assert_consumed()
    for a, b in zip(other.variables, net.variables):
        assert np.array_equal(a.numpy(), b.numpy())
    assert there.numpy() == step


def saver(prefix):
    """A graph's own saver: a partitioned variable, strings, a table of a size that no graph knows."""
    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        parts = tf1.fixed_size_partitioner(2)
        w = tf1.get_variable("emb", [5, 3], initializer=tf1.random_normal_initializer(seed=1), partitioner=parts,
                             use_resource=False)
        tf1.get_variable("whole", [4, 2], initializer=tf1.random_normal_initializer(seed=2),
                         partitioner=tf1.fixed_size_partitioner(1), use_resource=True)
        tf1.get_variable("note", initializer=tf.constant(["a", "bcd"]), use_resource=True)
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1, name="table")
        insert = table.insert(tf.constant(["x", "yy", "zzz"]), tf.constant([1, 2, 3], tf.int64))
        tf1.train.get_or_create_global_step()
        save = tf1.train.Saver()
        with tf1.Session() as session:
            session.run([tf1.global_variables_initializer()])
            session.run(insert)
            save.save(session, str(prefix))
    del w


def restores_saver(prefix):
    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        save = tf1.train.import_meta_graph(str(HERE / "lost_meta/model.ckpt.meta"))
        with tf1.Session() as session:
            save.restore(session, str(prefix))


def part(prefix, tensors):
    names, specs, data = zip(*tensors)
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=specs, tensors=data)


def main():
    for entry in HERE.iterdir():
        if entry.name not in ("make.py", "README.md"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    expected = {}

    def case(name, args, original, check, status=0, lost=()):
        """Recovers `args`, lets TensorFlow restore it, and records what it restored."""
        with tempfile.TemporaryDirectory() as scratch:
            out = pathlib.Path(scratch) / "out"
            done = subprocess.run([CKPT, "recover", *args, "-o", out], cwd=HERE, capture_output=True, text=True)
            assert done.returncode == status, (name, done.stdout, done.stderr)
            check(out)
            found = files(out)
            sums = {suffix: hashlib.sha256(data).hexdigest() for suffix, data in sorted(found.items())}
            same_files = original is not None and found == {k: v for k, v in original.items() if k != ".meta"}
            expected[name] = {"args": args, "status": status, "lost": list(lost), "files": sums,
                              "as_tensorflow_wrote_it": same_files}

    def place(name):
        (HERE / name).mkdir()
        return HERE / name

    net = Net()
    with tempfile.TemporaryDirectory() as scratch:
        whole = pathlib.Path(scratch) / "net-3"
        objects(whole, net, 3)
        original = files(whole)

        def put(dir, name="net-3", suffixes=(INDEX, DATA)):
            for suffix in suffixes:
                (dir / (name + suffix)).write_bytes(original[suffix])
            return dir / name

        def restored(out):
            return restores_objects(out, net, 3)

        # One bit of a weight, of a string, of the lengths of strings, of the object graph, and two of the index: in a
        # name, and in the footer.
        at = put(place("bits"))
        data = original[DATA]
        flip(at.with_name("net-3" + DATA), (2, 6), (data.index(b"quick"), 5), (len(data) - 40, 0))
        flip(at.with_name("net-3" + INDEX), (30, 3), (len(original[INDEX]) - 46, 6))
        case("bits", ["bits/net-3"], original, restored)

        # Two bits of one tensor: no single bit explains them.
        at = put(place("two_bits"))
        kernel = data.index(net.kernel.numpy().tobytes())
        flip(at.with_name("net-3" + DATA), (kernel + 1, 6), (kernel + 50, 2))
        key = "net/kernel/.ATTRIBUTES/VARIABLE_VALUE"

        def without(out):
            there = values(out)
            everything = values(whole)
            assert key not in there and len(there) == len(everything) - 1
            same({k: v for k, v in there.items() if "GRAPH" not in k},
                 {k: v for k, v in everything.items() if "GRAPH" not in k and k != key})

        case("two_bits", ["two_bits/net-3"], None, without, status=1, lost=[key])

        # Two copies, both damaged, at different places.
        for name, start in (("copies/a", kernel + 10), ("copies/b", len(data) - 60)):
            (HERE / name).mkdir(parents=True)
            at = put(HERE / name)
            flip(at.with_name("net-3" + DATA), *((start + n, (5 * n) % 8) for n in range(30)))
        case("copies", ["copies/a/net-3", "--from", "copies/b"], original, restored)

        # What a browser calls a second download.
        at = put(place("renamed"))
        at.with_name("net-3" + DATA).rename(at.with_name("net-3 (1)" + DATA))
        case("renamed", ["renamed/net-3"], original, restored)

        # Files that were written and not renamed.
        at = put(place("tempstate"))
        at.with_name("net-3" + DATA).rename(at.with_name("net-3" + DATA + ".tempstate7210934012"))
        at.with_name("net-3" + INDEX).rename(at.with_name("net-3" + INDEX + ".tempstate902347865"))
        case("tempstate", ["tempstate/net-3"], original, restored)

        # Packed by gzip under its own name, and taken for Latin-1 and written as UTF-8.
        at = put(place("packed"))
        at.with_name("net-3" + INDEX).write_bytes(gzip.compress(original[INDEX], mtime=0))
        at.with_name("net-3" + DATA).write_bytes(data.decode("latin-1").encode("utf-8"))
        case("packed", ["packed/net-3"], original, restored)

        # A save whose parts were not renamed.
        place("not_renamed")
        (HERE / "not_renamed/net-3_temp").mkdir()
        objects(HERE / "not_renamed/net-3_temp/part-00000-of-00001", net, 3)
        case("not_renamed", ["not_renamed/net-3_temp"], original, restored)
        case("not_renamed_by_prefix", ["not_renamed/net-3"], original, restored)

        # The index is lost, and that of another save of the same program lies beside it.
        at = put(place("sibling"), suffixes=[DATA])
        objects(HERE / "sibling/net-2", Net(), 2)
        case("sibling", ["sibling/net-3"], original, restored)

    # The index is lost, and the saver in the .meta says what it had.
    place("lost_meta")
    saver(HERE / "lost_meta/model.ckpt")
    (HERE / "lost_meta/checkpoint").unlink()
    original = files(HERE / "lost_meta/model.ckpt")
    (HERE / "lost_meta/model.ckpt.index").unlink()
    case("lost_meta", ["lost_meta/model.ckpt"], original, restores_saver)

    # The variables of a SavedModel without their index.
    tf.saved_model.save(net, str(HERE / "lost_model"))
    (HERE / "lost_model/fingerprint.pb").unlink()
    (HERE / "lost_model/assets").rmdir()
    variables = HERE / "lost_model/variables/variables"
    original = files(variables)
    variables.with_name("variables.index").unlink()

    def loads(out):
        with tempfile.TemporaryDirectory() as scratch:
            model = pathlib.Path(scratch) / "model"
            shutil.copytree(HERE / "lost_model", model)
            for suffix, data in files(out).items():
                (model / ("variables/variables" + suffix)).write_bytes(data)
            loaded = tf.saved_model.load(str(model))
            assert np.array_equal(loaded(np.ones((2, 6), np.float32)), net(np.ones((2, 6), np.float32)))

    case("lost_model", ["lost_model"], original, loads)

    # Each worker saved its part into a directory of its own, and they were never merged.
    emb, bias, kernel = floats(5, 3), floats(3), floats(3, 3)
    step = np.int64(7)
    for worker, tensors in enumerate([
        [("emb", "5 3 0,3:-", emb[:3]), ("step", "", step)],
        [("bias", "", bias), ("emb", "5 3 3,2:-", emb[3:])],
        [("kernel", "", kernel)],
    ]):
        dir = HERE / f"workers/{worker}/run-7_temp"
        dir.mkdir(parents=True)
        part(dir / f"part-{worker:05}-of-00003", tensors)
    with tempfile.TemporaryDirectory() as scratch:
        for worker in range(3):
            shutil.copytree(HERE / f"workers/{worker}/run-7_temp", scratch, dirs_exist_ok=True)
        merged = pathlib.Path(scratch) / "run-7"
        prefixes = [f"{scratch}/part-{worker:05}-of-00003" for worker in range(3)]
        tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes, destination_prefix=str(merged), delete_old_dirs=False)
        original = files(merged)

        def restored(out):
            same(values(out), {"emb": emb, "bias": bias, "kernel": kernel, "step": step})

        case("workers", ["workers/0/run-7", "--from", "workers/1", "--from", "workers/2"], original, restored)

    def without_one(out):
        there = values(out)
        assert set(there) == {"kernel", "step"} and np.array_equal(there["kernel"], kernel)

    case("workers_without_one", ["workers/0/run-7", "--from", "workers/2"], None, without_one, status=1, lost=["emb"])
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
