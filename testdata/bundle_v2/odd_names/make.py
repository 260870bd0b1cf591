"""Keys that are no ordinary names: bytes, control characters, a leading NUL, a long one."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)

names = [b"\x00weird", b"\xff\xfe", b"a\x00b", b"a:b", b" ", b"/", b"line\nbreak", b"\x1b[31mred", "größe/世界".encode(), b"x" * 2000, b"plain", b"pl", b"plain/more",
         b"caf\xe9"]
oracle.save("odd", {name: np.int32(i) for i, name in enumerate(names)})
# The python reader cannot list keys that are not UTF-8.
oracle.record("odd", [oracle.read("odd", name, tf.int32, []) for name in names])
