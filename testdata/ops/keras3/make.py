"""Keras 3: Lambda layers in .keras archives and in exported models, nested, a lambda as an activation, and classes of
somebody else's."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import pathlib, sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 2)]
import oracle
import op_sites

oracle.enter(__file__)
import shutil
import zipfile

import tensorflow as tf
import keras

keras.utils.set_random_seed(5)
L = keras.layers


class Own(L.Layer):
    def call(self, x):
        return x + 1


def nested():
    inner = keras.Sequential([keras.Input([3]), L.Lambda(op_sites.placeless(lambda x: x * 2), name="double")], name="inner")
    x = keras.Input([3], name="x")
    return keras.Model(x, inner(x), name="outer")


def activation():
    x = keras.Input([3], name="x")
    return keras.Model(x, L.Dense(2, activation=op_sites.placeless(lambda x: x * 3), name="odd")(x), name="outer")


def own():
    x = keras.Input([3], name="x")
    return keras.Model(x, Own(name="own")(x), name="outer")


def clean():
    x = keras.Input([3], name="x")
    return keras.Model(x, L.Dense(2, activation="relu", name="out")(x), name="clean")


for name, make in {"nested": nested, "activation": activation, "own": own, "clean": clean}.items():
    make().save(f"{name}.keras")
nested().export("exported", verbose=False)
op_sites.slim("exported")
# Unpacked, which Keras reads as well.
with zipfile.ZipFile("nested.keras") as archive:
    archive.extractall("unpacked")
for path in pathlib.Path("unpacked").iterdir():
    if path.name not in ("config.json", "metadata.json"):
        path.unlink() if path.is_file() else shutil.rmtree(path)
oracle.write({"tensorflow": tf.__version__, "keras": keras.__version__,
              "lambdas": {"nested": ["outer/inner/double"], "activation": ["outer/odd"], "own": [], "clean": []}})
