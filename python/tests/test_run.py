"""`ckpt run` beside `saved_model_cli run`, where TensorFlow is installed: every signature of every SavedModel.

The command is the one at `CKPT_COMMAND`, or what `cargo build` made. `CKPT_WILD` may name a directory with more models.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")
from tensorflow.python.tools import saved_model_cli  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILT = [os.environ.get("CKPT_COMMAND"), ROOT / "target/release/ckpt", ROOT / "target/debug/ckpt"]
CKPT = next((str(path) for path in BUILT if path and Path(path).is_file()), None)
pytestmark = pytest.mark.skipif(CKPT is None, reason="no command: cargo build")

PLACES = [ROOT / "testdata", *map(Path, filter(None, [os.environ.get("CKPT_WILD")]))]
MODELS = sorted({str(file.parent) for place in PLACES for file in place.rglob("saved_model.pb*")})


def ckpt(*arguments):
    return subprocess.run([CKPT, *arguments], capture_output=True, text=True, timeout=600)


def run(*arguments):
    return ckpt("run", *arguments, "--engine", sys.prefix)


def graphs(model):
    """Tags and signatures, by TensorFlow's word; nothing of what it cannot read."""
    try:
        return saved_model_cli.saved_model_utils.read_saved_model(model).meta_graphs
    except Exception as error:
        pytest.skip(f"TensorFlow cannot read it: {type(error).__name__}")


def value(info, random):
    """A value for an input: whatever is not known is 2. Old models do not say what shape they take."""
    if not info.HasField("tensor_shape"):
        shape = [2, 1]
    elif info.tensor_shape.unknown_rank:
        shape = [2]
    else:
        shape = [2 if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
    dtype = tf.as_dtype(info.dtype)
    if dtype == tf.string:
        return np.array(random.choice(["a", "hello", "", "\u00e9", "b c"], size=shape), dtype=np.str_)
    if dtype == tf.bool:
        return random.integers(0, 2, size=shape).astype(bool)
    if dtype.is_integer:
        return random.integers(0, 4, size=shape).astype(dtype.as_numpy_dtype)
    return np.asarray(random.normal(size=shape)).astype(dtype.as_numpy_dtype)


def same(ours, theirs):
    if theirs.dtype == object:
        theirs = np.array([x if isinstance(x, bytes) else x.encode() for x in theirs.ravel()]).reshape(theirs.shape)
    return ours.shape == theirs.shape and ours.tobytes() == theirs.astype(ours.dtype).tobytes()


@pytest.mark.parametrize("model", MODELS)
def test_outputs_are_those_of_saved_model_cli(model, tmp_path):
    random = np.random.default_rng(7)
    compared = refused = 0
    failures = []
    for graph in graphs(model):
        tags = ",".join(graph.meta_info_def.tags)
        for key, signature in graph.signature_def.items():
            if key.startswith("__saved_model") or not signature.outputs:
                continue
            feed = {name: value(info, random) for name, info in signature.inputs.items() if info.name}
            np.savez(tmp_path / "in.npz", **feed)
            out = tmp_path / f"{len(failures)}-{compared}.npz"
            given = ["--input", str(tmp_path / "in.npz")] if feed else []
            ours = run(model, "--tags", tags, "--signature", key, *given, "-o", str(out), "--format", "json")
            if ours.returncode == 1:
                assert json.loads(ours.stdout)["refused"] and not out.exists()
                refused += 1
                continue
            theirs = tmp_path / f"theirs-{compared}-{len(failures)}"
            try:
                saved_model_cli.run_saved_model_with_feed_dict(model, tags, key, feed, str(theirs), True)
            except Exception as error:
                # Whatever it cannot run, has no answer here either.
                assert ours.returncode == 2, (key, type(error), str(error)[:300], ours.stderr)
                failures.append(f"{key}: {ours.stderr.strip()}")
                continue
            assert ours.returncode == 0, (key, ours.stderr)
            arrays = np.load(out)
            want = {file.stem: np.load(file, allow_pickle=True) for file in theirs.rglob("*.npy")}
            assert set(arrays) == set(want), key
            for name, array in want.items():
                assert same(arrays[name], array), (key, name, arrays[name], array)
            compared += 1
    for failure in failures:
        print(failure)
    if not compared:
        pytest.skip(f"nothing runs: {refused} refused, {len(failures)} that saved_model_cli cannot run either")


def test_every_dtype_goes_in_and_comes_out(tmp_path):
    dtypes = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    dtypes += ["bool", "complex64", "complex128", "string"]

    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 2], name, name="in_" + name) for name in dtypes])
        def __call__(self, *values):
            return {name: tf.identity(value) for name, value in zip(dtypes, values)}

    tf.saved_model.save(module := Model(), str(tmp_path / "m"), signatures=module.__call__)
    values = {"in_" + name: np.array([[0, 1], [1, 0]]).astype(name) for name in dtypes if name != "string"}
    np.savez(tmp_path / "in.npz", in_string=np.array([["a", "b" * 40], ["", "\u00e9"]]), **values)
    ran = run(str(tmp_path / "m"), "-i", str(tmp_path / "in.npz"), "-o", str(tmp_path / "out.npz"))
    assert ran.returncode == 0, ran.stderr
    out = np.load(tmp_path / "out.npz")
    for name in dtypes[:-1]:
        assert out[name].dtype == name and np.array_equal(out[name], values["in_" + name]), name
    assert out["string"].tolist() == [[b"a", b"b" * 40], [b"", "\u00e9".encode()]]


def test_a_model_that_loops_crashes_or_fails_is_one_error(tmp_path):
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="n")])
        def loop(self, n):
            return {"y": tf.while_loop(lambda i: i >= 0, lambda i: [i * 1], [n])[0]}

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="n")])
        def hungry(self, n):
            return {"y": tf.reduce_sum(tf.ones([n, 1024, 1024]) * 2.0)}

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="n")])
        def fails(self, n):
            with tf.control_dependencies([tf.debugging.Assert(n > 5, ["n is too small", n])]):
                return {"y": tf.identity(n)}

    model = Model()
    signatures = {"loop": model.loop, "hungry": model.hungry, "fails": model.fails}
    tf.saved_model.save(model, str(tmp_path / "m"), signatures=signatures)
    looped = run(str(tmp_path / "m"), "--signature", "loop", "-i", "n=1", "--timeout", "5")
    assert looped.returncode == 2 and "no answer after 5 s" in looped.stderr, looped.stderr
    hungry = run(str(tmp_path / "m"), "--signature", "hungry", "-i", "n=2000", "--memory", "2G")
    assert hungry.returncode == 2 and len(hungry.stderr.splitlines()) == 1, hungry.stderr
    fails = run(str(tmp_path / "m"), "--signature", "fails", "-i", "n=1")
    assert fails.returncode == 2 and "n is too small" in fails.stderr and len(fails.stderr.splitlines()) == 1
    works = run(str(tmp_path / "m"), "--signature", "fails", "-i", "n=6")
    assert works.returncode == 0 and works.stdout.startswith("y  int32")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the process of the engine is found in /proc")
def test_a_crash_is_told_and_a_killed_command_leaves_nothing(tmp_path):
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="n")])
        def __call__(self, n):
            return {"y": tf.while_loop(lambda i: i >= 0, lambda i: [i * 1], [n])[0]}

    tf.saved_model.save(module := Model(), str(tmp_path / "m"), signatures=module.__call__)
    (scratch := tmp_path / "scratch").mkdir()
    command = [CKPT, "run", str(tmp_path / "m"), "-i", "n=1", "--engine", sys.prefix]

    def start():
        """The command, and the process of the engine once it is at work."""
        given = {**os.environ, "TMPDIR": str(scratch)}
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=given)
        children = Path(f"/proc/{asked.pid}/task/{asked.pid}/children")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for child in children.read_text().split():
                if "libtensorflow" in Path(f"/proc/{child}/maps").read_text():
                    time.sleep(0.5)
                    return asked, int(child)
            time.sleep(0.05)
        raise AssertionError("no engine was started")

    asked, engine = start()
    os.kill(engine, signal.SIGABRT)
    _, told = asked.communicate(timeout=60)
    assert asked.returncode == 2 and "crashed with signal 6 (SIGABRT)" in told, told
    assert not list(scratch.iterdir())

    asked, engine = start()
    assert list(scratch.iterdir())
    asked.kill()
    asked.communicate(timeout=60)
    end = time.monotonic() + 60
    while Path(f"/proc/{engine}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{engine}").exists() and not list(scratch.iterdir())


def test_what_a_model_writes_is_written_only_if_allowed(tmp_path):
    target = tmp_path / "written.txt"

    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="s")])
        def __call__(self, s):
            with tf.control_dependencies([tf.io.write_file(str(target), s)]):
                return {"y": tf.identity(s)}

    tf.saved_model.save(module := Model(), str(tmp_path / "m"), signatures=module.__call__)
    refused = run(str(tmp_path / "m"), "-i", 's="text"')
    assert refused.returncode == 1 and "op-writes-file" in refused.stdout and not target.exists()
    dry = run(str(tmp_path / "m"), "-i", 's="text"', "--dry-run", "--allow", "op-writes-file")
    assert dry.returncode == 0 and not target.exists(), dry.stderr
    allowed = run(str(tmp_path / "m"), "-i", 's="text"', "--allow", "op-writes-file")
    assert allowed.returncode == 0 and target.read_text() == "text", allowed.stderr


def test_graphs_of_tensorflow_1_by_feeds_and_fetches(tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        w = v1.get_variable("w", initializer=tf.constant([[2.0], [3.0]]), use_resource=False)
        v = v1.get_variable("v", initializer=tf.constant(1.0), use_resource=True)
        y = tf.identity(tf.matmul(x, w) + v, name="y")
        session.run(v1.global_variables_initializer())
        prefix = v1.train.Saver().save(session, str(tmp_path / "model.ckpt"), global_step=3)
        frozen = v1.graph_util.convert_variables_to_constants(session, session.graph_def, [y.op.name])
        (tmp_path / "frozen.pb").write_bytes(frozen.SerializeToString())
        v1.train.write_graph(session.graph_def, str(tmp_path), "graph.pbtxt", as_text=True)
    asked = ["--feed", "x:0=[[1, 10]]", "--fetch", "y:0", "--format", "json"]
    for path, more in [
        (prefix + ".meta", []),
        (prefix, []),
        (str(tmp_path / "frozen.pb"), []),
        (str(tmp_path / "graph.pbtxt"), ["--checkpoint", prefix]),
    ]:
        ran = run(path, *asked, *more)
        assert ran.returncode == 0, (path, ran.stderr)
        assert json.loads(ran.stdout)["outputs"][0]["values"] == [[33.0]], path
    (tmp_path / "model.ckpt-3.index").rename(tmp_path / "gone.index")
    lost = run(prefix + ".meta", *asked)
    assert lost.returncode == 2 and "--checkpoint" in lost.stderr, lost.stderr


def test_tables_of_a_graph_are_filled(tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        word = v1.placeholder(tf.string, [None], name="word")
        values = v1.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([10, 20], tf.int64))
        w = v1.get_variable("w", initializer=tf.constant(1, tf.int64))
        tf.add(v1.lookup.StaticHashTable(values, -1).lookup(word), w, name="y")
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        prefix = v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    asked = ["--feed", 'word:0=["b", "c"]', "--fetch", "y:0"]
    ran = run(prefix + ".meta", *asked, "--format", "json")
    assert ran.returncode == 0 and json.loads(ran.stdout)["outputs"][0]["values"] == [21, 0], ran.stdout + ran.stderr
    dry = run(prefix + ".meta", *asked, "--dry-run")
    assert "tables filled by 1 op" in dry.stdout, dry.stdout
