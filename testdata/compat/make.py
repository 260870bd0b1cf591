"""Records what TensorFlow's inspect_checkpoint and saved_model_cli print: every run is the real program.

Makes the inputs that the other groups lack (values/, calls/, tags/), then runs both programs from the root of the repository
and writes recorded.json: for each run its arguments, its standard output and its exit status. With --only-record the
inputs stay as they are.
"""
import concurrent.futures
import json
import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def values():
    import numpy as np
    import tensorflow as tf

    out = os.path.join(HERE, "values")
    os.makedirs(out, exist_ok=True)
    rng = np.random.default_rng(16)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        v1 = tf.compat.v1

        def make(name, value, dtype=None):
            return v1.get_variable(name, initializer=tf.constant(value, dtype=dtype), use_resource=False)

        make("scalars/float", np.float32(0.1))
        make("scalars/double", np.float64(1e-9))
        make("scalars/large", np.float32(1e20))
        make("scalars/int", np.int64(-7))
        make("scalars/bool", True)
        make("scalars/complex", np.complex64(1.5 - 2j))
        make("scalars/bfloat16", 3.140625, tf.bfloat16)
        make("scalars/half", np.float16(0.333))
        make("scalars/string", b"it's \"quoted\"\n\xff\x00")
        make("large/matrix", rng.normal(size=(40, 30)).astype(np.float16))
        make("large/row", (np.arange(1500) % 251).astype(np.uint8))
        make("large/cube", (np.arange(11 * 12 * 13).reshape(11, 12, 13) % 100).astype(np.int8))
        make("large/strings", np.array([b"w%d" % n for n in range(1001)]))
        make("mixed/exponents", np.array([1e-12, 1.0, 12345.678, -1e10], np.float32))
        make("mixed/special", np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324], np.float64))
        make("mixed/integers", np.array([[1, -20], [300, 4]], np.int16))
        make("mixed/bools", np.array([[True, False], [False, False]]))
        make("mixed/complex", np.array([1 + 2j, -0.5j, 1e5 + 1e-5j], np.complex128))
        make("mixed/bfloat16", np.array([1.0, 2.5, -0.0078125, 1e30]), tf.bfloat16)
        make("mixed/strings", np.array([[b"a", b"it's"], [b"", "h\u00e9".encode()]]))
        make("mixed/wide", rng.normal(size=(2, 9)).astype(np.float32))
        make("mixed/empty", np.zeros((0, 3), np.float32))
        session.run(v1.global_variables_initializer())
        v1.train.Saver(v1.global_variables()).save(session, os.path.join(out, "values"), write_meta_graph=False, write_state=False)


def calls():
    import tensorflow as tf

    class Calls(tf.Module):
        def __init__(self):
            self.w = tf.Variable([[1.0, 2.0]], name="w")

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x"), tf.TensorSpec(None, tf.string, name="words")])
        def signed(self, x, words):
            return x * self.w

        @tf.function
        def free(self, x, training=False, *, scale=1.0, name=None):
            return x * scale if training else x

        @tf.function
        def nested(self, pair, table=None):
            return pair[0] + table["b"]

        @tf.function
        def listed(self, xs):
            return tf.add_n(xs)

        @tf.function
        def plain(self):
            return tf.constant(1)

    module = Calls()
    x = tf.TensorSpec([2, 2], tf.float32, name="x")
    module.free.get_concrete_function(x)
    module.free.get_concrete_function(x, True, scale=2.0)
    module.free.get_concrete_function(tf.TensorSpec([], tf.int32), training=False, scale=3, name="n")
    module.nested.get_concrete_function((x, x), table={"a": tf.TensorSpec([], tf.int64), "b": x})
    module.listed.get_concrete_function([x, x])
    module.plain.get_concrete_function()
    # A chain of attributes: only functions of the root are listed.
    module.inner = tf.Module()
    module.inner.hidden = tf.function(lambda y: y, input_signature=[tf.TensorSpec([1], tf.float64)])
    tf.saved_model.save(
        module, os.path.join(HERE, "calls"),
        signatures={"serving_default": module.signed, "other": module.signed.get_concrete_function()})


def tags():
    import tensorflow as tf

    v1 = tf.compat.v1
    out = os.path.join(HERE, "tags")
    builder = v1.saved_model.builder.SavedModelBuilder(out)

    def graph(add):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 3], name="x")
            any_rank = v1.placeholder(tf.int64, None, name="any")
            sparse = v1.sparse_placeholder(tf.string, name="words")
            w = v1.get_variable("w", initializer=tf.ones([3, 1]), use_resource=False)
            y = tf.matmul(x, w, name="y")
            info = v1.saved_model.utils.build_tensor_info
            signature = v1.saved_model.signature_def_utils.build_signature_def
            signatures = {
                "serving_default": signature({"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"),
                "b/sparse": signature({"words": info(sparse), "any": info(any_rank)}, {"n": info(tf.size(any_rank, name="n"))}, "own"),
                "nothing": signature({}, {}, ""),
            }
            session.run(v1.global_variables_initializer())
            add(session, signatures)

    graph(lambda s, signatures: builder.add_meta_graph_and_variables(s, ["serve", "gpu"], signature_def_map=signatures))
    graph(lambda s, signatures: builder.add_meta_graph(["serve"], signature_def_map={"nothing": signatures["nothing"]}))
    graph(lambda s, signatures: builder.add_meta_graph([], signature_def_map=signatures))
    builder.save()


T = "testdata"
CHECKPOINTS = [
    ["--file_name=testdata/compat/values/values"],
    ["--file_name", "testdata/compat/values/values", "--all_tensors"],
    ["--file_name=testdata/compat/values/values", "--all_tensor_names"],
    ["--file_name=testdata/compat/values/values", "--tensor_name=large/matrix"],
    ["--file_name=testdata/compat/values/values", "--tensor_name", "large/matrix", "--printoptions", "threshold=2000", "precision=2"],
    ["--file_name=testdata/compat/values/values", "--all_tensors", "--printoptions", "threshold=10", "edgeitems=2", "linewidth=50"],
    ["--file_name=testdata/compat/values/values", "--all_tensors", "--printoptions", "suppress=true", "precision=4"],
    ["--file_name=testdata/compat/values/values", "--all_tensors", "--printoptions", "floatmode=fixed", "sign=+", "nanstr=missing", "infstr=oo"],
    ["--file_name=testdata/compat/values/values", "--all_tensors", "--printoptions", "floatmode=unique", "precision=3"],
    ["--file_name=testdata/compat/values/values", "--all_tensors", "--printoptions", "floatmode=maxprec_equal", "sign= "],
    ["--file_name=testdata/compat/values/values", "--tensor_name=scalars/float", "--printoptions", "precision=2"],
    ["--file_name=testdata/compat/values/values", "--tensor_name=no/such"],
    ["--file_name=testdata/compat/values/values", "--count_exclude_pattern=^(large|scalars)/"],
    ["--file_name=testdata/compat/values/values", "--all_tensors=false", "--all_tensor_names", "true", "--count_exclude_pattern", "strings"],
    ["--file_name=testdata/saver_v2/sharded_adam/model.ckpt-200"],
    ["--file_name=testdata/saver_v2/sharded_adam/model.ckpt-200", "--all_tensors"],
    ["--file_name=testdata/saver_v2/sharded_adam/model.ckpt-200", "--tensor_name=embedding"],
    ["--file_name=testdata/saver_v2/plain/" + "{saver_v2/plain}", "--all_tensors"],
    ["--file_name=testdata/saver_v1/single/model.ckpt-5"],
    ["--file_name=testdata/saver_v1/single/model.ckpt-5", "--all_tensors"],
    ["--file_name=testdata/saver_v1/sharded/model.ckpt-9-?????-of-00003", "--all_tensors"],
    ["--file_name=testdata/saver_v1/sharded/model.ckpt-9-?????-of-00003"],
    ["--file_name=testdata/saver_v1/slices/slices", "--all_tensor_names"],
    ["--file_name=testdata/object_graph/keras3/" + "{object_graph/keras3}", "--all_tensor_names"],
    ["--file_name=testdata/saved_model/tf2/model/variables/variables", "--all_tensors"],
    ["--file_name=testdata/saver_v2/sharded_adam/model.ckpt-200.index"],
    ["--file_name=testdata/saver_v2/sharded_adam/no-such-7", "--all_tensors"],
    ["--file_name=testdata/saver_v2/sharded_adam"],
    [],
]
MODELS = [
    ["show", "--dir", "testdata/compat/calls"],
    ["show", "--dir=testdata/compat/calls", "--all"],
    ["show", "--dir=testdata/compat/calls", "--tag_set", "serve"],
    ["show", "--dir=testdata/compat/calls", "--tag_set=serve", "--signature_def=serving_default"],
    ["show", "--dir=testdata/compat/calls", "--tag_set=serve", "--signature_def=other"],
    ["show", "--dir=testdata/compat/calls", "--tag_set=serve", "--list_ops"],
    ["show", "--dir=testdata/compat/calls", "--list_ops"],
    ["show", "--dir=testdata/compat/tags"],
    ["show", "--dir", "testdata/compat/tags", "--all"],
    ["show", "--dir", "testdata/compat/tags", "--tag_set", "serve,gpu"],
    ["show", "--dir", "testdata/compat/tags", "--tag_set", "gpu,serve", "--signature_def", "b/sparse"],
    ["show", "--dir", "testdata/compat/tags", "--tag_set", "serve", "--signature_def", "nothing"],
    ["show", "--dir", "testdata/compat/tags", "--tag_set", ""],
    ["show", "--dir", "testdata/compat/tags", "--tag_set", "serve,gpu", "--list_ops", "--signature_def=serving_default"],
    ["show", "--dir", "testdata/compat/tags", "--noall", "--tag_set", "serve"],
    ["show", "--dir", "testdata/saved_model/tf1/model", "--all"],
    ["show", "--dir", "testdata/saved_model/tf2/model", "--all"],
    ["show", "--dir", "testdata/saved_model/pbtxt/model", "--all"],
    ["show", "--dir", "testdata/saved_model/keras3_export/model", "--all"],
    ["show", "--dir", "testdata/saved_model/no_variables/model", "--all"],
    ["show", "--dir", "testdata/saved_model/no_variables_tf1/model", "--all"],
    ["show", "--dir", "testdata/ops/keras/clean", "--all"],
    ["show", "--dir", "testdata/ops/tf2/told", "--all"],
    ["show", "--dir", "testdata/cases/24-two-metagraphs/export/1", "--all"],
    ["show", "--dir", "testdata/compat/tags", "--tag_set", "train"],
    ["show", "--dir", "testdata/compat/calls", "--tag_set", "serve", "--signature_def", "no_such"],
    ["show", "--dir", "testdata/no/such"],
]


def record(module, arguments):
    import re

    arguments = [re.sub(r"\{(.*)\}", lambda m: first_prefix(m[1]), a) for a in arguments]
    # The order of a set of strings is another one in every run; see the test.
    environment = dict(os.environ, PYTHONHASHSEED="0", TF_ENABLE_ONEDNN_OPTS="0")
    done = subprocess.run([sys.executable, "-m", "tensorflow.python.tools." + module, *arguments], cwd=ROOT,
                          env=environment, capture_output=True)
    return {"arguments": arguments, "status": done.returncode, "stdout": done.stdout.decode("utf-8")}


def first_prefix(folder):
    names = sorted(n for n in os.listdir(os.path.join(ROOT, T, folder)) if n.endswith(".index"))
    return names[0][: -len(".index")]


if __name__ == "__main__":
    if "--only-record" not in sys.argv:
        values()
        calls()
        tags()
    import tensorflow as tf

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        checkpoints = list(pool.map(lambda a: record("inspect_checkpoint", a), CHECKPOINTS))
        models = list(pool.map(lambda a: record("saved_model_cli", a), MODELS))
    with open(os.path.join(HERE, "recorded.json"), "w") as file:
        json.dump({"tensorflow": tf.__version__, "inspect_checkpoint": checkpoints, "saved_model_cli": models}, file, indent=1)
        file.write("\n")
