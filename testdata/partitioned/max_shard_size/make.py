"""tf.train.Checkpoint cut into small shards by MaxShardSizePolicy: slices in an object-based checkpoint."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

root = tf.train.Checkpoint(
    kernel=tf.Variable(np.arange(60, dtype=np.float32).reshape(12, 5)),
    bias=tf.Variable(np.arange(5, dtype=np.float64)),
    wide=tf.Variable(np.arange(40, dtype=np.int32).reshape(2, 20)),
    name=tf.Variable("text"),
)
policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=100)
path = root.save("./ckpt", options=tf.train.CheckpointOptions(experimental_sharding_callback=policy))
oracle.record("ckpt-1", latest_checkpoint=oracle.latest())
