"""tf_keras model.save_weights in the TensorFlow format: no step in the prefix, an absent save_counter."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle


oracle.enter(__file__)

import tf_keras

tf_keras.utils.set_random_seed(23)
model = tf_keras.Sequential([
    tf_keras.layers.Dense(3, input_shape=(4,), name="hidden"),
    tf_keras.layers.BatchNormalization(name="norm"),
    tf_keras.layers.Dense(2, name="out"),
])
model.save_weights("w")
oracle.record("w", tf_keras=tf_keras.__version__, latest_checkpoint=oracle.latest())
