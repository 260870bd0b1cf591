"""Weight files and models of Keras 3 and of Keras 2 (tf_keras)."""

import os

from cases import HTML, LFS, case, edit, save_v1


def keras3():
    import keras

    return keras


def model3(units=(4, 2), built=True, names=("first", "second")):
    keras = keras3()
    layers = [keras.layers.Dense(n, name=name) for n, name in zip(units, names)]
    first = [keras.Input((3,))] if built else []
    return keras.Sequential(first + layers)


def model2(units=(4, 2), names=("first", "second"), inputs=3):
    import tf_keras

    layers = [tf_keras.layers.Dense(n, name=name) for n, name in zip(units, names)]
    return tf_keras.Sequential([tf_keras.Input((inputs,))] + layers)


@case("keras-file-missing", "not-a-keras-archive", "out/best.keras", "not there")
def _():
    keras3().saving.load_model("out/best.keras")


@case("keras-file-cut", "not-a-keras-archive", "best.keras", "cut")
def _():
    model3().save("best.keras")
    edit("best.keras", lambda bytes: bytes[: len(bytes) // 2])
    keras3().saving.load_model("best.keras")


@case("keras-file-is-a-web-page", "not-a-keras-archive", "best.keras", "web page")
def _():
    edit_new("best.keras", HTML)
    keras3().saving.load_model("best.keras")


def edit_new(file, content):
    with open(file, "wb") as opened:
        opened.write(content)


@case("keras-file-damaged", "bad-zip", "model.weights.h5")
def _():
    keras = keras3()
    model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(50)])
    model.save("best.keras")

    def change(bytes):
        bytes[len(bytes) // 2 : len(bytes) // 2 + 20] = b"x" * 20
        return bytes

    edit("best.keras", change)
    keras.saving.load_model("best.keras")


@case("saved-model-in-keras-3", "saved-model-in-keras-3", "export")
def _():
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), "export")
    keras3().saving.load_model("export")


@case("checkpoint-in-keras-3", "checkpoint-in-keras-3", "run/ckpt-1")
def _():
    save_v1("run/ckpt-1", {"w": (2,)})
    model3().load_weights("run/ckpt-1")


@case("hdf5-is-a-pointer", "not-hdf5", "Git LFS")
def _():
    edit_new("model.h5", LFS)
    keras3().saving.load_model("model.h5")


@case("hdf5-is-empty", "not-hdf5")
def _():
    edit_new("model.weights.h5", b"")
    model3().load_weights("model.weights.h5")


@case("hdf5-cut", "cut-hdf5")
def _():
    model2().save("model.h5")
    edit("model.h5", lambda bytes: bytes[: len(bytes) // 2])
    keras3().saving.load_model("model.h5")


@case("hdf5-missing", "no-such-file", "out/model.h5")
def _():
    keras3().saving.load_model("out/model.h5")


@case("weights-missing", "no-such-file", "out/model.weights.h5")
def _():
    model3().load_weights("out/model.weights.h5")


@case("weights-as-model", "weights-as-model")
def _():
    model2().save_weights("model.h5")
    keras3().saving.load_model("model.h5")


@case("weights-of-unbuilt-layers", "keras-unbuilt")
def _():
    model3().save_weights("m.weights.h5")
    model3(built=False).load_weights("m.weights.h5")


@case("weights-other-shape-3", "keras-shape", "3×5", "3×4")
def _():
    model3().save_weights("m.weights.h5")
    model3(units=(5, 2)).load_weights("m.weights.h5")


@case("weights-other-count-3", "keras-layer-variables")
def _():
    keras = keras3()
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, use_bias=False, name="only")]).save_weights("m.weights.h5")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="only")]).load_weights("m.weights.h5")


@case("weights-layer-count-3", "keras-layer-count", "3", "2")
def _():
    model2().save_weights("m.h5")
    model3(units=(4, 2, 2), names=("a", "b", "c")).load_weights("m.h5")


@case("weights-shape-old-file-3", "keras-shape", "first", "3×6", "3×4")
def _():
    model2().save_weights("m.h5")
    model3(units=(6, 2)).load_weights("m.h5")


@case("weights-name-to-save", "weights-file-name", "m.h5")
def _():
    model3().save_weights("m.h5")


@case("optimizer-not-built", "keras-optimizer-variables", "adam", stderr=True)
def _():
    import warnings

    import numpy as np

    warnings.simplefilter("always")
    keras = keras3()
    model = model3()
    model.compile("adam", "mse")
    model.fit(np.ones([4, 3]), np.ones([4, 2]), verbose=0)
    model.save_weights("m.weights.h5")
    model.save("m.keras")
    other = model3()
    other.compile("adam", "mse")
    import zipfile

    with zipfile.ZipFile("m.keras") as archive:
        archive.extract("model.weights.h5")
    os.rename("model.weights.h5", "with.weights.h5")
    from keras.src.saving import saving_lib

    saving_lib.load_weights_only(other, "with.weights.h5")
    keras.saving.load_model("m.keras")


@case("class-unknown-3", "unknown-class", "Frobnicate")
def _():
    keras = keras3()

    class Frobnicate(keras.layers.Layer):
        def call(self, x):
            return x

    keras.Sequential([keras.Input((3,)), Frobnicate()]).save("m.keras")
    del Frobnicate
    import gc

    gc.collect()
    keras.saving.load_model("m.keras")


@case("lambda-refused", "keras-lambda")
def _():
    keras = keras3()
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)]).save("m.keras")
    keras.saving.load_model("m.keras")


@case("kernel-of-an-unbuilt-layer", "keras-unbuilt")
def _():
    return keras3().layers.Dense(3).kernel


@case("tf-keras-kernel-of-an-unbuilt-layer", "keras-unbuilt", "Dense")
def _():
    import tf_keras

    return tf_keras.layers.Dense(3).kernel


@case("set-weights-3", "keras-shape", "3×4", "4×3")
def _():
    import numpy as np

    model3().layers[0].set_weights([np.ones((4, 3)), np.ones(4)])


@case("tf-keras-file-missing", "no-such-file", "out/model.h5")
def _():
    import tf_keras

    tf_keras.models.load_model("out/model.h5")


@case("tf-keras-weights-missing", "no-such-file", "out/w.h5")
def _():
    model2().load_weights("out/w.h5")


@case("tf-keras-layer-count", "keras-layer-count", "2", "3")
def _():
    model2().save_weights("m.h5")
    model2(units=(4, 2, 2), names=("a", "b", "c")).load_weights("m.h5")


@case("tf-keras-shape", "keras-shape", "first", "3×7", "3×4")
def _():
    model2().save_weights("m.h5")
    model2(units=(7, 2)).load_weights("m.h5")


@case("tf-keras-set-weights", "keras-shape", "3×4", "4×3")
def _():
    import numpy as np

    model2().layers[0].set_weights([np.ones((4, 3)), np.ones(4)])


@case("tf-keras-weight-count", "keras-layer-count")
def _():
    import numpy as np

    model2().layers[0].set_weights([np.ones((3, 4))])


@case("tf-keras-unbuilt", "keras-unbuilt")
def _():
    import tf_keras

    model2().save_weights("m.h5")
    tf_keras.Sequential([tf_keras.layers.Dense(4), tf_keras.layers.Dense(2)]).load_weights("m.h5")


@case("tf-keras-class-unknown", "unknown-class", "Frobnicate")
def _():
    import tf_keras

    class Frobnicate(tf_keras.layers.Layer):
        pass

    tf_keras.Sequential([tf_keras.Input((3,)), Frobnicate()]).save("m.h5")
    tf_keras.models.load_model("m.h5")


@case("tf-keras-checkpoint-missing", "no-checkpoint", "run/ckpt-9")
def _():
    model2().load_weights("run/ckpt-9")


@case("tf-keras-checkpoint-shape", "restore-shape-mismatch", "first/bias", "[6]", "[4]")
def _():
    model2().save_weights("run/ckpt-1")
    model2(units=(6, 2)).load_weights("run/ckpt-1")


@case("tf-keras-keras-file-cut", "not-hdf5", ".keras")
def _():
    import tf_keras

    model2().save("best.keras")
    edit("best.keras", lambda bytes: bytes[:300])
    tf_keras.models.load_model("best.keras")


@case("hdf5-without-that-object", "hdf5-object-missing", "dense_7")
def _():
    import h5py

    with h5py.File("m.h5", "w") as opened:
        opened.create_group("layers")
    h5py.File("m.h5")["layers/dense_7"]
