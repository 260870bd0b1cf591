"""A SavedModel that Keras 2 wrote, loaded and saved as legacy HDF5: names lose the numbers of objects, contents stay."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tf_keras

oracle.enter(__file__)
tf_keras.utils.set_random_seed(5)
layers = tf_keras.layers
x = inputs = layers.Input((6, 4))
x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
x = layers.MultiHeadAttention(2, 3)(x, x)
x = layers.LayerNormalization()(x)
x = layers.GRU(4)(layers.Conv1D(5, 3, padding="same")(x))
model = tf_keras.Model(inputs, layers.Dense(2)(layers.BatchNormalization()(x)))
model.compile("adam", "mse")
model.fit(np.random.default_rng(0).random((8, 6, 4)), np.ones((8, 2)), epochs=2, verbose=0)
model.save("export", save_format="tf")
loaded = tf_keras.models.load_model("export")
loaded.save("loaded.h5")
# Its graphs are 3 MB, and hold no weight.
for path in ("fingerprint.pb", "keras_metadata.pb", "saved_model.pb"):
    (pathlib.Path("export") / path).unlink()
(pathlib.Path("export") / "assets").rmdir()
oracle.write({"weights": len(model.weights)})
