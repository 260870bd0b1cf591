"""Archives by NumPy: stored and deflated, every dtype, the order of Fortran, big-endian numbers, strings, no dimension."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import ml_dtypes
import numpy as np

oracle.enter(__file__)

NAN, INF = float("nan"), float("inf")
arrays = {}
for name in ("float64", "float32", "float16"):
    arrays[name] = np.array([[-0.0, np.finfo(name).max, np.finfo(name).smallest_subnormal], [NAN, INF, -2]], name)
arrays["bfloat16"] = np.array([1.5, -2, 3e38], ml_dtypes.bfloat16)
for name in ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"):
    arrays[name] = np.array([np.iinfo(name).min, np.iinfo(name).max, 1], name)
arrays["bool"] = np.array([[True], [False]])
arrays["complex64"] = np.array([1 + 2j, complex(NAN, -0.0)], np.complex64)
arrays["complex128"] = np.array([[1e300 - 2j]])
arrays["scalar"] = np.array(7)
arrays["empty"] = np.zeros([3, 0, 2], np.float32)
arrays["fortran"] = np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
arrays["big"] = np.arange(6, dtype=">f8").reshape(2, 3)
arrays["big_fortran"] = np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3))
arrays["bytes"] = np.array([[b"ab", b""], [b"x\0y", b"\xff"]])
arrays["text"] = np.array(["é", "", "long enough", "日本"])
arrays["layer/kernel"] = np.ones([64, 33], np.float32)


def entry(name):
    value = arrays[name]
    if value.dtype.kind in "SU":
        return oracle.entry(name, "string", value.shape, value.astype(object))
    return oracle.entry(name, value.dtype.name, value.shape, value.astype(value.dtype.newbyteorder("<")))


np.savez("stored.npz", **arrays)
np.savez_compressed("deflated.npz", **arrays)
loaded = np.load("stored.npz")
assert all(loaded[name].tobytes() == arrays[name].tobytes() for name in arrays)
entries = [entry(name) for name in sorted(arrays)]
documents = [{"prefix": prefix, "tensors": entries} for prefix in ("stored.npz", "deflated.npz")]
oracle.write({"numpy": np.__version__, **documents[0], "checkpoints": documents[1:]})
