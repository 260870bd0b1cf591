"""One model by Keras 3 in every form that it saves: archive, weights alone, a set of several files, the legacy HDF5."""
import pathlib, sys, zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle, oracle_hdf5

import json
import keras
import numpy as np
from keras import layers

oracle.enter(__file__)
keras.utils.set_random_seed(1)


@keras.saving.register_keras_serializable("cases")
class Scale(layers.Layer):
    """A layer of the program's own, with a variable and a seed."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, x):
        return x * self.factor


def build():
    x, ids = keras.Input((4,), name="x"), keras.Input((3,), dtype="int32", name="ids")
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(3, name="first"), layers.BatchNormalization(name="norm")],
                             name="inner")
    words = layers.Embedding(5, 2, name="words")(ids)
    attended = layers.Flatten()(layers.MultiHeadAttention(1, 2, name="attention")(words, words))
    both = layers.Bidirectional(layers.LSTM(2), name="both")(words)
    frozen = layers.Dense(2, name="frozen", trainable=False)(x)
    h = layers.Concatenate()([inner(x), attended, both, layers.GRU(2)(words), frozen])
    h = Scale(name="scale")(layers.LayerNormalization()(h))
    half = layers.Dense(2, dtype="bfloat16", name="half")(h)
    return keras.Model([x, ids], layers.Dense(1, name="out")(half), name="everything")


class Sub(keras.Model):
    """A model that is a class: its layers are attributes and lists."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.entry = layers.Dense(2)
        self.blocks = [layers.Dense(2), layers.Dense(2, name="mine", use_bias=False)]
        self.top = self.add_weight(shape=(2,), name="top")

    def call(self, x):
        x = self.entry(x) + self.top
        for block in self.blocks:
            x = block(x)
        return x


def number(model):
    """Gives every variable a value of its own, by which its data set is found again."""
    variables = model.variables + (model.optimizer.variables if getattr(model, "optimizer", None) else [])
    paths = {}
    for n, variable in enumerate({id(v): v for v in variables}.values(), start=1):
        variable.assign(np.full(variable.shape, n, variable.dtype))
        paths[n] = variable.path
    return paths


model = build()
model.compile("adam", "mse", metrics=["mae"])
model.fit([np.ones((2, 4)), np.ones((2, 3), "int32")], np.ones((2, 1)), verbose=0)
paths = number(model)
model.save("model.keras")
model.save("whole.h5")
model.save_weights("model.weights.h5")
pathlib.Path("set").mkdir()
model.save_weights("set/model.weights.json", max_shard_size=7e-7)
# The same archive, packed again by somebody else: its members are deflated.
with zipfile.ZipFile("model.keras") as stored, zipfile.ZipFile("packed.keras", "w", zipfile.ZIP_DEFLATED) as packed:
    for name in stored.namelist():
        packed.writestr(name, stored.read(name))
sub = Sub(name="sub")
sub(np.ones((1, 3)))
sub_paths = number(sub)
sub.save_weights("sub.weights.h5")
code = keras.Sequential([layers.Input((2,)), layers.Lambda(lambda x: x * 2, name="double")], name="code")
code.save("code.keras")
code.save("code.h5")

forms = ["model.keras", "packed.keras", "whole.h5", "model.weights.h5", "set/model.weights.json"]
documents = [oracle_hdf5.keras_document(path, paths) for path in forms] + [oracle_hdf5.keras_document("sub.weights.h5", sub_paths)]
counts = {"trainable": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
          "untrained": sum(int(np.prod(v.shape)) for v in model.non_trainable_variables if "seed" not in v.path)}
oracle.write({"keras": keras.__version__, "counts": counts, "layers": [layer.name for layer in model.layers],
              **documents[0], "checkpoints": documents[1:]})
