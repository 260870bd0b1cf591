"""Layers whose numbers are not in the order of the model, in a file that has no names; a class of the program's own."""
import os, json
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.chdir(os.path.dirname(os.path.abspath(__file__)))
import numpy as np
import keras
import tf_keras

said = {}
x = tf_keras.Input((4,))
# The layer behind is made first, and has the smaller number.
behind = tf_keras.layers.Dense(4, name="dense_4")
before = tf_keras.layers.Dense(4, name="dense_5")
model = tf_keras.Model(x, behind(before(x)))
model.save("model.keras")
model.save_weights("nameless.weights.h5")
values = [w.numpy().copy() for w in model.weights]
for w in model.weights:
    w.assign(w * 0)
model.load_weights("nameless.weights.h5")
said["nameless"] = all(np.array_equal(a, b.numpy()) for a, b in zip(values, model.weights))


@keras.saving.register_keras_serializable("own")
class Scale(keras.layers.Layer):
    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), name="gain", initializer="random_normal")
        self.shift = self.add_weight(shape=(shape[-1],), name="shift", initializer="random_normal")

    def call(self, x):
        return x * self.gain + self.shift


x = keras.Input((3,))
own = keras.Model(x, Scale(name="scale")(keras.layers.Dense(3, name="dense")(x)))
own.save("own.keras")
own.save("own.h5")
with open("expected.json", "w") as file:
    json.dump(said, file)
