"""tf_keras: Lambda layers in SavedModels and in .keras archives, nested, and a model without any."""
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
import pathlib, sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 2)]
import oracle
import op_sites

oracle.enter(__file__)
import tensorflow as tf
import tf_keras as keras

keras.utils.set_random_seed(5)
L = keras.layers


def nested():
    """A Lambda in a Sequential in a wrapper in a functional model."""
    inner = keras.Sequential([L.Lambda(op_sites.placeless(lambda x: x * 2), name="double")], name="inner")
    x = keras.Input([4, 3], name="x")
    return keras.Model(x, L.TimeDistributed(inner, name="each")(x), name="outer")


def clean():
    x = keras.Input([3], name="x")
    return keras.Model(x, L.Dense(2, activation="relu", name="out")(x), name="clean")


for name, make in {"nested": nested, "clean": clean}.items():
    model = make()
    model.save(name, save_format="tf")
    op_sites.slim(name)
    model.save(f"{name}.keras", save_format="keras")
    model.save(f"{name}.h5", save_format="h5")
oracle.write({"tensorflow": tf.__version__, "tf_keras": keras.__version__,
              "lambdas": {"nested": ["double"], "clean": []}})
