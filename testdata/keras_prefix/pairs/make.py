"""Checkpoints that `save_weights("prefix")` of tf_keras wrote, loaded for real into models by `load_weights("prefix")`.

    python testdata/keras_prefix/pairs/make.py

Of every model its configuration and a checkpoint; expected.json records, for every pair of one family, the exception or
which variable took the values of which key. All values are different, so that the values say where they came from.
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import tf_keras as keras

HERE = pathlib.Path(__file__).resolve().parent
L = keras.layers
rng = np.random.default_rng(11)


def dense(units, dropout=False, batch=False, names=None):
    layers = [L.Input((3,))]
    for n, count in enumerate(units):
        layers.append(L.Dense(count, name=names[n] if names else None))
        if batch:
            layers.append(L.BatchNormalization())
        if dropout:
            layers.append(L.Dropout(0.1))
    return keras.Sequential(layers)


def functional(units):
    x = y = L.Input((3,))
    for count in units:
        y = L.Dense(count)(y)
    return keras.Model(x, y)


def recurrent(layer):
    return keras.Sequential([L.Input((4, 2)), layer, L.Dense(2)])


def nested(inner, outer, is_functional=False, is_swapped=False):
    if is_functional:
        x = L.Input((3,))
        encoder = keras.Model(x, L.BatchNormalization()(L.Dense(inner)(x)))
    else:
        encoder = keras.Sequential([L.Input((3,)), L.Dense(inner), L.BatchNormalization()])
    x, y, head = L.Input((3,)), L.Input((3,)), L.Dense(outer)
    both = [head(encoder(x)), head(encoder(y))]
    return keras.Model([x, y], L.Dense(1)(L.Concatenate()(both[::-1] if is_swapped else both)))


def attention(heads, size, norm=True):
    x = L.Input((3, 4))
    y = L.MultiHeadAttention(heads, size)(x, x)
    y = L.LayerNormalization()(y) if norm else y
    return keras.Model(x, L.Dense(1)(L.Flatten()(L.Add()([x, y]))))


FAMILIES = {
    "dense": {
        "plain": lambda: dense([2, 2]),
        "wider": lambda: dense([2, 4]),
        "deeper": lambda: dense([2, 2, 2]),
        "dropout": lambda: dense([2, 2], dropout=True),
        "batch": lambda: dense([2, 2], batch=True),
        "named": lambda: dense([2, 2], names=["z", "a"]),
        "functional": lambda: functional([2, 2]),
    },
    "recurrent": {
        "lstm": lambda: recurrent(L.LSTM(2)),
        "gru": lambda: recurrent(L.GRU(2)),
        "both": lambda: recurrent(L.Bidirectional(L.LSTM(2))),
        "cells": lambda: recurrent(L.RNN([L.GRUCell(2), L.LSTMCell(2)])),
        "one_cell": lambda: recurrent(L.RNN(L.LSTMCell(2))),
    },
    "nested": {
        "plain": lambda: nested(2, 2),
        "functional": lambda: nested(2, 2, is_functional=True),
        "swapped": lambda: nested(2, 2, is_swapped=True),
        "wider": lambda: nested(3, 2),
    },
    "attention": {
        "two": lambda: attention(2, 2),
        "four": lambda: attention(4, 1),
        "bare": lambda: attention(2, 2, norm=False),
    },
}


def fresh(make):
    keras.backend.clear_session()
    model = make()
    model.set_weights([rng.standard_normal(weight.shape).astype("f4") for weight in model.get_weights()])
    return model


def keys(prefix):
    reader = tf.train.load_checkpoint(str(prefix))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in names if name != "_CHECKPOINTABLE_OBJECT_GRAPH"}


def load(model, prefix):
    """The exception, or which variable took which key."""
    stored = keys(prefix)
    try:
        model.load_weights(str(prefix))
    except Exception as error:
        return {"raises": type(error).__name__, "message": str(error)}
    same = lambda value: [key for key, other in stored.items() if np.array_equal(value, other)]
    taken = [key for weight in model.weights for key in same(weight.numpy())]
    return {"taken": sorted(taken), "variables": len(model.weights)}


def main():
    for old in HERE.iterdir():
        if old.name not in ("make.py", "README.md"):
            old.unlink()
    pairs = []
    for family, models in FAMILIES.items():
        for name, make in models.items():
            model = fresh(make)
            model.save_weights(HERE / f"{family}-{name}")
            (HERE / f"{family}-{name}.json").write_text(model.to_json())
        for a in models:
            for b, make in models.items():
                found = load(fresh(make), HERE / f"{family}-{a}")
                pairs.append({"checkpoint": f"{family}-{a}", "model": f"{family}-{b}", **found})
    (HERE / "checkpoint").unlink()
    (HERE / "expected.json").write_text(json.dumps({"tf_keras": keras.__version__, "pairs": pairs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
