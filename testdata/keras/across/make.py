"""The same variables under the names that each format gives them; every variable has a value of its own."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from safetensors.numpy import save_file

oracle.enter(__file__)


def sequential(keras):
    layers = keras.layers
    return keras.Sequential([layers.Input((3,)), layers.Dense(2), layers.BatchNormalization(), layers.Dense(2, name="named"),
                             layers.Dense(1)]), [(2, 3)], "adam"


def functional(keras):
    layers = keras.layers
    x, y = keras.Input((3, 2)), keras.Input((3, 2))
    inner = keras.Sequential([layers.Input((3, 2)), layers.Dense(2), layers.Dense(2)], name="inner")
    shared = layers.Dense(2, name="shared")
    h = layers.MultiHeadAttention(1, 2)(inner(x), shared(shared(y)))
    both = layers.Bidirectional(layers.GRU(2))(h)
    stacked = layers.RNN(layers.StackedRNNCells([layers.SimpleRNNCell(2), layers.SimpleRNNCell(2)]))(h)
    cold = layers.Dense(2, trainable=False)(layers.LSTM(2)(h))
    h = layers.LayerNormalization()(layers.Concatenate()([both, stacked, cold]))
    sgd = keras.optimizers.SGD(0.1, momentum=0.9)
    return keras.Model([x, y], layers.Dense(1)(h)), [(2, 3, 2), (2, 3, 2)], sgd


def subclassed(keras):
    layers = keras.layers

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.entry, self.blocks, self.head = layers.Dense(2), [layers.Dense(2), layers.Dense(2, name="mine")], layers.Dense(1)

        def call(self, x):
            x = self.entry(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    return Model(), [(2, 3)], keras.optimizers.RMSprop()


def number(variables):
    """Gives every variable a value of its own."""
    for n, variable in enumerate(variables, start=1):
        dtype = variable.dtype if isinstance(variable.dtype, str) else variable.dtype.as_numpy_dtype
        variable.assign(np.full(variable.shape, n, dtype))


def saver(prefix, arrays):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {name: tf.compat.v1.get_variable(name, initializer=array) for name, array in arrays.items()}
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver(variables).save(session, prefix, write_meta_graph=False, write_state=False)


models = {}
for library, short in [(keras, "keras3"), (tf_keras, "tf_keras")]:
    library.utils.set_random_seed(1)
    for make in (sequential, functional, subclassed):
        here = pathlib.Path(f"{short}_{make.__name__}")
        here.mkdir()
        model, shapes, optimizer = make(library)
        model.compile(optimizer, "mse")
        inputs = [np.ones(shape) for shape in shapes]
        model.fit(inputs if len(inputs) > 1 else inputs[0], np.ones((2, 1)), verbose=0)
        optimizer = model.optimizer
        variables = [*model.variables, *(optimizer.variables() if callable(optimizer.variables) else optimizer.variables)]
        variables = list({id(v): v for v in variables}.values())
        number(variables)
        names = [v.path if library is keras else v.name.removesuffix(":0") for v in variables]
        arrays = {name: np.array(v) for name, v in zip(names, variables)}
        model.save(here / "model.keras")
        model.save_weights(here / "model.weights.h5")
        if make is not subclassed:
            model.save(here / "whole.h5")
        tf.train.Checkpoint(model=model, optimizer=optimizer).write(str(here / "ckpt"))
        tf.train.Checkpoint(model).write(str(here / "root"))
        if make is sequential:
            model.export(here / "export", verbose=False) if library is keras else model.save(here / "export", save_format="tf")
            (here / "export/fingerprint.pb").unlink()
            (here / "export/assets").rmdir()
        saver(str(here / "saver"), arrays)
        save_file(arrays, here / "names.safetensors")
        for state in here.glob("checkpoint"):
            state.unlink()
        models[here.name] = dict(zip(names, range(1, len(names) + 1)))

oracle.write({"keras": keras.__version__, "tf_keras": tf_keras.__version__, "models": models})
