"""Every dtype that the safetensors library writes from NumPy, in one file; values as they went in.

The library itself reads them back where NumPy has the dtype, and must give the same bytes.
"""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

oracle.enter(__file__)

NAN, INF = float("nan"), float("inf")
arrays = {}
for name in ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"):
    info = ml_dtypes.finfo(name)
    arrays[name] = np.array([[-0.0, float(info.max), float(info.smallest_subnormal)], [NAN, 1.5, -2]], np.float64).astype(info.dtype)
for name in ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"):
    info = np.iinfo(name)
    arrays[name] = np.array([info.min, info.max, 0, 1], name)
arrays["bool"] = np.array([True, False, True])
arrays["complex64"] = np.array([1 + 2j, complex(NAN, -0.0)], np.complex64)
arrays["scalar"] = np.array(3.25, np.float32)
arrays["empty"] = np.zeros([0, 4], np.float32)
arrays["name/with/é and \"quotes\""] = np.arange(6, dtype=np.int32).reshape(1, 2, 3)
# Two bytes a number, so that the library has to order by dtype and later offsets are not those of the dictionary.
arrays["a"] = np.arange(5, dtype=np.int16)

safetensors.numpy.save_file(arrays, "model.safetensors", metadata={"format": "np", "made": "by a test"})
flat = dict(safetensors.deserialize(pathlib.Path("model.safetensors").read_bytes()))
entries = []
for name, array in arrays.items():
    assert bytes(flat[name]["data"]) == array.tobytes() and list(flat[name]["shape"]) == list(array.shape), name
    entries.append(oracle.entry(name, array.dtype.name, array.shape, array))
entries.sort(key=lambda entry: entry["name"].encode())
oracle.write({"safetensors": safetensors.__version__, "prefix": "model.safetensors", "tensors": entries})
