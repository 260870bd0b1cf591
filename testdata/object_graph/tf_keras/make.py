"""A tf_keras model with a legacy Adam (real slot variables) in a tf.train.Checkpoint."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)

import tf_keras

tf_keras.utils.set_random_seed(22)
model = tf_keras.Sequential([
    tf_keras.layers.Dense(3, input_shape=(4,), name="hidden"),
    tf_keras.layers.Dense(2, name="out"),
])
optimizer = tf_keras.optimizers.legacy.Adam(0.01)
model.compile(optimizer, "mse")
model.train_on_batch(np.ones([2, 4], np.float32), np.zeros([2, 2], np.float32))
tf.train.Checkpoint(model=model, optimizer=optimizer).save("./ckpt")
oracle.record("ckpt-1", tf_keras=tf_keras.__version__, latest_checkpoint=oracle.latest())
