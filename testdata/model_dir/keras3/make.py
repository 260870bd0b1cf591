"""Three checkpoints of a Keras 3 model with a frozen layer and a variable that is stored twice, and tf.summary events."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)

import keras

keras.utils.set_random_seed(42)
model = keras.Sequential([
    keras.Input([3]),
    keras.layers.Dense(4, name="backbone", trainable=False),
    keras.layers.Dense(2, name="head"),
])
optimizer = keras.optimizers.Adam(0.01)
model.compile(optimizer, "mse")
tied = tf.Module()
tied.output = model.get_layer("head").kernel.value
root = tf.train.Checkpoint(model=model, optimizer=optimizer, tied=tied)
manager = tf.train.CheckpointManager(root, ".", max_to_keep=3)
writer = tf.summary.create_file_writer(".")
for step in (1, 2, 3):
    loss = model.train_on_batch(np.ones([2, 3], np.float32), np.ones([2, 2], np.float32))
    with writer.as_default():
        tf.summary.write("loss", tf.convert_to_tensor(loss), step=step)
    manager.save()
writer.close()
events, = pathlib.Path(".").glob("events.out.tfevents.*")
events = events.rename("events.out.tfevents.1700000000.host.1.0.v2")
oracle.record_many(["ckpt-1", "ckpt-2", "ckpt-3"], keras=keras.__version__, latest_checkpoint=oracle.latest(),
                   events=[oracle.events(events)])
