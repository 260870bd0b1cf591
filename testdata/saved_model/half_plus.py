"""The small SavedModel that several cases share: y = x * a + b, and a lookup in a vocabulary."""

import os
import pathlib

import numpy as np
import tensorflow as tf


class HalfPlus(tf.Module):
    def __init__(self, b):
        super().__init__()
        self.a = tf.Variable(0.5, name="a")
        self.b = tf.Variable(np.full([3], b, np.float32), name="b")
        self.counts = [tf.Variable(7, dtype=tf.int64, trainable=False, name="count")]
        self.table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(
            "vocab.txt", tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x"), tf.TensorSpec([None], tf.string, "word")])
    def serve(self, x, word):
        return {"y": x * self.a + self.b, "id": self.table.lookup(word)}


def save(directory, b=2.0):
    pathlib.Path("vocab.txt").write_text("one\ntwo\nthree\n")
    model = HalfPlus(b)
    tf.saved_model.save(model, directory, signatures={"serving_default": model.serve})
    os.remove("vocab.txt")
