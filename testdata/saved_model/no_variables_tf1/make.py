"""A TF1 SavedModel without variables: no variables/ at all."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

builder = v1.saved_model.Builder("model")
with tf.Graph().as_default(), v1.Session() as session:
    x = v1.placeholder(tf.float32, [2], name="x")
    builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": v1.saved_model.predict_signature_def({"x": x}, {"y": x * 2.0})})
builder.save()
oracle.write(oracle.saved_model("model"))
