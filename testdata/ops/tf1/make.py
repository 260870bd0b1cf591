"""Graphs of TensorFlow 1: an init op that writes, a vocabulary that is an asset and one that is not, a frozen graph,
a V1 loop, text form, an op that TensorFlow does not have."""
import pathlib, sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 2)]
import oracle
import op_sites

oracle.enter(__file__)
import os

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

v1 = tf.compat.v1
v1.disable_eager_execution()
v1.disable_control_flow_v2()


def model(directory, build, as_text=False, tables=None):
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [None], "x")
        init, y = build(x)
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(directory)
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=init)
        builder.save(as_text=as_text)
        return graph.as_graph_def()


def init_writes(x):
    v = v1.get_variable("v", [], initializer=v1.zeros_initializer())
    return tf.group(tf.io.write_file("/tmp/at_load", "x"), name="init_all_tables"), x + v


def loop(x):
    """A V1 while loop has a cycle in its graph; the write hangs on a control input."""
    v = v1.get_variable("v", [], initializer=v1.zeros_initializer())

    def body(n):
        with tf.control_dependencies([tf.io.write_file("/tmp/in_loop", "x")]):
            return n + 1.0
    return tf.no_op(name="nothing"), x + v + v1.while_loop(lambda n: n < 3.0, body, [tf.constant(0.0)])


def starts(x):
    """What an initializer of a variable reads runs when training starts, not when the model is loaded."""
    v = v1.get_variable("v", initializer=lambda: tf.strings.length(tf.io.read_file("/etc/hostname")))
    return tf.no_op(name="nothing"), x + tf.cast(v, tf.float32)


def vocabulary(x):
    pathlib.Path("vocab.txt").write_text("one\ntwo\n")
    table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer("vocab.txt", tf.string, 0, tf.int64, 1), -1)
    return v1.tables_initializer(), x + tf.cast(table.lookup(tf.strings.as_string(x)), tf.float32)


expected = {}
model("init_writes", init_writes)
model("loop", loop, as_text=True)
graph = model("starts", starts)
with tf.Graph().as_default() as plain, v1.Session() as session:
    x = v1.placeholder(tf.float32, [None], "x")
    tf.identity(vocabulary(x)[1], "y")
    # A name that the registry does not have; TensorFlow itself could not import this graph.
    frozen = plain.as_graph_def()
    frozen.node.add(name="odd\x1b[31m\nname", op="NotAnOp", input=["x"])
    pathlib.Path("frozen.pb").write_bytes(frozen.SerializeToString(deterministic=True))
    pathlib.Path("graph.pbtxt").write_text(text_format.MessageToString(plain.as_graph_def()))
    v1.train.export_meta_graph("alone.meta", graph=plain)
os.remove("vocab.txt")
for name in ["init_writes", "starts"]:
    op_sites.slim(name)
    expected[name] = op_sites.of_saved_model(name)
op_sites.slim("loop")
text = pathlib.Path("loop/saved_model.pbtxt").read_text()
loop_model = text_format.Parse(text, saved_model_pb2.SavedModel())
expected["loop"] = [op_sites.of_graph(part.graph_def) for part in loop_model.meta_graphs]
expected["frozen.pb"] = [op_sites.of_graph(frozen)]
oracle.write({"tensorflow": tf.__version__, "models": expected})
