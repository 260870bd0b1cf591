"""Models that were changed after they were made, or whose layers store other variables than they train: quantized, adapted
by LoRA, with spectral normalization, grouped attention, an optimizer that averages or scales losses or keeps factors."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle, oracle_hdf5

import keras
import numpy as np
import tensorflow as tf
from keras import layers

oracle.enter(__file__)


def quantized():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2, use_bias=False, name="bare")])
    model.quantize("int8")
    return model, (1, 4), "adam"


def lora():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2, name="plain")])
    model.layers[0].enable_lora(1)
    return model, (1, 4), "sgd"


def attention():
    x = keras.Input((3, 4))
    h = layers.GroupQueryAttention(2, 2, 1)(x, x)
    h = layers.AdditiveAttention()([layers.Attention(use_scale=True)([h, h]), h])
    h = layers.SpectralNormalization(layers.Dense(3, name="wrapped"))(h)
    return keras.Model(x, h), (1, 3, 4), keras.optimizers.SGD(0.1, momentum=0.5, use_ema=True, gradient_accumulation_steps=2)


def scaled():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(2), layers.BatchNormalization()])
    return model, (1, 4), keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())


def factored():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(2)])
    return model, (1, 4), keras.optimizers.Adafactor()


documents, counts = [], {}
for make in (quantized, lora, attention, scaled, factored):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    here = pathlib.Path(make.__name__)
    here.mkdir()
    model, shape, optimizer = make()
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    variables = list({id(v): v for v in [*model.variables, *model.optimizer.variables]}.values())
    numbers = {}
    for n, variable in enumerate(variables, start=1):
        # What LoRA has learned is added to the kernel when it is saved: zeros leave that as it is.
        n = 0 if "lora_" in variable.path else n
        variable.assign(np.full(variable.shape, n, variable.dtype))
        numbers[n] = variable.path
    model.save(here / "model.keras")
    model.save_weights(here / "model.weights.h5")
    if make is not factored:
        # Keras cannot: several variables of the optimizer have one name.
        model.save(here / "whole.h5")
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(here / "ckpt"))
    if make is attention:
        model.export(here / "export", verbose=False)
        (here / "export/fingerprint.pb").unlink()
        (here / "export/assets").rmdir()
    for form in ("model.keras", "model.weights.h5", "whole.h5")[: 2 if make is factored else 3]:
        documents.append(oracle_hdf5.keras_document(str(here / form), numbers))
    loaded = keras.models.load_model(here / "model.keras")
    loaded.load_weights(here / "model.weights.h5")
    size = lambda all: sum(int(np.prod(v.shape)) for v in all if "lora_" not in v.path)
    counts[make.__name__] = {"trainable": size(model.trainable_weights), "untrained": size(model.non_trainable_weights)}

oracle.write({"keras": keras.__version__, "counts": counts, **documents[0], "checkpoints": documents[1:]})
