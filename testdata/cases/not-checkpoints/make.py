"""Files that are no checkpoints and lie where one is looked for, as TensorFlow writes them."""

import gzip
import os
import shutil
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

tf1 = tf.compat.v1
HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)


class Dense(tf.Module):
    def __init__(self):
        self.w = tf.Variable(np.linspace(-1, 1, 12, dtype="f").reshape(4, 3))
        self.b = tf.Variable(np.ones(3, "f"))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def __call__(self, x):
        return x @ self.w + self.b


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


dense = Dense()
frozen = convert_variables_to_constants_v2(dense.__call__.get_concrete_function()).graph.as_graph_def()
write("frozen.pb", frozen.SerializeToString(deterministic=True))
# A frozen graph in a SavedModel: no variables, and all weights.
shutil.rmtree("frozen_model", ignore_errors=True)
graph = tf.Graph()
with graph.as_default(), tf1.Session() as session:
    tf.import_graph_def(frozen, name="")
    tensors = [graph.get_tensor_by_name(name) for name in ("x:0", "Identity:0")]
    signature = tf1.saved_model.predict_signature_def({"x": tensors[0]}, {"y": tensors[1]})
    builder = tf1.saved_model.builder.SavedModelBuilder("frozen_model")
    builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map={"serving_default": signature})
    builder.save()
shutil.rmtree("frozen_model/variables", ignore_errors=True)
if os.path.exists("frozen_model/fingerprint.pb"):
    os.remove("frozen_model/fingerprint.pb")

# A graph in text under the name of a SavedModel, beside a checkpoint.
shutil.rmtree("beside", ignore_errors=True)
graph = tf.Graph()
with graph.as_default(), tf1.Session() as session:
    tf1.get_variable("w", initializer=np.arange(6, dtype="f").reshape(2, 3))
    tf1.train.get_or_create_global_step()
    saver = tf1.train.Saver()
    session.run(tf1.global_variables_initializer())
    os.makedirs("beside")
    saver.save(session, "beside/model.ckpt", write_meta_graph=False, write_state=False)
    tf.io.write_graph(graph.as_graph_def(), "beside", "saved_model.pbtxt")
    meta = tf1.train.export_meta_graph()
    meta.meta_info_def.ClearField("stripped_op_list")
    write("without_ops.meta", meta.SerializeToString(deterministic=True))
    meta.ClearField("meta_info_def")
    write("without_info.pb", meta.SerializeToString(deterministic=True))

# What a store keeps compressed.
shutil.rmtree("compressed", ignore_errors=True)
os.makedirs("compressed")
with open("beside/model.ckpt.index", "rb") as file:
    index = file.read()
write("compressed/model.ckpt.index", gzip.compress(index, mtime=0))
shutil.copy("beside/model.ckpt.data-00000-of-00001", "compressed")

with tf.io.TFRecordWriter("examples.tfrecord") as writer:
    feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2]))
    example = tf.train.Example(features=tf.train.Features(feature={"a": feature}))
    writer.write(example.SerializeToString())
with tempfile.TemporaryDirectory() as directory:
    writer = tf.summary.create_file_writer(directory)
    with writer.as_default():
        tf.summary.write("loss", tf.constant(1.0), step=3)
    writer.close()
    (name,) = os.listdir(directory)
    shutil.copy(os.path.join(directory, name), "events.out.tfevents.1")
