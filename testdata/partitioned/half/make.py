"""Partitioned tensors of dtypes that TensorFlow cannot put together; numpy does it from the slices."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

rng = np.random.default_rng(5)
full = {
    "half": rng.standard_normal([5, 4]).astype(np.float16),
    "string": np.array([[f"row {i} column {j}".encode() for j in range(3)] for i in range(4)], object),
    "uint16": np.arange(40, dtype=np.uint16).reshape(4, 10) * 1500,
    "uint32": np.arange(6, dtype=np.uint32).reshape(6, 1) * 700_000_000,
}
SLICES = {
    "half": ["0,3:-", "3,2:0,1", "3,2:1,3"],
    "string": ["-:2,1", "-:0,2"],
    "uint16": ["2,2:0,10", "0,2:0,10"],
    "uint32": ["0,1:-", "1,2:-", "3,3:-"],
}


def index(spec):
    return tuple(slice(None) if part == "-" else slice(int(part.split(",")[0]), sum(map(int, part.split(","))))
                 for part in spec.split(":"))


def spec(name, part):
    return " ".join(map(str, full[name].shape)) + " " + part


pieces = [(name, part) for name in full for part in SLICES[name]]
tf.raw_ops.SaveV2(prefix="half", tensor_names=[name for name, _ in pieces],
                  shape_and_slices=[spec(name, part) for name, part in pieces],
                  tensors=[tf.constant(full[name][index(part)]) for name, part in pieces])

doc = oracle.document("half")
for i, record in enumerate(doc["tensors"]):
    name = record["name"]
    value = np.empty(full[name].shape, full[name].dtype)
    for part in SLICES[name]:
        value[index(part)] = oracle.restore("half", name, record["dtype"], spec(name, part)).numpy()
    assert (value == full[name]).all()
    whole = record["unreadable"]  # what TensorFlow says when asked for the whole tensor
    doc["tensors"][i] = oracle.entry(name, record["dtype"], record["shape"], value, assembled=True, tensorflow_error=whole)
oracle.write(doc)
