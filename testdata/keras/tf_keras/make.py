"""Models by tf_keras: whole, weights alone in both forms, the legacy optimizer, names that are split over attributes."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle, oracle_hdf5

import h5py
import numpy as np
import tf_keras as keras
from tf_keras import layers
from tf_keras.src.saving.legacy import hdf5_format

oracle.enter(__file__)
keras.utils.set_random_seed(1)


def build():
    x, ids = keras.Input((4,), name="x"), keras.Input((3,), dtype="int32", name="ids")
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(3, name="first"), layers.BatchNormalization(name="norm")],
                             name="inner")
    words = layers.Embedding(5, 2, name="words")(ids)
    attended = layers.Flatten()(layers.MultiHeadAttention(1, 2, name="attention")(words, words))
    both = layers.Bidirectional(layers.LSTM(2), name="both")(words)
    frozen = layers.Dense(2, name="frozen", trainable=False)(x)
    h = layers.Concatenate()([inner(x), attended, both, layers.GRU(2, name="gru")(words), frozen])
    h = layers.LayerNormalization(name="scale")(h)
    h = layers.Lambda(lambda x: x * 2, name="double")(h)
    return keras.Model([x, ids], layers.Dense(1, name="out")(h), name="everything")


def number(model):
    variables = list(model.variables)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        variables += optimizer.variables() if callable(optimizer.variables) else optimizer.variables
    for metric in model.metrics:
        variables += metric.variables
    names = {}
    for n, variable in enumerate({id(v): v for v in variables}.values(), start=1):
        variable.assign(np.full(variable.shape, n, variable.dtype.as_numpy_dtype))
        names[n] = variable.name
    return names


model = build()
model.compile("adam", "mse", metrics=["mae"])
model.fit([np.ones((2, 4)), np.ones((2, 3), "int32")], np.ones((2, 1)), verbose=0)
names = number(model)
model.save("model.keras")
model.save("whole.h5")
model.save_weights("legacy.h5")
model.save_weights("model.weights.h5")
documents = [oracle_hdf5.keras_document(path, names) for path in ("model.keras", "whole.h5", "legacy.h5", "model.weights.h5")]

old = keras.Sequential([layers.Input((2,)), layers.Dense(2, name="a")], name="old")
old.compile(keras.optimizers.legacy.Adam(), "mse")
old.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0)
names = number(old)
old.save("old_optimizer.h5")
documents.append(oracle_hdf5.keras_document("old_optimizer.h5", names))

# Lists that are longer than an attribute may be are written in parts; here that is 200 bytes.
hdf5_format.HDF5_OBJECT_HEADER_LIMIT = 200
split = keras.Sequential([layers.Input((2,))] + [layers.Dense(2, name=f"dense_layer_{n:02}") for n in range(20)], name="split")
names = number(split)
split.save_weights("split.h5")
documents.append(oracle_hdf5.keras_document("split.h5", names))
with h5py.File("split.h5") as f:
    assert "layer_names" not in f.attrs and "layer_names0" in f.attrs and "layer_names1" in f.attrs

counts = {"trainable": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
          "untrained": sum(int(np.prod(v.shape)) for v in model.non_trainable_variables)}
oracle.write({"tf_keras": keras.__version__, "counts": counts, "layers": [layer.name for layer in model.layers],
              **documents[0], "checkpoints": documents[1:]})
