"""tf.train.Checkpoint over awkward attribute names, shared variables, tables and an iterator."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)


class Inner(tf.Module):
    def __init__(self, value):
        super().__init__()
        self.w = tf.Variable(np.full([2, 2], value, np.float32))
        self.blocks = [tf.Variable(float(i)) for i in range(3)]


class Outer(tf.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner(1.5)
        self.tied = self.inner.w
        self.map = {"a/b": tf.Variable(1), "c.d": tf.Variable(2), "with space": tf.Variable(4), "größe": tf.Variable(5),
                    "世界": tf.Variable(6), ".ATTRIBUTES": tf.Variable(7), "a.Sb": tf.Variable(8), "-": tf.Variable(9)}
        self.nested = {"list": [Inner(2.5), {"deep": tf.Variable([1, 2, 3], dtype=tf.int8)}], "tuple": (tf.Variable(True), tf.Variable("text"))}
        self.frozen = tf.Variable([0.5, 0.25], trainable=False, dtype=tf.bfloat16)
        self.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.table.insert(tf.constant(["one", "two"]), tf.constant([1, 2], tf.int64))
        self.dense = tf.lookup.experimental.DenseHashTable(tf.int64, tf.float32, 0.0, empty_key=-1, deleted_key=-2, initial_num_buckets=4)
        self.dense.insert(tf.constant([7], tf.int64), tf.constant([0.5]))


data = tf.data.Dataset.range(10).batch(2)
iterator = iter(data)
next(iterator)
root = tf.train.Checkpoint(model=Outer(), iterator=iterator, step=tf.Variable(17, dtype=tf.int64))
try:
    root.model.map[""] = tf.Variable(3)
    root.save("./ckpt")
except Exception as error:
    print("empty key:", type(error), error)
oracle.record("ckpt-1", latest_checkpoint=oracle.latest())
