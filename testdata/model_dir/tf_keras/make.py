"""Two checkpoints of a tf_keras model with the optimizer of 2.11 and later."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)

import tf_keras

tf_keras.utils.set_random_seed(43)
model = tf_keras.Sequential([
    tf_keras.layers.Dense(3, input_shape=(4,), name="hidden"),
    tf_keras.layers.Dense(2, name="out"),
])
optimizer = tf_keras.optimizers.Adam(0.01)
model.compile(optimizer, "mse")
root = tf.train.Checkpoint(model=model, optimizer=optimizer)
manager = tf.train.CheckpointManager(root, ".", max_to_keep=2, checkpoint_name="model")
for step in (10, 20):
    model.train_on_batch(np.ones([2, 4], np.float32), np.zeros([2, 2], np.float32))
    manager.save(checkpoint_number=step)
oracle.record_many(["model-10", "model-20"], tf_keras=tf_keras.__version__, latest_checkpoint=oracle.latest())
