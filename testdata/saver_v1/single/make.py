"""A V1 checkpoint in one file: every dtype that its Saver takes."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

VALUES = {
    "float32": np.array([[1.5, -0.0, np.inf], [np.nan, 1e-45, -3.4e38]], np.float32),
    "float64": np.array([np.pi, -np.inf, 5e-324], np.float64),
    "int32": np.array([-2**31, -1, 0, 2**31 - 1], np.int32),
    "int64": np.array([-2**63, -1, 0, 2**63 - 1], np.int64),
    "int8": np.array([-128, -1, 127], np.int8),
    "int16": np.array([[-32768], [-1], [32767]], np.int16),
    "uint8": np.array([0, 128, 255], np.uint8),
    "uint16": np.array([0, 32768, 65535], np.uint16),
    "bool": np.array([True, False, True]),
    "complex64": np.array([1 - 2j, complex(np.nan, -0.0)], np.complex64),
    "complex128": np.array([[1e300 - 2j]], np.complex128),
    "half": np.array([1.0, -2.0, np.nan, 6e-8], np.float16),
    "string": np.array([[b"", b"a\x00b"], [b"\xff\xfe", "größe".encode()]], object),
    "scalar": np.float32(3.0),
    "empty": np.zeros([0, 3], np.float32),
}

with tf.Graph().as_default():
    v1.set_random_seed(31)
    v1.disable_resource_variables()
    for name, value in VALUES.items():
        v1.get_variable(name, initializer=tf.constant(value), trainable=False)
    rows = v1.get_variable("rows", [5, 2], partitioner=v1.fixed_size_partitioner(3, axis=0))
    saver = v1.train.Saver(write_version=v1.train.SaverDef.V1)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        saver.save(session, "./model.ckpt", global_step=5)

oracle.record("model.ckpt-5", latest_checkpoint=oracle.latest())
