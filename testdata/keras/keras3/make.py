"""One model by Keras 3 in every form that it saves: archive, weights alone, a set of several files, the legacy HDF5."""
import pathlib, sys, zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import h5py
import io
import json
import keras
import ml_dtypes
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


def data_sets(path):
    """The data sets of all HDF5 files that a path means."""
    if path.endswith(".keras"):
        files = [io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))]
    elif path.endswith(".json"):
        files = sorted(pathlib.Path(path).parent.glob(pathlib.Path(path).name.split(".")[0] + "_*.h5"))
    else:
        files = [path]
    found = {}
    for file in files:
        with h5py.File(file) as f:
            f.visititems(lambda name, data: found.__setitem__(name, data[()]) if isinstance(data, h5py.Dataset) else None)
    return found


def document(path, paths):
    entries, names = [], {}
    for name, value in sorted(data_sets(path).items()):
        value = np.asarray(value)
        if value.dtype.kind == "V":
            value = value.view(ml_dtypes.bfloat16)
        entries.append(oracle.entry(name, value.dtype.name, value.shape, value))
        names[name] = paths[int(value.ravel()[0])]
    return {"prefix": path, "tensors": entries, "names": names}


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
documents = [document(path, paths) for path in forms] + [document("sub.weights.h5", sub_paths)]
counts = {"trainable": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
          "untrained": sum(int(np.prod(v.shape)) for v in model.non_trainable_variables if "seed" not in v.path)}
oracle.write({"keras": keras.__version__, "counts": counts, "layers": [layer.name for layer in model.layers],
              **documents[0], "checkpoints": documents[1:]})
