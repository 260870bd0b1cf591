"""TF2 SavedModels, each with ops that touch something; what each op is, where, and what reaches it, is in expected.json."""
import pathlib, sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 2)]
import oracle
import op_sites

oracle.enter(__file__)
import numpy as np
import tensorflow as tf
from tensorflow.python.trackable import resource

SPEC = tf.TensorSpec([None], tf.float32, "x")


def export(name, serve, load=None):
    module = tf.Module()
    module.v = tf.Variable(1.0, name="v")
    module.serve = tf.function(serve, input_signature=[SPEC])
    if load is not None:
        module.resource = load
    tf.saved_model.save(module, name, signatures=module.serve)


def write(x):
    tf.io.write_file("/tmp/out", "x")
    return {"y": x}


def nested(x):
    """WriteFile in a branch of a cond in the body of a while loop in another function."""
    @tf.function
    def inner(n):
        if n > 2.0:
            tf.io.write_file(tf.strings.join(["/tmp/", tf.strings.as_string(n)]), "x")
        return n + 1.0

    @tf.function
    def outer(n):
        return tf.while_loop(lambda n: n < 4.0, lambda n: [inner(n)], [n])[0]
    return {"y": x + outer(tf.reduce_sum(x))}


def switch(x):
    def one():
        tf.print("x", output_stream="file:///tmp/log")
        return 1.0

    def two():
        tf.print("to standard error, which is harmless")
        return 2.0
    return {"y": x + tf.switch_case(tf.cast(x[0], tf.int32), [one, two])}


def save(x):
    tf.raw_ops.SaveV2(prefix="/tmp/fixed", tensor_names=["a"], shape_and_slices=[""], tensors=[x])
    return {"y": x}


def read(x):
    return {"y": x, "file": tf.io.read_file("/etc/hostname")}


def told(x):
    return {"y": x, "file": tf.io.read_file(tf.strings.join(["gs://bucket/", tf.strings.as_string(x[0])]))}


def python(x):
    return {"y": tf.numpy_function(lambda x: x + np.float32(1), [x], tf.float32),
            "z": tf.py_function(lambda x: x, [x], tf.float32)}


def summary(x):
    writer = tf.raw_ops.SummaryWriter()
    tf.raw_ops.CreateSummaryFileWriter(writer=writer, logdir="/tmp/logs", max_queue=1, flush_millis=1, filename_suffix="s")
    tf.raw_ops.WriteScalarSummary(writer=writer, step=1, tag="t", value=x[0])
    return {"y": x}


def dataset(x):
    """In the function of a data set; and a cache in memory, which is harmless."""
    lines = tf.data.Dataset.from_tensors(x).cache().map(lambda x: tf.strings.length(tf.io.read_file("/tmp/in")))
    return {"y": x, "n": lines.reduce(0, lambda a, b: a + b)}


def network(x):
    tf.raw_ops.DebugIdentityV2(input=x, tfdbg_context_id="c", op_name="o", output_slot=0, tensor_debug_mode=1,
                               debug_urls=["grpc://host:6064"])
    return {"y": x}


def fine(x):
    return {"y": x}


class Made(resource.CapturableResource):
    """A resource whose initialization writes: it runs when the model is loaded."""

    def _create_resource(self):
        return tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="made")

    def _initialize(self):
        tf.io.write_file("/tmp/at_load", "x")


MODELS = {"write": write, "nested": nested, "switch": switch, "save": save, "read": read, "told": told,
          "python": python, "summary": summary, "dataset": dataset, "network": network}
for name, serve in MODELS.items():
    export(name, serve)
export("at_load", fine, Made())
expected = {}
for name in [*MODELS, "at_load"]:
    op_sites.slim(name)
    expected[name] = op_sites.of_saved_model(name)
oracle.write({"tensorflow": tf.__version__, "models": expected})
