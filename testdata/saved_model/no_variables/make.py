"""A TF2 SavedModel without variables: its bundle holds the object graph alone."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)


class Double(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, "x")])
    def serve(self, x):
        return {"y": x * 2.0}


model = Double()
tf.saved_model.save(model, "model", signatures=model.serve)
oracle.write(oracle.saved_model("model"))
