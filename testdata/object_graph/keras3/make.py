"""A Keras 3 model and its Adam, trained for one step, in a tf.train.Checkpoint."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)

import keras

keras.utils.set_random_seed(21)
model = keras.Sequential([
    keras.Input([3], dtype="int32"),
    keras.layers.Embedding(10, 4, name="embed"),
    keras.layers.Flatten(),
    keras.layers.Dense(5, activation="relu", name="hidden"),
    keras.layers.BatchNormalization(name="norm"),
    keras.layers.Dense(2, name="out"),
])
optimizer = keras.optimizers.Adam(0.01)
model.compile(optimizer, "mse")
model.train_on_batch(np.array([[1, 2, 3], [4, 5, 6]], np.int32), np.array([[0.0, 1.0], [1.0, 0.0]], np.float32))
tf.train.Checkpoint(model=model, optimizer=optimizer).save("./ckpt")
oracle.record("ckpt-1", keras=keras.__version__, latest_checkpoint=oracle.latest())
