"""Every dtype that SaveV2 of TensorFlow 2.21 takes, one tensor each, by name."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)

NAN, INF = float("nan"), float("inf")


def floats(name):
    """Six values of a float type: the extremes as bit patterns, so that no rounding can hide one."""
    info = __import__("ml_dtypes").finfo(name)
    special = [NAN, INF, -INF] if name not in ("float4_e2m1fn",) else [0.5, 6.0, -6.0]
    return np.array([[-0.0, float(info.max), float(info.smallest_subnormal)], special], np.float64).astype(info.dtype)


def ints(name):
    low, high = (0, 2 ** int(name[4:]) - 1) if name.startswith("u") else (-2 ** (int(name[3:]) - 1), 2 ** (int(name[3:]) - 1) - 1)
    values = [low, high, 0, 1, -1 if low < 0 else high - 1, low // 2 if low < 0 else high // 2]
    return np.array(values, object).reshape(2, 3).astype(tf.as_dtype(name).as_numpy_dtype)


FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e5m2", "float8_e4m3fn", "float8_e4m3fnuz",
          "float8_e4m3b11fnuz", "float8_e5m2fnuz", "float4_e2m1fn"]
INTS = [sign + str(bits) for sign in ("int", "uint") for bits in (64, 32, 16, 8, 4, 2)]

tensors = {name: tf.constant(floats(name), name) for name in FLOATS}
tensors |= {name: tf.constant(ints(name), name) for name in INTS}
tensors["bool"] = tf.constant([[True, False, True], [False, False, True]])
tensors["string"] = tf.constant([[b"", b"a", b"line\n"], ["é".encode(), b"\xff\x00", b"x" * 300]])
for bits in (64, 128):
    tensors[f"complex{bits}"] = tf.constant(
        np.array([[0, 1 + 2j, complex(-0.0, -0.0)], [complex(NAN, INF), complex(-INF, NAN), 3.5e30 - 1e-30j]], f"complex{bits}"))
for name in ("qint8", "quint8", "qint16", "quint16", "qint32"):
    tensors[name] = tf.bitcast(tf.constant(ints(name[1:]), name[1:]), name)
tensors["variant"] = tf.raw_ops.TensorListFromTensor(tensor=tf.constant([[1.0, 2.0], [3.0, 4.0]]), element_shape=[2])

oracle.save("all", tensors)
oracle.record("all")
