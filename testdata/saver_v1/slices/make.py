"""A V1 checkpoint made by SaveSlices itself: quantized types and a 2-D grid of slices."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
grid = np.arange(-12, 12, dtype=np.int32).reshape(4, 6)
names, specs, data = [], [], []
for spec in ("2,2:3,3", "0,2:0,3", "2,2:0,3", "0,2:3,3"):
    (r, rn), (c, cn) = ([int(i) for i in part.split(",")] for part in spec.split(":"))
    names.append("grid"), specs.append("4 6 " + spec), data.append(tf.constant(grid[r:r + rn, c:c + cn]))
# qint16 and quint16: "Saving data type qint16 not yet supported".
for name, base in (("qint8", tf.int8), ("quint8", tf.uint8), ("qint32", tf.int32)):
    names.append(name), specs.append(""), data.append(tf.bitcast(tf.constant([base.min, 1, base.max], base), name))
tf.raw_ops.SaveSlices(filename="slices", tensor_names=names, shapes_and_slices=specs, data=data)
oracle.record("slices")
