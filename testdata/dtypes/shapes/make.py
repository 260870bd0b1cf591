"""Shapes and strings at their edges."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np

oracle.enter(__file__)

rng = np.random.default_rng(7)
oracle.save("shapes", {
    "scalar/float32": np.float32(3.25),
    "scalar/int64": np.int64(-9),
    "scalar/bool": np.bool_(True),
    "scalar/string": b"one string",
    "scalar/empty_string": b"",
    "empty/1d": np.zeros([0], np.float32),
    "empty/3d": np.zeros([2, 0, 3], np.int32),
    "empty/string": np.zeros([0], object),
    "empty/string_2d": np.zeros([3, 0], object),
    "rank9": np.arange(2 ** 9, dtype=np.float32).reshape([2] * 9),
    "rank12": np.arange(24, dtype=np.int16).reshape([1, 2, 1, 1, 3, 1, 1, 1, 2, 1, 2, 1]),
    "large": rng.standard_normal([1000, 7]).astype(np.float32),
    "vector": np.arange(-5, 6, dtype=np.int64),
    "strings": np.array([
        [b"", b"\x00", b"a\x00b\x00", b"line one\nline two\r\n", b"\x1b[31mred\x1b[0m", b"\xff\xfe\x80"],
        [b"x" * 300, "Grüße, 世界 🌍".encode(), b"tab\there", b"back\\slash 'single' \"double\"", b"\xc3", b"\x7f\x9b\xc2\x9b31m"],
    ], object),
})
oracle.record("shapes")
