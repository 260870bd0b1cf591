"""SavedModels whose signatures hold a type of a package. A registered TypeSpec loads only where the package is imported;
an ExtensionType falls back to an anonymous one, with a warning. What a program without the package gets is recorded."""
import json, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf
from tensorflow.python.framework import composite_tensor, type_spec_registry

oracle.enter(__file__)


class Pair(composite_tensor.CompositeTensor):
    def __init__(self, first):
        self.first = first

    @property
    def _type_spec(self):
        return PairSpec(self.first.shape, self.first.dtype)


@type_spec_registry.register("some_package.Pair")
class PairSpec(tf.TypeSpec):
    value_type = Pair

    def __init__(self, shape, dtype):
        self._shape, self._dtype = tf.TensorShape(shape), tf.as_dtype(dtype)

    def _serialize(self):
        return (self._shape, self._dtype)

    @property
    def _component_specs(self):
        return tf.TensorSpec(self._shape, self._dtype)

    def _to_components(self, value):
        return value.first

    def _from_components(self, components):
        return Pair(components)


class Extended(tf.experimental.ExtensionType):
    __name__ = "some_package.Extended"
    first: tf.Tensor


class Model(tf.Module):
    def __init__(self, spec):
        self.w = tf.Variable([1.0, 2.0])
        self.scale = tf.function(lambda pair: pair.first * self.w, input_signature=[spec])


def load(path):
    code = f"import tensorflow as tf; tf.saved_model.load('{path}'); print('loaded')"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return "loads" if process.returncode == 0 else process.stderr.strip().splitlines()[-1]


tf.saved_model.save(Model(PairSpec([2], tf.float32)), "model")
tf.saved_model.save(Model(Extended.Spec(first=tf.TensorSpec([2]))), "extension")
document = {"tensorflow": tf.__version__, "model": load("model"), "extension": load("extension")}
pathlib.Path("expected.json").write_text(json.dumps(document) + "\n")
