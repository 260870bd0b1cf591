"""A Keras 3 model written by model.export()."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle


oracle.enter(__file__)
import keras

keras.utils.set_random_seed(42)
model = keras.Sequential([keras.Input([3], name="x"), keras.layers.Dense(2, name="out")])
model.export("model", verbose=False)
oracle.write(oracle.saved_model("model", keras=keras.__version__))
