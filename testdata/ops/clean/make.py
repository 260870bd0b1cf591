"""Models that can touch nothing but their own variables and assets: every kind of control flow, tables, custom
gradients, ragged and sparse inputs, a mutable table, a text summary that only counts."""
import pathlib, sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 2)]
import oracle
import op_sites

oracle.enter(__file__)
import os

import tensorflow as tf

pathlib.Path("vocab.txt").write_text("one\ntwo\n")


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = tf.Variable([1.0, 2.0], name="v")
        self.table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(
            "vocab.txt", tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), 2)
        self.counts = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        self.asset = tf.saved_model.Asset("vocab.txt")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "word"), tf.TensorSpec([], tf.int32, "n")])
    def serve(self, word, n):
        @tf.custom_gradient
        def twice(x):
            return x * 2.0, lambda dy: dy * 2.0
        total = tf.while_loop(lambda i, _: i < n, lambda i, s: (i + 1, s + tf.reduce_sum(twice(self.v))), [0, 0.0])[1]
        if n > 3:
            total = total + 1.0
        tf.print("to the log", total)
        data = tf.data.Dataset.range(5).cache().map(lambda x: x + 1).reduce(tf.constant(0, tf.int64), lambda a, b: a + b)
        return {"id": self.table.lookup(word), "count": self.counts.lookup(word), "total": total, "data": data,
                "vocabulary": tf.io.read_file(self.asset.asset_path)}

    @tf.function
    def twice(self, x, times=2, flag=None):
        return x * times if flag is None else x

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.float32), tf.SparseTensorSpec([None, 3], tf.int64)])
    def composite(self, ragged, sparse):
        return {"sum": tf.reduce_sum(ragged) + tf.cast(tf.sparse.reduce_sum(sparse), tf.float32)}


model = Model()
model.twice(tf.constant([1.0]))
model.twice(tf.ones([2, 3]), times=tf.constant(3.0), flag="on")
tf.saved_model.save(model, "model", signatures={"serving_default": model.serve})
os.remove("vocab.txt")
functions = op_sites.functions("model")
op_sites.slim("model")
oracle.write({"tensorflow": tf.__version__, "models": {"model": op_sites.of_saved_model("model")}, "functions": functions})
